/* Logs that this home has asked for: watches, rows, and the keeper that answers client_logs. */
#include "base/log.h"
#include "health/index/index_private.h"

#define FILTER_MAX (20u + 1 + 4 * 32)
#define TRIES_MAX 64u /* while others, whose nodes are at other heights, unwind the same file */
#define BODY_MAX ((size_t)16 << 20)

/* --- a log's words --- */

static void put_word(struct buf *out, struct bytes word) {
	size_t zeros = 0;
	while (zeros < word.len && word.data[zeros] == 0) zeros++;
	buf_byte(out, (uint8_t)(word.len - zeros));
	buf_append(out, bytes_slice(word, zeros, word.len));
}

/* Data's last word may be short: it is kept as it is. */
static void put_body(struct buf *out, const struct log *log) {
	for (unsigned i = 1; i < log->topic_count; i++) put_word(out, BYTES_OF(log->topics[i]));
	for (size_t at = 0; at < log->data.len; at += 32) put_word(out, bytes_slice(log->data, at, 32));
}

static bool take_word(struct bytes *body, uint8_t *out, size_t len) {
	if (body->len == 0 || body->data[0] > len || (size_t)1 + body->data[0] > body->len) return false;
	size_t given = body->data[0];
	memset(out, 0, len - given);
	memcpy(out + len - given, body->data + 1, given);
	*body = bytes_slice(*body, 1 + given, body->len);
	return true;
}

static bool take_body(struct log *out, struct arena *arena, struct bytes body, unsigned topics, size_t length) {
	if (topics > 4 || length > BODY_MAX) return false;
	out->topic_count = (uint8_t)topics;
	for (unsigned i = 1; i < topics; i++)
		if (!take_word(&body, out->topics[i].b, 32)) return false;
	uint8_t *data = arena_alloc(arena, length);
	for (size_t at = 0; at < length; at += 32)
		if (!take_word(&body, data + at, length - at < 32 ? length - at : 32)) return false;
	out->data = bytes_make(data, length);
	return body.len == 0;
}

/* --- the store that follow_run fills --- */

/*
 * One question or follow_run, from the moment before its watches were read: if another unwinds the file or makes it
 * anew meanwhile, the cursors that it holds are no longer the file's, and it begins again.
 */
struct run {
	struct index *index;
	unsigned openings;  /* of the file in which its watches are */
	int64_t generation; /* how often that had been unwound */
};

static enum status read_generation(struct index *index, int64_t *out, struct err *err) {
	return db_number(index->db, out, "SELECT value FROM meta WHERE name='generation'", err);
}

/* With the lock held, before watches are read. */
static enum status open_run(struct run *run, struct err *err) {
	TRY(index_open(run->index, err));
	run->openings = run->index->openings;
	return read_generation(run->index, &run->generation, err);
}

/* With the lock held. STATUS_BUSY: what the watches say is no longer so. */
static enum status same_file(const struct run *run, struct err *err) {
	int64_t generation;
	TRY(index_open(run->index, err));
	if (run->openings != run->index->openings)
		return err_set(err, STATUS_BUSY, "the index of this home was made anew meanwhile");
	TRY(read_generation(run->index, &generation, err));
	if (run->generation == generation) return STATUS_OK;
	return err_set(err, STATUS_BUSY, "the index of this home was unwound meanwhile");
}

/* Takes the lock and the file's, and leaves with both. */
static enum status begin_run(struct run *run, struct err *err) {
	struct index *index = run->index;
	index_lock(index);
	enum status status = index_open(index, err);
	if (status == STATUS_OK) status = db_begin(index->db, err);
	if (status == STATUS_OK) status = same_file(run, err);
	if (status == STATUS_OK) return STATUS_OK;
	if (index->db) db_rollback(index->db);
	index_unlock(index);
	return status;
}

static enum status end_run(struct run *run, enum status status, struct err *err) {
	if (status == STATUS_OK)
		status = db_commit(run->index->db, err);
	else
		db_rollback(run->index->db);
	index_unlock(run->index);
	return status;
}

