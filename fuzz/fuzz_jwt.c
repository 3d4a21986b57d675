/* Any text as a token, as a set of keys, and as a header and claims that an issuer signed. The first byte chooses. */
#include "envelope/jwt.h"
#include "fuzz/target.h"
#include "tests/jwt_tokens.h"

static void parse_token(struct bytes text, const struct jwk_set *keys, bool is_signed) {
	static const struct jwt_expected expected = {
	    .issuer = BYTES_LITERAL("i"), .audience = BYTES_LITERAL("a"), .now_s = 1800000000};
	struct arena arena;
	struct jwt token;
	arena_init(&arena);
	if (jwt_parse(&token, &arena, text, NULL) == STATUS_OK) {
		enum status status = jwt_verify(&token, keys, NULL);
		BUG_ON(status == STATUS_OK && !is_signed); /* nobody guesses a signature */
		if (jwt_check(&token, &expected, NULL) == STATUS_OK) BUG_ON(!json_get(token.claims, "exp"));
	}
	if (jwt_shared_parse(&token, &arena, text, NULL) == STATUS_OK) {
		static const hash32 secret = {{1}};
		BUG_ON(jwt_verify(&token, keys, NULL) == STATUS_OK && !is_signed);
		BUG_ON(jwt_shared_check(&token, &secret, 1800000000, NULL) == STATUS_OK);
	}
	arena_fini(&arena);
}

/* The input up to its first zero as a header, the rest as claims. */
static void sign_token(struct bytes input, const struct jwk_set *keys) {
	char *both = mem_zalloc(input.len + 2, 1);
	struct buf text;
	if (input.len) memcpy(both, input.data, input.len);
	buf_init(&text, 1 << 22);
	jwt_token(&text, both, both + strlen(both) + (strlen(both) < input.len), 7);
	parse_token(buf_view(&text), keys, true);
	buf_fini(&text);
	mem_free(both);
}

static void parse_set(struct bytes text) {
	struct jwk_set *set = NULL;
	if (jwk_set_parse(&set, text, NULL) == STATUS_OK) BUG_ON(!set->count || set->count > JWK_COUNT_MAX);
	jwk_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct jwk_set *keys;
	struct buf text;
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	buf_init(&text, JWK_SET_BYTES_MAX);
	jwt_keys(&text, 7, "a");
	BUG_ON(jwk_set_parse(&keys, buf_view(&text), NULL) != STATUS_OK);
	buf_fini(&text);
	switch (data[0] % 3) {
	case 0: parse_token(rest, keys, false); break;
	case 1: sign_token(rest, keys); break;
	case 2: parse_set(rest); break;
	}
	jwk_set_free(keys);
	return 0;
}
