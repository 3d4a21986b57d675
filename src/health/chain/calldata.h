/*
 * Statements stand in the calldata of the transactions that made them. The number of that block is a proved word; the
 * event that the statement made leads to the transaction. Any node can serve the bytes: they are believed only once
 * their signatures are checked (health/statements) and their fact is the proved one.
 *
 * Ownership: in the arena of `verified`. Threads: as the client. Source: ethereum/execution-apis,
 * eth_getTransactionByHash.
 */
#ifndef HEALTH_CHAIN_CALLDATA_H
#define HEALTH_CHAIN_CALLDATA_H

#include "health/chain/verified.h"
#include "health/contracts/contract.h"

#define CALLDATA_TRANSACTIONS_MAX 16384u /* with an event of one query */
#define CALLDATA_ANY_BLOCK 0u            /* up to the head: for what its own topics name, and no proved word leads to */

/* The logs of one event; points into `topics`, which the bindings make (C_V_event_topics). */
struct logs_query calldata_query(const addr20 *contract, const struct contract_topics *topics);

/* The calldata of one transaction. Nothing of it is proved. `block` is named in errors. */
MUST_USE enum status verified_input(
    struct verified *verified, struct bytes *out, const hash32 *tx_hash, uint64_t block, struct err *err);

/* What a proved slot says was stated, looked for among the calldata of the transactions of this block with a log that
 * passes the query: one after the other, until `read` returns STATUS_OK for the one whose fact is the proved one. */
struct calldata_wish {
	struct logs_query query;
	uint64_t block;
	bool oldest_first; /* each builds on the one before; else the newest comes first */
	const char *what;  /* "the emergency of review 7" */
	MUST_USE enum status (*read)(void *context, struct bytes input, struct err *err);
	void *context;
};
/*
 * STATUS_DENIED with CAUSE_NOT_PROVED: none is it, with the last reason why not; or the node serves no such log, or not
 * its transaction, and the block is named. STATUS_LIMIT: more than CALLDATA_TRANSACTIONS_MAX transactions have one.
 */
MUST_USE enum status verified_statement(struct verified *verified, const struct calldata_wish *wish, struct err *err);

#endif
