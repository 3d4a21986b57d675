/*
 * From a diff to a state root, and from a diff to rows (Yellow Paper app. D).
 *
 * The root is a pure function of (committed snapshot, sorted diff): nothing is written to find it. Branch records
 * (trie/branch.h) make its cost proportional to what changed; `state_root_rebuild` is the plain twin, over all leaves.
 */
#ifndef LEDGER_STATE_COMMITMENT_H
#define LEDGER_STATE_COMMITMENT_H

#include "ledger/state/state.h"

/* Recently used parts of the head's tries, in memory, for the one who commits. Roots are the same without it. */
struct trie_cache;
struct trie_cache *trie_cache_new(size_t bytes_max);
void trie_cache_free(struct trie_cache *cache);
/* To be called when the stored state changed otherwise than by a block on the head: after unwinding. */
void trie_cache_clear(struct trie_cache *cache);

/* Branch records to put and delete, made by state_root for state_write. `cache` NULL: none. */
struct trie_updates;
struct trie_updates *trie_updates_new(struct trie_cache *cache);
void trie_updates_free(struct trie_updates *updates);
/* The cache follows, once what state_write added is committed. With a cache it must be called then. */
void trie_updates_committed(struct trie_updates *updates);

/* The root of `diff` over `view`; fills diff->accounts[].after.storage_root too. Over an older block's view all that
 * changed since is laid over the head's tries as it was, so the updates are not for state_write then; that is bounded
 * (state/touched.h): STATUS_UNSUPPORTED. */
MUST_USE enum status state_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates,
    const struct state_view *view, struct err *err);
/* Every leaf read again; also compares stored branch records with what they should be: STATUS_CORRUPT says where. */
MUST_USE enum status state_root_rebuild(
    hash32 *root, struct store *store, const struct store_snapshot *snapshot, struct err *err);
/* Adds flat rows, code, branch records, history and change rows of block `number` to the batch. For every block, also
 * one that changed nothing: its list of changes, then empty, is what the past is read by. The store must hold the
 * parent's state. */
MUST_USE enum status state_write(struct store_batch *batch, struct store *store, const struct state_diff *diff,
    const struct trie_updates *updates, uint64_t number, struct err *err);
/* Adds what takes the flat state from after block `number` (the head) to before it; branch records are made anew for
 * what changed, code stays. One block a batch: the next is read from what was committed. STATUS_CORRUPT if the
 * history does not lead to the old storage roots. */
MUST_USE enum status state_unwind(struct store_batch *batch, struct store *store, uint64_t number, struct err *err);
/* Adds what takes the past before block `number` away: its list of changes and its history rows. States after it stay.
 * A block without a list has none. */
MUST_USE enum status state_forget(struct store_batch *batch, struct store *store, uint64_t number, struct err *err);
/* An in-memory world's root, all leaves at once: for genesis and the official state tests (no store). */
MUST_USE enum status state_root_of_diff(hash32 *root, struct state_diff *diff, struct err *err);

#endif
