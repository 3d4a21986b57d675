#include "ledger/state/state.h"

#include "crypto/hash.h"
#include "ledger/state/overlay.h"
#include "ledger/state/rows.h"

/* Codes that are kept over a reset; more, and the next reset forgets them. */
#define CODE_KEPT_BYTES ((size_t)32 << 20)

static enum status view_account(
    void *context, struct account *account, bool *exists, const addr20 *address, struct err *err) {
	return state_view_account(context, account, exists, address, err);
}

static enum status view_storage(void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	return state_view_storage(context, value, address, slot, err);
}

static enum status view_has_storage(void *context, bool *has, const addr20 *address, struct err *err) {
	return state_view_has_storage(context, has, address, err);
}

static enum status view_code(void *context, struct buf *code, const hash32 *code_hash, struct err *err) {
	return state_view_code(context, code, code_hash, err);
}

struct state_source state_view_source(const struct state_view *view) {
	return (struct state_source){view_account, view_storage, view_has_storage, view_code, (void *)view};
}

struct state *state_new(const struct state_source *source, struct err *err) {
	struct state *state = mem_zalloc(1, sizeof *state);
	state->err = err;
	arena_init(&state->log_arena);
	arena_init(&state->code_arena);
	arena_init(&state->diff_arena);
	buf_init(&state->code_read, BUF_MAX_DEFAULT);
	state_reset(state, source);
	return state;
}

void state_free(struct state *state) {
	if (!state) return;
	mem_free(state->accounts);
	mem_free(state->account_table.cells);
	mem_free(state->slots);
	mem_free(state->slot_table.cells);
	mem_free(state->journal);
	mem_free(state->active);
	mem_free(state->logs);
	mem_free(state->codes);
	mem_free(state->code_table.cells);
	arena_fini(&state->log_arena);
	arena_fini(&state->code_arena);
	arena_fini(&state->diff_arena);
	buf_fini(&state->code_read);
	mem_free(state);
}

void state_reset(struct state *state, const struct state_source *source) {
	state->has_source = source != NULL;
	if (source) state->source = *source;
	state->stamp = 1;
	state->account_count = state->slot_count = state->journal_count = state->active_count = state->log_count = 0;
	index_clear(&state->account_table);
	index_clear(&state->slot_table);
	arena_reset(&state->log_arena);
	arena_reset(&state->diff_arena);
	if (state->code_bytes <= CODE_KEPT_BYTES) return;
	state->code_count = state->code_bytes = 0;
	index_clear(&state->code_table);
	arena_reset(&state->code_arena);
}

static bool is_empty(const struct undo_account *account) {
	return account->nonce == 0 && u256_is_zero(&account->balance_wei) &&
	       hash32_equal(&account->code_hash, &absent_account.code_hash);
}

enum status state_account_exists(struct state *state, bool *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out = account->now.exists;
	return STATUS_OK;
}

enum status state_account_is_empty(struct state *state, bool *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out = is_empty(&account->now);
	return STATUS_OK;
}

enum status state_get_balance(struct state *state, u256 *out_wei, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out_wei = account->now.balance_wei;
	return STATUS_OK;
}

/* For a write: kept, and there from now on. */
static enum status account_to_write(struct state *state, struct overlay_account **out, const addr20 *address) {
	TRY(overlay_account(state, out, address));
	overlay_keep_account(state, *out);
	(*out)->now.exists = true;
	(*out)->now.touched = state->stamp;
	overlay_activate(state, *out);
	return STATUS_OK;
}

enum status state_set_balance(struct state *state, const addr20 *address, const u256 *wei) {
	struct overlay_account *account;
	TRY(account_to_write(state, &account, address));
	account->now.balance_wei = *wei;
	return STATUS_OK;
}

/* Before EIP-161 an account that was given nothing is there, and empty; since then it goes with the transaction. */
enum status state_add_balance(struct state *state, const addr20 *address, const u256 *wei) {
	struct overlay_account *account;
	TRY(account_to_write(state, &account, address));
	u256_add_overflow(&account->now.balance_wei, &account->now.balance_wei, wei); /* modulo 2^256, as geth does */
	return STATUS_OK;
}

enum status state_sub_balance(struct state *state, const addr20 *address, const u256 *wei) {
	if (u256_is_zero(wei)) {
		state_touch(state, address);
		return STATUS_OK;
	}
	struct overlay_account *account;
	TRY(account_to_write(state, &account, address));
	BUG_ON(u256_sub_overflow(&account->now.balance_wei, &account->now.balance_wei, wei));
	return STATUS_OK;
}

enum status state_get_nonce(struct state *state, uint64_t *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out = account->now.nonce;
	return STATUS_OK;
}

