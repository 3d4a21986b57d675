#include "ledger/consensus/solo.h"

#include "tests/unit.h"

#include <pthread.h>
#include <time.h>

#include "crypto/secp256k1_keys.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull
enum { SEALER = 7, PATIENCE_MS = 20000 };

static uint64_t real_now_ms(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t real_monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const struct clock_source real_clock = {.now_ms = real_now_ms, .monotonic_ns = real_monotonic_ns};

/* It stands still, but for what waits. */
enum { STOPPED_AT_S = 2000000000 };
static uint64_t stopped_now_ms(void *context) {
	(void)context;
	return (uint64_t)STOPPED_AT_S * 1000 + 250;
}

static const struct clock_source stopped_clock = {.now_ms = stopped_now_ms, .monotonic_ns = real_monotonic_ns};

struct running {
	struct ledger_world world;
	struct dev *dev;
	struct engine *engine;
	pthread_t thread;
	enum status status;
	struct err err;
};

static void *run(void *context) {
	struct running *running = context;
	running->status = engine_run(running->engine, &running->err);
	return NULL;
}

static void start_with(struct running *running, struct solo_options options) {
	options.sealer_secret = ledger_secret(SEALER);
	if (options.clock == NULL) options.clock = &real_clock;
	struct ledger_world *world = &running->world;
	assert_done(world, solo_new(&running->engine, world->chain, world->pool, &options, &world->err));
	assert_int_equal(pthread_create(&running->thread, NULL, run, running), 0);
}

static void start(struct running *running, uint32_t interval_ms, bool automine) {
	start_with(running, (struct solo_options){.interval_ms = interval_ms, .automine = automine});
}

static void stop(struct running *running) {
	engine_stop(running->engine);
	pthread_join(running->thread, NULL);
	assert_int_equal(running->status, STATUS_OK);
	engine_free(running->engine);
	dev_free(running->dev);
}

static uint64_t head_number(struct ledger_world *world) {
	struct chain_head *head = chain_head(world->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}

/* The receipt of a transaction, once it is there. */
static struct receipt await(struct ledger_world *world, const hash32 *hash, hash32 *block_hash) {
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms++) {
		uint64_t number;
		uint32_t index;
		struct header header;
		struct mined_receipt mined;
		const struct timespec pause = {.tv_nsec = 1000000};
		if (chain_find_tx(world->chain, &number, &index, hash, &world->err) == STATUS_OK) {
			assert_done(
			    world, chain_header_by_number(world->chain, &header, block_hash, number, &world->err));
			assert_done(world,
			    chain_receipt(world->chain, &mined, &world->arena, number, block_hash, index, &world->err));
			return mined.receipt;
		}
		nanosleep(&pause, NULL);
	}
	fail_msg("no receipt came");
	return (struct receipt){0};
}

static hash32 add(struct ledger_world *world, struct transaction *tx, size_t account) {
	hash32 hash;
	enum tx_verdict verdict;
	assert_int_equal(ledger_add(world, &hash, ledger_sign(world, tx, account), &verdict), POOL_OK);
	return hash;
}

static void transfers_are_sealed_and_signed(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	hash32 hashes[50], block_hash;
	ledger_open(world, false);
	start(&running, 0, true);
	for (uint64_t i = 0; i < 50; i++) {
		struct transaction tx = ledger_transfer(i, &to, 3, 100 * GWEI);
		hashes[i] = add(world, &tx, 0);
	}
	for (size_t i = 0; i < 50; i++) assert_true(await(world, &hashes[i], &block_hash).success);
	const u256 got = ledger_balance(world, &to);
	assert_int_equal(got.w[0], 150);

	struct header header;
	struct secp_signature seal;
	uint8_t key[64];
	const u256 chain_id = genesis_chain_id(chain_genesis(world->chain));
	const hash32 domain = seal_domain(&chain_id, chain_genesis_hash(world->chain));
	assert_done(world, chain_header_by_hash(world->chain, &header, &block_hash, &world->err));
	const hash32 digest = seal_digest(&domain, header.number, &block_hash);
	assert_done(world, chain_seal(world->chain, &seal, &block_hash, &world->err));
	assert_int_equal(secp_recover(key, &seal, &digest), STATUS_OK);
	const addr20 signer = address_of_public_key(key), sealer = engine_sealer(running.engine);
	assert_memory_equal(signer.b, sealer.b, 20);

	const struct head_statement head = {header.number, block_hash, header.timestamp, {{1}}};
	const hash32 head_is = head_digest(&domain, &head);
	struct eth_signature signature;
	addr20 head_signer;
	assert_done(world, engine_sign_head(running.engine, &signature, &head, &world->err));
	assert_int_equal(eth_signer(&head_signer, &signature, &head_is), STATUS_OK);
	assert_memory_equal(head_signer.b, sealer.b, 20);
	stop(&running);
	ledger_close(world);
}

static void count_log(void *context, const struct found_log *found) {
	size_t *count = context;
	assert_int_equal(found->log->topic_count, 1);
	assert_int_equal(found->log->topics[0].b[31], 0x2a);
	assert_int_equal(load_be64(found->log->data.data + 24), 7);
	(*count)++;
}

/* Its code stores 7 in slot 0 and emits it in an event with the topic 42. */
static void a_contract_lives(void **state) {
	(void)state;
	static const uint8_t init[] = {0x6d, 0x60, 0x07, 0x5f, 0x55, 0x60, 0x07, 0x5f, 0x52, 0x60, 0x2a, 0x60, 0x20,
	    0x5f, 0xa1, 0x5f, 0x52, 0x60, 0x0e, 0x60, 0x12, 0xf3};
	struct running running = {0};
	struct ledger_world *world = &running.world;
	hash32 block_hash;
	const addr20 sender = ledger_address(1), contract = address_of_create(&sender, 0);
	ledger_open(world, false);
	start(&running, 0, true);
	struct transaction create = ledger_transfer(0, &contract, 0, 2 * GWEI);
	create.is_create = true;
	create.data = bytes_make(init, sizeof init);
	create.gas_limit = 200000;
	const hash32 created = add(world, &create, 1);
	assert_true(await(world, &created, &block_hash).success);
	struct transaction call = ledger_transfer(1, &contract, 0, 2 * GWEI);
	call.gas_limit = 100000;
	const hash32 called = add(world, &call, 1);
	const struct receipt receipt = await(world, &called, &block_hash);
	assert_true(receipt.success);
	assert_int_equal(receipt.log_count, 1);

	u256 value;
	const u256 slot = u256_from(0);
	struct chain_head *head = chain_head(world->chain);
	assert_done(world, state_view_storage(head->view, &value, &contract, &slot, &world->err));
	chain_head_release(head);
	assert_int_equal(value.w[0], 7);

	size_t count = 0;
	const hash32 topic = {{[31] = 0x2a}}, other = {{[31] = 0x2b}};
	struct log_filter filter = {.to = UINT64_MAX, .addresses = &contract, .address_count = 1, .topic_count = 1};
	filter.topics[0].any_of = &topic;
	filter.topics[0].count = 1;
	assert_done(world, chain_logs(world->chain, &filter, 100, count_log, &count, &world->err));
	assert_int_equal(count, 1);
	assert_int_equal(chain_logs(world->chain, &filter, 0, count_log, &count, &world->err), STATUS_LIMIT);
	filter.topics[0].any_of = &other;
	assert_done(world, chain_logs(world->chain, &filter, 100, count_log, &count, &world->err));
	assert_int_equal(count, 1);
	stop(&running);
	ledger_close(world);
}

static void blocks_come_by_interval(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	ledger_open(world, false);
	start(&running, 20, true);
	for (int waited_ms = 0; waited_ms < PATIENCE_MS && head_number(world) < 3; waited_ms++) {
		const struct timespec pause = {.tv_nsec = 1000000};
		nanosleep(&pause, NULL);
	}
	assert_true(head_number(world) >= 3);
	stop(&running);
	ledger_close(world);
}

static enum status mine_two(void *context, struct engine *engine, struct err *err) {
	struct running *running = context;
	struct ledger_world *world = &running->world;
	struct chain_head *head;
	dev_set_next_timestamp(running->dev, 4000000000);
	TRY(engine_seal(engine, err));
	head = chain_head(world->chain);
	assert_int_equal(head->header.timestamp, 4000000000);
	chain_head_release(head);
	TRY(engine_seal(engine, err));
	head = chain_head(world->chain);
	assert_true(head->header.timestamp > 4000000000 && head->header.timestamp < 4000000060);
	chain_head_release(head);
	return err_set(err, STATUS_EXISTS, "what the work says comes back");
}

/* Six blocks, each waited for, would put the chain's time five seconds ahead. */
static void nobody_hurries_the_chains_time(void **state) {
	(void)state;
	enum { AHEAD_S = 2 };
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	hash32 block_hash;
	ledger_open(world, false);
	start_with(&running, (struct solo_options){.automine = true, .ahead_max_s = AHEAD_S});
	for (uint64_t i = 0; i < 6; i++) {
		struct transaction tx = ledger_transfer(i, &to, 3, 100 * GWEI);
		const hash32 hash = add(world, &tx, 0);
		assert_true(await(world, &hash, &block_hash).success);
		struct header header;
		assert_done(world, chain_header_by_hash(world->chain, &header, &block_hash, &world->err));
		assert_true(header.timestamp <= real_now_ms(NULL) / 1000 + AHEAD_S);
		assert_int_equal(header.number, i + 1);
	}
	stop(&running);
	ledger_close(world);
}

static uint64_t timestamp_of_head(struct ledger_world *world) {
	struct chain_head *head = chain_head(world->chain);
	const uint64_t timestamp = head->header.timestamp;
	chain_head_release(head);
	return timestamp;
}

/* A client that waits for each receipt; with a second a block it would wait a second from the 62nd block on. */
static void an_own_chain_never_waits_for_the_clock(void **state) {
	(void)state;
	enum { BLOCKS = 200 };
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	hash32 block_hash;
	ledger_open_by(world, (struct ledger_rules){.zero_base_fee = true, .equal_timestamps = true});
	start_with(&running, (struct solo_options){.automine = true, .ahead_max_s = 1, .clock = &stopped_clock});
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct transaction tx = ledger_transfer(i, &to, 3, 0);
		const hash32 hash = add(world, &tx, 0);
		assert_true(await(world, &hash, &block_hash).success);
		assert_int_equal(timestamp_of_head(world), STOPPED_AT_S);
	}
	assert_int_equal(head_number(world), BLOCKS);
	stop(&running);
	ledger_close(world);
}

