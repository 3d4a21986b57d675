/*
 * Reading before the walk: what a root will ask of the store is brought into the trie cache by many readers at once,
 * since a disk gives ten times as much to ten as to one. The walk then finds it there; what it does not find it reads
 * itself, so this changes no root and no failure. Private to state/. Threads: one owner.
 */
#ifndef LEDGER_STATE_WARM_H
#define LEDGER_STATE_WARM_H

#include "ledger/state/state.h"
#include "ledger/state/trie_cache.h"

/* For the root of `diff` over what `snapshot` holds, which is what `cache` knows. */
void trie_cache_warm(struct trie_cache *cache, struct store *store, const struct store_snapshot *snapshot,
    const struct state_diff *diff);

#endif