enum status state_set_nonce(struct state *state, const addr20 *address, uint64_t nonce) {
	struct overlay_account *account;
	TRY(account_to_write(state, &account, address));
	account->now.nonce = nonce;
	return STATUS_OK;
}

enum status state_get_code(struct state *state, struct state_code *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out = (struct state_code){.hash = account->now.code_hash};
	if (hash32_equal(&account->now.code_hash, &absent_account.code_hash)) return STATUS_OK;
	if (account->now.code == CODE_NONE) TRY(overlay_code_load(state, &account->now.code, &account->now.code_hash));
	const struct overlay_code *code = &state->codes[account->now.code];
	out->bytes = code->bytes;
	out->jumpdests = code->jumpdests;
	return STATUS_OK;
}

enum status state_get_code_hash(struct state *state, hash32 *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	*out = account->now.exists ? account->now.code_hash : (hash32){{0}};
	return STATUS_OK;
}

enum status state_set_code(struct state *state, const addr20 *address, struct bytes code) {
	struct overlay_account *account;
	TRY(account_to_write(state, &account, address));
	account->now.code_hash = code.len ? keccak256(code) : absent_account.code_hash;
	account->now.code = code.len ? overlay_code_add(state, &account->now.code_hash, code) : CODE_NONE;
	return STATUS_OK;
}

/* The account is loaded, too. */
static enum status find_slot(struct state *state, struct overlay_slot **out, const addr20 *address, const u256 *slot) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	return overlay_slot_load(state, out, (uint32_t)(account - state->accounts), slot);
}

enum status state_get_storage(struct state *state, u256 *out, const addr20 *address, const u256 *slot) {
	struct overlay_slot *entry;
	TRY(find_slot(state, &entry, address, slot));
	*out = overlay_slot_value(state, entry);
	return STATUS_OK;
}

enum status state_get_original_storage(struct state *state, u256 *out, const addr20 *address, const u256 *slot) {
	struct overlay_slot *entry;
	TRY(find_slot(state, &entry, address, slot));
	*out = entry->original_stamp == state->stamp ? entry->original : overlay_slot_value(state, entry);
	return STATUS_OK;
}

enum status state_set_storage(struct state *state, const addr20 *address, const u256 *slot, const u256 *value) {
	struct overlay_slot *entry;
	TRY(find_slot(state, &entry, address, slot));
	struct overlay_account *account = &state->accounts[entry->account];
	if (!account->now.exists) {
		overlay_keep_account(state, account);
		account->now.exists = true;
	}
	if (entry->original_stamp != state->stamp) {
		entry->original = overlay_slot_value(state, entry);
		entry->original_stamp = state->stamp;
	}
	overlay_keep_slot(state, entry);
	entry->now.value = *value;
	entry->now.generation = account->now.generation;
	return STATUS_OK;
}

enum status state_has_storage(struct state *state, bool *out, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	uint32_t index = (uint32_t)(account - state->accounts);
	*out = false;
	if (account->existed && !account->now.wiped)
		TRY(state->source.has_storage(state->source.context, out, address, state->err));
	/* Asked only when a contract is about to be made, so a pass over the slots will do. */
	for (size_t i = 0; i < state->slot_count && !*out; i++) {
		if (state->slots[i].account != index) continue;
		u256 value = overlay_slot_value(state, &state->slots[i]);
		*out = !u256_is_zero(&value);
	}
	return STATUS_OK;
}

static struct overlay_slot *unloaded_slot(struct state *state, const addr20 *address, const u256 *slot) {
	const uint32_t index = overlay_slot_index(state, overlay_account_index(state, address), slot);
	return &state->slots[index];
}

void state_get_transient(struct state *state, u256 *out, const addr20 *address, const u256 *slot) {
	const struct overlay_slot *entry = unloaded_slot(state, address, slot);
	*out = entry->now.transient_stamp == state->stamp ? entry->now.transient : u256_from(0);
}

void state_set_transient(struct state *state, const addr20 *address, const u256 *slot, const u256 *value) {
	struct overlay_slot *entry = unloaded_slot(state, address, slot);
	overlay_keep_slot(state, entry);
	entry->now.transient = *value;
	entry->now.transient_stamp = state->stamp;
}

bool state_warm_account(struct state *state, const addr20 *address) {
	const uint32_t index = overlay_account_index(state, address);
	struct overlay_account *account = &state->accounts[index];
	if (account->now.warm == state->stamp) return false;
	overlay_keep_account(state, account);
	account->now.warm = state->stamp;
	return true;
}

bool state_warm_slot(struct state *state, const addr20 *address, const u256 *slot) {
	struct overlay_slot *entry = unloaded_slot(state, address, slot);
	if (entry->now.warm == state->stamp) return false;
	overlay_keep_slot(state, entry);
	entry->now.warm = state->stamp;
	return true;
}
