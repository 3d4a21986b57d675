/* JSON-RPC over HTTP: who may come, and what a request is answered. */
#include "ledger/rpc/rpc_call.h"

#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/rpc_send.h"

#define LATE_DEADLINE_MS 70000u /* over what a method waits */
/* Beyond response_max, so that errors can still be answered. */
#define ERRORS_BYTES ((size_t)2 << 20)
#define TOO_SOON "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"limit exceeded\"}}"

/* --- who may come --- */

static void refuse_stranger(struct http_response *response, const struct err *err) {
	response->status = 401;
	response->content_type = "text/plain";
	buf_text(&response->headers, "WWW-Authenticate: Bearer\r\n");
	buf_printf(&response->body, "%s\n", err->message);
}

static void refuse_hurry(struct http_response *response, uint32_t wait_s) {
	response->status = 429;
	response->content_type = "application/json";
	buf_printf(&response->headers, "Retry-After: %u\r\n", wait_s);
}

/* False: it is refused. */
static bool find_caller(
    const struct rpc *rpc, struct rpc_caller *out, struct arena *arena, struct http_exchange *exchange) {
	struct err err = {0};
	const enum status status = rpc_callers_find(rpc->options.callers, out, arena, &exchange->request, &err);
	if (status != STATUS_OK) refuse_stranger(&exchange->response, &err);
	return status == STATUS_OK;
}

/* Before the body is read. */
static void begin(void *context, struct http_exchange *exchange) {
	const struct rpc *rpc = context;
	struct rpc_caller caller;
	struct arena arena;
	if (!rpc->options.callers) return;
	arena_init(&arena);
	if (find_caller(rpc, &caller, &arena, exchange)) {
		const uint32_t wait_s = rpc_callers_wait(rpc->options.callers, &caller);
		if (wait_s) refuse_hurry(&exchange->response, wait_s);
		if (wait_s) buf_text(&exchange->response.body, TOO_SOON);
	}
	arena_fini(&arena);
}

void rpc_ws_admit(void *context, struct http_exchange *exchange) {
	const struct rpc *rpc = context;
	struct rpc_caller caller;
	struct arena arena;
	if (!rpc->options.callers) return;
	arena_init(&arena);
	if (find_caller(rpc, &caller, &arena, exchange)) {
		buf_append(&exchange->response.body, bytes_make(&caller.id, sizeof caller.id));
		buf_append(&exchange->response.body, bytes_make(&caller.lasts_ms, sizeof caller.lasts_ms));
		buf_byte(&exchange->response.body, caller.is_narrow);
		buf_append(&exchange->response.body, caller.methods);
	}
	arena_fini(&arena);
}

struct rpc_caller rpc_session_caller(struct arena *arena, struct bytes note) {
	struct rpc_caller caller = {0};
	const size_t before = sizeof caller.id + sizeof caller.lasts_ms;
	BUG_ON(note.len < before + 1);
	memcpy(&caller.id, note.data, sizeof caller.id);
	memcpy(&caller.lasts_ms, note.data + sizeof caller.id, sizeof caller.lasts_ms);
	caller.is_narrow = note.data[before];
	caller.methods = arena_dup(arena, bytes_slice(note, before + 1, note.len));
	return caller;
}

/* --- requests --- */

static void say_hello(void *context, struct http_exchange *exchange) {
	const struct rpc *rpc = context;
	exchange->response.content_type = "text/plain";
	buf_text(&exchange->response.body, rpc->options.client_version);
	buf_text(&exchange->response.body, ": an Ethereum node; POST JSON-RPC 2.0 requests here\n");
}

static void answer(struct rpc *rpc, struct http_exchange *exchange, const struct rpc_caller *caller) {
	struct http_response *response = &exchange->response;
	struct rpc_message message = {.caller = caller, .body = exchange->request.body};
	response->content_type = "application/json";
	const size_t wanted = rpc->options.response_max + ERRORS_BYTES, given = response->body.max;
	if (wanted < given) response->body.max = wanted;
	struct rpc_late *late = rpc_answer(rpc, &message, &response->body);
	response->body.max = given;
	if (message.wait_s) refuse_hurry(response, message.wait_s);
	if (late == NULL) return;
	if (http_defer(exchange))
		rpc_late_begin_http(rpc, late, exchange, buf_view(&response->body));
	else
		rpc_late_refuse(rpc, late, &response->body);
}

void rpc_handle(void *context, struct http_exchange *exchange) {
	struct rpc *rpc = context;
	struct rpc_caller caller;
	struct arena arena;
	if (!rpc->options.callers) {
		answer(rpc, exchange, NULL);
		return;
	}
	arena_init(&arena);
	if (find_caller(rpc, &caller, &arena, exchange)) answer(rpc, exchange, &caller);
	arena_fini(&arena);
}

/* The types are geth's: a page of another origin cannot send them without asking first (CORS). */
const struct route rpc_routes[] = {
    ROUTE(HTTP_POST, "/", rpc_handle, "a JSON-RPC 2.0 request, or a batch of them",
	.limits = {.deadline_ms = LATE_DEADLINE_MS}, .gzip = HTTP_GZIP_ANSWERS,
	.accepts = "application/json, application/json-rpc, application/jsonrequest", .begin = begin,
	.foresee = rpc_foresee),
    ROUTE(HTTP_GET, "/", say_hello, "one line of text: what this is"),
};
const size_t rpc_route_count = sizeof rpc_routes / sizeof *rpc_routes;
