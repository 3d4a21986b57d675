/* The engine against a scripted CometBFT: the test is its client, over socket pairs. */
#include "ledger/consensus/comet.h"

#include "tests/unit.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "codec/hex.h"
#include "codec/protobuf.h"
#include "comet/light.h"
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/consensus/abci.h"
#include "ledger/consensus/bundle.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull
enum { PATIENCE_MS = 20000, TIME_S = 1800000000 };

static uint64_t now_ms(void *context) {
	(void)context;
	return (uint64_t)TIME_S * 1000;
}

static uint64_t monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const struct clock_source test_clock = {.now_ms = now_ms, .monotonic_ns = monotonic_ns};

/* A node with its engine, and the CometBFT that the test plays. */
struct running {
	struct ledger_world world;
	struct engine *engine;
	pthread_t thread;
	enum status status;
	struct err err;
	int fd; /* the test's end; -1: none */

	pthread_mutex_t lock; /* of what the bundler sent */
	pthread_cond_t came;
	struct buf sent[64];
	size_t sent_count;
	bool refuses;
	bool somebody_left;
};

static enum status take_bundles(void *context, const struct bytes *bundles, size_t count, struct err *err) {
	struct running *running = context;
	pthread_mutex_lock(&running->lock);
	const bool refuses = running->refuses;
	for (size_t i = 0; i < count && !refuses && running->sent_count < 64; i++) {
		struct buf *kept = &running->sent[running->sent_count++];
		buf_init(kept, BUNDLE_BYTES_MAX);
		buf_append(kept, bundles[i]);
	}
	pthread_cond_broadcast(&running->came);
	pthread_mutex_unlock(&running->lock);
	return refuses ? err_set(err, STATUS_IO, "nobody is there") : STATUS_OK;
}

static enum status no_light_block(void *context, struct buf *out, uint64_t height, struct err *err) {
	(void)context, (void)out, (void)height;
	return err_set(err, STATUS_NOTFOUND, "none");
}

static void somebody_left(void *context) {
	struct running *running = context;
	running->somebody_left = true;
}

static void *run(void *context) {
	struct running *running = context;
	running->status = engine_run(running->engine, &running->err);
	return NULL;
}

static void connect_to(struct running *running) {
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_done(&running->world, comet_adopt(running->engine, pair[0], &running->world.err));
	running->fd = pair[1];
}

static void start(struct running *running) {
	struct ledger_world *world = &running->world;
	const struct comet_options options = {
	    .clock = &test_clock, .link = {take_bundles, no_light_block, somebody_left, running}};
	assert_done(world, comet_new(&running->engine, world->chain, world->pool, world->store, &options, &world->err));
	connect_to(running);
	assert_int_equal(pthread_create(&running->thread, NULL, run, running), 0);
}

static void open_by(struct running *running, struct ledger_rules rules) {
	*running = (struct running){.fd = -1};
	pthread_mutex_init(&running->lock, NULL);
	pthread_cond_init(&running->came, NULL);
	ledger_open_by(&running->world, rules);
	start(running);
}

static void open_node(struct running *running) {
	open_by(running, (struct ledger_rules){.equal_timestamps = true, .zero_base_fee = true});
}

static void stop(struct running *running, enum status expected) {
	engine_stop(running->engine);
	pthread_join(running->thread, NULL);
	assert_int_equal(running->status, expected);
	engine_free(running->engine);
	close(running->fd);
}

static void close_node(struct running *running) {
	stop(running, STATUS_OK);
	for (size_t i = 0; i < running->sent_count; i++) buf_fini(&running->sent[i]);
	pthread_mutex_destroy(&running->lock);
	pthread_cond_destroy(&running->came);
	ledger_close(&running->world);
}

/* The node as after kill -9, since only what is in the store is left; and CometBFT connects again. */
static void restart(struct running *running) {
	stop(running, STATUS_OK);
	ledger_end(&running->world);
	ledger_start(&running->world);
	start(running);
}

