/*
 * Adds blocks to the chain of a folder that `xinglin dev --data DIR` made (and was stopped), through the road of any
 * block, for measuring what reads cost on it: by depth, by the size of a block, by the number of logs.
 *
 * Usage: bench_chain DIR KIND BLOCKS [PER BLOCK]. KIND:
 *   empty     nothing in them
 *   transfer  each transaction between two accounts
 *   log       each transaction one event: 256 bytes, a topic of its own and the sender's
 *   hot       each transaction changes slot 0 and the balance of one contract, and logs it in an event
 * Transactions have signatures of the right shape and nobody's. A folder in memory (/dev/shm) makes it quick.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>

enum kind { EMPTY, TRANSFER, LOG, HOT, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"empty", "transfer", "log", "hot"};
static const uint64_t kind_gas[KIND_COUNT] = {0, 21000, 40000, 60000};

enum { DATA_BYTES = 256, SENDERS = 64 };

/* calldata: id 32, data 256 */
static const uint8_t log_code[] = {0x61, 0x01, 0x00, 0x60, 0x20, 0x5f, 0x37, /* memory[0, 256) = calldata[32…] */
    0x33, 0x5f, 0x35, 0x61, 0x01, 0x00, 0x5f, 0xa2, 0x00};                   /* log2(0, 256, id, caller) */
/* slot 0 += 1; log1(number) */
static const uint8_t hot_code[] = {0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55, 0x43, 0x5f, 0x5f, 0xa1, 0x00};

struct bench {
	struct rows_ledger ledger;
	enum kind kind;
	uint64_t nonces[SENDERS], sent;
	struct arena arena; /* one block's */
};

static addr20 target(enum kind kind) {
	return rows_contract(0x1000 + (uint32_t)kind);
}

static enum status prepare(void *context, struct state *state) {
	struct bench *bench = context;
	const u256 wei = {{0, 0, 1, 0}};
	const addr20 log = target(LOG), hot = target(HOT);
	TRY(state_set_code(state, &log, bytes_make(log_code, sizeof log_code)));
	TRY(state_set_code(state, &hot, bytes_make(hot_code, sizeof hot_code)));
	for (uint64_t i = 0; i < SENDERS; i++) {
		const addr20 sender = rows_account(i);
		TRY(state_set_balance(state, &sender, &wei));
		TRY(state_get_nonce(state, &bench->nonces[i], &sender));
	}
	return STATUS_OK;
}

static void make_tx(struct bench *bench, struct transaction *tx, addr20 *sender, const u256 *base_fee_wei) {
	const uint64_t at = bench->sent++ % SENDERS;
	uint8_t *data = arena_zalloc(&bench->arena, 32 + DATA_BYTES, 1);
	*sender = rows_account(at);
	*tx = (struct transaction){.type = TX_DYNAMIC_FEE, .has_chain_id = true, .nonce = bench->nonces[at]++};
	tx->chain_id = genesis_chain_id(chain_genesis(bench->ledger.chain));
	u256_add_overflow(&tx->max_fee_wei, base_fee_wei, base_fee_wei);
	tx->gas_limit = kind_gas[bench->kind];
	tx->to = bench->kind == TRANSFER ? rows_account(bench->sent) : target(bench->kind);
	tx->value_wei = u256_from(bench->kind != LOG);
	tx->r = tx->s = u256_from(bench->sent);
	for (size_t i = 0; i < 32 + DATA_BYTES; i += 8) store_be64(data + i, bench->sent * 0x9e3779b97f4a7c15u + i);
	if (bench->kind == LOG) tx->data = bytes_make(data, 32 + DATA_BYTES);
	struct buf raw;
	buf_init(&raw, 4096);
	transaction_encode(&raw, tx);
	tx->raw = arena_dup(&bench->arena, buf_view(&raw));
	buf_fini(&raw);
}

static void add_block(struct bench *bench, struct block_orders orders, size_t count) {
	struct pending_block *pending;
	struct rows_ledger *ledger = &bench->ledger;
	struct chain_head *head = chain_head(ledger->chain);
	arena_reset(&bench->arena);
	struct transaction *txs = arena_alloc(&bench->arena, count * sizeof *txs);
	struct ordered_tx *ordered = arena_alloc(&bench->arena, count * sizeof *ordered);
	for (size_t i = 0; i < count; i++) {
		ordered[i].tx = &txs[i];
		make_tx(bench, &txs[i], &ordered[i].sender, &head->header.base_fee_wei);
	}
	chain_head_release(head);
	orders.spacing = SPACING_NONE;
	const struct block_decision decision = {.txs = ordered, .tx_count = count, .orders = &orders};
	rows_check(ledger, chain_execute(ledger->chain, &pending, &decision, &ledger->err));
	for (size_t i = 0; i < count; i++)
		if (pending->verdicts[i] != TX_VERDICT_OK || !pending->receipts[i].success) {
			fprintf(stderr, "transaction %zu: %s\n", i, tx_verdict_text(pending->verdicts[i]));
			exit(1);
		}
	rows_check(ledger, chain_commit(ledger->chain, pending, NULL, &ledger->err));
}

int main(int argc, char **argv) {
	struct bench bench = {0};
	while (argc > 3 && bench.kind < KIND_COUNT && strcmp(kind_names[bench.kind], argv[2]) != 0) bench.kind++;
	if (argc < 4 || bench.kind == KIND_COUNT) {
		fprintf(stderr, "usage: bench_chain DIR empty|transfer|log|hot BLOCKS [PER BLOCK]\n");
		return 2;
	}
	const uint64_t blocks = strtoull(argv[3], NULL, 10), per_block = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
	rows_open(&bench.ledger, argv[1], 1024);
	arena_init(&bench.arena);
	const double from = rows_thread_cpu_s();
	add_block(&bench, (struct block_orders){.edit = prepare, .edit_context = &bench}, 0);
	for (uint64_t i = 0; i < blocks; i++)
		add_block(&bench, (struct block_orders){0}, bench.kind == EMPTY ? 0 : per_block);
	printf("%llu blocks, %llu transactions, %.1f us CPU of the executing thread a block\n",
	    (unsigned long long)blocks + 1, (unsigned long long)bench.sent,
	    (rows_thread_cpu_s() - from) * 1e6 / (double)(blocks + 1));
	arena_fini(&bench.arena);
	rows_close(&bench.ledger);
	return 0;
}
