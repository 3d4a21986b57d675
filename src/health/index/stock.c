/* What the home's documents say, by key. A pack stands once, however many documents name it: its tag and path are
 * proved by the batch's root, so documents cannot differ in them. */

#include <stdio.h>

#include "codec/hex.h"
#include "health/index/index_private.h"

/* --- taking a document in --- */

/* The row of a batch or a container, by its name on the chain. */
static enum status row_of(struct db *db, int64_t *out, const char *sql, const hash32 *name, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(db, &statement, sql, err));
	db_bind(statement, 1, BYTES_OF(*name));
	enum status status = db_step(db, statement, &row, err);
	*out = row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static enum status put_batch(struct db *db, int64_t *id, const struct document_batch *batch, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement,
	    "INSERT OR IGNORE INTO batch(name, gtin, lot, expiry, owner, regulator) VALUES(?, ?, ?, ?, ?, ?)", err));
	db_bind(statement, 1, BYTES_OF(batch->id));
	db_bind_text(statement, 2, batch->gtin);
	db_bind_text(statement, 3, batch->lot);
	sqlite3_bind_int64(statement, 4, (int64_t)batch->expiry_s);
	db_bind(statement, 5, BYTES_OF(batch->owner));
	db_bind(statement, 6, BYTES_OF(batch->regulator));
	TRY(db_finish(db, statement, err));
	return row_of(db, id, "SELECT id FROM batch WHERE name = ?", &batch->id, err);
}

static enum status put_part(
    struct db *db, int64_t *id, const struct document_part *part, int64_t batch, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(db, &statement,
	    "INSERT OR IGNORE INTO part(batch, number, first, count, root) VALUES(?, ?, ?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, batch);
	sqlite3_bind_int64(statement, 2, part->number);
	sqlite3_bind_int64(statement, 3, part->first);
	sqlite3_bind_int64(statement, 4, part->count);
	db_bind(statement, 5, BYTES_OF(part->root));
	TRY(db_finish(db, statement, err));
	TRY(db_statement(db, &statement, "SELECT id FROM part WHERE batch = ? AND number = ?", err));
	sqlite3_bind_int64(statement, 1, batch);
	sqlite3_bind_int64(statement, 2, part->number);
	enum status status = db_step(db, statement, &row, err);
	*id = row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static enum status put_container(
    struct db *db, int64_t *id, const struct document_container *container, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(
	    db, &statement, "INSERT OR IGNORE INTO container(name, code, opener, salt) VALUES(?, ?, ?, ?)", err));
	db_bind(statement, 1, BYTES_OF(container->id));
	db_bind_text(statement, 2, container->code);
	db_bind(statement, 3, BYTES_OF(container->opener));
	db_bind(statement, 4, BYTES_OF(container->salt));
	TRY(db_finish(db, statement, err));
	return row_of(db, id, "SELECT id FROM container WHERE name = ?", &container->id, err);
}

static enum status put_packed(struct db *db, int64_t container, int64_t batch, uint32_t place, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(
	    db, &statement, "INSERT OR IGNORE INTO packed SELECT ?, id FROM unit WHERE batch = ? AND place = ?", err));
	sqlite3_bind_int64(statement, 1, container);
	sqlite3_bind_int64(statement, 2, batch);
	sqlite3_bind_int64(statement, 3, place);
	return db_finish(db, statement, err);
}

/* The rows of what a document numbers. */
struct rows {
	int64_t *batches, *parts, *containers;
};

static enum status put_unit(struct db *db, const struct document_unit *unit, const struct rows *rows, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(db, &statement,
	    "INSERT OR IGNORE INTO unit(batch, part, place, serial, tag, path) VALUES(?, ?, ?, ?, ?, ?)", err));
	sqlite3_bind_int64(statement, 1, rows->batches[unit->batch]);
	sqlite3_bind_int64(statement, 2, rows->parts[unit->part]);
	sqlite3_bind_int64(statement, 3, unit->index);
	db_bind_text(statement, 4, unit->serial);
	db_bind(statement, 5, BYTES_OF(unit->tag));
	db_bind(statement, 6, bytes_make(unit->path, unit->path_len * sizeof *unit->path));
	TRY(db_finish(db, statement, err));
	if (unit->container == DOCUMENT_NO_CONTAINER) return STATUS_OK;
	return put_packed(db, rows->containers[unit->container], rows->batches[unit->batch], unit->index, err);
}

