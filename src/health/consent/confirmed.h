/*
 * Which nodes say on the chain that they deleted a record (contracts/src/interfaces/IBlobGate.sol, ErasureConfirmed):
 * their own word, but nobody else can give it for them. A confirmation counts if the receipts of its block, proved
 * under a believed head (health/chain/settled.h), hold it, and the proved directory lists whoever gave it as a node. A
 * node can hide a confirmation, and invents none.
 *
 * Ownership: all in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_CONFIRMED_H
#define HEALTH_CONSENT_CONFIRMED_H

#include "health/actors/request.h"

struct confirmed {
	const addr20 *nodes; /* each once */
	size_t count;
	size_t unproved; /* confirmations that the node shows, and that do not count */
};
/* By nodes that confirmed the record's container and each of these wraps. STATUS_DENIED: the node does not prove who
 * they are; STATUS_IO, _TIMEOUT: it does not answer. */
MUST_USE enum status confirmed_find(struct actor_request *request, struct confirmed *out, const hash32 *record,
    const hash32 *wraps, size_t wrap_count, struct err *err);

#endif
