#include "health/gateway/fhir_export.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/fhir/temporal.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_search.h"

#define NDJSON "application/fhir+ndjson"
#define STEP_NS 500000000u /* of counting, while a client polls */
#define TYPES_MAX 160u
#define ID_DIGITS 32u
#define PAGE "1000"

struct job {
	char id[ID_DIGITS + 1]; /* "": free */
	char asker[sizeof(((struct asker *)NULL)->name)];
	int64_t at_ms;  /* transactionTime */
	char since[64]; /* or "" */
	char request[1024];
	uint16_t types[TYPES_MAX];
	uint64_t counts[TYPES_MAX];
	size_t type_count, counted;
};
struct fhir_exports {
	const struct threads *threads;
	struct monitor *monitor;
	struct job jobs[FHIR_EXPORT_JOBS_MAX];
};

struct fhir_exports *fhir_exports_new(const struct threads *threads) {
	struct fhir_exports *exports = mem_zalloc(1, sizeof *exports);
	exports->threads = threads;
	exports->monitor = threads->monitor_new(threads->context);
	return exports;
}

void fhir_exports_free(struct fhir_exports *exports) {
	if (!exports) return;
	exports->threads->monitor_free(exports->monitor);
	mem_free(exports);
}

/* --- the table of jobs --- */

static bool is_free(const struct job *job, int64_t now_ms) {
	return !job->id[0] || now_ms - job->at_ms > (int64_t)FHIR_EXPORT_KEPT_MS;
}

static bool put_job(struct fhir_call *call, const struct job *job) {
	struct fhir_exports *exports = call->server->exports;
	size_t i = 0;
	exports->threads->lock(exports->monitor);
	while (i < FHIR_EXPORT_JOBS_MAX && !is_free(&exports->jobs[i], job->at_ms)) i++;
	if (i < FHIR_EXPORT_JOBS_MAX) exports->jobs[i] = *job;
	exports->threads->unlock(exports->monitor);
	return i < FHIR_EXPORT_JOBS_MAX;
}

/* The asker's own job; `update` takes the place of what is kept, an empty one ends it. */
static bool find_job(struct fhir_call *call, struct job *out, const struct job *update) {
	struct fhir_exports *exports = call->server->exports;
	const struct bytes id = fhir_call_parameter(call, "job");
	const int64_t now_ms = (int64_t)clock_now_ms(call->server->gateway->options.clock);
	bool is_found = false;
	exports->threads->lock(exports->monitor);
	for (size_t i = 0; i < FHIR_EXPORT_JOBS_MAX && !is_found; i++) {
		struct job *job = &exports->jobs[i];
		if (is_free(job, now_ms) || !bytes_equal(id, bytes_text(job->id))) continue;
		if (strcmp(job->asker, call->asker.name) != 0) continue;
		is_found = true;
		if (out) *out = *job;
		if (update) *job = *update;
	}
	exports->threads->unlock(exports->monitor);
	if (!is_found)
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND,
		    "there is no such export, or it was ended, or is over an hour old; ask for a new one with $export");
	return is_found;
}

/* --- kick-off --- */

static bool is_of_patients(uint16_t type) {
	static const struct bytes patient = {(const uint8_t *)"Patient", 7};
	struct fhir_list parameters;
	const uint16_t compartment = fhir_definitions_resource(&fhir_r4, patient);
	return type == compartment || fhir_compartment_find(&fhir_r4, &parameters, compartment, type);
}

static bool is_wanted(struct bytes wanted, uint16_t type) {
	const struct bytes name = bytes_text(fhir_type_name(&fhir_r4, type));
	while (wanted.len) {
		const uint8_t *comma = memchr(wanted.data, ',', wanted.len);
		const size_t len = comma ? (size_t)(comma - wanted.data) : wanted.len;
		if (bytes_equal(bytes_slice(wanted, 0, len), name)) return true;
		wanted = bytes_slice(wanted, len + 1, wanted.len);
	}
	return false;
}

