#include "fuzz/differ/program.h"

#include "fuzz/differ/writer.h"

enum { NESTING_MAX = 3, STACK_KEPT = 40 };

#define PICK_OF(writer, table) (table)[pick(writer, sizeof(table) / sizeof *(table))]

/* --- operands --- */

void put_operand(struct writer *writer) {
	static const uint8_t views[] = {OP_ADDRESS, OP_ORIGIN, OP_CALLER, OP_CALLVALUE, OP_CALLDATASIZE, OP_CODESIZE,
	    OP_GASPRICE, OP_RETURNDATASIZE, OP_COINBASE, OP_TIMESTAMP, OP_NUMBER, OP_PREVRANDAO, OP_GASLIMIT,
	    OP_CHAINID, OP_SELFBALANCE, OP_BASEFEE, OP_BLOBBASEFEE, OP_PC, OP_MSIZE, OP_GAS};
	static const uint8_t loads[] = {OP_CALLDATALOAD, OP_MLOAD, OP_SLOAD, OP_TLOAD, OP_BLOBHASH};
	const uint64_t kind = pick(writer, 100);
	const unsigned view = PICK_OF(writer, views), load = PICK_OF(writer, loads);
	if (kind < 25 && writer->height > 0) {
		put_op(writer, OP_DUP1 + (unsigned)pick(writer, writer->height < 16 ? writer->height : 16));
	} else if (kind < 33 && has_op(writer, view)) {
		put_op(writer, view);
	} else if (kind < 40 && has_op(writer, load)) {
		put_number(writer, pick(writer, load == OP_MLOAD || load == OP_CALLDATALOAD ? 70 : 4));
		put_op(writer, load);
	} else {
		const u256 word = random_word(writer->random);
		put_push(writer, &word);
	}
}

void put_memory_offset(struct writer *writer) {
	const uint64_t kind = pick(writer, 1000);
	if (kind < 700) {
		put_number(writer, 32 * pick(writer, 6));
	} else if (kind < 970) {
		put_number(writer, pick(writer, 300));
	} else if (kind < 996) {
		put_number(writer, pick(writer, 20000));
	} else {
		put_operand(writer);
	}
}

void put_memory_size(struct writer *writer) {
	const uint64_t kind = pick(writer, 1000);
	if (kind < 450) {
		put_number(writer, 32 * pick(writer, 4));
	} else if (kind < 960) {
		put_number(writer, pick(writer, 100));
	} else if (kind < 996) {
		put_number(writer, pick(writer, 5000));
	} else {
		put_operand(writer);
	}
}

static void put_slot(struct writer *writer) {
	if (chance(writer, 930))
		put_number(writer, pick(writer, 5));
	else
		put_operand(writer);
}

void put_sink(struct writer *writer) {
	const uint64_t kind = pick(writer, 100);
	if (kind < 25 || (kind >= 75 && writer->height >= STACK_KEPT)) {
		put_op(writer, OP_POP);
	} else if (kind < 45) {
		put_slot(writer);
		put_op(writer, OP_SSTORE);
	} else if (kind < 75) {
		put_memory_offset(writer);
		put_op(writer, OP_MSTORE);
	}
}

/* --- statements --- */

static void put_statements(struct writer *writer, size_t count);

static void put_arithmetic(struct writer *writer) {
	unsigned opcode = 0;
	while (!has_op(writer, opcode) || opcode == OP_STOP) {
		const unsigned any = (unsigned)pick(writer, OP_CLZ + 1);
		opcode = chance(writer, 40) ? OP_CLZ : any;
	}
	for (int i = 0; i < opcode_table[opcode].pops; i++) put_operand(writer);
	put_op(writer, opcode);
	put_sink(writer);
}

static void put_memory(struct writer *writer) {
	static const uint8_t ops[] = {OP_MLOAD, OP_MSTORE, OP_MSTORE, OP_MSTORE8};
	const unsigned opcode = PICK_OF(writer, ops);
	if (opcode != OP_MLOAD) put_operand(writer);
	put_memory_offset(writer);
	put_op(writer, opcode);
	if (opcode == OP_MLOAD) put_sink(writer);
}

