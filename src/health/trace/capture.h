/*
 * Captures: the operations that an EPCIS document stands for, sent to the contract of medicines together
 * (contracts/src/interfaces/IMedicines.sol). A refusal is as in medicines.h.
 *
 * Ownership: operations and results live in the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_CAPTURE_H
#define HEALTH_TRACE_CAPTURE_H

#include "health/trace/medicines.h"

#define CAPTURE_OPERATIONS_MAX 64u
#define CAPTURE_NAMED_UNITS_MAX 256u /* indexes named in one operation */
#define CAPTURE_BYTES_MAX 130000u    /* of all operations: a transaction has at most OUTBOX_TX_BYTES_MAX */

struct capture {
	hash32 document;
	hash32 events_root;
	uint32_t part;
	bool is_whole; /* all that the document does */
	struct bytes operations[CAPTURE_OPERATIONS_MAX];
	size_t count;
	size_t bytes; /* of the operations, as calldata */
};
/* False, and nothing is added: a transaction takes no more. */
bool capture_add(struct capture *capture, struct bytes operation);
/* What the chain calls it. */
hash32 capture_id(const addr20 *sender, const struct capture *capture);
/* The transaction's calldata. */
struct bytes capture_call(struct actor_request *request, const struct capture *capture);

struct capture_result {
	struct client_receipt receipt;
	hash32 id;
	enum medicines_code code; /* OK, or what a dispense answered */
	bool repeated;            /* captured before: nothing changed */
	struct medicines_alert *alerts;
	size_t alert_count;
	struct medicines_commissioned_event *commissioned; /* in the order of the operations */
	size_t commissioned_count;
};
/* One with the gas limit that serves it; 0: it is estimated. */
struct capture_entry {
	struct capture capture;
	uint64_t gas_limit;
};
/* Several, on their way together. `*ended`: how many results there are, in order; the status is that of the first
 * capture without one. */
MUST_USE enum status capture_send(struct actor_request *request, struct capture_result *out, size_t *ended,
    const struct capture_entry *const *entries, size_t count, struct err *err);

#endif