static enum status read_kept(struct run *run, struct follow_block *out, bool *found, size_t back, struct err *err) {
	struct index *index = run->index;
	sqlite3_stmt *statement;
	TRY(same_file(run, err));
	TRY(db_statement(
	    index->db, &statement, "SELECT number, hash FROM block ORDER BY number DESC LIMIT 1 OFFSET ?", err));
	sqlite3_bind_int64(statement, 1, (int64_t)back);
	enum status status = db_step(index->db, statement, found, err);
	if (status == STATUS_OK && *found) {
		out->number = (uint64_t)sqlite3_column_int64(statement, 0);
		*found = db_column_fixed(statement, 1, out->hash.b, 32);
	}
	db_end(statement);
	return status;
}

static enum status store_kept(void *context, struct follow_block *out, bool *found, size_t back, struct err *err) {
	struct run *run = context;
	index_lock(run->index);
	enum status status = read_kept(run, out, found, back, err);
	index_unlock(run->index);
	return status;
}

/* Runs a statement whose one value is a number. */
static enum status run_number(struct db *db, const char *sql, int64_t value, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, value);
	return db_finish(db, statement, err);
}

static enum status unwind_rows(struct db *db, int64_t last, struct err *err) {
	TRY(run_number(db, "DELETE FROM seen WHERE block > ?", last, err));
	TRY(run_number(db, "DELETE FROM log WHERE block > ?", last, err));
	TRY(run_number(db, "DELETE FROM block WHERE number > ?", last, err));
	TRY(run_number(db, "UPDATE watch SET next = ?1 + 1 WHERE next > ?1 + 1", last, err));
	return db_run(db, "UPDATE meta SET value = value + 1 WHERE name='generation'", err);
}

static enum status store_unwind(void *context, uint64_t last, struct err *err) {
	struct run *run = context;
	TRY(begin_run(run, err));
	TRY(end_run(run, unwind_rows(run->index->db, (int64_t)last, err), err));
	run->generation++;
	log_warn("index", "the chain was reorganised: what was read behind block %llu is read again",
	    (unsigned long long)last);
	return STATUS_OK;
}

static enum status find_kind(struct db *db, int64_t *out, bool *found, const struct log *log, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "SELECT id FROM kind WHERE address=? AND topic=?", err));
	db_bind(statement, 1, BYTES_OF(log->address));
	db_bind(statement, 2, bytes_make(log->topics[0].b, log->topic_count ? 32 : 0));
	enum status status = db_step(db, statement, found, err);
	if (*found) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

static enum status kind_of(struct db *db, int64_t *out, const struct log *log, struct err *err) {
	sqlite3_stmt *statement;
	bool found;
	TRY(find_kind(db, out, &found, log, err));
	if (found) return STATUS_OK;
	TRY(db_statement(db, &statement, "INSERT INTO kind(address, topic) VALUES(?, ?)", err));
	db_bind(statement, 1, BYTES_OF(log->address));
	db_bind(statement, 2, bytes_make(log->topics[0].b, log->topic_count ? 32 : 0));
	TRY(db_finish(db, statement, err));
	return find_kind(db, out, &found, log, err);
}

static enum status put_log(struct db *db, const struct client_log *log, struct err *err) {
	sqlite3_stmt *statement;
	struct buf body;
	int64_t kind;
	TRY(kind_of(db, &kind, &log->log, err));
	buf_init(&body, BODY_MAX);
	put_body(&body, &log->log);
	enum status status = buf_status(&body, err);
	if (status == STATUS_OK)
		status = db_statement(db, &statement, "INSERT OR IGNORE INTO log VALUES(?, ?, ?, ?, ?, ?, ?, ?)", err);
	if (status == STATUS_OK) {
		sqlite3_bind_int64(statement, 1, (int64_t)log->block_number);
		sqlite3_bind_int64(statement, 2, log->log_index);
		sqlite3_bind_int64(statement, 3, kind);
		sqlite3_bind_int64(statement, 4, (int64_t)log->timestamp);
		db_bind(statement, 5, BYTES_OF(log->tx_hash));
		sqlite3_bind_int64(statement, 6, log->log.topic_count);
		sqlite3_bind_int64(statement, 7, (int64_t)log->log.data.len);
		db_bind(statement, 8, buf_view(&body));
		status = db_finish(db, statement, err);
	}
	buf_fini(&body);
	return status;
}

