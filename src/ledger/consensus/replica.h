/*
 * Following another node's chain, an engine (engine.h): somebody else orders transactions, this node executes what was
 * ordered, and hands on what its own pool takes in. So a full node, with its blobs and its answers, stands beside any
 * Ethereum node: a read-only copy of a chain of our own, or the health half's way onto somebody else's chain.
 *
 * REPLICA_BLOCKS: the other node's blocks are checked to the letter and have the same hashes here. If the genesis names
 * a sealer, a block counts only with that sealer's seal. REPLICA_ORDER: for a node whose headers do not keep the rules
 * (anvil): its transactions alone are taken, in their order and with their time, and executed by the rules of our own
 * genesis; block numbers are the same, hashes and the state are ours. A transaction that is not valid here is left out.
 *
 * Where the genesis names no sealer, the node's own signature is kept as the seal of each block that it executed.
 *
 * It never takes a block back: of two blocks of one height it keeps the one that it saw first. The heads that it signs
 * are those of a witness (eth/seal.h): it signs nothing while the other node has not answered for REPLICA_SILENT_MS, or
 * shows a block that is not valid or belongs to another branch.
 *
 * Threads: as engine.h says; the link's functions are called from engine_run's thread alone. replica_state from any.
 */
#ifndef LEDGER_CONSENSUS_REPLICA_H
#define LEDGER_CONSENSUS_REPLICA_H

#include "base/world.h"
#include "ledger/consensus/engine.h"
#include "ledger/pool/pool.h"

#define REPLICA_SILENT_MS 10000u

enum replica_mode { REPLICA_BLOCKS, REPLICA_ORDER };

/* What the other node says of a height. */
struct replica_block {
	struct bytes rlp;              /* REPLICA_BLOCKS */
	const struct bytes *envelopes; /* REPLICA_ORDER: of its transactions */
	size_t envelope_count;
	uint64_t timestamp;
};
/* What the engine asks of the other node. Answers live in the arena. STATUS_NOTFOUND: it has no such block. */
struct replica_link {
	MUST_USE enum status (*newest)(void *context, uint64_t *number, struct err *err);
	MUST_USE enum status (*hash)(void *context, hash32 *out, uint64_t number, struct err *err);
	MUST_USE enum status (*block)(
	    void *context, struct replica_block *out, struct arena *arena, uint64_t number, struct err *err);
	MUST_USE enum status (*seal)(void *context, struct eth_signature *out, const hash32 *hash, struct err *err);
	/* STATUS_DENIED: it refuses the transaction, and the message says why. */
	MUST_USE enum status (*send)(void *context, struct bytes envelope, struct err *err);
	void *context;
};

struct replica_options {
	enum replica_mode mode;
	hash32 secret;    /* signs heads and blocks; copied, wiped by engine_free */
	uint32_t poll_ms; /* between two looks at the other node, if nothing is on its way */
	const struct clock_source *clock;
	struct replica_link link;
};
MUST_USE enum status replica_new(struct engine **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct replica_options *options, struct err *err);

struct replica_state {
	bool is_following; /* all that the other node shows is here, or will be */
	uint64_t silent_ms;
	uint64_t newest; /* block of the other node */
	char why[256];   /* if it does not follow */
};
struct replica_state replica_state(struct engine *engine);

#endif
