/*
 * What a repository refuses beside what epcis_parse does: fields that an event of its type does not have, words that
 * are not CBV's, prefixes that nothing defines. The JSON Schema lets some of these through.
 *
 * Threads: pure. Source: EPCIS 2.0 §7.4, §9; CBV 2.0 §7.
 */
#ifndef HEALTH_EPCIS_EVENT_CHECK_H
#define HEALTH_EPCIS_EVENT_CHECK_H

#include "health/epcis/epcis.h"

/* STATUS_INVALID names the event (from 1, *at from 0) and what is wrong with it. */
MUST_USE enum status event_check_document(
    size_t *at, struct arena *arena, const struct epcis_document *document, struct err *err);

#endif
