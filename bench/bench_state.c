/*
 * Transactions at random places of a large state (rows.h): executed, rooted, written and synced, a block at a time, as
 * a node's executing thread does. Nonces are looked up as its pool would; signatures are not checked, since that is
 * other threads' work.
 *
 * Usage: bench_state DIR MILLIONS KIND TRANSACTIONS [PER BLOCK [MEMORY MIB [warm]]]. DIR is what bench_populate left.
 * `warm`: before, all of the state and its records are read once, into the memory there is. KIND:
 *   transfer  between two of the accounts
 *   fresh     a new record of the large contract: 5 fresh slots, an event of 256 bytes
 *   update    a record of the large contract that is there: 5 slots change
 *   spread    a new record of any of the contracts
 * Senders are random accounts. The folder is changed: work on a copy (cp -l will do for its files).
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>

#define TRANSFER_GAS 21000u
#define RECORD_GAS 250000u
#define FIFTHS 5

enum kind { TRANSFER, FRESH, UPDATE, SPREAD, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"transfer", "fresh", "update", "spread"};

struct bench {
	struct rows_ledger ledger;
	struct rows_plan plan;
	enum kind kind;
	uint64_t random;
	struct arena arena; /* one block's transactions */
	uint64_t done, blocks, dirty_kb_max, rss_kb_max;
	double prepare_s, execute_s, commit_s; /* CPU of this thread */
	double *block_s;
	double fifth_cpu_s[FIFTHS + 1]; /* of the process, where each fifth of the transactions begins */
};

