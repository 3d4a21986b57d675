/*
 * Writing versions. Whoever puts prepares by itself what needs no file (parsing, compressing), then waits; one of those
 * who wait writes for all that do, in one transaction.
 */
#include "health/index/resources_private.h"

struct prepared {
	const struct resource_write *write;
	struct bytes packed; /* content */
};
struct resource_ticket {
	struct prepared *items;
	size_t count;
	enum status status;
	struct err err;
	bool is_done;
	struct resource_ticket *next;
};

/* --- before there is a lock --- */

static struct resource_codec *take_codec(struct resources *resources) {
	resources_lock(resources);
	struct resource_codec *codec = resources->codecs;
	if (codec) resources->codecs = *resource_codec_next(codec);
	resources_unlock(resources);
	return codec ? codec : resource_codec_new();
}

static void give_codec(struct resources *resources, struct resource_codec *codec) {
	resources_lock(resources);
	*resource_codec_next(codec) = resources->codecs;
	resources->codecs = codec;
	resources_unlock(resources);
}

static enum status prepare_one(struct prepared *out, struct arena *arena, struct resource_codec *codec,
    const struct resource_write *write, struct err *err) {
	const struct json *tree = write->tree;
	if (!write->key.id.len || write->key.id.len > RESOURCE_ID_MAX || !write->version)
		return err_set(err, STATUS_INVALID, "a resource has an id of 1 to %u characters and a version from 1",
		    RESOURCE_ID_MAX);
	if (write->content.len > RESOURCE_CONTENT_MAX)
		return err_set(err, STATUS_LIMIT, "a resource of %zu bytes, and at most %zu are allowed",
		    write->content.len, RESOURCE_CONTENT_MAX);
	if (!tree) TRY(json_parse(&tree, arena, write->content, NULL, err));
	*out = (struct prepared){.write = write, .packed = resource_pack(codec, arena, write->content)};
	return STATUS_OK;
}

static enum status prepare_all(struct resources *resources, struct prepared *out, struct arena *arena,
    const struct resource_write *writes, size_t count, struct err *err) {
	struct resource_codec *codec = take_codec(resources);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = prepare_one(&out[i], arena, codec, &writes[i], err);
	give_codec(resources, codec);
	return status;
}

/* --- rows; one thread at a time --- */

static enum status row_of_hash(
    struct resources *resources, int64_t *out, const char *sql, const hash32 *hash, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(resources->writer, &statement, sql, err));
	db_bind(statement, 1, BYTES_OF(*hash));
	enum status status = db_step(resources->writer, statement, &row, err);
	*out = status == STATUS_OK && row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static enum status folder_row(
    struct resources *resources, int64_t *out, const struct resource_write *write, struct err *err) {
	sqlite3_stmt *statement;
	TRY(row_of_hash(resources, out, "SELECT id FROM folder WHERE hash = ?", &write->folder, err));
	if (*out) return STATUS_OK;
	TRY(db_statement(
	    resources->writer, &statement, "INSERT INTO folder(hash, foreigner) VALUES(?, ?) RETURNING id", err));
	bool row;
	db_bind(statement, 1, BYTES_OF(write->folder));
	sqlite3_bind_int(statement, 2, write->is_foreign);
	enum status status = db_step(resources->writer, statement, &row, err);
	if (status == STATUS_OK) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

static enum status record_row(
    struct resources *resources, int64_t *out, int64_t folder, const hash32 *record, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(row_of_hash(resources, out, "SELECT id FROM record WHERE hash = ?", record, err));
	if (*out) return STATUS_OK;
	TRY(db_statement(
	    resources->writer, &statement, "INSERT INTO record(hash, folder) VALUES(?, ?) RETURNING id", err));
	db_bind(statement, 1, BYTES_OF(*record));
	sqlite3_bind_int64(statement, 2, folder);
	enum status status = db_step(resources->writer, statement, &row, err);
	if (status == STATUS_OK) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

/* A resource's row; `id` 0: there is none yet. */
struct row {
	int64_t id;
	uint32_t version;
};

static enum status find_row(
    struct resources *resources, struct row *out, const struct resource_key *key, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(
	    resources->writer, &statement, "SELECT id, version FROM resource WHERE name = ? AND type = ?", err));
	resource_bind_id(statement, 1, key->id);
	sqlite3_bind_int(statement, 2, key->type);
	enum status status = db_step(resources->writer, statement, &row, err);
	*out = (struct row){0};
	if (status == STATUS_OK && row)
		*out = (struct row){sqlite3_column_int64(statement, 0), (uint32_t)sqlite3_column_int64(statement, 1)};
	db_end(statement);
	return status;
}

/* One that is known by its name only, so far. */
static enum status make_row(
    struct resources *resources, int64_t *out, const struct resource_key *key, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(resources->writer, &statement,
	    "INSERT INTO resource(id, type, name, version, sequence, at, folder) VALUES(?, ?, ?, 0, 0, 0, 0)", err));
	*out = resources->next_resource++;
	sqlite3_bind_int64(statement, 1, *out);
	sqlite3_bind_int(statement, 2, key->type);
	resource_bind_id(statement, 3, key->id);
	return db_finish(resources->writer, statement, err);
}

static enum status put_version(struct resources *resources, int64_t sequence, int64_t resource, int64_t record,
    const struct prepared *item, struct err *err) {
	sqlite3_stmt *statement;
	const struct resource_write *write = item->write;
	TRY(db_statement(resources->writer, &statement,
	    "INSERT INTO version(sequence, resource, type, number, at, method, record, part, patients, content)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, x'', ?)",
	    err));
	sqlite3_bind_int64(statement, 1, sequence);
	sqlite3_bind_int64(statement, 2, resource);
	sqlite3_bind_int(statement, 3, write->key.type);
	sqlite3_bind_int64(statement, 4, write->version);
	sqlite3_bind_int64(statement, 5, write->at_ms);
	sqlite3_bind_int(statement, 6, (int)write->method);
	sqlite3_bind_int64(statement, 7, record);
	sqlite3_bind_int64(statement, 8, write->part);
	db_bind(statement, 9, item->packed);
	return db_finish(resources->writer, statement, err);
}