static void put_storage(struct writer *writer) {
	const bool is_transient = has_op(writer, OP_TLOAD) && chance(writer, 250);
	if (chance(writer, 350)) {
		put_slot(writer);
		put_op(writer, is_transient ? OP_TLOAD : OP_SLOAD);
		put_sink(writer);
		return;
	}
	if (chance(writer, 750))
		put_number(writer, pick(writer, 3));
	else
		put_operand(writer);
	put_slot(writer);
	put_op(writer, is_transient ? OP_TSTORE : OP_SSTORE);
}

static void put_copy(struct writer *writer) {
	static const uint8_t ops[] = {OP_CALLDATACOPY, OP_CODECOPY, OP_EXTCODECOPY, OP_RETURNDATACOPY, OP_MCOPY};
	unsigned opcode = OP_CODECOPY;
	do opcode = PICK_OF(writer, ops);
	while (!has_op(writer, opcode));
	if (opcode == OP_RETURNDATACOPY) {
		put_return_data_use(writer);
		return;
	}
	put_memory_size(writer);
	put_memory_offset(writer);
	put_memory_offset(writer);
	if (opcode == OP_EXTCODECOPY) put_any_address(writer);
	put_op(writer, opcode);
}

static void put_digest(struct writer *writer) {
	put_memory_size(writer);
	put_memory_offset(writer);
	put_op(writer, OP_KECCAK256);
	put_sink(writer);
}

static void put_log(struct writer *writer) {
	const unsigned topics = (unsigned)pick(writer, 5);
	for (unsigned i = 0; i < topics; i++) put_operand(writer);
	put_memory_size(writer);
	put_memory_offset(writer);
	put_op(writer, OP_LOG0 + topics);
}

static void put_account_view(struct writer *writer) {
	static const uint8_t ops[] = {OP_BALANCE, OP_EXTCODESIZE, OP_EXTCODEHASH};
	const unsigned opcode = PICK_OF(writer, ops);
	put_any_address(writer);
	put_op(writer, has_op(writer, opcode) ? opcode : OP_BALANCE);
	put_sink(writer);
}

static void put_block_view(struct writer *writer) {
	put_number(writer, pick(writer, 300));
	put_op(writer, OP_NUMBER);
	put_op(writer, chance(writer, 900) ? OP_SUB : OP_ADD);
	put_op(writer, OP_BLOCKHASH);
	put_sink(writer);
}

static void put_stack(struct writer *writer) {
	const int free = writer->height - writer->base;
	if (free >= 2 && chance(writer, 500)) {
		put_op(writer, OP_SWAP1 + (unsigned)pick(writer, free - 1 < 16 ? free - 1 : 16));
	} else if (free >= 1 && chance(writer, 300)) {
		put_sink(writer);
	} else if (writer->height >= 1) {
		put_op(writer, OP_DUP1 + (unsigned)pick(writer, writer->height < 16 ? writer->height : 16));
	} else {
		put_operand(writer);
	}
}

/* Words enough for the deepest DUP and SWAP. */
static void put_deep_stack(struct writer *writer) {
	const int height = writer->height;
	for (uint64_t i = 0; i < 17; i++) put_number(writer, i + 1);
	for (uint64_t i = 1 + pick(writer, 6); i > 0; i--)
		put_op(writer, (chance(writer, 500) ? OP_DUP1 : OP_SWAP1) + (unsigned)pick(writer, 16));
	for (int i = 0; i < 3; i++) put_sink(writer);
	put_pops(writer, height + (int)pick(writer, 3));
}

/* A block of statements that leaves the stack as it was. */
static void put_inner(struct writer *writer) {
	const int base = writer->base;
	writer->base = writer->height;
	writer->nesting++;
	put_statements(writer, 1 + pick(writer, 3));
	put_pops(writer, writer->base);
	writer->nesting--;
	writer->base = base;
}

static void put_if(struct writer *writer) {
	if (writer->nesting >= NESTING_MAX) return;
	put_operand(writer);
	const size_t skip = put_forward(writer);
	put_op(writer, OP_JUMPI);
	put_inner(writer);
	put_target(writer, skip);
}

