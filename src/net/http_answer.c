/* Sending an answer. */
#include "net/http_connection.h"

#include "base/http_conditional.h"
#include "base/http_reply.h"

#include <stdio.h>
#include <strings.h>

#define CORS_TEXT_MAX 512
#define REFUSAL_MAX 1024
#define ETAG_MAX 512

static const char *code_of(int status) {
	switch (status) {
	case MHD_HTTP_FORBIDDEN: return "forbidden";
	case MHD_HTTP_CONTENT_TOO_LARGE: return "too-large";
	case MHD_HTTP_URI_TOO_LONG: return "target-too-long";
	case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE: return "header-too-large";
	case MHD_HTTP_INTERNAL_SERVER_ERROR: return "internal";
	case MHD_HTTP_NOT_IMPLEMENTED: return "transfer-coding";
	case MHD_HTTP_SERVICE_UNAVAILABLE: return "busy";
	case MHD_HTTP_GATEWAY_TIMEOUT: return "timeout";
	default: return "malformed";
	}
}

enum MHD_Result http_connection_refuse(
    struct http_connection *connection, struct MHD_Connection *mhd, int status, const char *why) {
	struct http_response *response = &connection->exchange->shown.response;
	http_source_close(&response->source);
	buf_clear(&response->headers);
	buf_append(&response->headers, buf_view(&connection->exchange->admitted));
	if (response->body.max < REFUSAL_MAX) response->body.max = REFUSAL_MAX;
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_GATEWAY_TIMEOUT)
		http_put_header(response, "Retry-After", "1");
	http_problem(response, status, code_of(status), why);
	const struct http_service *service = &http_server_policy(connection->server)->service;
	if (service->refused) service->refused(service->context, &connection->exchange->shown);
	return http_connection_send(connection, mhd);
}

static void add_text(struct MHD_Response *answer, const char *name, struct bytes value) {
	char text[CORS_TEXT_MAX + 1];
	if (value.len == 0 || value.len > CORS_TEXT_MAX) return;
	memcpy(text, value.data, value.len);
	text[value.len] = 0;
	MHD_add_response_header(answer, name, text);
}

/* Field names with commas between, and nothing else: it is going into an answer's header. */
static bool is_name_list(struct bytes list) {
	for (size_t i = 0; i < list.len; i++)
		if (list.data[i] != ',' && list.data[i] != ' ' && !http_is_token(bytes_slice(list, i, 1))) return false;
	return list.len > 0 && list.len <= CORS_TEXT_MAX;
}

