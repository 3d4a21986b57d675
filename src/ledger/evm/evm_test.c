/* Edges of stack, memory, jumps and messages, each under both dispatchers; and what a tracer sees. Programs are in
 * hexadecimal. */
#include "ledger/evm/evm.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "ledger/evm/opcodes.h"
#include "ledger/evm/test_host.h"

static const addr20 sender = {{[19] = 0xee}};
static const addr20 contract = {{[19] = 0x20}};
static const addr20 other = {{[19] = 0x21}};

struct world {
	struct evm *evm;
	struct test_host *host;
	struct arena arena;
};

static struct bytes program(struct world *world, const char *hex) {
	struct bytes code;
	if (!test_hex_data(&code, &world->arena, bytes_text(arena_printf(&world->arena, "0x%s", hex)))) fail();
	return code;
}

/* A fresh world with `code` at 0x20 and `other_code` at 0x21 (NULL: none). */
static void world_put(struct world *world, enum fork fork, struct bytes code, const char *other_code) {
	static const struct evm_block_env block = {.number = 300, .gas_limit = 30000000};
	static const struct evm_tx_env tx = {.origin = {{[19] = 0xee}}};
	const u256 wealth = u256_from(1000000);
	test_host_reset(world->host);
	test_host_put_account(world->host, &sender, &wealth, 1, (struct bytes){NULL, 0});
	test_host_put_account(world->host, &contract, &wealth, 1, code);
	if (other_code != NULL) test_host_put_account(world->host, &other, &wealth, 1, program(world, other_code));
	test_host_begin_transaction(world->host);
	evm_set_block(world->evm, fork, &block);
	evm_set_tx(world->evm, &tx);
	evm_set_host(world->evm, &test_host_table, world->host);
}

static struct evm_result execute(struct world *world, uint64_t gas) {
	const struct evm_message message = {
	    .kind = EVM_CALL, .gas = gas, .sender = sender, .recipient = contract, .code_address = contract};
	struct evm_result result;
	assert_int_equal(evm_execute(world->evm, &result, &message), STATUS_OK);
	return result;
}

/* Runs under both dispatchers, which must agree in all. */
static struct evm_result run_code(
    struct world *world, enum fork fork, struct bytes code, const char *other_code, uint64_t gas) {
	evm_set_reference_dispatch(world->evm, true);
	world_put(world, fork, code, other_code);
	const struct evm_result reference = execute(world, gas);
	const struct bytes output = arena_dup(&world->arena, reference.output);
	const hash32 digest = test_host_digest(world->host);
	evm_set_reference_dispatch(world->evm, false);
	world_put(world, fork, code, other_code);
	const struct evm_result result = execute(world, gas);
	const hash32 own_digest = test_host_digest(world->host);
	assert_int_equal(result.outcome, reference.outcome);
	assert_int_equal(result.gas_left, reference.gas_left);
	assert_int_equal(result.refund_gas, reference.refund_gas);
	assert_true(bytes_equal(result.output, output));
	assert_true(hash32_equal(&own_digest, &digest));
	return result;
}

static struct evm_result run_hex(struct world *world, enum fork fork, const char *hex, const char *other_hex) {
	return run_code(world, fork, program(world, hex), other_hex, 1000000);
}

static uint64_t output_number(const struct evm_result *result) {
	assert_int_equal(result->outcome, EVM_SUCCESS);
	assert_int_equal(result->output.len, 32);
	const u256 word = u256_load_be(result->output.data);
	assert_true(u256_fits_u64(&word));
	return word.w[0];
}

#define RETURN_TOP "60005260206000f3" /* the top of the stack, as the output */

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	world->evm = evm_new();
	world->host = test_host_new();
	arena_init(&world->arena);
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	evm_free(world->evm);
	test_host_free(world->host);
	arena_fini(&world->arena);
	mem_free(world);
	return 0;
}

