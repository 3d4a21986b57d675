/* Single writes: create, update, patch and delete, with or without a condition. */
#include "health/gateway/fhir_write.h"

#include "base/http_reply.h"
#include "base/route.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_binary.h"
#include "health/gateway/fhir_job.h"
#include "health/gateway/fhir_looks.h"

bool fhir_write_takes(struct fhir_call *call, const char *types, const char *remedy) {
	const struct bytes type = http_header_get(&call->exchange->request, "content-type");
	if (type.data && route_accepts(types, type)) return true;
	fhir_call_refuse(call, 415, FHIR_ISSUE_NOT_SUPPORTED, "the body's Content-Type is \"%.*s\"; %s",
	    (int)(type.len < 80 ? type.len : 80), type.len ? (const char *)type.data : "", remedy);
	return false;
}

/* --- answers --- */

static void answer_outcome(struct fhir_call *call, int status, const char *what) {
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	fhir_answer_outcome(&body, FHIR_INFORMATION, FHIR_ISSUE_INFORMATIONAL, what);
	fhir_answer_json(call, status, buf_view(&body));
	buf_fini(&body);
}

static void answer_deleted(struct fhir_call *call, const struct fhir_job_result *result) {
	struct http_response *response = &call->exchange->response;
	if (result->after) {
		fhir_looks_see(call, &result->after->folder);
		http_put_header(response, "ETag", "W/\"%u\"", result->after->version);
	}
	if (call->wanted == FHIR_CALL_OUTCOME)
		answer_outcome(call, 200, result->change ? "the resource was deleted" : "there was nothing to delete");
	else
		response->status = 204;
}

static void answer_written(struct fhir_call *call, int status, const struct fhir_job_result *result) {
	const struct resource_version *version = result->after;
	switch (call->wanted) {
	case FHIR_CALL_REPRESENTATION: fhir_answer_resource(call, status, version); return;
	case FHIR_CALL_MINIMAL:
		fhir_answer_put_version(call, version);
		call->exchange->response.status = status;
		return;
	case FHIR_CALL_OUTCOME:
		fhir_answer_put_version(call, version);
		answer_outcome(
		    call, status, result->change ? "the resource was written" : "the resource is there already");
		return;
	}
}

static void answer(struct fhir_job *job) {
	struct fhir_call *call = job->call;
	const struct fhir_entry *entry = job->plan.entries;
	if (!job->is_done) {
		if (job->status) fhir_call_answer_issues(call, job->status);
	} else if (entry->method == FHIR_ENTRY_DELETE) {
		answer_deleted(call, job->results);
	} else {
		if (call->wanted == FHIR_CALL_REPRESENTATION && !fhir_job_may_show(job, entry, job->results->after))
			call->wanted = FHIR_CALL_MINIMAL;
		answer_written(call, entry->status, job->results);
	}
	fhir_call_end(call);
}

/* --- requests --- */

static struct bytes header(const struct fhir_call *call, const char *name) {
	return http_header_get(&call->exchange->request, name);
}

/* If-None-Exist; or the query, which clients write behind the type as in a conditional update, and which nobody must
 * take for a create without a condition. What only shapes the answer is no condition. */
static struct bytes condition_of_create(const struct fhir_call *call) {
	static const char *const shapes[] = {"_format", "_pretty", "_summary", "_elements"};
	const struct bytes given =
	    fhir_condition_query(&fhir_r4, call->target.type, call->base, header(call, "if-none-exist"));
	size_t conditions = call->query.count;
	for (size_t i = 0; i < call->query.count; i++)
		for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
			conditions -= bytes_equal(call->query.items[i].name, bytes_text(shapes[k]));
	if (given.data || !conditions) return given;
	return call->exchange->request.query;
}

/* The job of a request; its resource is still to be set. */
static struct fhir_job *job_of(struct fhir_call *call, enum fhir_entry_method method) {
	struct fhir_job *job = fhir_job_of_one(call, answer);
	struct fhir_entry *entry = job->plan.entries;
	entry->method = method;
	entry->target = call->target;
	entry->if_match = header(call, "if-match");
	entry->if_none_match = header(call, "if-none-match");
	if (method == FHIR_ENTRY_POST)
		entry->condition = condition_of_create(call);
	else if (!call->target.id.len)
		entry->condition = call->exchange->request.query;
	return job;
}

