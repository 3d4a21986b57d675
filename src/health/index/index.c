/* The file: its key, its schema, and making it anew. */
#include <stdio.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "health/index/index_private.h"

#define SCHEMA_VERSION 4
#define MODULE "index"

/*
 * Rows of logs carry their block, so that a reorganisation takes them away. A log stands once, however many watches
 * saw it. `body`: topics behind the first, and data, as 32-byte words without leading zeros, each behind its length.
 */
static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE block(number INTEGER PRIMARY KEY, hash BLOB NOT NULL);"
    "CREATE TABLE watch(id INTEGER PRIMARY KEY, filter BLOB NOT NULL UNIQUE, first INTEGER NOT NULL, next INTEGER NOT "
    "NULL);"
    "CREATE TABLE kind(id INTEGER PRIMARY KEY, address BLOB NOT NULL, topic BLOB NOT NULL, UNIQUE(address, topic));"
    "CREATE TABLE log(block INTEGER, place INTEGER, kind INTEGER NOT NULL, time INTEGER NOT NULL, tx BLOB NOT NULL,"
    " topics INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(block, place)) WITHOUT ROWID;"
    "CREATE TABLE seen(watch INTEGER, block INTEGER, place INTEGER, PRIMARY KEY(watch, block, place)) WITHOUT ROWID;"
    "CREATE TABLE document(hash BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE batch(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, gtin TEXT NOT NULL, lot TEXT NOT NULL,"
    " expiry INTEGER NOT NULL, owner BLOB NOT NULL, regulator BLOB NOT NULL);"
    "CREATE TABLE part(id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, number INTEGER NOT NULL,"
    " first INTEGER NOT NULL, count INTEGER NOT NULL, root BLOB NOT NULL, UNIQUE(batch, number));"
    "CREATE INDEX batch_lot ON batch(gtin, lot);"
    "CREATE TABLE container(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, code TEXT NOT NULL,"
    " opener BLOB NOT NULL, salt BLOB NOT NULL);"
    "CREATE INDEX container_code ON container(code);"
    "CREATE TABLE unit(id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, part INTEGER NOT NULL,"
    " place INTEGER NOT NULL, serial TEXT NOT NULL,"
    " tag BLOB NOT NULL, path BLOB NOT NULL, UNIQUE(batch, place));"
    "CREATE INDEX unit_serial ON unit(serial);"
    "CREATE TABLE packed(container INTEGER, unit INTEGER, PRIMARY KEY(container, unit)) WITHOUT ROWID;"
    "CREATE INDEX packed_unit ON packed(unit);"
    "INSERT INTO meta VALUES('generation', 0)";

struct index *index_new(const struct home *home, const struct threads *threads) {
	struct index *index = mem_zalloc(1, sizeof *index);
	struct buf path;
	buf_init(&path, FILENAME_MAX);
	buf_printf(&path, "%s/index.db", home->directory);
	index->home = home;
	index->threads = threads;
	if (threads) index->monitor = threads->monitor_new(threads->context);
	index->path = mem_strdup(buf_cstr(&path));
	buf_fini(&path);
	return index;
}

void index_show_progress(struct index *index, const struct progress *progress) {
	index->progress = progress;
}

void index_free(struct index *index) {
	if (!index) return;
	(void)index_gave_up(index); /* damage that the last question found */
	db_close(index->db);
	if (index->monitor) index->threads->monitor_free(index->monitor);
	mem_free(index->path);
	mem_free(index);
}

void index_lock(struct index *index) {
	if (index->monitor) index->threads->lock(index->monitor);
}

void index_unlock(struct index *index) {
	if (index->monitor) index->threads->unlock(index->monitor);
}

bool index_gave_up(struct index *index) {
	if (!db_is_damaged(index->db)) return false;
	log_warn(MODULE, "the index of this home is damaged: it is made anew from the chain and the documents");
	db_close(index->db);
	index->db = NULL;
	db_remove(index->path);
	return true;
}

/* --- opening --- */

static void key_of(uint8_t key[32], const struct home *home) {
	hkdf_sha256(key, 32, (struct bytes){NULL, 0}, bytes_make(home->entropy, sizeof home->entropy),
	    BYTES_LITERAL("xinglin index 1"));
}