static void test_stack_limits(void **state) {
	struct world *world = *state;
	uint8_t code[1025];
	memset(code, OP_ADDRESS, sizeof code);
	assert_int_equal(run_code(world, FORK_OSAKA, bytes_make(code, 1024), NULL, 1000000).outcome, EVM_SUCCESS);
	assert_int_equal(
	    run_code(world, FORK_OSAKA, bytes_make(code, 1025), NULL, 1000000).outcome, EVM_STACK_OVERFLOW);
	code[1024] = OP_SWAP16; /* a full stack may be worked on */
	assert_int_equal(run_code(world, FORK_OSAKA, bytes_make(code, 1025), NULL, 1000000).outcome, EVM_SUCCESS);
	code[1024] = OP_DUP1;
	assert_int_equal(
	    run_code(world, FORK_OSAKA, bytes_make(code, 1025), NULL, 1000000).outcome, EVM_STACK_OVERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "50", NULL).outcome, EVM_STACK_UNDERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "600101", NULL).outcome, EVM_STACK_UNDERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "303081", NULL).outcome, EVM_SUCCESS);
	assert_int_equal(run_hex(world, FORK_OSAKA, "303082", NULL).outcome, EVM_STACK_UNDERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "303091", NULL).outcome, EVM_STACK_UNDERFLOW);
}

/* Every instruction, with one word too few and in the fork before its own. */
static void test_table(void **state) {
	struct world *world = *state;
	for (int opcode = 0; opcode < 256; opcode++) {
		const struct opcode_info *info = &opcode_table[opcode];
		uint8_t code[33];
		memset(code, OP_ADDRESS, sizeof code);
		if (info->name != NULL && info->pops > 0) {
			code[info->pops - 1] = (uint8_t)opcode;
			const struct evm_result result =
			    run_code(world, FORK_OSAKA, bytes_make(code, info->pops), NULL, 1000000);
			assert_int_equal(result.outcome, EVM_STACK_UNDERFLOW);
			assert_int_equal(result.gas_left, 0);
		}
		if (info->name != NULL && info->since == FORK_FRONTIER) continue;
		code[17] = (uint8_t)opcode;
		const enum fork before = info->name != NULL ? info->since - 1 : FORK_OSAKA;
		assert_int_equal(run_code(world, before, bytes_make(code, 18), NULL, 1000000).outcome, EVM_BAD_OPCODE);
	}
}

static void test_jumps(void **state) {
	struct world *world = *state;
	assert_int_equal(run_hex(world, FORK_OSAKA, "6003565b", NULL).outcome, EVM_SUCCESS);
	assert_int_equal(run_hex(world, FORK_OSAKA, "600256", NULL).outcome, EVM_BAD_JUMP);     /* no JUMPDEST */
	assert_int_equal(run_hex(world, FORK_OSAKA, "600456605b", NULL).outcome, EVM_BAD_JUMP); /* inside a PUSH */
	assert_int_equal(run_hex(world, FORK_OSAKA, "60ff56", NULL).outcome, EVM_BAD_JUMP);     /* behind the end */
	assert_int_equal(
	    run_hex(world, FORK_OSAKA, "680100000000000000035b56", NULL).outcome, EVM_BAD_JUMP); /* 2^64 + 3 */
	assert_int_equal(
	    run_hex(world, FORK_OSAKA, "600060ff57", NULL).outcome, EVM_SUCCESS); /* not taken: not checked */
	assert_int_equal(run_hex(world, FORK_OSAKA, "600160ff57", NULL).outcome, EVM_BAD_JUMP);
	/* A PUSH32 at the end reads zeros and stops. */
	assert_int_equal(run_hex(world, FORK_OSAKA, "7f", NULL).outcome, EVM_SUCCESS);
}

