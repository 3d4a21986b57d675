/*
 * The map of the audit log: list → (count, head), as a sparse Merkle map whose nodes are rows of TABLE_BLOB.
 *
 *	"s" hash 32            → round u64, node 65: made in that round
 *	"x" round u64, hash 32 → empty: a node of an earlier round that was replaced in this one
 *	"A"                    → where file and map stand
 *
 * The map follows from the entries alone: the root after the first N entries is the same whenever it is made. A node is
 * named by its hash, so older roots stay whole while the map grows. A node that was made and replaced in one round is
 * deleted at once; those of earlier rounds stay until two newer roots were frozen.
 */
#include "crypto/merkle_map.h"
#include "ledger/blob/blob_audit.h"

#define NODE_KEY_BYTES (1 + 32)
#define NODE_ROW_BYTES (8 + MERKLE_MAP_NODE_BYTES)
#define OLD_KEY_BYTES (1 + 8 + 32)
#define END_BYTES (3 * 8 + 32 + 2 * 40)
#define SWEPT_AT_ONCE 4096u

struct node_key {
	uint8_t b[NODE_KEY_BYTES];
};

static struct node_key node_key_of(const hash32 *hash) {
	struct node_key key = {{'s'}};
	memcpy(key.b + 1, hash->b, 32);
	return key;
}

/* --- nodes in the table --- */

struct keeping {
	struct blob_room *room;
	struct store_snapshot *snapshot; /* NULL: the newest rows */
	struct store_batch *batch;       /* NULL: nothing is put */
	uint64_t round;
	size_t count; /* of the walk's nodes, and in which round each was made */
	struct {
		hash32 hash;
		uint64_t round;
	} got[MERKLE_MAP_DEPTH_MAX + 1];
};

static enum status get_node(void *context, uint8_t node[MERKLE_MAP_NODE_BYTES], const hash32 *hash, struct err *err) {
	struct keeping *keeping = context;
	const struct node_key key = node_key_of(hash);
	struct store_value row;
	TRY(store_get(keeping->room->store, keeping->snapshot, TABLE_BLOB, &row, BYTES_OF(key), err));
	const bool is_there = row.view.len == NODE_ROW_BYTES && keeping->count <= MERKLE_MAP_DEPTH_MAX;
	if (is_there) {
		memcpy(node, row.view.data + 8, MERKLE_MAP_NODE_BYTES);
		keeping->got[keeping->count].hash = *hash;
		keeping->got[keeping->count++].round = load_be64(row.view.data);
	}
	store_value_release(&row);
	return is_there ? STATUS_OK : err_set(err, STATUS_CORRUPT, "the audit log's map lacks a node");
}

static void put_node(void *context, const hash32 *hash, const uint8_t node[MERKLE_MAP_NODE_BYTES]) {
	struct keeping *keeping = context;
	const struct node_key key = node_key_of(hash);
	uint8_t row[NODE_ROW_BYTES];
	store_be64(row, keeping->round);
	memcpy(row + 8, node, MERKLE_MAP_NODE_BYTES);
	store_batch_put(keeping->batch, keeping->room->store, TABLE_BLOB, BYTES_OF(key), bytes_make(row, sizeof row));
}

static void drop_node(void *context, const hash32 *hash) {
	struct keeping *keeping = context;
	size_t i = 0;
	while (i < keeping->count && !hash32_equal(&keeping->got[i].hash, hash)) i++;
	BUG_ON(i == keeping->count);
	if (keeping->got[i].round == keeping->round) {
		const struct node_key key = node_key_of(hash);
		store_batch_del(keeping->batch, keeping->room->store, TABLE_BLOB, BYTES_OF(key));
		return;
	}
	uint8_t old[OLD_KEY_BYTES] = {'x'};
	store_be64(old + 1, keeping->round);
	memcpy(old + 9, hash->b, 32);
	store_batch_put(
	    keeping->batch, keeping->room->store, TABLE_BLOB, bytes_make(old, sizeof old), BYTES_LITERAL(""));
}

enum status blob_audit_map_put(struct blob_room *room, struct store_batch *batch, hash32 *root, const hash32 *list,
    const struct list_state *state, struct err *err) {
	struct keeping keeping = {.room = room, .batch = batch, .round = room->audit->round};
	const struct merkle_map_nodes nodes = {get_node, put_node, drop_node, &keeping};
	const hash32 value = list_store(state);
	*root = room->audit->root;
	return merkle_map_put(&nodes, root, list, &value, err);
}

/* --- where it stands --- */

static void put_anchor(uint8_t out[40], const struct blob_anchor *anchor) {
	memcpy(out, anchor->root.b, 32);
	store_be64(out + 32, anchor->count);
}

static struct blob_anchor get_anchor(const uint8_t row[40]) {
	struct blob_anchor anchor = {.count = load_be64(row + 32)};
	memcpy(anchor.root.b, row, 32);
	return anchor;
}

void blob_audit_put_end(struct store_batch *batch, struct blob_room *room, const struct blob_audit *audit) {
	uint8_t row[END_BYTES];
	store_be64(row, audit->end);
	store_be64(row + 8, audit->count);
	store_be64(row + 16, audit->round);
	memcpy(row + 24, audit->root.b, 32);
	put_anchor(row + 56, &audit->frozen);
	put_anchor(row + 96, &audit->before);
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("A"), bytes_make(row, sizeof row));
}

