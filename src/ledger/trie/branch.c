#include "ledger/trie/branch.h"

static uint16_t load_be16(const uint8_t *p) {
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void store_be16(uint8_t *p, uint16_t v) {
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t count_bits(uint16_t mask) {
	return (size_t)__builtin_popcount(mask);
}

size_t trie_branch_encode(
    uint8_t *out, uint16_t child_mask, uint16_t tree_mask, uint16_t hash_mask, const hash32 *hashes) {
	BUG_ON((tree_mask | hash_mask) & ~child_mask || !(tree_mask | hash_mask) || count_bits(child_mask) < 2);
	out[0] = TRIE_BRANCH_VERSION;
	store_be16(out + 1, child_mask);
	store_be16(out + 3, tree_mask);
	store_be16(out + 5, hash_mask);
	size_t count = count_bits(hash_mask);
	if (count) memcpy(out + 7, hashes, 32 * count);
	return 7 + 32 * count;
}

enum status trie_branch_decode(struct trie_branch *out, struct bytes record, struct err *err) {
	if (record.len < 7 || record.data[0] != TRIE_BRANCH_VERSION)
		return err_set(err, STATUS_CORRUPT, "a branch record of %zu bytes is of no known version", record.len);
	out->child_mask = load_be16(record.data + 1);
	out->tree_mask = load_be16(record.data + 3);
	out->hash_mask = load_be16(record.data + 5);
	uint16_t kept = out->tree_mask | out->hash_mask;
	if (kept & ~out->child_mask || !kept || count_bits(out->child_mask) < 2 ||
	    record.len != 7 + 32 * count_bits(out->hash_mask))
		return err_set(err, STATUS_CORRUPT, "a branch record of %zu bytes contradicts itself", record.len);
	const uint8_t *at = record.data + 7;
	for (unsigned n = 0; n < 16; n++) {
		if (!(out->hash_mask >> n & 1)) continue;
		memcpy(out->hashes[n].b, at, 32);
		at += 32;
	}
	return STATUS_OK;
}
