#include "health/index/resource_postings.h"

#include <stdlib.h>

void resource_postings_begin(struct resources *resources, struct resource_postings *postings) {
	*postings = (struct resource_postings){.count = 0};
	arena_init(&postings->arena);
	resources->postings = postings;
}

void resource_postings_end(struct resources *resources) {
	arena_fini(&resources->postings->arena);
	mem_free(resources->postings->items);
	resources->postings = NULL;
}

static void note(struct resource_postings *postings, struct bytes key, int64_t resource, bool is_there) {
	if (postings->count == postings->capacity) {
		postings->capacity = postings->capacity ? 2 * postings->capacity : 1024;
		postings->items = mem_realloc(postings->items, postings->capacity * sizeof *postings->items);
	}
	postings->items[postings->count] =
	    (struct resource_posting){key, (uint32_t)resource, (uint32_t)postings->count, is_there};
	postings->count++;
}

/* Both are sorted: what is in one of them alone. */
static void compare(struct resource_postings *postings, int64_t resource, struct bytes before, struct bytes after) {
	struct bytes old, new;
	bool has_old = resource_fact_next(&old, &before), has_new = resource_fact_next(&new, &after);
	while (has_old || has_new) {
		int order = !has_old ? 1 : !has_new ? -1 : bytes_compare(old, new);
		if (order < 0) note(postings, old, resource, false);
		if (order > 0) note(postings, new, resource, true);
		if (order <= 0) has_old = resource_fact_next(&old, &before);
		if (order >= 0) has_new = resource_fact_next(&new, &after);
	}
}

enum status resource_postings_of(struct resources *resources, int64_t resource, struct bytes facts, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(resources->writer, &statement, "SELECT facts FROM resource WHERE id = ?", err));
	sqlite3_bind_int64(statement, 1, resource);
	enum status status = db_step(resources->writer, statement, &row, err);
	if (status == STATUS_OK) {
		struct bytes before = row ? db_column(statement, 0) : (struct bytes){NULL, 0};
		compare(resources->postings, resource, arena_dup(&resources->postings->arena, before), facts);
	}
	db_end(statement);
	return status;
}

static int by_key(const void *a, const void *b) {
	const struct resource_posting *x = a, *y = b;
	int order = bytes_compare(x->key, y->key);
	if (order) return order;
	if (x->resource != y->resource) return x->resource < y->resource ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static enum status write_one(struct resources *resources, const struct resource_posting *posting, struct err *err) {
	static const char insert[] = "INSERT OR IGNORE INTO posting(key, resource) VALUES(?, ?)",
			  delete[] = "DELETE FROM posting WHERE key = ? AND resource = ?";
	sqlite3_stmt *statement;
	TRY(db_statement(resources->writer, &statement, posting->is_there ? insert : delete, err));
	sqlite3_bind_blob(statement, 1, posting->key.data, (int)posting->key.len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, posting->resource);
	return db_finish(resources->writer, statement, err);
}

/* Of several changes of one posting, the last one counts. */
enum status resource_postings_write(struct resources *resources, struct err *err) {
	struct resource_posting *items = resources->postings->items;
	size_t count = resources->postings->count;
	if (count) qsort(items, count, sizeof *items, by_key);
	for (size_t i = 0; i < count; i++) {
		bool is_last = i + 1 == count || items[i + 1].resource != items[i].resource ||
			       !bytes_equal(items[i + 1].key, items[i].key);
		if (is_last) TRY(write_one(resources, &items[i], err));
	}
	return STATUS_OK;
}
