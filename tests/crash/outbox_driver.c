/*
 * A program that is killed: it hands transactions to an outbox as quickly as it takes them, and says on standard output
 * which were accepted. tests/process/test_outbox.py kills it, starts it again on the same journal, and counts on the
 * chain.
 *
 *	outbox_driver URL JOURNAL SECRET FIRST COUNT [waiting]
 *
 * Intent number n, from FIRST on, is a transaction with be32(n) as calldata. COUNT 0: only finishes what an earlier run
 * left, and ends. "waiting": eight threads each wait for the receipt of one before they hand over the next.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/system.h"
#include "app/threads.h"
#include "codec/hex.h"
#include "health/chain/outbox.h"
#include "net/http_client.h"

static const addr20 sink = {.b = {0x51, 0x4b}};

static int fail(const char *what, const struct err *err) {
	fprintf(stderr, "outbox_driver: %s: %s\n", what, err->message);
	return 1;
}

static void *run(void *context) {
	outbox_run(context);
	return NULL;
}

/* --- threads that wait --- */

enum { WAITERS = 8 };

struct waiters {
	struct outbox *outbox;
	atomic_uint next, end;
	atomic_bool failed;
};

static void *wait_for_each(void *context) {
	struct waiters *waiters = context;
	for (uint32_t n; (n = atomic_fetch_add(&waiters->next, 1)) < waiters->end;) {
		struct outbox_result result;
		struct err err = {0};
		struct arena arena;
		uint8_t data[4];
		store_be32(data, n);
		const struct outbox_entry entry = {.to = &sink,
		    .data = bytes_make(data, sizeof data),
		    .deadline_ms = clock_now_ms(&world_clock) + 30000};
		arena_init(&arena);
		enum status status = outbox_send(waiters->outbox, &result, &arena, &entry, &err);
		arena_fini(&arena);
		if (status != STATUS_OK || result.end != OUTBOX_DONE) waiters->failed = fail("send", &err);
		printf("done %u\n", n);
	}
	return NULL;
}

static int load_waiting(struct outbox *outbox, uint32_t first, uint32_t count) {
	struct waiters waiters = {.outbox = outbox, .next = first, .end = first + count};
	pthread_t threads[WAITERS];
	for (int i = 0; i < WAITERS; i++)
		if (pthread_create(&threads[i], NULL, wait_for_each, &waiters) != 0) return 1;
	for (int i = 0; i < WAITERS; i++) pthread_join(threads[i], NULL);
	return waiters.failed;
}

/* --- one that does not --- */

/* The line is out before the next intent is handed over. */
static int load(struct outbox *outbox, uint32_t first, uint32_t count, struct err *err) {
	for (uint32_t n = first; n < first + count; n++) {
		uint8_t data[4];
		store_be32(data, n);
		const struct outbox_entry entry = {.to = &sink, .data = bytes_make(data, sizeof data)};
		printf("offered %u\n", n);
		fflush(stdout);
		if (outbox_submit(outbox, &entry, err) != STATUS_OK) return fail("submit", err);
		printf("accepted %u\n", n);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv) {
	struct err err = {0};
	struct http_client http;
	struct client *client;
	struct outbox *outbox;
	hash32 secret;
	pthread_t runner;
	const addr20 no_node = {{0}};
	const hash32 no_genesis = {{0}};
	if (argc < 6 || argc > 7 || hex_fixed(secret.b, 32, bytes_text(argv[3])) != STATUS_OK) return 2;
	world_start(LOG_WARN);
	http_client_global_init();
	if (http_client_open(&http, &(struct http_client_options){0}, &err) != STATUS_OK) return fail("http", &err);
	const struct client_options options = {
	    .url = argv[1], .http = &http, .clock = &world_clock, .sleep_ms = world_sleep_ms};
	if (client_open(&client, &options, &err) != STATUS_OK) return fail("node", &err);
	const uint32_t count = (uint32_t)strtoul(argv[5], NULL, 10);
	const struct outbox_options box = {.client = client,
	    .secret = &secret,
	    .node = &no_node,
	    .genesis = &no_genesis,
	    .random = &world_random,
	    .journal_path = argv[2],
	    .threads = count ? &system_threads : NULL};
	if (outbox_open(&outbox, &box, &err) != STATUS_OK) return fail("outbox", &err);
	int code = 0;
	if (count) {
		if (pthread_create(&runner, NULL, run, outbox) != 0) return 1;
		const uint32_t first = (uint32_t)strtoul(argv[4], NULL, 10);
		code = argc == 7 ? load_waiting(outbox, first, count) : load(outbox, first, count, &err);
		outbox_stop(outbox);
		pthread_join(runner, NULL);
	} else if (outbox_drain(outbox, clock_now_ms(&world_clock) + 60000, &err) != STATUS_OK) {
		code = fail("drain", &err);
	}
	outbox_close(outbox);
	client_close(client);
	http_client_close(&http);
	return code;
}
