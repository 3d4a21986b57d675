/*
 * Inside index/: one SQLite connection to an encrypted file. Only this room names sqlite3.h.
 *
 * A statement is prepared once for each text (the same literal) and belongs to the connection: bind, step, and end it
 * with db_end on every path. Threads: one owner.
 */
#ifndef HEALTH_INDEX_DB_H
#define HEALTH_INDEX_DB_H

#include <sqlite3.h>

#include "base/mem.h"

struct db;

/* Makes the file if it is not there (0600). STATUS_CORRUPT: it does not open with this key, or is damaged. */
MUST_USE enum status db_open(struct db **out, const char *path, const uint8_t key[32], struct err *err);
/* A file that follows from others, and so may be made anew. */
struct db_form {
	const char *what;     /* "the index of events" */
	const char *source;   /* what it is made anew from */
	const char *settings; /* pragmas of a connection */
	const char *schema;
	int version; /* of the schema, from 1 on */
};
/* The same of a file of this form. One that is damaged, of another key or of another version is made anew, empty, and
 * the log says so. */
MUST_USE enum status db_open_or_make(
    struct db **out, const char *path, const uint8_t key[32], const struct db_form *form, struct err *err);
/* Closes one that turned out to be damaged behind that, and makes it anew. */
MUST_USE enum status db_make_anew(
    struct db **out, const char *path, const uint8_t key[32], const struct db_form *form, struct err *err);
/* A key for one purpose, by a home's secret. Wipe it. */
void db_key(uint8_t key[32], const uint8_t entropy[32], const char *purpose);
/* NULL is allowed. */
void db_close(struct db *db);
/* Removes the file and what SQLite keeps beside it. */
void db_remove(const char *path);
/* True once a statement found the file damaged. */
bool db_is_damaged(const struct db *db);

/* Statements without values and rows. */
MUST_USE enum status db_run(struct db *db, const char *sql, struct err *err);
/* `sql` is static. */
MUST_USE enum status db_statement(struct db *db, sqlite3_stmt **out, const char *sql, struct err *err);
/* *row false: no (further) row. */
MUST_USE enum status db_step(struct db *db, sqlite3_stmt *statement, bool *row, struct err *err);
/* Steps a statement that gives no rows, and ends it. */
MUST_USE enum status db_finish(struct db *db, sqlite3_stmt *statement, struct err *err);
void db_end(sqlite3_stmt *statement);
/* Every statement: one that still stands at a row holds the state that it reads. */
void db_end_all(struct db *db);
/* Takes the write lock at once, so that what is read inside stands. Commit: everything or nothing. */
MUST_USE enum status db_begin(struct db *db, struct err *err);
MUST_USE enum status db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
/* One number, of a query without values. */
MUST_USE enum status db_number(struct db *db, int64_t *out, const char *sql, struct err *err);

void db_bind(sqlite3_stmt *statement, int place, struct bytes blob);
void db_bind_text(sqlite3_stmt *statement, int place, const char *text);
/* A blob's view, valid until the next step. */
struct bytes db_column(sqlite3_stmt *statement, int place);
/* A blob of exactly this size. False: it has another. */
bool db_column_fixed(sqlite3_stmt *statement, int place, uint8_t *out, size_t len);

#endif