static void choose_types(struct job *job, struct bytes wanted, bool of_patients) {
	for (size_t type = 0; type < fhir_r4.type_count && job->type_count < TYPES_MAX; type++) {
		const struct fhir_type_def *def = &fhir_r4.types[type];
		if (def->kind != FHIR_KIND_RESOURCE || def->is_abstract) continue;
		if (wanted.len && !is_wanted(wanted, (uint16_t)type)) continue;
		if (of_patients && !is_of_patients((uint16_t)type)) continue;
		job->types[job->type_count++] = (uint16_t)type;
	}
}

static bool check_parameters(struct fhir_call *call, const struct json *parameters, struct job *job) {
	static const char *const formats[] = {
	    "application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson"};
	const struct bytes format = fhir_operation_parameter(call, parameters, "_outputFormat");
	const struct bytes since = fhir_operation_parameter(call, parameters, "_since");
	struct fhir_temporal moment;
	bool is_known = !format.data;
	for (size_t i = 0; i < 4; i++) is_known |= bytes_equal(format, bytes_text(formats[i]));
	if (!is_known)
		fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED, "_outputFormat is application/fhir+ndjson");
	else if (fhir_operation_parameter(call, parameters, "_typeFilter").data)
		fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED, "_typeFilter is not taken: use _type and _since");
	else if (since.len && (since.len >= sizeof job->since || !fhir_temporal_read(&moment, since, false)))
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE, "_since takes an instant, as 2026-11-30T20:15:00Z");
	else if (job->type_count == 0)
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE, "_type names no resource type that this export has");
	else
		return true;
	return false;
}

void fhir_export_begin(struct fhir_call *call, const struct json *parameters) {
	struct resource_scope scope;
	uint8_t random[ID_DIGITS / 2];
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	const struct http_request *request = &call->exchange->request;
	const struct bytes since = fhir_operation_parameter(call, parameters, "_since");
	if (!fhir_call_scope(call, &scope, ASKER_SEARCH, FHIR_NONE)) return;
	choose_types(job, fhir_operation_parameter(call, parameters, "_type"), call->target.type != FHIR_NONE);
	if (!check_parameters(call, parameters, job)) return;
	random_fill(call->server->gateway->options.random, random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) snprintf(job->id + 2 * i, 3, "%02x", random[i]);
	job->at_ms = fhir_server_now_ms(call->server);
	snprintf(job->asker, sizeof job->asker, "%s", call->asker.name);
	snprintf(job->since, sizeof job->since, "%.*s", (int)since.len, since.len ? (const char *)since.data : "");
	snprintf(job->request, sizeof job->request, "%.*s%.*s%s%.*s", (int)call->base.len,
	    (const char *)call->base.data, (int)(request->path.len - 5), (const char *)request->path.data + 5,
	    request->query.len ? "?" : "", (int)request->query.len,
	    request->query.len ? (const char *)request->query.data : "");
	if (!put_job(call, job)) {
		http_put_header(&call->exchange->response, "Retry-After", "120");
		fhir_call_refuse(call, 429, FHIR_ISSUE_THROTTLED,
		    "%u exports are kept already: end one (DELETE), or wait", FHIR_EXPORT_JOBS_MAX);
		return;
	}
	http_put_header(&call->exchange->response, "Content-Location", "%.*s/$export-poll-status?job=%s",
	    (int)call->base.len, (const char *)call->base.data, job->id);
	fhir_issues_add(&call->issues, FHIR_INFORMATION, FHIR_ISSUE_INFORMATIONAL, "",
	    "the export has begun; poll the URL of Content-Location");
	fhir_call_answer_issues(call, 202);
}

/* --- the search of one type --- */