static void put_loop(struct writer *writer) {
	if (writer->nesting >= NESTING_MAX - 1) return;
	put_number(writer, 1 + pick(writer, chance(writer, 20) ? 200 : 5));
	const size_t start = writer->code.len;
	put_op(writer, OP_JUMPDEST);
	put_inner(writer);
	put_number(writer, 1);
	put_op(writer, OP_SWAP1);
	put_op(writer, OP_SUB);
	put_op(writer, OP_DUP1);
	put_number(writer, start);
	put_op(writer, OP_JUMPI);
	put_op(writer, OP_POP);
}

static void put_jump(struct writer *writer) {
	if (chance(writer, 100)) { /* anywhere */
		put_number(writer, pick(writer, writer->code.len + 100));
		put_op(writer, OP_JUMP);
		return;
	}
	const size_t over = put_forward(writer);
	put_op(writer, OP_JUMP);
	for (uint64_t i = pick(writer, 4); i > 0; i--) buf_byte(&writer->code, (uint8_t)(pick(writer, 0x60)));
	put_target(writer, over);
}

static void put_end(struct writer *writer) {
	static const uint16_t weights[] = {60, 12, 10, 3, 8, 2};
	switch (random_weighted(writer->random, weights, sizeof weights / sizeof *weights)) {
	case 0:
	case 2: {
		const bool reverts = has_op(writer, OP_REVERT) && chance(writer, 150);
		put_memory_size(writer);
		put_memory_offset(writer);
		put_op(writer, reverts ? OP_REVERT : OP_RETURN);
		return;
	}
	case 1: put_op(writer, OP_STOP); return;
	case 3: put_op(writer, OP_INVALID); return;
	case 4:
		put_any_address(writer);
		put_op(writer, OP_SELFDESTRUCT);
		return;
	case 5: return; /* runs into its data */
	}
}

/* Seldom something that no compiler would write. */
static void put_oddity(struct writer *writer) {
	const uint64_t kind = pick(writer, 10);
	if (kind < 2) { /* deep into the stack, up to its end */
		const uint64_t words = kind == 0 ? pick(writer, 40) : 1000 + pick(writer, 30);
		for (uint64_t i = 0; i < words; i++) put_op(writer, OP_CALLER);
		if (chance(writer, 500)) put_op(writer, OP_SWAP16);
		put_pops(writer, writer->height - (int)words);
	} else if (kind < 4) {
		buf_byte(&writer->code, (uint8_t)random_next(writer->random));
	} else if (kind < 6) {
		put_end(writer);
	} else if (kind < 7) {
		put_op(writer, OP_DUP16);
	} else {
		put_jump(writer);
	}
}

static void put_statement(struct writer *writer) {
	static void (*const statements[])(struct writer *) = {put_arithmetic, put_memory, put_storage, put_copy,
	    put_digest, put_log, put_account_view, put_block_view, put_stack, put_deep_stack, put_if, put_loop,
	    put_jump, put_message_call, put_precompile_call, put_creation, put_oddity};
	static const uint16_t weights[] = {200, 70, 130, 60, 30, 40, 60, 12, 80, 14, 50, 25, 12, 110, 24, 30, 10};
	const size_t i = random_weighted(writer->random, weights, sizeof weights / sizeof *weights);
	statements[i](writer);
}

static void put_statements(struct writer *writer, size_t count) {
	for (size_t i = 0; i < count && writer->code.len < 6000; i++) put_statement(writer);
}

/* --- programs --- */

static void put_structured(struct buf *out, struct random *random, const struct program_world *world, int depth) {
	struct writer writer;
	static const uint64_t most[] = {24, 8, 4};
	writer_init(&writer, random, world, depth);
	put_statements(&writer, 1 + random_below(random, most[depth < 2 ? depth : 2]));
	for (int i = 0; i < 3 && writer.height > 0; i++) { /* so that it can be seen */
		put_number(&writer, 32 * (uint64_t)i);
		put_op(&writer, OP_MSTORE);
	}
	put_end(&writer);
	writer_finish(&writer, out);
}

static void mutate(struct random *random, uint8_t *code, size_t len) {
	for (uint64_t i = 1 + random_below(random, 4); i > 0 && len > 0; i--) {
		const size_t at = random_below(random, len);
		code[at] = random_chance(random, 500) ? (uint8_t)random_next(random) : code[random_below(random, len)];
	}
}

