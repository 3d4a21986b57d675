/*
 * Solo sealing: this node alone orders transactions, as soon as they come or by interval, signs each block's hash, and
 * commits. What waits while a block is being made durable goes into the next one, so durability costs one sync a block,
 * not one a transaction.
 *
 * Threads: solo_run is the body of the one thread that executes and commits; the others may be called from any thread.
 */
#ifndef LEDGER_CONSENSUS_SOLO_H
#define LEDGER_CONSENSUS_SOLO_H

#include "base/world.h"
#include "ledger/pool/pool.h"

struct solo;

struct solo_options {
	hash32 sealer_secret;   /* copied; wiped by solo_free */
	uint32_t interval_ms;   /* 0: seal at once when there is something to seal; else a block every interval, even if
				   empty */
	bool automine;          /* dev mode: false waits for solo_mine */
	uint64_t block_gas_max; /* 0: the header's limit */
	const struct clock_source *clock;
	bool second_apart; /* dev mode: each block a second after its parent at least, though the genesis allows less */
	/* How many seconds the chain's time may run ahead of the clock where a block's timestamp is at least its
	 * parent's plus one: grants and waiting times are counted in the chain's time, and nobody may hurry it by
	 * sending transactions. At that, blocks come once a second and take all that waits. 0: no bound (dev mode). A
	 * chain whose genesis allows equal timestamps never runs ahead. */
	uint32_t ahead_max_s;
};
/* STATUS_DENIED where the genesis names another sealer; STATUS_INVALID for a secret that is none. */
MUST_USE enum status solo_new(
    struct solo **out, struct chain *chain, struct pool *pool, const struct solo_options *options, struct err *err);
void solo_free(struct solo *solo);
/* Returns after solo_stop, or with the failure that stopped it. */
MUST_USE enum status solo_run(struct solo *solo, struct err *err);
void solo_stop(struct solo *solo);
addr20 solo_sealer(const struct solo *solo);

/*
 * Runs `work` on the executing thread, between two blocks, and waits for it: how dev mode's helpers (mine, snapshot,
 * revert, setBalance, time) reach the chain without a lock of their own. Returns what `work` returned; STATUS_BUSY once
 * stopped.
 */
typedef enum status solo_work(void *context, struct solo *solo, struct err *err);
MUST_USE enum status solo_call(struct solo *solo, solo_work *work, void *context, struct err *err);
/* Inside solo_work only: seals one block of what is executable (possibly empty). */
MUST_USE enum status solo_seal_now(struct solo *solo, struct err *err);
/* Inside solo_work only. */
void solo_set_automine(struct solo *solo, bool automine);
bool solo_is_automine(const struct solo *solo);
void solo_set_interval(struct solo *solo, uint32_t interval_ms);
void solo_shift_time(struct solo *solo, int64_t seconds);
/* The next block has this time, and time goes on from there. */
void solo_set_next_timestamp(struct solo *solo, uint64_t timestamp);
/* Each block this much after its parent, whatever the clock says; 0: by the clock again. */
void solo_set_timestamp_interval(struct solo *solo, uint64_t seconds);
/* By how much the blocks' time is ahead of the clock. */
int64_t solo_time_shift(const struct solo *solo);
/* Of the next block alone. */
void solo_set_next_base_fee(struct solo *solo, const u256 *base_fee_wei);
void solo_set_next_randao(struct solo *solo, const hash32 *randao);
/* Of the blocks from now on, at once and not by steps; 0: towards the genesis' again. */
void solo_set_gas_limit(struct solo *solo, uint64_t gas_limit);
/* Who gets the blocks' tips from now on; at first the sealer. */
void solo_set_coinbase(struct solo *solo, const addr20 *coinbase);

#endif
