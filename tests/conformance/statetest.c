/*
 * xinglin-statetest [--without-precompiles] [--data FOLDER] PATH...: runs the official state tests (ethereum/tests and
 * execution-spec-tests) found in files and folders; FOLDER is one below DATA. For each failing case it prints what
 * differed, by account where the file holds the expected accounts; it ends with the counts. With --without-precompiles
 * a case that fails after calling a precompile that this build lacks (0x0a to 0x11) counts as skipped, for that reason.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "codec/hex.h"
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/alloc.h"
#include "ledger/exec/exec.h"
#include "ledger/state/commitment.h"

struct runner {
	struct executor *executor;
	struct state *state;
	struct err err;
	struct arena arena; /* of one file */
	size_t passed, failed, skipped;
	bool without_precompiles;
	size_t skipped_for_precompile;
	bool missing_precompile; /* seen in the case at hand */
};

/* --- what a case says --- */

static bool fork_of_name(enum fork *fork, struct bytes name) {
	static const struct {
		const char *name;
		enum fork fork;
	} names[] = {{"Frontier", FORK_FRONTIER}, {"Homestead", FORK_HOMESTEAD}, {"EIP150", FORK_TANGERINE},
	    {"EIP158", FORK_SPURIOUS}, {"Byzantium", FORK_BYZANTIUM}, {"Constantinople", FORK_CONSTANTINOPLE},
	    {"ConstantinopleFix", FORK_PETERSBURG}, {"Istanbul", FORK_ISTANBUL}, {"Berlin", FORK_BERLIN},
	    {"London", FORK_LONDON}, {"Paris", FORK_PARIS}, {"Merge", FORK_PARIS}, {"Shanghai", FORK_SHANGHAI},
	    {"Cancun", FORK_CANCUN}, {"Prague", FORK_PRAGUE}, {"Osaka", FORK_OSAKA}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!bytes_equal(name, bytes_text(names[i].name))) continue;
		*fork = names[i].fork;
		return true;
	}
	return false;
}

static uint64_t number(const struct json *object, const char *name) {
	uint64_t value = 0;
	const struct json *member = json_get(object, name);
	if (member != NULL && !loose_u64(&value, member)) fprintf(stderr, "warning: \"%s\" is no number\n", name);
	return value;
}

static struct header header_of_env(const struct json *env) {
	struct header header = {.number = number(env, "currentNumber"),
	    .timestamp = number(env, "currentTimestamp"),
	    .gas_limit = number(env, "currentGasLimit"),
	    .excess_blob_gas = number(env, "currentExcessBlobGas")};
	loose_address(&header.beneficiary, json_string(json_get(env, "currentCoinbase")));
	loose_u256(&header.difficulty, json_get(env, "currentDifficulty"));
	loose_u256(&header.base_fee_wei, json_get(env, "currentBaseFee"));
	loose_word(&header.mix_hash, json_string(json_get(env, "currentRandom")));
	return header;
}

static struct exec_rules rules_of_case(const struct json *test, enum fork fork, struct bytes fork_text) {
	struct exec_rules rules = {.fork = fork, .chain_id = u256_from(1), .blob = exec_blob_schedule(fork)};
	const struct json *config = json_get(test, "config");
	loose_u256(&rules.chain_id, json_get(config, "chainid"));
	json_foreach (schedule, json_get(config, "blobSchedule")) {
		if (!bytes_equal(schedule->name, fork_text)) continue;
		rules.blob = (struct blob_schedule){(uint32_t)number(schedule, "target"),
		    (uint32_t)number(schedule, "max"), number(schedule, "baseFeeUpdateFraction")};
	}
	return rules;
}

/* The old tests' convention: the hash of a block is keccak(decimal number). */
static enum status test_block_hash(void *context, hash32 *out, uint64_t block) {
	char text[24];
	(void)context;
	*out = keccak256(bytes_make(text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)block)));
	return STATUS_OK;
}

static void watch_enter(void *context, const struct evm_message *message) {
	struct runner *runner = context;
	static const uint8_t zeros[19];
	const uint8_t last = message->code_address.b[19];
	if (memcmp(message->code_address.b, zeros, sizeof zeros) == 0 && last >= 0x0a && last <= 0x11)
		runner->missing_precompile = true;
}

/* --- running one --- */

struct outcome {
	hash32 root, logs;
	const char *refusal; /* NULL: the transaction stood */
};

