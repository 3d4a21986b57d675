/*
 * Fills a development chain with many rows of state (rows.h): by blocks, through the same road as any block, so that
 * the database holds what blocks leave there: flat rows, branch records, history, lists of changes. Only the order is
 * chosen: the rows come sorted by their hashed keys, a stretch a block, so that each block touches one corner of the
 * tries and of the files.
 *
 * Usage: bench_populate DIR MILLIONS [MEMORY MIB]. DIR was made by `xinglin dev --data DIR`, stopped again.
 */
#include "rows.h"

#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_PER_BLOCK 50000u

/* Where a row stands among its like, and which it is. */
struct place {
	uint64_t hash; /* its first bytes; a tie does no harm */
	uint32_t index;
};

struct stretch {
	const struct place *places;
	size_t count;
	const addr20 *contract; /* NULL: accounts */
	bool is_first;
	struct err *err;
};

static int compare_places(const void *a, const void *b) {
	const uint64_t x = ((const struct place *)a)->hash, y = ((const struct place *)b)->hash;
	return (x > y) - (x < y);
}

static enum status add_accounts(const struct stretch *stretch, struct state *state) {
	const u256 ether = u256_from(1000000000000000000u), thousand = u256_from(1000),
		   wei = u256_mul(&ether, &thousand);
	for (size_t i = 0; i < stretch->count; i++) {
		const addr20 address = rows_account(stretch->places[i].index);
		TRY(state_set_balance(state, &address, &wei));
	}
	return STATUS_OK;
}

static enum status add_slots(const struct stretch *stretch, struct state *state) {
	if (stretch->is_first) {
		TRY(state_set_nonce(state, stretch->contract, 1));
		TRY(state_set_code(state, stretch->contract, rows_code()));
	}
	for (size_t i = 0; i < stretch->count; i++) {
		const uint32_t index = stretch->places[i].index;
		const u256 slot = rows_slot(index / ROWS_FIELDS, index % ROWS_FIELDS);
		u256 value = slot; /* 32 bytes, as of hashes */
		value.w[0] ^= index;
		TRY(state_set_storage(state, stretch->contract, &slot, &value));
	}
	return STATUS_OK;
}

static enum status edit(void *context, struct state *state) {
	const struct stretch *stretch = context;
	return stretch->contract ? add_slots(stretch, state) : add_accounts(stretch, state);
}

static void add_block(struct rows_ledger *ledger, struct stretch *stretch) {
	struct pending_block *pending;
	const struct block_orders orders = {.edit = edit, .edit_context = stretch, .spacing = SPACING_NONE};
	const struct block_decision decision = {.orders = &orders};
	rows_check(ledger, chain_execute(ledger->chain, &pending, &decision, &ledger->err));
	rows_check(ledger, chain_commit(ledger->chain, pending, NULL, &ledger->err));
}

static void add_sorted(struct rows_ledger *ledger, struct place *places, size_t count, const addr20 *contract) {
	qsort(places, count, sizeof *places, compare_places);
	for (size_t done = 0; done < count; done += ROWS_PER_BLOCK) {
		struct stretch stretch = {.places = places + done,
		    .count = count - done < ROWS_PER_BLOCK ? count - done : ROWS_PER_BLOCK,
		    .contract = contract,
		    .is_first = done == 0};
		add_block(ledger, &stretch);
	}
}

static void populate_accounts(struct rows_ledger *ledger, struct place *places, uint64_t count) {
	for (uint32_t i = 0; i < count; i++) {
		const addr20 address = rows_account(i);
		const hash32 hash = keccak256(BYTES_OF(address));
		places[i] = (struct place){load_be64(hash.b), i};
	}
	add_sorted(ledger, places, count, NULL);
}

static void populate_contract(
    struct rows_ledger *ledger, struct place *places, const struct rows_plan *plan, uint32_t contract) {
	const addr20 address = rows_contract(contract);
	const size_t count = rows_records(plan, contract) * ROWS_FIELDS;
	for (uint32_t i = 0; i < count; i++) {
		const u256 slot = rows_slot(i / ROWS_FIELDS, i % ROWS_FIELDS);
		hash32 key;
		u256_store_be(key.b, &slot);
		key = keccak256(BYTES_OF(key));
		places[i] = (struct place){load_be64(key.b), i};
	}
	add_sorted(ledger, places, count, &address);
}

static void report(const char *what, uint64_t rows, double since) {
	const double wall = rows_now_s() - since;
	printf("%-9s %10llu rows so far  %7.1f s  %6.1fk rows/s  cpu %.0f s  rss %llu MB\n", what,
	    (unsigned long long)rows, wall, (double)rows / wall / 1e3, rows_process_cpu_s(),
	    (unsigned long long)rows_proc("/proc/self/status", "VmRSS") / 1024);
	fflush(stdout);
}

int main(int argc, char **argv) {
	if (argc < 3) {
		fprintf(stderr, "usage: bench_populate DIR MILLIONS [MEMORY MIB]\n");
		return 2;
	}
	struct rows_ledger ledger;
	const struct rows_plan plan = rows_plan_of(strtod(argv[2], NULL));
	rows_open(&ledger, argv[1], argc > 3 ? strtoull(argv[3], NULL, 10) : 1024);
	const double start = rows_now_s();
	uint64_t most = plan.accounts, rows = plan.accounts;
	for (uint32_t i = 0; i < 2; i++)
		if (rows_records(&plan, i) * ROWS_FIELDS > most) most = rows_records(&plan, i) * ROWS_FIELDS;
	struct place *places = mem_alloc(most * sizeof *places);
	populate_accounts(&ledger, places, plan.accounts);
	report("accounts", rows, start);
	for (uint32_t i = 1; i < ROWS_CONTRACTS; i++) populate_contract(&ledger, places, &plan, i);
	report("small", rows += (ROWS_CONTRACTS - 1) * plan.small_records * ROWS_FIELDS, start);
	populate_contract(&ledger, places, &plan, 0);
	report("large", rows + plan.large_records * ROWS_FIELDS, start);
	mem_free(places);
	rows_close(&ledger);
	printf("closed after %.1f s\n", rows_now_s() - start);
	return 0;
}
