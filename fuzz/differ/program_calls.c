/* Statements that speak with other accounts. */
#include "fuzz/differ/writer.h"

enum { DEPTH_MAX = 2 };

static addr20 precompile_address(struct writer *writer) {
	const unsigned address = inputs_pick(writer->random);
	return (addr20){{[18] = (uint8_t)(address >> 8), [19] = (uint8_t)address}};
}

void put_any_address(struct writer *writer) {
	const struct program_world *world = writer->world;
	const uint64_t kind = pick(writer, 100);
	if (kind < 45) {
		put_address(writer, &world->contracts[pick(writer, world->contract_count)]);
	} else if (kind < 75) {
		put_address(writer, &world->others[pick(writer, world->other_count)]);
	} else if (kind < 82) {
		const addr20 address = precompile_address(writer);
		put_address(writer, &address);
	} else if (kind < 88) {
		put_op(writer, OP_ADDRESS);
	} else if (kind < 91) {
		put_op(writer, OP_COINBASE);
	} else if (kind < 93) {
		put_op(writer, OP_CALLER);
	} else {
		put_operand(writer); /* an address that was made, with luck */
	}
}

static void put_gas(struct writer *writer) {
	const uint64_t kind = pick(writer, 100);
	if (kind < 35 && writer->world->fork >= FORK_TANGERINE) {
		put_op(writer, OP_GAS);
	} else if (kind < 40) {
		put_number(writer, 2300 + pick(writer, 16)); /* around the stipend, for EIP-2200's sentry */
	} else if (kind < 50) {
		put_number(writer, pick(writer, 4000));
	} else if (kind < 96) {
		put_number(writer, pick(writer, 80000));
	} else {
		put_operand(writer);
	}
}

static void put_value(struct writer *writer) {
	const uint64_t kind = pick(writer, 100);
	if (kind < 60)
		put_number(writer, 0);
	else if (kind < 95)
		put_number(writer, pick(writer, 500));
	else
		put_operand(writer);
}

static unsigned pick_call(struct writer *writer) {
	static const uint8_t calls[] = {OP_CALL, OP_CALL, OP_CALL, OP_CALLCODE, OP_DELEGATECALL, OP_STATICCALL};
	const unsigned opcode = calls[pick(writer, sizeof calls)];
	return has_op(writer, opcode) ? opcode : OP_CALL;
}

/* Exactly all of it, a part, or too much. */
void put_return_data_use(struct writer *writer) {
	if (!has_op(writer, OP_RETURNDATACOPY)) return;
	const uint64_t kind = pick(writer, 100);
	if (kind < 90) {
		put_op(writer, OP_RETURNDATASIZE);
		put_number(writer, 0);
	} else if (kind < 97) {
		put_number(writer, pick(writer, 2));
		put_number(writer, pick(writer, 2));
	} else {
		put_memory_size(writer);
		put_operand(writer);
	}
	put_memory_offset(writer);
	put_op(writer, OP_RETURNDATACOPY);
}

void put_message_call(struct writer *writer) {
	const unsigned opcode = pick_call(writer);
	for (int i = 0; i < 2; i++) {
		put_memory_size(writer);
		put_memory_offset(writer);
	}
	if (opcode == OP_CALL || opcode == OP_CALLCODE) put_value(writer);
	put_any_address(writer);
	put_gas(writer);
	put_op(writer, opcode);
	put_sink(writer);
	if (chance(writer, 300)) put_return_data_use(writer);
	if (chance(writer, 100) && has_op(writer, OP_RETURNDATASIZE)) {
		put_op(writer, OP_RETURNDATASIZE);
		put_sink(writer);
	}
}

/* The size of a precompile's input, or nearly. */
static void put_input_size(struct writer *writer, size_t len) {
	put_number(writer, chance(writer, 930) ? len : pick(writer, len + 40));
}

static void put_precompile_gas(struct writer *writer) {
	if (writer->world->fork < FORK_TANGERINE || chance(writer, 120))
		put_number(writer, pick(writer, 150000));
	else
		put_op(writer, OP_GAS);
}

void put_precompile_call(struct writer *writer) {
	const addr20 address = precompile_address(writer);
	const unsigned opcode = pick_call(writer);
	const uint64_t out_offset = 32 * pick(writer, 4);
	struct buf input;
	buf_init(&input, BUF_MAX_DEFAULT);
	inputs_put(writer->world->inputs, &input, writer->random, (unsigned)address.b[18] << 8 | address.b[19]);

	put_number(writer, input.len);
	if (!put_data_offset(writer, buf_view(&input))) put_number(writer, 0);
	put_number(writer, 0);
	put_op(writer, OP_CODECOPY);
	put_number(writer, 32 * pick(writer, 5));
	put_number(writer, out_offset);
	put_input_size(writer, input.len);
	put_number(writer, 0);
	if (opcode == OP_CALL || opcode == OP_CALLCODE) put_number(writer, chance(writer, 50) ? pick(writer, 9) : 0);
	put_address(writer, &address);
	put_precompile_gas(writer);
	put_op(writer, opcode);
	put_sink(writer);
	put_return_data_use(writer);
	put_number(writer, 160);
	put_number(writer, out_offset);
	put_op(writer, OP_KECCAK256);
	put_sink(writer);
	buf_fini(&input);
}

/* What was made is called, now and then twice; its address stays on the stack, for later. */
static void put_use_of_creation(struct writer *writer) {
	const unsigned opcode = pick_call(writer);
	for (int i = 0; i < 4; i++) put_number(writer, pick(writer, 40));
	if (opcode == OP_CALL || opcode == OP_CALLCODE) put_number(writer, pick(writer, 2));
	put_op(writer, opcode == OP_CALL || opcode == OP_CALLCODE ? OP_DUP6 : OP_DUP5);
	put_gas(writer);
	put_op(writer, opcode);
	put_sink(writer);
}

void put_creation(struct writer *writer) {
	if (writer->depth >= DEPTH_MAX) return;
	const bool salted = has_op(writer, OP_CREATE2) && chance(writer, 500);
	struct buf init;
	buf_init(&init, BUF_MAX_DEFAULT);
	program_put_init(&init, writer->random, writer->world);
	put_number(writer, init.len);
	if (!put_data_offset(writer, buf_view(&init))) put_number(writer, 0);
	put_number(writer, 0);
	put_op(writer, OP_CODECOPY);

	if (salted) put_number(writer, pick(writer, 2));
	if (chance(writer, 960))
		put_number(writer, init.len);
	else
		put_memory_size(writer);
	put_number(writer, 0);
	put_value(writer);
	put_op(writer, salted ? OP_CREATE2 : OP_CREATE);
	if (chance(writer, 600)) put_use_of_creation(writer);
	put_sink(writer);
	if (chance(writer, 200)) put_return_data_use(writer);
	buf_fini(&init);
}