static enum status put_rows(struct db *db, const struct document *document, int64_t *ids, struct err *err) {
	const struct rows rows = {ids, ids + document->batch_count, ids + document->batch_count + document->part_count};
	sqlite3_stmt *statement;
	for (uint32_t i = 0; i < document->batch_count; i++)
		TRY(put_batch(db, &rows.batches[i], &document->batches[i], err));
	for (uint32_t i = 0; i < document->part_count; i++)
		TRY(put_part(db, &rows.parts[i], &document->parts[i], rows.batches[document->parts[i].batch], err));
	for (uint32_t i = 0; i < document->container_count; i++)
		TRY(put_container(db, &rows.containers[i], &document->containers[i], err));
	for (uint32_t i = 0; i < document->unit_count; i++) TRY(put_unit(db, &document->units[i], &rows, err));
	TRY(db_statement(db, &statement, "INSERT OR IGNORE INTO document VALUES(?)", err));
	db_bind(statement, 1, BYTES_OF(document->hash));
	return db_finish(db, statement, err);
}

/* All of it, or nothing. */
static enum status take(void *context, const struct document *document, struct err *err) {
	struct index *index = context;
	TRY(index_open(index, err));
	TRY(db_begin(index->db, err));
	int64_t *ids = mem_zalloc(
	    (size_t)document->batch_count + document->part_count + document->container_count + 1, sizeof *ids);
	enum status status = put_rows(index->db, document, ids, err);
	mem_free(ids);
	if (status == STATUS_OK) return db_commit(index->db, err);
	db_rollback(index->db);
	return status;
}

/* --- answering --- */

#define UNIT_COLUMNS                                                                                                   \
	"u.serial, u.place, u.tag, u.path, p.number, p.first, p.count, p.root, b.gtin, b.lot, b.expiry, b.owner,"      \
	" b.regulator, b.name"
#define JOIN_PART " CROSS JOIN part p ON p.id = u.part"

static enum status no_sense(struct err *err) {
	return err_set(err, STATUS_INTERNAL, "the index of this home holds a row that makes no sense");
}

static const char *text_of(struct arena *arena, sqlite3_stmt *statement, int place) {
	return arena_strdup(arena, db_column(statement, place));
}

static bool read_batch(struct document_batch *out, struct arena *arena, sqlite3_stmt *statement, int place) {
	*out = (struct document_batch){.gtin = text_of(arena, statement, place),
	    .lot = text_of(arena, statement, place + 1),
	    .expiry_s = (uint64_t)sqlite3_column_int64(statement, place + 2)};
	return db_column_fixed(statement, place + 3, out->owner.b, 20) &&
	       db_column_fixed(statement, place + 4, out->regulator.b, 20) &&
	       db_column_fixed(statement, place + 5, out->id.b, 32);
}

static bool read_unit(struct stock_unit *out, struct arena *arena, sqlite3_stmt *statement) {
	struct bytes path = db_column(statement, 3);
	out->rival = NULL;
	out->unit = (struct document_unit){.serial = text_of(arena, statement, 0),
	    .index = (uint32_t)sqlite3_column_int64(statement, 1),
	    .container = DOCUMENT_NO_CONTAINER,
	    .path = (const hash32 *)arena_dup(arena, path).data,
	    .path_len = path.len / sizeof(hash32)};
	out->part = (struct document_part){.number = (uint32_t)sqlite3_column_int64(statement, 4),
	    .first = (uint32_t)sqlite3_column_int64(statement, 5),
	    .count = (uint32_t)sqlite3_column_int64(statement, 6)};
	return path.len % sizeof(hash32) == 0 && db_column_fixed(statement, 2, out->unit.tag.b, 32) &&
	       db_column_fixed(statement, 7, out->part.root.b, 32) && read_batch(&out->batch, arena, statement, 8);
}

