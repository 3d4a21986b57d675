#include "codec/xml.h"

#include <expat.h>
#include <limits.h>

#define SEPARATOR '\n'

struct reader {
	XML_Parser parser;
	struct arena *arena;
	struct bytes input;
	struct xml *root;
	struct xml *open[XML_DEPTH_MAX];
	size_t text_starts[XML_DEPTH_MAX]; /* of each open element's characters in `text` */
	size_t starts[XML_DEPTH_MAX];      /* of each open element in the input */
	size_t depth, elements;
	struct buf text;
	enum status status;
	struct err *err;
};

static void stop(struct reader *reader, enum status status, const char *why) {
	if (reader->status == STATUS_OK)
		reader->status =
		    err_set(reader->err, status, "XML, line %lu: %s", XML_GetCurrentLineNumber(reader->parser), why);
	XML_StopParser(reader->parser, XML_FALSE);
}

/* "namespace\nlocal\nprefix", "namespace\nlocal" or "local". */
static struct xml_name name_of(struct arena *arena, const char *text) {
	const struct bytes whole = arena_dup(arena, bytes_text(text));
	const uint8_t *first = whole.len ? memchr(whole.data, SEPARATOR, whole.len) : NULL;
	if (!first) return (struct xml_name){.local = whole};
	const size_t len = (size_t)(first - whole.data);
	const struct bytes rest = bytes_slice(whole, len + 1, whole.len);
	const uint8_t *second = rest.len ? memchr(rest.data, SEPARATOR, rest.len) : NULL;
	const size_t local = second ? (size_t)(second - rest.data) : rest.len;
	return (struct xml_name){.space = bytes_slice(whole, 0, len),
	    .local = bytes_slice(rest, 0, local),
	    .prefix = second ? bytes_slice(rest, local + 1, rest.len) : (struct bytes){NULL, 0}};
}

static void take_attributes(struct reader *reader, struct xml *element, const char **attributes) {
	struct xml_attribute *list;
	while (attributes[2 * element->attribute_count]) element->attribute_count++;
	list = arena_zalloc(reader->arena, element->attribute_count + 1, sizeof *list);
	for (size_t i = 0; i < element->attribute_count; i++) {
		list[i].name = name_of(reader->arena, attributes[2 * i]);
		list[i].value = arena_dup(reader->arena, bytes_text(attributes[2 * i + 1]));
	}
	element->attributes = list;
}

static void on_start(void *context, const char *name, const char **attributes) {
	struct reader *reader = context;
	struct xml *element, *parent = reader->depth ? reader->open[reader->depth - 1] : NULL;
	if (reader->depth == XML_DEPTH_MAX) return stop(reader, STATUS_LIMIT, "elements lie in each other too deeply");
	if (++reader->elements > XML_ELEMENTS_MAX) return stop(reader, STATUS_LIMIT, "there are too many elements");
	element = arena_zalloc(reader->arena, 1, sizeof *element);
	element->name = name_of(reader->arena, name);
	take_attributes(reader, element, attributes);
	if (!parent)
		reader->root = element;
	else if (parent->last)
		parent->last->next = element;
	else
		parent->first = element;
	if (parent) parent->last = element;
	reader->starts[reader->depth] = (size_t)XML_GetCurrentByteIndex(reader->parser);
	reader->text_starts[reader->depth] = reader->text.len;
	reader->open[reader->depth++] = element;
}

static bool is_blank(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void on_end(void *context, const char *name) {
	struct reader *reader = context;
	(void)name;
	if (!reader->depth) return; /* it was stopped */
	const size_t at = --reader->depth, from = reader->text_starts[at];
	struct bytes text = bytes_slice(buf_view(&reader->text), from, reader->text.len);
	while (text.len && is_blank(text.data[0])) text = bytes_slice(text, 1, text.len);
	while (text.len && is_blank(text.data[text.len - 1])) text.len--;
	/* An element without content ("<a/>") ends where it starts: its last byte is that of its one tag. */
	const size_t end =
	    (size_t)XML_GetCurrentByteIndex(reader->parser) + (size_t)XML_GetCurrentByteCount(reader->parser);
	reader->open[at]->text = arena_dup(reader->arena, text);
	reader->open[at]->raw = bytes_slice(reader->input, reader->starts[at], end - reader->starts[at]);
	reader->text.len = from;
}

static void on_text(void *context, const char *data, int len) {
	struct reader *reader = context;
	if (reader->depth) buf_append(&reader->text, bytes_make(data, (size_t)len));
}

static void on_doctype(void *context, const char *name, const char *system, const char *public, int has_subset) {
	(void)name;
	if (system || public || has_subset)
		stop(context, STATUS_INVALID, "a document type that defines something is not taken");
}

enum status xml_parse(const struct xml **root, struct arena *arena, struct bytes text, struct err *err) {
	struct reader reader = {.arena = arena, .input = text, .err = err};
	*root = NULL;
	if (text.len > INT_MAX) return err_set(err, STATUS_LIMIT, "XML of more than 2 GiB is not taken");
	reader.parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (!reader.parser) return err_set(err, STATUS_INTERNAL, "there is no memory for reading XML");
	buf_init(&reader.text, BUF_MAX_DEFAULT);
	XML_SetUserData(reader.parser, &reader);
	XML_SetReturnNSTriplet(reader.parser, 1);
	XML_SetElementHandler(reader.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	if (XML_Parse(reader.parser, (const char *)text.data, (int)text.len, XML_TRUE) != XML_STATUS_OK &&
	    reader.status == STATUS_OK)
		reader.status = err_set(err, STATUS_INVALID, "XML, line %lu: %s",
		    XML_GetCurrentLineNumber(reader.parser), XML_ErrorString(XML_GetErrorCode(reader.parser)));
	if (reader.status == STATUS_OK) *root = reader.root;
	XML_ParserFree(reader.parser);
	buf_fini(&reader.text);
	return reader.status;
}

/* --- looking --- */

bool xml_is(const struct xml *element, const char *local) {
	return element && bytes_equal(element->name.local, bytes_text(local));
}

const struct xml *xml_child(const struct xml *element, const char *local) {
	xml_foreach(child, element) if (xml_is(child, local)) return child;
	return NULL;
}

struct bytes xml_attribute(const struct xml *element, const char *local) {
	for (size_t i = 0; element && i < element->attribute_count; i++)
		if (!element->attributes[i].name.space.len &&
		    bytes_equal(element->attributes[i].name.local, bytes_text(local)))
			return element->attributes[i].value;
	return (struct bytes){NULL, 0};
}