/* SplitMix64. */
static uint64_t next_random(struct bench *bench) {
	uint64_t z = bench->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t below(struct bench *bench, uint64_t limit) {
	return next_random(bench) % limit;
}

static void make_record(struct bench *bench, struct transaction *tx) {
	const uint32_t contract = bench->kind == SPREAD ? (uint32_t)below(bench, ROWS_CONTRACTS) : 0;
	uint8_t *data = arena_zalloc(&bench->arena, ROWS_CALLDATA_BYTES, 1);
	const uint64_t fresh = 1ull << 63 | next_random(bench);
	store_be64(data + 24, bench->kind == UPDATE ? below(bench, bench->plan.large_records) : fresh);
	for (size_t at = 32; at < ROWS_CALLDATA_BYTES; at += 8) store_be64(data + at, next_random(bench));
	tx->to = rows_contract(contract);
	tx->data = bytes_make(data, ROWS_CALLDATA_BYTES);
	tx->gas_limit = RECORD_GAS;
}

/* The signature is of the right shape and nobody's. */
static void make_tx(struct bench *bench, struct transaction *tx, addr20 *sender, const struct chain_head *head) {
	struct account account;
	bool exists;
	struct err *err = &bench->ledger.err;
	*sender = rows_account(below(bench, bench->plan.accounts));
	rows_check(&bench->ledger, state_view_account(head->view, &account, &exists, sender, err));
	*tx = (struct transaction){.type = TX_DYNAMIC_FEE, .has_chain_id = true, .nonce = account.nonce};
	tx->chain_id = genesis_chain_id(chain_genesis(bench->ledger.chain));
	u256_add_overflow(&tx->max_fee_wei, &head->header.base_fee_wei, &head->header.base_fee_wei);
	tx->r = u256_from(next_random(bench));
	tx->s = u256_from(next_random(bench) | 1);
	if (bench->kind == TRANSFER) {
		tx->to = rows_account(below(bench, bench->plan.accounts));
		tx->value_wei = u256_from(1);
		tx->gas_limit = TRANSFER_GAS;
	} else {
		make_record(bench, tx);
	}
	struct buf raw;
	buf_init(&raw, 4096);
	transaction_encode(&raw, tx);
	tx->raw = arena_dup(&bench->arena, buf_view(&raw));
	buf_fini(&raw);
}

static void lap(double *sum, double *since) {
	const double now = rows_thread_cpu_s();
	*sum += now - *since;
	*since = now;
}

static uint64_t larger(uint64_t a, uint64_t b) {
	return a > b ? a : b;
}

static void run_block(struct bench *bench, size_t count) {
	struct pending_block *pending;
	struct rows_ledger *ledger = &bench->ledger;
	const double start = rows_now_s();
	double since = rows_thread_cpu_s();
	arena_reset(&bench->arena);
	struct transaction *txs = arena_alloc(&bench->arena, count * sizeof *txs);
	struct ordered_tx *ordered = arena_zalloc(&bench->arena, count, sizeof *ordered); /* no hashes */
	struct chain_head *head = chain_head(ledger->chain);
	for (size_t i = 0; i < count; i++) {
		ordered[i].tx = &txs[i];
		make_tx(bench, &txs[i], &ordered[i].sender, head);
	}
	chain_head_release(head);
	lap(&bench->prepare_s, &since);
	const struct block_orders orders = {.spacing = SPACING_NONE};
	const struct block_decision decision = {.txs = ordered, .tx_count = count, .orders = &orders};
	rows_check(ledger, chain_execute(ledger->chain, &pending, &decision, &ledger->err));
	lap(&bench->execute_s, &since);
	for (size_t i = 0; i < pending->receipt_count; i++) bench->done += pending->receipts[i].success;
	rows_check(ledger, chain_commit(ledger->chain, pending, NULL, &ledger->err));
	lap(&bench->commit_s, &since);
	bench->block_s[bench->blocks++] = rows_now_s() - start;
	bench->dirty_kb_max = larger(bench->dirty_kb_max, rows_proc("/proc/meminfo", "Dirty"));
	bench->rss_kb_max = larger(bench->rss_kb_max, rows_proc("/proc/self/status", "VmRSS"));
}

static int compare_doubles(const void *a, const void *b) {
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report_tables(struct bench *bench) {
	printf("  table             rows/tx  bytes/tx   files MB\n");
	for (enum store_table table = 0; table < TABLE_COUNT; table++) {
		const struct store_usage usage = store_usage(bench->ledger.store, table);
		if (!usage.rows && !usage.file_bytes) continue;
		printf("  %-16s %8.3f %9.1f %10.1f\n", store_table_name(table),
		    (double)usage.rows / (double)bench->done, (double)usage.bytes / (double)bench->done,
		    (double)usage.file_bytes / 1e6);
	}
}

struct reading {
	double wall_s, cpu_s;
	uint64_t written, read;
};

static struct reading read_meters(void) {
	return (struct reading){rows_now_s(), rows_process_cpu_s(), rows_proc("/proc/self/io", "write_bytes"),
	    rows_proc("/proc/self/io", "read_bytes")};
}

/* `written` is measured once more after the store was closed, when its buffers are on the disk. */
static void report(struct bench *bench, const struct reading *from, const struct reading *to) {
	const double wall = to->wall_s - from->wall_s, txs = (double)bench->done, us = 1e6 / txs;
	const double own = bench->prepare_s + bench->execute_s + bench->commit_s;
	uint64_t rows = 0, bytes = 0;
	for (enum store_table table = 0; table < TABLE_COUNT; table++) {
		const struct store_usage usage = store_usage(bench->ledger.store, table);
		rows += usage.rows;
		bytes += usage.bytes;
	}
	qsort(bench->block_s, bench->blocks, sizeof *bench->block_s, compare_doubles);
	printf("%s: %llu transactions in %llu blocks, %.1f s: %.0f tx/s, %.1fk rows/s\n", kind_names[bench->kind],
	    (unsigned long long)bench->done, (unsigned long long)bench->blocks, wall, txs / wall,
	    (double)rows / wall / 1e3);
	printf("  CPU us/tx: prepare %.1f, execute and root %.1f, commit %.1f, background %.1f, all %.1f\n",
	    bench->prepare_s * us, bench->execute_s * us, bench->commit_s * us, (to->cpu_s - from->cpu_s - own) * us,
	    (to->cpu_s - from->cpu_s) * us);
	printf(
	    "  block p50 %.1f ms, p99 %.1f ms; disk: read %.0f B/tx, written %.0f B/tx = %.1f x the %.0f B of rows\n",
	    bench->block_s[bench->blocks / 2] * 1e3, bench->block_s[bench->blocks * 99 / 100] * 1e3,
	    (double)(to->read - from->read) / txs, (double)(to->written - from->written) / txs,
	    (double)(to->written - from->written) / (double)bytes, (double)bytes / txs);
	printf("  CPU us/tx by fifths:");
	for (size_t i = 0; i < FIFTHS; i++)
		printf(" %.1f", (bench->fifth_cpu_s[i + 1] - bench->fifth_cpu_s[i]) * us * FIFTHS);
	printf("\n  memory: resident at most %llu MB; dirty pages of the machine at most %llu MB\n",
	    (unsigned long long)bench->rss_kb_max / 1024, (unsigned long long)bench->dirty_kb_max / 1024);
	report_tables(bench);
	fflush(stdout);
}

/* What a node that runs for long has in memory, as far as there is room. */
static void warm_up(struct bench *bench) {
	static const enum store_table tables[] = {TABLE_STORAGE, TABLE_ACCOUNT, TABLE_TRIE_STORAGE, TABLE_TRIE_ACCOUNT};
	const double start = rows_now_s(), cpu = rows_process_cpu_s();
	uint64_t rows = 0;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		struct store_cursor *cursor = store_cursor_new(bench->ledger.store, NULL, tables[i]);
		for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor);
		     store_cursor_next(cursor))
			rows++;
		rows_check(&bench->ledger, store_cursor_status(cursor, &bench->ledger.err));
		store_cursor_free(cursor);
	}
	printf("warm: %llu rows read in %.1f s, CPU %.1f s\n", (unsigned long long)rows, rows_now_s() - start,
	    rows_process_cpu_s() - cpu);
}