static enum status put_seen(struct db *db, int64_t watch, const struct client_log *log, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "INSERT OR IGNORE INTO seen VALUES(?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, watch);
	sqlite3_bind_int64(statement, 2, (int64_t)log->block_number);
	sqlite3_bind_int64(statement, 3, log->log_index);
	return db_finish(db, statement, err);
}

/* A cursor that another program put before the page, since its filter begins earlier, stays: no block is passed over.
 */
static enum status put_end(struct db *db, const struct follow_page *page, struct err *err) {
	sqlite3_stmt *statement;
	for (size_t i = 0; i < page->watch_count; i++) {
		TRY(db_statement(
		    db, &statement, "UPDATE watch SET next = max(next, ?) WHERE id = ? AND next >= ?", err));
		sqlite3_bind_int64(statement, 1, (int64_t)page->end.number + 1);
		sqlite3_bind_int64(statement, 2, page->watches[i]->id);
		sqlite3_bind_int64(statement, 3, (int64_t)page->watches[i]->next_block);
		TRY(db_finish(db, statement, err));
	}
	TRY(db_statement(db, &statement, "INSERT OR REPLACE INTO block VALUES(?, ?)", err));
	sqlite3_bind_int64(statement, 1, (int64_t)page->end.number);
	db_bind(statement, 2, BYTES_OF(page->end.hash));
	TRY(db_finish(db, statement, err));
	return run_number(db,
	    "DELETE FROM block WHERE number <= (SELECT number FROM block ORDER BY number DESC LIMIT 1 OFFSET ?)",
	    FOLLOW_KEPT, err);
}

static enum status put_page(struct db *db, const struct follow_page *page, struct err *err) {
	for (size_t i = 0; i < page->log_count; i++) {
		TRY(put_log(db, &page->logs[i], err));
		for (size_t w = 0; w < page->watch_count; w++)
			if (follow_passes(page->watches[w], &page->logs[i].log))
				TRY(put_seen(db, page->watches[w]->id, &page->logs[i], err));
	}
	return put_end(db, page, err);
}

static enum status store_add(void *context, const struct follow_page *page, struct err *err) {
	struct run *run = context;
	TRY(begin_run(run, err));
	return end_run(run, put_page(run->index->db, page, err), err);
}

static enum status follow(
    struct run *run, struct client *client, struct follow_watch *watches, size_t count, struct err *err) {
	struct follow_store store = {store_kept, store_unwind, store_add, run, run->index->progress};
	return follow_run(client, &store, &run->index->home->deployment.genesis, watches, count, err);
}

/* --- watches --- */

/* address, a bit for each topic, the topics */
static struct bytes filter_key(uint8_t out[FILTER_MAX], const struct follow_watch *watch) {
	size_t len = 21;
	memcpy(out, watch->address.b, 20);
	out[20] = 0;
	for (unsigned i = 0; i < 4; i++) {
		if (!watch->has_topic[i]) continue;
		out[20] |= (uint8_t)(1u << i);
		memcpy(out + len, watch->topics[i].b, 32);
		len += 32;
	}
	return bytes_make(out, len);
}

static enum status read_watch(struct db *db, struct follow_watch *out, bool *found, uint64_t from, struct err *err) {
	uint8_t key[FILTER_MAX];
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement, "SELECT id, next FROM watch WHERE filter=? AND first <= ?", err));
	db_bind(statement, 1, filter_key(key, out));
	sqlite3_bind_int64(statement, 2, (int64_t)from);
	enum status status = db_step(db, statement, found, err);
	if (*found) {
		out->id = sqlite3_column_int64(statement, 0);
		out->next_block = (uint64_t)sqlite3_column_int64(statement, 1);
	}
	db_end(statement);
	return status;
}