/* --- speaking ABCI --- */

/* Sends a request and gives the answer's body, whose number must be the request's and one more. */
static struct bytes ask_for(struct running *running, enum abci_kind kind, struct bytes body, uint32_t answer) {
	struct buf frame, message;
	buf_init(&frame, 1 << 26);
	buf_init(&message, 1 << 26);
	protobuf_put_message(&message, (uint32_t)kind, body);
	protobuf_put_uvarint(&frame, message.len);
	buf_append(&frame, buf_view(&message));
	assert_int_equal(send(running->fd, frame.data, frame.len, MSG_NOSIGNAL), frame.len);
	buf_clear(&frame);
	for (;;) {
		struct bytes rest = buf_view(&frame);
		uint64_t len;
		if (protobuf_uvarint(&len, &rest) && rest.len >= len) {
			struct protobuf_cursor cursor = protobuf_cursor(bytes_make(rest.data, len));
			struct protobuf_field field;
			assert_true(protobuf_next(&cursor, &field));
			assert_int_equal(field.number, answer);
			const struct bytes kept = arena_dup(&running->world.arena, field.bytes);
			buf_fini(&frame);
			buf_fini(&message);
			return kept;
		}
		uint8_t chunk[4096];
		struct pollfd polled = {.fd = running->fd, .events = POLLIN};
		assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
		const ssize_t got = recv(running->fd, chunk, sizeof chunk, 0);
		assert_true(got > 0);
		buf_append(&frame, bytes_make(chunk, (size_t)got));
	}
}

static struct bytes ask(struct running *running, enum abci_kind kind, struct bytes body) {
	return ask_for(running, kind, body, (uint32_t)kind + 1);
}

/* The last field of this number: a number, or bytes. */
static struct protobuf_field field_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field, found = {0};
	while (protobuf_next(&cursor, &field))
		if (field.number == number) found = field;
	assert_null(cursor.fault);
	return found;
}

static size_t count_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	size_t count = 0;
	while (protobuf_next(&cursor, &field)) count += field.number == number;
	return count;
}

static uint64_t info_height(struct running *running) {
	return field_of(ask(running, ABCI_INFO, (struct bytes){0}), 4).value;
}

static hash32 hash_of(struct bytes view) {
	hash32 hash;
	assert_int_equal(view.len, sizeof hash);
	memcpy(hash.b, view.data, sizeof hash);
	return hash;
}

static hash32 info_hash(struct running *running) {
	return hash_of(field_of(ask(running, ABCI_INFO, (struct bytes){0}), 5).bytes);
}

static struct bytes init_body(struct running *running, const char *chain_id) {
	struct buf body;
	buf_init(&body, 1 << 16);
	protobuf_put_bytes(&body, 2, bytes_text(chain_id));
	protobuf_put_u64(&body, 6, 1);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&body));
	buf_fini(&body);
	return kept;
}

/* A block with these bundles, as in ProcessProposal and FinalizeBlock. */
static struct bytes block_body(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	struct buf body;
	buf_init(&body, 1 << 26);
	for (size_t i = 0; i < count; i++) protobuf_put_message(&body, 1, bundles[i]);
	protobuf_put_u64(&body, 5, height);
	const size_t time = protobuf_begin(&body, 6);
	protobuf_put_u64(&body, 1, TIME_S + height);
	protobuf_put_u64(&body, 2, 250000000);
	protobuf_end(&body, time);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&body));
	buf_fini(&body);
	return kept;
}

static struct bytes finalize(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	return ask(running, ABCI_FINALIZE_BLOCK, block_body(running, height, bundles, count));
}

static bool processes(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	return field_of(ask(running, ABCI_PROCESS_PROPOSAL, block_body(running, height, bundles, count)), 1).value == 1;
}

