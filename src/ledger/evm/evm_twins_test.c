/*
 * The two dispatchers on random programs, in every fork: outcome, gas, refund, output and the whole world after must be
 * the same, with a tracer too. And: once warm, running allocates nothing (this program's link wraps the allocator).
 */
#include "ledger/evm/evm.h"

#include <stdio.h>

#include "tests/unit.h"

#include "ledger/evm/opcodes.h"
#include "ledger/evm/test_host.h"

#define PROGRAMS 3000
#define PROGRAM_BYTES_MAX 400

static size_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) {
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
	allocations++;
	return __real_realloc(old, size);
}

static const addr20 sender = {{[19] = 0xee}};

static uint64_t random_state = 0x5eed;

static uint64_t random_below(uint64_t limit) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * 0x2545f4914f6cdd1d >> 16) % limit;
}

struct writer {
	uint8_t code[PROGRAM_BYTES_MAX + 64];
	size_t len;
};

static void put(struct writer *writer, unsigned byte) {
	writer->code[writer->len++] = (uint8_t)byte;
}

static void put_push(struct writer *writer, unsigned value) {
	put(writer, OP_PUSH1);
	put(writer, value);
}

/* A call to one of the contracts, to a precompile, or to nobody. */
static void put_call(struct writer *writer) {
	static const uint8_t calls[] = {OP_CALL, OP_CALLCODE, OP_DELEGATECALL, OP_STATICCALL};
	const uint8_t opcode = calls[random_below(sizeof calls)];
	for (int i = 0; i < 4; i++) put_push(writer, (unsigned)random_below(100));
	if (opcode == OP_CALL || opcode == OP_CALLCODE) put_push(writer, (unsigned)random_below(3));
	const unsigned target = (unsigned)random_below(4);
	put_push(writer, target < 2    ? 0x20 + target
			 : target == 2 ? (unsigned)random_below(11)
				       : (unsigned)random_below(256));
	put(writer, OP_PUSH2);
	put(writer, (unsigned)random_below(60));
	put(writer, 0xff);
	put(writer, opcode);
}

/* A push that is not the last byte of what jumps need, an instruction of the table, a call, or noise. */
static void put_random(struct writer *writer, enum fork fork) {
	const uint64_t kind = random_below(16);
	if (kind < 7) {
		put_push(writer, (unsigned)random_below(random_below(2) ? 256 : 40));
	} else if (kind < 8) {
		put_call(writer);
	} else if (kind < 9) {
		const unsigned n = (unsigned)random_below(32);
		put(writer, OP_PUSH1 + n);
		for (unsigned i = 0; i <= n; i++) put(writer, random_below(2) ? 0xff : (unsigned)random_below(256));
	} else if (kind < 10) {
		put(writer, OP_JUMPDEST);
	} else if (kind < 11) { /* forward, to a JUMPDEST that follows soon */
		put_push(writer, (unsigned)(writer->len + 4) & 0xff);
		put(writer, OP_JUMP);
		put(writer, (unsigned)random_below(256));
		put(writer, OP_JUMPDEST);
	} else {
		unsigned opcode;
		do opcode = (unsigned)random_below(256);
		while (opcode_table[opcode].name == NULL || opcode == OP_INVALID || opcode == OP_STOP);
		/* Mostly what the fork has, on a stack that is deep enough. */
		if (random_below(64) != 0 && (opcode_table[opcode].since > fork || opcode_table[opcode].pops > 8))
			return;
		for (int i = 0; i < opcode_table[opcode].pops && random_below(16) != 0; i++)
			put_push(writer, (unsigned)random_below(80));
		put(writer, opcode);
	}
}

static struct writer random_program(enum fork fork) {
	struct writer writer = {.len = 0};
	const size_t len = 20 + random_below(PROGRAM_BYTES_MAX - 20);
	for (int i = 0; i < 8; i++) put_push(&writer, (unsigned)random_below(256));
	while (writer.len < len) put_random(&writer, fork);
	if (random_below(2)) { /* shows its memory */
		put_push(&writer, 96);
		put_push(&writer, 0);
		put(&writer, OP_RETURN);
	}
	return writer;
}

struct run {
	struct evm_result result;
	uint8_t output[4096];
	hash32 world;
};

static void run_programs(
    struct run *run, struct evm *evm, struct test_host *host, enum fork fork, const struct writer programs[2]) {
	static const hash32 blob = {{1, 2, 3}};
	const struct evm_block_env block = {
	    .number = 300, .timestamp = 7, .gas_limit = 30000000, .chain_id = u256_from(9)};
	const struct evm_tx_env tx = {.origin = sender, .blob_hashes = &blob, .blob_count = 1};
	const u256 wealth = u256_from(1000);
	uint8_t input[70];
	memset(input, 0xa5, sizeof input);
	test_host_reset(host);
	test_host_put_account(host, &sender, &wealth, 1, (struct bytes){NULL, 0});
	for (int i = 0; i < 2; i++) {
		const addr20 address = {{[19] = (uint8_t)(0x20 + i)}};
		test_host_put_account(host, &address, &wealth, 1, bytes_make(programs[i].code, programs[i].len));
	}
	test_host_begin_transaction(host);
	evm_set_block(evm, fork, &block);
	evm_set_tx(evm, &tx);
	evm_set_host(evm, &test_host_table, host);
	const struct evm_message message = {.kind = EVM_CALL,
	    .gas = 300000,
	    .sender = sender,
	    .recipient = {{[19] = 0x20}},
	    .code_address = {{[19] = 0x20}},
	    .value_wei = u256_from(1),
	    .input = bytes_make(input, sizeof input)};
	assert_int_equal(evm_execute(evm, &run->result, &message), STATUS_OK);
	memset(run->output, 0, sizeof run->output);
	const size_t shown = run->result.output.len < sizeof run->output ? run->result.output.len : sizeof run->output;
	if (shown > 0) memcpy(run->output, run->result.output.data, shown);
	run->world = test_host_digest(host);
}

