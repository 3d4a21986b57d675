#include "health/gateway/epcis_events.h"

#include "base/http_reply.h"
#include "base/route.h"

#define SIMPLE "SimpleEventQuery"
#define TEXT(view) (int)((view).len < 120 ? (view).len : 120), (view).len ? (const char *)(view).data : ""

/* --- the document that answers a query --- */

static bool have_one_context(const struct events_page *page) {
	for (size_t i = 1; i < page->count; i++)
		if (!bytes_equal(page->list[i].context, page->list[0].context)) return false;
	return page->count > 0;
}

static enum status put_events(
    struct json_writer *writer, struct epcis_call *call, const struct events_page *page, struct err *err) {
	const bool is_shared = have_one_context(page);
	json_array_begin(writer, "eventList");
	for (size_t i = 0; i < page->count; i++) {
		const struct events_found *found = &page->list[i];
		const struct json *event;
		TRY(json_parse(&event, &call->arena, found->body, NULL, err));
		json_put_name(writer, NULL);
		event_form_answer(writer->out, event, call->form, found->recorded_ms,
		    is_shared ? (struct bytes){NULL, 0} : found->context);
	}
	json_array_end(writer);
	return STATUS_OK;
}

static enum status write_document(
    struct buf *out, struct epcis_call *call, const struct events_page *page, const char *query_name, struct err *err) {
	struct json_writer writer = json_writer(out);
	char now[EPCIS_TIME_SIZE];
	epcis_time_write(now, (int64_t)clock_now_ms(call->server->gateway->options.clock));
	json_object_begin(&writer, NULL);
	event_form_put_context(&writer, have_one_context(page) ? page->list[0].context : (struct bytes){NULL, 0});
	json_put_text(&writer, "type", "EPCISQueryDocument");
	json_put_text(&writer, "schemaVersion", "2.0");
	json_put_text(&writer, "creationDate", now);
	json_object_begin(&writer, "epcisBody");
	json_object_begin(&writer, "queryResults");
	json_put_text(&writer, "queryName", query_name);
	json_object_begin(&writer, "resultsBody");
	const enum status status = put_events(&writer, call, page, err);
	json_object_end(&writer);
	json_object_end(&writer);
	json_object_end(&writer);
	json_object_end(&writer);
	return status;
}

static void answer_page(struct epcis_call *call, const struct events_page *page, const char *query_name) {
	struct buf out;
	struct err err;
	buf_init(&out, BUF_MAX_DEFAULT);
	const enum status status = write_document(&out, call, page, query_name, &err);
	if (status == STATUS_OK) {
		epcis_call_put_next(call, page->cursor);
		epcis_call_answer(call, 200, buf_view(&out));
	} else {
		epcis_call_fail(call, status, &err);
	}
	buf_fini(&out);
}

/* --- queries --- */

/* What the asker may see stands inside every query. */
static void narrow(struct epcis_call *call, struct event_query *query) {
	if (call->party.len) event_query_require(query, &call->arena, EVENTS_PARTY, call->party);
}

/* A value with '|' between several. */
static size_t split(struct bytes *out, struct bytes text) {
	size_t count = 0;
	for (; count <= EVENT_QUERY_OPERANDS_MAX; count++) {
		const uint8_t *end = text.len ? memchr(text.data, '|', text.len) : NULL;
		out[count] = bytes_slice(text, 0, end ? (size_t)(end - text.data) : text.len);
		if (!end) return count + 1;
		text = bytes_slice(text, out[count].len + 1, text.len);
	}
	return count;
}

static bool is_page(struct bytes name) {
	return bytes_equal(name, BYTES_LITERAL("perPage")) || bytes_equal(name, BYTES_LITERAL("nextPageToken"));
}

/* False: it is refused, and the answer is written. */
static bool read_query(struct epcis_call *call, struct event_query *query) {
	struct bytes *values = arena_alloc(&call->arena, (EVENT_QUERY_OPERANDS_MAX + 2) * sizeof *values);
	enum epcis_exception exception;
	struct err err;
	enum status status = STATUS_OK;
	for (size_t i = 0; i < call->query.count && status == STATUS_OK; i++) {
		const struct http_query_item *item = &call->query.items[i];
		if (is_page(item->name)) continue;
		const size_t count = item->value.data ? split(values, item->value) : 0;
		status =
		    event_query_add(query, &call->arena, call->context, item->name, values, count, &exception, &err);
	}
	if (status == STATUS_OK) status = event_query_check(query, &exception, &err);
	if (status != STATUS_OK) epcis_call_refuse(call, exception, "%s", err.message);
	return status == STATUS_OK;
}

void epcis_events_answer_query(struct epcis_call *call, struct event_query *query, const char *query_name) {
	struct events_page page;
	struct err err;
	narrow(call, query);
	const struct events_wish wish = {.query = query,
	    .asker = epcis_call_place(call),
	    .question = epcis_call_question(call),
	    .cursor = call->token,
	    .count = call->per_page,
	    .now_ms = (int64_t)clock_now_ms(call->server->gateway->options.clock)};
	const enum status status = events_find(call->server->events, &page, &call->arena, &wish, &err);
	if (status == STATUS_OK)
		answer_page(call, &page, query_name);
	else if (status == STATUS_LIMIT)
		epcis_call_refuse(call, EPCIS_QUERY_TOO_LARGE, "%s", err.message);
	else if (status == STATUS_INVALID)
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "%s", err.message);
	else
		epcis_call_fail(call, status, &err);
}

static void search(struct epcis_call *call, struct event_query *query) {
	if (read_query(call, query)) epcis_events_answer_query(call, query, SIMPLE);
}

static struct event_query *new_query(struct epcis_call *call) {
	return arena_zalloc(&call->arena, 1, sizeof(struct event_query));
}

