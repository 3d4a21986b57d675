/*
 * The accounts that the newest blocks changed, in memory: who sent yesterday sends today, and a look here costs a
 * hundredth of one into the store. A table of fixed size; a newcomer takes its place from whoever stands there.
 *
 * Views of the head look here first (state_view_use). An entry carries the commit that it comes from, and a view the
 * commit that it was opened after: an older entry still stands, since every change after it would have replaced it; a
 * younger one is not the view's, and the store's snapshot is asked. Without the cache views answer the same.
 *
 * Threads: any may look; one owner, who commits, learns and clears.
 */
#ifndef LEDGER_STATE_ACCOUNT_CACHE_H
#define LEDGER_STATE_ACCOUNT_CACHE_H

#include "ledger/state/state.h"

struct account_cache *account_cache_new(void);
void account_cache_free(struct account_cache *cache);
/* After the diff was committed, before a view of it is shared; storage roots are filled. */
void account_cache_learn(struct account_cache *cache, const struct state_diff *diff);
/* When the stored state changed otherwise: after unwinding. */
void account_cache_clear(struct account_cache *cache);

/* The newest commit that it knows. */
uint64_t account_cache_commit(struct account_cache *cache);
/* The account as it was after `commit`; false if that is not here. */
bool account_cache_get(
    struct account_cache *cache, struct account *account, bool *exists, const hash32 *address_hash, uint64_t commit);

#endif
