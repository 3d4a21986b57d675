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
#define CAPTURE_NAMED_MAX 3840u      /* indexes that certainly fit, in operations of CAPTURE_NAMED_UNITS_MAX */
#define CAPTURE_COMMISSION_MAX 600u  /* units of a part: each may take a fresh slot, 22,100 of 16,777,216 gas */

struct capture {
	hash32 document;
	hash32 events_root;
	uint32_t part;
	struct bytes operations[CAPTURE_OPERATIONS_MAX];
	size_t count;
	size_t bytes; /* of the operations, as calldata */
};
/* STATUS_LIMIT: the document needs more than one transaction takes. */
MUST_USE enum status capture_add(struct capture *capture, struct bytes operation, struct err *err);

struct capture_result {
	struct client_receipt receipt;
	hash32 id;
	enum medicines_code code; /* OK, or what a dispense answered */
	bool repeated;            /* captured before: nothing changed */
	struct medicines_alert *alerts;
	size_t alert_count;
};
MUST_USE enum status capture_send(
    struct actor_request *request, struct capture_result *out, const struct capture *capture, struct err *err);

#endif
