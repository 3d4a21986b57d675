/*
 * Recently used parts of the tries at the head, in memory: branch records, and the leaves below a path together with
 * the hashes of their nodes, so that a root need not read and hash a changed leaf's neighbours again. Private to
 * state/; its life is in commitment.h.
 *
 * What stands here is what the store holds after the newest committed block. A branch and the leaves right below its
 * children are one entry, since they are read together. Bounded by bytes; what was not used for long goes first.
 * Threads: one owner, who commits.
 */
#ifndef LEDGER_STATE_TRIE_CACHE_H
#define LEDGER_STATE_TRIE_CACHE_H

#include "ledger/state/commitment.h"
#include "ledger/trie/walk.h"

enum trie_cache_kind { CACHE_ACCOUNT_RECORD, CACHE_ACCOUNT_LEAVES, CACHE_STORAGE_RECORD, CACHE_STORAGE_LEAVES };

/* `key` is a path, one nibble a byte; of a storage trie keccak(address) before it. A view until the next put or del;
 * data == NULL if it is not known. */
struct bytes trie_cache_get(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key);
/* `value` is not empty. */
void trie_cache_put(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key, struct bytes value);
void trie_cache_del(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key);

/* The value of the two kinds of leaves: each key 32, from u8, hash 32 where `from` is not 0, payload length u8,
 * payload.
 */
struct bytes cached_leaves_encode(struct arena *arena, const struct trie_leaf *leaves, size_t count);
/* Takes the first off `rest`, which is not empty; views into it. */
struct trie_leaf cached_leaves_take(struct bytes *rest);

#endif
