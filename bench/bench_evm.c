/*
 * The EVM on real contracts (ipsilon's evm-benchmarks, `main`): microseconds a run, execution only, beside evmone's
 * 0.15 baseline interpreter as measured on the same kind of machine. The world is the tests' small one, put back after
 * every run.
 *
 * Usage: bench_evm [--switch] [FILTER]. Data under $DATA (default: ../shared/data beside the checkout).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ledger/evm/test_host.h"

#define SECONDS_PER_ROW 1.0

static const struct {
	const char *name;
	double evmone_us;
} rows[] = {
    {"blake2b_huff/8415nulls", 571},
    {"blake2b_shifts/8415nulls", 5928},
    {"sha1_divs/5311", 3620},
    {"sha1_shifts/5311", 1648},
    {"snailtracer/benchmark", 29092},
    {"structarray_alloc/nfts_rank", 325},
    {"swap_math/spent", 1.7},
    {"swap_math/received", 1.7},
    {"swap_math/insufficient_liquidity", 1.0},
    {"weierstrudel/1", 152},
    {"weierstrudel/15", 1554},
};

struct bench {
	struct evm *evm;
	struct test_host *host;
	const char *filter;
};

static double now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void stop(const char *what, const char *where) {
	fprintf(stderr, "bench_evm: %s: %s\n", what, where);
	exit(1);
}

static const struct json *read_json(struct arena *arena, const char *path) {
	FILE *file = fopen(path, "rb");
	if (file == NULL) stop("cannot open", path);
	fseek(file, 0, SEEK_END);
	const size_t size = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = arena_alloc(arena, size);
	if (fread(data, 1, size, file) != size) stop("cannot read", path);
	fclose(file);
	const struct json *root;
	struct err err;
	if (json_parse(&root, arena, bytes_make(data, size), &json_limits_default, &err) != STATUS_OK)
		stop(path, err.message);
	return root;
}

static uint64_t number(const struct json *object, const char *name) {
	u256 word;
	if (!test_hex_word(&word, json_string(json_get(object, name)))) stop("not a number", name);
	return word.w[0];
}

static addr20 address(const struct json *object, const char *name) {
	addr20 out;
	if (!test_hex_address(&out, json_string(json_get(object, name)))) stop("not an address", name);
	return out;
}

/* The best of many runs: what the machine can do when left alone. */
static double best_us(struct bench *bench, const struct evm_message *message, const char *name, uint64_t *gas_used) {
	double best = 1e300;
	const double start = now_us();
	const size_t snapshot = test_host_snapshot(bench->host);
	for (double now = start; now - start < SECONDS_PER_ROW * 1e6;) {
		const double before = now_us();
		struct evm_result result;
		if (evm_execute(bench->evm, &result, message) != STATUS_OK) stop("the host failed", name);
		now = now_us();
		if (now - before < best) best = now - before;
		if (result.outcome != EVM_SUCCESS && result.outcome != EVM_REVERT)
			stop(name, evm_outcome_text(result.outcome));
		*gas_used = message->gas - result.gas_left;
		test_host_revert_to(bench->host, snapshot);
	}
	return best;
}

/* Which of the transaction's data has this label; the first where none has. */
static size_t data_index(const struct json *test, const char *label) {
	json_foreach (entry, json_get(json_get(test, "_info"), "labels"))
		if (json_string_is(entry, label)) return (size_t)strtoul((const char *)entry->name.data, NULL, 10);
	return 0;
}

/* What ran must have done what it should: its logs are the test's. */
static void check_logs(struct bench *bench, const struct evm_message *message, const struct json *test, size_t index) {
	struct evm_result result;
	const size_t snapshot = test_host_snapshot(bench->host);
	if (evm_execute(bench->evm, &result, message) != STATUS_OK) stop("the host failed", "first run");
	const hash32 logs = test_host_logs_hash(bench->host);
	const u256 word = u256_load_be(logs.b);
	json_foreach (post, json_get(json_get(test, "post"), "London")) {
		u256 expected;
		uint64_t data;
		if (!json_u64(&data, json_get(json_get(post, "indexes"), "data")) || data != index) continue;
		if (!test_hex_word(&expected, json_string(json_get(post, "logs"))) || !u256_equal(&expected, &word))
			stop("the logs are not the test's", "first run");
		test_host_revert_to(bench->host, snapshot);
		return;
	}
	stop("no expectation", "first run");
}

static void run_row(struct bench *bench, const char *data_folder, const char *name, double evmone_us) {
	struct arena arena;
	arena_init(&arena);
	const char *slash = strchr(name, '/');
	const char *path = arena_printf(
	    &arena, "%s/ethereum/benchmarks/evm-benchmarks/main/%.*s.json", data_folder, (int)(slash - name), name);
	const struct json *test = read_json(&arena, path)->first;
	const struct json *env = json_get(test, "env"), *tx = json_get(test, "transaction");
	const size_t index = data_index(test, slash + 1);
	const struct json *data = json_at(json_get(tx, "data"), index);

	const struct evm_block_env block = {.coinbase = address(env, "currentCoinbase"),
	    .number = number(env, "currentNumber"),
	    .timestamp = number(env, "currentTimestamp"),
	    .gas_limit = number(env, "currentGasLimit"),
	    .chain_id = u256_from(1)};
	struct evm_message message = {.kind = EVM_CALL,
	    .gas = 1000000000,
	    .sender = address(tx, "sender"),
	    .recipient = address(tx, "to"),
	    .code_address = address(tx, "to")};
	if (!test_hex_data(&message.input, &arena, json_string(data))) stop("no data", name);
	test_host_reset(bench->host);
	if (!test_host_load(bench->host, json_get(test, "pre"))) stop("malformed accounts", path);
	test_host_begin_transaction(bench->host);
	const struct evm_tx_env tx_env = {.origin = message.sender};
	evm_set_block(bench->evm, FORK_LONDON, &block);
	evm_set_tx(bench->evm, &tx_env);

	check_logs(bench, &message, test, index);
	uint64_t gas_used = 0;
	const double us = best_us(bench, &message, name, &gas_used);
	printf("%-34s %10.1f %10.1f %7.2f %10.0f\n", name, us, evmone_us, us / evmone_us, (double)gas_used / us);
	arena_fini(&arena);
}

int main(int argc, char **argv) {
	struct bench bench = {.evm = evm_new(), .host = test_host_new()};
	const char *data = getenv("DATA");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--switch") == 0)
			evm_set_reference_dispatch(bench.evm, true);
		else
			bench.filter = argv[i];
	}
	evm_set_host(bench.evm, &test_host_table, bench.host);
	printf("%-34s %10s %10s %7s %10s\n", "contract / input", "us", "evmone us", "ratio", "Mgas/s");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (bench.filter == NULL || strstr(rows[i].name, bench.filter) != NULL)
			run_row(&bench, data != NULL ? data : SOURCE_ROOT "/../shared/data", rows[i].name,
			    rows[i].evmone_us);
	test_host_free(bench.host);
	evm_free(bench.evm);
	return 0;
}
