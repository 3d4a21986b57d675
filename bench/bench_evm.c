/*
 * The EVM on real contracts (ipsilon's evm-benchmarks, `main`): microseconds a run, execution only, and beside it those
 * of another EVM (bench/peer.h). Runs of the two take turns; each figure is the best of many, what the machine can do
 * when left alone. The world is the tests' small one, put back after every run.
 *
 * Usage: bench_evm [--switch] [--peer LIBRARY] [FILTER]. Data under $DATA (default: ../shared/data beside the
 * checkout).
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/peer.h"
#include "ledger/evm/test_host.h"

#define TURNS 20
#define US_A_TURN 50000.0

static const char *const rows[] = {"blake2b_huff/8415nulls", "blake2b_shifts/8415nulls", "sha1_divs/5311",
    "sha1_shifts/5311", "snailtracer/benchmark", "structarray_alloc/nfts_rank", "swap_math/spent", "swap_math/received",
    "swap_math/insufficient_liquidity", "weierstrudel/1", "weierstrudel/15"};

/* A library's functions; NULL without one. */
struct peer_library {
	struct peer *(*make)(const struct peer_call *call);
	int64_t (*run)(struct peer *peer);
	void (*free)(struct peer *peer);
};

struct bench {
	struct evm *evm;
	struct test_host *host;
	const char *filter;
	struct peer_library library;
	double log_of_ratios;
	size_t compared;
};

static double now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

_Noreturn static void stop(const char *what, const char *where) {
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

static double turn_ours(struct bench *bench, const struct evm_message *message, double best) {
	const size_t snapshot = test_host_snapshot(bench->host);
	const double start = now_us();
	for (double now = start; now - start < US_A_TURN;) {
		struct evm_result result;
		const double before = now_us();
		if (evm_execute(bench->evm, &result, message) != STATUS_OK) stop("the host failed", "again");
		now = now_us();
		if (now - before < best) best = now - before;
		test_host_revert_to(bench->host, snapshot);
	}
	return best;
}

static double turn_theirs(const struct bench *bench, struct peer *peer, double best) {
	const double start = now_us();
	for (double now = start; now - start < US_A_TURN;) {
		const double before = now_us();
		bench->library.run(peer);
		now = now_us();
		if (now - before < best) best = now - before;
	}
	return best;
}

/* The same call for the peer, which must use the same gas; NULL without a library. */
static struct peer *make_peer(
    struct bench *bench, const struct evm_message *message, const char *name, uint64_t gas_used) {
	if (bench->library.make == NULL) return NULL;
	struct evm_code code;
	if (test_host_table.get_code(bench->host, &code, &message->code_address) != STATUS_OK) stop("no code", name);
	struct peer_call call = {.code = code.bytes.data,
	    .code_len = code.bytes.len,
	    .input = message->input.data,
	    .input_len = message->input.len,
	    .gas = (int64_t)message->gas};
	memcpy(call.sender, message->sender.b, sizeof call.sender);
	memcpy(call.recipient, message->recipient.b, sizeof call.recipient);
	struct peer *peer = bench->library.make(&call);
	if (bench->library.run(peer) != (int64_t)gas_used) stop("the peer uses other gas", name);
	return peer;
}

static void measure(struct bench *bench, const struct evm_message *message, const char *name, uint64_t gas_used) {
	struct peer *peer = make_peer(bench, message, name, gas_used);
	double ours = 1e300, theirs = 1e300;
	for (int turn = 0; turn < TURNS; turn++) {
		ours = turn_ours(bench, message, ours);
		if (peer != NULL) theirs = turn_theirs(bench, peer, theirs);
	}
	printf("%-34s %10.2f %10.0f", name, ours, (double)gas_used / ours);
	if (peer != NULL) {
		printf(" %10.2f %7.2f", theirs, ours / theirs);
		bench->log_of_ratios += log(ours / theirs);
		bench->compared++;
		bench->library.free(peer);
	}
	printf("\n");
	fflush(stdout);
}

/* Which of the transaction's data has this label; the first where none has. */
static size_t data_index(const struct json *test, const char *label) {
	json_foreach (entry, json_get(json_get(test, "_info"), "labels"))
		if (json_string_is(entry, label)) return (size_t)strtoul((const char *)entry->name.data, NULL, 10);
	return 0;
}

/* The gas of a run that did what it should: its logs are the test's. */
static uint64_t run_checked(
    struct bench *bench, const struct evm_message *message, const struct json *test, size_t index) {
	struct evm_result result;
	const size_t snapshot = test_host_snapshot(bench->host);
	if (evm_execute(bench->evm, &result, message) != STATUS_OK) stop("the host failed", "first run");
	if (result.outcome != EVM_SUCCESS && result.outcome != EVM_REVERT)
		stop("first run", evm_outcome_text(result.outcome));
	const hash32 logs = test_host_logs_hash(bench->host);
	const u256 word = u256_load_be(logs.b);
	json_foreach (post, json_get(json_get(test, "post"), "London")) {
		u256 expected;
		uint64_t data;
		if (!json_u64(&data, json_get(json_get(post, "indexes"), "data")) || data != index) continue;
		if (!test_hex_word(&expected, json_string(json_get(post, "logs"))) || !u256_equal(&expected, &word))
			stop("the logs are not the test's", "first run");
		test_host_revert_to(bench->host, snapshot);
		return message->gas - result.gas_left;
	}
	stop("no expectation", "first run");
}

static void run_row(struct bench *bench, const char *data_folder, const char *name) {
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

	measure(bench, &message, name, run_checked(bench, &message, test, index));
	arena_fini(&arena);
}

static void *symbol(void *library, const char *name) {
	void *found = dlsym(library, name);
	if (found == NULL) stop("no such function in the peer", name);
	return found;
}

static void open_peer(struct peer_library *out, const char *path) {
	void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
	if (library == NULL) stop("cannot open the peer", dlerror());
	*(void **)&out->make = symbol(library, "peer_new");
	*(void **)&out->run = symbol(library, "peer_run");
	*(void **)&out->free = symbol(library, "peer_free");
}

int main(int argc, char **argv) {
	struct bench bench = {.evm = evm_new(), .host = test_host_new()};
	const char *data = getenv("DATA");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--switch") == 0)
			evm_set_reference_dispatch(bench.evm, true);
		else if (strcmp(argv[i], "--peer") == 0)
			open_peer(&bench.library, argv[++i]);
		else
			bench.filter = argv[i];
	}
	evm_set_host(bench.evm, &test_host_table, bench.host);
	printf("%-34s %10s %10s", "contract / input", "us", "Mgas/s");
	printf(bench.library.make != NULL ? "    peer us   ratio\n" : "\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (bench.filter == NULL || strstr(rows[i], bench.filter) != NULL)
			run_row(&bench, data != NULL ? data : SOURCE_ROOT "/../shared/data", rows[i]);
	if (bench.compared > 0)
		printf("%-34s %10s %10s %10s %7.2f\n", "geometric mean", "", "", "",
		    exp(bench.log_of_ratios / (double)bench.compared));
	test_host_free(bench.host);
	evm_free(bench.evm);
	return 0;
}