/* What was there at the job's moment, and is newer than _since. */
static void make_query(struct arena *arena, const struct job *job, struct http_query *out, const char *count) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	struct http_query_item *items = arena_zalloc(arena, 5, sizeof *items);
	fhir_answer_instant(instant, job->at_ms);
	*out = (struct http_query){items, 0};
	items[out->count++] =
	    (struct http_query_item){BYTES_LITERAL("_lastUpdated"), bytes_text(arena_printf(arena, "le%s", instant))};
	if (job->since[0])
		items[out->count++] = (struct http_query_item){
		    BYTES_LITERAL("_lastUpdated"), bytes_text(arena_printf(arena, "gt%s", job->since))};
	if (strcmp(count, "0") == 0)
		items[out->count++] = (struct http_query_item){BYTES_LITERAL("_total"), BYTES_LITERAL("accurate")};
	items[out->count++] = (struct http_query_item){BYTES_LITERAL("_count"), bytes_text(count)};
}

static enum status find_page(struct fhir_call *call, struct arena *arena, const struct job *job, uint16_t type,
    const char *count, struct bytes cursor, struct resource_page *out, struct err *err) {
	struct http_query query;
	struct fhir_search *search;
	struct resource_scope scope;
	struct fhir_issues *issues = arena_zalloc(arena, 1, sizeof *issues);
	const struct fhir_search_settings settings = {.defs = &fhir_r4, .type = type, .compartment = FHIR_NONE};
	*out = (struct resource_page){.has_total = true};
	/* Types that the token does not reach are left out. */
	if (asker_scope(&scope, arena, &call->asker, ASKER_SEARCH, type, err) != STATUS_OK) return STATUS_OK;
	make_query(arena, job, &query, count);
	fhir_issues_init(issues, arena);
	TRY(fhir_search_read(&search, arena, &settings, &query, issues));
	search->cursor = cursor;
	return resources_search(
	    call->server->resources, out, arena, &scope, asker_place(arena, &call->asker), search, err);
}

/* --- status --- */

static bool count_some(struct fhir_call *call, struct job *job) {
	const struct clock_source *clock = call->server->gateway->options.clock;
	const uint64_t began_ns = clock_monotonic_ns(clock);
	struct err err = {0};
	while (job->counted < job->type_count && clock_monotonic_ns(clock) - began_ns < STEP_NS) {
		struct resource_page page;
		const enum status status = find_page(
		    call, &call->arena, job, job->types[job->counted], "0", (struct bytes){NULL, 0}, &page, &err);
		if (status != STATUS_OK) {
			fhir_call_fail(call, status, &err);
			return false;
		}
		job->counts[job->counted++] = page.total;
	}
	return true;
}

static void put_outputs(struct json_writer *w, struct fhir_call *call, const struct job *job) {
	json_array_begin(w, "output");
	for (size_t i = 0; i < job->type_count; i++) {
		if (!job->counts[i]) continue;
		const char *type = fhir_type_name(&fhir_r4, job->types[i]);
		json_object_begin(w, NULL);
		json_put_text(w, "type", type);
		json_put_text(w, "url",
		    arena_printf(&call->arena, "%.*s/$export-file?job=%s&type=%s", (int)call->base.len,
			(const char *)call->base.data, job->id, type));
		json_put_u64(w, "count", job->counts[i]);
		json_object_end(w);
	}
	json_array_end(w);
}

static void answer_manifest(struct fhir_call *call, const struct job *job) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	struct http_response *response = &call->exchange->response;
	fhir_answer_instant(instant, job->at_ms);
	buf_clear(&response->body);
	struct json_writer w = json_writer(&response->body);
	json_object_begin(&w, NULL);
	json_put_text(&w, "transactionTime", instant);
	json_put_text(&w, "request", job->request);
	json_put_bool(&w, "requiresAccessToken", true);
	put_outputs(&w, call, job);
	json_array_begin(&w, "error");
	json_array_end(&w);
	json_object_end(&w);
	response->status = 200;
	response->content_type = "application/json";
	http_put_header(response, "Cache-Control", "no-store");
}

