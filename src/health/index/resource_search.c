/* A search: its matches, sorted, page by page. */
#include <stdlib.h>

#include "health/index/resource_search.h"

/* --- cursors --- */

static struct bytes question_text(struct arena *arena, const struct fhir_search *search) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	buf_printf(&text, "search %zu/", search->type_count);
	for (size_t i = 0; i < search->type_count; i++) buf_printf(&text, "%u,", search->types[i]);
	if (search->compartment != FHIR_NONE) { /* is not in the query */
		buf_printf(&text, "%u/", search->compartment);
		buf_append(&text, search->compartment_id);
	}
	buf_text(&text, "?");
	fhir_search_write(&text, search);
	struct bytes out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

static enum status read_cursor(struct resource_search_run *run, struct err *err) {
	struct bytes content;
	struct resource_search_after *after = &run->after;
	if (!run->search->cursor.len) {
		after->total = -1;
		return db_number(
		    run->question->reader->db, &after->snapshot, "SELECT ifnull(max(sequence), 0) FROM version", err);
	}
	TRY(cursor_open(run->question->resources->cursor_key, &content, run->question->arena, &run->place,
	    run->search->cursor, err));
	BUG_ON(content.len < 20); /* we made it */
	*after = (struct resource_search_after){.snapshot = (int64_t)load_be64(content.data),
	    .total = (int64_t)load_be64(content.data + 8),
	    .row = load_be32(content.data + 16),
	    .keys = bytes_slice(content, 20, content.len)};
	return STATUS_OK;
}

static struct bytes write_cursor(const struct resource_search_run *run, const struct resource_search_match *last) {
	struct arena *arena = run->question->arena;
	uint8_t *content = arena_alloc(arena, 20 + last->keys.len);
	store_be64(content, (uint64_t)run->after.snapshot);
	store_be64(content + 8, (uint64_t)run->after.total);
	store_be32(content + 16, last->row);
	if (last->keys.len) memcpy(content + 20, last->keys.data, last->keys.len);
	return cursor_seal(
	    run->question->resources->cursor_key, arena, &run->place, bytes_make(content, 20 + last->keys.len));
}

/* --- order --- */

/* The smallest or the largest value of a parameter. */
struct bytes resource_search_value(struct bytes facts, const struct fhir_search_sort *sort) {
	struct bytes key, best = {NULL, 0};
	unsigned wanted = resource_fact_number(sort->search);
	while (resource_fact_next(&key, &facts)) {
		unsigned parameter = (unsigned)(key.data[0] << 8 | key.data[1]);
		if (parameter > wanted) break;
		if (parameter == wanted && (!best.data || sort->descending)) best = bytes_slice(key, 2, key.len);
	}
	return best;
}

bool resource_search_is_by_id(const struct fhir_search_sort *sort) {
	return strcmp(fhir_text(&fhir_r4, sort->search->code), "_id") == 0;
}

static enum status put_id(struct resource_search_run *run, struct buf *out, uint32_t row) {
	sqlite3_stmt *statement;
	bool found;
	struct db *db = run->question->reader->db;
	TRY(db_statement(db, &statement, "SELECT name FROM resource WHERE id = ?", run->err));
	sqlite3_bind_int64(statement, 1, row);
	enum status status = db_step(db, statement, &found, run->err);
	if (status == STATUS_OK && found) {
		struct bytes id = resource_column_id(run->question->arena, statement, 0);
		resource_fact_put_parameter(out, (unsigned)id.len);
		buf_append(out, id);
	}
	db_end(statement);
	return status;
}

static enum status sort_keys(
    struct resource_search_run *run, struct bytes *out, const struct resource_candidate *candidate) {
	struct buf keys;
	enum status status = STATUS_OK;
	buf_init(&keys, RESOURCE_SORT_KEYS_MAX);
	for (size_t i = 0; i < run->search->sort_count && status == STATUS_OK; i++) {
		const struct fhir_search_sort *sort = &run->search->sorts[i];
		if (resource_search_is_by_id(sort)) {
			status = put_id(run, &keys, candidate->row);
			continue;
		}
		struct bytes value = resource_search_value(candidate->facts, sort);
		resource_fact_put_parameter(&keys, value.data ? (unsigned)value.len : 0xffffu);
		buf_append(&keys, value);
	}
	if (status == STATUS_OK && keys.overflow)
		status = err_set(run->err, STATUS_LIMIT, "it sorts by too many parameters: name fewer");
	*out = arena_dup(run->question->arena, buf_view(&keys));
	buf_fini(&keys);
	return status;
}

