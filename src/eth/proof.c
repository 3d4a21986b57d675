#include "eth/proof.h"

#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/rlp_u256.h"
#include "eth/types.h"

enum step { STEP_DOWN, STEP_VALUE, STEP_ABSENT, STEP_FAULT };

struct walk {
	uint8_t path[NIBBLES_MAX];
	size_t path_len;
	size_t depth; /* nibbles of the path that are behind us */
	struct bytes value;
	struct bytes inlined; /* the next node where it stands inside this one; empty: `hash` names it */
	hash32 hash;
};

/* A child's reference: nothing, a hash, or a node of less than 32 bytes. */
static enum step follow(struct walk *walk, struct rlp_cursor *items) {
	if (rlp_next_is_list(items)) {
		walk->inlined = rlp_raw(items);
		return walk->inlined.len < 32 ? STEP_DOWN : STEP_FAULT;
	}
	struct bytes reference = rlp_string(items);
	walk->inlined = (struct bytes){0};
	if (items->fault || (reference.len != 0 && reference.len != 32)) return STEP_FAULT;
	if (reference.len == 0) return STEP_ABSENT;
	memcpy(walk->hash.b, reference.data, 32);
	return STEP_DOWN;
}

/* No key is another's beginning, so a branch never holds a value. */
static enum step step_branch(struct walk *walk, struct rlp_cursor *items) {
	if (walk->depth == walk->path_len) return STEP_FAULT;
	uint8_t nibble = walk->path[walk->depth++];
	enum step step = STEP_FAULT;
	for (uint8_t i = 0; i < 16; i++) {
		if (i == nibble)
			step = follow(walk, items);
		else
			rlp_raw(items);
	}
	return rlp_string(items).len ? STEP_FAULT : step;
}

/* The nibbles of a hex-prefix string; false if it is not in its one form. */
static bool decode_compact(uint8_t nibbles[NIBBLES_MAX], size_t *count, bool *is_leaf, struct bytes compact) {
	if (compact.len == 0 || compact.len > 1 + NIBBLES_MAX / 2 || compact.data[0] >> 4 > 3) return false;
	uint8_t all[NIBBLES_MAX + 2];
	nibbles_of(all, compact);
	bool is_odd = all[0] & 1;
	*is_leaf = all[0] & 2;
	*count = 2 * compact.len - (is_odd ? 1 : 2);
	if ((!is_odd && all[1]) || *count > NIBBLES_MAX) return false;
	memcpy(nibbles, all + (is_odd ? 1 : 2), *count);
	return true;
}

static enum step step_short(struct walk *walk, struct rlp_cursor *items) {
	uint8_t nibbles[NIBBLES_MAX];
	size_t count, rest = walk->path_len - walk->depth;
	bool is_leaf;
	if (!decode_compact(nibbles, &count, &is_leaf, rlp_string(items))) return STEP_FAULT;
	bool matches = count <= rest && memcmp(nibbles, walk->path + walk->depth, count) == 0;
	if (is_leaf) {
		walk->value = rlp_string(items);
		if (count != rest || walk->value.len == 0) return STEP_FAULT;
		return matches ? STEP_VALUE : STEP_ABSENT;
	}
	if (count == 0 || count >= rest) return STEP_FAULT;
	enum step step = follow(walk, items);
	if (step != STEP_DOWN) return STEP_FAULT;
	walk->depth += count;
	return matches ? STEP_DOWN : STEP_ABSENT;
}

static enum step step_node(struct walk *walk, struct bytes node) {
	struct rlp_cursor cursor = rlp_cursor(node);
	struct rlp_cursor items = rlp_enter(&cursor);
	size_t count = rlp_count(&items, 1);
	enum step step = STEP_FAULT;
	if (count == 17) step = step_branch(walk, &items);
	if (count == 2) step = step_short(walk, &items);
	rlp_leave(&cursor, &items);
	return rlp_finish(&cursor, NULL) ? STEP_FAULT : step;
}

