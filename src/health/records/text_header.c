#include "health/records/text_header.h"

#include "codec/hex.h"

void text_header_write(struct buf *out, const struct text_header *header) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "cty", header->cty);
	json_put_text(&writer, "typ", header->typ);
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
	return json_string_is(json_get(members, "cty"), header->cty) &&
	       json_string_is(json_get(members, "typ"), header->typ) &&
	       is_hash(json_get(members, "gen"), header->gen) && is_hash(json_get(members, "fld"), header->fld) &&
	       is_number(json_get(members, "epo"), header->epo) && is_hash(json_get(members, "rec"), header->rec) &&
	       is_number(json_get(members, "idx"), header->idx) && is_number(json_get(members, "ver"), header->ver) &&
	       is_u64(json_get(members, "rev"), header->rev) && is_u64(json_get(members, "exp"), header->exp);
}