/* Whose index this is: another deployment's rows are of no use. */
static hash32 identity_of(const struct home *home) {
	const struct deployment *deployment = &home->deployment;
	const addr20 contracts[] = {deployment->directory, deployment->folders, deployment->records,
	    deployment->consent, deployment->products, deployment->medicines};
	uint8_t chain_id[8];
	store_be64(chain_id, deployment->chain_id);
	struct bytes parts[] = {bytes_make(chain_id, sizeof chain_id), BYTES_OF(deployment->genesis),
	    bytes_make(contracts, sizeof contracts), BYTES_OF(home->account)};
	return sha256_parts(parts, sizeof parts / sizeof *parts);
}

static enum status make_schema(struct db *db, const hash32 *identity, struct err *err) {
	char version[40];
	sqlite3_stmt *statement;
	snprintf(version, sizeof version, "PRAGMA user_version=%d", SCHEMA_VERSION);
	TRY(db_run(db, schema, err));
	TRY(db_statement(db, &statement, "INSERT INTO meta VALUES('identity', ?)", err));
	db_bind(statement, 1, BYTES_OF(*identity));
	TRY(db_finish(db, statement, err));
	return db_run(db, version, err);
}

static enum status read_identity(struct db *db, bool *same, const hash32 *identity, struct err *err) {
	sqlite3_stmt *statement;
	hash32 found;
	TRY(db_statement(db, &statement, "SELECT value FROM meta WHERE name='identity'", err));
	enum status status = db_step(db, statement, same, err);
	*same = status == STATUS_OK && *same && db_column_fixed(statement, 0, found.b, 32) &&
		hash32_equal(&found, identity);
	db_end(statement);
	return status;
}

/* *ours false: the file is of another schema or deployment. */
static enum status check_schema(struct db *db, bool *ours, const hash32 *identity, struct err *err) {
	int64_t version;
	TRY(db_begin(db, err));
	enum status status = db_number(db, &version, "PRAGMA user_version", err);
	*ours = true;
	if (status == STATUS_OK && version == 0)
		status = make_schema(db, identity, err);
	else if (status == STATUS_OK && version == SCHEMA_VERSION)
		status = read_identity(db, ours, identity, err);
	else
		*ours = false;
	if (status == STATUS_OK) return db_commit(db, err);
	db_rollback(db);
	return status;
}

static enum status try_open(struct index *index, bool *ours, struct err *err) {
	uint8_t key[32];
	hash32 identity = identity_of(index->home);
	key_of(key, index->home);
	enum status status = db_open(&index->db, index->path, key, err);
	mem_wipe(key, sizeof key);
	if (status == STATUS_OK) status = check_schema(index->db, ours, &identity, err);
	return status;
}

enum status index_open(struct index *index, struct err *err) {
	bool ours = true;
	if (index->db) return STATUS_OK;
	index->openings++;
	enum status status = try_open(index, &ours, err);
	if (status != STATUS_CORRUPT && ours) return status;
	log_warn(MODULE, "the index of this home is %s: it is made anew from the chain and the documents",
	    status == STATUS_CORRUPT ? "damaged, or of another key" : "of another version or deployment");
	db_close(index->db);
	index->db = NULL;
	db_remove(index->path);
	return try_open(index, &ours, err);
}

static enum status count_all(struct index *index, struct index_counts *out, struct err *err) {
	int64_t logs, watches, documents, units, pages;
	TRY(index_open(index, err));
	TRY(db_number(index->db, &logs, "SELECT count(*) FROM log", err));
	TRY(db_number(index->db, &watches, "SELECT count(*) FROM watch", err));
	TRY(db_number(index->db, &documents, "SELECT count(*) FROM document", err));
	TRY(db_number(index->db, &units, "SELECT count(*) FROM unit", err));
	TRY(db_number(
	    index->db, &pages, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", err));
	*out = (struct index_counts){.logs = (uint64_t)logs,
	    .watches = (uint64_t)watches,
	    .documents = (uint64_t)documents,
	    .units = (uint64_t)units,
	    .bytes = (uint64_t)pages};
	return STATUS_OK;
}

enum status index_count(struct index *index, struct index_counts *out, struct err *err) {
	index_lock(index);
	enum status status = count_all(index, out, err);
	index_unlock(index);
	return status;
}
