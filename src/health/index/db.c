#include "health/index/db.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/hash.h"

#define STATEMENTS_MAX 48u
#define BUSY_WAIT_MS 10000
#define PATH_BYTES 4200u

struct db {
	sqlite3 *handle;
	bool is_damaged;
	struct {
		const char *sql;
		sqlite3_stmt *handle;
	} statements[STATEMENTS_MAX];
	size_t statement_count;
};

static enum status fail(struct db *db, int code, struct err *err) {
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		db->is_damaged = true;
		return err_set(
		    err, STATUS_CORRUPT, "the index of this home is damaged, or is another home's: %s", text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return err_set(err, STATUS_BUSY, "another program changes the index of this home");
	case SQLITE_FULL: return err_set(err, STATUS_IO, "the disk is full: the index of this home cannot grow");
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM: return err_set(err, STATUS_IO, "the index of this home cannot be used: %s", text);
	default: return err_set(err, STATUS_INTERNAL, "the index of this home: %s", text);
	}
}

enum status db_run(struct db *db, const char *sql, struct err *err) {
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? STATUS_OK : fail(db, code, err);
}

/* SQLite would make the file readable to others. What this program does not make it does not remove either. */
static enum status make_file(const char *path, struct err *err) {
	struct stat info;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	bool is_other = fd < 0 ? errno == EISDIR || errno == ELOOP || errno == ENXIO
			       : fstat(fd, &info) != 0 || !S_ISREG(info.st_mode);
	int code = errno;
	if (fd >= 0) close(fd);
	if (is_other)
		return err_set(err, STATUS_IO,
		    "%s is a folder, a link or a device, and not the index that this home keeps: remove it, and it is made anew",
		    path);
	return fd >= 0 ? STATUS_OK
		       : err_set(err, STATUS_IO, "cannot open the index of this home, %s: %s", path, strerror(code));
}

static enum status set_key(struct db *db, const uint8_t key[32], struct err *err) {
	uint8_t raw[4 + 32] = "raw:"; /* the key itself, no password to derive one from */
	memcpy(raw + 4, key, 32);
	int code = sqlite3_key(db->handle, raw, sizeof raw);
	mem_wipe(raw, sizeof raw);
	return code == SQLITE_OK ? STATUS_OK : fail(db, code, err);
}

static enum status set_up(struct db *db, const uint8_t key[32], struct err *err) {
	int64_t schema;
	sqlite3_busy_timeout(db->handle, BUSY_WAIT_MS);
	TRY(set_key(db, key, err));
	TRY(db_number(db, &schema, "SELECT count(*) FROM sqlite_master", err)); /* the key fits */
	return db_run(db,
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000; PRAGMA mmap_size=0;"
	    "PRAGMA journal_size_limit=4194304; PRAGMA cell_size_check=ON",
	    err);
}

/* --- memory: the program's own, which overwrites what is given back if it was told to (base/mem.h) --- */

static void *memory_take(int size) {
	return mem_alloc((size_t)size);
}

static void *memory_resize(void *old, int size) {
	return mem_realloc(old, (size_t)size);
}

static int memory_size(void *pointer) {
	return pointer ? (int)malloc_usable_size(pointer) : 0;
}

static int memory_round(int size) {
	return (size + 7) & ~7;
}

static int memory_begin(void *context) {
	(void)context;
	return SQLITE_OK;
}

static void memory_end(void *context) {
	(void)context;
}

/* Before the first connection; later it has no effect. */
static void use_own_memory(void) {
	static const sqlite3_mem_methods methods = {.xMalloc = memory_take,
	    .xFree = mem_free,
	    .xRealloc = memory_resize,
	    .xSize = memory_size,
	    .xRoundup = memory_round,
	    .xInit = memory_begin,
	    .xShutdown = memory_end};
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* small pieces that SQLite would not give back */
}

enum status db_open(struct db **out, const char *path, const uint8_t key[32], struct err *err) {
	TRY(make_file(path, err));
	use_own_memory();
	struct db *db = mem_zalloc(1, sizeof *db);
	int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	enum status status = code == SQLITE_OK ? set_up(db, key, err) : fail(db, code, err);
	if (status != STATUS_OK) {
		db_close(db);
		return status;
	}
	*out = db;
	return STATUS_OK;
}

