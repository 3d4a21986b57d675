/*
 * The world during execution: a journaled overlay over a read-only view (or over nothing, for genesis and tests). It
 * remembers what transactions did, can undo to any snapshot, and gives what a block changed as a sorted diff.
 *
 * Per-transaction state (warm sets, transient storage, created and destructed accounts, logs) ends with
 * state_end_transaction. Functions that may read the database return an `enum status`; the others cannot fail. A
 * failure's text is in the `struct err` given at creation. The functions have the meaning that ledger/evm/host.h gives
 * them; exec/ binds the two. Memory: from an arena of its own, freed at once by state_free / state_reset; no per-call
 * heap. Threads: one owner.
 */
#ifndef LEDGER_STATE_STATE_H
#define LEDGER_STATE_STATE_H

#include "ledger/state/view.h"

struct state;

/* What it reads from; state_view_source makes one from a view. Simulation and overrides bring their own. */
struct state_source {
	MUST_USE enum status (*account)(
	    void *context, struct account *account, bool *exists, const addr20 *address, struct err *err);
	MUST_USE enum status (*storage)(
	    void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err);
	MUST_USE enum status (*has_storage)(void *context, bool *has, const addr20 *address, struct err *err);
	MUST_USE enum status (*code)(void *context, struct buf *code, const hash32 *code_hash, struct err *err);
	void *context;
};
struct state_source state_view_source(const struct state_view *view);
/* What a state holds between two transactions; it must live as long, and its failures are passed on. */
struct state_source state_as_source(struct state *state);

/* `source` NULL: an empty world. `err` must outlive it. */
struct state *state_new(const struct state_source *source, struct err *err);
void state_free(struct state *state);
/* Forgets everything, and reads from `source` from now on; keeps memory. */
void state_reset(struct state *state, const struct state_source *source);

MUST_USE enum status state_account_exists(struct state *state, bool *out, const addr20 *address);
MUST_USE enum status state_account_is_empty(struct state *state, bool *out, const addr20 *address);
MUST_USE enum status state_get_balance(struct state *state, u256 *out_wei, const addr20 *address);
MUST_USE enum status state_set_balance(struct state *state, const addr20 *address, const u256 *wei);
MUST_USE enum status state_add_balance(
    struct state *state, const addr20 *address, const u256 *wei); /* touches, even by 0 */
MUST_USE enum status state_sub_balance(
    struct state *state, const addr20 *address, const u256 *wei); /* BUG_ON too little */
MUST_USE enum status state_get_nonce(struct state *state, uint64_t *out, const addr20 *address);
MUST_USE enum status state_set_nonce(struct state *state, const addr20 *address, uint64_t nonce);
/* Code with 33 zero bytes behind it and its jump destinations, cached by hash for the life of the state. */
struct state_code {
	struct bytes bytes;
	const uint64_t *jumpdests;
	hash32 hash;
};
MUST_USE enum status state_get_code(struct state *state, struct state_code *out, const addr20 *address);
MUST_USE enum status state_get_code_hash(struct state *state, hash32 *out, const addr20 *address);
MUST_USE enum status state_set_code(struct state *state, const addr20 *address, struct bytes code);
MUST_USE enum status state_get_storage(struct state *state, u256 *out, const addr20 *address, const u256 *slot);
MUST_USE enum status state_get_original_storage(
    struct state *state, u256 *out, const addr20 *address, const u256 *slot);
MUST_USE enum status state_set_storage(struct state *state, const addr20 *address, const u256 *slot, const u256 *value);
MUST_USE enum status state_has_storage(struct state *state, bool *out, const addr20 *address);
void state_get_transient(struct state *state, u256 *out, const addr20 *address, const u256 *slot);
void state_set_transient(struct state *state, const addr20 *address, const u256 *slot, const u256 *value);
bool state_warm_account(struct state *state, const addr20 *address);
bool state_warm_slot(struct state *state, const addr20 *address, const u256 *slot);
MUST_USE enum status state_begin_create(struct state *state, const addr20 *address);
bool state_is_created_here(struct state *state, const addr20 *address);
bool state_mark_destructed(struct state *state, const addr20 *address);
void state_touch(struct state *state, const addr20 *address);
void state_add_log(struct state *state, const struct log *log);
size_t state_snapshot(struct state *state);
void state_revert_to(struct state *state, size_t snapshot);

/* The logs of the running transaction; views until state_end_transaction. */
const struct log *state_logs(const struct state *state, size_t *count);
/*
 * Deletes what was destructed (all, or since EIP-6780 as marked by the machine) and, where `clear_empty` (EIP-161),
 * touched empty accounts; then forgets the transaction's own state. The journal restarts: nothing before can be undone.
 */
MUST_USE enum status state_end_transaction(struct state *state, bool clear_empty);

/* What a block changed, sorted by hashed keys; views into the state, until the next state_get_diff or state_reset. */
struct storage_change {
	hash32 slot_hash;
	u256 slot;
	u256 before, after;
};
struct account_change {
	hash32 address_hash;
	addr20 address;
	bool existed, exists;
	bool storage_wiped; /* all old storage goes before `storage` applies */
	bool code_changed;
	struct account before, after; /* after.storage_root is filled by state_root */
	struct bytes code;            /* where code_changed */
	struct storage_change *storage;
	size_t storage_count;
};
struct state_diff {
	struct account_change *accounts;
	size_t count;
};
/* Call between transactions. Entries without any change are left out. */
MUST_USE enum status state_get_diff(struct state *state, struct state_diff *diff);

#endif