/* As anvil's, on the same chain. */
static void blocks_can_be_kept_a_second_apart(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	hash32 block_hash;
	ledger_open_by(world, (struct ledger_rules){.zero_base_fee = true, .equal_timestamps = true});
	running.dev = dev_new(&stopped_clock);
	start_with(&running, (struct solo_options){.automine = true, .dev = running.dev, .clock = &stopped_clock});
	for (uint64_t i = 0; i < 5; i++) {
		struct transaction tx = ledger_transfer(i, &to, 3, 0);
		const hash32 hash = add(world, &tx, 0);
		assert_true(await(world, &hash, &block_hash).success);
		assert_int_equal(timestamp_of_head(world), STOPPED_AT_S + i);
	}
	stop(&running);
	ledger_close(world);
}

/* A service beside a development chain does not hurry its time; somebody else's transaction in the block does. */
static void blocks_of_an_unhurried_account_share_their_second(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}}, service = ledger_address(1);
	const size_t senders[] = {1, 1, 0, 1, 0};
	const uint64_t expected_s[] = {0, 0, 1, 1, 2};
	uint64_t nonces[2] = {0};
	hash32 block_hash;
	ledger_open_by(world, (struct ledger_rules){.zero_base_fee = true, .equal_timestamps = true});
	running.dev = dev_new(&stopped_clock);
	dev_leave_unhurried(running.dev, &service);
	start_with(&running, (struct solo_options){.automine = true, .dev = running.dev, .clock = &stopped_clock});
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
		struct transaction tx = ledger_transfer(nonces[senders[i]]++, &to, 3, 0);
		const hash32 hash = add(world, &tx, senders[i]);
		assert_true(await(world, &hash, &block_hash).success);
		assert_int_equal(timestamp_of_head(world), STOPPED_AT_S + expected_s[i]);
	}
	stop(&running);
	ledger_close(world);
}

