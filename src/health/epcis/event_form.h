/*
 * Events as JSON, for keeping and for answering: what a repository adds (eventID, recordTime) and in which spelling
 * EPCs go out (GS1-EPC-Format). Threads: pure. Source: EPCIS 2.0 §12.9.
 */
#ifndef HEALTH_EPCIS_EVENT_FORM_H
#define HEALTH_EPCIS_EVENT_FORM_H

#include "codec/json.h"

enum event_form {
	EVENT_FORM_DIGITAL_LINKS, /* each EPC, class and place that has one */
	EVENT_FORM_AS_CAPTURED
};

/* Appends an event to be kept: without its "@context" and recordTime, and with this eventID. `is_xml`: the tree is of
 * XML, and has no source bytes. */
void event_form_keep(struct buf *out, const struct json *event, bool is_xml, struct bytes event_id);
/* Appends a kept event, with its recordTime. `context`: JSON for its own "@context"; empty: none. */
void event_form_answer(
    struct buf *out, const struct json *event, enum event_form form, int64_t recorded_ms, struct bytes context);

/* What of a document's "@context" its events need besides EPCIS's own; as JSON in the arena; empty: nothing. */
struct bytes event_form_context(struct arena *arena, const struct json *context);
/* Appends the "@context" of a document: EPCIS's own, and such a one [empty]. */
void event_form_put_context(struct json_writer *writer, struct bytes context);

/* Appends an identifier as it is, or as a Digital Link. */
void event_form_put_epc(struct buf *out, enum event_form form, struct bytes epc);

#endif
