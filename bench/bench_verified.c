/*
 * Verified reads (health/chain/verified.h) of a running node: each read takes a fresh head, by a challenge, and proves
 * ten words of three contracts in its state: what a folder's head, an actor's key and a grant take. The head is kept in
 * a file, as a home keeps it. With --new-heads a block is mined before each read (a development chain's evm_mine; not
 * in the time), so that each head is new, is shown to descend from the last one, and is written to the disk.
 *
 * Usage: bench_verified URL DEPLOYMENT.json FOLDER SECONDS [--new-heads]
 * Prints one line of JSON: reads, perS, p50ms, p99ms, bytes (of the answers, a read).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/files.h"
#include "health/chain/verified.h"
#include "net/http_client.h"

#define SAMPLES_MAX 1000000u
#define WORDS 10u

struct bench {
	struct deployment anchor;
	struct http_client http;
	struct http_client inner;
	uint64_t bytes;
	const char *folder;
	struct client *client;
	struct heads *heads;
};

static void check(enum status status, const struct err *err) {
	if (status == STATUS_OK) return;
	fprintf(stderr, "bench_verified: %s\n", err->message);
	exit(1);
}

/* --- the world --- */

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

static void fill(void *context, uint8_t *out, size_t len) {
	(void)context;
	if (getrandom(out, len, 0) != (ssize_t)len) abort();
}

static const struct clock_source the_clock = {now_ms, monotonic_ns, NULL};
static const struct random_source the_random = {fill, NULL};

static enum status counted(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	struct bench *bench = context;
	TRY(bench->inner.exchange(bench->inner.context, response, method, url, headers, body, err));
	bench->bytes += response->body.len;
	return STATUS_OK;
}

static void path_of(char out[512], const struct bench *bench, const char *name) {
	snprintf(out, 512, "%s/%s", bench->folder, name);
}

static enum status get(void *context, struct buf *out, const char *name, struct err *err) {
	char path[512];
	path_of(path, context, name);
	return files_read(out, path, err);
}

static enum status update(void *context, const char *name,
    enum status (*change)(void *change_context, struct buf *text, bool *changed, struct err *err), void *change_context,
    struct err *err) {
	char path[512];
	struct buf text;
	bool changed = false;
	path_of(path, context, name);
	buf_init(&text, 1 << 14);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_NOTFOUND) status = STATUS_OK;
	if (status == STATUS_OK) status = change(change_context, &text, &changed, err);
	if (status == STATUS_OK && changed) status = files_write(path, buf_view(&text), err);
	buf_fini(&text);
	return status;
}

/* --- reading --- */

/* Words of mappings, where those of a folder, an actor and a grant stand. */
static void read_once(struct bench *bench, uint64_t round) {
	struct err err;
	struct arena arena;
	struct verified verified;
	hash32 words[WORDS];
	struct verified_want wants[WORDS];
	const addr20 *contracts[] = {&bench->anchor.folders, &bench->anchor.directory, &bench->anchor.consent};
	static const unsigned counts[] = {4, 4, 2};
	size_t at = 0;
	for (size_t c = 0; c < 3; c++) {
		hash32 place = {{(uint8_t)c}};
		store_be64(place.b + 24, round);
		for (unsigned i = 0; i < counts[c]; i++)
			wants[at++] = (struct verified_want){contracts[c], contract_slot_after(&place, i)};
	}
	arena_init(&arena);
	verified_begin(&verified, bench->heads, bench->client, &arena);
	check(verified_head(&verified, HEADS_FRESH, &err), &err);
	check(verified_words(&verified, words, wants, WORDS, &err), &err);
	arena_fini(&arena);
}

static void mine(struct bench *bench) {
	struct err err;
	struct arena arena;
	const struct json *result;
	arena_init(&arena);
	check(client_rpc(bench->client, &result, NULL, &arena, "evm_mine", BYTES_LITERAL("[]"), &err), &err);
	arena_fini(&arena);
}

static int compare(const void *a, const void *b) {
	const double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static void run(struct bench *bench, double seconds, bool new_heads) {
	double *samples = mem_zalloc(SAMPLES_MAX, sizeof *samples), total_ms = 0;
	size_t count = 0;
	bench->bytes = 0;
	uint64_t bytes = 0;
	while (total_ms < seconds * 1000 && count < SAMPLES_MAX) {
		if (new_heads) mine(bench);
		bench->bytes = 0;
		const uint64_t begun_ns = monotonic_ns(NULL);
		read_once(bench, count);
		samples[count] = (double)(monotonic_ns(NULL) - begun_ns) / 1e6;
		bytes += bench->bytes;
		total_ms += samples[count++];
	}
	qsort(samples, count, sizeof *samples, compare);
	printf("{\"reads\":%zu,\"perS\":%.0f,\"p50ms\":%.3f,\"p99ms\":%.3f,\"bytes\":%.0f}\n", count,
	    1000 * (double)count / total_ms, samples[count / 2], samples[count * 99 / 100],
	    (double)bytes / (double)count);
	mem_free(samples);
}

int main(int argc, char **argv) {
	static struct bench bench;
	struct err err;
	struct buf text;
	if (argc < 5) {
		fprintf(stderr, "usage: bench_verified URL DEPLOYMENT.json FOLDER SECONDS [--new-heads]\n");
		return 2;
	}
	bench.folder = argv[3];
	buf_init(&text, 1 << 16);
	check(files_read(&text, argv[2], &err), &err);
	check(deployment_parse(&bench.anchor, buf_view(&text), &err), &err);
	buf_fini(&text);
	http_client_global_init();
	check(http_client_open(&bench.inner, &(struct http_client_options){0}, &err), &err);
	bench.http = (struct http_client){.exchange = counted, .context = &bench};
	const struct client_options client = {.url = argv[1], .http = &bench.http, .clock = &the_clock};
	check(client_open(&bench.client, &client, &err), &err);
	const struct head_store store = {get, update, &bench};
	const struct heads_options options = {
	    .anchor = &bench.anchor, .store = &store, .clock = &the_clock, .random = &the_random};
	check(heads_open(&bench.heads, &options, &err), &err);
	run(&bench, strtod(argv[4], NULL), argc > 5 && strcmp(argv[5], "--new-heads") == 0);
	heads_close(bench.heads);
	client_close(bench.client);
	http_client_close(&bench.inner);
	return 0;
}