/* *ours false: it is of another version. */
static enum status open_form(
    struct db **out, bool *ours, const char *path, const uint8_t key[32], const struct db_form *form, struct err *err) {
	char text[40];
	int64_t version = 0;
	TRY(db_open(out, path, key, err));
	TRY(db_run(*out, form->settings, err));
	TRY(db_begin(*out, err));
	enum status status = db_number(*out, &version, "PRAGMA user_version", err);
	*ours = version == 0 || version == form->version;
	snprintf(text, sizeof text, "PRAGMA user_version=%d", form->version);
	if (status == STATUS_OK && version == 0) status = db_run(*out, form->schema, err);
	if (status == STATUS_OK && version == 0) status = db_run(*out, text, err);
	if (status == STATUS_OK) return db_commit(*out, err);
	db_rollback(*out);
	return status;
}

enum status db_open_or_make(
    struct db **out, const char *path, const uint8_t key[32], const struct db_form *form, struct err *err) {
	bool ours = true;
	enum status status = open_form(out, &ours, path, key, form, err);
	if (status != STATUS_CORRUPT && ours) return status;
	return db_make_anew(out, path, key, form, err);
}

enum status db_make_anew(
    struct db **out, const char *path, const uint8_t key[32], const struct db_form *form, struct err *err) {
	bool ours;
	log_warn(
	    "index", "%s is damaged, or of another key or version: it is made anew from %s", form->what, form->source);
	db_close(*out);
	*out = NULL;
	db_remove(path);
	return open_form(out, &ours, path, key, form, err);
}

void db_key(uint8_t key[32], const uint8_t entropy[32], const char *purpose) {
	hkdf_sha256(key, 32, (struct bytes){NULL, 0}, bytes_make(entropy, 32), bytes_text(purpose));
}

void db_close(struct db *db) {
	if (!db) return;
	for (size_t i = 0; i < db->statement_count; i++) sqlite3_finalize(db->statements[i].handle);
	sqlite3_close(db->handle);
	mem_free(db);
}

void db_remove(const char *path) {
	static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
	char name[PATH_BYTES];
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		if ((size_t)snprintf(name, sizeof name, "%s%s", path, beside[i]) < sizeof name) unlink(name);
}

bool db_is_damaged(const struct db *db) {
	return db && db->is_damaged;
}

/* --- statements --- */

enum status db_statement(struct db *db, sqlite3_stmt **out, const char *sql, struct err *err) {
	for (size_t i = 0; i < db->statement_count; i++)
		if (db->statements[i].sql == sql) {
			*out = db->statements[i].handle;
			return STATUS_OK;
		}
	BUG_ON(db->statement_count == STATEMENTS_MAX);
	int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	if (code != SQLITE_OK) return fail(db, code, err);
	db->statements[db->statement_count].sql = sql;
	db->statements[db->statement_count++].handle = *out;
	return STATUS_OK;
}

enum status db_step(struct db *db, sqlite3_stmt *statement, bool *row, struct err *err) {
	int code = sqlite3_step(statement);
	*row = code == SQLITE_ROW;
	return *row || code == SQLITE_DONE ? STATUS_OK : fail(db, code, err);
}

void db_end(sqlite3_stmt *statement) {
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

enum status db_finish(struct db *db, sqlite3_stmt *statement, struct err *err) {
	bool row;
	enum status status = db_step(db, statement, &row, err);
	db_end(statement);
	return status;
}

enum status db_number(struct db *db, int64_t *out, const char *sql, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	*out = 0;
	TRY(db_statement(db, &statement, sql, err));
	enum status status = db_step(db, statement, &row, err);
	if (status == STATUS_OK && row) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

enum status db_begin(struct db *db, struct err *err) {
	return db_run(db, "BEGIN IMMEDIATE", err);
}

enum status db_commit(struct db *db, struct err *err) {
	enum status status = db_run(db, "COMMIT", err);
	if (status != STATUS_OK) db_rollback(db);
	return status;
}

void db_rollback(struct db *db) {
	if (!sqlite3_get_autocommit(db->handle)) sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void db_end_all(struct db *db) {
	for (size_t i = 0; i < db->statement_count; i++) db_end(db->statements[i].handle);
}

/* --- values --- */

void db_bind(sqlite3_stmt *statement, int place, struct bytes blob) {
	static const uint8_t none;
	sqlite3_bind_blob64(statement, place, blob.data ? blob.data : &none, blob.len, SQLITE_TRANSIENT);
}

void db_bind_text(sqlite3_stmt *statement, int place, const char *text) {
	sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

struct bytes db_column(sqlite3_stmt *statement, int place) {
	const void *data = sqlite3_column_blob(statement, place);
	return bytes_make(data, (size_t)sqlite3_column_bytes(statement, place));
}

bool db_column_fixed(sqlite3_stmt *statement, int place, uint8_t *out, size_t len) {
	struct bytes blob = db_column(statement, place);
	if (blob.len == len) memcpy(out, blob.data, len);
	return blob.len == len;
}