static void test_memory(void **state) {
	struct world *world = *state;
	struct evm_result result = run_hex(world, FORK_OSAKA, "600160215259" RETURN_TOP, NULL);
	assert_int_equal(output_number(&result), 96); /* 0x21 + 32, in whole words */
	/* Offsets that nobody can pay for. */
	assert_int_equal(run_hex(world, FORK_OSAKA, "63ffffffff51", NULL).outcome, EVM_OUT_OF_GAS);
	/* Offsets whose price, and whose end in words, 64 bits do not count: 0x1fffffffe0 is the most that they do. */
	assert_int_equal(run_hex(world, FORK_OSAKA, "641fffffffc051", NULL).outcome, EVM_OUT_OF_GAS);
	assert_int_equal(run_hex(world, FORK_OSAKA, "641fffffffc151", NULL).outcome, EVM_MEMORY_OVERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "67ffffffffffffffc051", NULL).outcome, EVM_MEMORY_OVERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "67ffffffffffffffc151", NULL).outcome, EVM_GAS_OVERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "67ffffffffffffffff51", NULL).outcome, EVM_GAS_OVERFLOW);
	assert_int_equal(run_hex(world, FORK_OSAKA, "600160401b51", NULL).outcome, EVM_GAS_OVERFLOW);
	/* An empty range may be anywhere. */
	assert_int_equal(run_hex(world, FORK_OSAKA, "600067ffffffffffffffff20", NULL).outcome, EVM_SUCCESS);
	/* Quadratic: 3 words + words²/512 (and 3 for MLOAD, 3 for PUSH3). */
	result = run_hex(world, FORK_OSAKA, "620fffe051", NULL);
	assert_int_equal(result.outcome, EVM_OUT_OF_GAS); /* 32768 words: 98304 + 2097152 */
	result = run_hex(world, FORK_OSAKA, "6203ffe051", NULL);
	assert_int_equal(1000000 - result.gas_left, 6 + 3 * 8192 + 8192 * 8192 / 512);
	/* MCOPY onto itself, one byte up: of 00 01 … 1f, byte 31 is then 1e. */
	result = run_hex(world, FORK_OSAKA,
	    "7f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f600052"
	    "601f600060015e"
	    "600051601f1a" RETURN_TOP,
	    NULL);
	assert_int_equal(output_number(&result), 0x1e);
}

static void test_return_data(void **state) {
	struct world *world = *state;
	/* The callee reverts with 32 bytes; RETURNDATASIZE, then a copy one byte too far. */
	const char *reverts = "602a60005260206000fd";
	struct evm_result result = run_hex(world, FORK_OSAKA, "5f5f5f5f5f60216207a120f13d01" RETURN_TOP, reverts);
	assert_int_equal(output_number(&result), 32); /* success 0 + size 32 */
	result = run_hex(world, FORK_OSAKA, "5f5f5f5f5f60216207a120f160205f5f3e5f51" RETURN_TOP, reverts);
	assert_int_equal(output_number(&result), 42);
	result = run_hex(world, FORK_OSAKA, "5f5f5f5f5f60216207a120f160215f5f3e", reverts);
	assert_int_equal(result.outcome, EVM_RETURN_DATA_OUT_OF_BOUNDS);
	result = run_hex(world, FORK_OSAKA, "5f60015f3e", NULL); /* even an empty copy */
	assert_int_equal(result.outcome, EVM_RETURN_DATA_OUT_OF_BOUNDS);
}

static void test_static(void **state) {
	struct world *world = *state;
	static const char *const forbidden[] = {
	    "5f5f55", "5f5f5d", "5f5fa0", "5f5f5ff0", "5f5f5f5ff5", "5fff", "5f5f5f5f600160206103e8f1"};
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		struct evm_result result =
		    run_hex(world, FORK_OSAKA, "5f5f5f5f60216207a120fa" RETURN_TOP, forbidden[i]);
		assert_int_equal(output_number(&result), 0);
	}
	struct evm_result result = run_hex(world, FORK_OSAKA, "5f5f5f5f60216207a120fa" RETURN_TOP, "5f54");
	assert_int_equal(output_number(&result), 1);
}

/* A contract that calls itself until it cannot: before EIP-150 the depth stops it, after that the gas. */
static void test_depth(void **state) {
	struct world *world = *state;
	/* count = storage[0]; storage[0] = count + 1; call(gas - 30000, self) */
	const char *code = "600160005401600055600060006000600060006020617530"
			   "5a03f100";
	evm_set_reference_dispatch(world->evm, false);
	world_put(world, FORK_HOMESTEAD, program(world, code), NULL);
	struct evm_result result = execute(world, 40000000);
	assert_int_equal(result.outcome, EVM_SUCCESS);
	u256 count;
	const u256 zero = u256_from(0);
	assert_int_equal(test_host_table.get_storage(world->host, &count, &contract, &zero), STATUS_OK);
	assert_int_equal(count.w[0], 1025);
}