/* Steps to the first row, and ends the statement; a second row is a rival. */
static enum status one_unit(
    struct db *db, struct stock_unit *out, bool *found, struct arena *arena, sqlite3_stmt *statement, struct err *err) {
	enum status status = db_step(db, statement, found, err);
	if (status == STATUS_OK && *found && !read_unit(out, arena, statement)) status = no_sense(err);
	bool is_another = status == STATUS_OK && *found;
	if (is_another) status = db_step(db, statement, &is_another, err);
	if (status == STATUS_OK && is_another) {
		struct stock_unit other;
		if (read_unit(&other, arena, statement))
			stock_note_rival(out, &other, arena);
		else
			status = no_sense(err);
	}
	db_end(statement);
	return status;
}

static enum status find_unit(void *context, struct stock_unit *out, bool *found, struct arena *arena, const char *gtin,
    const char *serial, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	TRY(index_open(index, err));
	TRY(db_statement(index->db, &statement,
	    "SELECT " UNIT_COLUMNS " FROM unit u CROSS JOIN batch b ON b.id = u.batch" JOIN_PART
	    " WHERE u.serial = ? AND b.gtin = ?"
	    " ORDER BY u.id LIMIT 2",
	    err));
	db_bind_text(statement, 1, serial);
	db_bind_text(statement, 2, gtin);
	return one_unit(index->db, out, found, arena, statement, err);
}

static enum status find_unit_at(void *context, struct stock_unit *out, bool *found, struct arena *arena,
    const struct medicines_unit *place, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	TRY(index_open(index, err));
	TRY(db_statement(index->db, &statement,
	    "SELECT " UNIT_COLUMNS " FROM batch b CROSS JOIN unit u ON u.batch = b.id" JOIN_PART
	    " WHERE b.name = ? AND u.place = ?",
	    err));
	db_bind(statement, 1, BYTES_OF(place->batch));
	sqlite3_bind_int64(statement, 2, place->index);
	return one_unit(index->db, out, found, arena, statement, err);
}

static enum status find_lot(void *context, struct document_batch *out, bool *found, struct arena *arena,
    const char *gtin, const char *lot, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	TRY(index_open(index, err));
	TRY(db_statement(index->db, &statement,
	    "SELECT gtin, lot, expiry, owner, regulator, name FROM batch WHERE gtin = ? AND lot = ?"
	    " ORDER BY id LIMIT 1",
	    err));
	db_bind_text(statement, 1, gtin);
	db_bind_text(statement, 2, lot);
	enum status status = db_step(index->db, statement, found, err);
	if (status == STATUS_OK && *found && !read_batch(out, arena, statement, 0)) status = no_sense(err);
	db_end(statement);
	return status;
}

#define CONTAINER_COLUMNS "name, code, opener, salt"

static enum status read_container(
    struct document_container *out, struct arena *arena, sqlite3_stmt *statement, struct err *err) {
	*out = (struct document_container){.code = text_of(arena, statement, 1)};
	const bool makes_sense = db_column_fixed(statement, 0, out->id.b, 32) &&
				 db_column_fixed(statement, 2, out->opener.b, 20) &&
				 db_column_fixed(statement, 3, out->salt.b, 32);
	return makes_sense ? STATUS_OK : no_sense(err);
}

static enum status find_containers(void *context, struct document_container *out, size_t *count, struct arena *arena,
    const char *code, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	bool row;
	*count = 0;
	TRY(index_open(index, err));
	TRY(db_statement(
	    index->db, &statement, "SELECT " CONTAINER_COLUMNS " FROM container WHERE code = ? ORDER BY id DESC", err));
	db_bind_text(statement, 1, code);
	enum status status = db_step(index->db, statement, &row, err);
	while (status == STATUS_OK && row && *count < STOCK_CONTAINERS_MAX) {
		status = read_container(&out[(*count)++], arena, statement, err);
		if (status == STATUS_OK) status = db_step(index->db, statement, &row, err);
	}
	db_end(statement);
	return status;
}

