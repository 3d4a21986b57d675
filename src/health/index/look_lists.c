/* The file of looks: lists, lines, and where they stand. The map is look_map.c's. */
#include "health/index/look_lists.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "health/index/look_lists_private.h"

#define SCHEMA_VERSION 1

static const char schema[] =
    "CREATE TABLE list(id INTEGER PRIMARY KEY, folder BLOB NOT NULL UNIQUE, state BLOB NOT NULL, fresh INTEGER);"
    "CREATE INDEX list_fresh ON list(fresh) WHERE fresh = 1;"
    "CREATE TABLE line(list INTEGER, n INTEGER, time INTEGER NOT NULL, before BLOB NOT NULL, text BLOB NOT NULL,"
    " PRIMARY KEY(list, n)) WITHOUT ROWID;"
    "CREATE TABLE node(hash BLOB PRIMARY KEY, body BLOB NOT NULL, dropped INTEGER) WITHOUT ROWID;"
    "CREATE INDEX node_dropped ON node(dropped) WHERE dropped IS NOT NULL;"
    "CREATE TABLE stand(id INTEGER PRIMARY KEY, body BLOB NOT NULL)";

void look_lists_lock(struct look_lists *lists) {
	if (lists->monitor) lists->threads->lock(lists->monitor);
}

void look_lists_unlock(struct look_lists *lists) {
	if (lists->monitor) lists->threads->unlock(lists->monitor);
}

/* --- where they stand: one row --- */

#define STAND_BYTES (4 + 8 + 8 + 32 + 8 + 3 * 40)

static uint8_t *put_anchor(uint8_t *at, const struct look_lists_anchor *anchor) {
	memcpy(at, anchor->root.b, 32);
	store_be64(at + 32, anchor->count);
	return at + 40;
}

static const uint8_t *get_anchor(struct look_lists_anchor *out, const uint8_t *at) {
	memcpy(out->root.b, at, 32);
	out->count = load_be64(at + 32);
	return at + 40;
}

enum status look_lists_put_stand(struct look_lists *lists, const struct look_lists_stand *stand, struct err *err) {
	uint8_t row[STAND_BYTES];
	sqlite3_stmt *statement;
	store_be32(row, stand->place.file);
	store_be64(row + 4, stand->place.offset);
	store_be64(row + 12, stand->place.count);
	memcpy(row + 20, stand->place.head.b, 32);
	store_be64(row + 52, stand->round);
	put_anchor(put_anchor(put_anchor(row + 60, &stand->newest), &stand->frozen), &stand->before);
	TRY(db_statement(lists->db, &statement, "INSERT OR REPLACE INTO stand VALUES(1, ?)", err));
	db_bind(statement, 1, bytes_make(row, sizeof row));
	return db_finish(lists->db, statement, err);
}

static enum status get_stand(struct look_lists *lists, struct err *err) {
	uint8_t row[STAND_BYTES];
	struct look_lists_stand *stand = &lists->stand;
	sqlite3_stmt *statement;
	bool has_row;
	*stand = (struct look_lists_stand){.round = 1};
	TRY(db_statement(lists->db, &statement, "SELECT body FROM stand WHERE id = 1", err));
	const enum status status = db_step(lists->db, statement, &has_row, err);
	const bool is_whole = status == STATUS_OK && has_row && db_column_fixed(statement, 0, row, sizeof row);
	db_end(statement);
	if (!is_whole) return status;
	stand->place.file = load_be32(row);
	stand->place.offset = load_be64(row + 4);
	stand->place.count = load_be64(row + 12);
	memcpy(stand->place.head.b, row + 20, 32);
	stand->round = load_be64(row + 52);
	get_anchor(&stand->before, get_anchor(&stand->frozen, get_anchor(&stand->newest, row + 60)));
	return STATUS_OK;
}

struct look_lists_place look_lists_place(struct look_lists *lists) {
	look_lists_lock(lists);
	const struct look_lists_place place = lists->stand.place;
	look_lists_unlock(lists);
	return place;
}

/* --- opening --- */

static const struct db_form form = {
    .what = "the file of looks", .source = "the trail", .settings = "", .schema = schema, .version = SCHEMA_VERSION};