/* The watch of a filter; a new one, or one that began later, begins at the filter's first block. */
static enum status find_watch(
    struct db *db, struct follow_watch *out, const struct client_log_filter *filter, struct err *err) {
	uint8_t key[FILTER_MAX];
	sqlite3_stmt *statement;
	bool found;
	*out = (struct follow_watch){.address = *filter->address};
	memcpy(out->topics, filter->topics, sizeof out->topics);
	memcpy(out->has_topic, filter->has_topic, sizeof out->has_topic);
	TRY(read_watch(db, out, &found, filter->from_block, err));
	if (found) return STATUS_OK;
	TRY(db_statement(db, &statement,
	    "INSERT INTO watch(filter, first, next) VALUES(?1, ?2, ?2)"
	    " ON CONFLICT(filter) DO UPDATE SET first=?2, next=?2 WHERE first > ?2",
	    err));
	db_bind(statement, 1, filter_key(key, out));
	sqlite3_bind_int64(statement, 2, (int64_t)filter->from_block);
	TRY(db_finish(db, statement, err));
	return read_watch(db, out, &found, filter->from_block, err);
}

static enum status find_watches(
    struct run *run, struct follow_watch *out, const struct client_log_filter *filters, size_t count, struct err *err) {
	struct index *index = run->index;
	index_lock(index);
	enum status status = open_run(run, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		BUG_ON(!filters[i].address);
		status = find_watch(index->db, &out[i], &filters[i], err);
	}
	index_unlock(index);
	return status;
}

/* --- answering --- */

struct rows {
	struct client_log *logs;
	size_t count, room;
};

static struct client_log *next_row(struct rows *rows, struct arena *arena) {
	if (rows->count == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		struct client_log *larger = arena_zalloc(arena, rows->room, sizeof *larger);
		if (rows->count) memcpy(larger, rows->logs, rows->count * sizeof *larger);
		rows->logs = larger;
	}
	return &rows->logs[rows->count++];
}

static bool read_row(struct client_log *out, struct arena *arena, sqlite3_stmt *statement) {
	*out = (struct client_log){.block_number = (uint64_t)sqlite3_column_int64(statement, 0),
	    .log_index = (uint32_t)sqlite3_column_int64(statement, 1),
	    .timestamp = (uint64_t)sqlite3_column_int64(statement, 2)};
	unsigned topics = (unsigned)sqlite3_column_int64(statement, 4);
	size_t length = (size_t)sqlite3_column_int64(statement, 5);
	return db_column_fixed(statement, 3, out->tx_hash.b, 32) &&
	       db_column_fixed(statement, 7, out->log.address.b, 20) &&
	       db_column_fixed(statement, 8, out->log.topics[0].b, topics ? 32 : 0) &&
	       take_body(&out->log, arena, db_column(statement, 6), topics, length);
}

static enum status read_rows(
    struct db *db, struct rows *rows, struct arena *arena, int64_t watch, uint64_t from, struct err *err) {
	sqlite3_stmt *statement;
	bool more = true;
	TRY(db_statement(db, &statement,
	    "SELECT l.block, l.place, l.time, l.tx, l.topics, l.length, l.body, k.address, k.topic"
	    " FROM seen s CROSS JOIN log l ON l.block = s.block AND l.place = s.place CROSS JOIN kind k ON k.id = "
	    "l.kind"
	    " WHERE s.watch = ? AND s.block >= ? ORDER BY s.block, s.place",
	    err));
	sqlite3_bind_int64(statement, 1, watch);
	sqlite3_bind_int64(statement, 2, (int64_t)from);
	enum status status;
	while ((status = db_step(db, statement, &more, err)) == STATUS_OK && more)
		if (!read_row(next_row(rows, arena), arena, statement)) {
			status =
			    err_set(err, STATUS_INTERNAL, "the index of this home holds a row that makes no sense");
			break;
		}
	db_end(statement);
	return status;
}