static void test_create(void **state) {
	struct world *world = *state;
	/* Init code 602a5f5260205ff3 returns a word as code; then EXTCODESIZE of what was created. */
	const char *create = "67602a5f5260205ff35f52600860185ff03b" RETURN_TOP;
	struct evm_result result = run_hex(world, FORK_OSAKA, create, NULL);
	assert_int_equal(output_number(&result), 32);
	/* EIP-3541: init code that returns 0xef. */
	result = run_hex(world, FORK_OSAKA, "6760ef5f5360015ff35f52600860185ff0" RETURN_TOP, NULL);
	assert_int_equal(output_number(&result), 0);
	/* EIP-3860: one byte over the limit stops the creator. */
	assert_int_equal(run_hex(world, FORK_OSAKA, "61c0015f5ff0", NULL).outcome, EVM_INIT_CODE_TOO_LARGE);
	assert_int_equal(run_hex(world, FORK_OSAKA, "61c0005f5ff0", NULL).outcome, EVM_SUCCESS);
	/* The same CREATE2 twice collides. */
	result = run_hex(world, FORK_OSAKA, "5f5f5f5ff5505f5f5f5ff5" RETURN_TOP, NULL);
	assert_int_equal(output_number(&result), 0);
	/* 256 bytes of code for 51,200 gas that are not there: Frontier keeps the contract without the code, Homestead
	 * does not create it. Init code 6101006000f3. */
	const struct bytes costly = program(world, "656101006000f3600052"
						   "6006601a6000f0"
						   "15" RETURN_TOP);
	result = run_code(world, FORK_FRONTIER, costly, NULL, 50000);
	assert_int_equal(output_number(&result), 0);
	result = run_code(world, FORK_TANGERINE, costly, NULL, 70000);
	assert_int_equal(output_number(&result), 1);
}

/* EIP-7702: the code of 0x21 is a designation of 0x20, whose code then runs in 0x21's place. */
static void test_delegation(void **state) {
	struct world *world = *state;
	const char *designation = "ef01000000000000000000000000000000000000000022";
	const addr20 third = {{[19] = 0x22}};
	const u256 none = u256_from(0);
	evm_set_reference_dispatch(world->evm, false);
	const struct bytes code = program(world, "60205f5f5f5f60216207a120f1505f51" RETURN_TOP);
	world_put(world, FORK_PRAGUE, code, designation);
	test_host_put_account(world->host, &third, &none, 1, program(world, "30" RETURN_TOP));
	struct evm_result result = execute(world, 1000000);
	assert_int_equal(output_number(&result), 0x21);
	world_put(world, FORK_PRAGUE, program(world, "60213b" RETURN_TOP), designation);
	result = execute(world, 1000000);
	assert_int_equal(output_number(&result), 23);     /* reading is not following */
	world_put(world, FORK_CANCUN, code, designation); /* before that, 0xef is no instruction */
	result = execute(world, 1000000);
	assert_int_equal(output_number(&result), 0);
}

struct seen {
	size_t steps, enters, leaves;
	uint64_t last_gas;
	uint16_t deepest;
	bool is_order_good;
};

static void see_step(void *context, const struct evm_step *step) {
	struct seen *seen = context;
	seen->steps++;
	if (step->depth > seen->deepest) seen->deepest = step->depth;
	if (step->depth + 1u != seen->enters - seen->leaves) seen->is_order_good = false;
}

static void see_enter(void *context, const struct evm_message *message) {
	(void)message;
	((struct seen *)context)->enters++;
}

static void see_leave(void *context, const struct evm_message *message, const struct evm_result *result) {
	struct seen *seen = context;
	(void)message;
	seen->leaves++;
	seen->last_gas = result->gas_left;
}

static void test_tracer(void **state) {
	struct world *world = *state;
	struct seen seen = {.is_order_good = true};
	const struct evm_tracer tracer = {.step = see_step, .enter = see_enter, .leave = see_leave, .context = &seen};
	world_put(world, FORK_OSAKA, program(world, "5f5f5f5f5f60216207a120f1"), "60015000");
	evm_set_tracer(world->evm, &tracer);
	const struct evm_result result = execute(world, 1000000);
	evm_set_tracer(world->evm, NULL);
	assert_int_equal(result.outcome, EVM_SUCCESS);
	assert_int_equal(seen.steps, 8 + 1 + 3); /* with both STOPs */
	assert_int_equal(seen.enters, 2);
	assert_int_equal(seen.leaves, 2);
	assert_int_equal(seen.deepest, 1);
	assert_true(seen.is_order_good);
	assert_int_equal(seen.last_gas, result.gas_left);
}