/* Its resourceType is the path's. */
static bool check_type(struct fhir_call *call, const struct json *resource) {
	const struct bytes type = json_string(json_get(resource, "resourceType"));
	const char *wanted = fhir_type_name(&fhir_r4, call->target.type);
	if (bytes_equal(type, bytes_text(wanted))) return true;
	fhir_call_issue(call, type.data ? FHIR_ISSUE_INVALID : FHIR_ISSUE_STRUCTURE, "",
	    type.data ? "the resource is of type \"%.*s\", and the path is of %s: send it to its own type"
		      : "the body is no resource: it has no resourceType%.*s, and one of type %s is needed",
	    (int)(type.len < 80 ? type.len : 80), type.data ? (const char *)type.data : "", wanted);
	fhir_call_answer_issues(call, 400);
	return false;
}

static bool check_id(struct fhir_call *call, const struct json *resource) {
	const struct bytes id = json_string(json_get(resource, "id"));
	if (!call->target.id.len || bytes_equal(id, call->target.id)) return true;
	fhir_call_issue(call, FHIR_ISSUE_INVALID, "",
	    "the resource has %s\"%.*s\", and the path \"%.*s\": an update's resource has the id that the path names",
	    id.data ? "the id " : "no id ", (int)(id.len < 80 ? id.len : 80), id.data ? (const char *)id.data : "",
	    (int)call->target.id.len, (const char *)call->target.id.data);
	fhir_call_answer_issues(call, 400);
	return false;
}

static bool check_condition(struct fhir_call *call, const struct fhir_entry *entry) {
	if (call->target.id.len || entry->method == FHIR_ENTRY_POST || entry->condition.len) return true;
	fhir_call_refuse(call, 400, FHIR_ISSUE_REQUIRED,
	    "name the resource by its id (Type/id), or by search parameters (Type?parameters)");
	return false;
}

static bool read_resource(struct fhir_call *call, const struct json **out) {
	return fhir_binary_brings_bytes(call) ? fhir_binary_of_body(call, out) : fhir_call_body(call, out);
}

static void write_resource(struct fhir_call *call, enum fhir_entry_method method) {
	const struct json *resource;
	struct fhir_job *job = job_of(call, method);
	if (check_condition(call, job->plan.entries) && read_resource(call, &resource) && check_type(call, resource) &&
	    (method == FHIR_ENTRY_POST || check_id(call, resource))) {
		job->plan.entries->resource = resource;
		fhir_job_run(job);
	} else {
		fhir_call_end(call);
	}
}

void fhir_write_create(struct fhir_call *call) {
	write_resource(call, FHIR_ENTRY_POST);
}

void fhir_write_update(struct fhir_call *call) {
	write_resource(call, FHIR_ENTRY_PUT);
}

void fhir_write_delete(struct fhir_call *call) {
	struct fhir_job *job = job_of(call, FHIR_ENTRY_DELETE);
	if (check_condition(call, job->plan.entries))
		fhir_job_run(job);
	else
		fhir_call_end(call);
}

/* A JSON Patch is an array, and has a media type of its own; Parameters are a FHIRPath Patch. */
static bool check_patch(struct fhir_call *call, const struct json *patch) {
	const struct bytes type = http_header_get(&call->exchange->request, "content-type");
	const bool is_json_patch = route_accepts("application/json-patch+json", type);
	if (is_json_patch && json_is(patch, JSON_ARRAY)) return true;
	if (!is_json_patch && json_string_is(json_get(patch, "resourceType"), "Parameters")) return true;
	if (is_json_patch)
		fhir_call_refuse(call, 400, FHIR_ISSUE_STRUCTURE, "a JSON Patch is an array of operations (RFC 6902)");
	else
		fhir_call_refuse(call, 415, FHIR_ISSUE_NOT_SUPPORTED,
		    "a body of this Content-Type must be a FHIRPath Patch, which is a Parameters resource; a JSON Patch comes "
		    "as application/json-patch+json, and a merge patch is not taken");
	return false;
}

void fhir_write_patch(struct fhir_call *call) {
	const struct json *patch;
	struct fhir_job *job = job_of(call, FHIR_ENTRY_PATCH);
	if (check_condition(call, job->plan.entries) && fhir_call_body(call, &patch) && check_patch(call, patch)) {
		job->plan.entries->resource = patch;
		fhir_job_run(job);
	} else {
		fhir_call_end(call);
	}
}
