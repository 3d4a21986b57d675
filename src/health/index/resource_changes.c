/* What was written, in the order in which this file took it in. */
#include "health/index/resource_condition.h"

static enum status read_changes(struct resource_question *question, struct resource_changes *out,
    const struct resource_changes_query *query, struct err *err) {
	struct resource_reader *reader = question->reader;
	sqlite3_stmt *statement;
	bool row;
	TRY(db_statement(reader->db, &statement,
	    "SELECT v.sequence FROM version v JOIN record r ON r.id = v.record JOIN folder f ON f.id = r.folder"
	    " WHERE v.sequence > ?1 AND +v.type = ?2 AND v.method <> ?3 AND f.foreigner = 0"
	    " ORDER BY v.sequence LIMIT ?4",
	    err));
	sqlite3_bind_int64(statement, 1, query->after);
	sqlite3_bind_int(statement, 2, query->type);
	sqlite3_bind_int(statement, 3, RESOURCE_DELETE);
	sqlite3_bind_int64(statement, 4, (int64_t)query->max);
	enum status status;
	while ((status = db_step(reader->db, statement, &row, err)) == STATUS_OK && row)
		out->list[out->count++].sequence = sqlite3_column_int64(statement, 0);
	db_end(statement);
	for (size_t i = 0; status == STATUS_OK && i < out->count; i++)
		status = resource_load(reader, &out->list[i].version, question->arena, out->list[i].sequence, err);
	return status;
}

enum status resources_changes(struct resources *resources, struct resource_changes *out, struct arena *arena,
    const struct resource_changes_query *query, struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena};
	*out = (struct resource_changes){.list = arena_zalloc(arena, query->max + 1, sizeof *out->list)};
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status =
	    db_number(question.reader->db, &out->newest, "SELECT coalesce(max(sequence), 0) FROM version", err);
	if (status == STATUS_OK && query->max) status = read_changes(&question, out, query, err);
	resources_give_back(resources, question.reader);
	if (out->count == query->max && out->count) out->newest = out->list[out->count - 1].sequence;
	return status;
}
