/* Reading one version. */
#include "health/index/resource_condition.h"

#include "codec/hex.h"

#define UUID_TEXT 36u

/* --- ids --- */

static bool is_dash(size_t place) {
	return place == 8 || place == 13 || place == 18 || place == 23;
}

/* Lower case only: the bytes have to give the very text back. */
static bool uuid_of(uint8_t out[16], struct bytes id) {
	size_t nibble = 0;
	if (id.len != UUID_TEXT) return false;
	for (size_t i = 0; i < UUID_TEXT; i++) {
		uint8_t c = id.data[i];
		if (is_dash(i) != (c == '-')) return false;
		if (c == '-') continue;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
		uint8_t value = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		out[nibble / 2] = (uint8_t)(nibble % 2 ? out[nibble / 2] | value : value << 4);
		nibble++;
	}
	return true;
}

void resource_bind_id(sqlite3_stmt *statement, int place, struct bytes id) {
	uint8_t uuid[16];
	if (uuid_of(uuid, id))
		sqlite3_bind_blob(statement, place, uuid, sizeof uuid, SQLITE_TRANSIENT);
	else
		sqlite3_bind_text(statement, place, (const char *)id.data, (int)id.len, SQLITE_TRANSIENT);
}

struct bytes resource_column_id(struct arena *arena, sqlite3_stmt *statement, int place) {
	struct bytes stored = db_column(statement, place);
	if (sqlite3_column_type(statement, place) != SQLITE_BLOB || stored.len != 16) return arena_dup(arena, stored);
	static const char digits[] = "0123456789abcdef";
	uint8_t *text = arena_alloc(arena, UUID_TEXT);
	for (size_t i = 0, nibble = 0; i < UUID_TEXT; i++) {
		if (is_dash(i)) {
			text[i] = '-';
			continue;
		}
		text[i] = (uint8_t)digits[nibble % 2 ? stored.data[nibble / 2] & 15 : stored.data[nibble / 2] >> 4];
		nibble++;
	}
	return bytes_make(text, UUID_TEXT);
}

/* --- rows --- */

enum status resource_find(
    struct resource_reader *reader, int64_t *out, const struct resource_key *key, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	*out = 0;
	if (!key->id.len || key->id.len > RESOURCE_ID_MAX) return STATUS_OK;
	TRY(db_statement(reader->db, &statement, "SELECT id FROM resource WHERE name = ? AND type = ?", err));
	resource_bind_id(statement, 1, key->id);
	sqlite3_bind_int(statement, 2, key->type);
	enum status status = db_step(reader->db, statement, &row, err);
	if (status == STATUS_OK && row) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

static enum status fill(struct resource_reader *reader, struct resource_version *out, struct arena *arena,
    sqlite3_stmt *statement, struct err *err) {
	*out = (struct resource_version){
	    .key = {(uint16_t)sqlite3_column_int(statement, 0), resource_column_id(arena, statement, 1)},
	    .version = (uint32_t)sqlite3_column_int64(statement, 2),
	    .method = (enum resource_method)sqlite3_column_int(statement, 3),
	    .at_ms = sqlite3_column_int64(statement, 4),
	    .part = (uint32_t)sqlite3_column_int64(statement, 5)};
	if (!db_column_fixed(statement, 6, out->folder.b, 32) || !db_column_fixed(statement, 7, out->record.b, 32))
		return err_set(err, STATUS_CORRUPT, "a resource in the index is damaged");
	return resource_unpack(reader->codec, &out->content, arena, db_column(statement, 8), err);
}

enum status resource_load(struct resource_reader *reader, struct resource_version *out, struct arena *arena,
    int64_t sequence, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(reader->db, &statement,
	    "SELECT v.type, s.name, v.number, v.method, v.at, v.part, f.hash, r.hash, v.content FROM version v"
	    " JOIN resource s ON s.id = v.resource JOIN record r ON r.id = v.record JOIN folder f ON f.id = r.folder"
	    " WHERE v.sequence = ?",
	    err));
	sqlite3_bind_int64(statement, 1, sequence);
	enum status status = db_step(reader->db, statement, &row, err);
	if (status == STATUS_OK && !row) status = err_set(err, STATUS_NOTFOUND, "there is no such version");
	if (status == STATUS_OK) status = fill(reader, out, arena, statement, err);
	db_end(statement);
	return status;
}

/* The version that is asked for, if the scope admits it: *sequence 0 otherwise. */
static enum status find_version(
    struct resource_question *question, int64_t *sequence, int64_t resource, uint32_t version, struct err *err) {
	sqlite3_stmt *statement;
	struct db *db = question->reader->db;
	bool row, is_admitted = false;
	*sequence = 0;
	TRY(db_statement(db, &statement,
	    "SELECT v.sequence, v.type, f.foreigner * f.id, v.patients, CASE WHEN v.sequence = s.sequence THEN s.facts END"
	    " FROM resource s JOIN version v ON v.resource = s.id AND v.number = ifnull(?2, s.version)"
	    " JOIN record r ON r.id = v.record JOIN folder f ON f.id = r.folder WHERE s.id = ?1",
	    err));
	sqlite3_bind_int64(statement, 1, resource);
	if (version) sqlite3_bind_int64(statement, 2, version);
	enum status status = db_step(db, statement, &row, err);
	if (status == STATUS_OK && row) {
		struct resource_seen seen = {.row = (uint32_t)resource,
		    .sequence = sqlite3_column_int64(statement, 0),
		    .type = (uint16_t)sqlite3_column_int(statement, 1),
		    .foreign = sqlite3_column_int64(statement, 2),
		    .patients = db_column(statement, 3),
		    .facts = db_column(statement, 4)};
		status = resource_gate_admits(question, &is_admitted, &seen, err);
		if (is_admitted) *sequence = seen.sequence;
	}
	db_end(statement);
	return status;
}

static enum status get(struct resource_question *question, struct resource_version *out,
    const struct resource_scope *scope, const struct resource_key *key, uint32_t version, struct err *err) {
	int64_t resource, sequence = 0;
	TRY(resource_gate_open(question, scope, err));
	TRY(resource_find(question->reader, &resource, key, err));
	if (resource) TRY(find_version(question, &sequence, resource, version, err));
	if (!sequence) return err_set(err, STATUS_NOTFOUND, "there is no such resource");
	return resource_load(question->reader, out, question->arena, sequence, err);
}

enum status resources_get(struct resources *resources, struct resource_version *out, struct arena *arena,
    const struct resource_scope *scope, const struct resource_key *key, uint32_t version, struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena, .budget = RESOURCE_BUDGET};
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status = get(&question, out, scope, key, version, err);
	resources_give_back(resources, question.reader);
	return status;
}
