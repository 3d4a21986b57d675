#include "envelope/jwt.h"

#include "tests/jwt_tokens.h"
#include "tests/unit.h"

#define NOW_S 1800000000u
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"a\"}"
#define CLAIMS "{\"iss\":\"https://issuer\",\"aud\":\"https://gateway/fhir\",\"exp\":1800000300}"

static const struct jwt_expected expected = {
    .issuer = BYTES_LITERAL("https://issuer"), .audience = BYTES_LITERAL("https://gateway/fhir"), .now_s = NOW_S};

static struct arena arena;
static struct jwk_set *keys; /* the key 7 as "a" */

static int begin(void **state) {
	struct buf text;
	(void)state;
	arena_init(&arena);
	buf_init(&text, JWK_SET_BYTES_MAX);
	jwt_keys(&text, 7, "a");
	enum status status = jwk_set_parse(&keys, buf_view(&text), NULL);
	buf_fini(&text);
	return status == STATUS_OK ? 0 : 1;
}

static int end(void **state) {
	(void)state;
	jwk_set_free(keys);
	arena_fini(&arena);
	return 0;
}

static enum status parse(struct jwt *out, const char *header, const char *claims, uint8_t key) {
	struct buf text;
	buf_init(&text, 1 << 20);
	jwt_token(&text, header, claims, key);
	enum status status = jwt_parse(out, &arena, buf_view(&text), NULL);
	buf_fini(&text);
	return status;
}

/* All three steps, as a service takes them. */
static enum status take(const char *header, const char *claims, uint8_t key) {
	struct jwt token;
	TRY(parse(&token, header, claims, key));
	TRY(jwt_verify(&token, keys, NULL));
	return jwt_check(&token, &expected, NULL);
}

static void a_token_of_the_issuer_is_taken(void **state) {
	(void)state;
	assert_int_equal(take(HEADER, CLAIMS, 7), STATUS_OK);
	assert_int_equal(take("{\"alg\":\"ES256\"}", CLAIMS, 7), STATUS_OK);
}

static void no_algorithm_is_taken_that_proves_nothing(void **state) {
	(void)state;
	static const char *const headers[] = {"{\"alg\":\"none\",\"kid\":\"a\"}", "{\"alg\":\"None\",\"kid\":\"a\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"a\"}", "{\"alg\":\"es256\",\"kid\":\"a\"}", "{\"alg\":\"\",\"kid\":\"a\"}",
	    "{\"alg\":[\"ES256\"],\"kid\":\"a\"}", "{\"kid\":\"a\"}", "{}", "{\"alg\":\"ES256K\",\"kid\":\"a\"}",
	    "{\"alg\":\"RSA-OAEP\",\"kid\":\"a\"}"};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		assert_int_equal(take(headers[i], CLAIMS, 7), STATUS_UNSUPPORTED);
	/* A key is of one kind: the same name does not make it another's. */
	assert_int_equal(take("{\"alg\":\"RS256\",\"kid\":\"a\"}", CLAIMS, 7), STATUS_NOTFOUND);
	assert_int_equal(take("{\"alg\":\"ES384\",\"kid\":\"a\"}", CLAIMS, 7), STATUS_NOTFOUND);
}

static void another_issuers_key_opens_nothing(void **state) {
	(void)state;
	assert_int_equal(take(HEADER, CLAIMS, 8), STATUS_DENIED);
	assert_int_equal(take("{\"alg\":\"ES256\",\"kid\":\"b\"}", CLAIMS, 7), STATUS_NOTFOUND);
	assert_int_equal(take("{\"alg\":\"ES256\",\"kid\":\"\"}", CLAIMS, 7), STATUS_INVALID);
	assert_int_equal(take("{\"alg\":\"ES256\",\"kid\":[\"a\"]}", CLAIMS, 7), STATUS_INVALID);
}