/* Decides and commits a height; gives the application hash. */
static hash32 decide(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	const hash32 hash = hash_of(field_of(finalize(running, height, bundles, count), 5).bytes);
	ask(running, ABCI_COMMIT, (struct bytes){0});
	return hash;
}

static uint64_t check_tx(struct running *running, struct bytes bundle) {
	struct buf body;
	buf_init(&body, 1 << 21);
	protobuf_put_bytes(&body, 1, bundle);
	const uint64_t code = field_of(ask(running, ABCI_CHECK_TX, buf_view(&body)), 1).value;
	buf_fini(&body);
	return code;
}

/* --- what is in it --- */

static struct bytes transfer(struct running *running, size_t account, uint64_t nonce) {
	const addr20 to = {{0xaa}};
	struct transaction tx = ledger_transfer(nonce, &to, 3, GWEI);
	return ledger_sign(&running->world, &tx, account);
}

static struct bytes bundle_of(struct running *running, const struct bytes *envelopes, size_t count) {
	struct buf out;
	struct transaction *txs = arena_zalloc(&running->world.arena, count, sizeof *txs);
	struct ordered_tx *ordered = arena_zalloc(&running->world.arena, count, sizeof *ordered);
	buf_init(&out, 1 << 24);
	for (size_t i = 0; i < count; i++) {
		txs[i].raw = envelopes[i];
		ordered[i].tx = &txs[i];
	}
	bundle_encode(&out, ordered, count);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&out));
	buf_fini(&out);
	return kept;
}

static struct bytes one(struct running *running, size_t account, uint64_t nonce) {
	const struct bytes envelope = transfer(running, account, nonce);
	return bundle_of(running, &envelope, 1);
}

static struct header head_header(struct running *running) {
	struct chain_head *head = chain_head(running->world.chain);
	const struct header header = head->header;
	chain_head_release(head);
	return header;
}

static hash32 head_hash(struct running *running) {
	struct chain_head *head = chain_head(running->world.chain);
	const hash32 hash = head->hash;
	chain_head_release(head);
	return hash;
}

/* --- tests --- */

static void a_chain_begins_with_the_hash_of_its_genesis(void **state) {
	(void)state;
	struct running running;
	char chain_id[COMET_CHAIN_ID_SIZE];
	open_node(&running);
	assert_int_equal(info_height(&running), 0);
	comet_chain_id(chain_id, chain_genesis_hash(running.world.chain));
	for (int i = 0; i < 2; i++) { /* it may be asked again before the first height */
		const struct bytes answer = ask(&running, ABCI_INIT_CHAIN, init_body(&running, chain_id));
		const hash32 hash = hash_of(field_of(answer, 3).bytes);
		assert_true(hash32_equal(&hash, chain_genesis_hash(running.world.chain)));
	}
	close_node(&running);
}

static void another_chains_genesis_stops_the_node(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	ask_for(&running, ABCI_INIT_CHAIN, init_body(&running, "xinglin-of-somebody-else"), 1);
	pthread_join(running.thread, NULL);
	assert_int_equal(running.status, STATUS_INVALID);
	assert_non_null(strstr(running.err.message, "xinglin-of-somebody-else"));
	engine_free(running.engine);
	close(running.fd);
	ledger_close(&running.world);
}

