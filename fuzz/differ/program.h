/*
 * Generated programs: statements with their operands on the stack, jumps that land, memory that is small, and all of
 * that broken now and then. Whatever a program works out goes into storage, logs or its output, where a difference
 * shows.
 *
 * Threads: one owner.
 */
#ifndef DIFFER_PROGRAM_H
#define DIFFER_PROGRAM_H

#include "fuzz/differ/inputs.h"
#include "fuzz/differ/random.h"
#include "ledger/evm/fork.h"

/* Whom programs may name. */
struct program_world {
	enum fork fork;
	struct inputs *inputs;
	const addr20 *contracts, *others; /* at least one each */
	size_t contract_count, other_count;
};

/* Appends a contract's code. */
void program_put(struct buf *out, struct random *random, const struct program_world *world);
/* Appends init code, which mostly leaves a contract. */
void program_put_init(struct buf *out, struct random *random, const struct program_world *world);
/* Appends a contract that calls, or makes, itself until that ends; it spends little on each level. */
void program_put_recursion(struct buf *out, struct random *random, enum fork fork);

#endif
