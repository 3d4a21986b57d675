/*
 * Finding events. A condition that few events meet gives all that may be meant, and those are sorted; else events are
 * walked in their order, and each is asked. Conditions of exact values are asked of the terms; all others of the event
 * itself, which event_query_meets judges.
 */
#include "health/index/events_private.h"

#include <stdlib.h>

#define FEW 2000u        /* terms: so many are gathered rather than walked past */
#define WALKED_MAX 5000u /* events that one page looks at */
#define CURSOR_BYTES 40u

/* One question on its way. */
struct hunt {
	struct db *db;
	struct arena *arena;
	const struct events_wish *wish;
	const struct event_query *query;
	struct event_query *times,
	    *rest;      /* conditions on times of rows; and those that are asked of the event itself */
	int64_t newest; /* no event behind it counts */
	/* where the page before ended */
	bool goes_on;
	double last_order;
	int64_t last_id;
	uint64_t served;
};

/* --- terms --- */

/* All operands are whole texts or numbers. */
static bool is_exact(const struct event_query_condition *condition) {
	if (condition->compare != EVENT_QUERY_EQUAL) return false;
	for (size_t i = 0; i < condition->operand_count; i++)
		if (condition->operands[i].is_start) return false;
	return true;
}

/* What an operand may equal: `turn` 0 its text, 1 its number. False: there is no such. */
static bool bind_value(sqlite3_stmt *statement, int place, const struct event_query_operand *operand, int turn) {
	if (turn == 0 && operand->text.data) events_bind_text(statement, place, operand->text);
	if (turn == 1 && operand->has_number) sqlite3_bind_double(statement, place, operand->number);
	return turn == 0 ? operand->text.data != NULL : operand->has_number;
}

static enum status has_term(
    struct hunt *hunt, bool *out, const struct event_query_condition *condition, int64_t event, struct err *err) {
	*out = false;
	for (size_t k = 0; k < condition->key_count; k++)
		for (size_t i = 0; i < 2 * condition->operand_count; i++) {
			sqlite3_stmt *statement;
			TRY(db_statement(
			    hunt->db, &statement, "SELECT 1 FROM term WHERE key = ? AND value = ? AND event = ?", err));
			sqlite3_bind_int64(statement, 1, events_key(condition->keys[k]));
			sqlite3_bind_int64(statement, 3, event);
			enum status status = STATUS_OK;
			if (bind_value(statement, 2, &condition->operands[i / 2], (int)(i % 2)))
				status = db_step(hunt->db, statement, out, err);
			db_end(statement);
			if (status != STATUS_OK || *out) return status;
		}
	return STATUS_OK;
}

/* --- the events of a condition --- */

struct ids {
	int64_t *list;
	size_t count, room;
};

static bool add_id(struct ids *ids, struct arena *arena, int64_t id) {
	if (ids->count == FEW) return false;
	if (!ids->list) ids->list = arena_alloc(arena, FEW * sizeof *ids->list);
	ids->list[ids->count++] = id;
	return true;
}

/* *few false: there are more than FEW. */
static enum status take_ids(struct hunt *hunt, struct ids *ids, bool *few, sqlite3_stmt *statement, struct err *err) {
	bool row;
	enum status status;
	while ((status = db_step(hunt->db, statement, &row, err)) == STATUS_OK && row && *few)
		*few = add_id(ids, hunt->arena, sqlite3_column_int64(statement, 0));
	db_end(statement);
	return status;
}

static enum status gather_operand(struct hunt *hunt, struct ids *ids, bool *few, struct bytes key,
    const struct event_query_operand *operand, struct err *err) {
	sqlite3_stmt *statement;
	for (int turn = 0; turn < 2 && *few && !operand->is_start; turn++) {
		TRY(db_statement(
		    hunt->db, &statement, "SELECT event FROM term WHERE key = ? AND value = ? AND event <= ?", err));
		sqlite3_bind_int64(statement, 1, events_key(key));
		sqlite3_bind_int64(statement, 3, hunt->newest);
		if (bind_value(statement, 2, operand, turn))
			TRY(take_ids(hunt, ids, few, statement, err));
		else
			db_end(statement);
	}
	if (!operand->is_start) return STATUS_OK;
	TRY(db_statement(hunt->db, &statement,
	    "SELECT event FROM term WHERE key = ? AND value >= ? AND value < ? AND event <= ?", err));
	sqlite3_bind_int64(statement, 1, events_key(key));
	events_bind_text(statement, 2, operand->text);
	events_bind_text(statement, 3, events_behind(hunt->arena, operand->text));
	sqlite3_bind_int64(statement, 4, hunt->newest);
	return take_ids(hunt, ids, few, statement, err);
}

