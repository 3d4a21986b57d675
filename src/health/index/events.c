/* The file of events: its key, its schema, and recording. */
#include "health/index/events_private.h"

#include <stdio.h>
#include <zstd.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "health/trace/places.h"

#define SCHEMA_VERSION 2
#define MODULE "index"
#define BODY_MAX ((size_t)64 << 20)
#define PACKED_FROM 256u /* bytes; a shorter body stays as it is */
#define PACK_LEVEL 1

/* `recorded` never falls from one id to the next. `context`: a row, or 0. `value`: a blob or a real. */
static const char schema[] =
    "CREATE TABLE document(hash BLOB PRIMARY KEY, problem BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE context(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);"
    "CREATE TABLE event(id INTEGER PRIMARY KEY, recorded INTEGER NOT NULL, happened INTEGER NOT NULL,"
    " context INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE INDEX event_recorded ON event(recorded, id);"
    "CREATE INDEX event_happened ON event(happened, id);"
    "CREATE TABLE term(key INTEGER, value, event INTEGER, PRIMARY KEY(key, value, event)) WITHOUT ROWID;"
    "CREATE TABLE job(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, asker BLOB NOT NULL, proceeds INTEGER NOT NULL,"
    " created INTEGER NOT NULL, finished INTEGER NOT NULL, success INTEGER NOT NULL, errors BLOB NOT NULL,"
    " body BLOB NOT NULL);"
    "CREATE TABLE query(owner BLOB, name BLOB, text BLOB NOT NULL, PRIMARY KEY(owner, name)) WITHOUT ROWID;"
    "CREATE INDEX job_asker ON job(asker, id);"
    "CREATE INDEX job_waiting ON job(id) WHERE finished = 0";

void events_lock(struct events *events) {
	if (events->monitor) events->threads->lock(events->monitor);
}

void events_unlock(struct events *events) {
	if (events->monitor) events->threads->unlock(events->monitor);
}

/* --- opening --- */

static const struct db_form form = {.what = "the index of events",
    .source = "the documents",
    .settings = "PRAGMA synchronous=FULL; PRAGMA cache_size=-32000",
    .schema = schema,
    .version = SCHEMA_VERSION};

enum status events_open(struct events **out, const struct home *home, const struct threads *threads, struct err *err) {
	struct events *events = mem_zalloc(1, sizeof *events);
	struct buf path;
	uint8_t key[32];
	buf_init(&path, FILENAME_MAX);
	buf_printf(&path, "%s/events.db", home->directory);
	events->path = mem_strdup(buf_cstr(&path));
	buf_fini(&path);
	events->threads = threads;
	if (threads) events->monitor = threads->monitor_new(threads->context);
	db_key(events->cursor_key, home->entropy, "xinglin events cursor 1");
	db_key(key, home->entropy, "xinglin events 1");
	enum status status = db_open_or_make(&events->db, events->path, key, &form, err);
	mem_wipe(key, sizeof key);
	if (status != STATUS_OK) {
		events_close(events);
		return status;
	}
	*out = events;
	return STATUS_OK;
}

void events_close(struct events *events) {
	if (!events) return;
	const bool is_damaged = db_is_damaged(events->db);
	db_close(events->db);
	if (is_damaged) {
		log_warn(MODULE, "the index of events is damaged: it is removed, and made anew at the next start");
		db_remove(events->path);
	}
	if (events->monitor) events->threads->monitor_free(events->monitor);
	mem_wipe(events->cursor_key, sizeof events->cursor_key);
	mem_free(events->path);
	mem_free(events);
}

const uint8_t *events_cursor_key(const struct events *events) {
	return events->cursor_key;
}

/* --- how things stand in rows --- */

int64_t events_key(struct bytes key) {
	const hash32 hash = sha256(key);
	return (int64_t)(load_be64(hash.b) >> 1);
}

void events_bind_text(sqlite3_stmt *statement, int place, struct bytes text) {
	if (text.len)
		db_bind(statement, place, text);
	else
		sqlite3_bind_zeroblob(statement, place, 0);
}

struct bytes events_behind(struct arena *arena, struct bytes start) {
	uint8_t *out = arena_alloc(arena, start.len + 1);
	if (start.len) memcpy(out, start.data, start.len);
	size_t len = start.len;
	while (len && out[len - 1] == 0xff) len--;
	if (len) out[len - 1]++;
	return bytes_make(out, len);
}

