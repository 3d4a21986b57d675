/*
 * A small ledger for fuzz targets: a store in a folder of its own below /tmp, a chain at block 0, a pool without a
 * journal. Made once a process, and removed when it ends well. Header-only.
 */
#ifndef FUZZ_LEDGER_H
#define FUZZ_LEDGER_H

#include "ledger/pool/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Account 0x7e5f…: the one of the secret 1. 0x…c0de logs and stores what it is called with. fuzz/seeds/import stands on
 * it. */
#define FUZZ_GENESIS                                                                                                   \
	"{\"config\":{\"chainId\":31337,\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,"           \
	"\"cancunTime\":0,\"pragueTime\":0,\"osakaTime\":0,\"xinglin\":{\"zeroBaseFee\":true}},"                       \
	"\"difficulty\":\"0x0\",\"gasLimit\":\"0x1c9c380\",\"timestamp\":\"0x64000000\",\"alloc\":{"                   \
	"\"7e5f4552091a69125d5dfcb7b8c2659029395bdf\":{\"balance\":\"1000000000000000000000000\"},"                    \
	"\"000000000000000000000000000000000000c0de\":{\"balance\":\"0\",\"code\":\"0x5f358060205260205f5555\"},"      \
	"\"00000961Ef480Eb55e80D19ad83579A64c007002\":{\"balance\":\"0\",\"code\":\"0x00\"},"                          \
	"\"0000BBdDc7CE488642fb579F8B00f3a590007251\":{\"balance\":\"0\",\"code\":\"0x00\"}}}"

struct fuzz_ledger {
	char directory[40];
	struct store *store;
	struct chain *chain;
	struct pool *pool;
	struct err err;
};
static struct fuzz_ledger fuzz_ledger;

static inline void fuzz_ledger_close(void) {
	char command[64];
	pool_close(fuzz_ledger.pool);
	chain_close(fuzz_ledger.chain);
	store_close(fuzz_ledger.store);
	snprintf(command, sizeof command, "rm -rf -- '%s'", fuzz_ledger.directory);
	BUG_ON(system(command) != 0);
}

/* The one of this process. */
static inline struct fuzz_ledger *fuzz_ledger_open(void) {
	struct fuzz_ledger *ledger = &fuzz_ledger;
	if (ledger->store) return ledger;
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	const struct chain_options genesis = {.genesis_json = BYTES_LITERAL(FUZZ_GENESIS)};
	strcpy(ledger->directory, "/tmp/xinglin-fuzz-XXXXXX");
	BUG_ON(!mkdtemp(ledger->directory));
	BUG_ON(store_open(&ledger->store, ledger->directory, &small, &ledger->err) != STATUS_OK);
	BUG_ON(chain_open(&ledger->chain, ledger->store, &genesis, &ledger->err) != STATUS_OK);
	BUG_ON(pool_open(&ledger->pool, ledger->chain, &(struct pool_options){0}, &ledger->err) != STATUS_OK);
	atexit(fuzz_ledger_close);
	return ledger;
}

#endif