/* A preflight asks which fields the page may send: any, since what they mean is the service's to judge. */
static void add_preflight(const struct http_request *request, struct MHD_Response *answer) {
	const struct bytes asked = http_header_get(request, "access-control-request-headers");
	MHD_add_response_header(answer, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
	add_text(answer, "Access-Control-Allow-Headers",
	    is_name_list(asked) ? asked : BYTES_LITERAL("Authorization, Content-Type"));
	MHD_add_response_header(answer, "Access-Control-Max-Age", "600");
}

static void add_cors(const struct http_connection *connection, struct MHD_Response *answer) {
	const struct http_request *request = &connection->exchange->shown.request;
	struct bytes origin = http_header_get(request, "origin");
	struct bytes allowed = http_cors_allow(origin, http_server_policy(connection->server)->cors_origins);
	if (allowed.len == 0) return;
	add_text(answer, "Access-Control-Allow-Origin", allowed);
	MHD_add_response_header(answer, "Vary", "Origin, Access-Control-Request-Headers");
	if (request->method == HTTP_OPTIONS)
		add_preflight(request, answer);
	else
		MHD_add_response_header(answer, "Access-Control-Expose-Headers",
		    "ETag, Location, Content-Location, Last-Modified, Link, Retry-After, Allow, Content-Range, "
		    "WWW-Authenticate, X-Progress, X-Request-Id");
}

/* --- codings --- */

/* Shorter answers fit into a packet or two as they are. */
#define GZIP_FROM_BYTES ((size_t)1 << 10)
/* Longer ones are compressed piece by piece, as the client takes them: others have their turns between the pieces. */
#define GZIP_WHOLE_MAX ((size_t)256 << 10)

static bool is_text(const char *type) {
	static const char *const marks[] = {"text/", "json", "xml", "javascript"};
	for (size_t i = 0; type && i < sizeof marks / sizeof *marks; i++)
		if (strstr(type, marks[i])) return true;
	return false;
}

/* Nothing of a part is compressed, since its range counts plain bytes. */
static bool has_whole_body(int status) {
	return status != MHD_HTTP_NO_CONTENT && status != MHD_HTTP_NOT_MODIFIED && status != MHD_HTTP_PARTIAL_CONTENT &&
	       status != MHD_HTTP_RANGE_NOT_SATISFIABLE;
}

static bool wants_gzip(const struct http_exchange *exchange, const struct http_codings *codings) {
	const struct http_response *response = &exchange->response;
	const uint64_t size = response->source.read ? response->source.length : response->body.len;
	return codings->gzip && has_whole_body(response->status) && is_text(response->content_type) &&
	       size >= (codings->identity ? GZIP_FROM_BYTES : 1);
}

/* True: it is, or will be when it is read. */
static bool compress(struct served_exchange *exchange) {
	struct http_response *response = &exchange->shown.response;
	struct buf coded;
	if (response->source.read || response->body.len > GZIP_WHOLE_MAX) {
		exchange->gzip = gzip_new();
		return true;
	}
	buf_init(&coded, BUF_MAX_DEFAULT);
	gzip_bytes(&coded, buf_view(&response->body));
	buf_fini(&response->body);
	response->body = coded;
	return true;
}

struct coding {
	bool is_gzip;
	bool weakens; /* an entity tag: its answer has, or would have, other bytes than the plain one (RFC 9110 §8.8.3)
		       */
	bool varies;
};

static struct coding choose_coding(struct served_exchange *exchange) {
	const struct http_request *request = &exchange->shown.request;
	const bool is_read = request->method == HTTP_GET || request->method == HTTP_HEAD;
	if (!(exchange->shown.gzip & HTTP_GZIP_ANSWERS)) return (struct coding){0};
	const struct http_codings codings = http_codings_of(request);
	const bool is_gzip = wants_gzip(&exchange->shown, &codings);
	return (struct coding){.is_gzip = is_gzip && compress(exchange),
	    .weakens = is_gzip || (codings.gzip && exchange->shown.response.status == MHD_HTTP_NOT_MODIFIED),
	    .varies = is_gzip || is_read};
}

static void add_coding(struct MHD_Response *answer, const struct coding *coding) {
	if (coding->is_gzip) MHD_add_response_header(answer, "Content-Encoding", "gzip");
	if (coding->varies) MHD_add_response_header(answer, "Vary", "Accept-Encoding");
}

/* --- fields --- */

static void add_field(struct MHD_Response *answer, const char *name, const char *value, bool weakens) {
	char weak[ETAG_MAX];
	if (weakens && strcasecmp(name, "ETag") == 0 && value[0] == '"') {
		const int len = snprintf(weak, sizeof weak, "W/%s", value);
		if (len >= ETAG_MAX) return;
		value = weak;
	}
	MHD_add_response_header(answer, name, value);
}

/* The handler's "Name: value\r\n" lines. */
static void add_header_lines(struct MHD_Response *answer, struct buf *lines, bool weakens) {
	char *line = (char *)(uintptr_t)buf_cstr(lines);
	while (*line) {
		char *end = strstr(line, "\r\n"), *colon = strchr(line, ':');
		if (!end || !colon || colon > end) return;
		*end = 0;
		*colon = 0;
		for (colon++; *colon == ' ';) colon++;
		add_field(answer, line, colon, weakens);
		line = end + 2;
	}
}

static void show(const struct http_connection *connection) {
	const struct http_observer *observer = &http_server_policy(connection->server)->observer;
	const struct served_exchange *exchange = connection->exchange;
	if (observer->answered)
		observer->answered(observer->context, &exchange->shown, http_server_clock_ns() - exchange->began_ns);
}

/* The body is not copied: the connection keeps it until http_connection_end. */
static enum MHD_Result queue(struct http_connection *connection, struct MHD_Connection *mhd) {
	struct served_exchange *exchange = connection->exchange;
	struct http_response *response = &exchange->shown.response;
	const struct coding coding = choose_coding(exchange);
	struct MHD_Response *answer =
	    response->source.read || exchange->gzip
		? http_stream_response(connection)
		: MHD_create_response_from_buffer(response->body.len, response->body.data, MHD_RESPMEM_PERSISTENT);
	if (!answer) return MHD_NO;
	if (response->content_type) MHD_add_response_header(answer, "Content-Type", response->content_type);
	add_coding(answer, &coding);
	if (response->headers.len) add_header_lines(answer, &response->headers, coding.weakens);
	if (http_server_policy(connection->server)->cors_origins) add_cors(connection, answer);
	if (http_server_is_draining(connection->server)) MHD_add_response_header(answer, "Connection", "close");
	http_connection_enter(connection, PHASE_SENDING, http_server_policy(connection->server)->idle_timeout_ms);
	http_connection_count_held(connection);
	enum MHD_Result queued = MHD_queue_response(mhd, (unsigned)response->status, answer);
	MHD_destroy_response(answer);
	return queued;
}

enum MHD_Result http_connection_send(struct http_connection *connection, struct MHD_Connection *mhd) {
	const struct http_response *response = &connection->exchange->shown.response;
	if (response->body.overflow || response->headers.overflow)
		return http_connection_refuse(
		    connection, mhd, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too large");
	show(connection);
	return queue(connection, mhd);
}
