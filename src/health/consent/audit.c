/* Audit entries (docs/wire-formats.md §6) without a chain: reading one, and how they hang together. */
#include "health/consent/audit.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"

static bool read_hex(uint8_t *out, size_t len, const struct json *root, const char *name) {
	return hex_fixed(out, len, json_string(json_get(root, name))) == STATUS_OK;
}

enum status audit_line_parse(
    struct audit_line *out, struct arena *arena, struct bytes sealed, struct bytes plaintext, struct err *err) {
	const struct json *root;
	uint64_t version, part;
	struct audit_entry *entry = &out->entry;
	*out = (struct audit_line){.hash = sha256(sealed)};
	TRY(json_parse(&root, arena, plaintext, NULL, err));
	if (!json_u64(&version, json_get(root, "v")) || version != 1)
		return err_set(err, STATUS_INVALID, "an audit entry of another version than 1");
	bool served = json_string_is(json_get(root, "outcome"), "served");
	bool refused = json_string_is(json_get(root, "outcome"), "refused");
	if (!read_hex(out->item.b, 32, root, "item") || !read_hex(entry->who.b, 20, root, "who") ||
	    !read_hex(out->prev.b, 32, root, "prev") || !json_u64(&part, json_get(root, "part")) || part > UINT32_MAX ||
	    !json_u64(&entry->at_ms, json_get(root, "at")) || !json_u64(&entry->seq, json_get(root, "seq")) ||
	    entry->seq == 0 || served == refused)
		return err_set(err, STATUS_INVALID, "an audit entry lacks a member, or has one malformed");
	entry->part = (uint32_t)part;
	entry->served = served;
	return STATUS_OK;
}

enum status audit_check(const struct audit_line *lines, size_t count, const hash32 *item, struct err *err) {
	for (size_t i = 0; i < count; i++) {
		unsigned long long seq = lines[i].entry.seq;
		if (!hash32_equal(&lines[i].item, item))
			return err_set(err, STATUS_CORRUPT, "audit entry %llu is about another item", seq);
		if (seq == 1 && !hash32_is_zero(&lines[i].prev))
			return err_set(err, STATUS_CORRUPT, "audit entry 1 names an entry before it");
		if (i == 0) continue;
		if (seq <= lines[i - 1].entry.seq)
			return err_set(err, STATUS_CORRUPT, "audit entry %llu comes behind entry %llu", seq,
			    (unsigned long long)lines[i - 1].entry.seq);
		if (seq == lines[i - 1].entry.seq + 1 && !hash32_equal(&lines[i].prev, &lines[i - 1].hash))
			return err_set(err, STATUS_CORRUPT,
			    "audit entry %llu does not hang on the one before it: the node's log was changed", seq);
	}
	return STATUS_OK;
}