static enum status open_file(struct look_lists *lists, const struct home *home, struct err *err) {
	uint8_t key[32];
	db_key(key, home->entropy, "xinglin looks 1");
	enum status status = db_open_or_make(&lists->db, lists->path, key, &form, err);
	if (status == STATUS_OK) status = get_stand(lists, err);
	if (status == STATUS_CORRUPT) {
		status = db_make_anew(&lists->db, lists->path, key, &form, err);
		if (status == STATUS_OK) status = get_stand(lists, err);
	}
	mem_wipe(key, sizeof key);
	return status;
}

enum status look_lists_open(
    struct look_lists **out, const struct home *home, const struct threads *threads, struct err *err) {
	struct look_lists *lists = mem_zalloc(1, sizeof *lists);
	struct buf path;
	buf_init(&path, FILENAME_MAX);
	buf_printf(&path, "%s/looks.db", home->directory);
	lists->path = mem_strdup(buf_cstr(&path));
	buf_fini(&path);
	lists->threads = threads;
	if (threads) lists->monitor = threads->monitor_new(threads->context);
	const enum status status = open_file(lists, home, err);
	if (status == STATUS_OK)
		*out = lists;
	else
		look_lists_close(lists);
	return status;
}

void look_lists_close(struct look_lists *lists) {
	if (!lists) return;
	db_close(lists->db);
	if (lists->monitor) lists->threads->monitor_free(lists->monitor);
	mem_free(lists->path);
	mem_free(lists);
}

/* --- lists and lines --- */

/* *id 0: the folder has none. */
static enum status find_list(
    struct look_lists *lists, int64_t *id, struct list_state *state, const hash32 *folder, struct err *err) {
	sqlite3_stmt *statement;
	hash32 word;
	bool has_row;
	*id = 0;
	*state = (struct list_state){.count = 0};
	TRY(db_statement(lists->db, &statement, "SELECT id, state FROM list WHERE folder = ?", err));
	db_bind(statement, 1, BYTES_OF(*folder));
	const enum status status = db_step(lists->db, statement, &has_row, err);
	if (status == STATUS_OK && has_row && db_column_fixed(statement, 1, word.b, 32)) {
		*id = sqlite3_column_int64(statement, 0);
		*state = list_load(&word);
	}
	db_end(statement);
	return status;
}

static enum status put_list(
    struct look_lists *lists, int64_t id, const struct list_state *state, const hash32 *folder, struct err *err) {
	const hash32 word = list_store(state);
	sqlite3_stmt *statement;
	const char *sql = id ? "UPDATE list SET state = ?, fresh = 1 WHERE folder = ?"
			     : "INSERT INTO list(state, folder, fresh) VALUES(?, ?, 1)";
	TRY(db_statement(lists->db, &statement, sql, err));
	db_bind(statement, 1, BYTES_OF(word));
	db_bind(statement, 2, BYTES_OF(*folder));
	return db_finish(lists->db, statement, err);
}

