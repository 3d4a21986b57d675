/*
 * ethereum/tests TransactionTests, one result a fork: for a valid one hash and sender must fit; one that is no RLP or
 * has no valid signature must be refused by transaction_decode or transaction_sender. Refusals that need the fork's
 * rules (gas, fees, type, chain id) belong to ledger/exec: counted as skipped where decoding alone accepts.
 */
#include "tests/unit.h"

#include "eth/types.h"
#include "tests/vectors.h"

struct outcome {
	bool is_accepted;
	hash32 hash;
	addr20 sender;
};

static bool left_to_exec(struct bytes exception) {
	static const char *const rules[] = {"INTRINSIC_GAS_TOO_LOW", "GASLIMIT_PRICE_PRODUCT_OVERFLOW", "NONCE_TOO_BIG",
	    "INITCODE_SIZE_EXCEEDED", "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2", "TYPE_NOT_SUPPORTED",
	    "INVALID_CHAINID"};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (bytes_equal(
			bytes_slice(exception, strlen("TransactionException."), SIZE_MAX), bytes_text(rules[i])))
			return true;
	return false;
}

/* The transaction types of each fork; 155: legacy ones may carry a chain id, which is mainnet's. */
static bool fork_allows(struct bytes fork, const struct transaction *tx) {
	static const char *const forks[] = {"Frontier", "Homestead", "EIP150", "EIP158", "Byzantium", "Constantinople",
	    "ConstantinopleFix", "Istanbul", "Berlin", "London", "Paris", "Shanghai", "Cancun"};
	enum { EIP155_FORK = 3, BERLIN = 8, LONDON = 9, CANCUN = 12, COUNT = 13 };
	size_t index = 0;
	while (index < COUNT && !bytes_equal(fork, bytes_text(forks[index]))) index++;
	assert_true(index < COUNT);
	const u256 mainnet = u256_from(1);
	if (tx->has_chain_id && (index < EIP155_FORK || !u256_equal(&tx->chain_id, &mainnet))) return false;
	switch (tx->type) {
	case TX_LEGACY: return true;
	case TX_ACCESS_LIST: return index >= BERLIN;
	case TX_DYNAMIC_FEE: return index >= LONDON;
	case TX_BLOB: return index >= CANCUN;
	case TX_SET_CODE: return false;
	}
	return false;
}

static struct outcome decode(struct arena *arena, struct bytes envelope, struct bytes fork) {
	bool homestead = !bytes_equal(fork, BYTES_LITERAL("Frontier"));
	struct outcome outcome = {0};
	struct transaction tx;
	if (transaction_decode(&tx, NULL, arena, envelope, NULL) || !fork_allows(fork, &tx)) return outcome;
	if (transaction_sender(&outcome.sender, &tx, homestead, NULL)) return outcome;
	outcome.is_accepted = true;
	outcome.hash = transaction_hash(&tx);
	return outcome;
}

/* What decodes re-encodes to the same bytes. */
static bool round_trips(struct arena *arena, struct bytes envelope) {
	struct transaction tx;
	if (transaction_decode(&tx, NULL, arena, envelope, NULL)) return true;
	struct buf again;
	buf_init(&again, BUF_MAX_DEFAULT);
	transaction_encode(&again, &tx);
	bool is_same = bytes_equal(buf_view(&again), envelope);
	buf_fini(&again);
	return is_same;
}

static void check_result(
    struct vectors *vectors, struct arena *arena, const char *path, struct bytes envelope, const struct json *result) {
	struct outcome outcome = decode(arena, envelope, result->name);
	struct bytes exception = json_string(json_get(result, "exception"));
	if (exception.data) {
		if (outcome.is_accepted && left_to_exec(exception))
			vectors->skipped++;
		else
			vectors_count(vectors, !outcome.is_accepted, path, result->name);
		return;
	}
	hash32 hash;
	addr20 sender;
	assert_int_equal(hex_fixed(hash.b, 32, json_string(json_get(result, "hash"))), STATUS_OK);
	assert_int_equal(hex_fixed(sender.b, 20, json_string(json_get(result, "sender"))), STATUS_OK);
	bool is_good =
	    outcome.is_accepted && hash32_equal(&outcome.hash, &hash) && addr20_equal(&outcome.sender, &sender);
	vectors_count(vectors, is_good && round_trips(arena, envelope), path, result->name);
}

static void visit(void *context, const char *path) {
	struct arena arena;
	arena_init(&arena);
	json_foreach (test, vectors_parse(&arena, path)) {
		struct bytes text = json_string(json_get(test, "txbytes")), envelope = {0};
		if (text.len > 2) envelope = vectors_hex(&arena, text);
		json_foreach (result, json_get(test, "result")) check_result(context, &arena, path, envelope, result);
	}
	arena_fini(&arena);
}

static void test_transactions(void **state) {
	(void)state;
	vectors_need("ethereum/transactions");
	struct vectors vectors = {.name = "TransactionTests"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "ethereum/transactions"), ".json", visit, &vectors);
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* basic/txtest.json: from fields and key to the signed bytes (RFC 6979 makes them one and the same). */
static struct bytes text_of(const struct json *object, const char *name) {
	const struct json *value = json_get(object, name);
	return json_is(value, JSON_NUMBER) ? value->text : json_string(value);
}

static bool signs(struct arena *arena, const struct json *item) {
	struct transaction tx = {.type = TX_LEGACY};
	hash32 secret;
	struct bytes key = vectors_hex(arena, text_of(item, "key")), to = text_of(item, "to");
	assert_int_equal(key.len, 32);
	memcpy(secret.b, key.data, 32);
	assert_true(json_u64(&tx.nonce, json_get(item, "nonce")));
	assert_true(json_u64(&tx.gas_limit, json_get(item, "startgas")));
	assert_true(u256_from_decimal(&tx.max_fee_wei, text_of(item, "gasprice")));
	assert_true(u256_from_decimal(&tx.value_wei, text_of(item, "value")));
	tx.max_priority_fee_wei = tx.max_fee_wei;
	tx.is_create = to.len == 0;
	if (to.len) memcpy(tx.to.b, vectors_hex(arena, to).data, 20);
	if (text_of(item, "data").len) tx.data = vectors_hex(arena, text_of(item, "data"));
	struct err err;
	addr20 sender, expected;
	if (transaction_sign(&tx, arena, &secret, &err) || transaction_sender(&sender, &tx, true, &err)) return false;
	assert_int_equal(address_of_secret(&expected, &secret), STATUS_OK);
	/* These were signed with random nonces: the unsigned parts must be the same, and both signatures must be the
	 * key's. */
	struct transaction given;
	struct bytes signed_bytes = vectors_hex(arena, text_of(item, "signed"));
	if (transaction_decode(&given, NULL, arena, signed_bytes, &err)) return false;
	addr20 given_sender;
	if (transaction_sender(&given_sender, &given, false, &err)) return false;
	hash32 digest = transaction_signing_hash(&tx), given_digest = transaction_signing_hash(&given);
	return addr20_equal(&sender, &expected) && addr20_equal(&given_sender, &expected) &&
	       hash32_equal(&digest, &given_digest) && round_trips(arena, signed_bytes);
}

static void test_signing(void **state) {
	(void)state;
	vectors_need("ethereum/basic/txtest.json");
	struct vectors vectors = {.name = "basic/txtest"};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, "ethereum/basic/txtest.json"))
		vectors_count(&vectors, signs(&arena, item), "txtest.json", text_of(item, "key"));
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_transactions), cmocka_unit_test(test_signing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
