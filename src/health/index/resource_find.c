/*
 * Finding: the condition that the fewest resources meet is asked of postings, and what it gives is looked at one by
 * one. Which one that is, is found by reading the beginnings of each. If none is small and few results are wanted,
 * resources are looked at in the order of their rows until there are enough.
 */
#include "health/index/resource_condition.h"

#define FIRST_MAX 512u   /* postings of each condition that are read to compare them */
#define NEXT_FACTOR 16u  /* how many more if no condition has so few */
#define STREAM_MAX 4000u /* resources that are looked at in the order of rows */
#define LOOK_COST 4u

/* --- one resource --- */

/* Folders come one after the other: the answer for the last one is kept. */
static enum status foreign_row(struct resource_question *question, int64_t *out, int64_t folder, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	*out = 0;
	if (!atomic_load(&question->resources->has_foreign)) return STATUS_OK;
	*out = question->last_foreign ? folder : 0;
	if (folder == question->last_folder) return STATUS_OK;
	TRY(db_statement(question->reader->db, &statement, "SELECT foreigner FROM folder WHERE id = ?", err));
	sqlite3_bind_int64(statement, 1, folder);
	enum status status = db_step(question->reader->db, statement, &row, err);
	question->last_foreign = !row || sqlite3_column_int(statement, 0) != 0; /* one that is not known is not ours */
	question->last_folder = folder;
	*out = question->last_foreign ? folder : 0;
	db_end(statement);
	return status;
}

/* The view of its facts is valid until the next one is loaded. */
enum status resource_candidate_load(struct resource_question *question, bool *out, struct resource_candidate *candidate,
    uint32_t row, struct err *err) {
	static const char sql[] =
	    "SELECT type, sequence, folder, facts FROM resource WHERE id = ? AND facts IS NOT NULL";
	sqlite3_stmt *statement;
	int64_t foreign;
	*out = false;
	TRY(resource_spend(question, LOOK_COST, err));
	TRY(db_statement(question->reader->db, &statement, sql, err));
	db_end(statement); /* the one before */
	sqlite3_bind_int64(statement, 1, row);
	TRY(db_step(question->reader->db, statement, out, err));
	if (!*out) return STATUS_OK;
	*candidate = (struct resource_candidate){.row = row,
	    .type = (uint16_t)sqlite3_column_int(statement, 0),
	    .sequence = sqlite3_column_int64(statement, 1),
	    .facts = db_column(statement, 3)};
	TRY(foreign_row(question, &foreign, sqlite3_column_int64(statement, 2), err));
	struct resource_seen seen = {.row = row,
	    .type = candidate->type,
	    .foreign = foreign,
	    .sequence = candidate->sequence,
	    .facts = candidate->facts};
	return resource_gate_admits(question, out, &seen, err);
}

enum status resource_sequence_at(
    struct resource_question *question, int64_t *out, uint32_t row, int64_t snapshot, struct err *err) {
	sqlite3_stmt *statement;
	bool found;
	struct db *db = question->reader->db;
	*out = 0;
	TRY(db_statement(db, &statement,
	    "SELECT sequence FROM version WHERE resource = ? AND sequence <= ? ORDER BY number DESC LIMIT 1", err));
	sqlite3_bind_int64(statement, 1, row);
	sqlite3_bind_int64(statement, 2, snapshot);
	enum status status = db_step(db, statement, &found, err);
	if (status == STATUS_OK && found) *out = sqlite3_column_int64(statement, 0);
	db_end(statement);
	return status;
}

/* --- postings --- */

/* Adds the resources of a range in the order of its keys; *whole false: there are more than `max`. */
enum status resource_range_rows(struct resource_question *question, struct resource_rows *out, bool *whole,
    const struct resource_condition *condition, const struct resource_range *range, size_t max, struct err *err) {
	static const char sql[] = "SELECT key, resource FROM posting WHERE key >= ? AND key < ?";
	sqlite3_stmt *statement;
	struct db *db = question->reader->db;
	bool row;
	size_t read = 0;
	enum status status;
	TRY(db_statement(db, &statement, sql, err));
	db_bind(statement, 1, range->from);
	db_bind(statement, 2, range->to);
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row && read < max) {
		struct bytes key = db_column(statement, 0);
		read++;
		if (!condition || range->is_long || resource_key_fits(condition, bytes_slice(key, 2, key.len)))
			resource_rows_add(question->arena, out, (uint32_t)sqlite3_column_int64(statement, 1));
	}
	*whole = !row;
	db_end(statement);
	return status == STATUS_OK ? resource_spend(question, read + 1, err) : status;
}

