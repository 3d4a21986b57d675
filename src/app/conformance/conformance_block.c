/*
 * xinglin blocktest: each case on a chain of its own, in a folder under TMPDIR. Every block must be taken or refused as
 * the case says, and the chain must end at its last block: before the merge that is the
 * heaviest branch's, after it the head that the case names.
 */
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/conformance/conformance.h"
#include "codec/hex.h"
#include "ledger/chain/alloc.h"
#include "ledger/chain/branches.h"

struct runner {
	struct conformance *run;
	struct store *store;
	struct chain *chain;
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
	if (at != NULL && strcmp(to, "Dao") == 0) {
		buf_printf(out, "\"homesteadBlock\":0,\"daoForkBlock\":%lu,\"daoForkSupport\":true,", when);
		return true;
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

/* Then the head is the one that is named, as a consensus layer does. */
static bool is_merged(struct runner *runner) {
	struct chain_head *head = chain_head(runner->chain);
	const bool merged = u256_is_zero(&head->header.difficulty);
	chain_head_release(head);
	return merged;
}

/* A block aside was not executed yet: its branch is followed for that, and left again. */
static enum status execute_aside(struct runner *runner, const hash32 *hash) {
	struct chain_head *head = chain_head(runner->chain);
	const hash32 old = head->hash;
	chain_head_release(head);
	TRY(chain_follow(runner->chain, hash, &runner->run->err));
	return chain_follow(runner->chain, &old, &runner->run->err);
}

static const char *run_block(struct runner *runner, const struct json *entry) {
	struct buf rlp;
	struct block block;
	enum chain_taken taken;
	const bool should_fail = json_get(entry, "expectException") != NULL;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	runner->run->err.message[0] = 0;
	enum status status = hex_data(&rlp, json_string(json_get(entry, "rlp")));
	if (status == STATUS_OK) status = chain_take(runner->chain, &taken, buf_view(&rlp), &runner->run->err);
	if (status == STATUS_OK && taken == CHAIN_KEPT_ASIDE &&
	    block_decode(&block, &runner->run->arena, buf_view(&rlp), NULL) == STATUS_OK) {
		const hash32 hash = header_hash(&block.header);
		status = execute_aside(runner, &hash);
	}
	buf_fini(&rlp);
	if (should_fail) return status == STATUS_INVALID ? NULL : "an invalid block was accepted";
	return status == STATUS_OK || status == STATUS_EXISTS ? NULL : "a valid block was refused";
}

static const char *run_blocks(struct runner *runner, const struct json *test) {
	hash32 hash;
	if (!word(&hash, json_get(json_get(test, "genesisBlockHeader"), "hash"))) return "has no genesis hash";
	if (!hash32_equal(&hash, chain_genesis_hash(runner->chain))) return "has another genesis hash";
	json_foreach (entry, json_get(test, "blocks")) {
		const char *fault = run_block(runner, entry);
		if (fault != NULL) return fault;
	}
	runner->run->err.message[0] = 0;
	if (!word(&hash, json_get(test, "lastblockhash"))) return "has no last block";
	if (is_merged(runner) && chain_follow(runner->chain, &hash, &runner->run->err) != STATUS_OK)
		return "cannot follow its last block";
	return head_is(runner, &hash) ? NULL : "does not end at its last block";
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
	struct runner runner = {.run = run};
	enum status status = STATUS_OK;
	arena_init(&run->arena);
	run->run_test = run_test;
	run->own = &runner;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) status = conformance_walk(run, paths[i], err);
	arena_fini(&run->arena);
	return status;
}
