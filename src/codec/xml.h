/*
 * XML 1.0 with namespaces, read into a tree. A document type declaration that names or holds definitions is refused,
 * and with it every entity that a document could define. Depth, elements and bytes are bounded. Encodings: UTF-8,
 * UTF-16, ISO-8859-1, US-ASCII; the tree is in UTF-8.
 *
 * Ownership: the tree is in the arena; `raw` views the text. Threads: pure. Library: expat.
 */
#ifndef CODEC_XML_H
#define CODEC_XML_H

#include "base/mem.h"

#define XML_DEPTH_MAX 128u
#define XML_ELEMENTS_MAX 4000000u

struct xml_name {
	struct bytes space; /* the namespace; empty: none */
	struct bytes prefix;
	struct bytes local;
};
struct xml_attribute {
	struct xml_name name;
	struct bytes value;
};
struct xml {
	struct xml_name name;
	struct bytes text; /* of the element itself, without blanks around it */
	struct bytes raw;  /* from "<" to ">" */
	const struct xml_attribute *attributes;
	size_t attribute_count;
	struct xml *first, *last; /* children, in the order of the text */
	struct xml *next;
};

/* STATUS_INVALID names the line; STATUS_LIMIT. */
MUST_USE enum status xml_parse(const struct xml **root, struct arena *arena, struct bytes text, struct err *err);

bool xml_is(const struct xml *element, const char *local);
/* The first child of this local name; NULL: none, or `element` is NULL. */
const struct xml *xml_child(const struct xml *element, const char *local);
/* Of an attribute without namespace; data == NULL: there is none. */
struct bytes xml_attribute(const struct xml *element, const char *local);
#define xml_foreach(item, parent)                                                                                      \
	for (const struct xml *item = (parent) ? (parent)->first : NULL; item; item = item->next)

#endif