/* The first byte says how: 0 plain, 1 zstd. */
struct bytes events_pack(struct arena *arena, struct bytes body) {
	const size_t room = ZSTD_compressBound(body.len);
	uint8_t *out = arena_alloc(arena, room + 1);
	size_t len = body.len < PACKED_FROM ? body.len : ZSTD_compress(out + 1, room, body.data, body.len, PACK_LEVEL);
	out[0] = !ZSTD_isError(len) && len < body.len;
	if (!out[0]) {
		len = body.len;
		if (len) memcpy(out + 1, body.data, len);
	}
	return bytes_make(out, len + 1);
}

enum status events_unpack(struct bytes *out, struct arena *arena, struct bytes packed, struct err *err) {
	const struct bytes rest = bytes_slice(packed, 1, packed.len);
	if (!packed.len) return err_set(err, STATUS_INTERNAL, "the index of events holds a row that makes no sense");
	if (packed.data[0] == 0) {
		*out = arena_dup(arena, rest);
		return STATUS_OK;
	}
	const unsigned long long len = ZSTD_getFrameContentSize(rest.data, rest.len);
	if (len > BODY_MAX) return err_set(err, STATUS_INTERNAL, "the index of events holds a row that makes no sense");
	uint8_t *body = arena_alloc(arena, (size_t)len + 1);
	if (ZSTD_decompress(body, (size_t)len, rest.data, rest.len) != len)
		return err_set(err, STATUS_INTERNAL, "the index of events holds a row that makes no sense");
	*out = bytes_make(body, (size_t)len);
	return STATUS_OK;
}

/* --- recording --- */

static enum status has_document(
    struct db *db, bool *out, struct bytes *problem, struct arena *arena, const hash32 *document, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "SELECT problem FROM document WHERE hash = ?", err));
	db_bind(statement, 1, BYTES_OF(*document));
	enum status status = db_step(db, statement, out, err);
	if (*out && problem) *problem = arena_dup(arena, db_column(statement, 0));
	db_end(statement);
	return status;
}

enum status events_has_document(struct events *events, bool *out, struct bytes *problem, struct arena *arena,
    const hash32 *document, struct err *err) {
	*problem = (struct bytes){NULL, 0};
	events_lock(events);
	enum status status = has_document(events->db, out, problem, arena, document, err);
	events_unlock(events);
	return status;
}

static enum status put_document(struct db *db, const hash32 *document, struct bytes problem, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "INSERT OR REPLACE INTO document VALUES(?, ?)", err));
	db_bind(statement, 1, BYTES_OF(*document));
	events_bind_text(statement, 2, problem);
	return db_finish(db, statement, err);
}

enum status events_answer(struct events *events, const hash32 *document, struct bytes problem, struct err *err) {
	events_lock(events);
	enum status status = put_document(events->db, document, problem, err);
	events_unlock(events);
	return status;
}

/* Events of this id: with and without an errorDeclaration. */
static enum status count_of_id(struct db *db, int64_t counts[2], struct bytes event_id, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	enum status status;
	TRY(db_statement(db, &statement,
	    "SELECT EXISTS(SELECT 1 FROM term d WHERE d.key = ?3 AND d.event = t.event AND d.value = ?4)"
	    " FROM term t WHERE t.key = ?1 AND t.value = ?2",
	    err));
	sqlite3_bind_int64(statement, 1, events_key(BYTES_LITERAL("eventID")));
	events_bind_text(statement, 2, event_id);
	sqlite3_bind_int64(statement, 3, events_key(BYTES_LITERAL("errorDeclaration")));
	events_bind_text(statement, 4, BYTES_LITERAL("true"));
	counts[0] = counts[1] = 0;
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row)
		counts[sqlite3_column_int64(statement, 0) != 0]++;
	db_end(statement);
	return status;
}

static enum status check_id(struct db *db, const struct events_entry *entry, struct err *err) {
	int64_t counts[2];
	TRY(count_of_id(db, counts, entry->event_id, err));
	if (entry->corrects ? counts[1] == 0 : counts[0] + counts[1] == 0) return STATUS_OK;
	return err_set(err, STATUS_EXISTS, "there is an event of the id %.*s already%s",
	    (int)(entry->event_id.len < 120 ? entry->event_id.len : 120), (const char *)entry->event_id.data,
	    entry->corrects ? ", and a declaration of its error" : "; only an errorDeclaration may repeat it");
}

