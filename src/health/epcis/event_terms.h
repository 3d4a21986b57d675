/*
 * What an event says, as terms that queries compare: a key ("bizStep", "epc", "value_CEL") with a text or a number.
 *
 * Texts are in one spelling, whatever the document's: CBV's words are bare ("shipping"), EPCs are canonical Digital
 * Links, prefixed names are whole. Times are numbers: Unix milliseconds. A field of an extension has its namespace in
 * braces: "{https://example.org/}part", with "ILMD_", "SENSORREPORT_" and the like in front of it as query parameters
 * have them, and "INNER_" before all if it stands inside another field.
 *
 * Ownership: everything is in the arena or views the event. Threads: pure. Source: EPCIS 2.0 §8.2.7.
 */
#ifndef HEALTH_EPCIS_EVENT_TERMS_H
#define HEALTH_EPCIS_EVENT_TERMS_H

#include "codec/json.h"

struct event_term {
	struct bytes key;
	struct bytes text; /* data == NULL: it is a number */
	double number;
};
struct event_terms {
	struct event_term *list;
	size_t count, room;
};

/* Which vocabulary of CBV a bare word belongs to. */
enum event_terms_vocabulary {
	EVENT_TERMS_STEPS,
	EVENT_TERMS_DISPOSITIONS,
	EVENT_TERMS_TRANSACTION_TYPES,
	EVENT_TERMS_PARTY_TYPES, /* of sources and destinations */
	EVENT_TERMS_ERROR_REASONS,
	EVENT_TERMS_SENSOR_TYPES /* of GS1's web vocabulary */
};

/*
 * Adds the terms of an event that epcis_parse has judged. `context`: the document's or the event's own "@context".
 * What the repository adds to an event (recordTime, eventID) is not read: event_terms_add_… is called for it.
 */
void event_terms_of(struct event_terms *out, struct arena *arena, const struct json *context, const struct json *event);
void event_terms_add_text(struct event_terms *out, struct arena *arena, const char *key, struct bytes text);
void event_terms_add_number(struct event_terms *out, struct arena *arena, const char *key, double number);

/* --- the one spelling --- */

/* A word of CBV: "https://ref.gs1.org/cbv/BizStep-shipping" and "urn:epcglobal:cbv:bizstep:shipping" are "shipping".
 * Any other: as event_terms_name. */
struct bytes event_terms_word(
    struct arena *arena, const struct json *context, enum event_terms_vocabulary vocabulary, struct bytes text);
/* A prefixed name is whole; an EPC is a canonical Digital Link; all else is as it stands. */
struct bytes event_terms_name(struct arena *arena, const struct json *context, struct bytes text);
/* The key of an extension's field: "{namespace}local"; data == NULL: the prefix is not known. */
struct bytes event_terms_field(struct arena *arena, const struct json *context, const char *area, struct bytes name);
/* Is it a decimal number, or a time with its zone? */
bool event_terms_number(double *out, struct bytes text);
bool event_terms_time(double *out_ms, struct bytes text);

#endif