static bool take_key(struct bytes *out, struct bytes *keys) {
	struct bytes head;
	if (!resource_fact_take(&head, keys, 2)) return false;
	size_t len = (size_t)head.data[0] << 8 | head.data[1];
	*out = (struct bytes){NULL, 0};
	return len == 0xffff || resource_fact_take(out, keys, len);
}

/* What has no value comes last, whichever way it is sorted. */
int resource_search_compare(
    const struct fhir_search *search, const struct resource_search_match *a, const struct resource_search_match *b) {
	struct bytes x = a->keys, y = b->keys, left, right;
	for (size_t i = 0; i < search->sort_count; i++) {
		if (!take_key(&left, &x) || !take_key(&right, &y)) break;
		if (!left.data != !right.data) return left.data ? -1 : 1;
		int order = bytes_compare(left, right);
		if (order) return search->sorts[i].descending ? -order : order;
	}
	int order = (a->row > b->row) - (a->row < b->row);
	return search->sort_count && search->sorts[0].descending ? -order : order; /* as postings come, either way */
}

static int compare_matches(const void *a, const void *b, void *search) {
	return resource_search_compare(search, a, b);
}

/* --- matches --- */

void resource_search_keep(struct resource_search_run *run, struct resource_search_match match) {
	if (run->count == run->capacity) {
		run->capacity = run->capacity ? 2 * run->capacity : 64;
		struct resource_search_match *more = arena_alloc(run->question->arena, run->capacity * sizeof *more);
		if (run->count) memcpy(more, run->matches, run->count * sizeof *more);
		run->matches = more;
	}
	run->matches[run->count++] = match;
}

/* What changed after the first page stands where it stood then. */
enum status resource_search_place(
    struct resource_search_run *run, struct resource_search_match *out, const struct resource_candidate *candidate) {
	struct resource_candidate then = *candidate;
	out->row = candidate->row;
	if (!run->search->sort_count) return STATUS_OK;
	if (candidate->sequence > run->after.snapshot) {
		TRY(resource_sequence_at(run->question, &then.sequence, then.row, run->after.snapshot, run->err));
		then.facts = (struct bytes){NULL, 0};
		TRY(resource_candidate_facts(run->question, &then, run->err));
	}
	return sort_keys(run, &out->keys, &then);
}

static bool visit(void *context, const struct resource_candidate *candidate) {
	struct resource_search_run *run = context;
	struct resource_search_match match = {.row = 0}, last = {run->after.keys, run->after.row};
	run->seen++;
	if (!run->search->count) return true;
	run->status = resource_search_place(run, &match, candidate);
	if (run->status != STATUS_OK) return false;
	bool is_behind = !run->after.row || resource_search_compare(run->search, &match, &last) > 0;
	if (is_behind) resource_search_keep(run, match);
	return true;
}

void resource_search_sort(struct resource_search_run *run) {
	if (run->count) qsort_r(run->matches, run->count, sizeof *run->matches, compare_matches, (void *)run->search);
}

static struct resource_find find_of(const struct resource_search_run *run) {
	return (struct resource_find){.condition = run->condition,
	    .types = run->search->types,
	    .type_count = run->search->type_count,
	    .limit = SIZE_MAX,
	    .snapshot = run->after.snapshot};
}

/* All of them, to be sorted or counted. */
static enum status gather_all(struct resource_search_run *run, struct err *err) {
	struct resource_find find = find_of(run);
	struct resource_rows none = {0};
	find.visit = visit;
	find.context = run;
	run->err = err;
	TRY(resource_find_all(run->question, &none, &find, err));
	TRY(run->status);
	if (run->count) qsort_r(run->matches, run->count, sizeof *run->matches, compare_matches, (void *)run->search);
	run->after.total = (int64_t)run->seen;
	return STATUS_OK;
}

