#include "health/gateway/epcis_capture.h"

#include <strings.h>

#include "base/http_reply.h"
#include "base/route.h"
#include "codec/json_input.h"
#include "health/gateway/epcis_intake.h"
#include "health/gateway/epcis_line.h"

/* --- what is asked of a capture --- */

/* False: the header says neither, and 400 is written. */
static bool read_behaviour(struct epcis_call *call, bool *proceeds) {
	const struct bytes value = http_header_get(&call->exchange->request, "gs1-capture-error-behaviour");
	*proceeds = value.len == 7 && strncasecmp((const char *)value.data, "proceed", 7) == 0;
	if (*proceeds || !value.len || (value.len == 8 && strncasecmp((const char *)value.data, "rollback", 8) == 0))
		return true;
	epcis_call_refuse(call, EPCIS_VALIDATION, "GS1-Capture-Error-Behaviour takes rollback or proceed");
	return false;
}

/* --- jobs --- */

static void put_time(struct json_writer *writer, const char *name, int64_t ms) {
	char text[EPCIS_TIME_SIZE];
	epcis_time_write(text, ms);
	json_put_text(writer, name, text);
}

static void put_job(struct json_writer *writer, const struct event_job *job) {
	json_object_begin(writer, NULL);
	json_put_text(writer, "captureID", job->name);
	put_time(writer, "createdAt", job->created_ms);
	if (job->finished_ms) put_time(writer, "finishedAt", job->finished_ms);
	json_put_bool(writer, "running", job->finished_ms == 0);
	json_put_bool(writer, "success", job->success);
	json_put_text(writer, "captureErrorBehaviour", job->proceeds ? "proceed" : "rollback");
	json_array_begin(writer, "errors");
	if (job->errors.len) json_put_raw(writer, NULL, job->errors);
	json_array_end(writer);
	json_object_end(writer);
}

void epcis_capture_job(struct epcis_call *call) {
	const struct bytes name = route_param(call->exchange, "id");
	struct event_job job;
	struct err err;
	bool found;
	const enum status status =
	    event_jobs_find(call->server->events, &job, &found, &call->arena, name, bytes_text(call->asker.name), &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
	} else if (!found) {
		epcis_call_refuse(call, EPCIS_NO_SUCH_RESOURCE, "this token has no capture job of that id");
	} else {
		struct buf out;
		buf_init(&out, BUF_MAX_DEFAULT);
		struct json_writer writer = json_writer(&out);
		put_job(&writer, &job);
		epcis_call_answer(call, 200, buf_view(&out));
		buf_fini(&out);
	}
}

void epcis_capture_jobs(struct epcis_call *call) {
	const struct cursor_place place = {epcis_call_place(call), epcis_call_question(call)};
	const uint8_t *key = events_cursor_key(call->server->events);
	struct event_job *jobs = arena_zalloc(&call->arena, call->per_page, sizeof *jobs);
	struct bytes content = {NULL, 0};
	uint8_t next[8];
	int64_t after = 0;
	size_t count = 0;
	struct err err;
	if (call->token.len && cursor_open(key, &content, &call->arena, &place, call->token, &err) != STATUS_OK) {
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "%s", err.message);
		return;
	}
	if (content.len == sizeof next) after = (int64_t)load_be64(content.data);
	const enum status status = event_jobs_list(call->server->events, jobs, &count, call->per_page, &after,
	    &call->arena, bytes_text(call->asker.name), &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	store_be64(next, (uint64_t)after);
	if (after) epcis_call_put_next(call, cursor_seal(key, &call->arena, &place, bytes_make(next, sizeof next)));
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) put_job(&writer, &jobs[i]);
	json_array_end(&writer);
	epcis_call_answer(call, 200, buf_view(&out));
	buf_fini(&out);
}

/* --- documents --- */

/* False: it is no document that could be captured, and the answer is written. */
static bool check_document(struct epcis_call *call, struct bytes text) {
	struct epcis_intake intake;
	struct arena arena;
	size_t at;
	struct err err;
	arena_init(&arena);
	const enum status status = epcis_intake_read(&intake, &at, &arena, text, &err);
	arena_fini(&arena);
	if (status == STATUS_OK) return true;
	if (status == STATUS_LIMIT)
		epcis_call_refuse(call, EPCIS_CAPTURE_LIMIT, "%s", err.message);
	else
		epcis_call_refuse(call, EPCIS_VALIDATION, "%s", err.message);
	return false;
}