/* The first block's base fee is 7/8 Gwei; two empty ones bring it below what is offered. */
static void a_low_offer_waits_for_the_base_fee_to_fall(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	hash32 block_hash;
	ledger_open(world, false);
	start(&running, 0, true);
	struct transaction tx = ledger_transfer(0, &to, 3, 7 * GWEI / 10);
	const hash32 hash = add(world, &tx, 0);
	assert_true(await(world, &hash, &block_hash).success);
	/* The block says its number; the head is published a moment after the block is durable. */
	struct header header;
	assert_done(world, chain_header_by_hash(world->chain, &header, &block_hash, &world->err));
	assert_int_equal(header.number, 3);
	stop(&running);
	ledger_close(world);
}

static void work_runs_between_blocks(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	const addr20 to = {{0xaa}};
	ledger_open(world, false);
	running.dev = dev_new(&real_clock);
	start_with(&running, (struct solo_options){.dev = running.dev});
	struct transaction tx = ledger_transfer(0, &to, 3, 2 * GWEI);
	const hash32 hash = add(world, &tx, 0);
	assert_int_equal(head_number(world), 0);
	assert_int_equal(engine_call(running.engine, mine_two, &running, &world->err), STATUS_EXISTS);
	assert_int_equal(head_number(world), 2);
	hash32 block_hash;
	assert_true(await(world, &hash, &block_hash).success);
	stop(&running);
	ledger_close(world);
}

static void a_wrong_sealer_is_refused(void **state) {
	(void)state;
	struct running running = {0};
	struct ledger_world *world = &running.world;
	struct engine *engine;
	ledger_open(world, false);
	const struct solo_options options = {.clock = &real_clock};
	assert_int_equal(solo_new(&engine, world->chain, world->pool, &options, &world->err), STATUS_INVALID);
	ledger_close(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transfers_are_sealed_and_signed),
	    cmocka_unit_test(a_contract_lives),
	    cmocka_unit_test(blocks_come_by_interval),
	    cmocka_unit_test(nobody_hurries_the_chains_time),
	    cmocka_unit_test(an_own_chain_never_waits_for_the_clock),
	    cmocka_unit_test(blocks_can_be_kept_a_second_apart),
	    cmocka_unit_test(blocks_of_an_unhurried_account_share_their_second),
	    cmocka_unit_test(a_low_offer_waits_for_the_base_fee_to_fall),
	    cmocka_unit_test(work_runs_between_blocks),
	    cmocka_unit_test(a_wrong_sealer_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
