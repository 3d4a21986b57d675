/*
 * The commit path of the ledger's state: S fresh slots of one contract and S / 5 sender accounts a block, overlay to
 * durable rows. For each S: rows and slots a second, and where the time of a block goes.
 *
 * Usage: bench_state [DIRECTORY [MILLIONS OF SLOTS BEFORE]]. The directory is made, and must not exist.
 */
#include "crypto/hash.h"
#include "ledger/state/commitment.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SENDERS 100000u

struct bench {
	struct store *store;
	struct store_batch *batch;
	struct state *state;
	struct trie_cache *cache;
	struct trie_updates *updates;
	struct err err;
	uint64_t number; /* of the next block */
	uint64_t random;
	size_t batch_bytes;
	double overlay_ms, diff_ms, root_ms, write_ms, commit_ms;
};

static double now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void) {
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void check(struct bench *bench, enum status status) {
	if (status == STATUS_OK) return;
	fprintf(stderr, "bench_state: %s: %s\n", status_text(status), bench->err.message);
	exit(1);
}

static uint64_t next_random(struct bench *bench) {
	bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
	return bench->random >> 16;
}

/* Of this thread alone: what others do on the machine, or in RocksDB's background, is not in it. */
static double thread_cpu_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Adds the CPU time since *since to *sum, and starts anew. */
static void lap(double *sum, double *since) {
	double now = thread_cpu_ms();
	*sum += now - *since;
	*since = now;
}

static void fill_overlay(struct bench *bench, uint32_t slots) {
	addr20 contract = {{0xc0}};
	check(bench, state_set_nonce(bench->state, &contract, 1));
	u256 one = u256_from(1);
	for (uint32_t i = 0; i < slots; i++) {
		u256 slot = u256_from(next_random(bench)), value = u256_from(next_random(bench) | 1);
		slot.w[2] = next_random(bench);
		value.w[3] = next_random(bench);
		check(bench, state_set_storage(bench->state, &contract, &slot, &value));
		if (i % 5) continue;
		addr20 sender = {{0x5e}};
		store_be64(sender.b + 12, next_random(bench) % SENDERS);
		uint64_t nonce;
		check(bench, state_get_nonce(bench->state, &nonce, &sender));
		check(bench, state_set_nonce(bench->state, &sender, nonce + 1));
		check(bench, state_add_balance(bench->state, &sender, &one));
		check(bench, state_end_transaction(bench->state, true));
	}
	check(bench, state_end_transaction(bench->state, true));
}

static double run_block(struct bench *bench, uint32_t slots, bool durable) {
	struct state_view *view;
	struct state_diff diff;
	hash32 root;
	double start = now_ms(), since = thread_cpu_ms();
	check(bench, state_view_open(&view, bench->store, true, 0, &bench->err));
	struct state_source source = state_view_source(view);
	state_reset(bench->state, &source);
	fill_overlay(bench, slots);
	lap(&bench->overlay_ms, &since);
	check(bench, state_get_diff(bench->state, &diff));
	lap(&bench->diff_ms, &since);
	check(bench, state_root(&root, &diff, bench->updates, view, &bench->err));
	lap(&bench->root_ms, &since);
	store_batch_clear(bench->batch);
	check(bench, state_write(bench->batch, bench->store, &diff, bench->updates, bench->number++, &bench->err));
	lap(&bench->write_ms, &since);
	bench->batch_bytes = store_batch_bytes(bench->batch);
	check(bench, store_commit(bench->store, bench->batch, durable, &bench->err));
	trie_updates_committed(bench->updates);
	lap(&bench->commit_ms, &since);
	state_view_close(view);
	return now_ms() - start;
}

static int compare_doubles(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(struct bench *bench, uint32_t slots, uint32_t blocks) {
	double *times = mem_alloc(blocks * sizeof *times);
	bench->overlay_ms = bench->diff_ms = bench->root_ms = bench->write_ms = bench->commit_ms = 0;
	double start = now_ms(), cpu = cpu_ms();
	for (uint32_t i = 0; i < blocks; i++) times[i] = run_block(bench, slots, true);
	double wall = now_ms() - start, all = (double)slots * blocks;
	qsort(times, blocks, sizeof *times, compare_doubles);
	printf("S=%-6u %7.1fk slots/s  cpu %5.1f us/slot  block p50 %7.2f p99 %7.2f ms  batch %zu B/slot\n", slots,
	    all / wall, (cpu_ms() - cpu) * 1e3 / all, times[blocks / 2], times[blocks * 99 / 100],
	    bench->batch_bytes / slots);
	printf("         CPU us/slot: overlay %.1f diff %.1f root %.1f rows %.1f commit %.1f\n",
	    bench->overlay_ms * 1e3 / all, bench->diff_ms * 1e3 / all, bench->root_ms * 1e3 / all,
	    bench->write_ms * 1e3 / all, bench->commit_ms * 1e3 / all);
	fflush(stdout);
	mem_free(times);
}

int main(int argc, char **argv) {
	const char *directory = argc > 1 ? argv[1] : "bench_state.db";
	uint32_t before = (uint32_t)(1e6 * (argc > 2 ? strtod(argv[2], NULL) : 1));
	struct bench bench = {.random = 1};
	struct store_options options = {.memory_bytes = (size_t)1 << 30, .create_if_missing = true};
	check(&bench, store_open(&bench.store, directory, &options, &bench.err));
	bench.batch = store_batch_new();
	bench.cache = trie_cache_new((size_t)256 << 20);
	bench.updates = trie_updates_new(bench.cache);
	bench.state = state_new(NULL, &bench.err);
	double start = now_ms();
	for (uint32_t done = 0; done < before; done += 20000) run_block(&bench, 20000, false);
	printf("%u slots before, in %.1f s\n", before, (now_ms() - start) / 1e3);
	measure(&bench, 100, 500);
	measure(&bench, 2000, 100);
	measure(&bench, 20000, 20);
	hash32 root;
	start = now_ms();
	check(&bench, state_root_rebuild(&root, bench.store, NULL, &bench.err));
	printf("full rebuild and check: %.1f s\n", (now_ms() - start) / 1e3);
	state_free(bench.state);
	trie_updates_free(bench.updates);
	trie_cache_free(bench.cache);
	store_batch_free(bench.batch);
	start = now_ms();
	store_close(bench.store);
	printf("close: %.0f ms\n", now_ms() - start);
	start = now_ms();
	check(&bench, store_open(&bench.store, directory, &options, &bench.err));
	printf("open: %.0f ms\n", now_ms() - start);
	store_close(bench.store);
	return 0;
}
