#include "health/index/resource_search.h"

#define CHANGED_MAX 2000u /* resources that changed since the first page, which are looked at by themselves */

struct walk {
	struct resource_search_run *run;
	struct resource_find find;
	struct resource_rows changed;
	size_t wanted;
};

static bool is_behind(const struct walk *walk, const struct resource_search_match *match) {
	struct resource_search_match last = {walk->run->after.keys, walk->run->after.row};
	return !last.row || resource_search_compare(walk->run->search, match, &last) > 0;
}

static enum status find_changed(struct walk *walk) {
	static const char sql[] = "SELECT DISTINCT resource FROM version WHERE sequence > ? LIMIT ?";
	struct resource_question *question = walk->run->question;
	sqlite3_stmt *statement;
	bool row;
	enum status status;
	TRY(db_statement(question->reader->db, &statement, sql, walk->run->err));
	sqlite3_bind_int64(statement, 1, walk->run->after.snapshot);
	sqlite3_bind_int(statement, 2, CHANGED_MAX);
	while ((status = db_step(question->reader->db, statement, &row, walk->run->err)) == STATUS_OK && row)
		resource_rows_add(question->arena, &walk->changed, (uint32_t)sqlite3_column_int64(statement, 0));
	db_end(statement);
	resource_rows_sort(&walk->changed);
	return status;
}

/* They stand where they stood. */
static enum status keep_changed(struct walk *walk) {
	struct resource_search_run *run = walk->run;
	for (size_t i = 0; i < walk->changed.count; i++) {
		struct resource_candidate candidate;
		struct resource_search_match match;
		bool is_met;
		TRY(resource_candidate_load(run->question, &is_met, &candidate, walk->changed.items[i], run->err));
		if (is_met) TRY(resource_find_admits(run->question, &is_met, &walk->find, &candidate, run->err));
		if (!is_met) continue;
		TRY(resource_search_place(run, &match, &candidate));
		if (is_behind(walk, &match)) resource_search_keep(run, match);
	}
	return STATUS_OK;
}

/* One posting: a resource may have several, of which one is its place. */
static enum status take(struct walk *walk, struct bytes key, uint32_t row) {
	struct resource_search_run *run = walk->run;
	struct resource_candidate candidate;
	struct resource_search_match match = {.row = row};
	bool is_met;
	if (resource_rows_has(&walk->changed, row)) return STATUS_OK;
	TRY(resource_candidate_load(run->question, &is_met, &candidate, row, run->err));
	if (is_met) is_met = bytes_equal(resource_search_value(candidate.facts, run->search->sorts), key);
	if (is_met) TRY(resource_find_admits(run->question, &is_met, &walk->find, &candidate, run->err));
	if (!is_met) return STATUS_OK;
	TRY(resource_search_place(run, &match, &candidate));
	if (!is_behind(walk, &match)) return STATUS_OK;
	resource_search_keep(run, match);
	walk->wanted--;
	return STATUS_OK;
}

/* The parameter's keys, from the last page's place on. */
static struct resource_range range_of(const struct walk *walk, bool descending) {
	struct buf key;
	struct bytes keys = walk->run->after.keys;
	unsigned parameter = resource_fact_number(walk->run->search->sorts->search);
	struct resource_range range;
	struct arena *arena = walk->run->question->arena;
	buf_init(&key, BUF_MAX_DEFAULT);
	resource_fact_put_parameter(&key, parameter);
	range.from = arena_dup(arena, buf_view(&key));
	buf_clear(&key);
	resource_fact_put_parameter(&key, parameter + 1);
	range.to = arena_dup(arena, buf_view(&key));
	size_t len = keys.len >= 2 ? (size_t)keys.data[0] << 8 | keys.data[1] : 0xffff;
	if (len != 0xffff && keys.len >= 2 + len) {
		buf_clear(&key);
		resource_fact_put_parameter(&key, parameter);
		buf_append(&key, bytes_slice(keys, 2, len));
		if (descending) buf_byte(&key, 0); /* the key itself is within */
		*(descending ? &range.to : &range.from) = arena_dup(arena, buf_view(&key));
	}
	buf_fini(&key);
	return range;
}

static enum status walk_postings(struct walk *walk) {
	static const char
	    up[] = "SELECT key, resource FROM posting WHERE key >= ? AND key < ? ORDER BY key, resource",
	    down[] = "SELECT key, resource FROM posting WHERE key >= ? AND key < ? ORDER BY key DESC, resource DESC";
	struct resource_search_run *run = walk->run;
	struct db *db = run->question->reader->db;
	bool row, descending = run->search->sorts->descending;
	struct resource_range range = range_of(walk, descending);
	sqlite3_stmt *statement;
	enum status status;
	TRY(db_statement(db, &statement, descending ? down : up, run->err));
	db_bind(statement, 1, range.from);
	db_bind(statement, 2, range.to);
	while ((status = db_step(db, statement, &row, run->err)) == STATUS_OK && row && walk->wanted) {
		struct bytes key = db_column(statement, 0);
		status = take(walk, bytes_slice(key, 2, key.len), (uint32_t)sqlite3_column_int64(statement, 1));
		if (status != STATUS_OK) break;
	}
	db_end(statement);
	return status;
}

static bool is_of_no_value(const struct resource_search_run *run) {
	struct bytes keys = run->after.keys;
	return run->after.row && keys.len >= 2 && keys.data[0] == 0xff && keys.data[1] == 0xff;
}

enum status resource_walk(struct resource_search_run *run, bool *done) {
	struct walk walk = {.run = run, .wanted = (size_t)run->search->count + 1};
	bool is_small;
	*done = false;
	if (run->search->sort_count != 1 || resource_search_is_by_id(run->search->sorts) || is_of_no_value(run))
		return STATUS_OK;
	TRY(resource_find_is_small(run->question, &is_small, run->condition, run->err));
	if (is_small) return STATUS_OK;
	walk.find = (struct resource_find){.condition = run->condition,
	    .types = run->search->types,
	    .type_count = run->search->type_count,
	    .snapshot = run->after.snapshot};
	if (run->after.row) TRY(find_changed(&walk));
	if (walk.changed.count == CHANGED_MAX) return STATUS_OK;
	TRY(keep_changed(&walk));
	TRY(walk_postings(&walk));
	*done = walk.wanted == 0;
	if (*done) resource_search_sort(run);
	return STATUS_OK;
}
