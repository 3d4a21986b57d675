/*
 * The root of a diff over an older block's state: the head's tries, with all that changed since as it was, and the diff
 * over that.
 */
#include "ledger/state/commitment.h"
#include "ledger/state/touched.h"
#include "ledger/state/updates.h"

struct past {
	const struct state_view *view;
	struct state_view head; /* the same snapshot's newest block */
	const struct state_diff *diff;
	struct touched touched;
	struct arena arena;
	struct err *err;
};

static enum status touch_all(struct past *past) {
	struct touched *touched = &past->touched;
	TRY(touched_since(touched, past->view, TOUCHED_ALL_SLOTS, NULL));
	for (size_t i = 0; i < past->diff->count; i++) {
		const struct account_change *change = &past->diff->accounts[i];
		TRY(touched_add(touched, &change->address_hash, NULL));
		for (size_t k = 0; k < change->storage_count; k++)
			TRY(touched_add(touched, &change->address_hash, &change->storage[k].slot_hash));
	}
	touched_sort(touched);
	return STATUS_OK;
}

/* The slots of an account: as the diff leaves them, or else as they were. What the diff wiped is not listed. */
static enum status add_slots(struct past *past, struct account_change *change, const struct account_change *after,
    const struct touched_leaf *keys, size_t count) {
	size_t next = 0;
	change->storage = arena_alloc(&past->arena, count * sizeof *change->storage);
	for (size_t i = 0; i < count; i++) {
		struct storage_change *slot = &change->storage[change->storage_count];
		*slot = (struct storage_change){.slot_hash = keys[i].slot};
		if (after && next < after->storage_count &&
		    hash32_equal(&after->storage[next].slot_hash, &keys[i].slot))
			slot->after = after->storage[next++].after;
		else if (change->storage_wiped)
			continue;
		else
			TRY(view_storage_by_hash(
			    past->view, &slot->after, &change->address_hash, &slot->slot_hash, past->err));
		change->storage_count++;
	}
	return STATUS_OK;
}

/* What takes the head's account to what it should be. `after` is the diff's, or NULL. */
static enum status add_account(struct past *past, struct account_change *change, const struct account_change *after,
    const struct touched_leaf *keys, size_t count) {
	*change = (struct account_change){.address_hash = keys->account};
	TRY(view_account_by_hash(&past->head, &change->before, &change->existed, &change->address_hash, past->err));
	if (after) {
		change->exists = after->exists;
		change->after = after->after;
		change->storage_wiped = after->storage_wiped;
	} else {
		TRY(view_account_by_hash(
		    past->view, &change->after, &change->exists, &change->address_hash, past->err));
	}
	return add_slots(past, change, after, keys + 1, count - 1);
}

static enum status merge(struct past *past, struct state_diff *merged) {
	const struct state_diff *diff = past->diff;
	size_t next = 0, accounts = 0;
	for (size_t i = 0; i < past->touched.count; i++) accounts += !past->touched.leaves[i].has_slot;
	*merged = (struct state_diff){.accounts = arena_alloc(&past->arena, accounts * sizeof *merged->accounts)};
	for (size_t i = 0; i < past->touched.count;) {
		const struct touched_leaf *keys = &past->touched.leaves[i];
		size_t count = 1;
		while (i + count < past->touched.count && keys[count].has_slot) count++;
		const struct account_change *after = NULL;
		if (next < diff->count && hash32_equal(&diff->accounts[next].address_hash, &keys->account))
			after = &diff->accounts[next++];
		TRY(add_account(past, &merged->accounts[merged->count++], after, keys, count));
		i += count;
	}
	return STATUS_OK;
}

enum status past_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates,
    const struct state_view *view, struct err *err) {
	struct past past = {.view = view, .head = *view, .diff = diff, .err = err};
	struct state_diff merged = {0};
	past.head.is_head = true;
	arena_init(&past.arena);
	touched_init(&past.touched, err);
	enum status status = touch_all(&past);
	if (status == STATUS_OK) status = merge(&past, &merged);
	if (status == STATUS_OK) status = commit_root(root, &merged, updates, view->store, view->snapshot, err);
	for (size_t i = 0, k = 0; i < merged.count && k < diff->count; i++)
		if (hash32_equal(&merged.accounts[i].address_hash, &diff->accounts[k].address_hash))
			diff->accounts[k++].after.storage_root = merged.accounts[i].after.storage_root;
	touched_fini(&past.touched);
	arena_fini(&past.arena);
	return status;
}
