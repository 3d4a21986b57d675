/* The file of resources: its key, its schema, and the connections to it. */
#include "health/index/resources.h"

#include <stdio.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "health/index/resources_private.h"

#define SCHEMA_VERSION 2
#define READERS_DEFAULT 4u
#define READERS_MAX 64u
#define WAIT_MS 1000u
#define MODULE "index"

/*
 * A resource's row is made when it is stored or first referred to (version 0 then). `name`: its id (resource_bind_id).
 * `version`, `sequence`, `at`, `folder`: of the current version. `facts` (resource_facts.h): what searches find; NULL
 * if it is gone or only referred to. A posting is a fact and its resource: the same keys the other way round.
 *
 * A version's `sequence` is the order in which this file took it in; none is given twice. `patients`: resources of
 * whose compartments it is in, 4 bytes each.
 */
static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE folder(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, foreigner INTEGER NOT NULL);"
    "CREATE TABLE record(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, folder INTEGER NOT NULL);"
    "CREATE TABLE resource(id INTEGER PRIMARY KEY, type INTEGER NOT NULL, name NOT NULL, version INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL, at INTEGER NOT NULL, folder INTEGER NOT NULL, facts BLOB);"
    "CREATE UNIQUE INDEX resource_name ON resource(name, type);"
    "CREATE TABLE version(sequence INTEGER PRIMARY KEY, resource INTEGER NOT NULL, type INTEGER NOT NULL,"
    " number INTEGER NOT NULL, at INTEGER NOT NULL, method INTEGER NOT NULL, record INTEGER NOT NULL,"
    " part INTEGER NOT NULL, patients BLOB NOT NULL, content BLOB NOT NULL);"
    "CREATE UNIQUE INDEX version_number ON version(resource, number);"
    "CREATE INDEX version_at ON version(type, at);"
    "CREATE INDEX version_record ON version(record);"
    "CREATE INDEX record_folder ON record(folder);"
    "CREATE VIRTUAL TABLE narrative_words USING fts5(text, content='', detail=none, columnsize=0, tokenize='ascii');"
    "CREATE VIRTUAL TABLE content_words USING fts5(text, content='', detail=none, columnsize=0, tokenize='ascii');"
    "INSERT INTO narrative_words(narrative_words, rank) VALUES('secure-delete', 1);"
    "INSERT INTO content_words(content_words, rank) VALUES('secure-delete', 1);"
    "CREATE TABLE posting(key BLOB, resource INTEGER, PRIMARY KEY(key, resource)) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('next_sequence', 1), ('next_resource', 1)";

/* --- threads --- */

void resources_lock(struct resources *resources) {
	if (resources->monitor) resources->threads->lock(resources->monitor);
}

void resources_unlock(struct resources *resources) {
	if (resources->monitor) resources->threads->unlock(resources->monitor);
}

void resources_wait(struct resources *resources) {
	BUG_ON(!resources->monitor); /* one thread waits for nobody */
	resources->threads->wait(resources->monitor, WAIT_MS);
}

void resources_wake(struct resources *resources) {
	if (resources->monitor) resources->threads->wake_all(resources->monitor);
}

void resources_begin_writing(struct resources *resources) {
	resources_lock(resources);
	while (resources->is_writing) resources_wait(resources);
	resources->is_writing = true;
	resources_unlock(resources);
}

void resources_end_writing(struct resources *resources) {
	resources_lock(resources);
	resources->is_writing = false;
	resources_wake(resources);
	resources_unlock(resources);
}

void resources_stop_readers(struct resources *resources) {
	unsigned taken = 0;
	resources_lock(resources);
	while (taken < resources->reader_count) {
		while (!resources->idle) resources_wait(resources);
		resources->idle = resources->idle->next;
		taken++;
	}
	resources_unlock(resources);
}

void resources_start_readers(struct resources *resources) {
	resources_lock(resources);
	for (unsigned i = 0; i < resources->reader_count; i++) {
		resources->readers[i].next = resources->idle;
		resources->idle = &resources->readers[i];
	}
	resources_wake(resources);
	resources_unlock(resources);
}

enum status resources_borrow(struct resources *resources, struct resource_reader **out, struct err *err) {
	resources_lock(resources);
	while (!resources->idle) resources_wait(resources);
	struct resource_reader *reader = resources->idle;
	resources->idle = reader->next;
	resources_unlock(resources);
	enum status status = db_run(reader->db, "BEGIN", err);
	if (status != STATUS_OK) resources_give_back(resources, reader);
	*out = reader;
	return status;
}

