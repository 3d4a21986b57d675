/*
 * xinglin blocktest: each case on a chain of its own, in a folder under TMPDIR. Every block must be taken or refused as
 * the case says, and the chain must end at its last block. A case whose branches compete is followed branch by branch,
 * by unwinding. The DAO's irregular state change is not built, so networks with it are skipped.
 */
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/conformance.h"
#include "codec/hex.h"
#include "ledger/chain/alloc.h"
#include "ledger/chain/chain.h"

enum { BLOCKS_MAX = 512 };

struct known_block {
	hash32 hash, parent;
	struct bytes rlp;
};

struct runner {
	struct conformance *run;
	struct store *store;
	struct chain *chain;
	struct known_block blocks[BLOCKS_MAX];
	size_t block_count;
};

/* --- the genesis that a case describes --- */

static const struct {
	const char *network, *members; /* what config has from this fork on */
	bool by_time;
} forks[] = {
    {"Frontier", "", false},
    {"Homestead", "homesteadBlock", false},
    {"EIP150", "eip150Block", false},
    {"EIP158", "eip158Block", false},
    {"Byzantium", "byzantiumBlock", false},
    {"Constantinople", "constantinopleBlock", false},
    {"ConstantinopleFix", "petersburgBlock", false},
    {"Istanbul", "istanbulBlock", false},
    {"Berlin", "berlinBlock", false},
    {"London", "londonBlock", false},
    {"ArrowGlacier", "arrowGlacierBlock", false},
    {"Paris", "terminalTotalDifficulty", false},
    {"Shanghai", "shanghaiTime", true},
    {"Cancun", "cancunTime", true},
    {"Prague", "pragueTime", true},
    {"Osaka", "osakaTime", true},
    {"BPO1", "bpo1Time", true},
};
enum { FORKS = sizeof forks / sizeof *forks };

static size_t find_fork(struct bytes name) {
	size_t i = 0;
	while (i < FORKS && !bytes_equal(name, bytes_text(forks[i].network))) i++;
	return i;
}

/* "A", "AToBAt5", "AToBAtTime15k", "AToBAtDiffC0000". False for a network that is not known. */
static bool put_forks(struct buf *out, struct bytes network) {
	char text[64] = "", *to, *at = NULL;
	unsigned long when = 0;
	memcpy(text, network.data, network.len < sizeof text ? network.len : sizeof text - 1);
	if ((to = strstr(text, "To")) != NULL && (at = strstr(to, "At")) != NULL) {
		*to = *at = 0;
		to += 2;
		at += 2;
		if (strncmp(at, "Time", 4) == 0)
			when = strtoul(at + 4, NULL, 10) * 1000; /* "15k" */
		else
			when = strncmp(at, "Diff", 4) == 0 ? strtoul(at + 4, NULL, 16) : strtoul(at, NULL, 10);
	}
	const size_t first = find_fork(bytes_text(text)), second = at != NULL ? find_fork(bytes_text(to)) : first;
	if (first == FORKS || second == FORKS) return false;
	for (size_t i = 1; i <= second; i++) buf_printf(out, "\"%s\":%lu,", forks[i].members, i <= first ? 0 : when);
	return true;
}

static void put_schedules(struct buf *out, const struct json *schedules) {
	buf_text(out, "\"blobSchedule\":{");
	json_foreach (schedule, schedules) {
		buf_printf(out, "%s\"", schedule == schedules->first ? "" : ",");
		for (size_t i = 0; i < schedule->name.len; i++) /* "Cancun" is "cancun" in a genesis */
			buf_byte(out, (uint8_t)(schedule->name.data[i] | (schedule->name.data[i] >= 'A' ? 0x20 : 0)));
		buf_text(out, "\":");
		buf_append(out, schedule->raw);
	}
	buf_text(out, "},");
}

static bool put_genesis(struct buf *out, const struct json *test) {
	static const char *const members[][2] = {{"coinbase", "coinbase"}, {"difficulty", "difficulty"},
	    {"extraData", "extraData"}, {"gasLimit", "gasLimit"}, {"mixHash", "mixHash"}, {"nonce", "nonce"},
	    {"timestamp", "timestamp"}, {"baseFeePerGas", "baseFeePerGas"}, {"blobGasUsed", "blobGasUsed"},
	    {"excessBlobGas", "excessBlobGas"}, {"parentHash", "parentHash"}};
	const struct json *config = json_get(test, "config"), *header = json_get(test, "genesisBlockHeader");
	const struct json *chain_id = json_get(config, "chainid");
	buf_text(out, "{\"config\":{");
	if (!put_forks(out, json_string(json_get(test, "network")))) return false;
	put_schedules(out, json_get(config, "blobSchedule"));
	buf_text(out, "\"chainId\":");
	buf_append(out, chain_id != NULL ? chain_id->raw : BYTES_LITERAL("1"));
	buf_text(out, "},");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct json *value = json_get(header, members[i][0]);
		if (value == NULL) continue;
		buf_printf(out, "\"%s\":", members[i][1]);
		buf_append(out, value->raw);
		buf_byte(out, ',');
	}
	buf_text(out, "\"alloc\":");
	buf_append(out, json_get(test, "pre")->raw);
	buf_byte(out, '}');
	return true;
}

/* --- its blocks --- */

static bool word(hash32 *out, const struct json *value) {
	return loose_word(out, json_string(value));
}

