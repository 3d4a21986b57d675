/*
 * Writes code: what stands on the stack is counted, jumps and data get their places when they are known. Internal to
 * the program generator.
 */
#ifndef DIFFER_WRITER_H
#define DIFFER_WRITER_H

#include "fuzz/differ/program.h"
#include "ledger/evm/opcodes.h"

enum { WRITER_DATA_MAX = 64 };

struct writer {
	struct buf code, data;
	struct random *random;
	const struct program_world *world;
	int height; /* words on the stack */
	int base;   /* what the statement at hand must leave there */
	int depth;  /* of programs in programs */
	int nesting;
	struct {
		size_t at, data;
	} places[WRITER_DATA_MAX]; /* operands of PUSH2 that name data behind the code */
	size_t place_count;
};

void writer_init(struct writer *writer, struct random *random, const struct program_world *world, int depth);
/* Appends the code and its data to `out` and ends the writer. */
void writer_finish(struct writer *writer, struct buf *out);

void put_op(struct writer *writer, unsigned opcode);
void put_push(struct writer *writer, const u256 *value); /* sometimes wider than needed */
void put_number(struct writer *writer, uint64_t value);
void put_address(struct writer *writer, const addr20 *address);
/* A jump's operand, to be given a target later. */
size_t put_forward(struct writer *writer);
void put_target(struct writer *writer, size_t forward);
/* The offset of data in the code. False where there is no room for more. */
bool put_data_offset(struct writer *writer, struct bytes data);
/* Words are popped until `height` are left. */
void put_pops(struct writer *writer, int height);

static inline bool has_op(const struct writer *writer, unsigned opcode) {
	return opcode_table[opcode].name != NULL && opcode_table[opcode].since <= writer->world->fork;
}

static inline uint64_t pick(struct writer *writer, uint64_t limit) {
	return random_below(writer->random, limit);
}

static inline bool chance(struct writer *writer, unsigned in_thousand) {
	return random_chance(writer->random, in_thousand);
}

/* program.c, for calls: one word; a place in memory; how much; statements that end where they began. */
void put_operand(struct writer *writer);
void put_memory_offset(struct writer *writer);
void put_memory_size(struct writer *writer);
/* What becomes of the word on top: stored, kept or dropped. */
void put_sink(struct writer *writer);

/* program_calls.c */
void put_any_address(struct writer *writer);
void put_message_call(struct writer *writer);
void put_precompile_call(struct writer *writer);
void put_creation(struct writer *writer);
void put_return_data_use(struct writer *writer);

#endif
