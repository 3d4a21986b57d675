/*
 * kill -9 at random moments: no receipt that was shown and no transaction hash that was returned may be lost.
 *
 * Each round a child opens the same folder, takes in transfers on two threads, seals, and reports to its parent through
 * a pipe each hash that pool_add returned and each receipt that it could read. The parent kills it with SIGKILL at a
 * random moment. Another child then opens the folder: every receipt reported must be in the chain; every hash reported
 * in the chain or the pool; and the state's root, made anew from every leaf, must be the head's. CRASH_ROUNDS: how many
 * rounds (default 20). CRASH_SEED: repeats a run's moments as far as scheduling lets it.
 */
#include "tests/unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "ledger/consensus/solo.h"

#include "tests/ledger_world.h"

enum { SENDERS = 2, MESSAGE_BYTES = 33, LIFE_MS_MIN = 30, LIFE_MS_MAX = 500 };

/* What the children reported: a kind, 'H' (hash returned) or 'R' (receipt read), and the hash. */
struct reported {
	uint8_t (*messages)[MESSAGE_BYTES];
	size_t count, cap;
};

static uint64_t now_ms(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const struct clock_source real_clock = {.now_ms = now_ms, .monotonic_ns = monotonic_ns};

/* --- the child that dies --- */

struct writer {
	struct ledger_world *world;
	int pipe;
	size_t account;
};

static void report(int pipe, char kind, const hash32 *hash) {
	uint8_t message[MESSAGE_BYTES];
	message[0] = (uint8_t)kind;
	memcpy(message + 1, hash->b, 32);
	if (write(pipe, message, sizeof message) != sizeof message) _exit(3);
}

static bool receipt_is_there(struct chain *chain, const hash32 *hash) {
	uint64_t number;
	uint32_t index;
	struct header header;
	hash32 block;
	struct mined_receipt mined;
	struct arena arena;
	arena_init(&arena);
	const bool there = chain_find_tx(chain, &number, &index, hash, NULL) == STATUS_OK &&
			   chain_header_by_number(chain, &header, &block, number, NULL) == STATUS_OK &&
			   chain_receipt(chain, &mined, &arena, number, &block, index, NULL) == STATUS_OK &&
			   mined.receipt.success;
	arena_fini(&arena);
	return there;
}

/* Sends as quickly as the pool takes, and reads the receipt of the one sent before. */
static void *write_transfers(void *context) {
	const struct writer *writer = context;
	struct ledger_world *world = writer->world;
	const addr20 sender = ledger_address(writer->account), to = {{0xcc}};
	const hash32 secret = ledger_secret(writer->account);
	hash32 waiting[64];
	size_t waiting_count = 0;
	for (;;) {
		struct arena arena;
		struct err err;
		enum pool_verdict verdict;
		enum tx_verdict tx_verdict;
		uint64_t nonce;
		hash32 hash;
		arena_init(&arena);
		if (pool_next_nonce(world->pool, &nonce, &sender, &err) != STATUS_OK) _exit(4);
		struct transaction tx = ledger_transfer(nonce, &to, 1, 0);
		if (transaction_sign(&tx, &arena, &secret, &err) != STATUS_OK) _exit(4);
		if (pool_add(world->pool, &hash, &verdict, &tx_verdict, tx.raw, &err) != STATUS_OK) _exit(5);
		arena_fini(&arena);
		if (verdict == POOL_OK) report(writer->pipe, 'H', &hash);
		if (verdict == POOL_OK && waiting_count < 64) waiting[waiting_count++] = hash;
		for (size_t i = 0; i < waiting_count;) {
			if (!receipt_is_there(world->chain, &waiting[i])) {
				i++;
				continue;
			}
			report(writer->pipe, 'R', &waiting[i]);
			waiting[i] = waiting[--waiting_count];
		}
	}
	return NULL;
}

static void live(struct ledger_world *world, int pipe) {
	struct engine *engine;
	pthread_t threads[SENDERS];
	struct writer writers[SENDERS];
	const struct solo_options options = {.sealer_secret = ledger_secret(7), .automine = true, .clock = &real_clock};
	ledger_start(world);
	if (solo_new(&engine, world->chain, world->pool, &options, &world->err) != STATUS_OK) _exit(6);
	for (size_t i = 0; i < SENDERS; i++) {
		writers[i] = (struct writer){.world = world, .pipe = pipe, .account = i};
		if (pthread_create(&threads[i], NULL, write_transfers, &writers[i]) != 0) _exit(6);
	}
	const enum status status = engine_run(engine, &world->err);
	fprintf(stderr, "sealing stopped: %s: %s\n", status_text(status), world->err.message);
	_exit(7);
}

/* --- the child that looks --- */

static bool is_known(struct ledger_world *world, const hash32 *hash) {
	struct arena arena;
	struct transaction tx;
	addr20 sender;
	arena_init(&arena);
	const bool known = receipt_is_there(world->chain, hash) || pool_find(world->pool, &tx, &sender, &arena, hash);
	arena_fini(&arena);
	return known;
}

static void look(struct ledger_world *world, const struct reported *reported) {
	size_t lost_receipts = 0, lost_hashes = 0;
	hash32 root;
	ledger_start(world);
	for (size_t i = 0; i < reported->count; i++) {
		hash32 hash;
		memcpy(hash.b, reported->messages[i] + 1, 32);
		if (reported->messages[i][0] == 'R')
			lost_receipts += !receipt_is_there(world->chain, &hash);
		else
			lost_hashes += !is_known(world, &hash);
	}
	struct chain_head *head = chain_head(world->chain);
	const bool same = state_root_rebuild(&root, world->store, NULL, &world->err) == STATUS_OK &&
			  hash32_equal(&root, &head->header.state_root);
	if (lost_receipts > 0 || lost_hashes > 0 || !same)
		fprintf(stderr, "block %llu: %zu receipts and %zu hashes lost; root %s\n",
		    (unsigned long long)head->header.number, lost_receipts, lost_hashes, same ? "good" : "wrong");
	chain_head_release(head);
	ledger_end(world);
	_exit(lost_receipts == 0 && lost_hashes == 0 && same ? 0 : 1);
}

/* --- the parent --- */

/* One message; false at the pipe's end. */
static bool read_reported(struct reported *reported, int pipe) {
	if (reported->count == reported->cap) {
		reported->cap = reported->cap == 0 ? 4096 : 2 * reported->cap;
		reported->messages = mem_realloc(reported->messages, reported->cap * MESSAGE_BYTES);
	}
	const ssize_t got = read(pipe, reported->messages[reported->count], MESSAGE_BYTES);
	if (got == 0) return false;
	assert_int_equal(got, MESSAGE_BYTES); /* below PIPE_BUF: whole or not at all */
	reported->count++;
	return true;
}

static void one_round(struct ledger_world *world, struct reported *reported, unsigned *seed) {
	int pipes[2], exit_status;
	assert_int_equal(pipe(pipes), 0);
	const pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		close(pipes[0]);
		live(world, pipes[1]);
	}
	close(pipes[1]);
	const uint64_t end_ms = now_ms(NULL) + LIFE_MS_MIN + (uint64_t)rand_r(seed) % (LIFE_MS_MAX - LIFE_MS_MIN);
	for (uint64_t at_ms = now_ms(NULL); at_ms < end_ms; at_ms = now_ms(NULL)) {
		struct pollfd ready = {.fd = pipes[0], .events = POLLIN};
		if (poll(&ready, 1, (int)(end_ms - at_ms)) > 0) assert_true(read_reported(reported, pipes[0]));
	}
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &exit_status, 0), writer);
	assert_true(WIFSIGNALED(exit_status)); /* it had not ended by itself */
	while (read_reported(reported, pipes[0])) continue;
	close(pipes[0]);

	const pid_t reader = fork();
	assert_true(reader >= 0);
	if (reader == 0) look(world, reported);
	assert_int_equal(waitpid(reader, &exit_status, 0), reader);
	assert_true(WIFEXITED(exit_status));
	assert_int_equal(WEXITSTATUS(exit_status), 0);
}