void epcis_capture(struct epcis_call *call) {
	struct event_job job = {
	    .asker = bytes_text(call->asker.name), .body = call->exchange->request.body, .success = true};
	struct err err;
	if (!read_behaviour(call, &job.proceeds)) return;
	/* What proceeds leaves out the events that are wrong: the job says which. */
	if (!job.proceeds && !check_document(call, job.body)) return;
	const enum status status = epcis_line_take(call->server->line, &job, &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	call->exchange->response.status = 202;
	http_put_header(&call->exchange->response, "Location", "%.*s/capture/%s", (int)call->base.len,
	    (const char *)call->base.data, job.name);
}

/* --- single events --- */

/* A document of one event, whose "@context" is the document's then. */
static bool make_document(struct epcis_call *call, struct bytes *out, const struct json **event) {
	struct bytes body = call->exchange->request.body;
	char now[EPCIS_TIME_SIZE];
	struct buf text;
	struct err err;
	enum status status = json_input(&body, &err);
	if (status == STATUS_OK) status = json_parse(event, &call->arena, body, NULL, &err);
	if (status != STATUS_OK || !json_is(*event, JSON_OBJECT) || !json_get(*event, "@context")) {
		epcis_call_refuse(call, EPCIS_VALIDATION, "%s",
		    status != STATUS_OK ? err.message : "an event in JSON-LD has an @context");
		return false;
	}
	epcis_time_write(now, (int64_t)clock_now_ms(call->server->gateway->options.clock));
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_raw(&writer, "@context", json_get(*event, "@context")->raw);
	json_put_text(&writer, "type", "EPCISDocument");
	json_put_text(&writer, "schemaVersion", "2.0");
	json_put_text(&writer, "creationDate", now);
	json_object_begin(&writer, "epcisBody");
	json_array_begin(&writer, "eventList");
	json_put_raw(&writer, NULL, (*event)->raw);
	json_array_end(&writer);
	json_object_end(&writer);
	json_object_end(&writer);
	*out = arena_dup(&call->arena, buf_view(&text));
	buf_fini(&text);
	return true;
}

/* The event as it was captured: the answer's body, and where it is. */
static void answer_event(struct epcis_call *call, struct bytes id) {
	struct event_query *query = arena_zalloc(&call->arena, 1, sizeof *query);
	struct events_page page;
	const struct json *event;
	struct buf out;
	struct err err;
	event_query_require(query, &call->arena, "eventID", id);
	const struct events_wish wish = {.query = query, .count = 1};
	enum status status = events_find(call->server->events, &page, &call->arena, &wish, &err);
	if (status == STATUS_OK && page.count == 0) status = err_set(&err, STATUS_INTERNAL, "a captured event is gone");
	if (status == STATUS_OK) status = json_parse(&event, &call->arena, page.list[0].body, NULL, &err);
	if (status != STATUS_OK) {
		epcis_call_fail(call, status, &err);
		return;
	}
	buf_init(&out, BUF_MAX_DEFAULT);
	event_form_answer(&out, event, call->form, page.list[0].recorded_ms, page.list[0].context);
	epcis_call_answer(call, 201, buf_view(&out));
	buf_clear(&out);
	http_percent_encode(&out, id);
	struct buf *headers = &call->exchange->response.headers;
	buf_printf(headers, "Location: %.*s/events/%s\r\n", (int)call->base.len, (const char *)call->base.data,
	    buf_cstr(&out));
	buf_fini(&out);
}

void epcis_capture_event(struct epcis_call *call) {
	struct event_job job = {.asker = bytes_text(call->asker.name), .success = true};
	struct epcis_intake intake;
	struct epcis_line_end end;
	const struct json *event;
	size_t at;
	struct err err;
	if (!make_document(call, &job.body, &event)) return;
	if (epcis_intake_read(&intake, &at, &call->arena, job.body, &err) != STATUS_OK) {
		epcis_call_refuse(call, EPCIS_VALIDATION, "%s", err.message);
		return;
	}
	const enum status status = epcis_line_take_and_wait(call->server->line, &job, &end, &err);
	if (status != STATUS_OK)
		epcis_call_fail(call, status, &err);
	else if (!end.success)
		epcis_call_refuse(call, end.exception, "%s", end.detail);
	else
		answer_event(call, intake.entries[0].event_id);
}
