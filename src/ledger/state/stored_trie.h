/*
 * What the store holds of a trie, as the walk reads it (trie/walk.h): branch records and flat leaves, through two
 * cursors that are shared by the storage tries of a block, which come in rising order. Private to state/. Threads: one
 * owner.
 */
#ifndef LEDGER_STATE_STORED_TRIE_H
#define LEDGER_STATE_STORED_TRIE_H

#include "ledger/state/rows.h"
#include "ledger/state/trie_cache.h"

struct stored_trie {
	struct store *store;
	const struct store_snapshot *snapshot;
	bool is_storage; /* else: of accounts */
	bool is_empty;   /* nothing is stored, so nothing is read */
	hash32 address_hash;
	struct store_cursor *records, *leaves; /* made when first asked for */
	struct store_value record;             /* that was given last */
	struct trie_cache *cache;              /* of what `snapshot` holds; NULL: none */
	bool is_cached;                        /* leaves come from the cache: */
	struct bytes cached;                   /* the ones that follow */
	uint8_t payload[ACCOUNT_PAYLOAD_BYTES_MAX];
};

/* `cache` NULL: none; else it knows the same state as `snapshot`. */
void stored_trie_init(struct stored_trie *trie, struct store *store, const struct store_snapshot *snapshot,
    bool is_storage, struct trie_cache *cache);
void stored_trie_fini(struct stored_trie *trie);
/* Of the storage tries, that of this account. */
void stored_trie_select(struct stored_trie *trie, const hash32 *address_hash, bool is_empty);
struct trie_source stored_trie_source(struct stored_trie *trie);

#endif
