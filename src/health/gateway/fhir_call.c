#include "health/gateway/fhir_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/http_list.h"
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/json_input.h"
#include "health/contracts/cause.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_looks.h"

#define BASE_PATH "/fhir"

/* --- refusing --- */

static void add_issue(
    struct fhir_call *call, enum fhir_issue_code code, const char *expression, const char *format, va_list arguments) {
	char why[1024];
	vsnprintf(why, sizeof why, format, arguments);
	fhir_issues_add(&call->issues, FHIR_ERROR, code, expression, why);
}

void fhir_call_issue(
    struct fhir_call *call, enum fhir_issue_code code, const char *expression, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	add_issue(call, code, expression, format, arguments);
	va_end(arguments);
}

void fhir_call_answer_issues(struct fhir_call *call, int status) {
	struct http_response *response = &call->exchange->response;
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	fhir_operation_outcome(&body, &call->issues);
	fhir_answer_json(call, status, buf_view(&body));
	buf_fini(&body);
	http_put_header(response, "Cache-Control", "no-store");
}

void fhir_call_refuse(struct fhir_call *call, int status, enum fhir_issue_code code, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	add_issue(call, code, "", format, arguments);
	va_end(arguments);
	fhir_call_answer_issues(call, status);
}

int fhir_call_status_of(enum status status, enum fhir_issue_code *code) {
	switch (status) {
	case STATUS_INVALID: *code = FHIR_ISSUE_INVALID; return 400;
	case STATUS_NOTFOUND: *code = FHIR_ISSUE_NOT_FOUND; return 404;
	case STATUS_PRUNED: *code = FHIR_ISSUE_NOT_FOUND; return 410;
	case STATUS_EXISTS: *code = FHIR_ISSUE_CONFLICT; return 409;
	case STATUS_LIMIT: *code = FHIR_ISSUE_TOO_COSTLY; return 413;
	case STATUS_DENIED: *code = FHIR_ISSUE_FORBIDDEN; return 403;
	case STATUS_UNSUPPORTED: *code = FHIR_ISSUE_NOT_SUPPORTED; return 501;
	case STATUS_BUSY:
	case STATUS_IO: *code = FHIR_ISSUE_TRANSIENT; return 503;
	case STATUS_TIMEOUT: *code = FHIR_ISSUE_TIMEOUT; return 503;
	case STATUS_CORRUPT:
	case STATUS_INTERNAL:
	case STATUS_OK:
	case STATUS_COUNT: break;
	}
	*code = FHIR_ISSUE_EXCEPTION;
	return 500;
}

/* What stands in `err` may speak to somebody at a command line, or of this machine: only what a client did is said. */
static const char *said_of(enum status status, const struct err *err) {
	switch (status) {
	case STATUS_INVALID:
	case STATUS_NOTFOUND:
	case STATUS_PRUNED:
	case STATUS_LIMIT:
	case STATUS_UNSUPPORTED:
	case STATUS_EXISTS: return err->message;
	case STATUS_DENIED: return "the chain, the node or the folder's keys refuse it";
	case STATUS_BUSY: return "too much is being worked on; try again in a moment";
	case STATUS_TIMEOUT:
		return "it did not end in time; if it was a write it goes on, so read the resource before trying again";
	case STATUS_IO: return "the node does not answer, or the disk fails; try again later";
	case STATUS_CORRUPT:
	case STATUS_INTERNAL:
	case STATUS_OK:
	case STATUS_COUNT: break;
	}
	return "this server failed; its operator finds the cause in its log";
}

void fhir_call_fail(struct fhir_call *call, enum status status, const struct err *err) {
	enum fhir_issue_code code;
	const int http_status = fhir_call_status_of(status, &code);
	if (http_status >= 500) log_warn("gateway", "a FHIR request: %s", err->message);
	if (http_status == 503) http_put_header(&call->exchange->response, "Retry-After", "2");
	fhir_call_refuse(call, http_status, code, "%s", said_of(status, err));
}