void resources_give_back(struct resources *resources, struct resource_reader *reader) {
	db_end_all(reader->db);
	db_rollback(reader->db); /* it read only */
	resources_lock(resources);
	reader->next = resources->idle;
	resources->idle = reader;
	resources_wake(resources);
	resources_unlock(resources);
}

struct resource_bench *resources_take_bench(struct resources *resources) {
	resources_lock(resources);
	struct resource_bench *bench = resources->benches;
	if (bench) resources->benches = bench->next;
	resources_unlock(resources);
	if (bench) return bench;
	bench = mem_zalloc(1, sizeof *bench);
	bench->codec = resource_codec_new();
	bench->searcher = fhir_searcher_new(&fhir_r4);
	return bench;
}

void resources_give_bench(struct resources *resources, struct resource_bench *bench) {
	resources_lock(resources);
	bench->next = resources->benches;
	resources->benches = bench;
	resources_unlock(resources);
}

void resource_bench_free(struct resource_bench *bench) {
	resource_codec_free(bench->codec);
	fhir_searcher_free(bench->searcher);
	mem_free(bench);
}

/* --- opening --- */

enum status resources_look_for_foreign(struct resources *resources, struct err *err) {
	int64_t left;
	TRY(db_number(resources->writer, &left, "SELECT EXISTS(SELECT 1 FROM folder WHERE foreigner <> 0)", err));
	atomic_store(&resources->has_foreign, left != 0);
	return STATUS_OK;
}

static enum status read_next(struct resources *resources, struct err *err) {
	TRY(resources_look_for_foreign(resources, err));
	TRY(db_number(resources->writer, &resources->next_sequence,
	    "SELECT max(value, (SELECT ifnull(max(sequence), 0) + 1 FROM version)) FROM meta WHERE name='next_sequence'",
	    err));
	return db_number(resources->writer, &resources->next_resource,
	    "SELECT max(value, (SELECT ifnull(max(id), 0) + 1 FROM resource)) FROM meta WHERE name='next_resource'",
	    err);
}

static const struct db_form form = {.what = "the index of resources",
    .source = "the records",
    .settings = "PRAGMA cache_size=-48000; PRAGMA wal_autocheckpoint=4000; PRAGMA secure_delete=ON;"
		"PRAGMA memory_security=fill",
    .schema = schema,
    .version = SCHEMA_VERSION};

static enum status open_writer(struct resources *resources, const uint8_t key[32], struct err *err) {
	TRY(db_open_or_make(&resources->writer, resources->path, key, &form, err));
	const enum status status = read_next(resources, err);
	if (status != STATUS_CORRUPT) return status;
	TRY(db_make_anew(&resources->writer, resources->path, key, &form, err));
	return read_next(resources, err);
}

static enum status open_readers(struct resources *resources, const uint8_t key[32], struct err *err) {
	for (unsigned i = 0; i < resources->reader_count; i++) {
		struct resource_reader *reader = &resources->readers[i];
		TRY(db_open(&reader->db, resources->path, key, err));
		TRY(db_run(reader->db, "PRAGMA cache_size=-16000; PRAGMA query_only=ON", err));
		reader->codec = resource_codec_new();
		reader->next = resources->idle;
		resources->idle = reader;
	}
	return STATUS_OK;
}

static struct resources *prepare(const struct home *home, const struct resource_settings *settings) {
	struct resources *resources = mem_zalloc(1, sizeof *resources);
	struct buf path;
	buf_init(&path, FILENAME_MAX);
	buf_printf(&path, "%s/" RESOURCE_FILE, home->directory);
	resources->path = mem_strdup(buf_cstr(&path));
	buf_fini(&path);
	resources->base = settings->base ? mem_strdup(settings->base) : NULL;
	resources->threads = settings->threads;
	resources->last_waiting = &resources->first_waiting;
	resources->reader_count = settings->readers ? settings->readers : READERS_DEFAULT;
	if (resources->reader_count > READERS_MAX) resources->reader_count = READERS_MAX;
	if (!settings->threads) resources->reader_count = 1;
	resources->readers = mem_zalloc(resources->reader_count, sizeof *resources->readers);
	if (settings->threads) resources->monitor = settings->threads->monitor_new(settings->threads->context);
	db_key(resources->cursor_key, home->entropy, "xinglin resources cursor 1");
	uint8_t digest_key[32];
	db_key(digest_key, home->entropy, "xinglin resources digest 1");
	memcpy(&resources->digest_key, digest_key, sizeof resources->digest_key);
	mem_wipe(digest_key, sizeof digest_key);
	return resources;
}

