/*
 * Inside pool/: envelopes that will be offered in a moment, so that the senders of those that stand before the pool
 * together are recovered together (crypto/secp256k1_many.h; docs/decisions/0017-what-a-transaction-costs.md).
 *
 * An envelope is put here when its request is at hand, and taken when its turn comes. The first to be taken has all
 * that are here read. What is here is a hint and no more: a caller that finds nothing recovers alone, by
 * transaction_sender, the plain twin, and so does one that finds no good signature, to learn why. An envelope that
 * nobody takes (its client went away) gives its place up once it was read and the place is needed.
 *
 * Threads: any. One lock, which is held while senders are recovered, so that what others put meanwhile waits for the
 * next time: FORESEEN_MAX recoveries at most, a quarter of a millisecond, or 1.5 if all signatures are bad.
 */
#ifndef LEDGER_POOL_FORESEEN_H
#define LEDGER_POOL_FORESEEN_H

#include <pthread.h>

#include "eth/types.h"

enum { FORESEEN_MAX = 32, FORESEEN_BYTES = 1024 };

struct foreseen {
	pthread_mutex_t lock;
	struct foreseen_envelope {
		uint8_t bytes[FORESEEN_BYTES];
		size_t len; /* 0: this place is free */
		bool is_read;
		bool is_good; /* once read: `sender` signed it */
		addr20 sender;
	} places[FORESEEN_MAX];
};

void foreseen_init(struct foreseen *foreseen);
void foreseen_fini(struct foreseen *foreseen);
/* Copies the envelope. False if it is empty or over FORESEEN_BYTES, or no place is free. */
bool foreseen_put(struct foreseen *foreseen, struct bytes envelope);
/* Takes an envelope that was put and gives its signer. False if it was not put, or has no valid signature. */
bool foreseen_take(struct foreseen *foreseen, addr20 *sender, struct bytes envelope);

#endif