static void assert_same(const struct run *a, const struct run *b) {
	assert_int_equal(a->result.outcome, b->result.outcome);
	assert_int_equal(a->result.gas_left, b->result.gas_left);
	assert_int_equal(a->result.refund_gas, b->result.refund_gas);
	assert_int_equal(a->result.output.len, b->result.output.len);
	assert_memory_equal(a->output, b->output, sizeof a->output);
	assert_memory_equal(a->world.b, b->world.b, 32);
}

static void count_step(void *context, const struct evm_step *step) {
	assert_true(step->stack_count <= 1024);
	++*(size_t *)context;
}

static void test_dispatchers_agree(void **state) {
	(void)state;
	struct evm *evm = evm_new();
	struct test_host *host = test_host_new();
	static struct run fast, plain, traced;
	size_t outcomes[EVM_OUTCOME_COUNT] = {0}, steps = 0;
	const struct evm_tracer tracer = {.step = count_step, .context = &steps};
	for (int i = 0; i < PROGRAMS; i++) {
		const enum fork fork = (enum fork)random_below(FORK_COUNT);
		const struct writer programs[2] = {random_program(fork), random_program(fork)};
		evm_set_reference_dispatch(evm, false);
		run_programs(&fast, evm, host, fork, programs);
		evm_set_reference_dispatch(evm, true);
		run_programs(&plain, evm, host, fork, programs);
		evm_set_reference_dispatch(evm, false);
		evm_set_tracer(evm, &tracer);
		run_programs(&traced, evm, host, fork, programs);
		evm_set_tracer(evm, NULL);
		assert_same(&fast, &plain);
		assert_same(&fast, &traced);
		outcomes[fast.result.outcome]++;
	}
	printf("%d programs, %zu instructions:", PROGRAMS, steps);
	for (int i = 0; i < EVM_OUTCOME_COUNT; i++)
		if (outcomes[i] > 0) printf(" %s %zu;", evm_outcome_text((enum evm_outcome)i), outcomes[i]);
	printf("\n");
	assert_true(outcomes[EVM_SUCCESS] > 0 && outcomes[EVM_OUT_OF_GAS] > 0);
	test_host_free(host);
	evm_free(evm);
}

/* Ten calls, each hashing, storing, logging and calling a precompile; the second time through, the heap is not asked.
 */
static void test_no_allocation(void **state) {
	(void)state;
	struct evm *evm = evm_new();
	struct test_host *host = test_host_new();
	static const uint8_t caller[] = {OP_PUSH1, 10, OP_JUMPDEST, /* counter */
	    OP_PUSH0, OP_PUSH0, OP_PUSH1, 64, OP_PUSH0, OP_PUSH0, OP_PUSH1, 0x21, OP_GAS, OP_CALL, OP_POP, OP_PUSH1, 1,
	    OP_SWAP1, OP_SUB, OP_DUP1, OP_PUSH1, 2, OP_JUMPI};
	static const uint8_t callee[] = {OP_PUSH2, 2, 0, OP_PUSH0, OP_KECCAK256, OP_DUP1, OP_PUSH0, OP_SSTORE, OP_PUSH1,
	    64, OP_PUSH0, OP_LOG1, OP_PUSH1, 64, OP_PUSH0, OP_PUSH1, 64, OP_PUSH0, OP_PUSH1, 4, OP_GAS, OP_STATICCALL,
	    OP_PUSH1, 64, OP_PUSH0, OP_REVERT};
	struct writer programs[2] = {{.len = sizeof caller}, {.len = sizeof callee}};
	memcpy(programs[0].code, caller, sizeof caller);
	memcpy(programs[1].code, callee, sizeof callee);
	static struct run run;
	run_programs(&run, evm, host, FORK_OSAKA, programs);
	assert_int_equal(run.result.outcome, EVM_SUCCESS);
	const struct evm_message message = {.kind = EVM_CALL,
	    .gas = 300000,
	    .sender = sender,
	    .recipient = {{[19] = 0x20}},
	    .code_address = {{[19] = 0x20}}};
	const size_t before = allocations;
	assert_int_equal(evm_execute(evm, &run.result, &message), STATUS_OK);
	assert_int_equal(run.result.outcome, EVM_SUCCESS);
	assert_int_equal(allocations, before);
	assert_true(before > 0);
	test_host_free(host);
	evm_free(evm);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dispatchers_agree),
	    cmocka_unit_test(test_no_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