enum status blob_audit_get_end(struct blob_room *room, struct blob_audit *audit, struct err *err) {
	struct store_value row;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &row, BYTES_LITERAL("A"), err));
	if (row.view.len == END_BYTES) {
		audit->end = load_be64(row.view.data);
		audit->count = load_be64(row.view.data + 8);
		audit->round = load_be64(row.view.data + 16);
		memcpy(audit->root.b, row.view.data + 24, 32);
		audit->frozen = get_anchor(row.view.data + 56);
		audit->before = get_anchor(row.view.data + 96);
	}
	store_value_release(&row);
	return STATUS_OK;
}

/* --- anchoring --- */

void blob_audit_map_freeze(struct blob_audit *audit) {
	audit->before = audit->frozen;
	audit->frozen = (struct blob_anchor){audit->root, audit->count};
	audit->round++;
}

static bool same_anchor(const struct blob_anchor *a, const struct blob_anchor *b) {
	return a->count == b->count && hash32_equal(&a->root, &b->root);
}

/* A root is frozen only once the one before it is on the chain: so what the chain shows can be proved under. */
static enum status freeze_locked(struct blob_room *room, const struct blob_anchor *on_chain, struct err *err) {
	struct blob_audit *audit = room->audit;
	const bool may = audit->frozen.count == 0 || same_anchor(&audit->frozen, on_chain);
	if (!may || audit->count == audit->frozen.count) return STATUS_OK;
	struct blob_audit next = *audit;
	blob_audit_map_freeze(&next);
	struct store_batch *batch = store_batch_new();
	blob_audit_put_end(batch, room, &next);
	const enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	if (status == STATUS_OK) *audit = next;
	return status;
}

enum status blob_audit_owed(struct blob_room *room, bool *owed, struct blob_anchor *anchor,
    const struct blob_anchor *on_chain, struct err *err) {
	pthread_mutex_lock(&room->audit_lock);
	const enum status status = freeze_locked(room, on_chain, err);
	*anchor = room->audit->frozen;
	*owed = anchor->count > 0 && !same_anchor(anchor, on_chain);
	pthread_mutex_unlock(&room->audit_lock);
	return status;
}

/* Some of what was replaced in the rounds from `first` to `last`; *more: there may be others. */
static enum status sweep_some(struct blob_room *room, bool *more, uint64_t first, uint64_t last, struct err *err) {
	uint8_t from[9] = {'x'};
	struct store_batch *batch = store_batch_new();
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	size_t count = 0;
	store_be64(from + 1, first); /* a walk over what was deleted earlier would take longer each time */
	store_cursor_seek(cursor, bytes_make(from, sizeof from));
	for (; store_cursor_valid(cursor) && count < SWEPT_AT_ONCE; store_cursor_next(cursor), count++) {
		const struct bytes old = store_cursor_key(cursor);
		if (old.len != OLD_KEY_BYTES || old.data[0] != 'x' || load_be64(old.data + 1) > last) break;
		struct node_key key = {{'s'}};
		memcpy(key.b + 1, old.data + 9, 32);
		store_batch_del(batch, room->store, TABLE_BLOB, BYTES_OF(key));
		store_batch_del(batch, room->store, TABLE_BLOB, old);
	}
	enum status status = store_cursor_status(cursor, err);
	if (status == STATUS_OK && count > 0) status = store_commit(room->store, batch, false, err);
	*more = count == SWEPT_AT_ONCE;
	store_cursor_free(cursor);
	store_batch_free(batch);
	return status;
}

/* The frozen root was frozen at the end of round r - 1, the one before at the end of r - 2: what was replaced in round
 * r - 2 or earlier belongs to roots before both. */
enum status blob_audit_sweep(struct blob_room *room, struct err *err) {
	pthread_mutex_lock(&room->audit_lock);
	const uint64_t round = room->audit->round, first = room->audit->swept;
	pthread_mutex_unlock(&room->audit_lock);
	bool more = round >= 2 && round - 2 >= first;
	if (!more) return STATUS_OK;
	while (more) TRY(sweep_some(room, &more, first, round - 2, err));
	pthread_mutex_lock(&room->audit_lock);
	if (room->audit->round >= round) room->audit->swept = round - 1; /* it was not made anew meanwhile */
	pthread_mutex_unlock(&room->audit_lock);
	return STATUS_OK;
}

/* --- proving --- */

enum status blob_audit_prove(
    struct blob_room *room, struct buf *proof, const hash32 *root, const hash32 *list, struct err *err) {
	pthread_mutex_lock(&room->audit_lock);
	const struct blob_audit *audit = room->audit;
	const bool is_known = !hash32_is_zero(root) &&
			      (hash32_equal(root, &audit->frozen.root) || hash32_equal(root, &audit->before.root));
	struct store_snapshot *snapshot = is_known ? store_snapshot_new(room->store) : NULL;
	pthread_mutex_unlock(&room->audit_lock);
	if (!is_known) return err_set(err, STATUS_NOTFOUND, "the node proves nothing under this root (any more)");
	struct keeping keeping = {.room = room, .snapshot = snapshot};
	const struct merkle_map_nodes nodes = {.get = get_node, .context = &keeping};
	const enum status status = merkle_map_prove(&nodes, proof, root, list, err);
	store_snapshot_free(room->store, snapshot);
	return status;
}