static void a_decided_bundle_becomes_the_block_that_solo_would_make(void **state) {
	(void)state;
	struct running running;
	struct ledger_world alone;
	open_node(&running);
	const struct bytes envelopes[] = {transfer(&running, 0, 0), transfer(&running, 1, 0), transfer(&running, 0, 1)};
	const struct bytes bundle = bundle_of(&running, envelopes, 3);
	assert_true(processes(&running, 1, &bundle, 1));
	const hash32 hash = decide(&running, 1, &bundle, 1);
	const hash32 head = head_hash(&running);
	assert_true(hash32_equal(&hash, &head));
	assert_int_equal(info_height(&running), 1);
	assert_int_equal(head_header(&running).timestamp, TIME_S + 1);

	/* The same transactions and the same time, through the seam alone. */
	ledger_open_by(&alone, (struct ledger_rules){.equal_timestamps = true, .zero_base_fee = true});
	struct bundle_txs txs;
	struct pending_block *pending;
	struct senders *senders = senders_new();
	bundles_read(&txs, &alone.arena, senders, &bundle, 1);
	const struct block_decision decision = {
	    .txs = txs.txs, .tx_count = txs.count, .time_ms = (uint64_t)(TIME_S + 1) * 1000 + 250};
	assert_done(&alone, chain_execute(alone.chain, &pending, &decision, &alone.err));
	assert_int_equal(pending->block.transaction_count, 3);
	assert_true(hash32_equal(&pending->hash, &hash));
	chain_drop(alone.chain, pending);
	senders_free(senders);
	ledger_close(&alone);

	uint64_t height;
	assert_done(&running.world, engine_decided_at(running.engine, &height, 1, &running.world.err));
	assert_int_equal(height, 1);
	close_node(&running);
}

static void an_empty_decision_changes_nothing(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundle = one(&running, 0, 0);
	const hash32 hash = decide(&running, 1, &bundle, 1);
	for (uint64_t height = 2; height < 5; height++) {
		const hash32 again = decide(&running, height, NULL, 0);
		assert_true(hash32_equal(&hash, &again));
	}
	const hash32 again = decide(&running, 5, &bundle, 1); /* a bundle whose time is over */
	assert_true(hash32_equal(&hash, &again));
	assert_int_equal(head_header(&running).number, 1);
	restart(&running);
	assert_int_equal(info_height(&running), 5);
	const hash32 kept = info_hash(&running);
	assert_true(hash32_equal(&hash, &kept));
	close_node(&running);
}

static void bundles_that_overtake_each_other_do_no_harm(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundles[] = {one(&running, 0, 1), one(&running, 1, 0), one(&running, 0, 0)};
	const struct bytes answer = finalize(&running, 1, bundles, 3);
	assert_int_equal(count_of(answer, 2), 3); /* a result for each bundle */
	ask(&running, ABCI_COMMIT, (struct bytes){0});
	size_t count;
	const hash32 hash = head_hash(&running);
	assert_done(&running.world, chain_transaction_count(running.world.chain, &count, 1, &hash, &running.world.err));
	assert_int_equal(count, 3);
	close_node(&running);
}

static void a_crash_before_the_commit_comes_to_the_same_bytes(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes first = one(&running, 0, 0), second = one(&running, 0, 1);
	decide(&running, 1, &first, 1);
	const hash32 decided = hash_of(field_of(finalize(&running, 2, &second, 1), 5).bytes);
	restart(&running); /* what was decided was nowhere but in memory */
	assert_int_equal(info_height(&running), 1);
	const hash32 again = decide(&running, 2, &second, 1);
	assert_true(hash32_equal(&decided, &again));
	assert_int_equal(info_height(&running), 2);
	close_node(&running);
}

static void a_comet_that_comes_back_decides_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundle = one(&running, 0, 0), other = one(&running, 1, 0);
	finalize(&running, 1, &bundle, 1);
	close(running.fd);
	/* The engine's thread serves its list of connections, so only it may add to it: the node starts again. */
	restart(&running);
	decide(&running, 1, &other, 1);
	assert_int_equal(info_height(&running), 1);
	close_node(&running);
}

static void a_height_out_of_turn_stops_the_node(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	ask_for(&running, ABCI_FINALIZE_BLOCK, block_body(&running, 7, NULL, 0), 1);
	pthread_join(running.thread, NULL);
	assert_int_equal(running.status, STATUS_CORRUPT);
	engine_free(running.engine);
	close(running.fd);
	ledger_close(&running.world);
}