enum status resources_open(
    struct resources **out, const struct home *home, const struct resource_settings *settings, struct err *err) {
	uint8_t key[32];
	struct resources *resources = prepare(home, settings);
	db_key(key, home->entropy, "xinglin resources 1");
	enum status status = open_writer(resources, key, err);
	if (status == STATUS_OK) status = open_readers(resources, key, err);
	mem_wipe(key, sizeof key);
	if (status != STATUS_OK) {
		resources_close(resources);
		return status;
	}
	*out = resources;
	return STATUS_OK;
}

/* Pages are authenticated: what a disk or somebody changed was found when it was read. Whoever opens it next makes it
 * anew. */
static void remove_damaged(struct resources *resources, bool is_damaged) {
	if (!is_damaged) return;
	log_warn(MODULE,
	    "the index of resources is damaged: it is removed, and made anew from the records at the next start");
	db_remove(resources->path);
}

void resources_close(struct resources *resources) {
	if (!resources) return;
	bool is_damaged = db_is_damaged(resources->writer);
	for (unsigned i = 0; i < resources->reader_count; i++) is_damaged |= db_is_damaged(resources->readers[i].db);
	for (unsigned i = 0; i < resources->reader_count; i++) {
		db_close(resources->readers[i].db);
		resource_codec_free(resources->readers[i].codec);
		fhir_searcher_free(resources->readers[i].searcher);
	}
	db_close(resources->writer);
	remove_damaged(resources, is_damaged);
	while (resources->benches) {
		struct resource_bench *bench = resources->benches;
		resources->benches = bench->next;
		resource_bench_free(bench);
	}
	if (resources->monitor) resources->threads->monitor_free(resources->monitor);
	mem_free(resources->readers);
	mem_free(resources->path);
	mem_free(resources->base);
	mem_wipe(resources->cursor_key, sizeof resources->cursor_key);
	mem_free(resources);
}

/* --- questions about the whole --- */

static enum status count_all(struct db *db, struct resource_counts *out, struct err *err) {
	int64_t resources, versions, records, folders, bytes;
	TRY(db_number(db, &resources, "SELECT count(*) FROM resource WHERE version > 0", err));
	TRY(db_number(db, &versions, "SELECT count(*) FROM version", err));
	TRY(db_number(db, &records, "SELECT count(*) FROM record", err));
	TRY(db_number(db, &folders, "SELECT count(*) FROM folder", err));
	TRY(db_number(db, &bytes, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", err));
	*out = (struct resource_counts){.resources = (uint64_t)resources,
	    .versions = (uint64_t)versions,
	    .records = (uint64_t)records,
	    .folders = (uint64_t)folders,
	    .bytes = (uint64_t)bytes};
	return STATUS_OK;
}

enum status resources_count(struct resources *resources, struct resource_counts *out, struct err *err) {
	struct resource_reader *reader;
	TRY(resources_borrow(resources, &reader, err));
	enum status status = count_all(reader->db, out, err);
	resources_give_back(resources, reader);
	return status;
}

static enum status has_row(
    struct resources *resources, bool *out, const char *sql, const hash32 *hash, struct err *err) {
	struct resource_reader *reader;
	sqlite3_stmt *statement;
	TRY(resources_borrow(resources, &reader, err));
	enum status status = db_statement(reader->db, &statement, sql, err);
	if (status == STATUS_OK) {
		db_bind(statement, 1, BYTES_OF(*hash));
		status = db_step(reader->db, statement, out, err);
		db_end(statement);
	}
	resources_give_back(resources, reader);
	return status;
}

enum status resources_has_record(struct resources *resources, bool *out, const hash32 *record, struct err *err) {
	return has_row(resources, out, "SELECT 1 FROM record WHERE hash = ?", record, err);
}

enum status resources_has_folder(struct resources *resources, bool *out, const hash32 *folder, struct err *err) {
	return has_row(resources, out, "SELECT 1 FROM folder WHERE hash = ?", folder, err);
}