/* The events that meet a condition; *few false: it is none whose events can be gathered, or there are too many. */
static enum status gather(
    struct hunt *hunt, struct ids *ids, bool *few, const struct event_query_condition *condition, struct err *err) {
	*few = condition->compare == EVENT_QUERY_EQUAL;
	*ids = (struct ids){0};
	for (size_t k = 0; k < condition->key_count && *few; k++)
		for (size_t i = 0; i < condition->operand_count && *few; i++)
			TRY(gather_operand(hunt, ids, few, condition->keys[k], &condition->operands[i], err));
	return STATUS_OK;
}

static int by_id(const void *a, const void *b) {
	const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return (one > other) - (one < other);
}

/* The smallest list that some condition gives, each event once; *few false: none does. */
static enum status gather_least(struct hunt *hunt, struct ids *least, bool *few, struct err *err) {
	*few = false;
	for (size_t i = 0; i < hunt->query->count; i++) {
		struct ids ids;
		bool is_one;
		TRY(gather(hunt, &ids, &is_one, &hunt->query->conditions[i], err));
		if (!is_one || (*few && ids.count >= least->count)) continue;
		*least = ids;
		*few = true;
	}
	if (!*few || !least->count) return STATUS_OK;
	qsort(least->list, least->count, sizeof *least->list, by_id);
	size_t kept = 0;
	for (size_t i = 0; i < least->count; i++)
		if (!kept || least->list[i] != least->list[kept - 1]) least->list[kept++] = least->list[i];
	least->count = kept;
	return STATUS_OK;
}

/* --- judging one event --- */

struct row {
	int64_t id, recorded, happened;
	struct bytes context, packed; /* until the next row is read */
};

static void read_row(struct row *out, sqlite3_stmt *statement) {
	*out = (struct row){.id = sqlite3_column_int64(statement, 0),
	    .recorded = sqlite3_column_int64(statement, 1),
	    .happened = sqlite3_column_int64(statement, 2),
	    .packed = db_column(statement, 3),
	    .context = db_column(statement, 4)};
}
#define ROW "e.id, e.recorded, e.happened, e.body, c.text FROM event e LEFT JOIN context c ON c.id = e.context"

/* A row that was kept is JSON: if it is not, that is no fault of whoever asks. */
static enum status parse_kept(const struct json **out, struct arena *arena, struct bytes text, struct err *err) {
	const enum status status = json_parse(out, arena, text, NULL, err);
	return status == STATUS_OK ? status : err_prefix(err, STATUS_INTERNAL, "the index of events");
}

/* Its terms, made anew. */
static enum status terms_of(struct hunt *hunt, struct event_terms *out, const struct row *row, struct err *err) {
	const struct json *event, *context = NULL;
	struct bytes body;
	TRY(events_unpack(&body, hunt->arena, row->packed, err));
	TRY(parse_kept(&event, hunt->arena, body, err));
	if (row->context.len) { /* one context or several, with commas between */
		const char *list =
		    arena_printf(hunt->arena, "[%.*s]", (int)row->context.len, (const char *)row->context.data);
		TRY(parse_kept(&context, hunt->arena, bytes_text(list), err));
	}
	*out = (struct event_terms){0};
	event_terms_of(out, hunt->arena, context, event);
	event_terms_add_number(out, hunt->arena, "recordTime", (double)row->recorded);
	event_terms_add_text(out, hunt->arena, "eventID", json_string(json_get(event, "eventID")));
	return STATUS_OK;
}

static bool is_time_of_row(const struct event_query_condition *condition) {
	return condition->key_count == 1 && (bytes_equal(condition->keys[0], BYTES_LITERAL("eventTime")) ||
						bytes_equal(condition->keys[0], BYTES_LITERAL("recordTime")));
}

static void divide(struct hunt *hunt) {
	hunt->times = arena_zalloc(hunt->arena, 1, sizeof *hunt->times);
	hunt->rest = arena_zalloc(hunt->arena, 1, sizeof *hunt->rest);
	for (size_t i = 0; i < hunt->query->count; i++) {
		const struct event_query_condition *condition = &hunt->query->conditions[i];
		struct event_query *part = is_time_of_row(condition) ? hunt->times : hunt->rest;
		if (!is_exact(condition)) part->conditions[part->count++] = *condition;
	}
}