static enum status find_container_at(void *context, struct document_container *out, bool *found, struct arena *arena,
    const hash32 *id, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	TRY(index_open(index, err));
	TRY(db_statement(index->db, &statement, "SELECT " CONTAINER_COLUMNS " FROM container WHERE name = ?", err));
	db_bind(statement, 1, BYTES_OF(*id));
	enum status status = db_step(index->db, statement, found, err);
	if (status == STATUS_OK && *found) status = read_container(out, arena, statement, err);
	db_end(statement);
	return status;
}

/* Rows that hang on a name of the chain (empty: on none), and on a unit's place in it (below 0: none). */
struct listing {
	const char *count_sql, *sql;
	struct bytes name;
	int64_t place;
	size_t row_bytes;
	bool (*read)(void *row, struct arena *arena, sqlite3_stmt *statement);
};

static enum status select_rows(
    struct db *db, sqlite3_stmt **out, const char *sql, const struct listing *listing, struct err *err) {
	TRY(db_statement(db, out, sql, err));
	if (listing->name.len) db_bind(*out, 1, listing->name);
	if (listing->place >= 0) sqlite3_bind_int64(*out, 2, listing->place);
	return STATUS_OK;
}

static enum status count_rows(struct db *db, size_t *out, const struct listing *listing, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(select_rows(db, &statement, listing->count_sql, listing, err));
	enum status status = db_step(db, statement, &row, err);
	*out = row ? (size_t)sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

/* The rows are counted first: the arena gives the list once. */
static enum status read_rows(struct index *index, void **out, size_t *count, struct arena *arena,
    const struct listing *listing, struct err *err) {
	sqlite3_stmt *statement;
	size_t room;
	bool more;
	enum status status;
	TRY(index_open(index, err));
	TRY(count_rows(index->db, &room, listing, err));
	uint8_t *rows = arena_zalloc(arena, room + 1, listing->row_bytes);
	*out = rows;
	*count = 0;
	TRY(select_rows(index->db, &statement, listing->sql, listing, err));
	while ((status = db_step(index->db, statement, &more, err)) == STATUS_OK && more && *count < room)
		if (!listing->read(rows + listing->row_bytes * (*count)++, arena, statement)) {
			status = no_sense(err);
			break;
		}
	db_end(statement);
	return status;
}

static bool read_unit_row(void *row, struct arena *arena, sqlite3_stmt *statement) {
	return read_unit(row, arena, statement);
}

static enum status units_in(void *context, struct stock_unit **out, size_t *count, struct arena *arena,
    const hash32 *container, struct err *err) {
	const struct listing listing = {
	    "SELECT count(*) FROM container c CROSS JOIN packed p ON p.container = c.id WHERE c.name = ?",
	    "SELECT " UNIT_COLUMNS " FROM container c CROSS JOIN packed k ON k.container = c.id"
	    " CROSS JOIN unit u ON u.id = k.unit CROSS JOIN batch b ON b.id = u.batch" JOIN_PART
	    " WHERE c.name = ? ORDER BY k.unit",
	    BYTES_OF(*container), -1, sizeof **out, read_unit_row};
	void *rows = NULL;
	enum status status = read_rows(context, &rows, count, arena, &listing, err);
	*out = rows;
	return status;
}

static bool read_name_row(void *row, struct arena *arena, sqlite3_stmt *statement) {
	(void)arena;
	return db_column_fixed(statement, 0, ((hash32 *)row)->b, 32);
}

static enum status containers_of(void *context, hash32 **out, size_t *count, struct arena *arena,
    const struct medicines_unit *place, struct err *err) {
	const struct listing listing = {
	    "SELECT count(*) FROM batch b CROSS JOIN unit u ON u.batch = b.id CROSS JOIN packed p ON p.unit = u.id"
	    " WHERE b.name = ? AND u.place = ?",
	    "SELECT c.name FROM batch b CROSS JOIN unit u ON u.batch = b.id CROSS JOIN packed p ON p.unit = u.id"
	    " CROSS JOIN container c ON c.id = p.container WHERE b.name = ? AND u.place = ? ORDER BY c.id",
	    BYTES_OF(place->batch), place->index, sizeof **out, read_name_row};
	void *rows = NULL;
	enum status status = read_rows(context, &rows, count, arena, &listing, err);
	*out = rows;
	return status;
}

static enum status list_lots(void *context, hash32 **out, size_t *count, struct arena *arena, struct err *err) {
	const struct listing listing = {"SELECT count(*) FROM batch", "SELECT name FROM batch ORDER BY id", {NULL, 0},
	    -1, sizeof **out, read_name_row};
	void *rows = NULL;
	enum status status = read_rows(context, &rows, count, arena, &listing, err);
	*out = rows;
	return status;
}

static enum status count_units(void *context, size_t *out, const char *gtin, struct err *err) {
	struct index *index = context;
	sqlite3_stmt *statement;
	bool found;
	TRY(index_open(index, err));
	TRY(db_statement(index->db, &statement,
	    "SELECT count(*) FROM batch b CROSS JOIN unit u ON u.batch = b.id WHERE b.gtin = ?", err));
	db_bind_text(statement, 1, gtin);
	enum status status = db_step(index->db, statement, &found, err);
	*out = status == STATUS_OK && found ? (size_t)sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static const struct stock_source source = {find_unit, find_unit_at, find_lot, find_containers, find_container_at,
    units_in, containers_of, list_lots, count_units, take};

/* --- the home's documents --- */

static enum status has_document(struct db *db, bool *out, const char *name, struct err *err) {
	sqlite3_stmt *statement;
	char prefixed[2 + 64 + 1];
	hash32 hash;
	snprintf(prefixed, sizeof prefixed, "0x%.64s", name);
	*out = hex_fixed(hash.b, 32, bytes_text(prefixed)) != STATUS_OK;
	if (*out) return STATUS_OK; /* no document's name */
	TRY(db_statement(db, &statement, "SELECT 1 FROM document WHERE hash = ?", err));
	db_bind(statement, 1, BYTES_OF(hash));
	enum status status = db_step(db, statement, out, err);
	db_end(statement);
	return status;
}

/* Documents that came into the home without the index: from a backup, or while the index was lost. */
static enum status take_new(struct index *index, struct actor_request *request, struct err *err) {
	char **names;
	size_t count;
	int64_t indexed;
	TRY(index_open(index, err));
	TRY(stock_names(request, &names, &count, err));
	TRY(db_number(index->db, &indexed, "SELECT count(*) FROM document", err));
	if ((size_t)indexed == count) return STATUS_OK;
	for (size_t i = 0; i < count; i++) {
		struct arena_mark mark = arena_mark(request->arena);
		struct document document;
		bool is_there;
		TRY(has_document(index->db, &is_there, names[i], err));
		if (is_there) continue;
		progress_at(request->progress, "taking documents into the index", i, count);
		TRY(stock_read(request, &document, names[i], err));
		TRY(take(index, &document, err));
		arena_rewind(request->arena, mark);
	}
	progress_at(request->progress, "taking documents into the index", count, count);
	return STATUS_OK;
}

void index_stock_as_it_is(struct index *index, struct stock *out, struct actor_request *request) {
	*out = (struct stock){.source = &source, .context = index, .arena = request->arena};
}

enum status index_stock(struct index *index, struct stock *out, struct actor_request *request, struct err *err) {
	index_stock_as_it_is(index, out, request);
	enum status status = take_new(index, request, err);
	if (status != STATUS_OK && index_gave_up(index)) status = take_new(index, request, err);
	return status;
}