void epcis_events_search(struct epcis_call *call) {
	search(call, new_query(call));
}

void epcis_events_read(struct epcis_call *call) {
	const struct bytes id = route_param(call->exchange, "id");
	struct event_query *query = new_query(call);
	struct events_page page;
	struct err err;
	event_query_require(query, &call->arena, "eventID", id);
	query->is_ascending = true; /* an event, and then the declaration of its error */
	narrow(call, query);
	const struct events_wish wish = {.query = query, .count = 2};
	const enum status status = events_find(call->server->events, &page, &call->arena, &wish, &err);
	page.cursor = (struct bytes){NULL, 0};
	if (status != STATUS_OK)
		epcis_call_fail(call, status, &err);
	else if (page.count == 0)
		epcis_call_refuse(call, EPCIS_NO_SUCH_RESOURCE, "there is no event of the id %.*s", TEXT(id));
	else
		answer_page(call, &page, SIMPLE);
}

/* --- top-level resources --- */

struct resource {
	const char *name;
	const char *keys[10]; /* of terms; ends with NULL */
	enum event_terms_vocabulary vocabulary;
	bool is_word, is_epc;
};
static const struct resource resources[] = {
    {.name = "eventTypes", .keys = {"eventType"}},
    {.name = "epcs",
	.keys = {"epc", "childEPC", "parentID", "inputEPC", "outputEPC", "epcClass", "childEPCClass", "inputEPCClass",
	    "outputEPCClass"},
	.is_epc = true},
    {.name = "bizSteps", .keys = {"bizStep"}, .vocabulary = EVENT_TERMS_STEPS, .is_word = true},
    {.name = "bizLocations", .keys = {"bizLocation"}, .is_epc = true},
    {.name = "readPoints", .keys = {"readPoint"}, .is_epc = true},
    {.name = "dispositions", .keys = {"disposition"}, .vocabulary = EVENT_TERMS_DISPOSITIONS, .is_word = true},
};

/* The first segment of the path names it: a route of none is a bug. */
static const struct resource *resource_of(const struct epcis_call *call) {
	const struct bytes path = bytes_slice(call->exchange->request.path, sizeof "/epcis/" - 1, SIZE_MAX);
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		const size_t len = strlen(resources[i].name);
		if (bytes_equal(bytes_slice(path, 0, len), bytes_text(resources[i].name)) &&
		    (path.len == len || path.data[len] == '/'))
			return &resources[i];
	}
	BUG_ON(true);
}

static void put_collection(struct json_writer *writer, const struct bytes *members, size_t count) {
	json_object_begin(writer, NULL);
	event_form_put_context(writer, (struct bytes){NULL, 0});
	json_put_text(writer, "type", "Collection");
	json_array_begin(writer, "member");
	for (size_t i = 0; i < count; i++) json_put_string(writer, NULL, members[i]);
	json_array_end(writer);
	json_object_end(writer);
}

void epcis_events_answer_collection(struct epcis_call *call, const struct bytes *members, size_t count) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	put_collection(&writer, members, count);
	epcis_call_answer(call, 200, buf_view(&out));
	buf_fini(&out);
}

void epcis_events_resources(struct epcis_call *call) {
	const struct resource *resource = resource_of(call);
	const struct cursor_place asked = {epcis_call_place(call), epcis_call_question(call)};
	const uint8_t *key = events_cursor_key(call->server->events);
	struct bytes place = {NULL, 0}, *values = arena_zalloc(&call->arena, call->per_page, sizeof *values);
	size_t count = 0;
	struct err err;
	if (call->token.len && cursor_open(key, &place, &call->arena, &asked, call->token, &err) != STATUS_OK) {
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "%s", err.message);
		return;
	}
	const enum status status = events_values(call->server->events, values, &count, call->per_page, &place,
	    &call->arena, resource->keys, call->party, &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	if (place.len) epcis_call_put_next(call, cursor_seal(key, &call->arena, &asked, place));
	epcis_events_answer_collection(call, values, count);
}

/* The value that the path names, in the one spelling; and a condition on it. */
static struct bytes value_of(struct epcis_call *call, const struct resource *resource) {
	const struct bytes value = route_param(call->exchange, "value");
	if (resource->is_word) return event_terms_word(&call->arena, call->context, resource->vocabulary, value);
	return event_terms_name(&call->arena, call->context, value);
}

/* False: nothing that the asker sees has it, and 404 is written. */
static bool is_there(struct epcis_call *call, const struct resource *resource, struct bytes value) {
	struct event_query *query = new_query(call);
	struct events_page page;
	struct err err;
	event_query_require_any(query, &call->arena, resource->keys, value);
	narrow(call, query);
	const struct events_wish wish = {.query = query, .count = 1};
	const enum status status = events_find(call->server->events, &page, &call->arena, &wish, &err);
	if (status != STATUS_OK)
		epcis_call_fail(call, status, &err);
	else if (page.count == 0)
		epcis_call_refuse(
		    call, EPCIS_NO_SUCH_RESOURCE, "no event has %.*s among its %s", TEXT(value), resource->name);
	return status == STATUS_OK && page.count > 0;
}

void epcis_events_resource(struct epcis_call *call) {
	const struct resource *resource = resource_of(call);
	const struct bytes events[] = {BYTES_LITERAL("events")};
	if (is_there(call, resource, value_of(call, resource))) epcis_events_answer_collection(call, events, 1);
}

void epcis_events_of_resource(struct epcis_call *call) {
	const struct resource *resource = resource_of(call);
	const struct bytes value = value_of(call, resource);
	struct event_query *query = new_query(call);
	if (!is_there(call, resource, value)) return;
	event_query_require_any(query, &call->arena, resource->keys, value);
	search(call, query);
}
