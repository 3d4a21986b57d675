/*
 * The CBV event hash: one name for one event, however its document is written ("ni:///sha-256;…?ver=CBV2.0"). It is
 * over the event's *pre-hash*: its fields in one order, lists sorted, EPCs as canonical Digital Links, times in UTC,
 * vocabulary as web URIs, extensions by their namespaces. recordTime, eventID, errorDeclaration and rdfs:comment are no
 * part of it.
 *
 * Not followed: contexts that a document names by their address alone, other than EPCIS's own.
 *
 * Ownership: strings are in the arena. Threads: pure. Source: CBV 2.0 §8.9.
 */
#ifndef HEALTH_EPCIS_EVENT_HASH_H
#define HEALTH_EPCIS_EVENT_HASH_H

#include "codec/json.h"

#define EVENT_HASH_TEXT_SIZE 97u /* "ni:///sha-256;" || 64 digits || "?ver=CBV2.0", NUL-terminated */

/* What the names of a document's extensions mean, and which of them are no part of a hash. Views of the document; what
 * is made of it is in the same arena. In XML a value such as "example:Part" stays as it is, and in JSON-LD it is read
 * with the context: so does the reference generator. */
struct event_hash_names;
struct event_hash_names *event_hash_names_of(struct arena *arena, const struct json *document, bool is_xml);
/* `event` has been judged by epcis_parse. */
struct bytes event_hash_prehash(const struct event_hash_names *names, const struct json *event);
void event_hash(char out[EVENT_HASH_TEXT_SIZE], struct bytes prehash);

#endif