static enum status make_current(struct resources *resources, const struct row *row, int64_t sequence, int64_t folder,
    const struct prepared *item, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(resources->writer, &statement,
	    "UPDATE resource SET version = ?, sequence = ?, at = ?, folder = ?, facts = ? WHERE id = ?", err));
	sqlite3_bind_int64(statement, 1, item->write->version);
	sqlite3_bind_int64(statement, 2, sequence);
	sqlite3_bind_int64(statement, 3, item->write->at_ms);
	sqlite3_bind_int64(statement, 4, folder);
	if (item->write->method != RESOURCE_DELETE) db_bind(statement, 5, (struct bytes){NULL, 0});
	sqlite3_bind_int64(statement, 6, row->id);
	return db_finish(resources->writer, statement, err);
}

/* Is this version there? STATUS_EXISTS: of another record. */
static enum status find_version(struct resources *resources, bool *out, const struct row *row,
    const struct resource_write *write, struct err *err) {
	sqlite3_stmt *statement;
	*out = false;
	if (!row->version) return STATUS_OK;
	TRY(db_statement(resources->writer, &statement,
	    "SELECT r.hash FROM version v JOIN record r ON r.id = v.record WHERE v.resource = ? AND v.number = ?",
	    err));
	sqlite3_bind_int64(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, write->version);
	enum status status = db_step(resources->writer, statement, out, err);
	hash32 record;
	bool same = status == STATUS_OK && *out && db_column_fixed(statement, 0, record.b, 32) &&
		    hash32_equal(&record, &write->record);
	db_end(statement);
	if (status == STATUS_OK && *out && !same)
		return err_set(err, STATUS_EXISTS, "version %u of this resource is in another record", write->version);
	return status;
}

static enum status put_one(struct resources *resources, const struct prepared *item, struct err *err) {
	const struct resource_write *write = item->write;
	struct row row;
	int64_t folder, record, sequence = resources->next_sequence;
	bool is_there;
	TRY(find_row(resources, &row, &write->key, err));
	TRY(find_version(resources, &is_there, &row, write, err));
	if (is_there) return STATUS_OK;
	TRY(folder_row(resources, &folder, write, err));
	TRY(record_row(resources, &record, folder, &write->record, err));
	if (!row.id) TRY(make_row(resources, &row.id, &write->key, err));
	TRY(put_version(resources, sequence, row.id, record, item, err));
	resources->next_sequence++;
	return write->version > row.version ? make_current(resources, &row, sequence, folder, item, err) : STATUS_OK;
}

/* A ticket that cannot be written takes nothing of the others away. */
static enum status put_ticket(struct resources *resources, struct resource_ticket *ticket, struct err *err) {
	enum status status = STATUS_OK;
	TRY(db_run(resources->writer, "SAVEPOINT ticket", err));
	for (size_t i = 0; i < ticket->count && status == STATUS_OK; i++)
		status = put_one(resources, &ticket->items[i], &ticket->err);
	ticket->status = status;
	if (status == STATUS_OK) return db_run(resources->writer, "RELEASE ticket", err);
	return db_run(resources->writer, "ROLLBACK TO ticket; RELEASE ticket", err);
}

static void write_tickets(struct resources *resources, struct resource_ticket *tickets) {
	struct err err = {0};
	enum status status = db_begin(resources->writer, &err);
	bool is_open = status == STATUS_OK;
	for (struct resource_ticket *t = tickets; t && status == STATUS_OK; t = t->next)
		status = put_ticket(resources, t, &err);
	if (status == STATUS_OK) status = db_commit(resources->writer, &err);
	if (status == STATUS_OK) return;
	if (is_open) db_rollback(resources->writer);
	for (struct resource_ticket *t = tickets; t; t = t->next) {
		t->status = status;
		t->err = err;
	}
}

/* --- the queue --- */

static void finish(struct resource_ticket *tickets) {
	for (struct resource_ticket *next; tickets; tickets = next) {
		next = tickets->next; /* a ticket that is done may be gone */
		tickets->is_done = true;
	}
}

static void enqueue_and_wait(struct resources *resources, struct resource_ticket *ticket) {
	resources_lock(resources);
	*resources->last_waiting = ticket;
	resources->last_waiting = &ticket->next;
	while (!ticket->is_done) {
		if (resources->is_writing) {
			resources_wait(resources);
			continue;
		}
		struct resource_ticket *all = resources->first_waiting;
		resources->first_waiting = NULL;
		resources->last_waiting = &resources->first_waiting;
		resources->is_writing = true;
		resources_unlock(resources);
		write_tickets(resources, all);
		resources_lock(resources);
		finish(all);
		resources->is_writing = false;
		resources_wake(resources);
	}
	resources_unlock(resources);
}

enum status resources_put(
    struct resources *resources, const struct resource_write *writes, size_t count, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	struct resource_ticket ticket = {
	    .items = arena_zalloc(&arena, count ? count : 1, sizeof *ticket.items), .count = count};
	ticket.status = prepare_all(resources, ticket.items, &arena, writes, count, &ticket.err);
	if (ticket.status == STATUS_OK) enqueue_and_wait(resources, &ticket);
	if (ticket.status != STATUS_OK && err) *err = ticket.err;
	arena_fini(&arena);
	return ticket.status;
}
