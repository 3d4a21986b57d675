/*
 * A small ledger for tests: a store in a folder of its own, a chain with funded accounts on it, and a pool. Account i
 * has the secret i + 1. The two request contracts of Prague are there as code that returns nothing. Header-only;
 * include after tests/unit.h.
 */
#ifndef TESTS_LEDGER_WORLD_H
#define TESTS_LEDGER_WORLD_H

#include "ledger/pool/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEDGER_ACCOUNTS = 8, LEDGER_CHAIN_ID = 31337 };

/* What the genesis says. */
struct ledger_rules {
	bool zero_base_fee, before_osaka, equal_timestamps;
	const char *settings;             /* more members of config.xinglin, each with a comma before it [NULL] */
	const char *alloc;                /* more accounts, each with a comma behind it [NULL] */
	const char *gas_limit;            /* of a block, "0x…" [30,000,000] */
	struct chain_retention retention; /* of the chain's past [all of it] */
};

struct ledger_world {
	char directory[64];
	char journal[80], sidecars[80];
	struct ledger_rules rules;
	size_t capacity, blobs_max; /* of the pool; 0: its own */
	struct store *store;
	struct chain *chain;
	struct pool *pool;
	struct arena arena;
	struct err err;
};

#define assert_done(world, expression)                                                                                 \
	do {                                                                                                           \
		(world)->err.message[0] = 0;                                                                           \
		const enum status got_ = (expression);                                                                 \
		if (got_ != STATUS_OK) fail_msg("%s: %s", status_text(got_), (world)->err.message);                    \
	} while (0)

static inline hash32 ledger_secret(size_t account) {
	hash32 secret = {{0}};
	secret.b[31] = (uint8_t)(account + 1);
	return secret;
}

static inline addr20 ledger_address(size_t account) {
	addr20 address;
	const hash32 secret = ledger_secret(account);
	assert_int_equal(address_of_secret(&address, &secret), STATUS_OK);
	return address;
}

static inline struct bytes ledger_genesis(struct arena *arena, const struct ledger_rules *rules) {
	const char *alloc = rules->alloc ? rules->alloc : "";
	for (size_t i = 0; i < LEDGER_ACCOUNTS; i++) {
		char hex[43];
		const addr20 address = ledger_address(i);
		address_checksum(hex, &address);
		alloc = arena_printf(arena, "%s\"%s\":{\"balance\":\"1000000000000000000000000\"},", alloc, hex);
	}
	return bytes_text(arena_printf(arena,
	    "{\"config\":{\"chainId\":%d,\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,"
	    "\"cancunTime\":0,\"pragueTime\":0,\"osakaTime\":%s,"
	    "\"xinglin\":{\"zeroBaseFee\":%s,\"equalTimestamps\":%s%s}},"
	    "\"difficulty\":\"0x0\",\"gasLimit\":\"%s\",\"timestamp\":\"0x64000000\",\"alloc\":{%s"
	    "\"00000961Ef480Eb55e80D19ad83579A64c007002\":{\"balance\":\"0\",\"code\":\"0x00\"},"
	    "\"0000BBdDc7CE488642fb579F8B00f3a590007251\":{\"balance\":\"0\",\"code\":\"0x00\"}}}",
	    LEDGER_CHAIN_ID, rules->before_osaka ? "99999999999" : "0", rules->zero_base_fee ? "true" : "false",
	    rules->equal_timestamps ? "true" : "false", rules->settings ? rules->settings : "",
	    rules->gas_limit ? rules->gas_limit : "0x1c9c380", alloc));
}

/* Opens what is in the folder, or makes it. */
static inline void ledger_start(struct ledger_world *world) {
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	const struct chain_options chain = {
	    .genesis_json = ledger_genesis(&world->arena, &world->rules), .retention = world->rules.retention};
	const struct pool_options pool = {.journal_path = world->journal,
	    .sidecar_path = world->sidecars,
	    .capacity = world->capacity,
	    .blobs_max = world->blobs_max};
	assert_done(world, store_open(&world->store, world->directory, &small, &world->err));
	assert_done(world, chain_open(&world->chain, world->store, &chain, &world->err));
	assert_done(world, pool_open(&world->pool, world->chain, &pool, &world->err));
}

static inline void ledger_end(struct ledger_world *world) {
	pool_close(world->pool);
	chain_close(world->chain);
	store_close(world->store);
	world->pool = NULL;
	world->chain = NULL;
	world->store = NULL;
}

static inline void ledger_open_by(struct ledger_world *world, struct ledger_rules rules) {
	*world = (struct ledger_world){.rules = rules};
	arena_init(&world->arena);
	strcpy(world->directory, "/tmp/xinglin-ledger-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->journal, sizeof world->journal, "%s.journal", world->directory);
	snprintf(world->sidecars, sizeof world->sidecars, "%s.sidecars", world->directory);
	ledger_start(world);
}

static inline void ledger_open(struct ledger_world *world, bool zero_base_fee) {
	ledger_open_by(world, (struct ledger_rules){.zero_base_fee = zero_base_fee});
}

static inline void ledger_close(struct ledger_world *world) {
	char command[320];
	if (world->store != NULL) ledger_end(world);
	arena_fini(&world->arena);
	snprintf(
	    command, sizeof command, "rm -rf -- '%s' '%s' '%s'", world->directory, world->journal, world->sidecars);
	assert_int_equal(system(command), 0);
}

static inline struct transaction ledger_transfer(uint64_t nonce, const addr20 *to, uint64_t wei, uint64_t fee_wei) {
	return (struct transaction){.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(LEDGER_CHAIN_ID),
	    .nonce = nonce,
	    .max_priority_fee_wei = u256_from(fee_wei < 1000000000 ? fee_wei : 1000000000),
	    .max_fee_wei = u256_from(fee_wei),
	    .gas_limit = 21000,
	    .to = *to,
	    .value_wei = u256_from(wei)};
}

static inline struct bytes ledger_sign(struct ledger_world *world, struct transaction *tx, size_t account) {
	const hash32 secret = ledger_secret(account);
	assert_done(world, transaction_sign(tx, &world->arena, &secret, &world->err));
	return tx->raw;
}

/* Adds a signed transaction to the pool and gives what it said. */
static inline enum pool_verdict ledger_add(
    struct ledger_world *world, hash32 *hash, struct bytes raw, enum tx_verdict *tx_verdict) {
	enum pool_verdict verdict;
	assert_done(world, pool_add(world->pool, hash, &verdict, tx_verdict, raw, &world->err));
	return verdict;
}

/* Executes and commits a block of what the pool offers; returns how many transactions stand in it. */
static inline size_t ledger_seal(struct ledger_world *world, uint64_t time_ms) {
	struct pool_pick picked;
	struct pending_block *pending;
	assert_done(world, pool_pick(world->pool, &picked, &world->arena, UINT64_MAX, 10000, &world->err));
	const struct block_decision decision = {.txs = picked.txs, .tx_count = picked.count, .time_ms = time_ms};
	assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
	const size_t count = pending->block.transaction_count;
	assert_done(world, chain_commit(world->chain, pending, NULL, &world->err));
	return count;
}

static inline u256 ledger_balance(struct ledger_world *world, const addr20 *address) {
	struct account account;
	bool exists;
	struct chain_head *head = chain_head(world->chain);
	assert_done(world, state_view_account(head->view, &account, &exists, address, &world->err));
	chain_head_release(head);
	return account.balance_wei;
}

#endif