static void a_key_in_the_header_is_not_looked_at(void **state) {
	(void)state;
	struct buf header;
	buf_init(&header, 4096);
	buf_text(&header,
	    "{\"alg\":\"ES256\",\"kid\":\"a\",\"jku\":\"https://evil/keys\",\"x5u\":\"https://evil\",\"jwk\":");
	jwt_key(&header, 8, "");
	buf_byte(&header, '}');
	assert_int_equal(take(buf_cstr(&header), CLAIMS, 8), STATUS_DENIED);
	assert_int_equal(take(buf_cstr(&header), CLAIMS, 7), STATUS_OK);
	buf_fini(&header);
	assert_int_equal(take("{\"alg\":\"ES256\",\"crit\":[\"x\"],\"kid\":\"a\"}", CLAIMS, 7), STATUS_UNSUPPORTED);
	assert_int_equal(take("{\"alg\":\"ES256\",\"b64\":false,\"kid\":\"a\"}", CLAIMS, 7), STATUS_UNSUPPORTED);
}

static void a_name_twice_is_refused(void **state) {
	(void)state;
	assert_int_equal(take("{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"a\"}", CLAIMS, 7), STATUS_INVALID);
	assert_int_equal(
	    take(HEADER, "{\"iss\":\"x\",\"iss\":\"https://issuer\",\"exp\":1800000300}", 7), STATUS_INVALID);
	assert_int_equal(take(HEADER, "{\"\\u0069ss\":\"x\",\"iss\":\"https://issuer\"}", 7), STATUS_INVALID);
}

#define WITH(rest) "{\"iss\":\"https://issuer\"," rest "}"
#define AUD "\"aud\":\"https://gateway/fhir\""

