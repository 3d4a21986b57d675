/* Audit entries (docs/wire-formats.md §6) without a chain: reading a node's page and an entry, and who signed it. */
#include "health/consent/audit.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/merkle_map.h"
#include "health/chain/blobs.h"

#define REQUEST_AHEAD_S 120u /* a signed request expires so soon, at most */
#define JWE_MAX 16384u

static bool read_hex(uint8_t *out, size_t len, const struct json *root, const char *name) {
	return hex_fixed(out, len, json_string(json_get(root, name))) == STATUS_OK;
}

/* --- a page --- */

static bool read_sealed(struct audit_sealed *out, struct arena *arena, const struct json *root) {
	const struct bytes jwe = json_string(json_get(root, "entry"));
	if (!jwe.data || jwe.len == 0 || jwe.len > JWE_MAX) return false;
	if (!json_u64(&out->link.n, json_get(root, "n")) || !json_u64(&out->link.time_s, json_get(root, "time")))
		return false;
	if (!read_hex(out->link.before, LIST_HEAD_BYTES, root, "before")) return false;
	out->jwe = arena_dup(arena, jwe);
	out->link.entry = keccak256(out->jwe);
	return true;
}

static bool read_proof(struct audit_page *out, struct arena *arena, const struct json *text) {
	struct buf proof;
	if (!text) return true;
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	out->has_proof = hex_data(&proof, json_string(text)) == STATUS_OK;
	out->proof = arena_dup(arena, buf_view(&proof));
	buf_fini(&proof);
	return out->has_proof;
}

enum status audit_page_parse(struct audit_page *out, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *root;
	*out = (struct audit_page){.count = 0};
	TRY(json_parse(&root, arena, text, NULL, err));
	const struct json *entries = json_get(root, "entries");
	out->is_gateways = json_is(json_get(root, "gateway"), JSON_TRUE);
	if (!json_u64(&out->state.count, json_get(root, "count")) || !json_is(entries, JSON_ARRAY) ||
	    !read_hex(out->state.head, LIST_HEAD_BYTES, root, "head") ||
	    !read_proof(out, arena, json_get(root, "proof")))
		return err_set(err, STATUS_INVALID, "the node's audit answer is not a page of entries");
	out->entries = arena_zalloc(arena, entries->count, sizeof *out->entries);
	json_foreach (entry, entries) {
		if (!read_sealed(&out->entries[out->count++], arena, entry))
			return err_set(err, STATUS_INVALID, "the node's audit answer holds what is not an entry");
	}
	return STATUS_OK;
}

/* --- an entry --- */

/* "get", "part", or "release 0x" and 64 digits. False: another action. */
static bool read_action(struct audit_line *out, struct bytes text) {
	hash32 wish;
	const struct bytes release = BYTES_LITERAL("release ");
	if (text.len >= sizeof out->action) return false;
	memcpy(out->action, text.data, text.len);
	out->entry.whole = bytes_equal(text, BYTES_LITERAL("get"));
	out->entry.released = bytes_equal(bytes_slice(text, 0, release.len), release) &&
			      hex_fixed(wish.b, 32, bytes_slice(text, release.len, text.len)) == STATUS_OK;
	return out->entry.whole || out->entry.released || bytes_equal(text, BYTES_LITERAL("part"));
}

enum status audit_line_parse(struct audit_line *out, struct arena *arena, struct bytes plaintext, struct err *err) {
	const struct json *root;
	uint64_t version, part;
	struct audit_entry *entry = &out->entry;
	*out = (struct audit_line){.nonce = 0};
	TRY(json_parse(&root, arena, plaintext, NULL, err));
	if (!json_u64(&version, json_get(root, "v")) || version != 2)
		return err_set(err, STATUS_INVALID, "an audit entry of another version than 2");
	const struct json *outcome = json_get(root, "outcome");
	entry->served = json_string_is(outcome, "served");
	if (!read_hex(entry->gate.b, 20, root, "gate") || !read_hex(entry->item.b, 32, root, "item") ||
	    !read_hex(entry->who.b, 20, root, "who") || !read_hex(out->signature.b, 65, root, "signature") ||
	    !json_u64(&part, json_get(root, "part")) || part > UINT32_MAX ||
	    !json_u64(&entry->at_ms, json_get(root, "at")) || !json_u64(&out->expiry_s, json_get(root, "expiry")) ||
	    !json_u64(&out->nonce, json_get(root, "nonce")) ||
	    (!entry->served && !json_string_is(outcome, "refused")) ||
	    !read_action(out, json_string(json_get(root, "action"))))
		return err_set(err, STATUS_INVALID, "an audit entry lacks a member, or has one malformed");
	entry->part = (uint32_t)part;
	return STATUS_OK;
}

/* What it says is shown as it stands; its place and time are the list's. */
enum status audit_gateway_line_parse(
    struct audit_entry *out, struct arena *arena, struct bytes plaintext, struct err *err) {
	const struct json *root;
	uint64_t version, status;
	*out = (struct audit_entry){.line = plaintext};
	TRY(json_parse(&root, arena, plaintext, NULL, err));
	if (!json_u64(&version, json_get(root, "v")) || version != 3 || !json_u64(&out->at_ms, json_get(root, "at")) ||
	    !json_u64(&status, json_get(root, "status")) || status < 100 || status > 599)
		return err_set(err, STATUS_INVALID, "a gateway's line lacks a member, or has one malformed");
	out->served = status < 400;
	return STATUS_OK;
}

bool audit_is_stale(const struct audit_node *node, uint64_t now_s) {
	return node->is_gateway && now_s > node->anchored_at_s + AUDIT_STALE_S;
}

enum status audit_line_check(const struct audit_line *line, const struct deployment *deployment, const addr20 *node,
    uint64_t time_s, struct err *err) {
	const struct audit_entry *entry = &line->entry;
	const struct blob_said said = {
	    line->action, node, &entry->gate, &entry->item, entry->part, line->expiry_s, line->nonce};
	const hash32 digest = blob_said_digest(&said, deployment->chain_id, &deployment->genesis);
	addr20 signer;
	if (eth_signer(&signer, &line->signature, &digest) != STATUS_OK || !addr20_equal(&signer, &entry->who))
		return err_set(err, STATUS_DENIED, "its reader did not sign it");
	const uint64_t at_s = entry->at_ms / 1000;
	if (at_s != time_s || at_s > line->expiry_s || line->expiry_s - at_s > REQUEST_AHEAD_S)
		return err_set(err, STATUS_DENIED, "its reader signed it for another time");
	return STATUS_OK;
}
