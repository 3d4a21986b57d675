#include "ledger/consensus/replica.h"

#include "tests/unit.h"

#include <pthread.h>
#include <time.h>

#include "tests/ledger_world.h"

enum { SEALER = 7, PATIENCE_MS = 20000 };

/* --- a clock that a test moves --- */

static _Atomic uint64_t ahead_ms;

static uint64_t now_ms(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + ahead_ms;
}

static uint64_t monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + ahead_ms * 1000000;
}

static const struct clock_source clock_source = {.now_ms = now_ms, .monotonic_ns = monotonic_ns};

/* --- the other node: a chain that a test makes block by block --- */

struct other {
	struct ledger_world world;
	pthread_mutex_t lock;
	_Atomic bool is_away, has_no_seals, refuses, shows_another_branch;
	_Atomic uint64_t says_s; /* as the time of every block; 0: its own */
	_Atomic uint64_t spoilt; /* a block in whose bytes one is false; 0: none */
	uint8_t sent[64 << 10];
	size_t sent_len;
	_Atomic size_t sent_count;
};

static enum status ask(struct other *other, struct err *err) {
	return other->is_away ? err_set(err, STATUS_IO, "nobody answers") : STATUS_OK;
}

static uint64_t head_of(struct ledger_world *world) {
	struct chain_head *head = chain_head(world->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}

static hash32 hash_of(struct ledger_world *world, uint64_t number) {
	struct header header;
	hash32 hash;
	assert_done(world, chain_header_by_number(world->chain, &header, &hash, number, &world->err));
	return hash;
}

static enum status newest(void *context, uint64_t *number, struct err *err) {
	struct other *other = context;
	TRY(ask(other, err));
	*number = head_of(&other->world);
	return STATUS_OK;
}

static enum status hash(void *context, hash32 *out, uint64_t number, struct err *err) {
	struct other *other = context;
	struct header header;
	TRY(ask(other, err));
	TRY(chain_header_by_number(other->world.chain, &header, out, number, err));
	if (other->shows_another_branch) out->b[0] ^= 1;
	return STATUS_OK;
}

static enum status block(
    void *context, struct replica_block *out, struct arena *arena, uint64_t number, struct err *err) {
	struct other *other = context;
	struct block found;
	struct buf rlp;
	TRY(ask(other, err));
	const hash32 of = hash_of(&other->world, number);
	TRY(chain_block_by_hash(other->world.chain, &found, arena, &of, err));
	struct bytes *envelopes = arena_zalloc(arena, found.transaction_count + 1, sizeof *envelopes);
	for (size_t i = 0; i < found.transaction_count; i++) envelopes[i] = found.transactions[i].raw;
	buf_init(&rlp, 1 << 20);
	block_encode(&rlp, &found);
	out->rlp = arena_dup(arena, buf_view(&rlp));
	buf_fini(&rlp);
	if (number == other->spoilt) ((uint8_t *)out->rlp.data)[out->rlp.len - 1] ^= 1;
	out->envelopes = envelopes;
	out->envelope_count = found.transaction_count;
	out->timestamp = other->says_s ? other->says_s : found.header.timestamp;
	return STATUS_OK;
}

static enum status seal(void *context, struct eth_signature *out, const hash32 *of, struct err *err) {
	struct other *other = context;
	struct secp_signature found;
	TRY(ask(other, err));
	if (other->has_no_seals) return err_set(err, STATUS_NOTFOUND, "no seal");
	TRY(chain_seal(other->world.chain, &found, of, err));
	memcpy(out->b, found.r, 32);
	memcpy(out->b + 32, found.s, 32);
	out->b[64] = (uint8_t)(27 + found.y_parity);
	return STATUS_OK;
}

static enum status send(void *context, struct bytes envelope, struct err *err) {
	struct other *other = context;
	TRY(ask(other, err));
	if (other->refuses) return err_set(err, STATUS_DENIED, "it pays too little");
	pthread_mutex_lock(&other->lock);
	assert_true(other->sent_len + envelope.len <= sizeof other->sent);
	memcpy(other->sent + other->sent_len, envelope.data, envelope.len);
	other->sent_len += envelope.len;
	other->sent_count++;
	pthread_mutex_unlock(&other->lock);
	return STATUS_OK;
}

static void open_other(struct other *other, struct ledger_rules rules) {
	*other = (struct other){.lock = PTHREAD_MUTEX_INITIALIZER};
	ledger_open_by(&other->world, rules);
}

/* A block with transfers of an account, sealed by it. */
static void seal_block(struct other *other, size_t account, uint64_t nonce, size_t count) {
	struct ledger_world *world = &other->world;
	struct transaction *txs = arena_zalloc(&world->arena, count + 1, sizeof *txs);
	struct ordered_tx *ordered = arena_zalloc(&world->arena, count + 1, sizeof *ordered);
	const u256 chain_id = u256_from(LEDGER_CHAIN_ID);
	const hash32 domain = seal_domain(&chain_id, chain_genesis_hash(world->chain)), secret = ledger_secret(SEALER);
	const addr20 to = ledger_address(account + 1);
	struct pending_block *pending;
	struct secp_signature signature;
	for (size_t i = 0; i < count; i++) {
		txs[i] = ledger_transfer(nonce + i, &to, 1000 + i, 0);
		ledger_sign(world, &txs[i], account);
		ordered[i] = (struct ordered_tx){.tx = &txs[i], .sender = ledger_address(account)};
	}
	const struct block_decision decision = {ordered, count, .time_ms = now_ms(NULL)};
	assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
	const hash32 digest = seal_digest(&domain, pending->header.number, &pending->hash);
	assert_int_equal(secp_sign(&signature, &secret, &digest), STATUS_OK);
	assert_done(world, chain_commit(world->chain, pending, &signature, &world->err));
}

/* --- the node that follows --- */

struct follower {
	struct ledger_world world;
	struct other *other;
	enum replica_mode mode;
	struct engine *engine;
	pthread_t thread;
	enum status status;
	struct err err;
};

static void *run(void *context) {
	struct follower *follower = context;
	follower->status = engine_run(follower->engine, &follower->err);
	return NULL;
}

static void start(struct follower *follower) {
	struct ledger_world *world = &follower->world;
	const struct replica_options options = {.mode = follower->mode,
	    .secret = ledger_secret(3),
	    .poll_ms = 1,
	    .clock = &clock_source,
	    .link = {newest, hash, block, seal, send, follower->other}};
	assert_done(
	    world, replica_new(&follower->engine, world->chain, world->pool, world->store, &options, &world->err));
	assert_int_equal(pthread_create(&follower->thread, NULL, run, follower), 0);
}

static void open_follower(
    struct follower *follower, struct other *other, enum replica_mode mode, struct ledger_rules rules) {
	*follower = (struct follower){.other = other, .mode = mode};
	ledger_open_by(&follower->world, rules);
	start(follower);
}

static void stop(struct follower *follower) {
	engine_stop(follower->engine);
	pthread_join(follower->thread, NULL);
	assert_int_equal(follower->status, STATUS_OK);
	engine_free(follower->engine);
}

static void close_both(struct follower *follower, struct other *other) {
	stop(follower);
	ledger_close(&follower->world);
	ledger_close(&other->world);
}

#define AWAIT(condition)                                                                                               \
	do {                                                                                                           \
		const struct timespec pause_ = {.tv_nsec = 1000000};                                                   \
		for (int waited_ = 0; !(condition); waited_++) {                                                       \
			if (waited_ > PATIENCE_MS) fail_msg("it did not come to pass: %s", #condition);                \
			nanosleep(&pause_, NULL);                                                                      \
		}                                                                                                      \
	} while (0)

static bool signs(struct follower *follower, struct err *err) {
	struct eth_signature signature;
	const struct head_statement head = {.number = 1, .challenge = {{1}}};
	return engine_sign_head(follower->engine, &signature, &head, err) == STATUS_OK;
}

static bool says(struct follower *follower, const char *text) {
	const struct replica_state state = replica_state(follower->engine);
	return !state.is_following && strstr(state.why, text) != NULL;
}

static const struct ledger_rules unsealed = {.zero_base_fee = true, .equal_timestamps = true};

/* With the sealer that seals here. */
static struct ledger_rules sealed_rules(struct arena *arena) {
	char hex[43];
	const addr20 sealer = ledger_address(SEALER);
	address_checksum(hex, &sealer);
	return (struct ledger_rules){.zero_base_fee = true,
	    .equal_timestamps = true,
	    .settings = arena_printf(arena, ",\"sealer\":\"%s\"", hex)};
}

/* --- tests --- */

static void blocks_of_another_node_have_the_same_hashes_here(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	open_other(&other, unsealed);
	seal_block(&other, 0, 0, 2);
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	AWAIT(head_of(&follower.world) == 1);
	seal_block(&other, 0, 2, 3);
	seal_block(&other, 1, 0, 0);
	AWAIT(head_of(&follower.world) == 3);
	for (uint64_t number = 0; number <= 3; number++) {
		const hash32 own = hash_of(&follower.world, number), theirs = hash_of(&other.world, number);
		assert_memory_equal(own.b, theirs.b, 32);
	}
	AWAIT(signs(&follower, NULL));
	close_both(&follower, &other);
}

static void it_seals_what_it_executed_of_a_chain_that_names_no_sealer(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	struct secp_signature found;
	uint8_t key[64], expected[64];
	const hash32 secret = ledger_secret(3);
	open_other(&other, unsealed);
	seal_block(&other, 0, 0, 1);
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	AWAIT(head_of(&follower.world) == 1);
	struct ledger_world *world = &follower.world;
	const hash32 of = hash_of(world, 1);
	const u256 chain_id = u256_from(LEDGER_CHAIN_ID);
	const hash32 domain = seal_domain(&chain_id, chain_genesis_hash(world->chain)),
		     digest = seal_digest(&domain, 1, &of);
	assert_done(world, chain_seal(world->chain, &found, &of, &world->err));
	assert_int_equal(secp_recover(key, &found, &digest), STATUS_OK);
	assert_int_equal(secp_public_key(expected, &secret), STATUS_OK);
	assert_memory_equal(key, expected, 64);
	close_both(&follower, &other);
}

static void a_block_without_the_named_sealers_seal_is_not_taken(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	struct arena arena;
	arena_init(&arena);
	const struct ledger_rules rules = sealed_rules(&arena);
	open_other(&other, rules);
	open_follower(&follower, &other, REPLICA_BLOCKS, rules);
	seal_block(&other, 0, 0, 1);
	AWAIT(head_of(&follower.world) == 1);
	other.has_no_seals = true;
	seal_block(&other, 0, 1, 1);
	AWAIT(says(&follower, "did not seal it"));
	assert_int_equal(head_of(&follower.world), 1);
	assert_false(signs(&follower, NULL));
	other.has_no_seals = false;
	AWAIT(head_of(&follower.world) == 2);
	close_both(&follower, &other);
	arena_fini(&arena);
}

static void a_block_that_is_not_valid_or_of_another_branch_is_not_taken(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	open_other(&other, unsealed);
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	seal_block(&other, 0, 0, 1);
	AWAIT(head_of(&follower.world) == 1);
	other.shows_another_branch = true;
	AWAIT(says(&follower, "shows another block 1"));
	assert_false(signs(&follower, NULL));
	other.shows_another_branch = false;
	AWAIT(signs(&follower, NULL));
	other.spoilt = 2;
	seal_block(&other, 0, 1, 1);
	AWAIT(says(&follower, "block 2 is not taken"));
	assert_int_equal(head_of(&follower.world), 1);
	close_both(&follower, &other);
}

static void it_signs_nothing_while_the_other_node_is_silent(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	struct err err;
	open_other(&other, unsealed);
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	AWAIT(signs(&follower, NULL));
	other.is_away = true;
	AWAIT(says(&follower, "nobody answers"));
	assert_false(signs(&follower, &err));
	other.is_away = false;
	AWAIT(signs(&follower, NULL));
	close_both(&follower, &other);
}

static void what_the_pool_takes_in_is_handed_on_once(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	hash32 hashes[3];
	enum tx_verdict verdict;
	const addr20 to = ledger_address(5);
	open_other(&other, unsealed);
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	for (uint64_t nonce = 0; nonce < 3; nonce++) {
		struct transaction tx = ledger_transfer(nonce, &to, 1, 0);
		const struct bytes raw = ledger_sign(&follower.world, &tx, 0);
		assert_int_equal(ledger_add(&follower.world, &hashes[nonce], raw, &verdict), POOL_OK);
	}
	AWAIT(other.sent_count == 3);
	const struct timespec a_while = {.tv_nsec = 50000000};
	nanosleep(&a_while, NULL);
	assert_int_equal(other.sent_count, 3);
	ahead_ms += 11000; /* what is in no block by then is handed over once more */
	AWAIT(other.sent_count == 6);
	close_both(&follower, &other);
}

static void a_refused_transaction_goes(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	hash32 hash_sent;
	enum tx_verdict verdict;
	const addr20 to = ledger_address(5);
	open_other(&other, unsealed);
	other.refuses = true;
	open_follower(&follower, &other, REPLICA_BLOCKS, unsealed);
	struct transaction tx = ledger_transfer(0, &to, 1, 0);
	const struct bytes raw = ledger_sign(&follower.world, &tx, 0);
	assert_int_equal(ledger_add(&follower.world, &hash_sent, raw, &verdict), POOL_OK);
	AWAIT(pool_counts(follower.world.pool).pending == 0);
	close_both(&follower, &other);
}

static void its_order_alone_makes_blocks_of_our_own(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	const struct ledger_rules theirs = {.zero_base_fee = true, .equal_timestamps = true, .gas_limit = "0x5f5e100"};
	open_other(&other, theirs);
	seal_block(&other, 0, 0, 2);
	open_follower(&follower, &other, REPLICA_ORDER, unsealed);
	AWAIT(head_of(&follower.world) == 1);
	const hash32 own = hash_of(&follower.world, 1), other_hash = hash_of(&other.world, 1);
	assert_memory_not_equal(own.b, other_hash.b, 32);
	struct ledger_world *world = &follower.world;
	struct block taken;
	assert_done(world, chain_block_by_hash(world->chain, &taken, &world->arena, &own, &world->err));
	assert_int_equal(taken.transaction_count, 2);
	/* It goes on after a restart, and knows the other node's branch. */
	stop(&follower);
	seal_block(&other, 0, 2, 1);
	start(&follower);
	AWAIT(head_of(&follower.world) == 2);
	AWAIT(signs(&follower, NULL));
	other.shows_another_branch = true;
	AWAIT(says(&follower, "shows another block 2"));
	close_both(&follower, &other);
}

static void what_is_not_valid_by_our_rules_is_left_out_of_its_order(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	open_other(&other, unsealed);
	seal_block(&other, 0, 0, 2);
	const struct ledger_rules poor = {.zero_base_fee = true, .equal_timestamps = true, .gas_limit = "0x7530"};
	open_follower(&follower, &other, REPLICA_ORDER, poor); /* a block holds one transfer */
	AWAIT(head_of(&follower.world) == 1);
	struct ledger_world *world = &follower.world;
	const hash32 own = hash_of(world, 1);
	struct block taken;
	assert_done(world, chain_block_by_hash(world->chain, &taken, &world->arena, &own, &world->err));
	assert_int_equal(taken.transaction_count, 1);
	close_both(&follower, &other);
}

static void a_time_that_cannot_be_is_not_taken(void **state) {
	(void)state;
	struct other other;
	struct follower follower;
	open_other(&other, unsealed);
	other.says_s = UINT64_MAX / 2;
	seal_block(&other, 0, 0, 1);
	open_follower(&follower, &other, REPLICA_ORDER, unsealed);
	AWAIT(says(&follower, "beyond all time"));
	assert_int_equal(head_of(&follower.world), 0);
	other.says_s = 0;
	AWAIT(head_of(&follower.world) == 1);
	close_both(&follower, &other);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_of_another_node_have_the_same_hashes_here),
	    cmocka_unit_test(it_seals_what_it_executed_of_a_chain_that_names_no_sealer),
	    cmocka_unit_test(a_block_without_the_named_sealers_seal_is_not_taken),
	    cmocka_unit_test(a_block_that_is_not_valid_or_of_another_branch_is_not_taken),
	    cmocka_unit_test(it_signs_nothing_while_the_other_node_is_silent),
	    cmocka_unit_test(what_the_pool_takes_in_is_handed_on_once),
	    cmocka_unit_test(a_refused_transaction_goes),
	    cmocka_unit_test(its_order_alone_makes_blocks_of_our_own),
	    cmocka_unit_test(a_time_that_cannot_be_is_not_taken),
	    cmocka_unit_test(what_is_not_valid_by_our_rules_is_left_out_of_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