static struct resource_range type_range(struct arena *arena, uint16_t type) {
	struct buf key;
	struct resource_range range;
	buf_init(&key, 16);
	resource_fact_put_parameter(&key, RESOURCE_FACT_TYPE);
	resource_fact_put_parameter(&key, type);
	range.from = arena_dup(arena, buf_view(&key));
	buf_byte(&key, 0);
	range.to = arena_dup(arena, buf_view(&key));
	buf_fini(&key);
	return range;
}

/* --- which condition is the smallest --- */

static enum status rows_of(struct resource_question *question, struct resource_rows *out, bool *whole,
    const struct resource_condition *condition, size_t max, struct err *err);

static enum status rows_of_children(struct resource_question *question, struct resource_rows *out, bool *whole,
    const struct resource_condition *condition, size_t max, struct err *err) {
	bool is_all = condition->kind == RESOURCE_ALL_OF;
	*whole = !is_all; /* ANY_OF: the rows of all children */
	for (const struct resource_condition *child = condition->children; child; child = child->next) {
		struct resource_rows rows = {0};
		bool is_whole;
		if (is_all && *whole) max = out->count; /* only a smaller one is of interest */
		TRY(rows_of(question, &rows, &is_whole, child, max, err));
		if (is_all && is_whole && (!*whole || rows.count < out->count)) {
			*out = rows;
			*whole = true;
		}
		if (is_all) continue;
		for (size_t i = 0; is_whole && i < rows.count; i++)
			resource_rows_add(question->arena, out, rows.items[i]);
		*whole = is_whole && out->count <= max;
		if (!*whole) return STATUS_OK;
	}
	return STATUS_OK;
}

/* All that may meet the condition, in any order; *whole false: they are more than `max`, or postings do not say. */
static enum status rows_of(struct resource_question *question, struct resource_rows *out, bool *whole,
    const struct resource_condition *condition, size_t max, struct err *err) {
	*whole = false;
	switch (condition->kind) {
	case RESOURCE_ROWS:
		*out = condition->rows;
		*whole = true;
		return STATUS_OK;
	case RESOURCE_NONE_OF: return STATUS_OK;
	case RESOURCE_ALL_OF:
	case RESOURCE_ANY_OF: return rows_of_children(question, out, whole, condition, max, err);
	case RESOURCE_VALUE: break;
	}
	if (!condition->criterion || condition->criterion->modifier == FHIR_DISPLAY) return STATUS_OK;
	*whole = true;
	for (size_t i = 0; i < condition->range_count && *whole && out->count <= max; i++)
		TRY(resource_range_rows(question, out, whole, condition, &condition->ranges[i], max, err));
	*whole = *whole && out->count <= max;
	return STATUS_OK;
}

static enum status rows_of_types(
    struct resource_question *question, struct resource_rows *out, const struct resource_find *find, struct err *err) {
	bool whole;
	for (uint16_t type = 0; type < fhir_r4.type_count; type++) {
		bool is_wanted = !find->type_count;
		for (size_t i = 0; i < find->type_count; i++) is_wanted |= find->types[i] == type;
		if (!is_wanted || fhir_r4.types[type].kind != FHIR_KIND_RESOURCE) continue;
		struct resource_range range = type_range(question->arena, type);
		TRY(resource_range_rows(question, out, &whole, NULL, &range, RESOURCE_ROWS_MAX, err));
	}
	return STATUS_OK;
}

/* --- looking --- */

struct looking {
	struct resource_question *question;
	const struct resource_find *find;
	struct resource_rows *out;
	size_t found;
	bool is_over;
};