static void the_claims_have_to_fit(void **state) {
	(void)state;
	static const struct {
		const char *claims;
		bool is_taken;
	} cases[] = {
	    {WITH("\"aud\":[\"other\",\"https://gateway/fhir\"],\"exp\":1800000300"), true},
	    {WITH(AUD ",\"exp\":1799999941"), true}, /* within the skew */
	    {WITH(AUD ",\"exp\":1799999940"), false},
	    {WITH(AUD ",\"exp\":1800000300.75"), true},
	    {WITH(AUD ",\"exp\":18446744073709551615"), true},
	    {WITH(AUD ",\"exp\":18446744073709551616"), false},
	    {WITH(AUD ",\"exp\":\"1800000300\""), false},
	    {WITH(AUD ",\"exp\":1.8e9"), false},
	    {WITH(AUD ",\"exp\":-1"), false},
	    {WITH(AUD), false},
	    {WITH(AUD ",\"exp\":1800000300,\"nbf\":1800000060"), true},
	    {WITH(AUD ",\"exp\":1800000300,\"nbf\":1800000061"), false},
	    {WITH(AUD ",\"exp\":1800000300,\"iat\":1800000061"), false},
	    {WITH(AUD ",\"exp\":1800000300,\"nbf\":null"), false},
	    {WITH("\"aud\":\"https://gateway/fhir/\",\"exp\":1800000300"), false},
	    {WITH("\"aud\":[],\"exp\":1800000300"), false},
	    {WITH("\"aud\":[[\"https://gateway/fhir\"]],\"exp\":1800000300"), false},
	    {WITH("\"exp\":1800000300"), false},
	    {"{" AUD ",\"exp\":1800000300}", false},
	    {"{\"iss\":\"https://issuer/\"," AUD ",\"exp\":1800000300}", false},
	    {"{\"iss\":[\"https://issuer\"]," AUD ",\"exp\":1800000300}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if ((take(HEADER, cases[i].claims, 7) == STATUS_OK) != cases[i].is_taken)
			fail_msg("%s", cases[i].claims);
}

static void what_is_no_token_is_refused(void **state) {
	(void)state;
	struct jwt token;
	struct buf whole;
	static const char *const texts[] = {"", ".", "..", "a.b", "a.b.c", "e30.e30.", "e30..AA", ".e30.AA",
	    "e30.e30.AA.AA", "e30.e30.AA.", "e30.e30.AA..", "eyJhbGciOiJFUzI1NiJ9.W10.AA", "W10.e30.AA",
	    "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhbGciOiJFUzI1NiJ9.e30.AA=", "eyJhbGciOiJFUzI1NiJ9 .e30.AA"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_not_equal(jwt_parse(&token, &arena, bytes_text(texts[i]), NULL), STATUS_OK);
	assert_int_equal(jwt_parse(&token, &arena, BYTES_LITERAL("eyJhbGciOiJFUzI1NiJ9.e30.AA"), NULL), STATUS_OK);
	buf_init(&whole, 1 << 20);
	buf_text(&whole, "eyJhbGciOiJFUzI1NiJ9.e30.");
	while (whole.len < JWT_BYTES_MAX) buf_byte(&whole, 'A');
	assert_int_equal(jwt_parse(&token, &arena, buf_view(&whole), NULL), STATUS_OK);
	buf_byte(&whole, 'A');
	assert_int_equal(jwt_parse(&token, &arena, buf_view(&whole), NULL), STATUS_LIMIT);
	buf_fini(&whole);
}

/* --- sets of keys --- */

static enum status parse_set(const char *members, size_t *count) {
	struct jwk_set *set = NULL;
	enum status status = jwk_set_parse(&set, bytes_text(members), NULL);
	*count = set ? set->count : 0;
	jwk_set_free(set);
	return status;
}

static enum status parse_key(const char *more) {
	struct buf text;
	size_t count;
	buf_init(&text, JWK_SET_BYTES_MAX);
	buf_text(&text, "{\"keys\":[");
	jwt_key(&text, 7, more);
	buf_text(&text, "]}");
	enum status status = parse_set(buf_cstr(&text), &count);
	buf_fini(&text);
	return status;
}

static void a_set_keeps_what_checks_signatures(void **state) {
	(void)state;
	assert_int_equal(parse_key(",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"alg\":\"ES256\""), STATUS_OK);
	static const char *const useless[] = {
	    ",\"use\":\"enc\"", ",\"key_ops\":[\"encrypt\"]", ",\"alg\":\"ES512\"", ",\"use\":1", ",\"alg\":null"};
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
		assert_int_equal(parse_key(useless[i]), STATUS_INVALID);
	assert_int_equal(parse_key(",\"alg\":\"RS256\""), STATUS_OK); /* kept, and fits nothing */
}

static void a_set_with_a_secret_is_refused(void **state) {
	(void)state;
	static const char *const secrets[] = {",\"d\":\"AA\"", ",\"k\":\"AA\"", ",\"p\":\"AA\"", ",\"oth\":[]"};
	size_t count;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_int_equal(parse_key(secrets[i]), STATUS_INVALID);
	assert_int_equal(parse_set("{\"keys\":[{\"kty\":\"oct\"}]}", &count), STATUS_INVALID);
}

static void what_is_no_set_is_refused(void **state) {
	(void)state;
	static const char *const texts[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[1]}",
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"secp256k1\"}]}",
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
	    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "{\"keys\":[{\"kty\":\"RSA\"}]}",
	    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}"};
	size_t count;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(parse_set(texts[i], &count), STATUS_INVALID);
}

static void a_set_has_a_hundred_keys_at_most(void **state) {
	(void)state;
	struct buf text;
	size_t count;
	for (unsigned number = JWK_COUNT_MAX; number <= JWK_COUNT_MAX + 1; number++) {
		buf_init(&text, JWK_SET_BYTES_MAX);
		buf_text(&text, "{\"keys\":[");
		for (unsigned i = 0; i < number; i++) {
			if (i) buf_byte(&text, ',');
			jwt_key(&text, (uint8_t)(i + 1), "");
		}
		buf_text(&text, "]}");
		assert_int_equal(
		    parse_set(buf_cstr(&text), &count), number == JWK_COUNT_MAX ? STATUS_OK : STATUS_LIMIT);
		assert_int_equal(count, number == JWK_COUNT_MAX ? JWK_COUNT_MAX : 0);
		buf_fini(&text);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_of_the_issuer_is_taken),
	    cmocka_unit_test(no_algorithm_is_taken_that_proves_nothing),
	    cmocka_unit_test(another_issuers_key_opens_nothing),
	    cmocka_unit_test(a_key_in_the_header_is_not_looked_at),
	    cmocka_unit_test(a_name_twice_is_refused),
	    cmocka_unit_test(the_claims_have_to_fit),
	    cmocka_unit_test(what_is_no_token_is_refused),
	    cmocka_unit_test(a_set_keeps_what_checks_signatures),
	    cmocka_unit_test(a_set_with_a_secret_is_refused),
	    cmocka_unit_test(what_is_no_set_is_refused),
	    cmocka_unit_test(a_set_has_a_hundred_keys_at_most),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