static void nothing_shown_is_lost(void **state) {
	(void)state;
	struct ledger_world world = {.rules.zero_base_fee = true};
	struct reported reported = {0};
	const char *rounds_text = getenv("CRASH_ROUNDS"), *seed_text = getenv("CRASH_SEED");
	const size_t rounds = rounds_text != NULL ? strtoul(rounds_text, NULL, 10) : 20;
	unsigned seed = seed_text != NULL ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)now_ms(NULL);
	arena_init(&world.arena);
	strcpy(world.directory, "/tmp/xinglin-crash-XXXXXX");
	assert_non_null(mkdtemp(world.directory));
	snprintf(world.journal, sizeof world.journal, "%s.journal", world.directory);
	snprintf(world.sidecars, sizeof world.sidecars, "%s.sidecars", world.directory);
	printf("seed %u, %zu rounds\n", seed, rounds);
	for (size_t i = 0; i < rounds; i++) one_round(&world, &reported, &seed);
	size_t receipts = 0;
	for (size_t i = 0; i < reported.count; i++) receipts += reported.messages[i][0] == 'R';
	printf("%zu hashes and %zu receipts reported in %zu rounds; none lost\n", reported.count - receipts, receipts,
	    rounds);
	assert_true(receipts > 0);
	mem_free(reported.messages);
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_shown_is_lost)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