static enum status read_all(const struct run *run, struct rows *rows, struct arena *arena,
    const struct follow_watch *watches, const struct client_log_filter *filters, size_t count, struct err *err) {
	*rows = (struct rows){0};
	index_lock(run->index);
	enum status status = same_file(run, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = read_rows(run->index->db, rows, arena, watches[i].id, filters[i].from_block, err);
	if (status == STATUS_OK) status = same_file(run, err);
	index_unlock(run->index);
	logs_settle(rows->logs, &rows->count);
	return status;
}

static bool gave_up(struct index *index) {
	index_lock(index);
	bool is_gone = index_gave_up(index);
	index_unlock(index);
	return is_gone;
}

static enum status answer(struct index *index, struct client *client, struct rows *rows, struct arena *arena,
    const struct client_log_filter *filters, size_t count, struct err *err) {
	struct follow_watch *watches = arena_zalloc(arena, count + 1, sizeof *watches);
	enum status status = STATUS_BUSY;
	struct run run = {.index = index};
	for (unsigned tries = 0; status == STATUS_BUSY && tries < TRIES_MAX; tries++) {
		TRY(find_watches(&run, watches, filters, count, err));
		status = follow(&run, client, watches, count, err);
		if (status == STATUS_OK) status = read_all(&run, rows, arena, watches, filters, count, err);
	}
	return status;
}

static enum status keeper_logs(void *context, struct client *client, struct client_log **logs, size_t *count,
    struct arena *arena, const struct client_log_filter *filters, size_t filter_count, struct err *err) {
	struct index *index = context;
	struct rows rows = {0};
	enum status status = answer(index, client, &rows, arena, filters, filter_count, err);
	if (status != STATUS_OK && gave_up(index))
		status = answer(index, client, &rows, arena, filters, filter_count, err);
	TRY(status);
	*logs = rows.logs ? rows.logs : arena_zalloc(arena, 1, sizeof **logs);
	*count = rows.count;
	return STATUS_OK;
}

const struct client_log_keeper *index_keeper(struct index *index) {
	index->keeper = (struct client_log_keeper){keeper_logs, index};
	return &index->keeper;
}

/* --- following everything --- */

static bool read_filter(struct follow_watch *out, struct bytes key) {
	size_t at = 21;
	if (key.len < 21) return false;
	memcpy(out->address.b, key.data, 20);
	for (unsigned i = 0; i < 4; i++) {
		out->has_topic[i] = key.data[20] >> i & 1;
		if (!out->has_topic[i]) continue;
		if (at + 32 > key.len) return false;
		memcpy(out->topics[i].b, key.data + at, 32);
		at += 32;
	}
	return at == key.len;
}

static enum status all_watches(
    struct db *db, struct follow_watch **out, size_t *count, struct arena *arena, struct err *err) {
	sqlite3_stmt *statement;
	int64_t room;
	bool more;
	enum status status;
	*count = 0;
	TRY(db_number(db, &room, "SELECT count(*) FROM watch", err));
	*out = arena_zalloc(arena, (size_t)room + 1, sizeof **out);
	TRY(db_statement(db, &statement, "SELECT id, next, filter FROM watch ORDER BY id LIMIT ?", err));
	sqlite3_bind_int64(statement, 1, room);
	while ((status = db_step(db, statement, &more, err)) == STATUS_OK && more) {
		struct follow_watch *watch = &(*out)[*count];
		watch->id = sqlite3_column_int64(statement, 0);
		watch->next_block = (uint64_t)sqlite3_column_int64(statement, 1);
		*count += read_filter(watch, db_column(statement, 2));
	}
	db_end(statement);
	return status;
}

enum status index_follow(struct index *index, struct client *client, struct err *err) {
	struct run run = {.index = index};
	struct follow_watch *watches;
	struct arena arena;
	size_t count = 0;
	arena_init(&arena);
	index_lock(index);
	enum status status = open_run(&run, err);
	if (status == STATUS_OK) status = all_watches(index->db, &watches, &count, &arena, err);
	index_unlock(index);
	if (status == STATUS_OK) status = follow(&run, client, watches, count, err);
	arena_fini(&arena);
	return status;
}

enum status index_next_block(struct index *index, uint64_t *out, struct err *err) {
	int64_t next = -1;
	index_lock(index);
	enum status status = index_open(index, err);
	if (status == STATUS_OK) status = db_number(index->db, &next, "SELECT coalesce(min(next), -1) FROM watch", err);
	index_unlock(index);
	*out = next < 0 ? UINT64_MAX : (uint64_t)next;
	return status;
}
