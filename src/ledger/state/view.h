/*
 * The committed state at one block, read-only: over a snapshot of the store, and for older blocks through the history
 * tables. A view is immutable, so any number of threads may read it at once.
 *
 * Sources: Yellow Paper §4.1; store/tables.h for the bytes.
 */
#ifndef LEDGER_STATE_VIEW_H
#define LEDGER_STATE_VIEW_H

#include "eth/types.h"
#include "ledger/store/store.h"

struct account {
	uint64_t nonce;
	u256 balance_wei;
	hash32 code_hash;    /* empty_code_hash where it has none */
	hash32 storage_root; /* empty_trie_root where it has none */
};

struct state_view;

/* At the store's newest block (`is_head`), or as it was after block `number`. Takes its own snapshot. */
MUST_USE enum status state_view_open(
    struct state_view **out, struct store *store, bool is_head, uint64_t number, struct err *err);
void state_view_close(struct state_view *view);
/* Lets a view of the head look into the cache, which knows no newer commit; before the view is shared. */
struct account_cache;
void state_view_use(struct state_view *view, struct account_cache *cache);

/* `*exists` false leaves `account` empty (nonce 0, balance 0, empty code, empty storage). */
MUST_USE enum status state_view_account(
    const struct state_view *view, struct account *account, bool *exists, const addr20 *address, struct err *err);
MUST_USE enum status state_view_storage(
    const struct state_view *view, u256 *value, const addr20 *address, const u256 *slot, struct err *err);
MUST_USE enum status state_view_has_storage(
    const struct state_view *view, bool *has, const addr20 *address, struct err *err);
/* Appends the code. STATUS_CORRUPT if a hash has none. */
MUST_USE enum status state_view_code(
    const struct state_view *view, struct buf *code, const hash32 *code_hash, struct err *err);

/* EIP-1186: the nodes from the root down, each its RLP, in the arena. For the head from stored branch records and the
 * leaves that they leave out. For older blocks with the leaves that changed since laid over them, as they were: time
 * grows with the blocks since and with the leaves that differ, and is bounded (state/touched.h): STATUS_UNSUPPORTED. */
struct state_proof {
	struct account account;
	bool exists;
	struct bytes *account_nodes;
	size_t account_node_count;
	struct state_storage_proof {
		u256 slot, value;
		struct bytes *nodes;
		size_t node_count;
	} * storage;
	size_t storage_count;
};
MUST_USE enum status state_view_proof(const struct state_view *view, struct state_proof *proof, struct arena *arena,
    const addr20 *address, const u256 *slots, size_t slot_count, struct err *err);

#endif
