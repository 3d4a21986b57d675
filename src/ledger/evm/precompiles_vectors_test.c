/* Precompiles against the vectors of geth (as nimbus-eth1 carries them), EIP-2537, c-kzg, Besu, and Wycheproof. */
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
} files[] = {
    {"nimbus-eth1/ecrecover", 0x01, FORK_BYZANTIUM},
    {"nimbus-eth1/sha256", 0x02, FORK_BYZANTIUM},
    {"nimbus-eth1/ripemd160", 0x03, FORK_BYZANTIUM},
    {"nimbus-eth1/identity", 0x04, FORK_BYZANTIUM},
    {"nimbus-eth1/modexp", 0x05, FORK_BYZANTIUM},
    {"nimbus-eth1/modexp_eip2565", 0x05, FORK_BERLIN},
    {"nimbus-eth1/modexp_eip7883", 0x05, FORK_OSAKA},
    {"nimbus-eth1/bn256Add", 0x06, FORK_BYZANTIUM},
    {"nimbus-eth1/bn256Add_istanbul", 0x06, FORK_ISTANBUL},
    {"nimbus-eth1/bn256mul", 0x07, FORK_BYZANTIUM},
    {"nimbus-eth1/bn256mul_istanbul", 0x07, FORK_ISTANBUL},
    {"nimbus-eth1/pairing", 0x08, FORK_BYZANTIUM},
    {"nimbus-eth1/pairing_istanbul", 0x08, FORK_ISTANBUL},
    {"nimbus-eth1/blake2F", 0x09, FORK_ISTANBUL},
    {"nimbus-eth1/P256Verify", 0x100, FORK_OSAKA},
    {"nimbus-eth1/blsG1Add", 0x0b, FORK_PRAGUE},
    {"nimbus-eth1/blsG1MultiExp", 0x0c, FORK_PRAGUE},
    {"nimbus-eth1/blsG2Add", 0x0d, FORK_PRAGUE},
    {"nimbus-eth1/blsG2MultiExp", 0x0e, FORK_PRAGUE},
    {"nimbus-eth1/blsPairing", 0x0f, FORK_PRAGUE},
    {"nimbus-eth1/blsMapG1", 0x10, FORK_PRAGUE},
    {"nimbus-eth1/blsMapG2", 0x11, FORK_PRAGUE},
    {"eip-2537/add_G1_bls", 0x0b, FORK_PRAGUE},
    {"eip-2537/fail-add_G1_bls", 0x0b, FORK_PRAGUE},
    {"eip-2537/mul_G1_bls", 0x0c, FORK_PRAGUE},
    {"eip-2537/fail-mul_G1_bls", 0x0c, FORK_PRAGUE},
    {"eip-2537/fail-msm_G1_bls", 0x0c, FORK_PRAGUE},
    {"eip-2537/add_G2_bls", 0x0d, FORK_PRAGUE},
    {"eip-2537/fail-add_G2_bls", 0x0d, FORK_PRAGUE},
    {"eip-2537/mul_G2_bls", 0x0e, FORK_PRAGUE},
    {"eip-2537/fail-mul_G2_bls", 0x0e, FORK_PRAGUE},
    {"eip-2537/fail-msm_G2_bls", 0x0e, FORK_PRAGUE},
    {"eip-2537/pairing_check_bls", 0x0f, FORK_PRAGUE},
    {"eip-2537/fail-pairing_check_bls", 0x0f, FORK_PRAGUE},
    {"eip-2537/map_fp_to_G1_bls", 0x10, FORK_PRAGUE},
    {"eip-2537/fail-map_fp_to_G1_bls", 0x10, FORK_PRAGUE},
    {"eip-2537/map_fp2_to_G2_bls", 0x11, FORK_PRAGUE},
    {"eip-2537/fail-map_fp2_to_G2_bls", 0x11, FORK_PRAGUE},
};

static bool case_is_good(struct arena *arena, size_t file, const struct json *item) {
	struct bytes input = vectors_hex(arena, json_string(json_get(item, "Input")));
	if (json_get(item, "ExpectedError")) return refuses(files[file].number, files[file].fork, input);
	uint64_t gas;
	if (!json_u64(&gas, json_get(item, "Gas"))) return false;
	struct bytes expected = vectors_hex(arena, json_string(json_get(item, "Expected")));
	return gives(files[file].number, files[file].fork, input, expected, gas);
}

/* Those of a precompile that this build lacks are skipped; precompiles_test.c says which it may lack. */
static void run_file(struct vectors *vectors, size_t i) {
	struct arena arena;
	arena_init(&arena);
	const char *path = arena_printf(&arena, "ethereum/precompiles/%s.json", files[i].file);
	const struct json *root = vectors_json(&arena, path);
	const struct json *data = json_get(root, "data"), *cases = data ? data : root;
	assert_true(cases->count > 0);
	if (precompile_at(files[i].fork, files[i].number) == NULL) {
		vectors->skipped += cases->count;
	} else {
		json_foreach (item, cases)
			vectors_count(
			    vectors, case_is_good(&arena, i, item), files[i].file, json_string(json_get(item, "Name")));
	}
	arena_fini(&arena);
}