bool fhir_call_scope(struct fhir_call *call, struct resource_scope *out, enum asker_right right, uint16_t type) {
	struct err err;
	if (asker_scope(out, &call->arena, &call->asker, right, type, &err) == STATUS_OK) {
		fhir_foreign_admit(call->server->foreign, out, &call->arena, call->asker.purpose);
		return true;
	}
	fhir_call_refuse(call, 403, FHIR_ISSUE_FORBIDDEN, "%s", err.message);
	return false;
}

/* --- what a request wants --- */

struct bytes fhir_call_parameter(const struct fhir_call *call, const char *name) {
	return http_query_get(&call->query, name);
}

static bool is_json_type(struct bytes type) {
	return http_list_word_is(type, "application/fhir+json") || http_list_word_is(type, "application/json") ||
	       http_list_word_is(type, "json") || http_list_word_is(type, "text/json") ||
	       http_list_word_is(type, "application/json+fhir") || http_list_word_is(type, "*/*") ||
	       http_list_word_is(type, "application/*");
}

static bool is_zero(struct bytes weight) {
	for (size_t i = 0; i < weight.len; i++)
		if (weight.data[i] != '0' && weight.data[i] != '.') return false;
	return weight.len > 0;
}

/* ";charset=utf-8;fhirVersion=4.0": is it what this server reads and writes? In Accept a weight of 0 is a refusal. */
static bool fits_parameters(struct bytes parameters) {
	while (parameters.len) {
		struct bytes value = http_list_next(&parameters, ';');
		const struct bytes name = http_list_next(&value, '=');
		while (value.len && value.data[0] == ' ') value = bytes_slice(value, 1, value.len);
		if (value.len >= 2 && value.data[0] == '"') value = bytes_slice(value, 1, value.len - 2);
		if (http_list_word_is(name, "charset") && !http_list_word_is(value, "utf-8") &&
		    !http_list_word_is(value, "utf8") && !http_list_word_is(value, "us-ascii"))
			return false;
		if (http_list_word_is(name, "fhirVersion") && !http_list_word_is(value, "4.0") &&
		    !http_list_word_is(value, "4.0.1"))
			return false;
		if (http_list_word_is(name, "q") && is_zero(value)) return false;
	}
	return true;
}

static bool accepts_json(struct bytes accept) {
	while (accept.len) {
		struct bytes piece = http_list_next(&accept, ',');
		if (piece.len && is_json_type(http_list_next(&piece, ';')) && fits_parameters(piece)) return true;
	}
	return false;
}

/* False: the body is of a form that is not read, and a 415 is written. Whether its type is taken is the route's. */
static bool check_content(struct fhir_call *call) {
	const struct bytes header = http_header_get(&call->exchange->request, "content-type");
	struct bytes rest = header;
	const struct bytes type = http_list_next(&rest, ';');
	const bool is_ours = is_json_type(type) || http_list_word_is(type, "application/json-patch+json") ||
			     http_list_word_is(type, "application/x-www-form-urlencoded");
	if (!is_ours || fits_parameters(rest)) return true;
	fhir_call_refuse(call, 415, FHIR_ISSUE_NOT_SUPPORTED,
	    "the body's Content-Type is \"%.*s\"; this server reads UTF-8, and FHIR 4.0 alone",
	    (int)(header.len < 120 ? header.len : 120), (const char *)header.data);
	return false;
}

/* Its files are NDJSON. */
static bool is_export(const struct fhir_call *call) {
	const struct bytes name = call->target.operation;
	return name.len >= 6 && memcmp(name.data, "export", 6) == 0;
}

/* False: an answer in JSON is not wanted, and a 406 is written. Operations on Binary read Accept by themselves. */
static bool negotiate(struct fhir_call *call) {
	const struct bytes accept = http_header_get(&call->exchange->request, "accept");
	const uint16_t binary = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Binary"));
	struct bytes format = fhir_call_parameter(call, "_format");
	if (format.len) {
		struct bytes rest = format;
		struct bytes type = http_list_next(&rest, ';');
		/* A "+" that nobody escaped is a space in a query. */
		const bool is_json = is_json_type(type) || http_list_word_is(type, "application/fhir json");
		if (is_json && fits_parameters(rest)) return true;
		fhir_call_refuse(call, 406, FHIR_ISSUE_NOT_SUPPORTED,
		    "_format=%.*s is not answered; this server speaks JSON of FHIR 4.0 alone: use _format=json",
		    (int)(format.len < 60 ? format.len : 60), (const char *)format.data);
		return false;
	}
	if (!accept.len || accepts_json(accept) || call->target.type == binary || is_export(call)) return true;
	fhir_call_refuse(call, 406, FHIR_ISSUE_NOT_SUPPORTED,
	    "Accept names no form that this server answers in; it speaks JSON of FHIR 4.0 alone, in UTF-8: send Accept: "
	    "application/fhir+json");
	return false;
}

