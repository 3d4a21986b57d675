#include "envelope/jwt.h"

#include <stdio.h>

#include "codec/hex.h"
#include "crypto/hash.h"

static const struct json_limits limits = {.bytes_max = JWT_BYTES_MAX, .depth_max = 16, .values_max = 2048};

bool jwt_algorithm_find(enum signature_algorithm *out, struct bytes name) {
	static const char *const names[SIGNATURE_COUNT] = {[SIGNATURE_ES256] = "ES256",
	    [SIGNATURE_ES384] = "ES384",
	    [SIGNATURE_RS256] = "RS256",
	    [SIGNATURE_PS256] = "PS256"};
	for (unsigned i = 0; i < SIGNATURE_COUNT; i++) {
		if (!bytes_equal(name, bytes_text(names[i]))) continue;
		*out = (enum signature_algorithm)i;
		return true;
	}
	return false;
}

/* --- the form --- */

static struct bytes take_part(struct bytes *rest) {
	const uint8_t *dot = rest->len ? memchr(rest->data, '.', rest->len) : NULL;
	size_t len = dot ? (size_t)(dot - rest->data) : rest->len;
	struct bytes part = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return part;
}

static enum status decode(struct bytes *out, struct arena *arena, struct bytes part, struct err *err) {
	struct buf text;
	buf_init(&text, JWT_BYTES_MAX);
	enum status status = base64url_data(&text, part);
	if (status == STATUS_OK) *out = arena_dup(arena, buf_view(&text));
	buf_wipe(&text);
	return status == STATUS_OK ? status : err_set(err, STATUS_INVALID, "a part is not base64url");
}

static enum status decode_object(const struct json **out, struct arena *arena, struct bytes part, struct err *err) {
	struct bytes text;
	TRY(decode(&text, arena, part, err));
	TRY(json_parse(out, arena, text, &limits, err));
	return json_is(*out, JSON_OBJECT) ? STATUS_OK : err_set(err, STATUS_INVALID, "a part is not a JSON object");
}

/* A text member that may be absent. */
static enum status take_text(struct bytes *out, const struct json *header, const char *name, struct err *err) {
	const struct json *value = json_get(header, name);
	*out = (struct bytes){NULL, 0};
	if (!value) return STATUS_OK;
	*out = json_string(value);
	return out->len && out->len <= JWK_KID_MAX
		   ? STATUS_OK
		   : err_set(err, STATUS_INVALID, "%s is a text of 1 to %u bytes", name, JWK_KID_MAX);
}

enum form { FORM_SIGNED, FORM_SHARED };

static enum status take_algorithm(struct jwt *out, const struct json *header, enum form form, struct err *err) {
	const struct json *name = json_get(header, "alg");
	if (form == FORM_SHARED)
		return json_string_is(name, "HS256") ? STATUS_OK
						     : err_set(err, STATUS_UNSUPPORTED, "the algorithm is not HS256");
	if (jwt_algorithm_find(&out->algorithm, json_string(name))) return STATUS_OK;
	return err_set(err, STATUS_UNSUPPORTED, "the algorithm is none of ES256, ES384, RS256 and PS256");
}

static enum status take_header(struct jwt *out, const struct json *header, enum form form, struct err *err) {
	TRY(take_algorithm(out, header, form, err));
	if (json_get(header, "crit") || json_get(header, "b64"))
		return err_set(err, STATUS_UNSUPPORTED, "the header demands an extension");
	TRY(take_text(&out->kid, header, "kid", err));
	return take_text(&out->typ, header, "typ", err);
}

static enum status parse(struct jwt *out, struct arena *arena, struct bytes text, enum form form, struct err *err) {
	const struct json *header;
	*out = (struct jwt){0};
	if (text.len > JWT_BYTES_MAX) return err_set(err, STATUS_LIMIT, "a token has at most %zu bytes", JWT_BYTES_MAX);
	struct bytes rest = text, head = take_part(&rest), payload = take_part(&rest), signature = take_part(&rest);
	if (!head.len || !payload.len || !signature.len || rest.len || text.data[text.len - 1] == '.')
		return err_set(err, STATUS_INVALID, "a token has three parts with dots between");
	out->signed_part = arena_dup(arena, bytes_slice(text, 0, head.len + 1 + payload.len));
	TRY(decode_object(&header, arena, head, err));
	TRY(take_header(out, header, form, err));
	TRY(decode_object(&out->claims, arena, payload, err));
	return decode(&out->signature, arena, signature, err);
}

enum status jwt_parse(struct jwt *out, struct arena *arena, struct bytes text, struct err *err) {
	return parse(out, arena, text, FORM_SIGNED, err);
}

enum status jwt_shared_parse(struct jwt *out, struct arena *arena, struct bytes text, struct err *err) {
	return parse(out, arena, text, FORM_SHARED, err);
}

/* --- the signature --- */