static void test_files(void **state) {
	(void)state;
	vectors_need("ethereum/precompiles/nimbus-eth1");
	struct vectors vectors = {.name = "precompiles of geth and EIP-2537"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) run_file(&vectors, i);
	vectors_report(&vectors);
}

/* --- point evaluation --- */

static const char point_evaluation_answer[] =
    "000000000000000000000000000000000000000000000000000000000000100073eda753299d"
    "7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

static bool evaluates(struct arena *arena, struct bytes input, bool is_proved) {
	if (!is_proved) return refuses(0x0a, FORK_CANCUN, input);
	struct bytes answer = vectors_hex(arena, bytes_text(point_evaluation_answer));
	return gives(0x0a, FORK_CANCUN, input, answer, 50000);
}

/* The value of "name: '0x…'". */
static struct bytes yaml_hex(struct arena *arena, const char *text, const char *name) {
	const char *at = strstr(text, name), *from = at ? strchr(at, '\'') : NULL;
	const char *to = from ? strchr(from + 1, '\'') : NULL;
	if (!to) fail_msg("no %s", name);
	return vectors_hex(arena, bytes_make(from + 1, (size_t)(to - from - 1)));
}

/* c-kzg's cases of verify_kzg_proof: what it answers with false, and what it refuses, fails here. */
static void visit_kzg(void *context, const char *path) {
	struct vectors *vectors = context;
	struct arena arena;
	struct buf input, digest;
	arena_init(&arena);
	const char *text = arena_strdup(&arena, vectors_read(&arena, path));
	struct bytes commitment = yaml_hex(&arena, text, "commitment:");
	buf_init(&digest, 32);
	assert_null(precompile_at(FORK_CANCUN, 2)->run(&digest, commitment));
	digest.data[0] = 1;
	buf_init(&input, 1024);
	buf_append(&input, buf_view(&digest));
	buf_append(&input, yaml_hex(&arena, text, "z:"));
	buf_append(&input, yaml_hex(&arena, text, "y:"));
	buf_append(&input, commitment);
	buf_append(&input, yaml_hex(&arena, text, "proof:"));
	bool is_proved = strstr(text, "output: true") != NULL;
	if (!is_proved) assert_true(strstr(text, "output: false") || strstr(text, "output: null"));
	vectors_count(vectors, evaluates(&arena, buf_view(&input), is_proved), path, BYTES_LITERAL("verify_kzg_proof"));
	buf_fini(&input);
	buf_fini(&digest);
	arena_fini(&arena);
}

static void test_point_evaluation(void **state) {
	(void)state;
	static const char besu[] = "ethereum/precompiles/besu/pointEvaluationPrecompile.json";
	vectors_need(besu);
	struct vectors vectors = {.name = "point evaluation of c-kzg and Besu"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "ethereum/precompiles/kzg-verify-proof"), "data.yaml", visit_kzg, &vectors);
	const struct json *cases = json_get(vectors_json(&arena, besu), "TestCases");
	json_foreach (item, cases) {
		struct bytes input = vectors_hex(&arena, json_string(json_get(item, "Input")));
		const bool is_valid = json_is(json_get(item, "Valid"), JSON_TRUE);
		vectors_count(
		    &vectors, evaluates(&arena, input, is_valid), besu, json_string(json_get(item, "FailureMode")));
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* A case of so many rounds takes a minute: it runs only if the program is given "all", as by tools/conformance. */
#define LONG_ROUNDS (1u << 28)
static bool runs_long_ones;

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
		const uint32_t rounds = load_be32(input.data);
		if (rounds > LONG_ROUNDS && !runs_long_ones) {
			printf("eip152TestCases.csv: %u rounds take a minute: skipped\n", rounds);
			vectors.skipped++;
			continue;
		}
		const bool is_good = gives(0x09, FORK_ISTANBUL, input, expected, rounds);
		vectors_count(&vectors, is_good, "eip152TestCases.csv", input_text);
	}
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* A signature of another length than 64 bytes makes an input of another length than 160, which proves nothing. */
static void run_wycheproof_group(struct vectors *vectors, struct arena *arena, const struct json *group) {
	const struct json *key = json_get(group, "publicKey");
	struct bytes point = vectors_hex(arena, json_string(json_get(key, "uncompressed")));
	assert_int_equal(point.len, 65);
	json_foreach (item, json_get(group, "tests")) {
		struct bytes signature = vectors_hex(arena, json_string(json_get(item, "sig")));
		struct bytes message = vectors_hex(arena, json_string(json_get(item, "msg")));
		struct buf input, digest;
		buf_init(&digest, 32);
		assert_null(precompile_at(FORK_OSAKA, 2)->run(&digest, message));
		buf_init(&input, 160);
		buf_append(&input, buf_view(&digest));
		buf_append(&input, signature);
		buf_append(&input, bytes_slice(point, 1, 64));
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

int main(int argc, char **argv) {
	runs_long_ones = argc == 2 && strcmp(argv[1], "all") == 0;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_point_evaluation),
	    cmocka_unit_test(test_besu_blake2f),
	    cmocka_unit_test(test_wycheproof_p256),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
