#include "ledger/state/changes.h"

static enum status malformed(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "a block's list of changes is malformed");
}

/* A count, and as many hashes behind it. */
static bool take_hashes(struct bytes *rest, const hash32 **out, uint32_t *count) {
	if (rest->len < 4) return false;
	*count = load_be32(rest->data);
	if (*count > (rest->len - 4) / 32) return false;
	*out = (const hash32 *)(rest->data + 4);
	size_t used = 4 + 32 * (size_t)*count;
	*rest = bytes_make(rest->data + used, rest->len - used);
	return true;
}

enum status block_changes_parse(struct block_changes *out, struct bytes row, struct err *err) {
	*out = (struct block_changes){.rest = row};
	if (!take_hashes(&out->rest, &out->accounts, &out->account_count) || out->rest.len < 4) return malformed(err);
	out->groups_left = load_be32(out->rest.data);
	out->rest = bytes_make(out->rest.data + 4, out->rest.len - 4);
	return out->groups_left || !out->rest.len ? STATUS_OK : malformed(err);
}

enum status block_changes_next(struct block_changes *changes, struct changed_slots *out, struct err *err) {
	BUG_ON(changes->groups_left == 0);
	if (changes->rest.len < 32) return malformed(err);
	out->address_hash = (const hash32 *)changes->rest.data;
	changes->rest = bytes_make(changes->rest.data + 32, changes->rest.len - 32);
	if (!take_hashes(&changes->rest, &out->slots, &out->count)) return malformed(err);
	changes->groups_left--;
	return changes->groups_left || !changes->rest.len ? STATUS_OK : malformed(err);
}
