/*
 * The incremental walk: the root of a trie after some of its leaves changed, and the branch records that change with
 * it, without writing anything (Yellow Paper app. D).
 *
 * It reads what is stored (branch records and flat leaves, through a source), lays the sorted changes over it, and
 * feeds the one hash builder in order. A branch record shows which subtrees no change touches: their hash is fed whole.
 * What is opened is only the way to each change; there, children without a hash (leaves, extensions) are read again,
 * since they may merge with a neighbour.
 *
 *   record at q          no change below q||n, hash known      feed the hash
 *   ├─ child q||n   ───  record below                          open it, and so on
 *   │                    none                                  read the leaves below q||n, changes laid over them
 *   └─ no child          feed what the changes bring there
 *
 * Why the first record below a path is the topmost branch there: a branch that has a record below it keeps one itself
 * (tree_mask). So between that path and the record there are no stored leaves, and only changes can bring some.
 *
 * Keys are fixed-length bytes, two nibbles each; paths of records are one nibble a byte. Both sort by unsigned bytes.
 * Ownership: views given by a source live until its next call. Threads: a walker has one owner; walkers are
 * independent.
 */
#ifndef LEDGER_TRIE_WALK_H
#define LEDGER_TRIE_WALK_H

#include "base/mem.h"

struct trie_leaf {
	struct bytes key;   /* data == NULL: no more leaves */
	struct bytes value; /* the payload that stands in the leaf node */
	uint8_t from; /* the hash of its node below so many nibbles is known, and stands in `hash`; 0: it is not */
	hash32 hash;
};

/* What is stored, as it was before the changes. */
struct trie_source {
	/* The first record whose path is not before `from`; path->data == NULL if there is none. Calls come in
	 * rising order. */
	MUST_USE enum status (*record_seek)(
	    void *context, struct bytes *path, struct bytes *record, struct bytes from, struct err *err);
	/* The record at this path; data == NULL if there is none. */
	MUST_USE enum status (*record_get)(void *context, struct bytes *record, struct bytes path, struct err *err);
	/* The first leaf whose key is not before `from` (rising order too), and the one after the last that was given.
	 * Only leaves that share the first `nibbles` nibbles of `from` are of interest; the others of it are zero. */
	MUST_USE enum status (*leaf_seek)(
	    void *context, struct trie_leaf *leaf, struct bytes from, size_t nibbles, struct err *err);
	MUST_USE enum status (*leaf_next)(void *context, struct trie_leaf *leaf, struct err *err);
	void *context;
};

/* What changes: strictly rising keys, `stride` bytes from one to the next. */
struct trie_changes {
	const uint8_t *keys;
	size_t stride;
	size_t count;
	size_t key_bytes; /* [1, 32] */
	/* The payload of leaf `index` after the change; data == NULL if the leaf goes. Lives until the next call. */
	struct bytes (*value)(void *context, size_t index);
	void *context;
	bool wiped; /* all that is stored goes, before the changes apply */
};

/* What comes of it. Each NULL is allowed. Records come sorted by path after the root is known, and only those that
 * differ. */
struct trie_sink {
	void (*record_put)(void *context, struct bytes path, struct bytes record);
	void (*record_del)(void *context, struct bytes path);
	/* The RLP of each node that was made on the way, in post-order: all nodes from the root to every change are
	 * among them. */
	void (*node)(void *context, struct bytes path, struct bytes rlp);
	/* All leaves below `path` as they are after the changes, with their hashes: what a source may answer leaf_seek
	 * from next time. After the root is known; only if a leaf changed, or came without its hash. A count of 0:
	 * what was reported about this path before no longer holds, and nobody updates it. */
	void (*leaves)(void *context, struct bytes path, const struct trie_leaf *leaves, size_t count);
	void *context;
};

struct trie_walker;
struct trie_walker *trie_walker_new(void);
void trie_walker_free(struct trie_walker *walker);

/* Fails only as the source does, or with STATUS_CORRUPT for a record that contradicts itself. */
MUST_USE enum status trie_walk(struct trie_walker *walker, hash32 *root, const struct trie_source *source,
    const struct trie_changes *changes, const struct trie_sink *sink, struct err *err);

#endif
