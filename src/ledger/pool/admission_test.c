/* Whose transactions are taken, if the genesis names a contract that says so. Without it, an account that nobody knows
 * wrote 20,000 slots a second of state for ever, for no fee. */
#include "ledger/pool/admission.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

/*
 * admits(address) gives the slot of that number; a call with a second word writes it there:
 *
 *	CALLDATASIZE PUSH1 36 LT PUSH1 write JUMPI
 *	PUSH1 4 CALLDATALOAD SLOAD PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
 *	write: JUMPDEST PUSH1 36 CALLDATALOAD PUSH1 4 CALLDATALOAD SSTORE STOP
 */
#define LIST_CODE                                                                                                      \
	"36602410601157600435545f5260205ff35b60243560043555"                                                           \
	"00"
#define ADMISSION(address) ",\"admission\":\"" address "\""
#define LIST_AT "0x00000000000000000000000000000000000000ad"

static const addr20 somebody = {{0x11, 0x22, 0x33}}, list_at = {{[19] = 0xad}};

/* A world whose list has account 0 from the beginning. */
static void open_listed(struct ledger_world *world, struct arena *arena) {
	char first[43];
	const addr20 address = ledger_address(0);
	arena_init(arena);
	address_checksum(first, &address);
	ledger_open_by(world, (struct ledger_rules){.zero_base_fee = true,
				  .settings = ADMISSION(LIST_AT),
				  .alloc = arena_printf(arena,
				      "\"%s\":{\"balance\":\"0\",\"code\":\"0x" LIST_CODE
				      "\",\"storage\":{\"0x000000000000000000000000%s\":\"0x1\"}},",
				      &LIST_AT[2], first + 2)});
}

static void close_listed(struct ledger_world *world, struct arena *arena) {
	ledger_close(world);
	arena_fini(arena);
}

static enum pool_verdict add_fee(struct ledger_world *world, size_t account, uint64_t nonce, uint64_t fee_wei) {
	hash32 hash;
	enum tx_verdict verdict;
	struct transaction tx = ledger_transfer(nonce, &somebody, 1, fee_wei);
	return ledger_add(world, &hash, ledger_sign(world, &tx, account), &verdict);
}

static enum pool_verdict add(struct ledger_world *world, size_t account, uint64_t nonce) {
	return add_fee(world, account, nonce, 0);
}

/* By account 0, at a fee that goes before all others. */
static void set_listed(struct ledger_world *world, uint64_t nonce, size_t account, bool listed) {
	hash32 hash;
	enum tx_verdict verdict;
	uint8_t data[4 + 64] = {0};
	const addr20 address = ledger_address(account);
	memcpy(data + 4 + 12, address.b, 20);
	data[4 + 63] = listed;
	struct transaction tx = ledger_transfer(nonce, &list_at, 0, 1000000);
	tx.gas_limit = 100000;
	tx.data = bytes_make(data, sizeof data);
	assert_int_equal(ledger_add(world, &hash, ledger_sign(world, &tx, 0), &verdict), POOL_OK);
}

static void strangers_are_not_taken_in(void **state) {
	(void)state;
	struct ledger_world world;
	struct arena arena;
	open_listed(&world, &arena);
	assert_int_equal(add(&world, 0, 0), POOL_OK);
	assert_int_equal(add(&world, 1, 0), POOL_SENDER_NOT_ADMITTED);
	assert_int_equal(add_fee(&world, 1, 0, 1000000), POOL_SENDER_NOT_ADMITTED); /* whatever it pays */
	assert_int_equal(ledger_seal(&world, 0), 1);
	assert_int_equal(add(&world, 1, 0), POOL_SENDER_NOT_ADMITTED);
	close_listed(&world, &arena);
}

static void a_sender_is_admitted_from_the_block_on_that_lists_it(void **state) {
	(void)state;
	struct ledger_world world;
	struct arena arena;
	open_listed(&world, &arena);
	assert_int_equal(add(&world, 1, 0), POOL_SENDER_NOT_ADMITTED);
	set_listed(&world, 0, 1, true);
	assert_int_equal(add(&world, 1, 0), POOL_SENDER_NOT_ADMITTED);
	assert_int_equal(ledger_seal(&world, 0), 1);
	assert_int_equal(add(&world, 1, 0), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 1);
	close_listed(&world, &arena);
}

/* One transaction, the best, into a block. */
static void seal_one(struct ledger_world *world) {
	struct pool_pick picked;
	struct pending_block *pending;
	assert_done(world, pool_pick(world->pool, &picked, &world->arena, UINT64_MAX, 1, &world->err));
	assert_int_equal(picked.count, 1);
	const struct block_decision decision = {.txs = picked.txs, .tx_count = picked.count};
	assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
	assert_done(world, chain_commit(world->chain, pending, NULL, &world->err));
}