static void put_program(struct buf *out, struct random *random, const struct program_world *world, int depth) {
	const size_t start = out->len;
	if (random_chance(random, 20)) {
		const size_t len = random_below(random, 200);
		random_fill(random, buf_extend(out, len), len);
		return;
	}
	put_structured(out, random, world, depth);
	if (random_chance(random, 60)) mutate(random, out->data + start, out->len - start);
}

void program_put(struct buf *out, struct random *random, const struct program_world *world) {
	put_program(out, random, world, 0);
}

/* Leaves a program, the end of its own code, or a size of zeros near a limit. */
static void put_deployment(struct writer *writer) {
	static const uint16_t sizes[] = {0, 1, 23, 24576, 24577};
	struct buf code;
	buf_init(&code, BUF_MAX_DEFAULT);
	if (chance(writer, 40)) buf_byte(&code, 0xef);
	put_program(&code, writer->random, writer->world, writer->depth + 1);
	if (chance(writer, 900)) {
		put_number(writer, code.len);
		put_op(writer, OP_DUP1);
		put_data_offset(writer, buf_view(&code));
		put_number(writer, 0);
		put_op(writer, OP_CODECOPY);
	} else {
		put_number(writer, PICK_OF(writer, sizes));
	}
	put_number(writer, 0);
	put_op(writer, OP_RETURN);
	buf_fini(&code);
}

static void put_init(struct buf *out, struct random *random, const struct program_world *world, int depth) {
	struct writer writer;
	if (random_chance(random, 150)) { /* any program; what it returns is the contract */
		put_program(out, random, world, depth);
		return;
	}
	if (random_chance(random, 10)) { /* around EIP-3860's limit */
		const size_t len = 49152 - 2 + random_below(random, 4);
		memset(buf_extend(out, len), OP_STOP, len);
		return;
	}
	writer_init(&writer, random, world, depth);
	put_statements(&writer, random_below(random, depth < 2 ? 5 : 2));
	put_deployment(&writer);
	writer_finish(&writer, out);
}

void program_put_init(struct buf *out, struct random *random, const struct program_world *world) {
	put_init(out, random, world, 1);
}

/* --- down to the last level --- */

static void put_self_call(struct writer *writer, unsigned opcode) {
	const int words = opcode == OP_CALL || opcode == OP_CALLCODE ? 5 : 4;
	for (int i = 0; i < words; i++) put_number(writer, 0);
	put_op(writer, OP_ADDRESS);
	put_op(writer, OP_GAS);
	if (writer->world->fork < FORK_TANGERINE) { /* all but what the call itself costs */
		put_number(writer, 2000);
		put_op(writer, OP_SWAP1);
		put_op(writer, OP_SUB);
	}
	put_op(writer, opcode);
}

void program_put_recursion(struct buf *out, struct random *random, enum fork fork) {
	static const uint8_t calls[] = {OP_CALL, OP_CALLCODE, OP_DELEGATECALL, OP_STATICCALL, OP_CREATE, OP_CREATE2};
	const struct program_world world = {.fork = fork};
	struct writer writer;
	writer_init(&writer, random, &world, 0);
	unsigned opcode = OP_CALL;
	do opcode = PICK_OF(&writer, calls);
	while (!has_op(&writer, opcode));
	if (opcode == OP_CREATE || opcode == OP_CREATE2) { /* of this very code */
		put_op(&writer, OP_CODESIZE);
		for (int i = 0; i < 2; i++) put_number(&writer, 0);
		put_op(&writer, OP_CODECOPY);
		if (opcode == OP_CREATE2) put_op(&writer, OP_GAS);
		put_op(&writer, OP_CODESIZE);
		for (int i = 0; i < 2; i++) put_number(&writer, 0);
		put_op(&writer, opcode);
	} else {
		put_self_call(&writer, opcode);
	}
	put_op(&writer, OP_GAS); /* what came back, of the whole way */
	put_number(&writer, 0);
	put_op(&writer, random_chance(random, 300) && opcode != OP_STATICCALL ? OP_SSTORE : OP_MSTORE);
	put_number(&writer, 32);
	put_number(&writer, 0);
	put_op(&writer, opcode == OP_CREATE || opcode == OP_CREATE2 ? OP_STOP : OP_RETURN);
	writer_finish(&writer, out);
}
