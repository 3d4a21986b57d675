#include "ledger/state/touched.h"

#include "ledger/state/changes.h"

#include <stdlib.h>

void touched_init(struct touched *touched, struct err *err) {
	*touched = (struct touched){.bytes_left = TOUCHED_BYTES_MAX, .err = err};
}

void touched_fini(struct touched *touched) {
	mem_free(touched->leaves);
	mem_free(touched->table.cells);
}

struct leaf_wanted {
	const struct touched_leaf *leaves, *leaf;
};

static bool leaf_equal(const void *context, uint32_t item) {
	const struct leaf_wanted *wanted = context;
	const struct touched_leaf *leaf = &wanted->leaves[item];
	return leaf->has_slot == wanted->leaf->has_slot && hash32_equal(&leaf->account, &wanted->leaf->account) &&
	       hash32_equal(&leaf->slot, &wanted->leaf->slot);
}

enum status touched_add(struct touched *touched, const hash32 *account, const hash32 *slot) {
	const struct touched_leaf leaf = {
	    .account = *account, .slot = slot ? *slot : (hash32){{0}}, .has_slot = slot != NULL};
	const struct leaf_wanted wanted = {touched->leaves, &leaf};
	const uint64_t hash = overlay_hash(BYTES_OF(leaf.slot), load_be64(leaf.account.b));
	const uint32_t next = (uint32_t)touched->count;
	if (next == TOUCHED_LEAVES_MAX) {
		if (index_get(&touched->table, hash, leaf_equal, &wanted) != INDEX_NONE) return STATUS_OK;
		return err_set(touched->err, STATUS_UNSUPPORTED,
		    "the state that far back differs from the newest in over %zu leaves", TOUCHED_LEAVES_MAX);
	}
	if (index_find(&touched->table, hash, leaf_equal, &wanted, next) != next) return STATUS_OK;
	OVERLAY_GROW(touched->leaves, touched->count, touched->cap);
	touched->leaves[touched->count++] = leaf;
	return STATUS_OK;
}

/* --- what blocks changed --- */

static enum status add_accounts(struct touched *touched, const struct block_changes *changes) {
	for (uint32_t i = 0; i < changes->account_count; i++) TRY(touched_add(touched, &changes->accounts[i], NULL));
	return STATUS_OK;
}

static enum status add_slots(struct touched *touched, const struct changed_slots *group) {
	TRY(touched_add(touched, group->address_hash, NULL));
	for (uint32_t i = 0; i < group->count; i++) TRY(touched_add(touched, group->address_hash, &group->slots[i]));
	return STATUS_OK;
}

static enum status add_block(struct touched *touched, struct bytes row, enum touched_slots slots, const hash32 *owner) {
	struct block_changes changes;
	if (row.len > touched->bytes_left)
		return err_set(touched->err, STATUS_UNSUPPORTED, "the lists of what changed since are over %zu bytes",
		    TOUCHED_BYTES_MAX);
	touched->bytes_left -= row.len;
	TRY(block_changes_parse(&changes, row, touched->err));
	TRY(add_accounts(touched, &changes));
	while (slots != TOUCHED_NO_SLOTS && changes.groups_left) {
		struct changed_slots group;
		TRY(block_changes_next(&changes, &group, touched->err));
		if (slots == TOUCHED_ALL_SLOTS || hash32_equal(group.address_hash, owner))
			TRY(add_slots(touched, &group));
	}
	return STATUS_OK;
}

static enum status add_blocks(struct touched *touched, struct store_cursor *cursor, uint64_t from, uint64_t to,
    enum touched_slots slots, const hash32 *owner) {
	uint8_t key[8];
	store_be64(key, from);
	store_cursor_seek(cursor, bytes_make(key, sizeof key));
	for (uint64_t number = from; number <= to; number++, store_cursor_next(cursor)) {
		store_be64(key, number);
		if (!store_cursor_valid(cursor)) TRY(store_cursor_status(cursor, touched->err));
		if (!store_cursor_valid(cursor) || !bytes_equal(store_cursor_key(cursor), bytes_make(key, sizeof key)))
			return err_set(touched->err, STATUS_NOTFOUND, "no changes are kept of block %llu",
			    (unsigned long long)number);
		TRY(add_block(touched, store_cursor_value(cursor), slots, owner));
	}
	return STATUS_OK;
}

enum status touched_since(
    struct touched *touched, const struct state_view *view, enum touched_slots slots, const hash32 *owner) {
	if (view->is_head) return STATUS_OK;
	if (view->head_number - view->number > TOUCHED_BLOCKS_MAX)
		return err_set(touched->err, STATUS_UNSUPPORTED,
		    "over %llu blocks stand between that state and the newest", (unsigned long long)TOUCHED_BLOCKS_MAX);
	struct store_cursor *cursor = store_cursor_new(view->store, view->snapshot, TABLE_CHANGES);
	const enum status status = add_blocks(touched, cursor, view->number + 1, view->head_number, slots, owner);
	store_cursor_free(cursor);
	return status;
}

static int compare_leaves(const void *a, const void *b) {
	const struct touched_leaf *left = a, *right = b;
	const int order = memcmp(left->account.b, right->account.b, 32);
	if (order != 0) return order;
	if (left->has_slot != right->has_slot) return left->has_slot ? 1 : -1;
	return memcmp(left->slot.b, right->slot.b, 32);
}

void touched_sort(struct touched *touched) {
	if (touched->count) qsort(touched->leaves, touched->count, sizeof *touched->leaves, compare_leaves);
	mem_free(touched->table.cells);
	touched->table = (struct index_table){0};
}