static hash32 hash_of_logs(const struct log *logs, size_t count) {
	struct buf rlp;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	const size_t list = rlp_list_begin(&rlp);
	for (size_t i = 0; i < count; i++) {
		const size_t log = rlp_list_begin(&rlp);
		rlp_put_string(&rlp, BYTES_OF(logs[i].address));
		const size_t topics = rlp_list_begin(&rlp);
		for (size_t k = 0; k < logs[i].topic_count; k++) rlp_put_string(&rlp, BYTES_OF(logs[i].topics[k]));
		rlp_list_end(&rlp, topics);
		rlp_put_string(&rlp, logs[i].data);
		rlp_list_end(&rlp, log);
	}
	rlp_list_end(&rlp, list);
	const hash32 hash = keccak256(buf_view(&rlp));
	buf_fini(&rlp);
	return hash;
}

static enum status run_transaction(
    struct runner *runner, struct outcome *outcome, struct bytes envelope, const struct exec_rules *rules) {
	struct transaction tx;
	struct bytes sidecar;
	addr20 sender;
	outcome->logs = hash_of_logs(NULL, 0);
	if (transaction_decode(&tx, &sidecar, &runner->arena, envelope, &runner->err) != STATUS_OK) {
		outcome->refusal = runner->err.message;
		return STATUS_OK;
	}
	if (transaction_sender(&sender, &tx, rules->fork >= FORK_HOMESTEAD, &runner->err) != STATUS_OK) {
		outcome->refusal = "invalid sender";
		return STATUS_OK;
	}
	struct exec_tx_result result;
	TRY(executor_run(runner->executor, &result, &tx, &sender));
	if (result.verdict != TX_VERDICT_OK) {
		outcome->refusal = tx_verdict_text(result.verdict);
		return STATUS_OK;
	}
	outcome->logs = hash_of_logs(result.receipt.logs, result.receipt.log_count);
	return STATUS_OK;
}

static enum status run_case(struct runner *runner, struct outcome *outcome, const struct json *test,
    const struct json *post, enum fork fork, struct bytes fork_text) {
	const struct exec_rules rules = rules_of_case(test, fork, fork_text);
	const struct header header = header_of_env(json_get(test, "env"));
	const struct exec_block_hashes hashes = {.get = test_block_hash};
	struct buf envelope;
	*outcome = (struct outcome){0};
	state_reset(runner->state, NULL);
	TRY(alloc_fill_state(runner->state, json_get(test, "pre"), &runner->err));
	buf_init(&envelope, BUF_MAX_DEFAULT);
	enum status status = hex_data(&envelope, json_string(json_get(post, "txbytes")));
	if (status == STATUS_OK)
		status = executor_begin_block(runner->executor, runner->state, &rules, &header, &hashes, &runner->err);
	if (status == STATUS_OK) status = run_transaction(runner, outcome, buf_view(&envelope), &rules);
	buf_fini(&envelope);
	TRY(status);
	struct state_diff diff;
	TRY(state_get_diff(runner->state, &diff));
	return state_root_of_diff(&outcome->root, &diff, &runner->err);
}

/* --- what differs --- */

static void print_word(const char *label, const u256 *got, const u256 *expected) {
	uint8_t a[32], b[32];
	struct buf text;
	buf_init(&text, 4096);
	buf_printf(&text, "    %s: got ", label);
	hex_put_quantity_be(&text, u256_trimmed_be(a, got));
	buf_text(&text, ", expected ");
	hex_put_quantity_be(&text, u256_trimmed_be(b, expected));
	printf("%s\n", buf_cstr(&text));
	buf_fini(&text);
}

