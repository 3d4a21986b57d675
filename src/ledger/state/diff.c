/* From the overlay to what a block changed, sorted by hashed keys. */
#include "crypto/hash.h"
#include "ledger/state/overlay.h"
#include "ledger/state/rows.h"

#include <stdlib.h>

static int compare_accounts(const void *a, const void *b) {
	return memcmp(
	    ((const struct account_change *)a)->address_hash.b, ((const struct account_change *)b)->address_hash.b, 32);
}

static int compare_slots(const void *a, const void *b) {
	return memcmp(
	    ((const struct storage_change *)a)->slot_hash.b, ((const struct storage_change *)b)->slot_hash.b, 32);
}

/* What a wipe leaves counts as zero before. False where nothing changed. */
static bool slot_change(struct storage_change *out, const struct state *state, const struct overlay_slot *slot) {
	bool wiped = state->accounts[slot->account].now.wiped;
	if (!slot->loaded && !wiped) return false;
	out->slot = slot->slot;
	out->before = wiped ? u256_from(0) : slot->before;
	out->after = overlay_slot_value(state, slot);
	return !u256_equal(&out->before, &out->after);
}

static bool account_differs(const struct overlay_account *account, size_t slot_count) {
	const struct undo_account *now = &account->now;
	if (!account->loaded || (!account->existed && !now->exists)) return false;
	return account->existed != now->exists || account->before.nonce != now->nonce ||
	       !u256_equal(&account->before.balance_wei, &now->balance_wei) ||
	       !hash32_equal(&account->before.code_hash, &now->code_hash) || now->wiped || slot_count > 0;
}

static enum status fill_account(struct state *state, struct account_change *out, struct overlay_account *account) {
	const struct undo_account *now = &account->now;
	out->address = account->address;
	out->address_hash = keccak256(BYTES_OF(account->address));
	out->existed = account->existed;
	out->exists = now->exists;
	out->storage_wiped = now->wiped;
	out->code_changed = !hash32_equal(&account->before.code_hash, &now->code_hash);
	out->before = account->before;
	out->after = absent_account;
	if (!now->exists) return STATUS_OK;
	out->after.nonce = now->nonce;
	out->after.balance_wei = now->balance_wei;
	out->after.code_hash = now->code_hash;
	if (!now->wiped) out->after.storage_root = account->before.storage_root;
	if (!out->code_changed || hash32_equal(&now->code_hash, &absent_account.code_hash)) return STATUS_OK;
	if (now->code == CODE_NONE) TRY(overlay_code_load(state, &account->now.code, &account->now.code_hash));
	out->code = state->codes[account->now.code].bytes;
	return STATUS_OK;
}

static void fill_storage(struct state *state, struct account_change **of_account) {
	for (size_t i = 0; i < state->slot_count; i++) {
		struct storage_change change;
		struct account_change *account = of_account[state->slots[i].account];
		if (!account || !account->exists || !slot_change(&change, state, &state->slots[i])) continue;
		uint8_t slot_bytes[32];
		u256_store_be(slot_bytes, &change.slot);
		change.slot_hash = keccak256(bytes_make(slot_bytes, sizeof slot_bytes));
		account->storage[account->storage_count++] = change;
	}
}

enum status state_get_diff(struct state *state, struct state_diff *diff) {
	BUG_ON(state->journal_count != 0);
	struct arena *arena = &state->diff_arena;
	arena_reset(arena);
	size_t *slot_counts = arena_zalloc(arena, state->account_count, sizeof *slot_counts);
	struct storage_change ignored;
	for (size_t i = 0; i < state->slot_count; i++)
		slot_counts[state->slots[i].account] += slot_change(&ignored, state, &state->slots[i]);

	diff->accounts = arena_zalloc(arena, state->account_count, sizeof *diff->accounts);
	diff->count = 0;
	struct account_change **of_account = arena_zalloc(arena, state->account_count, sizeof(struct account_change *));
	for (size_t i = 0; i < state->account_count; i++) {
		if (!account_differs(&state->accounts[i], slot_counts[i])) continue;
		struct account_change *change = &diff->accounts[diff->count++];
		TRY(fill_account(state, change, &state->accounts[i]));
		change->storage = arena_alloc(arena, slot_counts[i] * sizeof *change->storage);
		of_account[i] = change;
	}
	fill_storage(state, of_account);
	for (size_t i = 0; i < diff->count; i++)
		if (diff->accounts[i].storage_count)
			qsort(diff->accounts[i].storage, diff->accounts[i].storage_count, sizeof(struct storage_change),
			    compare_slots);
	if (diff->count) qsort(diff->accounts, diff->count, sizeof *diff->accounts, compare_accounts);
	return STATUS_OK;
}
