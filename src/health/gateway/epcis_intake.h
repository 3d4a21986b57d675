/*
 * A document on its way into the home's events: parsed and checked, its events as entries of the index, each with an id
 * (its own, or the CBV event hash). Inside health/gateway.
 *
 * Ownership: everything is in the arena. Threads: pure.
 */
#ifndef HEALTH_GATEWAY_EPCIS_INTAKE_H
#define HEALTH_GATEWAY_EPCIS_INTAKE_H

#include "health/epcis/epcis.h"
#include "health/index/events.h"

struct epcis_intake {
	struct epcis_document document;
	struct events_entry *entries; /* as many as the document's events */
};
/* STATUS_INVALID, STATUS_LIMIT: what is wrong with it; *at: the event (from 0) that is to blame, SIZE_MAX: none. */
MUST_USE enum status epcis_intake_read(
    struct epcis_intake *out, size_t *at, struct arena *arena, struct bytes text, struct err *err);
/* The same of a document that was taken already: event_check.h has no say. */
MUST_USE enum status epcis_intake_reread(
    struct epcis_intake *out, struct arena *arena, struct bytes text, struct err *err);
/* Adds who is a party of the events: the document's sender, and whom it goes to. Zero addresses are nobody. */
void epcis_intake_add_parties(
    struct epcis_intake *intake, struct arena *arena, uint64_t chain_id, const addr20 *parties, size_t count);
/* The document without some events, as JSON-LD. `leave[i]`: without event i. */
struct bytes epcis_intake_without(const struct epcis_intake *intake, struct arena *arena, const bool *leave);

#endif