static enum status meets(struct hunt *hunt, bool *out, const struct row *row, struct err *err) {
	struct event_term times[] = {{.key = BYTES_LITERAL("eventTime"), .number = (double)row->happened},
	    {.key = BYTES_LITERAL("recordTime"), .number = (double)row->recorded}};
	const struct event_terms own = {times, 2, 2};
	struct event_terms all;
	*out = event_query_meets(hunt->times, &own);
	for (size_t i = 0; i < hunt->query->count && *out; i++)
		if (is_exact(&hunt->query->conditions[i]))
			TRY(has_term(hunt, out, &hunt->query->conditions[i], row->id, err));
	if (!*out || !hunt->rest->count) return STATUS_OK;
	TRY(terms_of(hunt, &all, row, err));
	*out = event_query_meets(hunt->rest, &all);
	return STATUS_OK;
}

/* --- order --- */

/* The number of the field that is sorted by; events without one are last. */
static enum status field_of(struct hunt *hunt, double *out, int64_t event, struct err *err) {
	sqlite3_stmt *statement;
	bool row;
	*out = hunt->query->is_ascending ? 1e301 : -1e301;
	TRY(db_statement(hunt->db, &statement,
	    "SELECT value FROM term WHERE key = ? AND event = ? AND typeof(value) = 'real' LIMIT 1", err));
	sqlite3_bind_int64(statement, 1, events_key(hunt->query->order_key));
	sqlite3_bind_int64(statement, 2, event);
	enum status status = db_step(hunt->db, statement, &row, err);
	if (row) *out = sqlite3_column_double(statement, 0);
	db_end(statement);
	return status;
}

static double order_of(const struct hunt *hunt, const struct row *row) {
	return (double)(hunt->query->order == EVENT_QUERY_BY_EVENT_TIME ? row->happened : row->recorded);
}

/* Does (order, id) stand behind the last one of the page before? */
static bool is_behind(const struct hunt *hunt, double order, int64_t id) {
	if (!hunt->goes_on) return true;
	if (order != hunt->last_order)
		return hunt->query->is_ascending ? order > hunt->last_order : order < hunt->last_order;
	return hunt->query->is_ascending ? id > hunt->last_id : id < hunt->last_id;
}

static int ascending(const void *a, const void *b) {
	const struct events_found *one = a, *other = b;
	if (one->order != other->order) return one->order < other->order ? -1 : 1;
	return (one->id > other->id) - (one->id < other->id);
}

static int descending(const void *a, const void *b) {
	return ascending(b, a);
}

/* --- a page of few --- */

static enum status load(struct hunt *hunt, struct row *row, sqlite3_stmt **statement, int64_t id, struct err *err) {
	bool is_there;
	TRY(db_statement(hunt->db, statement, "SELECT " ROW " WHERE e.id = ?", err));
	sqlite3_bind_int64(*statement, 1, id);
	enum status status = db_step(hunt->db, *statement, &is_there, err);
	if (status == STATUS_OK && !is_there)
		status = err_set(err, STATUS_INTERNAL, "the index of events names an event that is not there");
	if (status == STATUS_OK) read_row(row, *statement);
	return status;
}

/* Those of the list that meet the query and stand behind the page before, in order. */
static enum status sift(
    struct hunt *hunt, struct events_found *out, size_t *count, const struct ids *ids, struct err *err) {
	*count = 0;
	for (size_t i = 0; i < ids->count; i++) {
		const struct arena_mark mark = arena_mark(hunt->arena);
		struct row row;
		sqlite3_stmt *statement;
		bool is_met = false;
		enum status status = load(hunt, &row, &statement, ids->list[i], err);
		if (status == STATUS_OK) status = meets(hunt, &is_met, &row, err);
		double order = status == STATUS_OK ? order_of(hunt, &row) : 0;
		db_end(statement);
		if (status == STATUS_OK && is_met && hunt->query->order == EVENT_QUERY_BY_FIELD)
			status = field_of(hunt, &order, ids->list[i], err);
		arena_rewind(hunt->arena, mark);
		TRY(status);
		if (is_met && is_behind(hunt, order, ids->list[i]))
			out[(*count)++] = (struct events_found){.id = ids->list[i], .order = order};
	}
	if (*count) qsort(out, *count, sizeof *out, hunt->query->is_ascending ? ascending : descending);
	return STATUS_OK;
}

/* --- a page of many --- */