static bool head_is(struct runner *runner, const hash32 *hash) {
	struct chain_head *head = chain_head(runner->chain);
	const bool same = hash32_equal(&head->hash, hash);
	chain_head_release(head);
	return same;
}

static const struct known_block *find_block(const struct runner *runner, const hash32 *hash) {
	for (size_t i = 0; i < runner->block_count; i++)
		if (hash32_equal(&runner->blocks[i].hash, hash)) return &runner->blocks[i];
	return NULL;
}

/* Makes a block that was taken before the head again. */
static bool go_to(struct runner *runner, const hash32 *hash) {
	struct header header;
	if (head_is(runner, hash)) return true;
	if (chain_header_by_hash(runner->chain, &header, hash, NULL) == STATUS_OK) {
		while (!head_is(runner, hash))
			if (chain_unwind_head(runner->chain, &runner->run->err) != STATUS_OK) return false;
		return true;
	}
	const struct known_block *block = find_block(runner, hash);
	return block != NULL && go_to(runner, &block->parent) &&
	       chain_import(runner->chain, block->rlp, &runner->run->err) == STATUS_OK;
}

static const char *run_block(struct runner *runner, const struct json *entry) {
	struct buf rlp;
	struct block block;
	const bool should_fail = json_get(entry, "expectException") != NULL;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	enum status status = hex_data(&rlp, json_string(json_get(entry, "rlp")));
	const struct bytes copy = arena_dup(&runner->run->arena, buf_view(&rlp));
	buf_fini(&rlp);
	runner->run->err.message[0] = 0;
	if (status == STATUS_OK) status = block_decode(&block, &runner->run->arena, copy, &runner->run->err);
	if (status == STATUS_OK) {
		const hash32 hash = header_hash(&block.header);
		if (find_block(runner, &hash) != NULL) return NULL;
		status = go_to(runner, &block.header.parent_hash) ? chain_import(runner->chain, copy, &runner->run->err)
								  : STATUS_INVALID;
		if (status == STATUS_OK && runner->block_count < BLOCKS_MAX)
			runner->blocks[runner->block_count++] =
			    (struct known_block){.hash = hash, .parent = block.header.parent_hash, .rlp = copy};
	}
	if (should_fail) return status == STATUS_INVALID ? NULL : "an invalid block was accepted";
	return status == STATUS_OK ? NULL : "a valid block was refused";
}

static const char *run_blocks(struct runner *runner, const struct json *test) {
	hash32 hash;
	if (!word(&hash, json_get(json_get(test, "genesisBlockHeader"), "hash"))) return "has no genesis hash";
	if (!hash32_equal(&hash, chain_genesis_hash(runner->chain))) return "has another genesis hash";
	runner->block_count = 0;
	json_foreach (entry, json_get(test, "blocks")) {
		const char *fault = run_block(runner, entry);
		if (fault != NULL) return fault;
	}
	runner->run->err.message[0] = 0;
	if (!word(&hash, json_get(test, "lastblockhash"))) return "has no last block";
	return go_to(runner, &hash) ? NULL : "does not reach its last block";
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at) {
	(void)info, (void)type, (void)at;
	return remove(path);
}

static const char *run_on_store(struct runner *runner, const struct json *test, struct bytes genesis) {
	char directory[256];
	const char *fault = "could not be run", *parent = getenv("TMPDIR");
	const struct store_options small = {.memory_bytes = 8 << 20, .create_if_missing = true};
	const struct chain_options options = {.genesis_json = genesis};
	struct err *err = &runner->run->err;
	snprintf(directory, sizeof directory, "%s/xinglin-blocktest-XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(directory) == NULL) return "has no folder";
	if (store_open(&runner->store, directory, &small, err) == STATUS_OK) {
		if (chain_open(&runner->chain, runner->store, &options, err) == STATUS_OK) {
			fault = run_blocks(runner, test);
			chain_close(runner->chain);
		}
		store_close(runner->store);
	}
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0 ? fault : "left its folder behind";
}

static void run_test(struct conformance *run, const struct json *test) {
	struct runner *runner = run->own;
	struct buf genesis;
	const struct bytes network = json_string(json_get(test, "network"));
	if (json_get(test, "blocks") == NULL || json_get(test, "pre") == NULL) {
		conformance_skip(run, test, "is no blockchain test", (struct bytes){0});
		return;
	}
	buf_init(&genesis, BUF_MAX_DEFAULT);
	run->err.message[0] = 0;
	if (!put_genesis(&genesis, test)) {
		conformance_skip(run, test, "network", network);
	} else {
		const char *fault = run_on_store(runner, test, buf_view(&genesis));
		run->passed += fault == NULL;
		run->failed += fault != NULL;
		if (fault != NULL)
			fprintf(run->out, "FAIL %s\n  %.*s (%.*s) %s: %s\n", run->path, (int)test->name.len,
			    (const char *)test->name.data, (int)network.len, (const char *)network.data, fault,
			    run->err.message);
	}
	buf_fini(&genesis);
}

enum status conformance_block(struct conformance *run, const char *const *paths, size_t count, struct err *err) {
	struct runner *runner = mem_zalloc(1, sizeof *runner);
	enum status status = STATUS_OK;
	arena_init(&run->arena);
	runner->run = run;
	run->run_test = run_test;
	run->own = runner;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) status = conformance_walk(run, paths[i], err);
	arena_fini(&run->arena);
	mem_free(runner);
	return status;
}
