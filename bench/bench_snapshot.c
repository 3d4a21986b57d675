/*
 * A snapshot of a large state (rows.h) is made, and taken into an empty chain, as a node does both: how long each takes
 * with one thread, and how large it is. What CometBFT adds between the two is the way over the network.
 *
 * Usage: bench_snapshot DIR OUT [MEMORY MIB]. DIR is what bench_populate left; OUT/snapshot and OUT/chaindata are made.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "ledger/snapshot/load.h"
#include "ledger/snapshot/make.h"

#define PATH_BYTES 4096u

static void check(enum status status, const struct err *err) {
	if (status == STATUS_OK) return;
	fprintf(stderr, "%s: %s\n", status_text(status), err->message);
	exit(1);
}

static void report(const char *what, double since_s, double since_cpu_s) {
	printf("%-6s %7.1f s  cpu %6.1f s  rss %llu MB\n", what, rows_now_s() - since_s,
	    rows_process_cpu_s() - since_cpu_s, (unsigned long long)rows_proc("/proc/self/status", "VmRSS") / 1024);
	fflush(stdout);
}

static void make(struct rows_ledger *from, const char *folder) {
	struct store_snapshot *view = store_snapshot_new(from->store);
	struct chain_head *head = chain_head(from->chain);
	const struct snapshot_source source = {.chain = from->chain,
	    .store = from->store,
	    .view = view,
	    .number = head->header.number,
	    .height = head->header.number};
	chain_head_release(head);
	check(snapshot_make(&source, folder, &from->err), &from->err);
	store_snapshot_free(from->store, view);
}

static struct bytes read_file(struct buf *out, const char *folder, const char *name) {
	char path[PATH_BYTES];
	struct err err;
	buf_clear(out);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	check(files_read(out, path, &err), &err);
	return buf_view(out);
}

static uint64_t load(struct rows_ledger *to, const char *folder, const hash32 *block) {
	struct snapshot_load *loading;
	struct buf manifest, chunk;
	uint64_t bytes = 0;
	buf_init(&manifest, BUF_MAX_DEFAULT);
	buf_init(&chunk, BUF_MAX_DEFAULT);
	const struct bytes named = read_file(&manifest, folder, "manifest");
	check(snapshot_load_begin(&loading, to->chain, to->store, named, block, &to->err), &to->err);
	for (size_t i = 0; !snapshot_load_is_whole(loading); i++) {
		char name[24];
		snprintf(name, sizeof name, "%zu", i);
		const struct bytes content = read_file(&chunk, folder, name);
		bytes += content.len;
		if (!snapshot_load_knows(loading, i, content)) exit(1);
		check(snapshot_load_chunk(loading, content, &to->err), &to->err);
	}
	check(snapshot_load_finish(loading, NULL, 0, &to->err), &to->err);
	snapshot_load_free(loading);
	buf_fini(&manifest);
	buf_fini(&chunk);
	return bytes;
}

static void open_empty(struct rows_ledger *to, struct rows_ledger *from, const char *path, uint64_t memory_mib) {
	const struct store_options store = {.memory_bytes = memory_mib << 20, .create_if_missing = true};
	const struct chain_options chain = {.genesis_json = genesis_json(chain_genesis(from->chain))};
	check(store_open(&to->store, path, &store, &to->err), &to->err);
	check(chain_open(&to->chain, to->store, &chain, &to->err), &to->err);
}

int main(int argc, char **argv) {
	char folder[PATH_BYTES], chaindata[PATH_BYTES];
	struct rows_ledger from, to;
	if (argc < 3) {
		fprintf(stderr, "usage: bench_snapshot DIR OUT [MEMORY MIB]\n");
		return 2;
	}
	const uint64_t memory_mib = argc > 3 ? strtoull(argv[3], NULL, 10) : 256;
	rows_open(&from, argv[1], memory_mib);
	check(files_make_folder(argv[2], &from.err), &from.err);
	snprintf(folder, sizeof folder, "%s/snapshot", argv[2]);
	snprintf(chaindata, sizeof chaindata, "%s/chaindata", argv[2]);
	double start_s = rows_now_s(), start_cpu_s = rows_process_cpu_s();
	make(&from, folder);
	report("made", start_s, start_cpu_s);
	open_empty(&to, &from, chaindata, memory_mib);
	struct chain_head *head = chain_head(from.chain);
	const hash32 block = head->hash;
	chain_head_release(head);
	start_s = rows_now_s(), start_cpu_s = rows_process_cpu_s();
	const uint64_t bytes = load(&to, folder, &block);
	report("loaded", start_s, start_cpu_s);
	printf("bytes  %llu\n", (unsigned long long)bytes);
	rows_close(&to);
	rows_close(&from);
	return 0;
}