enum status jwt_verify(const struct jwt *token, const struct jwk_set *set, struct err *err) {
	bool has_key = false;
	for (size_t i = 0; i < set->count; i++) {
		if (!jwk_fits(&set->list[i], token->algorithm, token->kid)) continue;
		has_key = true;
		if (signature_verify(set->list[i].key, token->algorithm, token->signed_part, token->signature))
			return STATUS_OK;
	}
	if (has_key) return err_set(err, STATUS_DENIED, "the signature is not the issuer's");
	return err_set(err, STATUS_NOTFOUND, "the issuer has no such key");
}

/* --- the claims --- */

bool jwt_time(uint64_t *out, const struct jwt *token, const char *name) {
	const struct json *value = json_get(token->claims, name);
	if (!json_is(value, JSON_NUMBER)) return false;
	size_t whole = 0;
	while (whole < value->text.len && value->text.data[whole] != '.') whole++;
	for (size_t i = whole + 1; i < value->text.len; i++)
		if (value->text.data[i] < '0' || value->text.data[i] > '9') return false; /* 1e9 is nobody's date */
	struct json number = {.type = JSON_NUMBER, .text = bytes_slice(value->text, 0, whole)};
	return json_u64(out, &number);
}

static bool has_audience(const struct json *aud, struct bytes wanted) {
	if (json_is(aud, JSON_STRING)) return bytes_equal(aud->text, wanted);
	if (!json_is(aud, JSON_ARRAY)) return false;
	json_foreach (item, aud)
		if (json_is(item, JSON_STRING) && bytes_equal(item->text, wanted)) return true;
	return false;
}

/* An optional date that must not lie ahead. */
static enum status check_begun(const struct jwt *token, const char *name, uint64_t now_s, struct err *err) {
	uint64_t at_s;
	if (!json_get(token->claims, name)) return STATUS_OK;
	if (!jwt_time(&at_s, token, name)) return err_set(err, STATUS_DENIED, "%s is not a time", name);
	if (at_s > now_s + JWT_SKEW_SECONDS)
		return err_set(err, STATUS_DENIED, "the token is not valid yet (%s)", name);
	return STATUS_OK;
}

enum status jwt_check(const struct jwt *token, const struct jwt_expected *expected, struct err *err) {
	uint64_t exp_s;
	const struct json *iss = json_get(token->claims, "iss");
	if (!json_is(iss, JSON_STRING) || !bytes_equal(iss->text, expected->issuer))
		return err_set(err, STATUS_DENIED, "the token is of another issuer");
	if (!has_audience(json_get(token->claims, "aud"), expected->audience))
		return err_set(err, STATUS_DENIED, "the token is for another audience");
	if (!jwt_time(&exp_s, token, "exp"))
		return err_set(err, STATUS_DENIED, "the token has no time of its end (exp)");
	if (exp_s <= UINT64_MAX - JWT_SKEW_SECONDS && exp_s + JWT_SKEW_SECONDS <= expected->now_s)
		return err_set(err, STATUS_DENIED, "the token has expired");
	TRY(check_begun(token, "nbf", expected->now_s, err));
	return check_begun(token, "iat", expected->now_s, err);
}

/* --- one secret --- */

enum status jwt_shared_check(const struct jwt *token, const hash32 *secret, uint64_t now_s, struct err *err) {
	const hash32 expected = hmac_sha256(BYTES_OF(*secret), token->signed_part);
	uint64_t at_s;
	if (token->signature.len != sizeof expected || !constant_time_equal(token->signature, BYTES_OF(expected)))
		return err_set(err, STATUS_DENIED, "the token was not made with the secret of this node");
	if (!jwt_time(&at_s, token, "iat"))
		return err_set(err, STATUS_DENIED, "the token has no time of its making (iat)");
	if ((at_s > now_s ? at_s - now_s : now_s - at_s) > JWT_SKEW_SECONDS)
		return err_set(
		    err, STATUS_DENIED, "the token was not made within %u seconds of now (iat)", JWT_SKEW_SECONDS);
	if (!json_get(token->claims, "exp")) return STATUS_OK;
	if (!jwt_time(&at_s, token, "exp") || at_s <= now_s)
		return err_set(err, STATUS_DENIED, "the token has expired");
	return STATUS_OK;
}

void jwt_shared_write(struct buf *out, const hash32 *secret, uint64_t now_s) {
	char claims[48];
	const size_t from = out->len;
	snprintf(claims, sizeof claims, "{\"iat\":%llu}", (unsigned long long)now_s);
	base64url_put(out, BYTES_LITERAL("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
	buf_byte(out, '.');
	base64url_put(out, bytes_text(claims));
	const hash32 signature = hmac_sha256(BYTES_OF(*secret), bytes_slice(buf_view(out), from, out->len));
	buf_byte(out, '.');
	base64url_put(out, BYTES_OF(signature));
}
