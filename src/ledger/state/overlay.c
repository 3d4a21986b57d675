#include "ledger/state/overlay.h"

#include "ledger/state/rows.h"

struct account_wanted {
	const struct state *state;
	const addr20 *address;
};

static bool account_equal(const void *context, uint32_t item) {
	const struct account_wanted *wanted = context;
	return addr20_equal(&wanted->state->accounts[item].address, wanted->address);
}

uint32_t overlay_account_index(struct state *state, const addr20 *address) {
	struct account_wanted wanted = {state, address};
	uint32_t next = (uint32_t)state->account_count;
	uint32_t found =
	    index_find(&state->account_table, overlay_hash(BYTES_OF(*address), 0), account_equal, &wanted, next);
	if (found != next) return found;
	OVERLAY_GROW(state->accounts, state->account_count, state->account_cap);
	state->accounts[state->account_count++] = (struct overlay_account){
	    .address = *address,
	    .before = absent_account,
	    .now = {.code = CODE_NONE, .code_hash = absent_account.code_hash},
	};
	return found;
}

void overlay_account_as_loaded(struct overlay_account *account) {
	account->now.exists = account->existed;
	account->now.nonce = account->before.nonce;
	account->now.balance_wei = account->before.balance_wei;
	account->now.code_hash = account->before.code_hash;
	account->now.code = CODE_NONE;
}

static enum status load_account(struct state *state, struct overlay_account *account) {
	struct account before = absent_account;
	bool existed = false;
	if (state->has_source)
		TRY(state->source.account(state->source.context, &before, &existed, &account->address, state->err));
	account->loaded = true;
	account->existed = existed;
	account->before = before;
	overlay_account_as_loaded(account);
	return STATUS_OK;
}

enum status overlay_account(struct state *state, struct overlay_account **out, const addr20 *address) {
	const uint32_t index = overlay_account_index(state, address); /* first: it may move the array */
	struct overlay_account *account = &state->accounts[index];
	*out = account;
	return account->loaded ? STATUS_OK : load_account(state, account);
}

struct slot_wanted {
	const struct state *state;
	uint32_t account;
	const u256 *slot;
};

static bool slot_equal(const void *context, uint32_t item) {
	const struct slot_wanted *wanted = context;
	const struct overlay_slot *slot = &wanted->state->slots[item];
	return slot->account == wanted->account && u256_equal(&slot->slot, wanted->slot);
}

uint32_t overlay_slot_index(struct state *state, uint32_t account, const u256 *slot) {
	struct slot_wanted wanted = {state, account, slot};
	uint32_t next = (uint32_t)state->slot_count;
	uint64_t hash = overlay_hash(bytes_make(slot, sizeof *slot), account + 1);
	uint32_t found = index_find(&state->slot_table, hash, slot_equal, &wanted, next);
	if (found != next) return found;
	OVERLAY_GROW(state->slots, state->slot_count, state->slot_cap);
	state->slots[state->slot_count++] = (struct overlay_slot){.account = account, .slot = *slot};
	return found;
}

enum status overlay_slot_load(struct state *state, struct overlay_slot **out, uint32_t account, const u256 *slot) {
	const uint32_t index = overlay_slot_index(state, account, slot);
	struct overlay_slot *entry = &state->slots[index];
	const struct overlay_account *owner = &state->accounts[account];
	*out = entry;
	if (entry->loaded) return STATUS_OK;
	u256 before = u256_from(0);
	if (owner->existed && !owner->now.wiped)
		TRY(state->source.storage(state->source.context, &before, &owner->address, slot, state->err));
	/* A slot first seen after a wipe is zero; should the wipe be undone, it is read then. */
	if (owner->now.wiped) return STATUS_OK;
	entry->loaded = true;
	entry->before = entry->now.value = before;
	return STATUS_OK;
}

u256 overlay_slot_value(const struct state *state, const struct overlay_slot *slot) {
	bool current = slot->now.generation == state->accounts[slot->account].now.generation;
	return current ? slot->now.value : u256_from(0);
}

static struct undo *keep(struct state *state, enum undo_kind kind, uint32_t index, bool loaded) {
	OVERLAY_GROW(state->journal, state->journal_count, state->journal_cap);
	struct undo *undo = &state->journal[state->journal_count++];
	undo->kind = kind;
	undo->loaded = loaded;
	undo->index = index;
	return undo;
}

void overlay_keep_account(struct state *state, const struct overlay_account *account) {
	keep(state, UNDO_ACCOUNT, (uint32_t)(account - state->accounts), account->loaded)->before.account =
	    account->now;
}

void overlay_keep_slot(struct state *state, const struct overlay_slot *slot) {
	keep(state, UNDO_SLOT, (uint32_t)(slot - state->slots), slot->loaded)->before.slot = slot->now;
}

void overlay_keep_logs(struct state *state) {
	keep(state, UNDO_LOG, (uint32_t)state->log_count, true);
}

void overlay_activate(struct state *state, struct overlay_account *account) {
	if (account->listed) return;
	account->listed = true;
	OVERLAY_GROW(state->active, state->active_count, state->active_cap);
	state->active[state->active_count++] = (uint32_t)(account - state->accounts);
}

enum status overlay_wipe_storage(struct state *state, struct overlay_account *account) {
	bool has = false;
	if (account->existed && !account->now.wiped)
		TRY(state->source.has_storage(state->source.context, &has, &account->address, state->err));
	account->now.generation++;
	if (has) account->now.wiped = true;
	return STATUS_OK;
}
