/*
 * What a `struct state` is made of. Private to state/.
 *
 * Accounts and slots that were asked for stand in two growing arrays, found through open-addressing tables of their
 * indexes. The journal holds the part of an entry that can be undone as it was before each write; undoing is copying it
 * back.
 *
 * What belongs to one transaction (warm, touched, created, destructed, transient, original) is stamped with the
 * transaction's number, so that the next transaction begins by counting up. Stamp 0: never.
 *
 * Storage is emptied by raising the account's generation: a slot of an older generation reads as zero.
 */
#ifndef LEDGER_STATE_OVERLAY_H
#define LEDGER_STATE_OVERLAY_H

#include "ledger/state/state.h"

#define CODE_NONE UINT32_MAX

struct undo_account {
	uint64_t nonce;
	u256 balance_wei;
	hash32 code_hash;
	uint32_t code; /* index, or CODE_NONE while it is not loaded */
	uint32_t generation;
	uint32_t warm, touched, created, destructed; /* stamps */
	bool exists;
	bool wiped; /* what the source has of its storage is gone */
};

struct overlay_account {
	addr20 address;
	bool loaded;  /* `before` and `now` are known; unset where only stamps were */
	bool existed; /* in the source */
	struct account before;
	struct undo_account now;
	bool listed; /* in `active` of the running transaction */
};

struct undo_slot {
	u256 value;
	u256 transient;
	uint32_t generation;
	uint32_t warm, transient_stamp;
};

struct overlay_slot {
	uint32_t account;
	bool loaded; /* `before` and `now.value` are known */
	u256 slot;
	u256 before;   /* in the source */
	u256 original; /* where original_stamp is the transaction's */
	uint32_t original_stamp;
	struct undo_slot now;
};

enum undo_kind { UNDO_ACCOUNT, UNDO_SLOT, UNDO_LOG };

struct undo {
	enum undo_kind kind;
	bool loaded; /* the entry was, then */
	uint32_t index;
	union {
		struct undo_account account;
		struct undo_slot slot;
	} before;
};

struct index_table {
	struct index_cell {
		uint32_t item; /* its index + 1; 0: free */
		uint32_t hash;
	} * cells;
	size_t cap; /* a power of two, at least twice the count */
	size_t count;
};

struct overlay_code {
	hash32 hash;
	struct bytes bytes;
	const uint64_t *jumpdests;
};

struct state {
	struct state_source source;
	bool has_source;
	struct err *err;
	uint32_t stamp; /* of the running transaction, from 1 */

	struct overlay_account *accounts;
	size_t account_count, account_cap;
	struct index_table account_table;
	struct overlay_slot *slots;
	size_t slot_count, slot_cap;
	struct index_table slot_table;

	struct undo *journal;
	size_t journal_count, journal_cap;
	uint32_t *active; /* accounts touched or destructed by the transaction, undone ones too */
	size_t active_count, active_cap;
	struct log *logs;
	size_t log_count, log_cap;
	struct arena log_arena; /* one transaction's */

	struct overlay_code *codes; /* by hash, so they stay right over a reset */
	size_t code_count, code_cap;
	struct index_table code_table;
	struct arena code_arena;
	size_t code_bytes;
	struct buf code_read;

	struct arena diff_arena; /* one diff's */
};

/* Makes room for one more item of a growing array. */
#define OVERLAY_GROW(items, count, cap)                                                                                \
	do {                                                                                                           \
		if ((count) == (cap)) {                                                                                \
			(cap) = (cap) ? 2 * (cap) : 64;                                                                \
			(items) = mem_realloc((items), (cap) * sizeof *(items));                                       \
		}                                                                                                      \
	} while (0)

/* The entry's index; a new one is not loaded. Never fails. */
uint32_t overlay_account_index(struct state *state, const addr20 *address);
uint32_t overlay_slot_index(struct state *state, uint32_t account, const u256 *slot);
/* Loaded; valid until the next index or load. */
MUST_USE enum status overlay_account(struct state *state, struct overlay_account **out, const addr20 *address);
/* What the source said, without touching the stamps. */
void overlay_account_as_loaded(struct overlay_account *account);
/* Of an account that is loaded. */
MUST_USE enum status overlay_slot_load(
    struct state *state, struct overlay_slot **out, uint32_t account, const u256 *slot);
u256 overlay_slot_value(const struct state *state, const struct overlay_slot *slot);

/* Before every write. */
void overlay_keep_account(struct state *state, const struct overlay_account *account);
void overlay_keep_slot(struct state *state, const struct overlay_slot *slot);
void overlay_keep_logs(struct state *state);
/* The account may go at the end of the transaction. */
void overlay_activate(struct state *state, struct overlay_account *account);
/* All its storage is gone; kept before by the caller. */
MUST_USE enum status overlay_wipe_storage(struct state *state, struct overlay_account *account);

/* The code's index, read from the source where it is not there. */
MUST_USE enum status overlay_code_load(struct state *state, uint32_t *out, const hash32 *hash);
uint32_t overlay_code_add(struct state *state, const hash32 *hash, struct bytes code);

/* The item that `equal` accepts. If there is none, `next` is entered and returned. */
typedef bool index_equal(const void *context, uint32_t item);
uint32_t index_find(struct index_table *table, uint64_t hash, index_equal *equal, const void *context, uint32_t next);
#define INDEX_NONE UINT32_MAX
uint32_t index_get(const struct index_table *table, uint64_t hash, index_equal *equal, const void *context);
void index_clear(struct index_table *table);

uint64_t overlay_hash(struct bytes key, uint64_t seed);

#endif
