#include "health/gateway/epcis_queries.h"

#include "base/http_reply.h"
#include "base/route.h"
#include "codec/json_input.h"
#include "health/gateway/epcis_events.h"
#include "health/index/event_queries.h"

#define NAME_MAX 128u

static void put_query(struct json_writer *writer, const struct event_queries_entry *query) {
	json_object_begin(writer, NULL);
	json_put_string(writer, "name", query->name);
	json_put_raw(writer, "query", query->text);
	json_object_end(writer);
}

/* False: there is none, or it failed, and the answer is written. */
static bool load(struct epcis_call *call, struct event_queries_entry *out) {
	struct err err;
	bool found;
	out->name = route_param(call->exchange, "name");
	const enum status status =
	    event_queries_get(call->server->events, &out->text, &found, &call->arena, call->party, out->name, &err);
	if (status != STATUS_OK)
		epcis_call_fail(call, status, &err);
	else if (!found)
		epcis_call_refuse(call, EPCIS_NO_SUCH_NAME, "there is no query of this name");
	return status == STATUS_OK && found;
}

void epcis_queries_list(struct epcis_call *call) {
	const struct cursor_place place = {epcis_call_place(call), epcis_call_question(call)};
	const uint8_t *key = events_cursor_key(call->server->events);
	struct event_queries_entry *queries = arena_zalloc(&call->arena, call->per_page, sizeof *queries);
	struct bytes after = {NULL, 0};
	size_t count = 0;
	bool more = false;
	struct buf out;
	struct err err;
	if (call->token.len && cursor_open(key, &after, &call->arena, &place, call->token, &err) != STATUS_OK) {
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "%s", err.message);
		return;
	}
	const enum status status = event_queries_list(
	    call->server->events, queries, &count, call->per_page, &more, &call->arena, call->party, after, &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	if (more) epcis_call_put_next(call, cursor_seal(key, &call->arena, &place, queries[count - 1].name));
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) put_query(&writer, &queries[i]);
	json_array_end(&writer);
	epcis_call_answer(call, 200, buf_view(&out));
	buf_fini(&out);
}

void epcis_queries_read(struct epcis_call *call) {
	struct event_queries_entry query;
	struct buf out;
	if (!load(call, &query)) return;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	put_query(&writer, &query);
	epcis_call_answer(call, 200, buf_view(&out));
	buf_fini(&out);
}

void epcis_queries_remove(struct epcis_call *call) {
	struct err err;
	bool found;
	const enum status status =
	    event_queries_remove(call->server->events, &found, call->party, route_param(call->exchange, "name"), &err);
	if (status != STATUS_OK)
		epcis_call_fail(call, status, &err);
	else if (!found)
		epcis_call_refuse(call, EPCIS_NO_SUCH_NAME, "there is no query of this name");
	else
		call->exchange->response.status = 204;
}

/* --- creating --- */

static bool is_name(struct bytes name) {
	bool is_good = name.len > 0 && name.len <= NAME_MAX;
	for (size_t i = 0; i < name.len; i++) is_good = is_good && name.data[i] > ' ' && name.data[i] != '/';
	return is_good;
}

/* False: it is no query, and the answer is written. */
static bool read_body(struct epcis_call *call, struct event_queries_entry *out) {
	struct event_query *query = arena_zalloc(&call->arena, 1, sizeof *query);
	struct bytes body = call->exchange->request.body;
	enum epcis_exception exception = EPCIS_QUERY_VALIDATION;
	const struct json *root = NULL;
	struct err err;
	enum status status = json_input(&body, &err);
	if (status == STATUS_OK) status = json_parse(&root, &call->arena, body, NULL, &err);
	const struct json *named = json_get(root, "name"), *asked = json_get(root, "query");
	if (status == STATUS_OK && (!json_is(root, JSON_OBJECT) || root->count != 2 || !named || !asked))
		status = err_set(&err, STATUS_INVALID, "a named query has a name and a query, and nothing else");
	if (status == STATUS_OK && !is_name(json_string(named)))
		status = err_set(
		    &err, STATUS_INVALID, "a name has 1 to %u characters, without white space and '/'", NAME_MAX);
	if (status == STATUS_OK)
		status = event_query_add_all(query, &call->arena, call->context, asked, &exception, &err);
	if (status == STATUS_OK) status = event_query_check(query, &exception, &err);
	if (status != STATUS_OK) {
		epcis_call_refuse(call, exception, "%s", err.message);
		return false;
	}
	*out = (struct event_queries_entry){json_string(named), asked->raw};
	return true;
}

void epcis_queries_create(struct epcis_call *call) {
	struct event_queries_entry query;
	struct buf out;
	struct err err;
	if (!read_body(call, &query)) return;
	const enum status status = event_queries_put(call->server->events, call->party, &query, &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	buf_init(&out, BUF_MAX_DEFAULT);
	http_percent_encode(&out, query.name);
	buf_printf(&call->exchange->response.headers, "Location: %.*s/queries/%s\r\n", (int)call->base.len,
	    (const char *)call->base.data, buf_cstr(&out));
	buf_clear(&out);
	struct json_writer writer = json_writer(&out);
	put_query(&writer, &query);
	epcis_call_answer(call, 201, buf_view(&out));
	buf_fini(&out);
}

/* --- running --- */

/* Only what names a page may stand beside a named query: schedules and streams are subscriptions. */
static bool check_parameters(struct epcis_call *call) {
	static const char *const streams[] = {"stream", "second", "minute", "hour", "dayOfMonth", "month", "dayOfWeek",
	    "reportIfEmpty", "initialRecordTime", NULL};
	for (size_t i = 0; i < call->query.count; i++) {
		const struct bytes name = call->query.items[i].name;
		for (size_t k = 0; streams[k]; k++)
			if (bytes_equal(name, bytes_text(streams[k]))) {
				epcis_call_refuse(call, EPCIS_NOT_IMPLEMENTED,
				    "%s is of a WebSocket subscription, which this server does not serve", streams[k]);
				return false;
			}
		if (bytes_equal(name, BYTES_LITERAL("perPage")) || bytes_equal(name, BYTES_LITERAL("nextPageToken")))
			continue;
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "%.*s does not belong to a named query",
		    (int)(name.len < 80 ? name.len : 80), (const char *)name.data);
		return false;
	}
	return true;
}

void epcis_queries_run(struct epcis_call *call) {
	struct event_query *query = arena_zalloc(&call->arena, 1, sizeof *query);
	struct event_queries_entry named;
	enum epcis_exception exception = EPCIS_QUERY_VALIDATION;
	const struct json *asked;
	struct err err;
	if (!load(call, &named) || !check_parameters(call)) return;
	enum status status = json_parse(&asked, &call->arena, named.text, NULL, &err);
	if (status == STATUS_OK)
		status = event_query_add_all(query, &call->arena, call->context, asked, &exception, &err);
	if (status == STATUS_OK) status = event_query_check(query, &exception, &err);
	if (status == STATUS_OK)
		epcis_events_answer_query(call, query, arena_strdup(&call->arena, named.name));
	else
		epcis_call_refuse(call, exception, "%s", err.message);
}