static void what_waits_of_a_sender_that_was_withdrawn_is_not_built_in(void **state) {
	(void)state;
	struct ledger_world world;
	struct arena arena;
	open_listed(&world, &arena);
	set_listed(&world, 0, 1, true);
	assert_int_equal(ledger_seal(&world, 0), 1);
	assert_int_equal(add(&world, 1, 0), POOL_OK);
	set_listed(&world, 1, 1, false);
	seal_one(&world);
	assert_int_equal(pool_counts(world.pool).pending, 1);
	assert_int_equal(ledger_seal(&world, 0), 0);
	ledger_end(&world); /* what the journal gives back is not built in either */
	ledger_start(&world);
	assert_int_equal(add(&world, 0, 2), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 1);
	set_listed(&world, 3, 1, true);
	seal_one(&world);
	assert_int_equal(ledger_seal(&world, 0), 1); /* once it is listed again, it is */
	close_listed(&world, &arena);
}

static void more_senders_than_are_remembered_are_judged_rightly(void **state) {
	(void)state;
	struct ledger_world world;
	struct arena arena;
	open_listed(&world, &arena);
	struct admission *admission = admission_new(world.chain);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 10000; i++) {
			bool admits;
			addr20 sender = {{0}};
			store_be32(sender.b + 4, i); /* the bits that choose a place, again and again */
			assert_done(&world, admission_admits(admission, &admits, &sender, &world.err));
			assert_false(admits);
			sender = ledger_address(0);
			if (i % 100 != 0) continue;
			assert_done(&world, admission_admits(admission, &admits, &sender, &world.err));
			assert_true(admits);
		}
	}
	admission_free(admission);
	close_listed(&world, &arena);
}

/* Before the contract is there, somebody has to make it. */
static void only_its_deployer_is_admitted_before_the_contract_is_there(void **state) {
	(void)state;
	struct ledger_world world;
	struct arena arena;
	char text[43], settings[80];
	const addr20 deployer = ledger_address(3), directory = address_of_create(&deployer, 0);
	arena_init(&arena);
	address_checksum(text, &directory);
	snprintf(settings, sizeof settings, ",\"admission\":\"%s\"", text);
	ledger_open_by(&world, (struct ledger_rules){.zero_base_fee = true, .settings = settings});
	assert_int_equal(add(&world, 0, 0), POOL_SENDER_NOT_ADMITTED);
	/* PUSH1 1 PUSH0 MSTORE PUSH1 32 PUSH0 RETURN, stored by its creation: admits everybody from then on */
	static const uint8_t creation[] = {
	    0x68, 0x60, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, 0x00, 0x5f, 0x52, 0x60, 0x09, 0x60, 0x17, 0xf3};
	hash32 hash;
	enum tx_verdict verdict;
	struct transaction tx = ledger_transfer(0, &somebody, 0, 0);
	tx.is_create = true;
	tx.gas_limit = 200000;
	tx.data = bytes_make(creation, sizeof creation);
	assert_int_equal(ledger_add(&world, &hash, ledger_sign(&world, &tx, 3), &verdict), POOL_OK);
	assert_int_equal(add(&world, 3, 1), POOL_OK); /* more of its transactions, in the same block */
	assert_int_equal(ledger_seal(&world, 0), 2);
	assert_int_equal(add(&world, 0, 0), POOL_OK);
	close_listed(&world, &arena);
}

static void a_contract_that_fails_admits_nobody(void **state) {
	(void)state;
	struct ledger_world world;
	/* INVALID; an answer of one byte; 2 as a bool; endless: PUSH0 JUMPDEST … */
	static const char *const codes[] = {"fe", "60015f5360015ff3", "60025f5260205ff3", "5b5f56"};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct arena arena;
		arena_init(&arena);
		ledger_open_by(
		    &world, (struct ledger_rules){.zero_base_fee = true,
				.settings = ADMISSION(LIST_AT),
				.alloc = arena_printf(
				    &arena, "\"%s\":{\"balance\":\"0\",\"code\":\"0x%s\"},", &LIST_AT[2], codes[i])});
		assert_int_equal(add(&world, 0, 0), POOL_SENDER_NOT_ADMITTED);
		close_listed(&world, &arena);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strangers_are_not_taken_in),
	    cmocka_unit_test(a_sender_is_admitted_from_the_block_on_that_lists_it),
	    cmocka_unit_test(what_waits_of_a_sender_that_was_withdrawn_is_not_built_in),
	    cmocka_unit_test(more_senders_than_are_remembered_are_judged_rightly),
	    cmocka_unit_test(only_its_deployer_is_admitted_before_the_contract_is_there),
	    cmocka_unit_test(a_contract_that_fails_admits_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
