/*
 * A window that closes, or a record that is erased: what the records brought goes, and nothing of it stays in the file
 * (overwritten pages, an empty log of writes, no rows of dictionaries) or in what connections keep.
 */
#include "health/index/resource_postings.h"
#include "health/index/resource_words.h"

#define TRIES_MAX 200u

struct dropping {
	struct resources *resources;
	struct resource_question *question; /* of the writer's own connection */
	bool is_record;                     /* a record alone; else a folder */
	int64_t row;                        /* its */
	struct resource_rows affected;      /* resources that lose a version */
	struct resource_rows named;         /* what those versions refer to */
};

/* --- what goes --- */

/* `sql` names the row of a folder or of a record by its hash. 0: there is none. */
static enum status find_row(struct dropping *d, const char *sql, const hash32 *hash, struct err *err) {
	sqlite3_stmt *statement;
	struct db *db = d->resources->writer;
	bool row;
	TRY(db_statement(db, &statement, sql, err));
	db_bind(statement, 1, BYTES_OF(*hash));
	enum status status = db_step(db, statement, &row, err);
	d->row = status == STATUS_OK && row ? sqlite3_column_int64(statement, 0) : 0;
	db_end(statement);
	return status;
}

static void note_names(struct dropping *d, struct bytes facts) {
	struct bytes key;
	while (resource_fact_next(&key, &facts)) {
		unsigned parameter = (unsigned)(key.data[0] << 8 | key.data[1]);
		bool is_composite =
		    parameter < fhir_r4.search_count && fhir_r4.searches[parameter].type == FHIR_SEARCH_COMPOSITE;
		if (key.len >= 7 && key.data[2] == 'r' && (key.len == 7 || is_composite))
			resource_rows_add(d->question->arena, &d->named, load_be32(key.data + 3));
	}
}

/* One version: what it refers to, and its words if they are in the tables. */
static enum status forget_version(
    struct dropping *d, int64_t sequence, bool is_current, uint32_t row, struct err *err) {
	struct resource_candidate candidate = {.sequence = sequence};
	struct resource_words words;
	TRY(resource_candidate_facts(d->question, &candidate, err));
	note_names(d, candidate.facts);
	if (!is_current) return STATUS_OK;
	resource_words_make(&words, d->question->arena, candidate.tree);
	return resource_words_take(d->resources->writer, row, &words, err);
}

static enum status forget_versions(struct dropping *d, struct err *err) {
	static const char *const sql[] = {
	    "SELECT v.sequence, v.resource, s.sequence = v.sequence AND s.facts IS NOT NULL FROM record r"
	    " JOIN version v ON v.record = r.id JOIN resource s ON s.id = v.resource WHERE r.folder = ?",
	    "SELECT v.sequence, v.resource, s.sequence = v.sequence AND s.facts IS NOT NULL FROM record r"
	    " JOIN version v ON v.record = r.id JOIN resource s ON s.id = v.resource WHERE r.id = ?"};
	sqlite3_stmt *statement;
	struct db *db = d->resources->writer;
	bool row;
	enum status status;
	TRY(db_statement(db, &statement, sql[d->is_record], err));
	sqlite3_bind_int64(statement, 1, d->row);
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row) {
		uint32_t resource = (uint32_t)sqlite3_column_int64(statement, 1);
		resource_rows_add(d->question->arena, &d->affected, resource);
		status = forget_version(
		    d, sqlite3_column_int64(statement, 0), sqlite3_column_int(statement, 2) != 0, resource, err);
		if (status != STATUS_OK) break;
	}
	db_end(statement);
	resource_rows_sort(&d->affected);
	return status;
}

