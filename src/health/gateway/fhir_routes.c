/* The paths of the FHIR server. What a path names is read by fhir/target.h; the rows say what there is. */
#include "health/gateway/fhir_routes.h"

#include "base/http_reply.h"
#include "health/fhir/bundle.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_bundle.h"
#include "health/gateway/fhir_capability.h"
#include "health/gateway/fhir_history.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_read.h"
#include "health/gateway/fhir_search.h"
#include "health/gateway/fhir_write.h"

/* RFC 9110 §15.5.6 wants them. */
static const char *methods_of(enum fhir_target_kind kind) {
	switch (kind) {
	case FHIR_TARGET_METADATA:
	case FHIR_TARGET_VERSION:
	case FHIR_TARGET_HISTORY:
	case FHIR_TARGET_COMPARTMENT: return "GET, HEAD";
	case FHIR_TARGET_INSTANCE: return "GET, HEAD, PUT, PATCH, DELETE";
	case FHIR_TARGET_TYPE: return "GET, HEAD, POST, PUT, PATCH, DELETE";
	case FHIR_TARGET_SYSTEM:
	case FHIR_TARGET_SEARCH:
	case FHIR_TARGET_OPERATION: break;
	}
	return "GET, HEAD, POST";
}

static void refuse_method(struct fhir_call *call) {
	http_put_header(&call->exchange->response, "Allow", "%s", methods_of(call->target.kind));
	fhir_call_refuse(call, 405, FHIR_ISSUE_NOT_SUPPORTED,
	    "FHIR's REST has no %s at this path; GET [base]/metadata lists what this server serves",
	    http_method_name(call->exchange->request.method));
}

static void end_refused(struct fhir_call *call) {
	refuse_method(call);
	fhir_call_end(call);
}

/* --- GET --- */

void fhir_routes_answer_get(struct fhir_call *call) {
	switch (call->target.kind) {
	case FHIR_TARGET_METADATA: fhir_capability(call); return;
	case FHIR_TARGET_INSTANCE:
	case FHIR_TARGET_VERSION: fhir_read(call); return;
	case FHIR_TARGET_HISTORY: fhir_history(call); return;
	case FHIR_TARGET_SYSTEM:
	case FHIR_TARGET_TYPE:
	case FHIR_TARGET_SEARCH:
	case FHIR_TARGET_COMPARTMENT: fhir_search(call); return;
	case FHIR_TARGET_OPERATION: (void)!fhir_operation_serve(call); return; /* a GET hands nothing on */
	}
}

static void read_now(struct fhir_call *call) {
	fhir_routes_answer_get(call);
	fhir_call_end(call);
}

static void serve_work(void *context, struct http_exchange *exchange) {
	fhir_call_serve_later(context, exchange, read_now);
}

/* A read takes less time than a worker's turn. */
static void read_here(struct fhir_call *call) {
	if (call->target.kind == FHIR_TARGET_OPERATION)
		fhir_call_go_on_later(call, read_now);
	else
		read_now(call);
}

static void serve_read(void *context, struct http_exchange *exchange) {
	fhir_call_serve(context, exchange, read_here);
}

/* --- writes --- */

static void post(struct fhir_call *call) {
	switch (call->target.kind) {
	case FHIR_TARGET_TYPE: fhir_write_create(call); return;
	case FHIR_TARGET_SYSTEM: fhir_bundle(call); return;
	case FHIR_TARGET_SEARCH: fhir_search_form(call); break;
	case FHIR_TARGET_OPERATION:
		if (!fhir_operation_serve(call)) return;
		break;
	case FHIR_TARGET_METADATA:
	case FHIR_TARGET_INSTANCE:
	case FHIR_TARGET_VERSION:
	case FHIR_TARGET_HISTORY:
	case FHIR_TARGET_COMPARTMENT: refuse_method(call); break;
	}
	fhir_call_end(call);
}

static bool is_writable(const struct fhir_call *call) {
	return call->target.kind == FHIR_TARGET_TYPE || call->target.kind == FHIR_TARGET_INSTANCE;
}

static void put(struct fhir_call *call) {
	if (is_writable(call))
		fhir_write_update(call);
	else
		end_refused(call);
}

static void patch(struct fhir_call *call) {
	if (is_writable(call))
		fhir_write_patch(call);
	else
		end_refused(call);
}

static void remove_resource(struct fhir_call *call) {
	if (is_writable(call)) {
		fhir_write_delete(call);
	} else if (bytes_equal(call->target.operation, BYTES_LITERAL("export-poll-status"))) {
		if (fhir_operation_serve(call)) fhir_call_end(call);
	} else {
		end_refused(call);
	}
}

static void serve_post(void *context, struct http_exchange *exchange) {
	fhir_call_serve_later(context, exchange, post);
}

static void serve_put(void *context, struct http_exchange *exchange) {
	fhir_call_serve_later(context, exchange, put);
}

static void serve_patch(void *context, struct http_exchange *exchange) {
	fhir_call_serve_later(context, exchange, patch);
}

static void serve_delete(void *context, struct http_exchange *exchange) {
	fhir_call_serve_later(context, exchange, remove_resource);
}

#define FHIR_ANSWER .gzip = HTTP_GZIP_ANSWERS
#define FHIR_JSON "application/fhir+json, application/json, application/json+fhir, text/json"
#define FHIR_LARGE .gzip = HTTP_GZIP_BOTH, .limits = {.large_body_max = FHIR_DOCUMENT_MAX, .large_at_once = 4}
#define FHIR_FORM .gzip = HTTP_GZIP_BOTH, .limits = {.body_max = FHIR_SEARCH_FORM_MAX}
#define FHIR_BODY .accepts = FHIR_JSON, FHIR_LARGE
#define FHIR_PATCH .accepts = "application/json-patch+json, " FHIR_JSON, FHIR_LARGE

