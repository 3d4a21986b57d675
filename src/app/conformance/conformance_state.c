/* xinglin statetest: one transaction in a given state; the root and the logs must be as the file says. */
#include "app/conformance/conformance.h"
#include "codec/hex.h"
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/alloc.h"
#include "ledger/exec/exec.h"
#include "ledger/state/commitment.h"

struct runner {
	struct conformance *run;
	struct executor *executor;
	struct state *state;
};

/* --- what a case says --- */

static uint64_t number(const struct json *object, const char *name) {
	uint64_t value = 0;
	const struct json *member = json_get(object, name);
	return member == NULL || loose_u64(&value, member) ? value : 0; /* then the root will tell */
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
	if (transaction_decode(&tx, &sidecar, &runner->run->arena, envelope, &runner->run->err) != STATUS_OK) {
		outcome->refusal = runner->run->err.message;
		return STATUS_OK;
	}
	if (transaction_sender(&sender, &tx, rules->fork >= FORK_HOMESTEAD, &runner->run->err) != STATUS_OK) {
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
	TRY(alloc_fill_state(runner->state, json_get(test, "pre"), &runner->run->err));
	buf_init(&envelope, BUF_MAX_DEFAULT);
	enum status status = hex_data(&envelope, json_string(json_get(post, "txbytes")));
	if (status == STATUS_OK)
		status =
		    executor_begin_block(runner->executor, runner->state, &rules, &header, &hashes, &runner->run->err);
	if (status == STATUS_OK) status = run_transaction(runner, outcome, buf_view(&envelope), &rules);
	buf_fini(&envelope);
	TRY(status);
	struct state_diff diff;
	TRY(state_get_diff(runner->state, &diff));
	return state_root_of_diff(&outcome->root, &diff, &runner->run->err);
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

static void print_failure(const struct conformance *run, const struct json *test, struct bytes fork, size_t index,
    const char *fault, const struct outcome *outcome, const struct json *post) {
	const struct bytes expected = json_string(json_get(post, "expectException"));
	fprintf(run->out, "FAIL %s\n  %.*s %.*s/%zu %s: %s", run->path, (int)test->name.len,
	    (const char *)test->name.data, (int)fork.len, (const char *)fork.data, index, fault,
	    outcome->refusal != NULL ? outcome->refusal : run->err.message);
	if (expected.data != NULL) fprintf(run->out, "; expected %.*s", (int)expected.len, (const char *)expected.data);
	fputc('\n', run->out);
}

static void run_post(struct runner *runner, const struct json *test, const struct json *post, enum fork fork,
    struct bytes fork_text, size_t index) {
	struct outcome outcome;
	struct conformance *run = runner->run;
	run->err.message[0] = 0;
	const enum status status = run_case(runner, &outcome, test, post, fork, fork_text);
	const char *fault = judge(&outcome, post, status);
	if (fault == NULL) {
		run->passed++;
		return;
	}
	run->failed++;
	print_failure(run, test, fork_text, index, fault, &outcome, post);
	const struct json *accounts = json_get(post, "state");
	if (status == STATUS_OK && accounts != NULL) conformance_print_difference(run->out, runner->state, accounts);
}

static void run_test(struct conformance *run, const struct json *test) {
	struct runner *runner = run->own;
	if (json_get(test, "post") == NULL || json_get(test, "transaction") == NULL)
		conformance_skip(run, test, "is no state test", (struct bytes){0});
	json_foreach (posts, json_get(test, "post")) {
		enum fork fork;
		size_t index = 0;
		if (!conformance_fork(&fork, posts->name)) {
			conformance_skip(run, test, "fork", posts->name);
			continue;
		}
		json_foreach (post, posts) run_post(runner, test, post, fork, posts->name, index++);
	}
}

enum status conformance_state(struct conformance *run, const char *const *paths, size_t count, struct err *err) {
	struct runner runner = {.run = run, .executor = executor_new(), .state = state_new(NULL, &run->err)};
	enum status status = STATUS_OK;
	arena_init(&run->arena);
	run->run_test = run_test;
	run->own = &runner;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) status = conformance_walk(run, paths[i], err);
	state_free(runner.state);
	executor_free(runner.executor);
	arena_fini(&run->arena);
	return status;
}