static void read_prefer(struct fhir_call *call) {
	const struct http_request *request = &call->exchange->request;
	for (size_t i = 0; i < request->header_count; i++) {
		struct bytes value = request->headers[i].value;
		if (!bytes_equal(request->headers[i].name, BYTES_LITERAL("prefer"))) continue;
		while (value.len) {
			struct bytes piece = http_list_next(&value, ',');
			while (piece.len) {
				const struct bytes word = http_list_next(&piece, ';');
				if (http_list_word_is(word, "return=minimal")) call->wanted = FHIR_CALL_MINIMAL;
				if (http_list_word_is(word, "return=representation"))
					call->wanted = FHIR_CALL_REPRESENTATION;
				if (http_list_word_is(word, "return=OperationOutcome"))
					call->wanted = FHIR_CALL_OUTCOME;
				call->has_preference |=
				    word.len > 7 && http_list_word_is(bytes_slice(word, 0, 7), "return=");
				if (http_list_word_is(word, "handling=strict")) call->is_strict = true;
				if (http_list_word_is(word, "respond-async")) call->wants_async = true;
			}
		}
	}
}

static bool read_subset(struct fhir_call *call) {
	const struct bytes summary = fhir_call_parameter(call, "_summary");
	const struct bytes elements = fhir_call_parameter(call, "_elements");
	call->is_pretty = bytes_equal(fhir_call_parameter(call, "_pretty"), BYTES_LITERAL("true"));
	if (summary.len && !fhir_subset_read_summary(&call->subset, summary)) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE,
		    "_summary is \"%.*s\"; it takes true, false, text, data or count",
		    (int)(summary.len < 60 ? summary.len : 60), (const char *)summary.data);
		return false;
	}
	if (fhir_subset_read_elements(&call->subset, elements)) return true;
	fhir_call_refuse(
	    call, 400, FHIR_ISSUE_TOO_COSTLY, "_elements names more than %u elements", FHIR_SUBSET_ELEMENTS_MAX);
	return false;
}

static bool read_target(struct fhir_call *call) {
	const struct http_request *request = &call->exchange->request;
	const struct bytes path =
	    fhir_target_decode(&call->arena, bytes_slice(request->path, sizeof BASE_PATH - 1, request->path.len));
	switch (fhir_target_parse(&call->target, &fhir_r4, path)) {
	case FHIR_TARGET_FOUND: return true;
	case FHIR_TARGET_NO_TYPE:
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_SUPPORTED,
		    "the path names no resource type of FHIR R4; GET [base]/metadata lists them (mind the capitals)");
		return false;
	case FHIR_TARGET_NO_ID:
		fhir_call_refuse(call, request->method == HTTP_GET || request->method == HTTP_HEAD ? 404 : 400,
		    FHIR_ISSUE_VALUE,
		    "the path has an id that FHIR does not allow ([A-Za-z0-9-.], 1 to 64 characters)");
		return false;
	case FHIR_TARGET_NO_PATH:
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND,
		    "FHIR's REST has no such path; GET [base]/metadata lists what this server serves");
		return false;
	}
	return false;
}

/* As clients reach the server: as its operator says, or by this request's Host over the same scheme. What a proxy adds
 * (Forwarded, X-Forwarded-Host) anybody can say, so it makes no links. */
static bool read_request(struct fhir_call *call) {
	struct err err;
	const enum status status = http_query_parse(&call->query, &call->arena, call->exchange->request.query, &err);
	if (status != STATUS_OK) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_INVALID, "the query cannot be read: %s", err.message);
		return false;
	}
	read_prefer(call);
	return read_target(call) && check_content(call) && negotiate(call) && read_subset(call);
}

