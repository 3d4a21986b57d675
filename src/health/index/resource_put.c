/*
 * Writing versions. Whoever puts prepares by itself what needs no file (parsing, compressing), then waits; one of those
 * who wait writes for all that do, in one transaction.
 */
#include "health/index/resource_postings.h"
#include "health/index/resource_words.h"

struct prepared {
	const struct resource_write *write;
	struct bytes packed; /* content */
	struct resource_facts facts;
	struct resource_words words;
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

static enum status prepare_one(struct resources *resources, struct prepared *out, struct arena *arena,
    struct resource_bench *bench, const struct resource_write *write, struct err *err) {
	const struct json *tree = write->tree;
	struct resource_facts_maker maker = {bench->searcher, arena, resources->base, &resources->digest_key};
	if (!write->key.id.len || write->key.id.len > RESOURCE_ID_MAX || !write->version)
		return err_set(err, STATUS_INVALID, "a resource has an id of 1 to %u characters and a version from 1",
		    RESOURCE_ID_MAX);
	if (write->content.len > RESOURCE_CONTENT_MAX)
		return err_set(err, STATUS_LIMIT, "a resource of %zu bytes, and at most %zu are allowed",
		    write->content.len, RESOURCE_CONTENT_MAX);
	if (!tree) TRY(json_parse(&tree, arena, write->content, NULL, err));
	*out = (struct prepared){.write = write, .packed = resource_pack(bench->codec, arena, write->content)};
	resource_words_make(&out->words, arena, tree);
	return resource_facts_make(&out->facts, &maker, &write->key, tree, err);
}

static enum status prepare_all(struct resources *resources, struct prepared *out, struct arena *arena,
    const struct resource_write *writes, size_t count, struct err *err) {
	struct resource_bench *bench = resources_take_bench(resources);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = prepare_one(resources, &out[i], arena, bench, &writes[i], err);
	resources_give_bench(resources, bench);
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
	if (write->is_foreign) atomic_store(&resources->has_foreign, true);
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

/* Where a version stands, and the facts as its row keeps them. */
struct place {
	int64_t sequence, resource, record, folder;
	struct bytes facts;
	struct bytes patients; /* of a tombstone: those of the version before, so that they learn that it is gone */
};

/* Those in whose compartments it is. */
static struct bytes patients_of(struct arena *arena, const struct resource_facts *facts) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	for (size_t i = 0; i < facts->count; i++) {
		struct bytes key = facts->items[i].key;
		if (key.len == 7 && (unsigned)(key.data[0] << 8 | key.data[1]) == RESOURCE_FACT_COMPARTMENT)
			buf_append(&out, bytes_slice(key, 3, 4));
	}
	struct bytes copy = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return copy;
}

static enum status put_version(
    struct resources *resources, const struct place *place, const struct prepared *item, struct err *err) {
	sqlite3_stmt *statement;
	const struct resource_write *write = item->write;
	TRY(db_statement(resources->writer, &statement,
	    "INSERT INTO version(sequence, resource, type, number, at, method, record, part, patients, content)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    err));
	sqlite3_bind_int64(statement, 1, place->sequence);
	sqlite3_bind_int64(statement, 2, place->resource);
	sqlite3_bind_int(statement, 3, write->key.type);
	sqlite3_bind_int64(statement, 4, write->version);
	sqlite3_bind_int64(statement, 5, write->at_ms);
	sqlite3_bind_int(statement, 6, (int)write->method);
	sqlite3_bind_int64(statement, 7, place->record);
	sqlite3_bind_int64(statement, 8, write->part);
	db_bind(statement, 9,
	    place->patients.len ? place->patients : patients_of(&resources->postings->arena, &item->facts));
	db_bind(statement, 10, item->packed);
	return db_finish(resources->writer, statement, err);
}

/* Tables of words keep none: what the version before put there is made of its content again. */
static enum status take_old_words(struct resources *resources, int64_t resource, struct err *err) {
	static const char sql[] = "SELECT sequence FROM resource WHERE id = ? AND facts IS NOT NULL";
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(resources->writer, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, resource);
	enum status status = db_step(resources->writer, statement, &row, err);
	int64_t sequence = status == STATUS_OK && row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	if (status != STATUS_OK || !sequence) return status;
	struct arena arena;
	struct resource_words words;
	struct resource_version version;
	const struct json *tree;
	struct resource_bench *bench = resources_take_bench(resources);
	struct resource_reader reader = {.db = resources->writer, .codec = bench->codec};
	arena_init(&arena);
	status = resource_load(&reader, &version, &arena, sequence, err);
	if (status == STATUS_OK) status = json_parse(&tree, &arena, version.content, NULL, err);
	if (status == STATUS_OK) {
		resource_words_make(&words, &arena, tree);
		status = resource_words_take(resources->writer, resource, &words, err);
	}
	arena_fini(&arena);
	resources_give_bench(resources, bench);
	return status;
}

/* Takes the facts of the version before back, and gives those of this one. */
static enum status make_current(
    struct resources *resources, const struct place *place, const struct prepared *item, struct err *err) {
	sqlite3_stmt *statement;
	bool is_gone = item->write->method == RESOURCE_DELETE;
	TRY(take_old_words(resources, place->resource, err));
	if (!is_gone) TRY(resource_words_put(resources->writer, place->resource, &item->words, err));
	TRY(resource_postings_of(resources, place->resource, is_gone ? (struct bytes){NULL, 0} : place->facts, err));
	TRY(db_statement(resources->writer, &statement,
	    "UPDATE resource SET version = ?, sequence = ?, at = ?, folder = ?, facts = ? WHERE id = ?", err));
	sqlite3_bind_int64(statement, 1, item->write->version);
	sqlite3_bind_int64(statement, 2, place->sequence);
	sqlite3_bind_int64(statement, 3, item->write->at_ms);
	sqlite3_bind_int64(statement, 4, place->folder);
	if (!is_gone) db_bind(statement, 5, place->facts);
	sqlite3_bind_int64(statement, 6, place->resource);
	return db_finish(resources->writer, statement, err);
}

/* The row of each resource that it refers to, made if there is none. */
static enum status write_links(struct resources *resources, struct resource_facts *facts, struct err *err) {
	for (size_t i = 0; i < facts->count; i++)
		for (size_t k = 0; k < facts->items[i].link_count; k++) {
			const struct resource_fact_link *link = &facts->items[i].links[k];
			struct row row;
			TRY(find_row(resources, &row, &link->target, err));
			if (!row.id) TRY(make_row(resources, &row.id, &link->target, err));
			store_be32((uint8_t *)facts->items[i].key.data + link->at, (uint32_t)row.id);
		}
	return STATUS_OK;
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

static enum status keep_patients(struct resources *resources, struct place *place, struct err *err) {
	static const char sql[] =
	    "SELECT v.patients FROM resource s JOIN version v ON v.sequence = s.sequence WHERE s.id = ?";
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(resources->writer, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, place->resource);
	enum status status = db_step(resources->writer, statement, &row, err);
	if (status == STATUS_OK && row)
		place->patients = arena_dup(&resources->postings->arena, db_column(statement, 0));
	db_end(statement);
	return status;
}

static enum status put_one(struct resources *resources, struct prepared *item, struct err *err) {
	const struct resource_write *write = item->write;
	struct row row;
	struct place place = {.sequence = resources->next_sequence};
	bool is_there;
	TRY(find_row(resources, &row, &write->key, err));
	TRY(find_version(resources, &is_there, &row, write, err));
	if (is_there) return STATUS_OK;
	TRY(folder_row(resources, &place.folder, write, err));
	TRY(record_row(resources, &place.record, place.folder, &write->record, err));
	if (!row.id) TRY(make_row(resources, &row.id, &write->key, err));
	place.resource = row.id;
	TRY(write_links(resources, &item->facts, err));
	place.facts = resource_facts_pack(&resources->postings->arena, &item->facts);
	if (write->method == RESOURCE_DELETE) TRY(keep_patients(resources, &place, err));
	TRY(put_version(resources, &place, item, err));
	resources->next_sequence++;
	return write->version > row.version ? make_current(resources, &place, item, err) : STATUS_OK;
}

/* A ticket that cannot be written takes nothing of the others away. */
static enum status put_ticket(struct resources *resources, struct resource_ticket *ticket, struct err *err) {
	enum status status = STATUS_OK;
	size_t before = resources->postings->count;
	TRY(db_run(resources->writer, "SAVEPOINT ticket", err));
	for (size_t i = 0; i < ticket->count && status == STATUS_OK; i++)
		status = put_one(resources, &ticket->items[i], &ticket->err);
	ticket->status = status;
	if (status == STATUS_OK) return db_run(resources->writer, "RELEASE ticket", err);
	resources->postings->count = before;
	return db_run(resources->writer, "ROLLBACK TO ticket; RELEASE ticket", err);
}

static void write_tickets(struct resources *resources, struct resource_ticket *tickets) {
	struct err err = {0};
	struct resource_postings postings;
	enum status status = db_begin(resources->writer, &err);
	bool is_open = status == STATUS_OK;
	resource_postings_begin(resources, &postings);
	for (struct resource_ticket *t = tickets; t && status == STATUS_OK; t = t->next)
		status = put_ticket(resources, t, &err);
	if (status == STATUS_OK) status = resource_postings_write(resources, &err);
	if (status == STATUS_OK) status = db_commit(resources->writer, &err);
	resource_postings_end(resources);
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
