/*
 * A node with the CometBFT engine, and the CometBFT that a test plays: its requests over the node's socket, and what
 * the engine asks of it. Header-only; include after tests/unit.h.
 */
#ifndef TESTS_SCRIPTED_COMET_H
#define TESTS_SCRIPTED_COMET_H

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "codec/protobuf.h"
#include "comet/light.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/consensus/abci.h"
#include "ledger/consensus/bundle.h"
#include "ledger/consensus/comet.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull
enum { PATIENCE_MS = 20000, TIME_S = 1800000000 };

static inline uint64_t now_ms(void *context) {
	(void)context;
	return (uint64_t)TIME_S * 1000;
}

static inline uint64_t monotonic_ns(void *context) {
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
	char socket[80];
	int fd; /* the test's end */

	pthread_mutex_t lock; /* of what the bundler sent */
	pthread_cond_t came;
	struct buf sent[64];
	size_t sent_count;
	bool refuses;
	size_t refused;
	bool somebody_left;
	uint64_t
	    remembered; /* the height for which this member's key has signed, as it says; its validator is all 0x77 */
	bool has_forgotten;
};

static inline enum status take_bundles(void *context, const struct bytes *bundles, size_t count, struct err *err) {
	struct running *running = context;
	pthread_mutex_lock(&running->lock);
	const bool refuses = running->refuses;
	running->refused += refuses;
	for (size_t i = 0; i < count && !refuses && running->sent_count < 64; i++) {
		struct buf *kept = &running->sent[running->sent_count++];
		buf_init(kept, BUNDLE_BYTES_MAX);
		buf_append(kept, bundles[i]);
	}
	pthread_cond_broadcast(&running->came);
	pthread_mutex_unlock(&running->lock);
	return refuses ? err_set(err, STATUS_IO, "nobody is there") : STATUS_OK;
}

static inline enum status no_light_block(void *context, struct buf *out, uint64_t height, struct err *err) {
	(void)context, (void)out, (void)height;
	return err_set(err, STATUS_NOTFOUND, "none");
}

static inline void somebody_left(void *context) {
	struct running *running = context;
	running->somebody_left = true;
}

static inline bool remembers(void *context, addr20 *validator, uint64_t *height) {
	const struct running *running = context;
	memset(validator->b, 0x77, sizeof validator->b);
	*height = running->remembered;
	return true;
}

static inline void forgot(void *context) {
	struct running *running = context;
	running->has_forgotten = true;
}

static inline void *run(void *context) {
	struct running *running = context;
	running->status = engine_run(running->engine, &running->err);
	return NULL;
}

static inline void connect_to(struct running *running) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", running->socket);
	running->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(running->fd, (const struct sockaddr *)&address, sizeof address), 0);
}

static inline void start(struct running *running) {
	struct ledger_world *world = &running->world;
	snprintf(running->socket, sizeof running->socket, "%s.sock", world->directory);
	const struct comet_options options = {.socket = running->socket,
	    .clock = &test_clock,
	    .link = {take_bundles, no_light_block, somebody_left, running, remembers, forgot}};
	assert_done(world, comet_new(&running->engine, world->chain, world->pool, world->store, &options, &world->err));
	connect_to(running);
	assert_int_equal(pthread_create(&running->thread, NULL, run, running), 0);
}

static inline void open_by(struct running *running, struct ledger_rules rules) {
	*running = (struct running){0};
	pthread_mutex_init(&running->lock, NULL);
	pthread_cond_init(&running->came, NULL);
	ledger_open_by(&running->world, rules);
	start(running);
}

static inline void open_node(struct running *running) {
	open_by(running, (struct ledger_rules){.equal_timestamps = true, .zero_base_fee = true});
}

static inline void stop(struct running *running, enum status expected) {
	engine_stop(running->engine);
	pthread_join(running->thread, NULL);
	assert_int_equal(running->status, expected);
	engine_free(running->engine);
	close(running->fd);
}