static const char *walk_sql(const struct event_query *query) {
	static const char *const texts[2][2] = {
	    {"SELECT " ROW " WHERE (e.recorded, e.id) < (?1, ?2) AND e.recorded >= ?3 AND e.recorded <= ?4"
	     " ORDER BY e.recorded DESC, e.id DESC",
		"SELECT " ROW " WHERE (e.recorded, e.id) > (?1, ?2) AND e.recorded >= ?3 AND e.recorded <= ?4"
		" ORDER BY e.recorded, e.id"},
	    {"SELECT " ROW " WHERE (e.happened, e.id) < (?1, ?2) AND e.happened >= ?3 AND e.happened <= ?4"
	     " ORDER BY e.happened DESC, e.id DESC",
		"SELECT " ROW " WHERE (e.happened, e.id) > (?1, ?2) AND e.happened >= ?3 AND e.happened <= ?4"
		" ORDER BY e.happened, e.id"}};
	return texts[query->order == EVENT_QUERY_BY_EVENT_TIME][query->is_ascending];
}

/* Between which values of the order events can meet the query at all. */
static void bounds_of(const struct event_query *query, int64_t *least, int64_t *most) {
	const struct bytes key =
	    query->order == EVENT_QUERY_BY_EVENT_TIME ? BYTES_LITERAL("eventTime") : BYTES_LITERAL("recordTime");
	*least = INT64_MIN;
	*most = INT64_MAX;
	for (size_t i = 0; i < query->count; i++) {
		const struct event_query_condition *condition = &query->conditions[i];
		if (!is_time_of_row(condition) || !bytes_equal(condition->keys[0], key)) continue;
		const int64_t bound = (int64_t)condition->operands[0].number;
		if (condition->compare == EVENT_QUERY_GREATER_OR_EQUAL && bound > *least) *least = bound;
		if (condition->compare == EVENT_QUERY_LESS && bound - 1 < *most) *most = bound - 1;
	}
}

/* `out` has room for one more than wanted. *end: nothing stands behind; else *last is where another page begins. */
static enum status walk(struct hunt *hunt, struct events_found *out, size_t *count, size_t wanted, bool *end,
    struct events_found *last, struct err *err) {
	const struct event_query *query = hunt->query;
	sqlite3_stmt *statement;
	int64_t least, most;
	bool is_row;
	enum status status;
	bounds_of(query, &least, &most);
	TRY(db_statement(hunt->db, &statement, walk_sql(query), err));
	const int64_t far = query->is_ascending ? INT64_MIN : INT64_MAX;
	sqlite3_bind_int64(statement, 1, hunt->goes_on ? (int64_t)hunt->last_order : far);
	sqlite3_bind_int64(statement, 2, hunt->goes_on ? hunt->last_id : far);
	sqlite3_bind_int64(statement, 3, least);
	sqlite3_bind_int64(statement, 4, most);
	*count = 0;
	size_t looked = 0;
	while ((status = db_step(hunt->db, statement, &is_row, err)) == STATUS_OK && is_row && *count <= wanted &&
	       looked < WALKED_MAX) {
		const struct arena_mark mark = arena_mark(hunt->arena);
		struct row row;
		bool is_met = false;
		read_row(&row, statement);
		if (row.id <= hunt->newest) status = meets(hunt, &is_met, &row, err);
		arena_rewind(hunt->arena, mark);
		if (status != STATUS_OK) break;
		*last = (struct events_found){.id = row.id, .order = order_of(hunt, &row)};
		if (is_met) out[(*count)++] = *last;
		looked++;
	}
	*end = status == STATUS_OK && !is_row && *count <= wanted;
	db_end(statement);
	if (*count > wanted) {
		*count = wanted;
		if (wanted) *last = out[wanted - 1];
	}
	return status;
}

/* --- cursors --- */

static struct bytes seal_cursor(
    struct events *events, struct hunt *hunt, const struct events_found *last, uint64_t served) {
	const struct cursor_place place = {hunt->wish->asker, hunt->wish->question};
	uint8_t content[CURSOR_BYTES];
	uint64_t order;
	memcpy(&order, &last->order, sizeof order);
	store_be64(content, (uint64_t)(hunt->wish->now_ms + EVENTS_CURSOR_MS));
	store_be64(content + 8, (uint64_t)hunt->newest);
	store_be64(content + 16, order);
	store_be64(content + 24, (uint64_t)last->id);
	store_be64(content + 32, served);
	return cursor_seal(events->cursor_key, hunt->arena, &place, bytes_make(content, sizeof content));
}

static enum status open_cursor(struct events *events, struct hunt *hunt, struct err *err) {
	const struct cursor_place place = {hunt->wish->asker, hunt->wish->question};
	struct bytes content;
	if (!hunt->wish->cursor.len)
		return db_number(hunt->db, &hunt->newest, "SELECT ifnull(max(id), 0) FROM event", err);
	TRY(cursor_open(events->cursor_key, &content, hunt->arena, &place, hunt->wish->cursor, err));
	if (content.len != CURSOR_BYTES || (int64_t)load_be64(content.data) < hunt->wish->now_ms)
		return err_set(err, STATUS_INVALID, "this page's token has ended: ask the query again");
	const uint64_t order = load_be64(content.data + 16);
	hunt->newest = (int64_t)load_be64(content.data + 8);
	memcpy(&hunt->last_order, &order, sizeof order);
	hunt->last_id = (int64_t)load_be64(content.data + 24);
	hunt->served = load_be64(content.data + 32);
	hunt->goes_on = true;
	return STATUS_OK;
}

