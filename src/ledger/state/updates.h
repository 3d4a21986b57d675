/* Branch records on their way to the store. Private to state/. */
#ifndef LEDGER_STATE_UPDATES_H
#define LEDGER_STATE_UPDATES_H

#include "ledger/state/commitment.h"
#include "ledger/state/trie_cache.h"

struct trie_update {
	enum trie_cache_kind kind; /* leaves are for the cache alone */
	struct bytes key;
	struct bytes value; /* data == NULL: it goes */
};

struct trie_updates {
	struct trie_walker *walker; /* kept for its memory */
	struct trie_cache *cache;   /* NULL: none */
	bool wipes;                 /* a storage trie with all it holds */
	struct arena arena;
	struct trie_update *rows;
	size_t count, cap;
	const hash32 *address_hash; /* of the running walk; NULL: the account trie */
};

/* A sink that collects; `address_hash` must outlive the walk. */
struct trie_sink trie_updates_sink(struct trie_updates *updates, const hash32 *address_hash);
/* Adds the rows to the batch. */
void trie_updates_write(struct store_batch *batch, struct store *store, const struct trie_updates *updates);

/* The root over what `snapshot` holds (`store` NULL: nothing); storage roots go into diff->accounts[].after. */
MUST_USE enum status commit_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates,
    struct store *store, const struct store_snapshot *snapshot, struct err *err);
/* root_past.c: the same over an older block's view. */
MUST_USE enum status past_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates,
    const struct state_view *view, struct err *err);

#endif
