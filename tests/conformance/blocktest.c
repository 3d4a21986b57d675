/*
 * xinglin-blocktest [--except TEXT] [--data FOLDER] PATH...: runs the official blockchain tests (ethereum/tests and
 * execution-spec-tests) found in files and folders, each on a chain of its own in a folder under TMPDIR. Every block
 * must be taken or refused as the test says, and the chain must end at its last block. A test whose branches compete is
 * followed branch by branch, by unwinding. The DAO's irregular state change is not built, so networks with it are
 * skipped; so are files with TEXT in their path.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "codec/hex.h"
#include "ledger/chain/alloc.h"
#include "ledger/chain/chain.h"

enum { BLOCKS_MAX = 512 };

struct known_block {
	hash32 hash, parent;
	struct bytes rlp;
};

struct runner {
	struct arena arena; /* of one file */
	struct err err;
	struct store *store;
	struct chain *chain;
	struct known_block blocks[BLOCKS_MAX];
	size_t block_count;
	const char *except; /* files whose path has this are skipped; NULL: none */
	size_t passed, failed, skipped;
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
			if (chain_unwind_head(runner->chain, &runner->err) != STATUS_OK) return false;
		return true;
	}
	const struct known_block *block = find_block(runner, hash);
	return block != NULL && go_to(runner, &block->parent) &&
	       chain_import(runner->chain, block->rlp, &runner->err) == STATUS_OK;
}

static const char *run_block(struct runner *runner, const struct json *entry) {
	struct buf rlp;
	struct block block;
	const bool should_fail = json_get(entry, "expectException") != NULL;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	enum status status = hex_data(&rlp, json_string(json_get(entry, "rlp")));
	const struct bytes copy = arena_dup(&runner->arena, buf_view(&rlp));
	buf_fini(&rlp);
	runner->err.message[0] = 0;
	if (status == STATUS_OK) status = block_decode(&block, &runner->arena, copy, &runner->err);
	if (status == STATUS_OK) {
		const hash32 hash = header_hash(&block.header);
		if (find_block(runner, &hash) != NULL) return NULL;
		status = go_to(runner, &block.header.parent_hash) ? chain_import(runner->chain, copy, &runner->err)
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
	runner->err.message[0] = 0;
	if (!word(&hash, json_get(test, "lastblockhash"))) return "has no last block";
	return go_to(runner, &hash) ? NULL : "does not reach its last block";
}

static const char *run_on_store(struct runner *runner, const struct json *test, struct bytes genesis) {
	char directory[256], command[300];
	const char *fault = "could not be run", *parent = getenv("TMPDIR");
	const struct store_options small = {.memory_bytes = 8 << 20, .create_if_missing = true};
	const struct chain_options options = {.genesis_json = genesis};
	snprintf(directory, sizeof directory, "%s/xinglin-blocktest-XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(directory) == NULL) return "has no folder";
	if (store_open(&runner->store, directory, &small, &runner->err) == STATUS_OK) {
		if (chain_open(&runner->chain, runner->store, &options, &runner->err) == STATUS_OK) {
			fault = run_blocks(runner, test);
			chain_close(runner->chain);
		}
		store_close(runner->store);
	}
	snprintf(command, sizeof command, "rm -rf -- '%s'", directory);
	return system(command) == 0 ? fault : "left its folder behind";
}

static void run_test(struct runner *runner, const char *path, const struct json *test) {
	struct buf genesis;
	const struct bytes network = json_string(json_get(test, "network"));
	buf_init(&genesis, BUF_MAX_DEFAULT);
	runner->err.message[0] = 0;
	if (runner->except != NULL && strstr(path, runner->except) != NULL) {
		runner->skipped++;
	} else if (!put_genesis(&genesis, test)) {
		printf("SKIP %s: network %.*s\n", path, (int)network.len, (const char *)network.data);
		runner->skipped++;
	} else {
		const char *fault = run_on_store(runner, test, buf_view(&genesis));
		runner->passed += fault == NULL;
		runner->failed += fault != NULL;
		if (fault != NULL)
			printf("FAIL %s\n  %.*s (%.*s) %s: %s\n", path, (int)test->name.len,
			    (const char *)test->name.data, (int)network.len, (const char *)network.data, fault,
			    runner->err.message);
	}
	buf_fini(&genesis);
}

static void run_file(struct runner *runner, const char *path) {
	const struct json_limits limits = {.bytes_max = BUF_MAX_DEFAULT, .depth_max = 64, .values_max = 1 << 24};
	const struct json *root;
	struct stat info;
	FILE *file = fopen(path, "rb");
	if (file == NULL || fstat(fileno(file), &info) != 0) {
		printf("SKIP %s: cannot be read\n", path);
		runner->skipped++;
		if (file != NULL) fclose(file);
		return;
	}
	uint8_t *text = arena_alloc(&runner->arena, (size_t)info.st_size);
	const size_t len = fread(text, 1, (size_t)info.st_size, file);
	fclose(file);
	if (json_parse(&root, &runner->arena, bytes_make(text, len), &limits, &runner->err) != STATUS_OK) {
		printf("SKIP %s: %s\n", path, runner->err.message);
		runner->skipped++;
	} else {
		json_foreach (test, root) run_test(runner, path, test);
	}
	arena_reset(&runner->arena);
}

static int not_hidden(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

static void run_path(struct runner *runner, const char *path) {
	struct stat info;
	struct dirent **entries;
	if (stat(path, &info) != 0) {
		printf("SKIP %s: not found\n", path);
		return;
	}
	if (!S_ISDIR(info.st_mode)) {
		const size_t len = strlen(path);
		if (len > 5 && strcmp(path + len - 5, ".json") == 0) run_file(runner, path);
		return;
	}
	const int count = scandir(path, &entries, not_hidden, alphasort);
	for (int i = 0; i < count; i++) {
		char below[4096];
		if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name) < sizeof below)
			run_path(runner, below);
		free(entries[i]);
	}
	if (count >= 0) free(entries);
}

static void run_data(struct runner *runner, const char *below) {
	char path[4096];
	const char *data = getenv("DATA"), *source = getenv("SOURCE_ROOT");
	if (data != NULL)
		snprintf(path, sizeof path, "%s/%s", data, below);
	else
		snprintf(path, sizeof path, "%s/../shared/data/%s", source != NULL ? source : ".", below);
	run_path(runner, path);
}

int main(int argc, char **argv) {
	struct runner *runner = mem_zalloc(1, sizeof *runner);
	arena_init(&runner->arena);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--except") == 0 && i + 1 < argc)
			runner->except = argv[++i];
		else if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
			run_data(runner, argv[++i]);
		else
			run_path(runner, argv[i]);
	}
	printf("%zu passed, %zu failed, %zu skipped\n", runner->passed, runner->failed, runner->skipped);
	const int result = runner->failed > 0 ? 1 : runner->passed > 0 ? 0 : 77;
	arena_fini(&runner->arena);
	mem_free(runner);
	return result;
}
