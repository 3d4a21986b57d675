/*
 * The calls that a relay carries for somebody who has no account on the chain: those that hold the signature of a
 * folder's controller, or of who acts for it, and no others. Verified from the calldata; what a person is shown is
 * written from it too.
 *
 * That the signer controls the folder, the contract checks; here it is certain that the call is somebody's own will,
 * that it cannot use a power of the account that sends it, and what it says.
 *
 * Ownership: statement.h. Threads: pure.
 */
#ifndef HEALTH_STATEMENTS_CALL_H
#define HEALTH_STATEMENTS_CALL_H

#include "health/statements/statement.h"

struct statement_call {
	addr20 by;    /* who signed it, never 0 */
	addr20 relay; /* who alone may send it beside `by`; 0: any listed actor */
	uint64_t number, deadline_s;
	hash32 blob; /* what it names at the contract as its gate; 0: nothing */
	uint32_t blob_bytes;
	const char *summary; /* for a person, in the arena: "share the folder 0x… with 0x… until …" */
};

/* STATUS_DENIED: the contract and selector are not among those that a relay carries, or the signature is not of the
 * account that the statement names. STATUS_INVALID: the calldata is malformed. */
MUST_USE enum status statement_call_read(struct statement_call *out, struct arena *arena,
    const struct deployment *anchor, const addr20 *to, struct bytes calldata, struct err *err);

#endif