static inline void close_node(struct running *running) {
	stop(running, STATUS_OK);
	for (size_t i = 0; i < running->sent_count; i++) buf_fini(&running->sent[i]);
	pthread_mutex_destroy(&running->lock);
	pthread_cond_destroy(&running->came);
	ledger_close(&running->world);
}

/* The node as after kill -9, since only what is in the store is left; and CometBFT connects again. */
static inline void restart(struct running *running) {
	stop(running, STATUS_OK);
	ledger_end(&running->world);
	ledger_start(&running->world);
	start(running);
}

/* --- speaking ABCI --- */

/* Sends a request and gives the answer's body, whose number must be the request's and one more. */
static inline struct bytes ask_for(struct running *running, enum abci_kind kind, struct bytes body, uint32_t answer) {
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

static inline struct bytes ask(struct running *running, enum abci_kind kind, struct bytes body) {
	return ask_for(running, kind, body, (uint32_t)kind + 1);
}

/* The last field of this number: a number, or bytes. */
static inline struct protobuf_field field_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field, found = {0};
	while (protobuf_next(&cursor, &field))
		if (field.number == number) found = field;
	assert_null(cursor.fault);
	return found;
}

static inline size_t count_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	size_t count = 0;
	while (protobuf_next(&cursor, &field)) count += field.number == number;
	return count;
}

static inline uint64_t info_height(struct running *running) {
	return field_of(ask(running, ABCI_INFO, (struct bytes){0}), 4).value;
}

static inline hash32 hash_of(struct bytes view) {
	hash32 hash;
	assert_int_equal(view.len, sizeof hash);
	memcpy(hash.b, view.data, sizeof hash);
	return hash;
}

static inline hash32 info_hash(struct running *running) {
	return hash_of(field_of(ask(running, ABCI_INFO, (struct bytes){0}), 5).bytes);
}

static inline struct bytes init_body(struct running *running, const char *chain_id) {
	struct buf body;
	buf_init(&body, 1 << 16);
	protobuf_put_bytes(&body, 2, bytes_text(chain_id));
	protobuf_put_u64(&body, 6, 1);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&body));
	buf_fini(&body);
	return kept;
}

/* A block with these bundles, as in ProcessProposal and FinalizeBlock. */
static inline struct bytes block_body(
    struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
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

static inline struct bytes finalize(
    struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	return ask(running, ABCI_FINALIZE_BLOCK, block_body(running, height, bundles, count));
}

static inline bool processes(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	return field_of(ask(running, ABCI_PROCESS_PROPOSAL, block_body(running, height, bundles, count)), 1).value == 1;
}

/* Decides and commits a height; gives the application hash. */
static inline hash32 decide(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	const hash32 hash = hash_of(field_of(finalize(running, height, bundles, count), 5).bytes);
	ask(running, ABCI_COMMIT, (struct bytes){0});
	return hash;
}

static inline uint64_t check_tx(struct running *running, struct bytes bundle) {
	struct buf body;
	buf_init(&body, 1 << 21);
	protobuf_put_bytes(&body, 1, bundle);
	const uint64_t code = field_of(ask(running, ABCI_CHECK_TX, buf_view(&body)), 1).value;
	buf_fini(&body);
	return code;
}

/* --- what is in it --- */

static inline struct bytes transfer(struct running *running, size_t account, uint64_t nonce) {
	const addr20 to = {{0xaa}};
	struct transaction tx = ledger_transfer(nonce, &to, 3, GWEI);
	return ledger_sign(&running->world, &tx, account);
}

static inline struct bytes bundle_of(struct running *running, const struct bytes *envelopes, size_t count) {
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

static inline struct bytes one(struct running *running, size_t account, uint64_t nonce) {
	const struct bytes envelope = transfer(running, account, nonce);
	return bundle_of(running, &envelope, 1);
}

static inline struct header head_header(struct running *running) {
	struct chain_head *head = chain_head(running->world.chain);
	const struct header header = head->header;
	chain_head_release(head);
	return header;
}

static inline hash32 head_hash(struct running *running) {
	struct chain_head *head = chain_head(running->world.chain);
	const hash32 hash = head->hash;
	chain_head_release(head);
	return hash;
}

#endif