void fhir_export_status(struct fhir_call *call, const struct json *parameters) {
	static const struct job ended;
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	(void)parameters;
	const bool ends = call->exchange->request.method == HTTP_DELETE;
	if (!find_job(call, job, ends ? &ended : NULL)) return;
	if (ends) {
		call->exchange->response.status = 202;
		return;
	}
	if (!count_some(call, job) || !find_job(call, NULL, job)) return;
	if (job->counted == job->type_count) {
		answer_manifest(call, job);
		return;
	}
	http_put_header(&call->exchange->response, "X-Progress", "%zu of %zu types", job->counted, job->type_count);
	http_put_header(&call->exchange->response, "Retry-After", "1");
	call->exchange->response.status = 202;
}

/* --- a file --- */

/* One that goes out: it keeps its call until the client has all of it. */
struct stream {
	struct fhir_call *call;
	struct job *job;
	uint16_t type;
	bool is_last;      /* the page at hand */
	struct arena page; /* of the page at hand */
	char *cursor;      /* of the next one */
	struct buf text;   /* of the page */
	size_t sent;       /* of it */
};

static enum status next_page(struct stream *stream) {
	struct resource_page found;
	struct err err;
	const struct bytes cursor = stream->cursor ? bytes_text(stream->cursor) : (struct bytes){NULL, 0};
	arena_reset(&stream->page);
	TRY(find_page(stream->call, &stream->page, stream->job, stream->type, PAGE, cursor, &found, &err));
	buf_clear(&stream->text);
	stream->sent = 0;
	for (size_t i = 0; i < found.count; i++) {
		const struct bytes content = found.hits[i].version.content;
		/* Between values a new line is white space; inside texts JSON has none. */
		uint8_t *line = buf_extend(&stream->text, content.len + 1);
		if (!line) return STATUS_LIMIT;
		for (size_t k = 0; k < content.len; k++)
			line[k] = content.data[k] == '\n' || content.data[k] == '\r' ? ' ' : content.data[k];
		line[content.len] = '\n';
	}
	mem_free(stream->cursor);
	stream->is_last = found.cursor.len == 0;
	stream->cursor = stream->is_last ? NULL : mem_zalloc(found.cursor.len + 1, 1);
	if (stream->cursor) memcpy(stream->cursor, found.cursor.data, found.cursor.len);
	return STATUS_OK;
}

static enum http_source_state read_stream(void *context, size_t *len, uint8_t *out, size_t size) {
	struct stream *stream = context;
	*len = 0;
	while (stream->sent == stream->text.len) {
		if (stream->is_last) return HTTP_SOURCE_END;
		if (next_page(stream) != STATUS_OK) return HTTP_SOURCE_FAILED;
	}
	*len = stream->text.len - stream->sent < size ? stream->text.len - stream->sent : size;
	memcpy(out, stream->text.data + stream->sent, *len);
	stream->sent += *len;
	return HTTP_SOURCE_MORE;
}

static void close_stream(void *context) {
	struct stream *stream = context;
	struct fhir_call *call = stream->call;
	mem_free(stream->cursor);
	buf_fini(&stream->text);
	arena_fini(&stream->page);
	fhir_call_free(call); /* and with it the stream */
}

void fhir_export_file(struct fhir_call *call, const struct json *parameters) {
	struct http_response *response = &call->exchange->response;
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	const uint16_t type = fhir_definitions_resource(&fhir_r4, fhir_call_parameter(call, "type"));
	(void)parameters;
	if (!find_job(call, job, NULL)) return;
	if (type == FHIR_NONE) {
		fhir_call_refuse(
		    call, 404, FHIR_ISSUE_NOT_FOUND, "the export has no file of this type; its status lists them");
		return;
	}
	struct stream *stream = arena_zalloc(&call->arena, 1, sizeof *stream);
	*stream = (struct stream){.call = call, .job = job, .type = type};
	arena_init(&stream->page);
	buf_init(&stream->text, BUF_MAX_DEFAULT);
	response->status = 200;
	response->content_type = NDJSON;
	response->source = (struct http_source){read_stream, close_stream, stream, HTTP_LENGTH_UNKNOWN, 0};
	http_put_header(response, "Cache-Control", "no-store");
	call->is_kept = true;
}
