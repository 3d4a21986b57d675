/*
 * The root of a diff over an older block's state: the head's tries, with all that changed since as it was, and the diff
 * over that.
 */
#include "ledger/state/changes.h"
#include "ledger/state/commitment.h"
#include "ledger/state/updates.h"
#include "ledger/state/view_private.h"

#include <stdlib.h>

#define KEYS_MAX ((size_t)1000000)

/* A leaf that the diff or a block since touches; an account's own has no slot, and stands before those of its slots. */
struct touched {
	hash32 account, slot;
	bool has_slot;
};

struct past {
	const struct state_view *view;
	struct state_view head; /* the same snapshot's newest block */
	const struct state_diff *diff;
	struct touched *keys;
	size_t count, cap;
	struct arena arena;
	struct err *err;
};

static int compare_touched(const void *a, const void *b) {
	const struct touched *left = a, *right = b;
	const int order = memcmp(left->account.b, right->account.b, 32);
	if (order != 0) return order;
	if (left->has_slot != right->has_slot) return left->has_slot ? 1 : -1;
	return left->has_slot ? memcmp(left->slot.b, right->slot.b, 32) : 0;
}

static enum status touch(struct past *past, const hash32 *account, const hash32 *slot) {
	if (past->count == KEYS_MAX)
		return err_set(
		    past->err, STATUS_UNSUPPORTED, "a state root that far back would touch over %zu leaves", KEYS_MAX);
	if (past->count == past->cap) {
		past->cap = past->cap ? 2 * past->cap : 256;
		past->keys = mem_realloc(past->keys, past->cap * sizeof *past->keys);
	}
	past->keys[past->count++] =
	    (struct touched){.account = *account, .slot = slot ? *slot : (hash32){{0}}, .has_slot = slot != NULL};
	return STATUS_OK;
}

static enum status touch_block(struct past *past, struct block_changes *changes) {
	for (uint32_t i = 0; i < changes->account_count; i++) TRY(touch(past, &changes->accounts[i], NULL));
	while (changes->groups_left) {
		struct changed_slots group;
		TRY(block_changes_next(changes, &group, past->err));
		TRY(touch(past, group.address_hash, NULL));
		for (uint32_t i = 0; i < group.count; i++) TRY(touch(past, group.address_hash, &group.slots[i]));
	}
	return STATUS_OK;
}

static enum status touch_all(struct past *past) {
	const struct state_view *view = past->view;
	for (uint64_t number = view->number + 1; number <= view->head_number; number++) {
		struct block_changes changes;
		enum status status = block_changes_read(&changes, view->store, view->snapshot, number, past->err);
		if (status == STATUS_OK) status = touch_block(past, &changes);
		block_changes_fini(&changes);
		TRY(status);
	}
	for (size_t i = 0; i < past->diff->count; i++) {
		const struct account_change *change = &past->diff->accounts[i];
		TRY(touch(past, &change->address_hash, NULL));
		for (size_t k = 0; k < change->storage_count; k++)
			TRY(touch(past, &change->address_hash, &change->storage[k].slot_hash));
	}
	if (past->count) qsort(past->keys, past->count, sizeof *past->keys, compare_touched);
	size_t kept = 0;
	for (size_t i = 0; i < past->count; i++)
		if (kept == 0 || compare_touched(&past->keys[kept - 1], &past->keys[i]) != 0)
			past->keys[kept++] = past->keys[i];
	past->count = kept;
	return STATUS_OK;
}

/* The slots of an account: as the diff leaves them, or else as they were. What the diff wiped is not listed. */
static enum status add_slots(struct past *past, struct account_change *change, const struct account_change *after,
    const struct touched *keys, size_t count) {
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
    const struct touched *keys, size_t count) {
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
	for (size_t i = 0; i < past->count; i++) accounts += !past->keys[i].has_slot;
	*merged = (struct state_diff){.accounts = arena_alloc(&past->arena, accounts * sizeof *merged->accounts)};
	for (size_t i = 0; i < past->count;) {
		const struct touched *keys = &past->keys[i];
		size_t count = 1;
		while (i + count < past->count && keys[count].has_slot) count++;
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
	enum status status = touch_all(&past);
	if (status == STATUS_OK) status = merge(&past, &merged);
	if (status == STATUS_OK) status = commit_root(root, &merged, updates, view->store, view->snapshot, err);
	for (size_t i = 0, k = 0; i < merged.count && k < diff->count; i++)
		if (hash32_equal(&merged.accounts[i].address_hash, &diff->accounts[k].address_hash))
			diff->accounts[k++].after.storage_root = merged.accounts[i].after.storage_root;
	mem_free(past.keys);
	arena_fini(&past.arena);
	return status;
}