const struct route fhir_routes[] = {
    ROUTE(HTTP_GET, "/fhir/metadata", serve_read, "FHIR: the CapabilityStatement", FHIR_ANSWER),
    ROUTE(HTTP_GET, "/fhir", serve_work, "FHIR: search the whole system", FHIR_ANSWER),
    ROUTE(HTTP_POST, "/fhir/_search", serve_post, "FHIR: the same, with a form", FHIR_FORM),
    ROUTE(HTTP_GET, "/fhir/{type}", serve_work, "FHIR: search a type; or an operation of the system", FHIR_ANSWER),
    ROUTE(HTTP_POST, "/fhir/{type}/_search", serve_post, "FHIR: search a type, with a form", FHIR_FORM),
    ROUTE(HTTP_GET, "/fhir/{type}/{id}", serve_read, "FHIR: read; or an operation of a type", FHIR_ANSWER),
    ROUTE(HTTP_POST, "/fhir/{type}/{operation}", serve_post, "FHIR: an operation of a type", FHIR_LARGE),
    ROUTE(HTTP_GET, "/fhir/{type}/{id}/{what}", serve_work,
	"FHIR: search a compartment, as Patient/1/Observation; or an operation of a resource", FHIR_ANSWER),
    ROUTE(HTTP_POST, "/fhir/{type}/{id}/{operation}", serve_post, "FHIR: an operation of a resource", FHIR_LARGE),
    ROUTE(HTTP_POST, "/fhir/{type}/{id}/{within}/_search", serve_post, "FHIR: search a compartment, with a form",
	FHIR_FORM),
    ROUTE(HTTP_GET, "/fhir/{type}/{id}/_history/{version}", serve_read, "FHIR: read one version (vread)", FHIR_ANSWER),
    ROUTE(HTTP_GET, "/fhir/_history", serve_work, "FHIR: history of everything", FHIR_ANSWER),
    ROUTE(HTTP_GET, "/fhir/{type}/_history", serve_work, "FHIR: history of a type", FHIR_ANSWER),
    ROUTE(HTTP_GET, "/fhir/{type}/{id}/_history", serve_work, "FHIR: history of a resource", FHIR_ANSWER),
    ROUTE(HTTP_POST, "/fhir", serve_post, "FHIR: a batch or a transaction", FHIR_BODY),
    ROUTE(HTTP_POST, "/fhir/{type}", serve_post, "FHIR: create; If-None-Exist: create on a condition", FHIR_BODY),
    ROUTE(HTTP_POST, "/fhir/Binary", serve_post, "FHIR: create a Binary, as JSON or as its bytes", FHIR_LARGE),
    ROUTE(HTTP_PUT, "/fhir/Binary/{id}", serve_put, "FHIR: update a Binary, as JSON or as its bytes", FHIR_LARGE),
    ROUTE(HTTP_PUT, "/fhir/{type}/{id}", serve_put, "FHIR: update, or create under this id", FHIR_BODY),
    ROUTE(HTTP_PUT, "/fhir/{type}", serve_put, "FHIR: update what a search finds", FHIR_BODY),
    ROUTE(HTTP_PATCH, "/fhir/{type}/{id}", serve_patch, "FHIR: patch (JSON Patch, FHIRPath Patch)", FHIR_PATCH),
    ROUTE(HTTP_PATCH, "/fhir/{type}", serve_patch, "FHIR: patch what a search finds", FHIR_PATCH),
    ROUTE(HTTP_DELETE, "/fhir/{type}/{id}", serve_delete, "FHIR: delete", FHIR_ANSWER),
    ROUTE(HTTP_DELETE, "/fhir/{type}", serve_delete, "FHIR: delete what a search finds", FHIR_ANSWER),
};
const size_t fhir_route_count = sizeof fhir_routes / sizeof *fhir_routes;

static bool is_fhir_path(struct bytes path) {
	const struct bytes base = BYTES_LITERAL("/fhir");
	return bytes_equal(bytes_slice(path, 0, base.len), base) &&
	       (path.len == base.len || path.data[base.len] == '/');
}

void fhir_routes_trim(struct http_exchange *exchange) {
	struct bytes *path = &exchange->request.path;
	if (is_fhir_path(*path) && path->data[path->len - 1] == '/') path->len--;
}

static enum fhir_issue_code code_of(int status) {
	switch (status) {
	case 404: return FHIR_ISSUE_NOT_FOUND;
	case 413: return FHIR_ISSUE_TOO_LONG;
	case 429:
	case 503: return FHIR_ISSUE_THROTTLED;
	case 504: return FHIR_ISSUE_TIMEOUT;
	case 405:
	case 406:
	case 415: return FHIR_ISSUE_NOT_SUPPORTED;
	default: return status < 500 ? FHIR_ISSUE_INVALID : FHIR_ISSUE_EXCEPTION;
	}
}

void fhir_routes_translate(struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct arena arena;
	const struct json *problem;
	if (response->status < 400 || !is_fhir_path(exchange->request.path)) return;
	if (!response->content_type || strcmp(response->content_type, "application/problem+json") != 0) return;
	arena_init(&arena);
	const struct bytes body = arena_dup(&arena, buf_view(&response->body));
	if (json_parse(&problem, &arena, body, NULL, NULL) == STATUS_OK) {
		const struct bytes detail = json_string(json_get(problem, "detail"));
		buf_clear(&response->body);
		fhir_answer_outcome(
		    &response->body, FHIR_ERROR, code_of(response->status), arena_strdup(&arena, detail));
		response->content_type = FHIR_ANSWER_TYPE;
	}
	arena_fini(&arena);
}