static enum status run_for(struct dropping *d, const char *sql, int64_t number, struct err *err) {
	sqlite3_stmt *statement;
	TRY(db_statement(d->resources->writer, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, number);
	return db_finish(d->resources->writer, statement, err);
}

/* --- what is left --- */

struct newest {
	int64_t sequence, number, at, folder;
	bool is_there, is_deleted;
};

static enum status find_newest(struct dropping *d, struct newest *out, uint32_t resource, struct err *err) {
	static const char sql[] =
	    "SELECT v.sequence, v.number, v.at, r.folder, v.method FROM version v JOIN record r ON r.id = v.record"
	    " WHERE v.resource = ? ORDER BY v.number DESC LIMIT 1";
	sqlite3_stmt *statement;
	struct db *db = d->resources->writer;
	*out = (struct newest){0};
	TRY(db_statement(db, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, resource);
	enum status status = db_step(db, statement, &out->is_there, err);
	if (status == STATUS_OK && out->is_there) {
		out->sequence = sqlite3_column_int64(statement, 0);
		out->number = sqlite3_column_int64(statement, 1);
		out->at = sqlite3_column_int64(statement, 2);
		out->folder = sqlite3_column_int64(statement, 3);
		out->is_deleted = sqlite3_column_int(statement, 4) == RESOURCE_DELETE;
	}
	db_end(statement);
	return status;
}

/* The version before becomes the current one; without one, the resource is known by its name alone. */
static enum status fall_back(struct dropping *d, uint32_t resource, struct err *err) {
	static const char sql[] =
	    "UPDATE resource SET version = ?, sequence = ?, at = ?, folder = ?, facts = ? WHERE id = ?";
	struct newest newest;
	struct resource_candidate candidate = {.row = resource};
	sqlite3_stmt *statement;
	TRY(find_newest(d, &newest, resource, err));
	candidate.sequence = newest.sequence;
	if (newest.is_there && !newest.is_deleted) {
		struct resource_words words;
		TRY(resource_candidate_facts(d->question, &candidate, err));
		resource_words_make(&words, d->question->arena, candidate.tree);
		TRY(resource_words_put(d->resources->writer, resource, &words, err));
	}
	TRY(resource_postings_of(d->resources, resource, candidate.facts, err));
	TRY(db_statement(d->resources->writer, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, newest.number);
	sqlite3_bind_int64(statement, 2, newest.sequence);
	sqlite3_bind_int64(statement, 3, newest.at);
	sqlite3_bind_int64(statement, 4, newest.folder);
	if (candidate.facts.data) db_bind(statement, 5, candidate.facts);
	sqlite3_bind_int64(statement, 6, resource);
	return db_finish(d->resources->writer, statement, err);
}

static enum status is_current_gone(struct dropping *d, bool *out, uint32_t resource, struct err *err) {
	static const char sql[] = "SELECT 1 FROM resource s JOIN version v ON v.sequence = s.sequence WHERE s.id = ?";
	sqlite3_stmt *statement;
	bool is_there;
	TRY(db_statement(d->resources->writer, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, resource);
	enum status status = db_step(d->resources->writer, statement, &is_there, err);
	*out = !is_there;
	db_end(statement);
	return status;
}

/* Does any resource that is left refer to it, now or in an older version that is kept? Postings know of now. */
static enum status is_referred_to(struct dropping *d, bool *out, uint32_t resource, struct err *err) {
	struct buf key;
	enum status status = STATUS_OK;
	buf_init(&key, 16);
	*out = false;
	for (unsigned p = 0; p < fhir_r4.search_count && status == STATUS_OK && !*out; p++) {
		unsigned type = fhir_r4.searches[p].type;
		if (type != FHIR_SEARCH_REFERENCE && type != FHIR_SEARCH_COMPOSITE) continue;
		struct resource_rows rows = {0};
		bool whole;
		buf_clear(&key);
		resource_fact_put_parameter(&key, p);
		buf_byte(&key, 'r');
		resource_fact_put_row(&key, resource);
		struct bytes from = arena_dup(d->question->arena, buf_view(&key));
		resource_fact_put_row(&key, UINT32_MAX);
		status = resource_range_rows(
		    d->question, &rows, &whole, NULL, &(struct resource_range){from, buf_view(&key), false}, 1, err);
		*out = rows.count > 0;
	}
	buf_fini(&key);
	return status;
}

/* Names that nothing refers to any more. */
static enum status forget_names(struct dropping *d, struct err *err) {
	for (size_t i = 0; i < d->affected.count; i++)
		resource_rows_add(d->question->arena, &d->named, d->affected.items[i]);
	resource_rows_sort(&d->named);
	for (size_t i = 0; i < d->named.count; i++) {
		bool is_named;
		TRY(is_referred_to(d, &is_named, d->named.items[i], err));
		if (!is_named)
			TRY(run_for(d, "DELETE FROM resource WHERE id = ? AND version = 0", d->named.items[i], err));
	}
	return STATUS_OK;
}

static enum status keep_numbers(struct dropping *d, struct err *err) {
	TRY(run_for(d, "UPDATE meta SET value = ? WHERE name = 'next_sequence'", d->resources->next_sequence, err));
	return run_for(d, "UPDATE meta SET value = ? WHERE name = 'next_resource'", d->resources->next_resource, err);
}

static enum status delete_rows(struct dropping *d, struct err *err) {
	if (d->is_record) {
		TRY(run_for(d, "DELETE FROM version WHERE record = ?", d->row, err));
		return run_for(d, "DELETE FROM record WHERE id = ?", d->row, err);
	}
	TRY(run_for(d, "DELETE FROM version WHERE record IN (SELECT id FROM record WHERE folder = ?)", d->row, err));
	TRY(run_for(d, "DELETE FROM record WHERE folder = ?", d->row, err));
	return run_for(d, "DELETE FROM folder WHERE id = ?", d->row, err);
}

static enum status drop_rows(struct dropping *d, struct err *err) {
	TRY(forget_versions(d, err));
	TRY(delete_rows(d, err));
	for (size_t i = 0; i < d->affected.count; i++) {
		bool is_gone;
		TRY(is_current_gone(d, &is_gone, d->affected.items[i], err));
		if (is_gone) TRY(fall_back(d, d->affected.items[i], err));
	}
	TRY(resource_postings_write(d->resources, err));
	TRY(forget_names(d, err));
	return keep_numbers(d, err);
}

/* --- the file --- */

/* What a connection read stands in its cache, in the tables of its codec and in its searcher. */
static enum status renew_reader(struct resource_reader *reader, struct err *err) {
	resource_codec_free(reader->codec);
	fhir_searcher_free(reader->searcher);
	reader->codec = resource_codec_new();
	reader->searcher = NULL; /* made when it is needed */
	return db_run(reader->db, "PRAGMA shrink_memory", err);
}

static void free_benches(struct resources *resources) {
	resources_lock(resources);
	struct resource_bench *bench = resources->benches;
	resources->benches = NULL;
	resources_unlock(resources);
	while (bench) {
		struct resource_bench *next = bench->next;
		resource_bench_free(bench);
		bench = next;
	}
}

/* Nothing of it in the log of writes either, and no page of it in a cache. All readers wait meanwhile. */
static enum status clear_traces(struct resources *resources, struct err *err) {
	int64_t busy = 1;
	resources_stop_readers(resources);
	enum status status = STATUS_OK;
	for (unsigned i = 0; i < resources->reader_count && status == STATUS_OK; i++)
		status = renew_reader(&resources->readers[i], err);
	for (unsigned tries = 0; busy && tries < TRIES_MAX && status == STATUS_OK; tries++)
		status = db_number(resources->writer, &busy, "PRAGMA wal_checkpoint(TRUNCATE)", err);
	if (status == STATUS_OK) status = db_run(resources->writer, "PRAGMA shrink_memory", err);
	free_benches(resources);
	resources_start_readers(resources);
	if (status == STATUS_OK && busy)
		return err_set(err, STATUS_BUSY,
		    "another program reads the index of resources: what was dropped is in its log still");
	return status;
}

static enum status drop_found(struct dropping *d, struct err *err) {
	struct resources *resources = d->resources;
	struct resource_postings postings;
	if (!d->row) return STATUS_OK;
	TRY(db_begin(resources->writer, err));
	resource_postings_begin(resources, &postings);
	enum status status = drop_rows(d, err);
	if (status == STATUS_OK) status = db_commit(resources->writer, err);
	if (status != STATUS_OK) db_rollback(resources->writer);
	resource_postings_end(resources);
	return status == STATUS_OK ? resources_look_for_foreign(resources, err) : status;
}

static enum status drop(struct resources *resources, const hash32 *hash, bool is_record, struct err *err) {
	static const char *const rows[] = {
	    "SELECT id FROM folder WHERE hash = ?", "SELECT id FROM record WHERE hash = ?"};
	struct arena arena;
	struct resource_bench *bench = resources_take_bench(resources);
	struct resource_reader reader = {.codec = bench->codec, .searcher = bench->searcher};
	struct resource_question question = {
	    .resources = resources, .reader = &reader, .arena = &arena, .budget = UINT64_MAX};
	struct dropping d = {.resources = resources, .question = &question, .is_record = is_record};
	arena_init(&arena);
	resources_begin_writing(resources);
	reader.db = resources->writer;
	enum status status = find_row(&d, rows[is_record], hash, err);
	if (status == STATUS_OK) status = drop_found(&d, err);
	if (status == STATUS_OK) status = clear_traces(resources, err);
	resources_end_writing(resources);
	arena_fini(&arena);
	resource_bench_free(bench); /* it worked with what was dropped */
	return status;
}

enum status resources_drop_folder(struct resources *resources, const hash32 *folder, struct err *err) {
	return drop(resources, folder, false, err);
}

enum status resources_drop_record(struct resources *resources, const hash32 *record, struct err *err) {
	return drop(resources, record, true, err);
}

static enum status read_foreign(struct db *db, struct arena *arena, hash32 **out, size_t *count, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	int64_t all;
	enum status status;
	*count = 0;
	TRY(db_number(db, &all, "SELECT count(*) FROM folder WHERE foreigner <> 0", err));
	*out = arena_zalloc(arena, (size_t)all + 1, sizeof **out);
	TRY(db_statement(db, &statement, "SELECT hash FROM folder WHERE foreigner <> 0", err));
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row && *count < (size_t)all)
		if (db_column_fixed(statement, 0, (*out)[*count].b, 32)) ++*count;
	db_end(statement);
	return status;
}

enum status resources_foreign_folders(
    struct resources *resources, struct arena *arena, hash32 **out, size_t *count, struct err *err) {
	struct resource_reader *reader;
	TRY(resources_borrow(resources, &reader, err));
	enum status status = read_foreign(reader->db, arena, out, count, err);
	resources_give_back(resources, reader);
	return status;
}
