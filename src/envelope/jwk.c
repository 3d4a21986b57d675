#include "envelope/jwk.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "envelope/jwt.h"

static const struct json_limits limits = {.bytes_max = JWK_SET_BYTES_MAX, .depth_max = 16, .values_max = 8192};

void jwk_set_free(struct jwk_set *set) {
	if (!set) return;
	for (size_t i = 0; i < set->count; i++) signature_key_free(set->list[i].key);
	arena_fini(&set->arena);
	mem_free(set);
}

bool jwk_fits(const struct jwk *key, enum signature_algorithm algorithm, struct bytes kid) {
	if (!(key->algorithms & 1u << algorithm)) return false;
	return !kid.len || bytes_equal(key->kid, kid);
}

/* A member as bytes, in the arena; empty if it is none. */
static struct bytes number_of(struct arena *arena, const struct json *jwk, const char *name) {
	struct buf out;
	buf_init(&out, JWK_SET_BYTES_MAX);
	struct bytes bytes = {NULL, 0};
	if (base64url_data(&out, json_string(json_get(jwk, name))) == STATUS_OK)
		bytes = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return bytes;
}

static bool has_secret(const struct json *jwk) {
	static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_get(jwk, names[i])) return true;
	return json_string_is(json_get(jwk, "kty"), "oct");
}

static bool is_for_signatures(const struct json *jwk) {
	const struct json *use = json_get(jwk, "use"), *operations = json_get(jwk, "key_ops");
	if (use && !json_string_is(use, "sig")) return false;
	if (!operations) return true;
	json_foreach (operation, operations)
		if (json_string_is(operation, "verify")) return true;
	return false;
}

static enum status parse_ec(struct jwk *out, struct arena *arena, const struct json *jwk, struct err *err) {
	const struct json *curve = json_get(jwk, "crv");
	enum signature_algorithm algorithm = json_string_is(curve, "P-384") ? SIGNATURE_ES384 : SIGNATURE_ES256;
	if (algorithm == SIGNATURE_ES256 && !json_string_is(curve, "P-256")) return STATUS_OK; /* no use for us */
	out->algorithms = 1u << algorithm;
	return signature_key_of_point(
	    &out->key, algorithm, number_of(arena, jwk, "x"), number_of(arena, jwk, "y"), err);
}

static enum status parse_rsa(struct jwk *out, struct arena *arena, const struct json *jwk, struct err *err) {
	out->algorithms = 1u << SIGNATURE_RS256 | 1u << SIGNATURE_PS256;
	return signature_key_of_rsa(&out->key, number_of(arena, jwk, "n"), number_of(arena, jwk, "e"), err);
}

/* out->key NULL: it is passed over. */
static enum status parse_jwk(struct jwk *out, struct arena *arena, const struct json *jwk, struct err *err) {
	const struct json *kid = json_get(jwk, "kid"), *alg = json_get(jwk, "alg");
	enum signature_algorithm named;
	*out = (struct jwk){0};
	if (!json_is(jwk, JSON_OBJECT)) return err_set(err, STATUS_INVALID, "a key is an object");
	if (has_secret(jwk))
		return err_set(
		    err, STATUS_INVALID, "it holds a private or symmetric key: an issuer publishes public ones");
	if (kid && (!json_is(kid, JSON_STRING) || !kid->text.len || kid->text.len > JWK_KID_MAX))
		return err_set(err, STATUS_INVALID, "a kid is a text of 1 to %u bytes", JWK_KID_MAX);
	if (!is_for_signatures(jwk)) return STATUS_OK;
	if (alg && !jwt_algorithm_find(&named, json_string(alg))) return STATUS_OK;
	if (json_string_is(json_get(jwk, "kty"), "EC"))
		TRY(parse_ec(out, arena, jwk, err));
	else if (json_string_is(json_get(jwk, "kty"), "RSA"))
		TRY(parse_rsa(out, arena, jwk, err));
	if (alg) out->algorithms &= 1u << named;
	if (kid) out->kid = arena_dup(arena, kid->text);
	return STATUS_OK;
}

static enum status parse_keys(struct jwk_set *set, struct arena *scratch, struct bytes text, struct err *err) {
	const struct json *root;
	TRY(json_parse(&root, scratch, text, &limits, err));
	const struct json *keys = json_get(root, "keys");
	if (!json_is(keys, JSON_ARRAY)) return err_set(err, STATUS_INVALID, "it has no list \"keys\"");
	if (keys->count > JWK_COUNT_MAX)
		return err_set(err, STATUS_LIMIT, "it has %u keys, %u are allowed", keys->count, JWK_COUNT_MAX);
	json_foreach (jwk, keys) {
		struct jwk *out = &set->list[set->count];
		TRY(parse_jwk(out, &set->arena, jwk, err));
		if (out->key) set->count++;
	}
	if (!set->count)
		return err_set(err, STATUS_INVALID, "it has no key for signatures by ES256, ES384, RS256 or PS256");
	return STATUS_OK;
}

enum status jwk_set_parse(struct jwk_set **out, struct bytes text, struct err *err) {
	struct arena scratch;
	struct jwk_set *set = mem_zalloc(1, sizeof *set);
	arena_init(&set->arena);
	arena_init(&scratch);
	enum status status = parse_keys(set, &scratch, text, err);
	arena_fini(&scratch);
	if (status == STATUS_OK)
		*out = set;
	else
		jwk_set_free(set);
	return status == STATUS_OK ? status : err_prefix(err, status, "the set of keys");
}
