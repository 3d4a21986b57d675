/* Precompiles against the vectors of geth (as nimbus-eth1 carries them), of Besu, and of Wycheproof. */
#include "tests/unit.h"

#include "ledger/evm/precompiles.h"
#include "tests/vectors.h"

static const struct precompile *precompile_at(enum fork fork, uint16_t number) {
	addr20 address = {{0}};
	address.b[18] = (uint8_t)(number >> 8);
	address.b[19] = (uint8_t)number;
	return precompile_find(fork, &address);
}

/* Does it give this output for exactly this gas, and fail for one gas less? */
static bool gives(uint16_t number, enum fork fork, struct bytes input, struct bytes expected, uint64_t expected_gas) {
	const struct precompile *precompile = precompile_at(fork, number);
	struct buf output;
	buf_init(&output, BUF_MAX_DEFAULT);
	struct precompile_result result = precompile_run(precompile, &output, fork, input, expected_gas);
	bool is_good = result.success && result.gas_used == expected_gas && bytes_equal(buf_view(&output), expected);
	buf_clear(&output);
	if (expected_gas > 0) {
		result = precompile_run(precompile, &output, fork, input, expected_gas - 1);
		is_good = is_good && !result.success && result.gas_used == expected_gas - 1 && output.len == 0;
	}
	buf_fini(&output);
	return is_good;
}

static bool refuses(uint16_t number, enum fork fork, struct bytes input) {
	struct buf output;
	buf_init(&output, BUF_MAX_DEFAULT);
	uint64_t limit = (uint64_t)1 << 40;
	struct precompile_result result = precompile_run(precompile_at(fork, number), &output, fork, input, limit);
	bool is_good = !result.success && result.gas_used == limit && output.len == 0;
	buf_fini(&output);
	return is_good;
}

static const struct {
	const char *file;
	uint16_t number;
	enum fork fork;
} geth_files[] = {
    {"ecrecover", 0x01, FORK_BYZANTIUM},
    {"sha256", 0x02, FORK_BYZANTIUM},
    {"ripemd160", 0x03, FORK_BYZANTIUM},
    {"identity", 0x04, FORK_BYZANTIUM},
    {"modexp", 0x05, FORK_BYZANTIUM},
    {"modexp_eip2565", 0x05, FORK_BERLIN},
    {"modexp_eip7883", 0x05, FORK_OSAKA},
    {"bn256Add", 0x06, FORK_BYZANTIUM},
    {"bn256Add_istanbul", 0x06, FORK_ISTANBUL},
    {"bn256mul", 0x07, FORK_BYZANTIUM},
    {"bn256mul_istanbul", 0x07, FORK_ISTANBUL},
    {"pairing", 0x08, FORK_BYZANTIUM},
    {"pairing_istanbul", 0x08, FORK_ISTANBUL},
    {"blake2F", 0x09, FORK_ISTANBUL},
    {"P256Verify", 0x100, FORK_OSAKA},
};

static bool geth_case_is_good(struct arena *arena, size_t file, const struct json *item) {
	struct bytes input = vectors_hex(arena, json_string(json_get(item, "Input")));
	if (json_get(item, "ExpectedError")) return refuses(geth_files[file].number, geth_files[file].fork, input);
	uint64_t gas;
	if (!json_u64(&gas, json_get(item, "Gas"))) return false;
	struct bytes expected = vectors_hex(arena, json_string(json_get(item, "Expected")));
	return gives(geth_files[file].number, geth_files[file].fork, input, expected, gas);
}

static void test_geth(void **state) {
	(void)state;
	vectors_need("ethereum/precompiles/nimbus-eth1");
	struct vectors vectors = {.name = "precompiles of geth"};
	for (size_t i = 0; i < sizeof geth_files / sizeof *geth_files; i++) {
		struct arena arena;
		arena_init(&arena);
		const char *file = geth_files[i].file;
		const char *path = arena_printf(&arena, "ethereum/precompiles/nimbus-eth1/%s.json", file);
		const struct json *cases = json_get(vectors_json(&arena, path), "data");
		assert_true(cases != NULL && cases->count > 0);
		json_foreach (item, cases)
			vectors_count(
			    &vectors, geth_case_is_good(&arena, i, item), file, json_string(json_get(item, "Name")));
		arena_fini(&arena);
	}
	vectors_report(&vectors);
}

/* Lines "input,expected" below a heading; the gas is the rounds. */
static void test_besu_blake2f(void **state) {
	(void)state;
	vectors_need("ethereum/precompiles/besu/eip152TestCases.csv");
	struct vectors vectors = {.name = "BLAKE2F of Besu"};
	struct arena arena;
	arena_init(&arena);
	struct bytes text = vectors_read(&arena, vectors_path(&arena, "ethereum/precompiles/besu/eip152TestCases.csv"));
	char *rest = NULL, *line = strtok_r(arena_strdup(&arena, text), "\r\n", &rest);
	assert_string_equal(line, "input,expected");
	while ((line = strtok_r(NULL, "\r\n", &rest)) != NULL) {
		char *comma = strchr(line, ',');
		assert_non_null(comma);
		struct bytes input_text = bytes_make(line, (size_t)(comma - line));
		struct bytes input = vectors_hex(&arena, input_text);
		struct bytes expected = vectors_hex(&arena, bytes_text(comma + 1));
		bool is_good = gives(0x09, FORK_ISTANBUL, input, expected, load_be32(input.data));
		vectors_count(&vectors, is_good, "eip152TestCases.csv", input_text);
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* A signature of another length than 64 bytes cannot be put to the precompile: its input is fixed. */
static void run_wycheproof_group(struct vectors *vectors, struct arena *arena, const struct json *group) {
	const struct json *key = json_get(group, "publicKey");
	struct bytes point = vectors_hex(arena, json_string(json_get(key, "uncompressed")));
	assert_int_equal(point.len, 65);
	json_foreach (item, json_get(group, "tests")) {
		struct bytes signature = vectors_hex(arena, json_string(json_get(item, "sig")));
		if (signature.len != 64) {
			vectors->skipped++;
			continue;
		}
		struct bytes message = vectors_hex(arena, json_string(json_get(item, "msg")));
		struct buf input, digest;
		buf_init(&digest, 32);
		assert_true(precompile_at(FORK_OSAKA, 2)->run(&digest, message));
		buf_init(&input, 160);
		buf_append(&input, buf_view(&digest));
		buf_append(&input, signature);
		buf_append(&input, bytes_slice(point, 1, 64));
		assert_int_equal(input.len, 160);
		hash32 one = {{[31] = 1}};
		struct bytes expected = {NULL, 0};
		if (json_string_is(json_get(item, "result"), "valid")) expected = BYTES_OF(one);
		bool is_good = gives(0x100, FORK_OSAKA, buf_view(&input), expected, 6900);
		vectors_count(vectors, is_good, "wycheproof", json_string(json_get(item, "comment")));
		buf_fini(&input);
		buf_fini(&digest);
	}
}

static void test_wycheproof_p256(void **state) {
	(void)state;
	static const char path[] = "ethereum/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json";
	vectors_need(path);
	struct vectors vectors = {.name = "P256VERIFY of Wycheproof"};
	struct arena arena;
	arena_init(&arena);
	const struct json *groups = json_get(vectors_json(&arena, path), "testGroups");
	json_foreach (group, groups) run_wycheproof_group(&vectors, &arena, group);
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_geth),
	    cmocka_unit_test(test_besu_blake2f),
	    cmocka_unit_test(test_wycheproof_p256),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
