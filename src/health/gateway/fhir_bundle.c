#include "health/gateway/fhir_bundle.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_job.h"
#include "health/gateway/fhir_looks.h"
#include "health/gateway/fhir_routes.h"
#include "health/gateway/fhir_write.h"

const char *fhir_bundle_status(int status) {
	static const struct {
		int status;
		const char *text;
	} texts[] = {{200, "200 OK"}, {201, "201 Created"}, {202, "202 Accepted"}, {204, "204 No Content"},
	    {304, "304 Not Modified"}, {400, "400 Bad Request"}, {401, "401 Unauthorized"}, {403, "403 Forbidden"},
	    {404, "404 Not Found"}, {405, "405 Method Not Allowed"}, {406, "406 Not Acceptable"}, {409, "409 Conflict"},
	    {410, "410 Gone"}, {412, "412 Precondition Failed"}, {413, "413 Content Too Large"},
	    {415, "415 Unsupported Media Type"}, {422, "422 Unprocessable Content"}, {429, "429 Too Many Requests"},
	    {500, "500 Internal Server Error"}, {501, "501 Not Implemented"}, {503, "503 Service Unavailable"}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].status == status) return texts[i].text;
	return "500 Internal Server Error";
}

/* --- a GET inside a bundle --- */

/* The value of a field that the answer has; data == NULL: it has none. */
static struct bytes field_of(const struct http_response *response, const char *name) {
	struct bytes rest = buf_view(&response->headers);
	const size_t len = strlen(name);
	while (rest.len > len) {
		const uint8_t *end = memchr(rest.data, '\r', rest.len);
		if (!end) break;
		const size_t line = (size_t)(end - rest.data);
		if (line > len + 2 && memcmp(rest.data, name, len) == 0 && rest.data[len] == ':')
			return bytes_slice(rest, len + 2, line - len - 2);
		rest = bytes_slice(rest, line + 2, rest.len);
	}
	return (struct bytes){NULL, 0};
}

static void put_request(struct http_request *request, struct fhir_job *job, const struct fhir_entry *entry) {
	const struct http_request *outer = &job->call->exchange->request;
	const struct bytes base = job->plan.base;
	struct bytes url = entry->url;
	if (base.len && url.len >= base.len && memcmp(url.data, base.data, base.len) == 0)
		url = bytes_slice(url, base.len, url.len);
	const uint8_t *mark = url.len ? memchr(url.data, '?', url.len) : NULL;
	const size_t len = mark ? (size_t)(mark - url.data) : url.len;
	const bool has_slash = len && url.data[0] == '/';
	request->method = HTTP_GET;
	request->path = bytes_text(
	    arena_printf(job->arena, "/fhir%s%.*s", has_slash ? "" : "/", (int)len, len ? (const char *)url.data : ""));
	request->query = mark ? bytes_slice(url, len + 1, url.len) : (struct bytes){NULL, 0};
	request->peer = outer->peer;
	const struct http_header fields[] = {{BYTES_LITERAL("host"), http_header_get(outer, "host")},
	    {BYTES_LITERAL("if-none-match"), entry->if_none_match},
	    {BYTES_LITERAL("if-modified-since"), entry->if_modified_since}};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (fields[i].value.len) request->headers[request->header_count++] = fields[i];
}

/* Each entry is in the trail by itself: who asked for a Bundle asked for these. */
static void note(struct fhir_job *job, const struct fhir_entry *entry, const struct resource_version *made,
    const struct fhir_looks *looks, int status) {
	static const char *const methods[] = {[FHIR_ENTRY_DELETE] = "DELETE",
	    [FHIR_ENTRY_POST] = "POST",
	    [FHIR_ENTRY_PUT] = "PUT",
	    [FHIR_ENTRY_PATCH] = "PATCH",
	    [FHIR_ENTRY_GET] = "GET"};
	struct gateway_part part = {
	    .method = methods[entry->method], .url = entry->url, .status = status, .looks = looks};
	if (made)
		part.made =
		    bytes_text(arena_printf(job->arena, "%s/%.*s/_history/%u", fhir_type_name(&fhir_r4, made->key.type),
			(int)made->key.id.len, (const char *)made->key.id.data, made->version));
	gateway_note_part(job->server->gateway, job->call->exchange, &job->call->asker, &part);
}

static hash32 *copy_of(struct arena *arena, const struct fhir_looks *looks) {
	hash32 *copy = arena_zalloc(arena, looks->count + 1, sizeof *copy);
	if (looks->count) memcpy(copy, looks->folders, looks->count * sizeof *copy);
	return copy;
}

/* Writes the entry's content. */
static void put_read(struct json_writer *w, struct fhir_job *job, const struct fhir_entry *entry) {
	struct http_exchange *inner = arena_zalloc(job->arena, 1, sizeof *inner);
	http_exchange_init(inner, BUF_MAX_DEFAULT);
	put_request(&inner->request, job, entry);
	struct fhir_looks looks = {NULL, 0, false};
	struct fhir_call *call = fhir_call_inside(job->call, inner);
	if (call) {
		fhir_routes_answer_get(call);
		looks = fhir_looks_of(call);
		looks.folders = copy_of(job->arena, &looks);
		fhir_call_end(call);
	}
	const struct http_response *response = &inner->response;
	const bool is_good = response->status == 200;
	const struct bytes body = buf_view(&response->body), etag = field_of(response, "ETag");
	if (is_good && !entry->is_head && body.len) json_put_raw(w, "resource", body);
	json_object_begin(w, "response");
	json_put_text(w, "status", fhir_bundle_status(response->status));
	if (etag.len) json_put_string(w, "etag", etag);
	if (!is_good && body.len) json_put_raw(w, "outcome", body);
	json_object_end(w);
	note(job, entry, NULL, &looks, response->status);
	http_exchange_fini(inner);
}