/* The value under this key; a key that is shorter than others is proved to be there, not to be absent. */
static enum status verify(struct bytes *value, const hash32 *root, struct bytes key, const struct bytes *nodes,
    size_t node_count, struct err *err) {
	*value = (struct bytes){0};
	struct walk walk = {.hash = *root, .path_len = 2 * key.len};
	nibbles_of(walk.path, key);
	if (node_count == 0 && hash32_equal(root, &empty_trie_root)) return STATUS_OK;
	size_t used = 0;
	enum step step = STEP_DOWN;
	while (step == STEP_DOWN) {
		struct bytes node = walk.inlined;
		if (!node.len) {
			if (used == node_count) return err_set(err, STATUS_INVALID, "proof ends too early");
			node = nodes[used++];
			hash32 hash = keccak256(node);
			if (!hash32_equal(&hash, &walk.hash))
				return err_set(err, STATUS_INVALID,
				    "proof node %zu does not have the hash that names it", used - 1);
		}
		step = step_node(&walk, node);
	}
	if (step == STEP_FAULT) return err_set(err, STATUS_INVALID, "proof node %zu is malformed", used - 1);
	if (used != node_count) return err_set(err, STATUS_INVALID, "proof has %zu nodes too many", node_count - used);
	if (step == STEP_VALUE) *value = walk.value;
	return STATUS_OK;
}

enum status proof_verify(struct bytes *value, const hash32 *root, const hash32 *key, const struct bytes *nodes,
    size_t node_count, struct err *err) {
	return verify(value, root, BYTES_OF(*key), nodes, node_count, err);
}

enum status proof_ordered(struct bytes *value, const hash32 *root, uint64_t index, const struct bytes *nodes,
    size_t node_count, struct err *err) {
	struct buf key;
	buf_init(&key, 9);
	rlp_put_u64(&key, index);
	enum status status = verify(value, root, buf_view(&key), nodes, node_count, err);
	buf_fini(&key);
	if (status == STATUS_OK && !value->data)
		return err_set(
		    err, STATUS_INVALID, "proof shows that the list has no item %llu", (unsigned long long)index);
	return status;
}

enum status proof_account(bool *exists, struct proof_account *out, const hash32 *state_root, const addr20 *address,
    const struct bytes *nodes, size_t node_count, struct err *err) {
	*exists = false;
	memset(out, 0, sizeof *out);
	hash32 key = keccak256(BYTES_OF(*address));
	struct bytes value;
	TRY(proof_verify(&value, state_root, &key, nodes, node_count, err));
	if (!value.data) return STATUS_OK;
	struct rlp_cursor cursor = rlp_cursor(value);
	struct rlp_cursor fields = rlp_enter(&cursor);
	out->nonce = rlp_u64(&fields);
	out->balance_wei = rlp_get_u256(&fields);
	rlp_fixed(&fields, out->storage_root.b, 32);
	rlp_fixed(&fields, out->code_hash.b, 32);
	rlp_leave(&cursor, &fields);
	TRY(rlp_finish(&cursor, err));
	*exists = true;
	return STATUS_OK;
}

enum status proof_storage(u256 *out, const hash32 *storage_root, const hash32 *slot, const struct bytes *nodes,
    size_t node_count, struct err *err) {
	*out = u256_from(0);
	hash32 key = keccak256(BYTES_OF(*slot));
	struct bytes value;
	TRY(proof_verify(&value, storage_root, &key, nodes, node_count, err));
	if (!value.data) return STATUS_OK;
	struct rlp_cursor cursor = rlp_cursor(value);
	*out = rlp_get_u256(&cursor);
	TRY(rlp_finish(&cursor, err));
	if (u256_is_zero(out)) return err_set(err, STATUS_INVALID, "proof holds a zero, which no trie stores");
	return STATUS_OK;
}
