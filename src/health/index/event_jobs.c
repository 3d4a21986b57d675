#include "health/index/event_jobs.h"

#include "health/index/events_private.h"

#define COLUMNS "name, asker, proceeds, created, finished, success, errors"

static void read_job(struct event_job *out, struct arena *arena, sqlite3_stmt *statement) {
	const struct bytes name = db_column(statement, 0);
	*out = (struct event_job){.asker = arena_dup(arena, db_column(statement, 1)),
	    .proceeds = sqlite3_column_int(statement, 2) != 0,
	    .created_ms = sqlite3_column_int64(statement, 3),
	    .finished_ms = sqlite3_column_int64(statement, 4),
	    .success = sqlite3_column_int(statement, 5) != 0,
	    .errors = arena_dup(arena, db_column(statement, 6))};
	memcpy(out->name, name.data, name.len < sizeof out->name ? name.len : sizeof out->name - 1);
}

static enum status add(struct db *db, struct arena *arena, const struct event_job *job, struct err *err) {
	sqlite3_stmt *statement;
	int64_t waiting;
	TRY(db_number(db, &waiting, "SELECT count(*) FROM job WHERE finished = 0", err));
	if (waiting >= EVENT_JOBS_WAITING_MAX)
		return err_set(err, STATUS_BUSY, "%u documents wait to be captured already", EVENT_JOBS_WAITING_MAX);
	TRY(db_statement(db, &statement,
	    "INSERT INTO job(name, asker, proceeds, created, finished, success, errors, body)"
	    " VALUES(?, ?, ?, ?, 0, 1, x'', ?)",
	    err));
	db_bind(statement, 1, bytes_text(job->name));
	events_bind_text(statement, 2, job->asker);
	sqlite3_bind_int(statement, 3, job->proceeds);
	sqlite3_bind_int64(statement, 4, job->created_ms);
	db_bind(statement, 5, events_pack(arena, job->body));
	return db_finish(db, statement, err);
}

enum status event_jobs_add(struct events *events, const struct event_job *job, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	events_lock(events);
	enum status status = add(events->db, &arena, job, err);
	events_unlock(events);
	arena_fini(&arena);
	return status;
}

static enum status next(struct db *db, struct event_job *out, bool *found, struct arena *arena, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(
	    db, &statement, "SELECT " COLUMNS ", body FROM job WHERE finished = 0 ORDER BY id LIMIT 1", err));
	enum status status = db_step(db, statement, found, err);
	if (*found) {
		read_job(out, arena, statement);
		status = events_unpack(&out->body, arena, db_column(statement, 7), err);
	}
	db_end(statement);
	return status;
}

enum status event_jobs_next(
    struct events *events, struct event_job *out, bool *found, struct arena *arena, struct err *err) {
	*found = false;
	events_lock(events);
	enum status status = next(events->db, out, found, arena, err);
	events_unlock(events);
	return status;
}

static enum status end(struct db *db, const struct event_job *job, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(
	    db, &statement, "UPDATE job SET finished = ?, success = ?, errors = ?, body = x'' WHERE name = ?", err));
	sqlite3_bind_int64(statement, 1, job->finished_ms);
	sqlite3_bind_int(statement, 2, job->success);
	events_bind_text(statement, 3, job->errors);
	db_bind(statement, 4, bytes_text(job->name));
	return db_finish(db, statement, err);
}

enum status event_jobs_end(struct events *events, const struct event_job *job, struct err *err) {
	events_lock(events);
	enum status status = end(events->db, job, err);
	events_unlock(events);
	return status;
}

static enum status find(struct db *db, struct event_job *out, bool *found, struct arena *arena, struct bytes name,
    struct bytes asker, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "SELECT " COLUMNS " FROM job WHERE name = ? AND asker = ?", err));
	events_bind_text(statement, 1, name);
	events_bind_text(statement, 2, asker);
	enum status status = db_step(db, statement, found, err);
	if (*found) read_job(out, arena, statement);
	db_end(statement);
	return status;
}

enum status event_jobs_find(struct events *events, struct event_job *out, bool *found, struct arena *arena,
    struct bytes name, struct bytes asker, struct err *err) {
	*found = false;
	events_lock(events);
	enum status status = find(events->db, out, found, arena, name, asker, err);
	events_unlock(events);
	return status;
}

static enum status list(struct db *db, struct event_job *out, size_t *count, size_t room, int64_t *after,
    struct arena *arena, struct bytes asker, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	enum status status;
	int64_t last = 0;
	TRY(db_statement(db, &statement,
	    "SELECT " COLUMNS ", id FROM job WHERE asker = ?1 AND (?2 = 0 OR id < ?2) ORDER BY id DESC", err));
	events_bind_text(statement, 1, asker);
	sqlite3_bind_int64(statement, 2, *after);
	*count = 0;
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row && *count < room) {
		read_job(&out[(*count)++], arena, statement);
		last = sqlite3_column_int64(statement, 7);
	}
	*after = status == STATUS_OK && row ? last : 0;
	db_end(statement);
	return status;
}

enum status event_jobs_list(struct events *events, struct event_job *out, size_t *count, size_t room, int64_t *after,
    struct arena *arena, struct bytes asker, struct err *err) {
	events_lock(events);
	enum status status = list(events->db, out, count, room, after, arena, asker, err);
	events_unlock(events);
	return status;
}
