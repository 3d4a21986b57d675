/*
 * Official JWE vectors. Ours are two forms of many, so most cases are skipped, each after a look that it is refused:
 * RFC 7520's §5 uses `dir` and ECDH-ES with other key sizes, curves and content encryptions only, so none of it opens.
 */
#include "tests/unit.h"

#include "envelope/jwe.h"
#include "tests/vectors.h"

static bool fixed(uint8_t out[32], struct bytes text) {
	struct buf decoded;
	buf_init(&decoded, 200);
	bool fits = text.data && base64url_data(&decoded, text) == STATUS_OK && decoded.len == 32;
	if (fits) memcpy(out, decoded.data, 32);
	buf_fini(&decoded);
	return fits;
}

/* Opens under whichever of our two kinds of key the JWK is; STATUS_UNSUPPORTED if it is neither. */
static enum status open_with_jwk(struct buf *opened, struct arena *arena, struct bytes jwe, const struct json *jwk) {
	struct p256_secret secret;
	uint8_t key[32];
	const struct json *alg = json_get(jwk, "alg");
	if (json_string_is(json_get(jwk, "crv"), "P-256") && fixed(secret.d, json_string(json_get(jwk, "d")))) {
		if (alg && !json_string_is(alg, "ECDH-ES+A256KW")) return STATUS_UNSUPPORTED;
		return jwe_ecdh_open(opened, NULL, arena, jwe, &secret, NULL);
	}
	if (json_string_is(json_get(jwk, "kty"), "oct") && fixed(key, json_string(json_get(jwk, "k")))) {
		if (alg && !json_string_is(alg, "A256GCM")) return STATUS_UNSUPPORTED;
		return jwe_dir_open(opened, NULL, arena, jwe, key, NULL);
	}
	return STATUS_UNSUPPORTED;
}

/* A valid case of our forms must open; an invalid one, whatever its form, must not. */
static void check_case(struct vectors *vectors, const struct json *test, const struct json *jwk) {
	struct arena arena;
	struct buf opened;
	struct jwe_header header;
	arena_init(&arena);
	buf_init(&opened, 1 << 20);
	struct bytes jwe = json_string(json_get(test, "jwe")), id = json_get(test, "tcId")->text;
	enum status status = open_with_jwk(&opened, &arena, jwe, jwk);
	bool is_valid = json_string_is(json_get(test, "result"), "valid");
	bool is_ours = jwe_read_header(&header, &arena, jwe, NULL) == STATUS_OK && status != STATUS_UNSUPPORTED;
	if (is_valid && is_ours) {
		struct bytes plain = vectors_hex(&arena, json_string(json_get(test, "pt")));
		vectors_count(vectors, status == STATUS_OK && bytes_equal(buf_view(&opened), plain), "tcId", id);
	} else if (is_ours) {
		vectors_count(vectors, status != STATUS_OK, "tcId", id);
	} else {
		assert_int_not_equal(status, STATUS_OK);
		vectors->skipped++;
	}
	buf_fini(&opened);
	arena_fini(&arena);
}

static void wycheproof_encryption(void **state) {
	(void)state;
	static const char file[] = "ethereum/wycheproof/json_web_encryption_test.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	arena_init(&arena);
	json_foreach (group, json_get(vectors_json(&arena, file), "testGroups"))
		json_foreach (test, json_get(group, "tests")) check_case(&vectors, test, json_get(group, "private"));
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* Every case of this file is a signature (JWS), which this room does not read: skipped, and refused as a JWE. */
static void wycheproof_keys(void **state) {
	(void)state;
	static const char file[] = "ethereum/wycheproof/json_web_key_test.json";
	vectors_need(file);
	struct vectors vectors = {.name = file};
	struct arena arena;
	struct jwe_header header;
	arena_init(&arena);
	json_foreach (group, json_get(vectors_json(&arena, file), "testGroups")) {
		json_foreach (test, json_get(group, "tests")) {
			struct bytes jws = json_string(json_get(test, "jws"));
			assert_non_null(jws.data);
			assert_int_equal(jwe_read_header(&header, &arena, jws, NULL), STATUS_INVALID);
			vectors.skipped++;
		}
	}
	arena_fini(&arena);
	printf("%s: 0 run, %zu skipped: all are JWS\n", vectors.name, vectors.skipped);
	assert_true(vectors.skipped > 0);
}

/* RFC 7520: a case fits where its compact form has one of our headers; `crit`-free, so a refusal is by alg or enc. */
static void visit_cookbook(void *context, const char *path) {
	struct vectors *vectors = context;
	struct arena arena;
	struct buf opened;
	struct jwe_header header;
	arena_init(&arena);
	buf_init(&opened, 1 << 20);
	const struct json *root = vectors_parse(&arena, path), *input = json_get(root, "input");
	struct bytes compact = json_string(json_get(json_get(root, "output"), "compact"));
	enum status status = jwe_read_header(&header, &arena, compact, NULL);
	if (status == STATUS_OK) {
		enum status opening = open_with_jwk(&opened, &arena, compact, json_get(input, "key"));
		bool fits =
		    opening == STATUS_OK && bytes_equal(buf_view(&opened), json_string(json_get(input, "plaintext")));
		vectors_count(vectors, fits, path, BYTES_LITERAL(""));
	} else {
		const char *why = compact.data ? "its alg or enc is not ours" : "it has no compact form";
		printf("skipped %s: %s\n", strrchr(path, '/') + 1, why);
		assert_int_equal(status, compact.data ? STATUS_UNSUPPORTED : STATUS_INVALID);
		vectors->skipped++;
	}
	buf_fini(&opened);
	arena_fini(&arena);
}

static void cookbook(void **state) {
	(void)state;
	vectors_need("ethereum/jose-cookbook/jwe");
	struct vectors vectors = {.name = "RFC 7520 section 5"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "ethereum/jose-cookbook/jwe"), ".json", visit_cookbook, &vectors);
	arena_fini(&arena);
	printf("%s: %zu opened, %zu refused as not ours\n", vectors.name, vectors.passed, vectors.skipped);
	assert_int_equal(vectors.failed, 0);
	assert_true(vectors.passed + vectors.skipped > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wycheproof_encryption),
	    cmocka_unit_test(wycheproof_keys),
	    cmocka_unit_test(cookbook),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
