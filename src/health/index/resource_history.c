/* Histories: of a resource, of a type, of everything. The newest version first; a page begins behind the last one of
 * the page before, by the moment and the sequence of versions. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "health/index/resource_condition.h"

#define COUNT_MAX 10000u

struct entry {
	int64_t at, sequence;
};
struct walk {
	struct resource_question *question;
	struct resource_reader *reader;
	struct arena *arena;
	const struct resource_history *query;
	struct entry before; /* entries of an earlier moment, or of a smaller sequence at the same one */
	struct entry *entries;
	size_t count, capacity, wanted;
};

static void keep(struct walk *walk, struct entry entry) {
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? 2 * walk->capacity : 64;
		struct entry *entries = arena_alloc(walk->arena, capacity * sizeof *entries);
		if (walk->count) memcpy(entries, walk->entries, walk->count * sizeof *entries);
		walk->entries = entries;
		walk->capacity = capacity;
	}
	walk->entries[walk->count++] = entry;
}

/* Columns: sequence, at, type, the folder if it is others', patients, the moment of the next version, resource. */
#define COLUMNS                                                                                                        \
	"SELECT v.sequence, v.at, v.type, f.foreigner * f.id, v.patients,"                                             \
	" (SELECT n.at FROM version n WHERE n.resource = v.resource AND n.number > v.number ORDER BY n.number"         \
	" LIMIT 1), v.resource FROM version v JOIN record r ON r.id = v.record JOIN folder f ON f.id = r.folder"       \
	" WHERE "
#define ORDER " AND (v.at, v.sequence) < (?2, ?3) AND v.at >= ?4 ORDER BY v.at DESC, v.sequence DESC"

static enum status is_wanted(const struct walk *walk, bool *out, sqlite3_stmt *statement, struct err *err) {
	struct resource_seen seen = {.sequence = sqlite3_column_int64(statement, 0),
	    .type = (uint16_t)sqlite3_column_int(statement, 2),
	    .foreign = sqlite3_column_int64(statement, 3),
	    .patients = db_column(statement, 4),
	    .row = (uint32_t)sqlite3_column_int64(statement, 6)};
	bool is_last = sqlite3_column_type(statement, 5) == SQLITE_NULL;
	TRY(resource_spend(walk->question, 1, err));
	TRY(resource_gate_admits(walk->question, out, &seen, err));
	*out = *out && (is_last || sqlite3_column_int64(statement, 5) > walk->query->at_first_ms);
	return STATUS_OK;
}

/* Up to `wanted` more entries of one type or resource. */
static enum status walk_one(struct walk *walk, const char *sql, int64_t of, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	size_t found = 0;
	TRY(db_statement(walk->reader->db, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, of);
	sqlite3_bind_int64(statement, 2, walk->before.at);
	sqlite3_bind_int64(statement, 3, walk->before.sequence);
	sqlite3_bind_int64(statement, 4, walk->query->since_ms);
	enum status status;
	while ((status = db_step(walk->reader->db, statement, &row, err)) == STATUS_OK && row && found < walk->wanted) {
		bool is_one;
		status = is_wanted(walk, &is_one, statement, err);
		if (status != STATUS_OK) break;
		if (!is_one) continue;
		keep(walk, (struct entry){sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 0)});
		found++;
	}
	db_end(statement);
	return status;
}

static enum status walk_all(struct walk *walk, struct err *err) {
	static const char of_resource[] = COLUMNS "v.resource = ?1" ORDER, of_type[] = COLUMNS "v.type = ?1" ORDER;
	const struct resource_key *key = &walk->query->key;
	int64_t resource = 0;
	if (key->type != FHIR_NONE && key->id.len) {
		TRY(resource_find(walk->reader, &resource, key, err));
		return resource ? walk_one(walk, of_resource, resource, err) : STATUS_OK;
	}
	if (key->type != FHIR_NONE) return walk_one(walk, of_type, key->type, err);
	for (uint16_t type = 0; type < fhir_r4.type_count; type++)
		if (fhir_r4.types[type].kind == FHIR_KIND_RESOURCE && !fhir_r4.types[type].is_abstract)
			TRY(walk_one(walk, of_type, type, err));
	return STATUS_OK;
}

static int newest_first(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	if (x->at != y->at) return x->at < y->at ? 1 : -1;
	return (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

/* --- pages --- */

/* All that decides what the pages hold. */
static struct bytes question_of(struct arena *arena, const struct resource_history *query) {
	return bytes_text(arena_printf(arena, "history %u/%.*s %lld %lld %lld", query->key.type, (int)query->key.id.len,
	    (const char *)query->key.id.data, (long long)query->since_ms, (long long)query->at_first_ms,
	    (long long)query->at_last_ms));
}

static enum status begin(
    const struct resources *resources, struct walk *walk, const struct cursor_place *place, struct err *err) {
	struct bytes content;
	int64_t last = walk->query->at_last_ms;
	walk->before = last == INT64_MAX ? (struct entry){INT64_MAX, INT64_MAX} : (struct entry){last + 1, 0};
	if (!walk->query->cursor.len) return STATUS_OK;
	TRY(cursor_open(resources->cursor_key, &content, walk->arena, place, walk->query->cursor, err));
	BUG_ON(content.len != 16);
	walk->before = (struct entry){(int64_t)load_be64(content.data), (int64_t)load_be64(content.data + 8)};
	return STATUS_OK;
}

static enum status make_page(const struct resources *resources, struct walk *walk, struct resource_page *out,
    const struct cursor_place *place, struct err *err) {
	size_t count = walk->count < walk->wanted - 1 ? walk->count : walk->wanted - 1;
	if (walk->count) qsort(walk->entries, walk->count, sizeof *walk->entries, newest_first);
	out->hits = arena_zalloc(walk->arena, count + 1, sizeof *out->hits);
	for (; out->count < count; out->count++)
		TRY(resource_load(walk->reader, &out->hits[out->count].version, walk->arena,
		    walk->entries[out->count].sequence, err));
	if (walk->count <= count || !count) return STATUS_OK;
	uint8_t content[16];
	store_be64(content, (uint64_t)walk->entries[count - 1].at);
	store_be64(content + 8, (uint64_t)walk->entries[count - 1].sequence);
	out->cursor = cursor_seal(resources->cursor_key, walk->arena, place, bytes_make(content, sizeof content));
	return STATUS_OK;
}

static enum status history(struct resource_question *question, struct resource_page *out,
    const struct resource_scope *scope, const struct resource_history *query, struct err *err) {
	struct walk walk = {.question = question, .reader = question->reader, .arena = question->arena, .query = query};
	struct cursor_place place = {query->asker, question_of(question->arena, query)};
	walk.wanted = (query->count < COUNT_MAX ? query->count : COUNT_MAX) + 1;
	TRY(begin(question->resources, &walk, &place, err));
	TRY(resource_gate_open(question, scope, err));
	TRY(walk_all(&walk, err));
	return make_page(question->resources, &walk, out, &place, err);
}

enum status resources_history(struct resources *resources, struct resource_page *out, struct arena *arena,
    const struct resource_scope *scope, const struct resource_history *query, struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena, .budget = RESOURCE_BUDGET};
	*out = (struct resource_page){0};
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status = history(&question, out, scope, query, err);
	resources_give_back(resources, question.reader);
	return status;
}
