#include "health/index/event_queries.h"

#include "health/index/events_private.h"

static enum status get(struct db *db, struct bytes *text, bool *found, struct arena *arena, struct bytes owner,
    struct bytes name, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "SELECT text FROM query WHERE owner = ? AND name = ?", err));
	events_bind_text(statement, 1, owner);
	events_bind_text(statement, 2, name);
	enum status status = db_step(db, statement, found, err);
	if (*found && text) *text = arena_dup(arena, db_column(statement, 0));
	db_end(statement);
	return status;
}

enum status event_queries_get(struct events *events, struct bytes *text, bool *found, struct arena *arena,
    struct bytes owner, struct bytes name, struct err *err) {
	*found = false;
	events_lock(events);
	enum status status = get(events->db, text, found, arena, owner, name, err);
	events_unlock(events);
	return status;
}

static enum status count_of(struct db *db, int64_t *out, struct bytes owner, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(db, &statement, "SELECT count(*) FROM query WHERE owner = ?", err));
	events_bind_text(statement, 1, owner);
	enum status status = db_step(db, statement, &row, err);
	*out = row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static enum status put(struct db *db, struct bytes owner, const struct event_queries_entry *query, struct err *err) {
	sqlite3_stmt *statement;
	int64_t count;
	bool found = false;
	TRY(get(db, NULL, &found, NULL, owner, query->name, err));
	if (found) return err_set(err, STATUS_EXISTS, "there is a query of this name already");
	TRY(count_of(db, &count, owner, err));
	if (count >= EVENT_QUERIES_MAX)
		return err_set(
		    err, STATUS_LIMIT, "there are %u named queries, and no more are kept", EVENT_QUERIES_MAX);
	TRY(db_statement(db, &statement, "INSERT INTO query VALUES(?, ?, ?)", err));
	events_bind_text(statement, 1, owner);
	events_bind_text(statement, 2, query->name);
	db_bind(statement, 3, query->text);
	return db_finish(db, statement, err);
}

enum status event_queries_put(
    struct events *events, struct bytes owner, const struct event_queries_entry *query, struct err *err) {
	events_lock(events);
	enum status status = put(events->db, owner, query, err);
	events_unlock(events);
	return status;
}

static enum status drop(struct db *db, bool *found, struct bytes owner, struct bytes name, struct err *err) {
	sqlite3_stmt *statement;
	TRY(get(db, NULL, found, NULL, owner, name, err));
	if (!*found) return STATUS_OK;
	TRY(db_statement(db, &statement, "DELETE FROM query WHERE owner = ? AND name = ?", err));
	events_bind_text(statement, 1, owner);
	events_bind_text(statement, 2, name);
	return db_finish(db, statement, err);
}

enum status event_queries_remove(
    struct events *events, bool *found, struct bytes owner, struct bytes name, struct err *err) {
	*found = false;
	events_lock(events);
	enum status status = drop(events->db, found, owner, name, err);
	events_unlock(events);
	return status;
}

static enum status list(struct db *db, struct event_queries_entry *out, size_t *count, size_t room, bool *more,
    struct arena *arena, struct bytes owner, struct bytes after, struct err *err) {
	sqlite3_stmt *statement;
	bool row = false;
	enum status status;
	TRY(db_statement(
	    db, &statement, "SELECT name, text FROM query WHERE owner = ? AND name > ? ORDER BY name", err));
	events_bind_text(statement, 1, owner);
	events_bind_text(statement, 2, after);
	*count = 0;
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row && *count < room)
		out[(*count)++] = (struct event_queries_entry){
		    arena_dup(arena, db_column(statement, 0)), arena_dup(arena, db_column(statement, 1))};
	*more = status == STATUS_OK && row;
	db_end(statement);
	return status;
}

enum status event_queries_list(struct events *events, struct event_queries_entry *out, size_t *count, size_t room,
    bool *more, struct arena *arena, struct bytes owner, struct bytes after, struct err *err) {
	events_lock(events);
	enum status status = list(events->db, out, count, room, more, arena, owner, after, err);
	events_unlock(events);
	return status;
}
