/* What lives as long as a transaction: creations, destructions, touches, logs, and the undoing of it all. */
#include "ledger/state/overlay.h"
#include "ledger/state/rows.h"

enum status state_begin_create(struct state *state, const addr20 *address) {
	struct overlay_account *account;
	TRY(overlay_account(state, &account, address));
	overlay_keep_account(state, account);
	TRY(overlay_wipe_storage(state, account));
	account->now.exists = true;
	account->now.nonce = 0;
	account->now.code_hash = absent_account.code_hash;
	account->now.code = CODE_NONE;
	account->now.created = account->now.touched = state->stamp;
	overlay_activate(state, account);
	return STATUS_OK;
}

bool state_is_created_here(struct state *state, const addr20 *address) {
	const uint32_t index = overlay_account_index(state, address);
	return state->accounts[index].now.created == state->stamp;
}

bool state_mark_destructed(struct state *state, const addr20 *address) {
	const uint32_t index = overlay_account_index(state, address);
	struct overlay_account *account = &state->accounts[index];
	if (account->now.destructed == state->stamp) return false;
	overlay_keep_account(state, account);
	account->now.destructed = state->stamp;
	overlay_activate(state, account);
	return true;
}

void state_touch(struct state *state, const addr20 *address) {
	const uint32_t index = overlay_account_index(state, address);
	struct overlay_account *account = &state->accounts[index];
	if (account->now.touched == state->stamp) return;
	overlay_keep_account(state, account);
	account->now.touched = state->stamp;
	overlay_activate(state, account);
}

void state_add_log(struct state *state, const struct log *log) {
	overlay_keep_logs(state);
	OVERLAY_GROW(state->logs, state->log_count, state->log_cap);
	struct log *copy = &state->logs[state->log_count++];
	*copy = *log;
	copy->data = arena_dup(&state->log_arena, log->data);
}

const struct log *state_logs(const struct state *state, size_t *count) {
	*count = state->log_count;
	return state->logs;
}

size_t state_snapshot(struct state *state) {
	return state->journal_count;
}

/*
 * The touch of account 3 outlives the undoing of its call. When Spurious Dragon's clearing met RIPEMD-160 called
 * without enough gas, the clients that made up the majority kept that touch, and history kept it with them (EIP-716).
 */
static bool is_ripemd(const addr20 *address) {
	static const addr20 ripemd = {{[19] = 3}};
	return addr20_equal(address, &ripemd);
}

/* An entry that was kept before it was loaded, and is loaded now, goes back to what the source said. */
static void undo_account(struct overlay_account *account, const struct undo *undo) {
	uint32_t touched = account->now.touched;
	account->now = undo->before.account;
	if (account->loaded && !undo->loaded) overlay_account_as_loaded(account);
	if (is_ripemd(&account->address)) account->now.touched = touched;
}

static void undo_slot(struct overlay_slot *slot, const struct undo *undo) {
	slot->now = undo->before.slot;
	if (slot->loaded && !undo->loaded) slot->now.value = slot->before;
}

void state_revert_to(struct state *state, size_t snapshot) {
	BUG_ON(snapshot > state->journal_count);
	while (state->journal_count > snapshot) {
		const struct undo *undo = &state->journal[--state->journal_count];
		switch (undo->kind) {
		case UNDO_ACCOUNT: undo_account(&state->accounts[undo->index], undo); break;
		case UNDO_SLOT: undo_slot(&state->slots[undo->index], undo); break;
		case UNDO_LOG: state->log_count = undo->index; break;
		}
	}
}

static enum status delete_account(struct state *state, struct overlay_account *account) {
	TRY(overlay_wipe_storage(state, account));
	account->now.exists = false;
	account->now.nonce = 0;
	account->now.balance_wei = u256_from(0);
	account->now.code_hash = absent_account.code_hash;
	account->now.code = CODE_NONE;
	return STATUS_OK;
}

static enum status end_account(struct state *state, struct overlay_account *account, bool clear_empty) {
	if (account->now.destructed != state->stamp && !(clear_empty && account->now.touched == state->stamp))
		return STATUS_OK;
	struct overlay_account *loaded;
	TRY(overlay_account(state, &loaded, &account->address));
	bool is_empty = loaded->now.nonce == 0 && u256_is_zero(&loaded->now.balance_wei) &&
			hash32_equal(&loaded->now.code_hash, &absent_account.code_hash);
	if (loaded->now.exists && (loaded->now.destructed == state->stamp || is_empty))
		return delete_account(state, loaded);
	return STATUS_OK;
}

enum status state_end_transaction(struct state *state, bool clear_empty) {
	for (size_t i = 0; i < state->active_count; i++)
		TRY(end_account(state, &state->accounts[state->active[i]], clear_empty));
	for (size_t i = 0; i < state->active_count; i++) state->accounts[state->active[i]].listed = false;
	state->active_count = state->journal_count = state->log_count = 0;
	arena_reset(&state->log_arena);
	BUG_ON(state->stamp == UINT32_MAX);
	state->stamp++;
	return STATUS_OK;
}
