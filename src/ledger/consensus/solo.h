/*
 * Solo sealing, an engine (engine.h): this node alone orders transactions, as soon as they come or by interval, signs
 * each block's hash, and commits. What waits while a block is being made durable goes into the next one, so durability
 * costs one sync a block, not one a transaction.
 */
#ifndef LEDGER_CONSENSUS_SOLO_H
#define LEDGER_CONSENSUS_SOLO_H

#include "ledger/consensus/dev.h"
#include "ledger/consensus/engine.h"
#include "ledger/pool/pool.h"

struct solo_options {
	hash32 sealer_secret;   /* copied; wiped by engine_free */
	uint32_t interval_ms;   /* 0: seal at once when there is something to seal; else a block every interval, even if
				   empty */
	bool automine;          /* false: only engine_seal seals */
	uint64_t block_gas_max; /* 0: the header's limit */
	const struct clock_source *clock;
	/* How many seconds the chain's time may run ahead of the clock where a block's timestamp is at least its
	 * parent's plus one: grants and waiting times are counted in the chain's time, and nobody may hurry it by
	 * sending transactions. At that, blocks come once a second and take all that waits. 0: no bound. A chain whose
	 * genesis allows equal timestamps never runs ahead. */
	uint32_t ahead_max_s;
	struct dev
	    *dev; /* borrowed; a development chain's orders, which begin with the pace above. NULL: no such chain */
};
/* STATUS_DENIED if the genesis names another sealer; STATUS_INVALID if the secret is not a valid key. */
MUST_USE enum status solo_new(
    struct engine **out, struct chain *chain, struct pool *pool, const struct solo_options *options, struct err *err);

#endif