bool fhir_call_take_query(struct fhir_call *call, const struct http_query *query) {
	call->query = *query;
	call->subset = (struct fhir_subset){0};
	return negotiate(call) && read_subset(call);
}

bool fhir_call_body(struct fhir_call *call, const struct json **out) {
	struct bytes body = call->exchange->request.body;
	struct err err;
	enum status status = json_input(&body, &err);
	if (status == STATUS_OK && body.len == 0)
		status = err_set(&err, STATUS_INVALID, "the request has no body; send a resource as JSON");
	if (status == STATUS_OK) status = json_parse(out, &call->arena, body, NULL, &err);
	if (status == STATUS_OK) return true;
	fhir_call_refuse(call, status == STATUS_LIMIT ? 413 : 400,
	    status == STATUS_LIMIT ? FHIR_ISSUE_TOO_LONG : FHIR_ISSUE_STRUCTURE, "the body: %s", err.message);
	return false;
}

/* --- a call's life --- */

static struct fhir_call *begin(struct fhir_server *server, struct http_exchange *exchange) {
	struct fhir_call *call = mem_zalloc(1, sizeof *call);
	call->server = server;
	call->exchange = exchange;
	arena_init(&call->arena);
	fhir_issues_init(&call->issues, &call->arena);
	call->base = gateway_base(&call->arena, exchange, server->gateway->options.fhir_url, BASE_PATH);
	return call;
}

struct fhir_call *fhir_call_new(struct fhir_server *server, struct http_exchange *exchange) {
	struct fhir_call *call = begin(server, exchange);
	const bool is_known =
	    who_is_open(exchange->request.path) || who_asks(server->gateway, exchange, &call->asker, &call->arena);
	if (is_known && read_request(call)) return call;
	fhir_call_end(call);
	return NULL;
}

struct fhir_call *fhir_call_inside(struct fhir_call *outer, struct http_exchange *exchange) {
	struct fhir_call *call = begin(outer->server, exchange);
	call->asker = outer->asker;
	call->is_inside = true;
	call->is_strict = outer->is_strict;
	if (read_request(call)) return call;
	fhir_call_end(call);
	return NULL;
}

void fhir_call_free(struct fhir_call *call) {
	arena_fini(&call->arena);
	mem_free(call);
}

void fhir_call_end(struct fhir_call *call) {
	struct http_exchange *exchange = call->exchange;
	const bool is_deferred = call->is_deferred;
	if (!call->is_inside && call->asker.name[0] && exchange->response.status) fhir_looks_note(call);
	if (!call->is_kept) fhir_call_free(call);
	if (is_deferred) http_answer(exchange);
}

void fhir_call_serve(struct fhir_server *server, struct http_exchange *exchange, fhir_call_work *work) {
	struct fhir_call *call = fhir_call_new(server, exchange);
	if (call) work(call);
}

static void refuse_busy(struct fhir_call *call) {
	http_put_header(&call->exchange->response, "Retry-After", "1");
	fhir_call_refuse(
	    call, 503, FHIR_ISSUE_THROTTLED, "too many requests are being answered; try again in a second");
}

void fhir_call_go_on_later(struct fhir_call *call, fhir_call_work *work) {
	if (!http_defer(call->exchange)) {
		refuse_busy(call);
		fhir_call_end(call);
		return;
	}
	call->is_deferred = true;
	if (!fhir_call_give(call, work)) fhir_call_end(call);
}

void fhir_call_serve_later(struct fhir_server *server, struct http_exchange *exchange, fhir_call_work *work) {
	struct fhir_call *call = fhir_call_new(server, exchange);
	if (call) fhir_call_go_on_later(call, work);
}

struct given {
	struct fhir_call *call;
	fhir_call_work *work;
};

static void run_given(void *argument) {
	const struct given given = *(struct given *)argument;
	given.work(given.call);
}

bool fhir_call_give(struct fhir_call *call, fhir_call_work *work) {
	struct given *given = arena_zalloc(&call->arena, 1, sizeof *given);
	*given = (struct given){call, work};
	if (workers_give(call->server->gateway->options.workers, run_given, given)) return true;
	refuse_busy(call);
	return false;
}
