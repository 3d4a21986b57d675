/*
 * The map of the lists of looks. Nodes are rows by their hashes. What was replaced while round r was made belongs to
 * the root that was frozen before it, and goes when round r + 1 is made.
 */
#include "crypto/hash.h"
#include "crypto/merkle_map.h"
#include "health/index/look_lists_private.h"

hash32 look_lists_whole(void) {
	return sha256(BYTES_LITERAL("xinglin trail"));
}

/* --- nodes --- */

struct keeping {
	struct look_lists *lists;
	uint64_t round;
	enum status status; /* of what was put or dropped */
	struct err *err;
};

static enum status get_node(void *context, uint8_t node[MERKLE_MAP_NODE_BYTES], const hash32 *hash, struct err *err) {
	struct keeping *keeping = context;
	struct db *db = keeping->lists->db;
	sqlite3_stmt *statement;
	bool has_row;
	TRY(db_statement(db, &statement, "SELECT body FROM node WHERE hash = ?", err));
	db_bind(statement, 1, BYTES_OF(*hash));
	enum status status = db_step(db, statement, &has_row, err);
	if (status == STATUS_OK && !(has_row && db_column_fixed(statement, 0, node, MERKLE_MAP_NODE_BYTES)))
		status = err_set(err, STATUS_CORRUPT, "the map of looks lacks a node");
	db_end(statement);
	return status;
}

static void put_node(void *context, const hash32 *hash, const uint8_t node[MERKLE_MAP_NODE_BYTES]) {
	struct keeping *keeping = context;
	struct db *db = keeping->lists->db;
	sqlite3_stmt *statement;
	if (keeping->status != STATUS_OK) return;
	keeping->status = db_statement(db, &statement, "INSERT OR REPLACE INTO node VALUES(?, ?, NULL)", keeping->err);
	if (keeping->status != STATUS_OK) return;
	db_bind(statement, 1, BYTES_OF(*hash));
	db_bind(statement, 2, bytes_make(node, MERKLE_MAP_NODE_BYTES));
	keeping->status = db_finish(db, statement, keeping->err);
}

static void drop_node(void *context, const hash32 *hash) {
	struct keeping *keeping = context;
	struct db *db = keeping->lists->db;
	sqlite3_stmt *statement;
	if (keeping->status != STATUS_OK) return;
	keeping->status = db_statement(db, &statement, "UPDATE node SET dropped = ? WHERE hash = ?", keeping->err);
	if (keeping->status != STATUS_OK) return;
	sqlite3_bind_int64(statement, 1, (int64_t)keeping->round);
	db_bind(statement, 2, BYTES_OF(*hash));
	keeping->status = db_finish(db, statement, keeping->err);
}

/* --- freezing --- */

static enum status put_key(
    struct keeping *keeping, hash32 *root, const hash32 *key, const hash32 *value, struct err *err) {
	const struct merkle_map_nodes nodes = {get_node, put_node, drop_node, keeping};
	TRY(merkle_map_put(&nodes, root, key, value, err));
	return keeping->status;
}

/* The list that was looked at last and is not in the map yet; *id 0: none. */
static enum status next_fresh(struct look_lists *lists, int64_t *id, hash32 *folder, hash32 *word, struct err *err) {
	sqlite3_stmt *statement;
	bool has_row;
	*id = 0;
	TRY(db_statement(lists->db, &statement, "SELECT id, folder, state FROM list WHERE fresh = 1 LIMIT 1", err));
	const enum status status = db_step(lists->db, statement, &has_row, err);
	if (status == STATUS_OK && has_row && db_column_fixed(statement, 1, folder->b, 32) &&
	    db_column_fixed(statement, 2, word->b, 32))
		*id = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

static enum status put_fresh(struct keeping *keeping, hash32 *root, struct err *err) {
	struct look_lists *lists = keeping->lists;
	for (;;) {
		sqlite3_stmt *statement;
		hash32 folder, word;
		int64_t id;
		TRY(next_fresh(lists, &id, &folder, &word, err));
		if (!id) return STATUS_OK;
		TRY(put_key(keeping, root, &folder, &word, err));
		TRY(db_statement(lists->db, &statement, "UPDATE list SET fresh = NULL WHERE id = ?", err));
		sqlite3_bind_int64(statement, 1, id);
		TRY(db_finish(lists->db, statement, err));
	}
}

static enum status sweep(struct look_lists *lists, uint64_t round, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(lists->db, &statement, "DELETE FROM node WHERE dropped < ?", err));
	sqlite3_bind_int64(statement, 1, (int64_t)round);
	return db_finish(lists->db, statement, err);
}