/* --- the answer --- */

static bool shows_resources(const struct fhir_call *call) {
	return call->has_preference && call->wanted == FHIR_CALL_REPRESENTATION;
}

static void put_version(struct json_writer *w, struct fhir_job *job, const struct resource_version *version) {
	char instant[FHIR_ANSWER_INSTANT_BYTES], etag[24];
	const struct bytes reference = fhir_answer_reference(job->arena, &version->key);
	snprintf(etag, sizeof etag, "W/\"%u\"", version->version);
	fhir_answer_instant(instant, version->at_ms);
	json_put_text(w, "location",
	    arena_printf(
		job->arena, "%.*s/_history/%u", (int)reference.len, (const char *)reference.data, version->version));
	json_put_text(w, "etag", etag);
	json_put_text(w, "lastModified", instant);
}

static void put_outcome(struct json_writer *w, const struct fhir_issues *issues) {
	struct buf outcome;
	buf_init(&outcome, BUF_MAX_DEFAULT);
	fhir_operation_outcome(&outcome, issues);
	json_put_raw(w, "outcome", buf_view(&outcome));
	buf_fini(&outcome);
}

static void put_entry(struct json_writer *w, struct fhir_job *job, size_t index) {
	const struct fhir_entry *entry = &job->plan.entries[index];
	const struct fhir_job_result *result = &job->results[index];
	const struct resource_version *after = entry->issues ? NULL : result->after;
	json_object_begin(w, NULL);
	if (!entry->issues && entry->method == FHIR_ENTRY_GET) {
		put_read(w, job, entry);
		json_object_end(w);
		return;
	}
	if (after && after->method != RESOURCE_DELETE) {
		json_put_text(w, "fullUrl",
		    arena_printf(job->arena, "%.*s/%.*s", (int)job->call->base.len, (const char *)job->call->base.data,
			(int)entry->reference.len, (const char *)entry->reference.data));
		if (shows_resources(job->call) && fhir_job_may_show(job, entry, after))
			json_put_raw(w, "resource", after->content);
	}
	json_object_begin(w, "response");
	json_put_text(w, "status", fhir_bundle_status(entry->status));
	if (after) put_version(w, job, after);
	if (entry->issues) put_outcome(w, entry->issues);
	json_object_end(w);
	json_object_end(w);
	const struct fhir_looks looks = {after ? &after->folder : NULL, after != NULL, true};
	note(job, entry, after, &looks, entry->status);
}

static void answer_bundle(struct fhir_job *job) {
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "Bundle");
	json_put_text(&w, "type", job->plan.is_atomic ? "transaction-response" : "batch-response");
	json_array_begin(&w, "link");
	json_object_begin(&w, NULL);
	json_put_text(&w, "relation", "self");
	json_put_string(&w, "url", job->call->base);
	json_object_end(&w);
	json_array_end(&w);
	if (job->plan.count) {
		json_array_begin(&w, "entry");
		for (size_t i = 0; i < job->plan.count; i++) put_entry(&w, job, i);
		json_array_end(&w);
	}
	json_object_end(&w);
	http_put_header(&job->call->exchange->response, "Cache-Control", "no-store");
	fhir_answer_json(job->call, 200, buf_view(&body));
	buf_fini(&body);
}

static void answer(struct fhir_job *job) {
	if (job->is_done)
		answer_bundle(job);
	else if (job->status)
		fhir_call_answer_issues(job->call, job->status);
	fhir_call_end(job->call);
}

/* --- the request --- */

/* What takes a body, and an export, whose answers are no resources. */
static bool is_alone(const struct fhir_entry *entry) {
	if (entry->target.kind != FHIR_TARGET_OPERATION) return false;
	return entry->method == FHIR_ENTRY_POST ||
	       bytes_equal(bytes_slice(entry->target.operation, 0, 6), BYTES_LITERAL("export"));
}

static void refuse_operations(struct fhir_transaction *plan) {
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->entries[i].issues && is_alone(&plan->entries[i]))
			fhir_entry_refuse(plan, i, 501, FHIR_ISSUE_NOT_SUPPORTED,
			    "this operation is not carried out inside a Bundle; ask for it by itself");
}

/* The status of a transaction that is refused while it is read: of its first entry that is wrong. */
static int status_of(const struct fhir_transaction *plan) {
	for (size_t i = 0; plan->entries && i < plan->count; i++)
		if (plan->entries[i].issues) return plan->entries[i].status;
	return 400;
}

void fhir_bundle(struct fhir_call *call) {
	const struct json *bundle;
	struct fhir_transaction plan;
	if (!fhir_call_body(call, &bundle)) {
		fhir_call_end(call);
		return;
	}
	if (!fhir_transaction_read(&plan, &call->issues, &fhir_r4, bundle, call->base)) {
		fhir_call_answer_issues(call, status_of(&plan));
		fhir_call_end(call);
		return;
	}
	refuse_operations(&plan);
	fhir_job_run(fhir_job_of_plan(call, &plan, answer));
}
