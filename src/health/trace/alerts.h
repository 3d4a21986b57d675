/*
 * The alerts that concern a home, and which lots are asked for them.
 *
 * An alert names who was refused and who holds or dispensed the pack. Both had a document that names its lot, so that
 * lots of this home's documents are looked at, however many others the chain has. A home that lost its documents, or
 * that a regulator gave packs without one, is helped by the node: lots of which it shows such an alert are looked at
 * too. What is listed is proved, and complete for each lot that is looked at.
 *
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_ALERTS_H
#define HEALTH_TRACE_ALERTS_H

#include "health/trace/stock.h"

/* Of this home's account, oldest first. */
MUST_USE enum status alerts_own(struct actor_request *request, struct medicines_alert **out, size_t *count,
    const struct stock *stock, struct err *err);
/* Everybody's, of all lots: what a regulator asks for. */
MUST_USE enum status alerts_all(
    struct actor_request *request, struct medicines_alert **out, size_t *count, struct err *err);

#endif