/* --- a page --- */

static enum status fill(struct hunt *hunt, struct events_found *found, struct err *err) {
	sqlite3_stmt *statement;
	struct row row;
	enum status status = load(hunt, &row, &statement, found->id, err);
	if (status == STATUS_OK) {
		found->recorded_ms = row.recorded;
		found->context = arena_dup(hunt->arena, row.context);
		status = events_unpack(&found->body, hunt->arena, row.packed, err);
	}
	db_end(statement);
	return status;
}

/* How many of a page of `count` the query's limit leaves. */
static size_t wanted_of(const struct hunt *hunt) {
	const uint64_t limit = hunt->query->limit, left = limit > hunt->served ? limit - hunt->served : 0;
	return limit && left < hunt->wish->count ? (size_t)left : hunt->wish->count;
}

/* Up to `wanted` of them; *last: where another page begins; *end: there is none. */
static enum status find_some(struct hunt *hunt, struct events_found *list, size_t *count, size_t wanted, bool *end,
    struct events_found *last, struct err *err) {
	struct ids ids = {0};
	bool few;
	TRY(gather_least(hunt, &ids, &few, err));
	if (!few && hunt->query->order == EVENT_QUERY_BY_FIELD)
		return err_set(err, STATUS_LIMIT, "too many events are to be sorted by a field: narrow the query down");
	if (!few) return walk(hunt, list, count, wanted, end, last, err);
	struct events_found *all = arena_alloc(hunt->arena, (ids.count + 1) * sizeof *all);
	TRY(sift(hunt, all, count, &ids, err));
	*end = *count <= wanted;
	if (!*end) *count = wanted;
	if (*count) {
		memcpy(list, all, *count * sizeof *list);
		*last = list[*count - 1];
	}
	return STATUS_OK;
}

/* STATUS_LIMIT: more than maxEventCount meet it. Asked once, for the first page. */
static enum status check_max(struct hunt *hunt, struct err *err) {
	const uint64_t max = hunt->query->max;
	struct events_found *list, last = {0};
	size_t count = 0;
	bool end = false;
	if (!max || hunt->goes_on) return STATUS_OK;
	if (max > EVENTS_SORTED_MAX)
		return err_set(err, STATUS_LIMIT, "maxEventCount is over %u, which this server does not count to",
		    EVENTS_SORTED_MAX);
	list = arena_alloc(hunt->arena, (size_t)(max + 2) * sizeof *list);
	struct hunt counting = *hunt;
	uint64_t all = 0;
	while (!end && all <= max) {
		TRY(find_some(&counting, list, &count, (size_t)(max + 1 - all), &end, &last, err));
		all += count;
		counting.goes_on = true;
		counting.last_order = last.order;
		counting.last_id = last.id;
	}
	if (all <= max) return STATUS_OK;
	return err_set(err, STATUS_LIMIT, "more than %llu events meet the query", (unsigned long long)max);
}

static enum status find_page(struct events *events, struct events_page *out, struct hunt *hunt, struct err *err) {
	struct events_found last = {0};
	bool end = true;
	TRY(open_cursor(events, hunt, err));
	TRY(check_max(hunt, err));
	const size_t wanted = wanted_of(hunt);
	out->list = arena_zalloc(hunt->arena, wanted + 1, sizeof *out->list);
	TRY(find_some(hunt, out->list, &out->count, wanted, &end, &last, err));
	for (size_t i = 0; i < out->count; i++) TRY(fill(hunt, &out->list[i], err));
	const uint64_t served = hunt->served + out->count;
	if (!end && (!hunt->query->limit || served < hunt->query->limit))
		out->cursor = seal_cursor(events, hunt, &last, served);
	return STATUS_OK;
}

enum status events_find(struct events *events, struct events_page *out, struct arena *arena,
    const struct events_wish *wish, struct err *err) {
	struct hunt hunt = {.db = events->db, .arena = arena, .wish = wish, .query = wish->query};
	*out = (struct events_page){0};
	divide(&hunt);
	events_lock(events);
	enum status status = find_page(events, out, &hunt, err);
	db_end_all(events->db);
	events_unlock(events);
	return status;
}
