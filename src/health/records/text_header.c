#include "health/records/text_header.h"

#include <stdio.h>

#include "codec/hex.h"
#include "crypto/hash.h"

void text_header_write(struct buf *out, const struct text_header *header) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	if (header->cty) json_put_text(&writer, "cty", header->cty);
	json_put_text(&writer, "typ", header->typ);
	if (header->at) json_put_text(&writer, "at", header->at);
	if (header->gen) json_put_hex(&writer, "gen", BYTES_OF(*header->gen));
	if (header->fld) json_put_hex(&writer, "fld", BYTES_OF(*header->fld));
	if (header->epo) json_put_u64(&writer, "epo", *header->epo);
	if (header->rec) json_put_hex(&writer, "rec", BYTES_OF(*header->rec));
	if (header->idx) json_put_u64(&writer, "idx", *header->idx);
	if (header->ver) json_put_u64(&writer, "ver", *header->ver);
	if (header->rev) json_put_u64(&writer, "rev", *header->rev);
	if (header->exp) json_put_u64(&writer, "exp", *header->exp);
	json_object_end(&writer);
}

static bool is_text(const struct json *member, const char *wanted) {
	return !wanted || json_string_is(member, wanted);
}

static bool is_hash(const struct json *member, const hash32 *wanted) {
	hash32 found;
	if (!wanted) return true;
	return hex_fixed(found.b, sizeof found.b, json_string(member)) == STATUS_OK && hash32_equal(&found, wanted);
}

static bool is_u64(const struct json *member, const uint64_t *wanted) {
	uint64_t found;
	return !wanted || (json_u64(&found, member) && found == *wanted);
}

static bool is_number(const struct json *member, const uint32_t *wanted) {
	const uint64_t wide = wanted ? *wanted : 0;
	return is_u64(member, wanted ? &wide : NULL);
}

bool text_header_matches(const struct jwe_header *opened, const struct text_header *header) {
	const struct json *members = opened->members;
	return is_text(json_get(members, "cty"), header->cty) &&
	       json_string_is(json_get(members, "typ"), header->typ) && is_text(json_get(members, "at"), header->at) &&
	       is_hash(json_get(members, "gen"), header->gen) && is_hash(json_get(members, "fld"), header->fld) &&
	       is_number(json_get(members, "epo"), header->epo) && is_hash(json_get(members, "rec"), header->rec) &&
	       is_number(json_get(members, "idx"), header->idx) && is_number(json_get(members, "ver"), header->ver) &&
	       is_u64(json_get(members, "rev"), header->rev) && is_u64(json_get(members, "exp"), header->exp);
}

void text_header_at(char out[TEXT_HEADER_AT_BYTES], const struct record_place *place) {
	struct buf said, text;
	uint8_t epoch[4];
	store_be32(epoch, place->epoch);
	buf_init(&said, 128);
	buf_init(&text, TEXT_HEADER_AT_BYTES);
	buf_text(&said, "xinglin/place/1");
	buf_append(&said, BYTES_OF(place->folder));
	buf_append(&said, bytes_make(epoch, sizeof epoch));
	buf_append(&said, BYTES_OF(place->record));
	const hash32 digest = sha256(buf_view(&said));
	base64url_put(&text, bytes_make(digest.b, 16));
	snprintf(out, TEXT_HEADER_AT_BYTES, "%s", buf_cstr(&text));
	buf_fini(&said);
	buf_fini(&text);
}