/* In the order of rows: the next ones, and one more to know whether there are. */
static enum status gather_page(struct resource_search_run *run, struct err *err) {
	struct resource_find find = find_of(run);
	struct resource_rows rows = {0};
	find.after = run->after.row;
	find.limit = (size_t)run->search->count + 1;
	TRY(resource_find_all(run->question, &rows, &find, err));
	for (size_t i = 0; i < rows.count; i++)
		resource_search_keep(run, (struct resource_search_match){.row = rows.items[i]});
	if (!run->after.row && rows.count <= run->search->count) run->after.total = (int64_t)rows.count;
	return STATUS_OK;
}

static enum status gather(struct resource_search_run *run, struct err *err) {
	bool counts = run->search->total != FHIR_TOTAL_NONE && run->after.total < 0;
	bool is_done = false;
	run->err = err;
	if (!run->search->sort_count && !counts) return gather_page(run, err);
	if (run->search->sort_count && !counts && run->search->count) TRY(resource_walk(run, &is_done));
	if (is_done) return STATUS_OK;
	run->count = run->seen = 0;
	return gather_all(run, err);
}

static enum status load_row(
    struct resource_question *question, struct resource_version *out, uint32_t row, struct err *err) {
	struct resource_candidate candidate;
	bool is_there;
	TRY(resource_candidate_load(question, &is_there, &candidate, row, err));
	BUG_ON(!is_there); /* this reader's state stands still */
	return resource_load(question->reader, out, question->arena, candidate.sequence, err);
}

static enum status make_page(struct resource_search_run *run, struct resource_page *out, struct err *err) {
	size_t count = run->count < run->search->count ? run->count : run->search->count;
	struct resource_rows rows = {0};
	out->has_total = run->after.total >= 0;
	out->total = out->has_total ? (uint64_t)run->after.total : 0;
	out->hits = arena_zalloc(run->question->arena, count + 1, sizeof *out->hits);
	for (; out->count < count; out->count++) {
		uint32_t row = run->matches[out->count].row;
		TRY(load_row(run->question, &out->hits[out->count].version, row, err));
		resource_rows_add(run->question->arena, &rows, row);
	}
	if (count && run->count > count) out->cursor = write_cursor(run, &run->matches[count - 1]);
	return count ? resource_includes_add(run->question, out, &rows, run->search, err) : STATUS_OK;
}

static enum status search_with(struct resource_question *question, struct resource_page *out,
    const struct resource_scope *scope, struct bytes asker, const struct fhir_search *search, struct err *err) {
	struct resource_search_run run = {
	    .question = question, .search = search, .place = {asker, question_text(question->arena, search)}};
	TRY(resource_gate_open(question, scope, err));
	TRY(read_cursor(&run, err));
	TRY(resource_conditions_make(question, &run.condition, search->criteria, err));
	TRY(gather(&run, err));
	return make_page(&run, out, err);
}

enum status resources_search(struct resources *resources, struct resource_page *out, struct arena *arena,
    const struct resource_scope *scope, struct bytes asker, const struct fhir_search *search, struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena, .budget = RESOURCE_BUDGET};
	*out = (struct resource_page){0};
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status = search_with(&question, out, scope, asker, search, err);
	resources_give_back(resources, question.reader);
	return status;
}

static enum status match_with(struct resource_question *question, struct resource_version matches[2], size_t *count,
    const struct resource_scope *scope, const struct fhir_search *search, struct err *err) {
	struct resource_condition *condition;
	struct resource_rows rows = {0};
	TRY(resource_gate_open(question, scope, err));
	TRY(resource_conditions_make(question, &condition, search->criteria, err));
	struct resource_find find = {.condition = condition,
	    .types = search->types,
	    .type_count = search->type_count,
	    .limit = 2,
	    .snapshot = INT64_MAX};
	TRY(resource_find_all(question, &rows, &find, err));
	for (*count = 0; *count < rows.count; ++*count)
		TRY(load_row(question, &matches[*count], rows.items[*count], err));
	return STATUS_OK;
}

enum status resources_match(struct resources *resources, struct resource_version matches[2], size_t *count,
    struct arena *arena, const struct resource_scope *scope, const struct fhir_search *search, struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena, .budget = RESOURCE_BUDGET};
	*count = 0;
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status = match_with(&question, matches, count, scope, search, err);
	resources_give_back(resources, question.reader);
	return status;
}
