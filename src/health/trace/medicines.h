/*
 * The contract of medicines (contracts/src/interfaces/IMedicines.sol): operations, lists, refusals; what it holds is in
 * medicines_state.h.
 *
 * A refusal of the contract is STATUS_DENIED whose message begins with the refusal's stable name, "NOT_CUSTODIAN: …".
 * A dispense is different: it stands in a block even where units were refused, and its result says so.
 *
 * Ownership: operations and results live in the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_MEDICINES_H
#define HEALTH_TRACE_MEDICINES_H

#include "health/actors/request.h"
#include "health/trace/medicines_state.h"

/* A sentence for people; names are medicines_code_name of the bindings. */
const char *medicines_code_text(enum medicines_code code);
/* "trade", "return", "quarantine", "destruction". */
const char *medicines_purpose_word(unsigned purpose);

/* The operation that commissions a part: units in the order of their tags, of which it takes the fragments.
 * `depths`: for each, where the product's table is to be looked at first; 0: not known. Calldata in the arena, as that
 * of all other operations, which the bindings make: medicines_ship_call and so on. */
struct bytes medicines_commission_tags(struct arena *arena, const hash32 *batch, const hash32 *root, const hash32 *tags,
    const uint8_t *depths, size_t count);

/* A transaction to the contract. */
MUST_USE enum status medicines_send(
    struct actor_request *request, struct client_receipt *receipt, struct bytes data, struct err *err);
/* What the contract refused, in words, as STATUS_DENIED. */
MUST_USE enum status medicines_refusal(const struct client_verdict *verdict, struct err *err);

/* --- lists (medicines_events.c): complete, or refused --- */

struct medicines_alert {
	struct medicines_alert_event event;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
};
/* All alerts of these lots (each named once) in which `actor` is one of the two; NULL: all. A lot without any costs a
 * word; which lots an actor has to ask for, alerts.h says. */
MUST_USE enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const hash32 *lots, size_t lot_count, const addr20 *actor, struct err *err);
/* Every lot of the contract, by number. */
MUST_USE enum status medicines_lots(struct actor_request *request, hash32 **out, size_t *count, struct err *err);
/* Containers that were packed into this one and are in it now, as far as the node names them: what it leaves out, the
 * contents of medicines_container show. */
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