static void what_is_no_bundle_is_refused(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes good = one(&running, 0, 0), bare = transfer(&running, 0, 0);
	struct bytes spoiled = arena_dup(&running.world.arena, bare);
	((uint8_t *)spoiled.data)[spoiled.len - 40] ^= 1; /* within s: another signer, who has nothing to do with it */
	const struct bytes empty_list = bytes_make("\xc0", 1), garbage = bytes_text("garbage");
	const struct bytes longer = arena_dup(&running.world.arena, bytes_make(good.data, good.len));
	assert_int_equal(check_tx(&running, good), 0);
	assert_true(processes(&running, 1, &good, 1));
	const struct bytes bad[] = {bare, empty_list, garbage, bytes_make(longer.data, longer.len - 1), {0}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct bytes pair[] = {good, bad[i]};
		assert_int_not_equal(check_tx(&running, bad[i]), 0);
		assert_false(processes(&running, 1, pair, 2));
	}
	decide(&running, 1, &good, 1);
	assert_int_not_equal(check_tx(&running, good), 0); /* it is in a block already */
	close_node(&running);
}

static void a_proposal_keeps_bundles_whole_and_within_its_bytes(void **state) {
	(void)state;
	struct running running;
	struct buf body;
	open_node(&running);
	const struct bytes bundles[] = {one(&running, 0, 0), one(&running, 1, 0), one(&running, 2, 0)};
	buf_init(&body, 1 << 20);
	protobuf_put_u64(&body, 1, 2 * (bundles[0].len + 8));
	for (size_t i = 0; i < 3; i++) protobuf_put_message(&body, 2, bundles[i]);
	protobuf_put_u64(&body, 5, 1);
	const struct bytes answer = ask(&running, ABCI_PREPARE_PROPOSAL, buf_view(&body));
	assert_int_equal(count_of(answer, 1), 2);
	assert_true(bytes_equal(field_of(answer, 1).bytes, bundles[1]));
	buf_fini(&body);
	close_node(&running);
}

static struct bytes await_bundle(struct running *running, size_t index) {
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&running->lock);
	int result = 0;
	while (running->sent_count <= index && result == 0)
		result = pthread_cond_timedwait(&running->came, &running->lock, &until);
	assert_true(running->sent_count > index);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&running->sent[index]));
	pthread_mutex_unlock(&running->lock);
	return kept;
}

static void add(struct running *running, size_t account, uint64_t nonce) {
	hash32 hash;
	enum tx_verdict verdict;
	assert_int_equal(ledger_add(&running->world, &hash, transfer(running, account, nonce), &verdict), POOL_OK);
}