static enum status compare_account(struct state *state, const struct json *expected) {
	addr20 address;
	u256 balance, expected_balance = {{0}};
	uint64_t nonce;
	char label[160];
	loose_address(&address, expected->name);
	const int name_len = (int)expected->name.len;
	const char *name = (const char *)expected->name.data;
	bool exists;
	TRY(state_account_exists(state, &exists, &address));
	if (!exists) printf("    %.*s: missing\n", name_len, name);
	TRY(state_get_balance(state, &balance, &address));
	TRY(state_get_nonce(state, &nonce, &address));
	loose_u256(&expected_balance, json_get(expected, "balance"));
	snprintf(label, sizeof label, "%.*s balance", name_len, name);
	if (!u256_equal(&balance, &expected_balance)) print_word(label, &balance, &expected_balance);
	const u256 got_nonce = u256_from(nonce), expected_nonce = u256_from(number(expected, "nonce"));
	snprintf(label, sizeof label, "%.*s nonce", name_len, name);
	if (!u256_equal(&got_nonce, &expected_nonce)) print_word(label, &got_nonce, &expected_nonce);
	struct state_code code;
	TRY(state_get_code(state, &code, &address));
	const struct bytes expected_code = json_string(json_get(expected, "code"));
	struct buf hex;
	buf_init(&hex, BUF_MAX_DEFAULT);
	hex_put(&hex, code.bytes, true);
	if (!bytes_equal(buf_view(&hex), expected_code))
		printf("    %.*s code: got %s, expected %.*s\n", name_len, name, buf_cstr(&hex), (int)expected_code.len,
		    (const char *)expected_code.data);
	buf_fini(&hex);
	json_foreach (entry, json_get(expected, "storage")) {
		hash32 slot_word, value_word;
		if (!loose_word(&slot_word, entry->name) || !loose_word(&value_word, json_string(entry))) continue;
		const u256 slot = u256_load_be(slot_word.b), value = u256_load_be(value_word.b);
		u256 got;
		TRY(state_get_storage(state, &got, &address, &slot));
		snprintf(label, sizeof label, "%.*s [%.*s]", name_len, name, (int)entry->name.len,
		    (const char *)entry->name.data);
		if (!u256_equal(&got, &value)) print_word(label, &got, &value);
	}
	return STATUS_OK;
}

static const struct json *expected_account(const struct json *expected, const addr20 *address) {
	json_foreach (account, expected) {
		addr20 other;
		if (loose_address(&other, account->name) && addr20_equal(&other, address)) return account;
	}
	return NULL;
}

static bool names_slot(const struct json *storage, const u256 *slot) {
	json_foreach (entry, storage) {
		hash32 word;
		if (!loose_word(&word, entry->name)) continue;
		const u256 named = u256_load_be(word.b);
		if (u256_equal(&named, slot)) return true;
	}
	return false;
}

/* What is there although nobody expects it. */
static void print_surplus(const struct account_change *change, const struct json *expected) {
	char text[43];
	const u256 zero = u256_from(0);
	const struct json *account = expected_account(expected, &change->address);
	address_checksum(text, &change->address);
	if (account == NULL) printf("    %s: should not exist\n", text);
	if (account == NULL) return;
	for (size_t i = 0; i < change->storage_count; i++) {
		const struct storage_change *slot = &change->storage[i];
		if (!u256_is_zero(&slot->after) && !names_slot(json_get(account, "storage"), &slot->slot))
			print_word(text, &slot->after, &zero);
	}
}

static void print_difference(struct runner *runner, const struct json *expected) {
	struct state_diff diff;
	if (expected == NULL) return;
	json_foreach (account, expected)
		if (compare_account(runner->state, account) != STATUS_OK) return;
	if (state_get_diff(runner->state, &diff) != STATUS_OK) return;
	for (size_t i = 0; i < diff.count; i++)
		if (diff.accounts[i].exists) print_surplus(&diff.accounts[i], expected);
}

/* --- a file's cases --- */

static bool word_member_is(const struct json *object, const char *name, const hash32 *value) {
	hash32 word;
	return loose_word(&word, json_string(json_get(object, name))) && hash32_equal(&word, value);
}

static const char *judge(const struct outcome *outcome, const struct json *post, enum status status) {
	const bool should_fail = json_get(post, "expectException") != NULL;
	if (status != STATUS_OK) return "could not be run";
	if (should_fail && outcome->refusal == NULL) return "was accepted";
	if (!should_fail && outcome->refusal != NULL) return "was refused";
	if (!word_member_is(post, "hash", &outcome->root)) return "has another state root";
	if (!word_member_is(post, "logs", &outcome->logs)) return "has other logs";
	return NULL;
}