static enum kind kind_of(const char *name) {
	enum kind kind = 0;
	while (kind < KIND_COUNT && strcmp(kind_names[kind], name) != 0) kind++;
	return kind;
}

int main(int argc, char **argv) {
	struct bench bench = {.kind = argc > 4 ? kind_of(argv[3]) : KIND_COUNT};
	if (bench.kind == KIND_COUNT) {
		fprintf(stderr, "usage: bench_state DIR MILLIONS transfer|fresh|update|spread TRANSACTIONS "
				"[PER BLOCK [MEMORY MIB [warm]]]\n");
		return 2;
	}
	const uint64_t txs = strtoull(argv[4], NULL, 10), per_block = argc > 5 ? strtoull(argv[5], NULL, 10) : 2000;
	bench.plan = rows_plan_of(strtod(argv[2], NULL));
	rows_open(&bench.ledger, argv[1], argc > 6 ? strtoull(argv[6], NULL, 10) : 256);
	struct chain_head *head = chain_head(bench.ledger.chain);
	bench.random = load_be64(head->hash.b);
	chain_head_release(head);
	bench.block_s = mem_alloc((txs / per_block + 1) * sizeof *bench.block_s);
	arena_init(&bench.arena);
	if (argc > 7 && strcmp(argv[7], "warm") == 0) warm_up(&bench);
	const struct reading from = read_meters();
	for (uint64_t given = 0, fifth = 0; given < txs; given += per_block) {
		for (; fifth < FIFTHS && given >= fifth * txs / FIFTHS; fifth++)
			bench.fifth_cpu_s[fifth] = rows_process_cpu_s();
		run_block(&bench, txs - given < per_block ? txs - given : per_block);
	}
	bench.fifth_cpu_s[FIFTHS] = rows_process_cpu_s();
	const struct reading to = read_meters();
	report(&bench, &from, &to);
	arena_fini(&bench.arena);
	mem_free(bench.block_s);
	rows_close(&bench.ledger);
	const uint64_t written = read_meters().written - from.written;
	printf("  closed: %.0f B/tx written in all\n", (double)written / (double)bench.done);
	return 0;
}
