/* Key files that other wallets wrote. */
#include "tests/unit.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "envelope/keystore.h"
#include "tests/vectors.h"

static void ethereum_tests(void **state) {
	(void)state;
	static const char file[] = "ethereum/keystore/ethereum-tests/basic_tests.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, file)) {
		hash32 secret;
		struct bytes password = json_string(json_get(item, "password"));
		bool fits = keystore_open(&secret, json_get(item, "json")->raw, password, NULL) == STATUS_OK &&
			    bytes_equal(BYTES_OF(secret), vectors_hex(&arena, json_string(json_get(item, "priv"))));
		vectors_count(&vectors, fits, "case", item->name);
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* Skipped: the presale's own format, which is not version 3. */
static void ethers(void **state) {
	(void)state;
	static const char file[] = "ethereum/keystore/ethers/wallets.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, file)) {
		hash32 secret;
		uint8_t xy[64] = {0};
		struct bytes content = json_string(json_get(item, "content"));
		struct bytes password = vectors_hex(&arena, json_string(json_get(item, "password")));
		struct bytes address = vectors_hex(&arena, json_string(json_get(item, "address")));
		enum status status = keystore_open(&secret, content, password, NULL);
		if (json_string_is(json_get(item, "type"), "crowdsale")) {
			assert_int_equal(status, STATUS_UNSUPPORTED);
			vectors.skipped++;
			continue;
		}
		bool fits = status == STATUS_OK && secp_public_key(xy, &secret) == STATUS_OK;
		hash32 hash = keccak256(bytes_make(xy, sizeof xy));
		fits = fits && bytes_equal(bytes_make(hash.b + 12, 20), address);
		vectors_count(&vectors, fits, "wallet", json_string(json_get(item, "name")));
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ethereum_tests),
	    cmocka_unit_test(ethers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
