/*
 * The contract of medicines (contracts/src/interfaces/IMedicines.sol): operations, views, events, refusals.
 *
 * A refusal of the contract is STATUS_DENIED whose message begins with the refusal's stable name, "NOT_CUSTODIAN: …".
 * A dispense is different: it stands in a block even where units were refused, and its result says so.
 *
 * Ownership: operations and results live in the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_MEDICINES_H
#define HEALTH_TRACE_MEDICINES_H

#include "health/actors/request.h"
#include "health/contracts/medicines.h"

/* A sentence for people; names are medicines_code_name of the bindings. */
const char *medicines_code_text(enum medicines_code code);
/* "trade", "return", "quarantine", "destruction". */
const char *medicines_purpose_word(unsigned purpose);

/* The operation that commissions units, in the order of their tags, of which it takes the first 8 bytes. Calldata in
 * the arena, as that of all other operations, which the bindings make: medicines_ship_call and so on. */
struct bytes medicines_commission_tags(struct arena *arena, const hash32 *batch, const hash32 *tags, size_t count);

/* A transaction to the contract. */
MUST_USE enum status medicines_send(
    struct actor_request *request, struct client_receipt *receipt, struct bytes data, struct err *err);
/* What the contract refused, in words, as STATUS_DENIED. */
MUST_USE enum status medicines_refusal(const struct client_verdict *verdict, struct err *err);

/* --- views (medicines_views.c) --- */

/* A batch without a count was never opened. */
MUST_USE enum status medicines_batch(
    struct actor_request *request, struct medicines_batch_view *out, const hash32 *batch, struct err *err);
/* `*found` false: it was never opened. */
MUST_USE enum status medicines_container(struct actor_request *request, struct medicines_container_view *out,
    bool *found, const hash32 *container, struct err *err);
MUST_USE enum status medicines_unit(
    struct actor_request *request, struct medicines_unit_view *out, const struct medicines_unit *unit, struct err *err);
MUST_USE enum status medicines_holder(
    struct actor_request *request, struct medicines_holding *out, const struct medicines_unit *unit, struct err *err);
/* Was this serial of the product ever commissioned? Its tag shows it. */
MUST_USE enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err);
/* All present holders of a batch. */
MUST_USE enum status medicines_holders(struct actor_request *request, const struct medicines_holding **rows,
    size_t *count, const hash32 *batch, struct err *err);
/* When was this document captured by this sender? 0: never. */
MUST_USE enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err);

/* --- events (medicines_events.c) --- */

struct medicines_alert {
	struct medicines_alert_event event;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
};
/* Alerts on the chain in which `actor` is one of the two; NULL: all. */
MUST_USE enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const addr20 *actor, struct err *err);
/* Containers that were packed into this one and are in it now. */
MUST_USE enum status medicines_children(
    struct actor_request *request, hash32 **out, size_t *count, const hash32 *container, struct err *err);
/* Actors who said that they know of the batch's recall. */
struct medicines_acknowledgement {
	addr20 by;
	uint64_t block_number;
};
MUST_USE enum status medicines_acknowledgements(struct actor_request *request, struct medicines_acknowledgement **out,
    size_t *count, const hash32 *batch, struct err *err);

#endif
