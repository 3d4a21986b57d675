/*
 * A type-3 transaction's sidecar: the blobs, commitments and proofs that travel with it to a pool and never stand in a
 * block (EIP-4844 §networking; EIP-7594, version 1: cell proofs). Not to be confused with ledger/blob's sealed blobs.
 *
 * On the wire it is the wrapper's items behind the transaction: [version,] blobs, commitments, proofs. Internal to
 * pool/. Threads: pure.
 */
#ifndef LEDGER_POOL_SIDECAR_H
#define LEDGER_POOL_SIDECAR_H

#include "eth/types.h"
#include "ledger/evm/fork.h"
#include "ledger/pool/kzg.h"

struct sidecar {
	uint8_t version; /* 0: a proof a blob; 1: a proof a cell */
	size_t blob_count, commitment_count, proof_count;
	const uint8_t *blobs, *commitments, *proofs; /* each kind in one piece */
};

/* Into the arena. STATUS_INVALID: no sidecar, or one that is not canonical. */
MUST_USE enum status sidecar_decode(struct sidecar *out, struct arena *arena, struct bytes items, struct err *err);
/* All that can be said of it without proving: the version of the fork, counts, and the transaction's hashes.
 * STATUS_INVALID with geth's words. */
MUST_USE enum status sidecar_check(
    const struct sidecar *sidecar, const struct transaction *tx, enum fork fork, struct err *err);
/* STATUS_INVALID if a proof does not hold. */
MUST_USE enum status sidecar_prove(const struct sidecar *sidecar, struct kzg *kzg, struct err *err);

#endif
