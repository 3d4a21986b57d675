/*
 * What only a development chain orders, as test tools ask for it (evm_*, anvil_*, hardhat_*): its blocks' time, what
 * the next block is like, and when blocks come. The engine that seals asks it before each block; so does whoever wants
 * to know the next block's header, under the same lock, so that both see the same.
 *
 * Threads: orders are given inside engine_work, and so between two blocks. dev_decide and dev_pace may be called from
 * any thread.
 */
#ifndef LEDGER_CONSENSUS_DEV_H
#define LEDGER_CONSENSUS_DEV_H

#include "base/world.h"
#include "ledger/chain/chain.h"

/* The latest timestamp that may be ordered, in seconds: far enough, and its milliseconds fit. */
#define DEV_TIMESTAMP_MAX ((uint64_t)1 << 53)

struct dev;

/* Each block is at least a second after its parent, as anvil's, though the genesis allows less. The clock is borrowed.
 */
struct dev *dev_new(const struct clock_source *clock);
/* Blocks whose transactions are all of these accounts may share their parent's second: what the services beside a
 * development chain send must not hurry its time. At most DEV_UNHURRIED_MAX. Before threads start. */
#define DEV_UNHURRIED_MAX 2
void dev_leave_unhurried(struct dev *dev, const addr20 *account);
/* NULL is allowed. */
void dev_free(struct dev *dev);

/* --- orders --- */

/* The blocks' time, as it stands or as `newest` has used it up, and so many seconds. */
void dev_increase_time(struct dev *dev, const struct header *newest, uint64_t seconds);
/* By how many seconds the blocks' time is ahead of the clock. Setting it forgets an ordered timestamp. */
int64_t dev_time_shift(struct dev *dev);
void dev_set_time_shift(struct dev *dev, int64_t seconds);
/* The next block has this time, and time goes on from there. At most DEV_TIMESTAMP_MAX. */
void dev_set_next_timestamp(struct dev *dev, uint64_t timestamp);
/* Each block this much after its parent, whatever the clock says; 0: by the clock again. */
void dev_set_timestamp_interval(struct dev *dev, uint64_t seconds);
/* Of the next block alone. */
void dev_set_next_base_fee(struct dev *dev, const u256 *base_fee_wei);
void dev_set_next_randao(struct dev *dev, const hash32 *randao);
/* Of the blocks from now on, at once and not by steps; 0: towards the genesis' again. */
void dev_set_gas_limit(struct dev *dev, uint64_t gas_limit);
/* The account that gets the blocks' tips from now on; at first it is the sealer. */
void dev_set_coinbase(struct dev *dev, const addr20 *coinbase);

/* When blocks come. */
struct dev_pace {
	bool automine;        /* as soon as there is something to seal */
	uint32_t interval_ms; /* else a block every interval, even an empty one; 0: none */
};
struct dev_pace dev_pace(struct dev *dev);
void dev_set_automine(struct dev *dev, bool automine);
void dev_set_interval(struct dev *dev, uint32_t interval_ms);

/* --- for the engine --- */

/* While it is held, the orders and the head belong together: held over each commit, and over reading the two. */
void dev_lock(struct dev *dev);
void dev_unlock(struct dev *dev);
/* Under the lock: completes the decision, which has its transactions already, for the block after `parent`; `orders` is
 * where it finds them, and must live as long. */
void dev_decide(
    const struct dev *dev, struct block_decision *decision, struct block_orders *orders, const struct header *parent);
/* Under the lock: a block with this timestamp is the head now, and what was ordered for it alone is done. */
void dev_sealed(struct dev *dev, uint64_t timestamp);

#endif
