#include "health/gateway/epcis_intake.h"

#include <stdio.h>

#include "codec/hex.h"
#include "health/epcis/epcis_xml.h"
#include "health/epcis/event_check.h"
#include "health/epcis/event_form.h"
#include "health/epcis/event_hash.h"
#include "health/epcis/times.h"

#define PARTIES_MAX 16u

static const struct json *context_of(const struct epcis_intake *intake, const struct epcis_event *event) {
	const struct json *own = json_get(event->tree, "@context");
	return own ? own : json_get(intake->document.tree, "@context");
}

static struct bytes id_of(struct arena *arena, const struct event_hash_names *names, const struct epcis_event *event) {
	const struct bytes given = json_string(json_get(event->tree, "eventID"));
	char hash[EVENT_HASH_TEXT_SIZE];
	if (given.len) return given;
	event_hash(hash, event_hash_prehash(names, event->tree));
	return bytes_text(arena_strdup(arena, bytes_text(hash)));
}

/* Parties that an event names are its parties: places are not. */
static void add_named_parties(struct event_terms *terms, struct arena *arena) {
	static const char *const keys[] = {"source_possessing_party", "source_owning_party",
	    "destination_possessing_party", "destination_owning_party", NULL};
	const size_t count = terms->count;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; keys[k]; k++)
			if (bytes_equal(terms->list[i].key, bytes_text(keys[k])))
				event_terms_add_text(terms, arena, EVENTS_PARTY, terms->list[i].text);
}

static void make_entry(
    struct epcis_intake *intake, struct arena *arena, const struct event_hash_names *names, size_t i) {
	const struct epcis_event *event = &intake->document.events[i];
	struct events_entry *entry = &intake->entries[i];
	struct event_terms *terms = arena_zalloc(arena, 1, sizeof *terms);
	struct buf body;
	*entry = (struct events_entry){.event_id = id_of(arena, names, event),
	    .context = event_form_context(arena, context_of(intake, event)),
	    .terms = terms,
	    .corrects = event->corrects};
	epcis_time(&entry->happened_ms, json_string(json_get(event->tree, "eventTime")));
	event_terms_of(terms, arena, context_of(intake, event), event->tree);
	event_terms_add_text(terms, arena, "eventID", entry->event_id);
	add_named_parties(terms, arena);
	buf_init(&body, BUF_MAX_DEFAULT);
	event_form_keep(&body, event->tree, intake->document.is_xml, entry->event_id);
	entry->body = arena_dup(arena, buf_view(&body));
	buf_fini(&body);
}

static void make_entries(struct epcis_intake *out, struct arena *arena) {
	const struct event_hash_names *names = event_hash_names_of(arena, out->document.tree, out->document.is_xml);
	out->entries = arena_zalloc(arena, out->document.count + 1, sizeof *out->entries);
	for (size_t i = 0; i < out->document.count; i++) make_entry(out, arena, names, i);
}

enum status epcis_intake_read(
    struct epcis_intake *out, size_t *at, struct arena *arena, struct bytes text, struct err *err) {
	*at = SIZE_MAX;
	*out = (struct epcis_intake){0};
	TRY(epcis_parse(&out->document, arena, text, err));
	TRY(event_check_document(at, arena, &out->document, err));
	*at = SIZE_MAX;
	make_entries(out, arena);
	return STATUS_OK;
}

enum status epcis_intake_reread(struct epcis_intake *out, struct arena *arena, struct bytes text, struct err *err) {
	*out = (struct epcis_intake){0};
	TRY(epcis_parse(&out->document, arena, text, err));
	make_entries(out, arena);
	return STATUS_OK;
}

void epcis_intake_add_parties(
    struct epcis_intake *intake, struct arena *arena, uint64_t chain_id, const addr20 *parties, size_t count) {
	for (size_t p = 0; p < count; p++) {
		struct buf hex;
		if (addr20_is_zero(&parties[p])) continue;
		buf_init(&hex, 64);
		hex_put(&hex, BYTES_OF(parties[p]), true);
		const char *name =
		    arena_printf(arena, "did:pkh:eip155:%llu:%s", (unsigned long long)chain_id, buf_cstr(&hex));
		buf_fini(&hex);
		for (size_t i = 0; i < intake->document.count; i++)
			event_terms_add_text(
			    (struct event_terms *)intake->entries[i].terms, arena, EVENTS_PARTY, bytes_text(name));
	}
}

struct bytes epcis_intake_without(const struct epcis_intake *intake, struct arena *arena, const bool *leave) {
	const struct epcis_document *document = &intake->document;
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	json_object_begin(&writer, NULL);
	static const char *const kept[] = {"@context", "type", "schemaVersion", "creationDate", NULL};
	for (size_t i = 0; kept[i]; i++) {
		const struct json *member = json_get(document->tree, kept[i]);
		if (!member) continue;
		json_put_name(&writer, kept[i]);
		if (strcmp(kept[i], "type") == 0)
			buf_text(&out, "\"EPCISDocument\"");
		else if (strcmp(kept[i], "schemaVersion") == 0)
			buf_text(&out, "\"2.0\"");
		else
			epcis_xml_write(&out, member);
	}
	json_object_begin(&writer, "epcisBody");
	json_array_begin(&writer, "eventList");
	for (size_t i = 0; i < document->count; i++) {
		if (leave[i]) continue;
		json_put_name(&writer, NULL);
		if (document->is_xml)
			epcis_xml_write(&out, document->events[i].tree);
		else
			buf_append(&out, document->events[i].raw);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	json_object_end(&writer);
	const struct bytes text = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}
