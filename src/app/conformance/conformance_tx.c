/* xinglin txtest: one result a fork; hash, sender and intrinsic gas of a valid transaction, and every invalid one
 * refused: by its encoding, its signature, or the fork's static rules. */
#include "app/conformance/conformance.h"
#include "codec/hex.h"
#include "ledger/chain/alloc.h"
#include "ledger/exec/exec.h"

struct judged {
	const char *refusal; /* NULL: valid */
	hash32 hash;
	addr20 sender;
	uint64_t intrinsic_gas;
};

/* gas * price that no balance can pay: whoever sends it, the funds do not suffice. */
static bool cost_overflows(const struct transaction *tx) {
	const u256 gas = u256_from(tx->gas_limit);
	u256 cost;
	return u256_mul_overflow(&cost, &gas, &tx->max_fee_wei);
}

static struct judged judge(struct conformance *run, struct bytes envelope, enum fork fork) {
	const struct exec_rules rules = {.fork = fork, .chain_id = u256_from(1), .blob = exec_blob_schedule(fork)};
	struct judged judged = {0};
	struct transaction tx;
	run->err.message[0] = 0;
	if (transaction_decode(&tx, NULL, &run->arena, envelope, &run->err) != STATUS_OK ||
	    transaction_sender(&judged.sender, &tx, fork >= FORK_HOMESTEAD, &run->err) != STATUS_OK) {
		judged.refusal = run->err.message;
		return judged;
	}
	const enum tx_verdict verdict = exec_check_static(&tx, &rules);
	if (verdict != TX_VERDICT_OK)
		judged.refusal = tx_verdict_text(verdict);
	else if (cost_overflows(&tx))
		judged.refusal = tx_verdict_text(TX_VERDICT_INSUFFICIENT_FUNDS);
	judged.hash = transaction_hash(&tx);
	judged.intrinsic_gas = exec_intrinsic_gas(&tx, fork);
	return judged;
}

/* NULL if all is as the file says. */
static const char *compare(const struct judged *judged, const struct json *result) {
	hash32 hash;
	addr20 sender;
	uint64_t gas;
	const bool should_fail = json_get(result, "exception") != NULL;
	if (should_fail) return judged->refusal != NULL ? NULL : "was accepted";
	if (judged->refusal != NULL) return "was refused";
	if (!loose_word(&hash, json_string(json_get(result, "hash"))) || !hash32_equal(&hash, &judged->hash))
		return "has another hash";
	if (!loose_address(&sender, json_string(json_get(result, "sender"))) || !addr20_equal(&sender, &judged->sender))
		return "has another sender";
	if (!loose_u64(&gas, json_get(result, "intrinsicGas")) || gas != judged->intrinsic_gas)
		return "has another intrinsic gas";
	return NULL;
}

static void run_result(
    struct conformance *run, const struct json *test, struct bytes envelope, const struct json *result) {
	enum fork fork;
	if (!conformance_fork(&fork, result->name)) {
		conformance_skip(run, test, "fork", result->name);
		return;
	}
	const struct judged judged = judge(run, envelope, fork);
	const char *fault = compare(&judged, result);
	const struct bytes expected = json_string(json_get(result, "exception"));
	run->passed += fault == NULL;
	run->failed += fault != NULL;
	if (fault == NULL) return;
	fprintf(run->out, "FAIL %s\n  %.*s %.*s %s%s%s", run->path, (int)test->name.len, (const char *)test->name.data,
	    (int)result->name.len, (const char *)result->name.data, fault, judged.refusal != NULL ? ": " : "",
	    judged.refusal != NULL ? judged.refusal : "");
	if (expected.data != NULL) fprintf(run->out, "; expected %.*s", (int)expected.len, (const char *)expected.data);
	fputc('\n', run->out);
}

static void run_test(struct conformance *run, const struct json *test) {
	const struct json *results = json_get(test, "result"), *bytes = json_get(test, "txbytes");
	struct buf envelope;
	if (results == NULL || bytes == NULL) {
		conformance_skip(run, test, "is no transaction test", (struct bytes){0});
		return;
	}
	buf_init(&envelope, BUF_MAX_DEFAULT);
	if (hex_data(&envelope, json_string(bytes)) != STATUS_OK) buf_clear(&envelope);
	json_foreach (result, results) run_result(run, test, buf_view(&envelope), result);
	buf_fini(&envelope);
}

enum status conformance_tx(struct conformance *run, const char *const *paths, size_t count, struct err *err) {
	enum status status = STATUS_OK;
	arena_init(&run->arena);
	run->run_test = run_test;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) status = conformance_walk(run, paths[i], err);
	arena_fini(&run->arena);
	return status;
}