static void run_post(struct runner *runner, const char *path, const struct json *test, const struct json *post,
    enum fork fork, struct bytes fork_text, size_t index) {
	struct outcome outcome;
	runner->err.message[0] = 0;
	enum status status = run_case(runner, &outcome, test, post, fork, fork_text);
	const char *fault = judge(&outcome, post, status);
	if (fault == NULL) {
		runner->passed++;
		return;
	}
	const struct evm_tracer watch = {.enter = watch_enter, .context = runner};
	runner->missing_precompile = false;
	evm_set_tracer(executor_evm(runner->executor), &watch); /* once more, watched */
	status = run_case(runner, &outcome, test, post, fork, fork_text);
	evm_set_tracer(executor_evm(runner->executor), NULL);
	const bool excused = runner->without_precompiles && runner->missing_precompile;
	*(excused ? &runner->skipped : &runner->failed) += 1;
	runner->skipped_for_precompile += excused;
	const struct bytes expected = json_string(json_get(post, "expectException"));
	printf("%s %s\n  %.*s %.*s/%zu %s%s%s%.*s%s\n", excused ? "SKIP" : "FAIL", path, (int)test->name.len,
	    (const char *)test->name.data, (int)fork_text.len, (const char *)fork_text.data, index, fault,
	    outcome.refusal != NULL ? ": " : "", outcome.refusal != NULL ? outcome.refusal : runner->err.message,
	    (int)expected.len, expected.data != NULL ? (const char *)expected.data : "",
	    runner->missing_precompile ? " (calls a precompile that this build lacks)" : "");
	if (status == STATUS_OK && !runner->missing_precompile) print_difference(runner, json_get(post, "state"));
}

static void run_test(struct runner *runner, const char *path, const struct json *test) {
	json_foreach (posts, json_get(test, "post")) {
		enum fork fork;
		if (!fork_of_name(&fork, posts->name)) {
			printf("SKIP %s: fork %.*s\n", path, (int)posts->name.len, (const char *)posts->name.data);
			runner->skipped += posts->count;
			continue;
		}
		size_t index = 0;
		json_foreach (post, posts) run_post(runner, path, test, post, fork, posts->name, index++);
	}
}

static bool read_file(struct buf *out, const char *path) {
	FILE *file = fopen(path, "rb");
	char chunk[1 << 16];
	size_t got;
	if (file == NULL) return false;
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) buf_append(out, bytes_make(chunk, got));
	const bool good = !ferror(file) && !out->overflow;
	fclose(file);
	return good;
}

static void run_file(struct runner *runner, const char *path) {
	const struct json_limits limits = {.bytes_max = BUF_MAX_DEFAULT, .depth_max = 64, .values_max = 1 << 24};
	const struct json *root;
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	if (!read_file(&text, path)) {
		printf("SKIP %s: cannot be read\n", path);
		runner->skipped++;
	} else if (json_parse(&root, &runner->arena, buf_view(&text), &limits, &runner->err) != STATUS_OK) {
		printf("SKIP %s: %s\n", path, runner->err.message);
		runner->skipped++;
	} else {
		json_foreach (test, root) run_test(runner, path, test);
	}
	arena_reset(&runner->arena);
	buf_fini(&text);
}

static int not_hidden(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

static void run_path(struct runner *runner, const char *path) {
	struct stat info;
	if (stat(path, &info) != 0) {
		printf("SKIP %s: not found\n", path);
		runner->skipped++;
		return;
	}
	if (!S_ISDIR(info.st_mode)) {
		const size_t len = strlen(path);
		if (len > 5 && strcmp(path + len - 5, ".json") == 0) run_file(runner, path);
		return;
	}
	struct dirent **entries;
	const int count = scandir(path, &entries, not_hidden, alphasort);
	for (int i = 0; i < count; i++) {
		char below[4096];
		if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name) < sizeof below)
			run_path(runner, below);
		free(entries[i]);
	}
	if (count >= 0) free(entries);
}

/* A folder below the one that DATA names (default: ../shared/data beside the source). */
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
	struct runner runner = {.executor = executor_new()};
	runner.state = state_new(NULL, &runner.err);
	arena_init(&runner.arena);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--without-precompiles") == 0)
			runner.without_precompiles = true;
		else if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
			run_data(&runner, argv[++i]);
		else
			run_path(&runner, argv[i]);
	}
	if (runner.skipped_for_precompile > 0)
		printf("%zu are skipped since they call a precompile that this build lacks (0x0a to 0x11)\n",
		    runner.skipped_for_precompile);
	printf("%zu passed, %zu failed, %zu skipped\n", runner.passed, runner.failed, runner.skipped);
	state_free(runner.state);
	executor_free(runner.executor);
	arena_fini(&runner.arena);
	if (runner.passed + runner.failed == 0) return 77; /* nothing found: skipped, for Meson */
	return runner.failed == 0 ? 0 : 1;
}
