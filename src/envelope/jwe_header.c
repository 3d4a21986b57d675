#include "envelope/jwe_header.h"

#include "codec/hex.h"
#include "crypto/hash.h"

#define HEADER_BYTES_MAX ((size_t)64 << 10)
#define PARTY_BYTES_MAX 1024u /* apu, apv */

static const struct json_limits header_limits = {.bytes_max = HEADER_BYTES_MAX, .depth_max = 16, .values_max = 1024};

enum status jwe_base64url_fixed(uint8_t *out, size_t len, struct bytes text) {
	struct buf decoded;
	buf_init(&decoded, len);
	enum status status = base64url_data(&decoded, text);
	if (status == STATUS_OK && decoded.len != len) status = STATUS_INVALID;
	if (status == STATUS_OK) memcpy(out, decoded.data, len);
	buf_wipe(&decoded);
	return status == STATUS_OK ? STATUS_OK : STATUS_INVALID;
}

static enum status read_epk(struct p256_public *out, const struct json *epk, struct err *err) {
	if (!json_is(epk, JSON_OBJECT)) return err_set(err, STATUS_INVALID, "JWE: epk is missing");
	if (!json_string_is(json_get(epk, "kty"), "EC") || !json_string_is(json_get(epk, "crv"), "P-256"))
		return err_set(err, STATUS_UNSUPPORTED, "JWE: epk is no P-256 key");
	if (jwe_base64url_fixed(out->xy, 32, json_string(json_get(epk, "x"))) != STATUS_OK ||
	    jwe_base64url_fixed(out->xy + 32, 32, json_string(json_get(epk, "y"))) != STATUS_OK ||
	    !p256_public_is_valid(out))
		return err_set(err, STATUS_INVALID, "JWE: epk is no point of P-256");
	return STATUS_OK;
}

static enum status read_members(struct jwe_header *header, struct err *err) {
	const struct json *members = header->members, *zip = json_get(members, "zip");
	if (!json_is(members, JSON_OBJECT)) return err_set(err, STATUS_INVALID, "JWE: the header is no object");
	if (json_get(members, "crit")) return err_set(err, STATUS_UNSUPPORTED, "JWE: no critical extension is known");
	if (!json_string_is(json_get(members, "enc"), "A256GCM"))
		return err_set(err, STATUS_UNSUPPORTED, "JWE: enc is not A256GCM");
	if (zip && !json_string_is(zip, "DEF")) return err_set(err, STATUS_UNSUPPORTED, "JWE: zip is not DEF");
	header->deflated = zip != NULL;
	const struct json *alg = json_get(members, "alg");
	if (json_string_is(alg, "dir")) {
		header->alg = JWE_DIR;
		return STATUS_OK;
	}
	if (!json_string_is(alg, "ECDH-ES+A256KW"))
		return err_set(err, STATUS_UNSUPPORTED, "JWE: alg is neither ECDH-ES+A256KW nor dir");
	header->alg = JWE_ECDH_ES_A256KW;
	return read_epk(&header->epk, json_get(members, "epk"), err);
}

enum status jwe_header_parse(struct jwe_header *header, struct arena *arena, struct bytes encoded, struct err *err) {
	*header = (struct jwe_header){0};
	struct buf text;
	buf_init(&text, HEADER_BYTES_MAX);
	enum status status = base64url_data(&text, encoded);
	if (status != STATUS_OK) {
		status = err_set(err, STATUS_INVALID, "JWE: the header is no base64url, or too long");
	} else {
		/* The tree points into its text, so the text must live as long. */
		struct bytes kept = arena_dup(arena, buf_view(&text));
		status = json_parse(&header->members, arena, kept, &header_limits, err);
		if (status == STATUS_OK)
			status = read_members(header, err);
		else
			status = err_prefix(err, STATUS_INVALID, "JWE header");
	}
	buf_fini(&text);
	return status;
}

