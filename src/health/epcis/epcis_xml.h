/*
 * EPCIS 1.0 to 2.0 in XML, as the tree of JSON-LD that the same document would have: epcis_parse reads that, so that
 * there is one reader of events. What is not of the events (EPCISHeader, with its business header and master data)
 * stays in the text.
 *
 * Namespaces become prefixes of the tree's "@context"; the wrappers of 1.x ("extension", "baseExtension") vanish. An
 * event's `raw` is its element in the text, which has to be UTF-8, since documents are sealed as they are.
 *
 * Ownership: the tree is in the arena. Threads: pure. Sources: EPCIS 1.2 §9, EPCIS 2.0 §9 (XML), §10 (JSON-LD).
 */
#ifndef HEALTH_EPCIS_EPCIS_XML_H
#define HEALTH_EPCIS_EPCIS_XML_H

#include "codec/json.h"

/* Does it begin as XML does? */
bool epcis_xml_is(struct bytes text);
/* STATUS_INVALID, STATUS_LIMIT. */
MUST_USE enum status epcis_xml_read(const struct json **out, struct arena *arena, struct bytes text, struct err *err);

/* Appends such a tree, or a part of it, as JSON-LD. */
void epcis_xml_write(struct buf *out, const struct json *tree);

#endif