/* Ids of the entries before are marked as places are: without an errorDeclaration 1, with one 2. */
static enum status check_among(
    struct places *ids, struct arena *arena, const struct events_entry *entry, struct err *err) {
	const hash32 name = sha256(entry->event_id);
	const uint32_t *before = places_get(ids, &name);
	const uint32_t mine = entry->corrects ? 2 : 1;
	if (before && (*before & 2 || !entry->corrects))
		return err_set(err, STATUS_EXISTS, "the id %.*s stands twice among these events",
		    (int)(entry->event_id.len < 120 ? entry->event_id.len : 120), (const char *)entry->event_id.data);
	places_put(ids, arena, &name, (before ? *before : 0) | mine);
	return STATUS_OK;
}

enum status events_check(
    struct events *events, const struct events_entry *entries, size_t count, size_t *at, struct err *err) {
	struct arena arena;
	struct places ids = {0};
	enum status status = STATUS_OK;
	arena_init(&arena);
	events_lock(events);
	for (*at = 0; *at < count; ++*at) {
		status = check_id(events->db, &entries[*at], err);
		if (status == STATUS_OK) status = check_among(&ids, &arena, &entries[*at], err);
		if (status != STATUS_OK) break;
	}
	events_unlock(events);
	arena_fini(&arena);
	return status;
}

static enum status context_row(struct db *db, int64_t *out, struct bytes text, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	*out = 0;
	if (!text.len) return STATUS_OK;
	TRY(db_statement(db, &statement, "INSERT OR IGNORE INTO context(text) VALUES(?)", err));
	db_bind(statement, 1, text);
	TRY(db_finish(db, statement, err));
	TRY(db_statement(db, &statement, "SELECT id FROM context WHERE text = ?", err));
	db_bind(statement, 1, text);
	enum status status = db_step(db, statement, &row, err);
	if (row) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

static enum status put_term(struct db *db, const struct event_term *term, int64_t event, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "INSERT OR IGNORE INTO term VALUES(?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, events_key(term->key));
	if (term->text.data)
		events_bind_text(statement, 2, term->text);
	else
		sqlite3_bind_double(statement, 2, term->number);
	sqlite3_bind_int64(statement, 3, event);
	return db_finish(db, statement, err);
}

static enum status put_entry(struct db *db, struct arena *arena, const struct events_entry *entry, int64_t id,
    int64_t recorded, struct err *err) {
	sqlite3_stmt *statement;
	int64_t context;
	TRY(check_id(db, entry, err));
	TRY(context_row(db, &context, entry->context, err));
	TRY(db_statement(db, &statement, "INSERT INTO event VALUES(?, ?, ?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, recorded);
	sqlite3_bind_int64(statement, 3, entry->happened_ms);
	sqlite3_bind_int64(statement, 4, context);
	db_bind(statement, 5, events_pack(arena, entry->body));
	TRY(db_finish(db, statement, err));
	for (size_t i = 0; i < entry->terms->count; i++) TRY(put_term(db, &entry->terms->list[i], id, err));
	return STATUS_OK;
}

static enum status put_all(struct db *db, const hash32 *document, const struct events_entry *entries, size_t count,
    int64_t *recorded_ms, size_t *at, struct err *err) {
	struct arena arena;
	int64_t last_id, last_ms;
	enum status status = STATUS_OK;
	TRY(db_number(db, &last_id, "SELECT ifnull(max(id), 0) FROM event", err));
	TRY(db_number(db, &last_ms, "SELECT ifnull(max(recorded), 0) FROM event", err));
	if (*recorded_ms < last_ms) *recorded_ms = last_ms;
	arena_init(&arena);
	for (*at = 0; *at < count && status == STATUS_OK; *at += status == STATUS_OK) {
		status = put_entry(db, &arena, &entries[*at], last_id + 1 + (int64_t)*at, *recorded_ms, err);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	if (status != STATUS_OK) return status;
	return put_document(db, document, (struct bytes){NULL, 0}, err);
}

static enum status record(struct events *events, const hash32 *document, const struct events_entry *entries,
    size_t count, int64_t *recorded_ms, bool *is_new, size_t *at, struct err *err) {
	bool is_there;
	TRY(db_begin(events->db, err));
	enum status status = has_document(events->db, &is_there, NULL, NULL, document, err);
	*is_new = status == STATUS_OK && !is_there;
	if (*is_new) status = put_all(events->db, document, entries, count, recorded_ms, at, err);
	if (status == STATUS_OK) return db_commit(events->db, err);
	db_rollback(events->db);
	return status;
}

enum status events_record(struct events *events, const hash32 *document, const struct events_entry *entries,
    size_t count, int64_t *recorded_ms, bool *is_new, size_t *at, struct err *err) {
	*at = 0;
	events_lock(events);
	enum status status = record(events, document, entries, count, recorded_ms, is_new, at, err);
	events_unlock(events);
	return status;
}