static void put_epk(struct json_writer *writer, const struct p256_public *epk) {
	json_object_begin(writer, "epk");
	json_put_text(writer, "kty", "EC");
	json_put_text(writer, "crv", "P-256");
	for (size_t i = 0; i < 2; i++) {
		struct buf coordinate;
		buf_init(&coordinate, 64);
		base64url_put(&coordinate, bytes_make(epk->xy + 32 * i, 32));
		json_put_string(writer, i ? "y" : "x", buf_view(&coordinate));
		buf_fini(&coordinate);
	}
	json_object_end(writer);
}

/* The caller's members, as they are spelled, behind ours. */
static enum status put_members(struct buf *text, struct bytes members, struct err *err) {
	if (members.len == 0) return STATUS_OK;
	struct arena arena;
	arena_init(&arena);
	const struct json *object;
	enum status status = json_parse(&object, &arena, members, &header_limits, err);
	if (status == STATUS_OK && !json_is(object, JSON_OBJECT))
		status = err_set(err, STATUS_INVALID, "header members are no JSON object");
	if (status == STATUS_OK && object->count) {
		buf_byte(text, ',');
		buf_append(text, bytes_slice(object->raw, 1, object->raw.len - 2));
	}
	arena_fini(&arena);
	return status;
}

enum status jwe_header_put(struct buf *out, const struct jwe_header *header, struct bytes members, struct err *err) {
	struct buf text;
	buf_init(&text, HEADER_BYTES_MAX);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "alg", header->alg == JWE_DIR ? "dir" : "ECDH-ES+A256KW");
	json_put_text(&writer, "enc", "A256GCM");
	if (header->deflated) json_put_text(&writer, "zip", "DEF");
	if (header->alg == JWE_ECDH_ES_A256KW) put_epk(&writer, &header->epk);
	enum status status = put_members(&text, members, err);
	json_object_end(&writer);
	if (status == STATUS_OK) status = buf_status(&text, err);
	if (status == STATUS_OK) base64url_put(out, buf_view(&text));
	buf_fini(&text);
	return status;
}

/* len || value, as the Concat KDF takes its parts. */
static enum status put_party(struct buf *info, const struct json *party, struct err *err) {
	struct buf value;
	buf_init(&value, PARTY_BYTES_MAX);
	enum status status = STATUS_OK;
	if (party && (!json_is(party, JSON_STRING) || base64url_data(&value, json_string(party)) != STATUS_OK))
		status = err_set(err, STATUS_INVALID, "JWE: apu or apv is no base64url, or too long");
	uint8_t len[4];
	store_be32(len, (uint32_t)value.len);
	buf_append(info, bytes_make(len, 4));
	buf_append(info, buf_view(&value));
	buf_fini(&value);
	return status;
}

enum status jwe_header_agree(uint8_t kek[32], const struct jwe_header *header, const struct p256_secret *mine,
    const struct p256_public *theirs, struct err *err) {
	static const char alg[] = "ECDH-ES+A256KW";
	struct buf info; /* AlgorithmID || PartyUInfo || PartyVInfo || SuppPubInfo */
	buf_init(&info, 4096);
	buf_append(&info, bytes_make((const uint8_t[]){0, 0, 0, sizeof alg - 1}, 4));
	buf_text(&info, alg);
	enum status status = put_party(&info, json_get(header->members, "apu"), err);
	if (status == STATUS_OK) status = put_party(&info, json_get(header->members, "apv"), err);
	buf_append(&info, BYTES_LITERAL("\x00\x00\x01\x00")); /* 256 bits wanted */
	uint8_t shared[32];
	if (status == STATUS_OK && p256_ecdh(shared, mine, theirs) != STATUS_OK)
		status = err_set(err, STATUS_INVALID, "JWE: the recipient's key is no key of P-256");
	if (status == STATUS_OK) {
		struct bytes parts[] = {BYTES_LITERAL("\x00\x00\x00\x01"), bytes_make(shared, 32), buf_view(&info)};
		hash32 round = sha256_parts(parts, 3);
		memcpy(kek, round.b, 32);
		mem_wipe(&round, sizeof round);
	}
	mem_wipe(shared, sizeof shared);
	buf_fini(&info);
	return status;
}