static enum status add_line(struct look_lists *lists, const struct look_lists_line *line, struct err *err) {
	const hash32 entry = keccak256(line->text);
	struct list_state state;
	sqlite3_stmt *statement;
	int64_t id;
	TRY(find_list(lists, &id, &state, &line->folder, err));
	const struct list_state before = state;
	list_append(&state, line->time_s, &entry);
	TRY(put_list(lists, id, &state, &line->folder, err));
	if (!id) TRY(find_list(lists, &id, &state, &line->folder, err));
	TRY(db_statement(lists->db, &statement, "INSERT INTO line VALUES(?, ?, ?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, (int64_t)state.count);
	sqlite3_bind_int64(statement, 3, (int64_t)line->time_s);
	db_bind(statement, 4, bytes_make(before.head, LIST_HEAD_BYTES));
	db_bind(statement, 5, line->text);
	return db_finish(lists->db, statement, err);
}

static enum status add_all(struct look_lists *lists, const struct look_lists_line *lines, size_t count,
    const struct look_lists_stand *stand, struct err *err) {
	for (size_t i = 0; i < count; i++) TRY(add_line(lists, &lines[i], err));
	return look_lists_put_stand(lists, stand, err);
}

enum status look_lists_add(struct look_lists *lists, const struct look_lists_line *lines, size_t count,
    const struct look_lists_place *place, struct err *err) {
	look_lists_lock(lists);
	struct look_lists_stand stand = lists->stand;
	stand.place = *place;
	enum status status = db_begin(lists->db, err);
	if (status == STATUS_OK) {
		status = add_all(lists, lines, count, &stand, err);
		if (status == STATUS_OK) status = db_commit(lists->db, err);
		if (status == STATUS_OK)
			lists->stand = stand;
		else
			db_rollback(lists->db);
	}
	look_lists_unlock(lists);
	return status;
}

enum status look_lists_reset(struct look_lists *lists, struct err *err) {
	look_lists_lock(lists);
	enum status status = db_begin(lists->db, err);
	if (status == STATUS_OK) {
		status =
		    db_run(lists->db, "DELETE FROM list; DELETE FROM line; DELETE FROM node; DELETE FROM stand", err);
		if (status == STATUS_OK) status = db_commit(lists->db, err);
		if (status == STATUS_OK)
			lists->stand = (struct look_lists_stand){.round = 1};
		else
			db_rollback(lists->db);
	}
	look_lists_unlock(lists);
	return status;
}

/* --- reading --- */

static enum status read_lines(struct look_lists *lists, struct look_lists_page *out, struct arena *arena,
    sqlite3_stmt *statement, size_t max, struct err *err) {
	bool has_row = true;
	out->links = arena_zalloc(arena, max, sizeof *out->links);
	out->texts = arena_zalloc(arena, max, sizeof *out->texts);
	while (out->count < max) {
		TRY(db_step(lists->db, statement, &has_row, err));
		if (!has_row) break;
		struct list_entry *link = &out->links[out->count];
		link->n = (uint64_t)sqlite3_column_int64(statement, 0);
		link->time_s = (uint64_t)sqlite3_column_int64(statement, 1);
		if (!db_column_fixed(statement, 2, link->before, LIST_HEAD_BYTES))
			return err_set(err, STATUS_CORRUPT, "a line of looks is damaged");
		out->texts[out->count] = arena_dup(arena, db_column(statement, 3));
		link->entry = keccak256(out->texts[out->count]);
		out->count++;
	}
	return STATUS_OK;
}

static enum status read_page(struct look_lists *lists, struct look_lists_page *out, struct arena *arena,
    const struct look_lists_wish *wish, struct err *err) {
	sqlite3_stmt *statement;
	int64_t id;
	TRY(find_list(lists, &id, &out->state, wish->folder, err));
	if (!id || !wish->max) return STATUS_OK;
	if (wish->rises) {
		TRY(db_statement(lists->db, &statement,
		    "SELECT n, time, before, text FROM line WHERE list = ? AND n > ? ORDER BY n", err));
	} else {
		TRY(db_statement(lists->db, &statement,
		    "SELECT n, time, before, text FROM line WHERE list = ? AND n < ? ORDER BY n DESC", err));
	}
	const uint64_t from = wish->rises || wish->before ? (wish->rises ? wish->after : wish->before) : INT64_MAX;
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, (int64_t)(from < INT64_MAX ? from : INT64_MAX));
	const enum status status = read_lines(lists, out, arena, statement, wish->max, err);
	db_end(statement);
	return status;
}

enum status look_lists_page(struct look_lists *lists, struct look_lists_page *out, struct arena *arena,
    const struct look_lists_wish *wish, struct err *err) {
	*out = (struct look_lists_page){.count = 0};
	look_lists_lock(lists);
	const enum status status = read_page(lists, out, arena, wish, err);
	look_lists_unlock(lists);
	return status;
}

static enum status read_folders(struct look_lists *lists, struct look_lists_folder *out, size_t *count, size_t max,
    sqlite3_stmt *statement, struct err *err) {
	bool has_row;
	while (*count < max) {
		hash32 word;
		struct look_lists_folder *one = &out[*count];
		TRY(db_step(lists->db, statement, &has_row, err));
		if (!has_row) break;
		one->number = sqlite3_column_int64(statement, 0);
		if (!db_column_fixed(statement, 1, one->folder.b, 32) || !db_column_fixed(statement, 2, word.b, 32))
			return err_set(err, STATUS_CORRUPT, "a list of looks is damaged");
		one->count = list_load(&word).count;
		++*count;
	}
	return STATUS_OK;
}

enum status look_lists_folders(struct look_lists *lists, struct look_lists_folder *out, size_t *count, size_t max,
    int64_t after, struct err *err) {
	sqlite3_stmt *statement;
	*count = 0;
	look_lists_lock(lists);
	enum status status =
	    db_statement(lists->db, &statement, "SELECT id, folder, state FROM list WHERE id > ? ORDER BY id", err);
	if (status == STATUS_OK) {
		sqlite3_bind_int64(statement, 1, after);
		status = read_folders(lists, out, count, max, statement, err);
		db_end(statement);
	}
	look_lists_unlock(lists);
	return status;
}