static enum status freeze(struct look_lists *lists, struct look_lists_stand *stand, struct err *err) {
	struct keeping keeping = {.lists = lists, .round = stand->round, .err = err};
	struct list_state whole = {.count = stand->place.count};
	const hash32 key = look_lists_whole();
	memcpy(whole.head, stand->place.head.b, LIST_HEAD_BYTES);
	const hash32 word = list_store(&whole);
	TRY(sweep(lists, stand->round, err));
	TRY(put_fresh(&keeping, &stand->newest.root, err));
	TRY(put_key(&keeping, &stand->newest.root, &key, &word, err));
	stand->before = stand->frozen;
	stand->frozen = (struct look_lists_anchor){stand->newest.root, stand->place.count};
	stand->round++;
	return look_lists_put_stand(lists, stand, err);
}

static bool is_same(const struct look_lists_anchor *a, const struct look_lists_anchor *b) {
	return a->count == b->count && hash32_equal(&a->root, &b->root);
}

/* Lists that were made anew are frozen first where the chain's anchor is. */
static bool may_freeze(const struct look_lists_stand *stand, const struct look_lists_anchor *on_chain) {
	if (stand->place.count == stand->frozen.count) return false;
	if (stand->frozen.count < on_chain->count) return stand->place.count == on_chain->count;
	return stand->frozen.count == 0 || is_same(&stand->frozen, on_chain);
}

/* The commit is synced, since the chain will show it. */
static enum status freeze_if_due(struct look_lists *lists, const struct look_lists_anchor *on_chain, struct err *err) {
	struct look_lists_stand stand = lists->stand;
	if (!may_freeze(&stand, on_chain)) return STATUS_OK;
	TRY(db_run(lists->db, "PRAGMA synchronous=FULL", err));
	TRY(db_begin(lists->db, err));
	enum status status = freeze(lists, &stand, err);
	if (status == STATUS_OK) status = db_commit(lists->db, err);
	if (status == STATUS_OK)
		lists->stand = stand;
	else
		db_rollback(lists->db);
	if (status == STATUS_OK) status = db_run(lists->db, "PRAGMA synchronous=NORMAL", err);
	return status;
}

uint64_t look_lists_limit(struct look_lists *lists, const struct look_lists_anchor *on_chain) {
	look_lists_lock(lists);
	const uint64_t frozen = lists->stand.frozen.count;
	look_lists_unlock(lists);
	if (!on_chain) return frozen ? UINT64_MAX : 0;
	return on_chain->count > frozen ? on_chain->count : UINT64_MAX;
}

enum status look_lists_owed(struct look_lists *lists, bool *owed, struct look_lists_anchor *out,
    const struct look_lists_anchor *on_chain, struct err *err) {
	look_lists_lock(lists);
	const enum status status = freeze_if_due(lists, on_chain, err);
	*out = lists->stand.frozen;
	*owed = out->count > 0 && out->count >= on_chain->count && !is_same(out, on_chain);
	look_lists_unlock(lists);
	return status;
}

/* --- proving --- */

enum status look_lists_prove(
    struct look_lists *lists, struct buf *proof, const hash32 *root, const hash32 *folder, struct err *err) {
	struct keeping keeping = {.lists = lists};
	const struct merkle_map_nodes nodes = {.get = get_node, .context = &keeping};
	look_lists_lock(lists);
	const bool is_known = !hash32_is_zero(root) && (hash32_equal(root, &lists->stand.frozen.root) ||
							   hash32_equal(root, &lists->stand.before.root));
	const enum status status = is_known
				       ? merkle_map_prove(&nodes, proof, root, folder, err)
				       : err_set(err, STATUS_NOTFOUND, "nothing is proved under this root (any more)");
	look_lists_unlock(lists);
	return status;
}
