/*
 * Asking contracts: local calls on the state of the head, with nobody's signature, no fee and no trace. For what a node
 * decides by a contract's word (who may read a blob, whose transactions are taken in).
 *
 * Threads: one owner a `struct chain_asker`.
 */
#ifndef LEDGER_CHAIN_ASK_H
#define LEDGER_CHAIN_ASK_H

#include "ledger/chain/chain.h"

struct chain_asker;

/* Borrows the chain. */
struct chain_asker *chain_asker_new(struct chain *chain);
/* NULL is allowed. */
void chain_asker_free(struct chain_asker *asker);

struct chain_question {
	addr20 to, from;
	struct bytes input;
	u256 value_wei;
	uint64_t gas;
	uint64_t now_s; /* the block's time, if it is later than the head's: blocks come only when somebody sends */
	/* Each event of a call that succeeded, in order; valid during the call. NULL: nobody wants them. */
	void (*event)(void *context, const struct log *log);
	void *context;
};
/* `succeeded` false: it reverted or could not run. `output` (NULL: not wanted) gets what it returned if it succeeded. A
 * status other than STATUS_OK: the node itself failed. */
MUST_USE enum status chain_ask(struct chain_asker *asker, bool *succeeded, struct buf *output,
    const struct chain_question *question, struct err *err);

#endif