struct costs {
	uint64_t cost_gas[16];
	size_t count;
	enum evm_outcome last;
	u256 given, logged;
};

static void skip_step(void *context, const struct evm_step *step) {
	(void)context, (void)step;
}

static void see_cost(void *context, const struct evm_step_end *end) {
	struct costs *costs = context;
	assert_true(costs->count < 16);
	costs->cost_gas[costs->count++] = end->cost_gas;
	if (end->is_over) costs->last = end->outcome;
}

static void see_selfdestruct(void *context, const addr20 *self, const addr20 *heir, const u256 *wei) {
	assert_memory_equal(self, &contract, sizeof contract);
	assert_int_equal(heir->b[19], 0x77);
	((struct costs *)context)->given = *wei;
}

static void see_log(void *context, const struct log *log) {
	((struct costs *)context)->logged = u256_from(log->data.len);
}

static struct costs costs_of(struct world *world, const char *code, const char *callee) {
	struct costs costs = {.count = 0};
	const struct evm_tracer tracer = {.step = skip_step,
	    .step_end = see_cost,
	    .selfdestruct = see_selfdestruct,
	    .log = see_log,
	    .context = &costs};
	world_put(world, FORK_OSAKA, program(world, code), callee);
	evm_set_tracer(world->evm, &tracer);
	execute(world, 1000000);
	evm_set_tracer(world->evm, NULL);
	return costs;
}

/* What an instruction really took: by warmth, with memory, with what a call passes on and without what a creation does.
 */
static void test_tracer_costs(void **state) {
	struct world *world = *state;
	struct costs costs =
	    costs_of(world, "5f545f545f505f5160205fa0607788ff", "00"); /* ends in a DUP9 of too little */
	assert_int_equal(costs.cost_gas[1], 2100);
	assert_int_equal(costs.cost_gas[3], 100);
	assert_int_equal(costs.cost_gas[7], 3 + 3);         /* MLOAD makes a word */
	assert_int_equal(costs.cost_gas[10], 375 + 8 * 32); /* LOG0 */
	assert_int_equal(costs.last, EVM_STACK_UNDERFLOW);
	assert_int_equal(costs.logged.w[0], 32);
	costs = costs_of(world, "6077ff", "00");
	assert_int_equal(costs.cost_gas[1], 5000 + 2600 + (u256_is_zero(&costs.given) ? 0 : 25000));
	costs = costs_of(world, "5f5f5f5f5f60216103e8f1", "00");
	assert_int_equal(costs.cost_gas[7], 2600 + 1000);
	costs = costs_of(world, "5f5f5ff0", "00");
	assert_int_equal(costs.cost_gas[3], 32000);
}

static enum status broken_storage(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	(void)context, (void)out, (void)address, (void)slot;
	return STATUS_IO;
}

/* A failing disk is never a failed call, however deep. */
static void test_host_failure(void **state) {
	struct world *world = *state;
	struct evm_host host = test_host_table;
	host.get_storage = broken_storage;
	for (int reference = 0; reference < 2; reference++) {
		evm_set_reference_dispatch(world->evm, reference);
		world_put(world, FORK_OSAKA, program(world, "5f5f5f5f5f60216207a120f1"), "5f54");
		evm_set_host(world->evm, &host, world->host);
		const struct evm_message message = {.kind = EVM_CALL,
		    .gas = 1000000,
		    .sender = sender,
		    .recipient = contract,
		    .code_address = contract};
		struct evm_result result;
		assert_int_equal(evm_execute(world->evm, &result, &message), STATUS_IO);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stack_limits),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_jumps),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_return_data),
	    cmocka_unit_test(test_static),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_create),
	    cmocka_unit_test(test_delegation),
	    cmocka_unit_test(test_tracer),
	    cmocka_unit_test(test_tracer_costs),
	    cmocka_unit_test(test_host_failure),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
