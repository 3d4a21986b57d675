/*
 * Four members of a consortium in one thread: our application (ledger/consensus/comet_app.c, the bundler, the chain and
 * the pool) of each, and a model of the CometBFT beside it. A seed decides what happens, and the clock is simulated.
 *
 * The model keeps what CometBFT's process keeps on its disk (all of it synced): the newest block that it saved, the
 * newest state, and the answer to the last FinalizeBlock; and in memory a pool of bundles with the cache of those that
 * it has seen. A height goes: block saved, FinalizeBlock, answer saved, Commit, state saved; a crash may come between
 * any two of them, and within Commit. Who comes back shakes hands as CometBFT does. A height is decided if three of
 * four are there, have executed everything before it, and accept the proposal; the fourth proposer may lie.
 *
 * Source: CometBFT v0.38 consensus/replay.go (ReplayBlocks), state/execution.go (applyBlock), mempool/clist_mempool.go.
 */
#ifndef TESTS_SIMULATION_NETWORK_H
#define TESTS_SIMULATION_NETWORK_H

#include "tests/unit.h"

#include "ledger/consensus/comet_private.h"

#include "tests/ledger_world.h"
#include "tests/simulation/disk.h"

enum {
	SIM_NODES = 4,
	SIM_QUORUM = 3,
	SIM_LIAR = 3,                             /* the member whose proposals may be anything */
	SIM_MEMBER_ACCOUNT = LEDGER_ACCOUNTS - 1, /* whose transactions change the members' powers */
	SIM_NONCES = 64,
	SIM_TRANSFER_WEI = 3,
	SIM_TXS_MAX = 256,
	SIM_HEIGHTS_MAX = 1024,
	SIM_BUNDLES_MAX = 2048,
	SIM_PATH_BYTES = 80
};

/* A transaction, signed once for all schedules. */
struct sim_tx {
	struct bytes envelope;
	hash32 hash;
	unsigned returned_by; /* nodes, as bits, that returned its hash and have not lost power since */
	unsigned shown_by;    /* nodes that showed its receipt and have not lost their disk since */
};

/* A decided height, and what the first node made of it. */
struct sim_height {
	const struct bytes *bundles;
	size_t count;
	addr20 proposer;
	uint64_t time_ms;
	bool is_known;
	hash32 outcome; /* of everything that FinalizeBlock answers */
	hash32 app_hash;
	uint32_t code;
};

enum sim_phase { SIM_IDLE, SIM_SAVED, SIM_FINALIZED, SIM_ANSWERED, SIM_COMMITTED };
struct sim_comet {
	uint64_t block, state; /* the newest that are on its disk */
	bool has_answer;       /* to FinalizeBlock of `block` */
	/* In memory. */
	bool is_running;
	enum sim_phase phase;
	size_t pool[SIM_BUNDLES_MAX], pool_count;
	bool is_cached[SIM_BUNDLES_MAX];
};

struct sim;
struct sim_node {
	struct sim *sim;
	size_t index;
	struct sim_disk *disk;
	char journal[SIM_PATH_BYTES];
	int64_t skew_ms; /* of its clock */
	struct clock_source clock;
	uint64_t committed; /* the newest block whose commit returned */
	struct sim_comet comet;
	bool is_up; /* what follows is there */
	struct store *store;
	struct chain *chain;
	struct pool *pool;
	struct comet *engine;
	struct abci_application app;
	struct bundler bundler;
};

enum sim_crash { SIM_CRASH_PROCESS, SIM_CRASH_POWER, SIM_CRASH_COMET, SIM_CRASH_DISK, SIM_CRASH_COUNT };
struct sim {
	uint64_t seed;
	struct sim_random random;
	struct arena arena;
	struct err err;
	uint64_t now_ms;
	unsigned crash_percent; /* before each call; twice as much within each commit */
	bool comet_alone;       /* nothing but CometBFT crashes */
	struct sim_node nodes[SIM_NODES];
	struct sim_height heights[SIM_HEIGHTS_MAX]; /* 1 to tip */
	uint64_t tip;
	struct sim_tx txs[SIM_TXS_MAX];
	size_t tx_count;
	uint64_t nonces[LEDGER_ACCOUNTS];
	struct bytes bundles[SIM_BUNDLES_MAX];
	size_t bundle_count;
	size_t crashes[SIM_CRASH_COUNT], within_commit;
};

/* Says which seed repeats it, and fails the test. */
_Noreturn void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define SIM_CHECK(sim, condition, ...) ((condition) ? (void)0 : sim_fail(sim, __VA_ARGS__))

/* node.c */
/* Who gets all transfers. */
extern const addr20 sim_receiver;
addr20 sim_account(size_t account);
const struct sim_tx *sim_signed(size_t account, uint64_t nonce);
struct abci_validator sim_validator(size_t member); /* as the genesis has it */
addr20 sim_address(size_t member);                  /* of its validator */
void sim_node_make(struct sim *sim, size_t index);
void sim_node_free(struct sim_node *node);
/* Opens what is on its disk, and checks that nothing is lost that must not be. */
void sim_node_open(struct sim_node *node);
void sim_node_crash(struct sim_node *node, enum sim_crash kind);
bool sim_has_receipt(struct sim_node *node, const hash32 *hash);

/* comet_model.c */
/* Chance may crash the node here; true: it did. */
bool sim_crashes_here(struct sim_node *node);
/* CometBFT starts and shakes hands with the node. It may crash on the way. */
void sim_comet_start(struct sim_node *node);
/* The next call of the next height, if there is one. It may crash. */
void sim_comet_step(struct sim_node *node);
void sim_comet_forget(struct sim_node *node); /* what is in its memory */
MUST_USE enum status sim_comet_send(void *context, const struct bytes *bundles, size_t count, struct err *err);
bool sim_takes_bundles(const struct sim_node *node);
void sim_gossip(struct sim_node *from, struct sim_node *to, size_t most);
/* `any_time`: also if there is nothing to decide. */
void sim_propose(struct sim *sim, size_t proposer, bool any_time);
bool sim_is_online(const struct sim_node *node);

#endif
