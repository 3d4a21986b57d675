/*
 * _text and _content: words of narratives, and of all that a resource says to people, in two FTS5 tables that keep no
 * text and no places, only which resources have a word. Words are folded as strings are (search_query.h); a script
 * without blanks gives one word a run. Their shadow tables forget a word when its last resource does (secure-delete).
 */
#include "health/index/resource_words.h"

#define WORD_MAX 64u
#define ASKED_MAX 100u /* words of one question */

/* --- what the words are --- */

/* Members whose values are no words: names of things, and data. */
static bool is_silent(struct bytes name) {
	static const char *const silent[] = {
	    "reference", "url", "system", "id", "data", "div", "meta", "fullUrl", "resourceType", "hash"};
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		if (bytes_equal(name, bytes_text(silent[i]))) return true;
	return false;
}

static bool is_date(struct bytes text) {
	if (text.len < 7 || text.data[4] != '-') return false;
	for (size_t i = 0; i < 4; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return true;
}

static void put_words(struct buf *out, struct bytes text) {
	if (!text.len || is_date(text)) return;
	fhir_search_fold(out, text);
	buf_byte(out, ' ');
}

/* Text between tags. */
static void put_narrative(struct buf *out, struct bytes div) {
	size_t from = 0;
	bool is_tag = false;
	for (size_t i = 0; i <= div.len; i++) {
		bool is_end = i == div.len || div.data[i] == (is_tag ? '>' : '<');
		if (!is_end) continue;
		if (!is_tag) put_words(out, bytes_slice(div, from, i - from));
		is_tag = !is_tag;
		from = i + 1;
	}
}

static void gather(struct buf *out, const struct json *value) {
	if (json_is(value, JSON_STRING)) put_words(out, value->text);
	json_foreach (child, value)
		if (!is_silent(child->name)) gather(out, child);
}

void resource_words_make(struct resource_words *out, struct arena *arena, const struct json *tree) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	put_narrative(&text, json_string(json_get(json_get(tree, "text"), "div")));
	out->narrative = arena_dup(arena, buf_view(&text));
	gather(&text, tree);
	out->content = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
}

/* --- writing --- */

static enum status run(struct db *db, const char *sql, int64_t row, struct bytes text, struct err *err) {
	sqlite3_stmt *statement;
	if (!text.len) return STATUS_OK;
	TRY(db_statement(db, &statement, sql, err));
	sqlite3_bind_int64(statement, 1, row);
	sqlite3_bind_text(statement, 2, (const char *)text.data, (int)text.len, SQLITE_STATIC);
	return db_finish(db, statement, err);
}

enum status resource_words_put(struct db *db, int64_t row, const struct resource_words *words, struct err *err) {
	TRY(run(db, "INSERT INTO narrative_words(rowid, text) VALUES(?, ?)", row, words->narrative, err));
	return run(db, "INSERT INTO content_words(rowid, text) VALUES(?, ?)", row, words->content, err);
}

enum status resource_words_take(struct db *db, int64_t row, const struct resource_words *words, struct err *err) {
	TRY(run(db, "INSERT INTO narrative_words(narrative_words, rowid, text) VALUES('delete', ?, ?)", row,
	    words->narrative, err));
	return run(db, "INSERT INTO content_words(content_words, rowid, text) VALUES('delete', ?, ?)", row,
	    words->content, err);
}

/* --- finding --- */

static bool is_operator(struct bytes word) {
	return bytes_equal(word, BYTES_LITERAL("AND")) || bytes_equal(word, BYTES_LITERAL("OR")) ||
	       bytes_equal(word, BYTES_LITERAL("NOT"));
}

static bool is_word_byte(uint8_t c) {
	return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* As FTS5 wants it: every word in quotes, so that none is an operator; AND, OR and NOT between words stay. `*count`: of
 * the words. */
static bool put_query(struct buf *out, size_t *count, struct bytes asked) {
	bool is_between = false, has_word = false; /* an operator waits for its second word */
	*count = 0;
	for (size_t at = 0; at < asked.len && *count <= ASKED_MAX;) {
		size_t from = at;
		while (at < asked.len && is_word_byte(asked.data[at])) at++;
		struct bytes word = bytes_slice(asked, from, at - from < WORD_MAX ? at - from : WORD_MAX);
		if (word.len && is_operator(word) && has_word && !is_between) {
			buf_text(out, " ");
			buf_append(out, word);
			buf_text(out, " ");
			is_between = true;
		} else if (word.len) {
			if (has_word && !is_between) buf_text(out, " AND ");
			buf_text(out, "\"");
			fhir_search_fold(out, word);
			buf_text(out, "\"");
			++*count;
			has_word = true;
			is_between = false;
		}
		while (at < asked.len && !is_word_byte(asked.data[at])) at++;
	}
	return has_word && !is_between;
}

static enum status find(struct resource_question *question, struct resource_rows *out, const char *sql,
    struct bytes query, struct err *err) {
	sqlite3_stmt *statement;
	struct db *db = question->reader->db;
	bool row;
	enum status status;
	TRY(db_statement(db, &statement, sql, err));
	sqlite3_bind_text(statement, 1, (const char *)query.data, (int)query.len, SQLITE_STATIC);
	while ((status = db_step(db, statement, &row, err)) == STATUS_OK && row) {
		resource_rows_add(question->arena, out, (uint32_t)sqlite3_column_int64(statement, 0));
		status = resource_spend(question, 1, err);
		if (status != STATUS_OK) break;
	}
	db_end(statement);
	resource_rows_sort(out);
	return status;
}

enum status resource_words_find(struct resource_question *question, struct resource_rows *out,
    const struct fhir_criterion *criterion, struct err *err) {
	static const char narratives[] = "SELECT rowid FROM narrative_words WHERE narrative_words MATCH ?",
			  contents[] = "SELECT rowid FROM content_words WHERE content_words MATCH ?";
	struct buf query;
	buf_init(&query, BUF_MAX_DEFAULT);
	size_t count;
	bool is_asked = put_query(&query, &count, criterion->operands->text);
	struct bytes text = arena_dup(question->arena, buf_view(&query));
	buf_fini(&query);
	if (count > ASKED_MAX) return err_set(err, STATUS_LIMIT, "more than %u words are asked for at once", ASKED_MAX);
	if (!is_asked) return STATUS_OK; /* no word, or an operator without its second one: nothing */
	return find(question, out, criterion->kind == FHIR_NARRATIVE ? narratives : contents, text, err);
}