static void what_the_pool_takes_in_is_sent_once(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	add(&running, 0, 0);
	const struct bytes first = await_bundle(&running, 0);
	add(&running, 0, 1);
	const struct bytes second = await_bundle(&running, 1);
	const struct bytes both[] = {first, second}, expected[] = {one(&running, 0, 0), one(&running, 0, 1)};
	assert_true(bytes_equal(first, expected[0]));
	assert_true(bytes_equal(second, expected[1]));
	decide(&running, 1, both, 2);
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static void what_a_block_left_out_is_sent_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	add(&running, 0, 0);
	const struct bytes first = await_bundle(&running, 0);
	add(&running, 0, 1);
	const struct bytes second = await_bundle(&running, 1);
	decide(&running, 1, &second, 1); /* its nonce is too high, so nothing stands in a block */
	assert_int_equal(head_header(&running).number, 0);
	const struct bytes again = await_bundle(&running, 2);
	assert_true(bytes_equal(again, second));
	const struct bytes both[] = {again, first};
	decide(&running, 2, both, 2);
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static void a_replacement_is_sent_although_its_place_is_under_way(void **state) {
	(void)state;
	struct running running;
	hash32 hash;
	enum tx_verdict verdict;
	const addr20 to = {{0xbb}};
	open_node(&running);
	add(&running, 0, 0);
	const struct bytes first = await_bundle(&running, 0);
	struct transaction tx = ledger_transfer(0, &to, 5, 2 * GWEI);
	tx.max_priority_fee_wei = tx.max_fee_wei;
	const struct bytes envelope = ledger_sign(&running.world, &tx, 0);
	assert_int_equal(ledger_add(&running.world, &hash, envelope, &verdict), POOL_OK);
	const struct bytes second = await_bundle(&running, 1), expected = bundle_of(&running, &envelope, 1);
	assert_true(bytes_equal(second, expected));
	/* Both are decided, the later one first: what stands first wins, and the pool is empty. */
	const struct bytes both[] = {second, first};
	decide(&running, 1, both, 2);
	assert_int_equal(head_header(&running).gas_used, 21000);
	const u256 paid = ledger_balance(&running.world, &to);
	assert_true(u256_equal(&paid, &tx.value_wei));
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static void what_comet_did_not_take_is_sent_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	running.refuses = true;
	add(&running, 0, 0);
	pthread_mutex_lock(&running.lock);
	running.refuses = false;
	pthread_mutex_unlock(&running.lock);
	const struct bytes bundle = await_bundle(&running, 0), expected = one(&running, 0, 0);
	assert_true(bytes_equal(bundle, expected));
	close_node(&running);
}

/* Pieces of frames, and frames that are glued together, are the same requests. */
static void frames_may_come_in_pieces(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const char echo[] = "\x06\x0a\x04\x0a\x02hi", flush[] = "\x02\x12\x00";
	for (size_t i = 0; i < sizeof echo - 1; i++) assert_int_equal(send(running.fd, echo + i, 1, 0), 1);
	uint8_t got[32];
	assert_int_equal(recv(running.fd, got, 7, MSG_WAITALL), 7);
	assert_memory_equal(got, "\x06\x12\x04\x0a\x02hi", 7);
	char many[30];
	for (size_t i = 0; i < 10; i++) memcpy(many + 3 * i, flush, 3);
	assert_int_equal(send(running.fd, many, sizeof many, 0), sizeof many);
	assert_int_equal(recv(running.fd, got, 30, MSG_WAITALL), 30);
	for (size_t i = 0; i < 10; i++) assert_memory_equal(got + 3 * i, "\x02\x1a\x00", 3);
	close_node(&running);
}

static void an_unknown_request_gets_an_exception_and_the_connection_ends(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes text = field_of(ask_for(&running, (enum abci_kind)18, (struct bytes){0}, 1), 1).bytes;
	assert_int_equal(text.len, strlen("ABCI request 18 is not known here"));
	uint8_t byte;
	assert_int_equal(recv(running.fd, &byte, 1, 0), 0);
	close_node(&running);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_chain_begins_with_the_hash_of_its_genesis),
	    cmocka_unit_test(another_chains_genesis_stops_the_node),
	    cmocka_unit_test(a_decided_bundle_becomes_the_block_that_solo_would_make),
	    cmocka_unit_test(an_empty_decision_changes_nothing),
	    cmocka_unit_test(bundles_that_overtake_each_other_do_no_harm),
	    cmocka_unit_test(a_crash_before_the_commit_comes_to_the_same_bytes),
	    cmocka_unit_test(a_comet_that_comes_back_decides_again),
	    cmocka_unit_test(a_height_out_of_turn_stops_the_node),
	    cmocka_unit_test(what_is_no_bundle_is_refused),
	    cmocka_unit_test(a_proposal_keeps_bundles_whole_and_within_its_bytes),
	    cmocka_unit_test(what_the_pool_takes_in_is_sent_once),
	    cmocka_unit_test(what_a_block_left_out_is_sent_again),
	    cmocka_unit_test(a_replacement_is_sent_although_its_place_is_under_way),
	    cmocka_unit_test(what_comet_did_not_take_is_sent_again),
	    cmocka_unit_test(frames_may_come_in_pieces),
	    cmocka_unit_test(an_unknown_request_gets_an_exception_and_the_connection_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