static bool is_of_types(const struct resource_find *find, uint16_t type) {
	for (size_t i = 0; i < find->type_count; i++)
		if (find->types[i] == type) return true;
	return !find->type_count;
}

enum status resource_find_admits(struct resource_question *question, bool *out, const struct resource_find *find,
    struct resource_candidate *candidate, struct err *err) {
	*out = is_of_types(find, candidate->type);
	if (*out && candidate->sequence > find->snapshot) {
		int64_t before;
		TRY(resource_sequence_at(question, &before, candidate->row, find->snapshot, err));
		*out = before > 0;
	}
	return *out ? resource_meets(question, out, find->condition, candidate, err) : STATUS_OK;
}

static enum status look(struct looking *l, uint32_t row, struct err *err) {
	struct resource_candidate candidate;
	struct arena_mark mark = arena_mark(l->question->arena);
	bool is_met;
	TRY(resource_candidate_load(l->question, &is_met, &candidate, row, err));
	if (is_met) TRY(resource_find_admits(l->question, &is_met, l->find, &candidate, err));
	if (is_met) {
		l->found++;
		if (l->find->visit)
			l->is_over = !l->find->visit(l->find->context, &candidate);
		else
			resource_rows_add(l->question->arena, l->out, row);
	} else {
		arena_rewind(l->question->arena, mark);
	}
	l->is_over |= l->found >= l->find->limit;
	return STATUS_OK;
}

static enum status look_at_all(struct looking *l, struct resource_rows *rows, struct err *err) {
	resource_rows_sort(rows);
	for (size_t i = 0; i < rows->count && !l->is_over; i++)
		if (rows->items[i] > l->find->after) TRY(look(l, rows->items[i], err));
	return STATUS_OK;
}

/* In the order of rows of one type, for a while. */
static enum status stream(struct looking *l, struct err *err) {
	static const char sql[] = "SELECT resource FROM posting WHERE key = ? AND resource > ?";
	struct db *db = l->question->reader->db;
	struct resource_range range = type_range(l->question->arena, l->find->types[0]);
	sqlite3_stmt *statement;
	bool row = true;
	enum status status = STATUS_OK;
	TRY(db_statement(db, &statement, sql, err));
	db_bind(statement, 1, range.from);
	sqlite3_bind_int64(statement, 2, l->find->after);
	for (size_t seen = 0; seen < STREAM_MAX && !l->is_over && status == STATUS_OK; seen++) {
		status = db_step(db, statement, &row, err);
		if (status != STATUS_OK || !row) break;
		status = look(l, (uint32_t)sqlite3_column_int64(statement, 0), err);
	}
	l->is_over |= !row;
	db_end(statement);
	return status;
}

enum status resource_find_all(
    struct resource_question *question, struct resource_rows *out, const struct resource_find *find, struct err *err) {
	struct looking looking = {question, find, out, 0, false};
	struct resource_rows rows = {0};
	bool whole = false;
	if (!find->limit) return STATUS_OK;
	size_t max = FIRST_MAX;
	for (unsigned tries = 0; tries < 2 && !whole; tries++, max *= NEXT_FACTOR) {
		rows.count = 0;
		TRY(rows_of(question, &rows, &whole, find->condition, max, err));
	}
	if (!whole && find->limit < STREAM_MAX && find->type_count == 1 && !find->visit) {
		size_t before = out->count;
		TRY(stream(&looking, err));
		if (looking.is_over) return STATUS_OK;
		out->count = before; /* it takes too long: by the smallest condition after all */
		looking.found = 0;
	}
	for (; !whole && max < RESOURCE_ROWS_MAX * NEXT_FACTOR; max *= NEXT_FACTOR) {
		rows.count = 0;
		TRY(rows_of(question, &rows, &whole, find->condition, max, err));
	}
	if (!whole) {
		rows.count = 0;
		TRY(rows_of_types(question, &rows, find, err));
	}
	return look_at_all(&looking, &rows, err);
}

enum status resource_find_is_small(
    struct resource_question *question, bool *out, const struct resource_condition *condition, struct err *err) {
	struct resource_rows rows = {0};
	return rows_of(question, &rows, out, condition, FIRST_MAX * NEXT_FACTOR / 4, err);
}
