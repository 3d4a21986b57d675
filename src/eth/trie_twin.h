/*
 * For tests: random tries, and the plain twin of the hash builder, which makes the root straight from the definition
 * (Yellow Paper app. D, c and n), values in branches included. Header-only.
 */
#ifndef ETH_TRIE_TWIN_H
#define ETH_TRIE_TWIN_H

#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/types.h"

#include <stdlib.h>

struct twin_entry {
	uint8_t path[NIBBLES_MAX]; /* zero behind its end */
	size_t path_len;
	uint8_t value[128]; /* room for an account */
	size_t value_len;
};

/* A small generator, so that tests are the same every time (splitmix64). */
static inline uint64_t twin_random(uint64_t *seed) {
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline int twin_compare(const void *a, const void *b) {
	const struct twin_entry *left = a, *right = b;
	return bytes_compare(bytes_make(left->path, left->path_len), bytes_make(right->path, right->path_len));
}

static inline void twin_value(struct twin_entry *entry, uint64_t *seed) {
	entry->value_len = 1 + twin_random(seed) % 40;
	for (size_t k = 0; k < entry->value_len; k++) entry->value[k] = (uint8_t)(1 + twin_random(seed) % 255);
}

/* Sorted, distinct. Paths share long prefixes often: nibbles up to a random depth repeat one of few patterns. */
static inline size_t twin_make(struct twin_entry *entries, size_t count, uint64_t *seed) {
	for (size_t i = 0; i < count; i++) {
		size_t plain = twin_random(seed) % 4 ? 0 : twin_random(seed) % NIBBLES_MAX;
		unsigned spread = twin_random(seed) % 2 ? 16 : 2;
		for (size_t k = 0; k < NIBBLES_MAX; k++)
			entries[i].path[k] = k < plain ? 7 : (uint8_t)(twin_random(seed) % spread);
		entries[i].path_len = NIBBLES_MAX;
		twin_value(&entries[i], seed);
	}
	qsort(entries, count, sizeof *entries, twin_compare);
	size_t distinct = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || twin_compare(&entries[i], &entries[distinct - 1])) entries[distinct++] = entries[i];
	return distinct;
}

static inline void twin_compact(struct buf *out, const uint8_t *nibbles, size_t count, bool is_leaf) {
	uint8_t compact[33];
	size_t len = 0, i = 0;
	unsigned flag = is_leaf ? 2 : 0;
	compact[len++] = count % 2 ? (uint8_t)((flag | 1) << 4 | nibbles[i++]) : (uint8_t)(flag << 4);
	for (; i < count; i += 2) compact[len++] = (uint8_t)(nibbles[i] << 4 | nibbles[i + 1]);
	rlp_put_string(out, bytes_make(compact, len));
}

static inline void twin_node(struct buf *out, const struct twin_entry *entries, size_t count, size_t depth);

/* n(…): a node of under 32 bytes itself, or its hash. */
static inline void twin_reference(struct buf *out, const struct twin_entry *entries, size_t count, size_t depth) {
	struct buf node;
	buf_init(&node, 1 << 20);
	twin_node(&node, entries, count, depth);
	hash32 hash = keccak256(buf_view(&node));
	if (node.len < 32)
		buf_append(out, buf_view(&node));
	else
		rlp_put_string(out, BYTES_OF(hash));
	buf_fini(&node);
}

/* The 16 children and the value of a branch at `depth`; an entry that ends there stands first. */
static inline void twin_branch(struct buf *out, const struct twin_entry *entries, size_t count, size_t depth) {
	struct bytes value = {0};
	if (entries->path_len == depth) {
		value = bytes_make(entries->value, entries->value_len);
		entries++, count--;
	}
	for (uint8_t nibble = 0; nibble < 16; nibble++) {
		size_t here = 0;
		while (here < count && entries[here].path[depth] == nibble) here++;
		if (here)
			twin_reference(out, entries, here, depth + 1);
		else
			rlp_put_string(out, (struct bytes){0});
		entries += here;
		count -= here;
	}
	rlp_put_string(out, value);
}

/* c(…) of sorted entries that share their first `depth` nibbles. */
static inline void twin_node(struct buf *out, const struct twin_entry *entries, size_t count, size_t depth) {
	const struct twin_entry *last = &entries[count - 1];
	size_t list = rlp_list_begin(out), shared = depth;
	while (shared < entries->path_len && entries->path[shared] == last->path[shared]) shared++;
	if (count == 1) {
		twin_compact(out, entries->path + depth, entries->path_len - depth, true);
		rlp_put_string(out, bytes_make(entries->value, entries->value_len));
	} else if (shared > depth) {
		twin_compact(out, entries->path + depth, shared - depth, false);
		twin_reference(out, entries, count, shared);
	} else {
		twin_branch(out, entries, count, depth);
	}
	rlp_list_end(out, list);
}

static inline hash32 twin_root(const struct twin_entry *entries, size_t count) {
	struct buf node;
	buf_init(&node, 1 << 20);
	if (count)
		twin_node(&node, entries, count, 0);
	else
		rlp_put_string(&node, (struct bytes){0});
	hash32 root = keccak256(buf_view(&node));
	buf_fini(&node);
	return root;
}

#endif
