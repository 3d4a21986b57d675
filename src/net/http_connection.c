#include "net/http_connection.h"

#include <strings.h>

#define URI_MAX ((size_t)64 << 10)

static void enter_phase(struct http_connection *connection, uint32_t patience_ms) {
	connection->patience_ms = patience_ms;
	connection->since_ms = http_server_clock_ms();
}

static void count_held(struct http_connection *connection) {
	const size_t held = connection->body.cap + connection->response.body.cap, before = connection->held_bytes;
	if (held == before) return;
	connection->held_bytes = held;
	http_server_count_held(connection->server, held, before);
}

struct http_connection *http_connection_new(struct http_server *server, int socket) {
	const struct http_policy *policy = http_server_policy(server);
	struct http_connection *connection = mem_zalloc(1, sizeof *connection);
	connection->server = server;
	connection->socket = socket;
	enter_phase(connection, policy->request_timeout_ms);
	buf_init(&connection->uri, URI_MAX);
	buf_init(&connection->body, policy->body_max);
	http_response_init(&connection->response, policy->response_max);
	return connection;
}

static void give_large(struct http_connection *connection) {
	if (connection->holds_large) http_server_give_large(connection->server);
	connection->holds_large = false;
}

void http_connection_free(struct http_connection *connection) {
	give_large(connection);
	if (connection->holds_place) ws_server_release(http_server_policy(connection->server)->websockets);
	http_server_count_held(connection->server, 0, connection->held_bytes);
	buf_fini(&connection->uri);
	buf_fini(&connection->body);
	http_response_fini(&connection->response);
	mem_free(connection);
}

void http_connection_begin(struct http_connection *connection, const char *target) {
	buf_clear(&connection->uri);
	buf_text(&connection->uri, target);
	buf_clear(&connection->body);
	connection->headers_done = connection->is_shown = false;
	connection->body_over = false;
	connection->body.max = http_server_policy(connection->server)->body_max;
	enter_phase(connection, http_server_policy(connection->server)->request_timeout_ms);
}

static void buf_shrink(struct buf *buf) {
	if (buf->cap <= HTTP_KEEP_BYTES) return;
	size_t max = buf->max;
	buf_fini(buf);
	buf_init(buf, max);
}

void http_connection_end(struct http_connection *connection) {
	give_large(connection);
	buf_shrink(&connection->body);
	buf_shrink(&connection->response.body);
	count_held(connection);
	enter_phase(connection, http_server_policy(connection->server)->idle_timeout_ms);
}

static enum http_method method_of(const char *text) {
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {{"POST", HTTP_POST}, {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"PUT", HTTP_PUT},
	    {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(text, methods[i].name) == 0) return methods[i].method;
	return HTTP_METHOD_OTHER;
}

/* RFC 9110 §5.6.2. The library lets "Content-Length :" pass as another field, which proxies read as the length. */
static bool is_token(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 127 || strchr("\"(),/:;<=>?@[\\]{}", text.data[i]))
			return false;
	return text.len > 0;
}

/* One header field; MHD_NO stops the walk. */
static enum MHD_Result take_header(
    void *context, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len) {
	(void)kind;
	struct http_connection *connection = context;
	struct http_request *request = &connection->request;
	if (request->header_count == HTTP_HEADER_MAX || name_len > HTTP_NAMES_BYTES - connection->names_used) {
		connection->headers_over = true;
		return MHD_NO;
	}
	char *lower = connection->names + connection->names_used;
	for (size_t i = 0; i < name_len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	connection->names_used += name_len;
	connection->headers_bad |= !is_token(bytes_make(lower, name_len));
	request->headers[request->header_count++] =
	    (struct http_header){bytes_make(lower, name_len), bytes_make(value, value_len)};
	return MHD_YES;
}

static size_t count_headers(const struct http_request *request, const char *name) {
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++)
		count += bytes_equal(request->headers[i].name, bytes_text(name));
	return count;
}

/* Is the text digits alone that make a number within `max`? */
static bool length_fits(struct bytes text, size_t max) {
	size_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return false;
		if (__builtin_mul_overflow(value, 10, &value)) return false;
		if (__builtin_add_overflow(value, (size_t)(text.data[i] - '0'), &value)) return false;
	}
	return value <= max;
}

static enum MHD_Result send_answer(struct http_connection *connection, struct MHD_Connection *mhd);

static enum MHD_Result refuse(
    struct http_connection *connection, struct MHD_Connection *mhd, int status, const char *why) {
	struct http_response *response = &connection->response;
	buf_clear(&response->headers);
	buf_clear(&response->body);
	response->status = status;
	response->content_type = "text/plain";
	buf_text(&response->body, why);
	return send_answer(connection, mhd);
}

static void add_cors(struct http_connection *connection, struct MHD_Response *answer) {
	struct bytes origin = http_header_get(&connection->request, "origin");
	struct bytes allowed = http_cors_allow(origin, http_server_policy(connection->server)->cors_origins);
	if (allowed.len == 0 || allowed.len > 512) return;
	char text[513];
	memcpy(text, allowed.data, allowed.len);
	text[allowed.len] = 0;
	MHD_add_response_header(answer, "Access-Control-Allow-Origin", text);
	MHD_add_response_header(answer, "Vary", "Origin");
	if (connection->request.method != HTTP_OPTIONS) return;
	MHD_add_response_header(answer, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
	MHD_add_response_header(answer, "Access-Control-Allow-Headers", "Authorization, Content-Type");
	MHD_add_response_header(answer, "Access-Control-Max-Age", "600");
}

/* The handler's "Name: value\r\n" lines. */
static void add_header_lines(struct MHD_Response *answer, struct buf *lines) {
	char *line = (char *)(uintptr_t)buf_cstr(lines);
	while (*line) {
		char *end = strstr(line, "\r\n"), *colon = strchr(line, ':');
		if (!end || !colon || colon > end) return;
		*end = 0, *colon = 0;
		for (colon++; *colon == ' ';) colon++;
		MHD_add_response_header(answer, line, colon);
		line = end + 2;
	}
}

/* The body is not copied: the connection keeps it until http_connection_end. */
static enum MHD_Result send_answer(struct http_connection *connection, struct MHD_Connection *mhd) {
	struct http_response *response = &connection->response;
	struct MHD_Response *answer =
	    MHD_create_response_from_buffer(response->body.len, response->body.data, MHD_RESPMEM_PERSISTENT);
	if (!answer) return MHD_NO;
	if (response->content_type) MHD_add_response_header(answer, "Content-Type", response->content_type);
	if (response->headers.len) add_header_lines(answer, &response->headers);
	if (http_server_policy(connection->server)->cors_origins) add_cors(connection, answer);
	enter_phase(connection, http_server_policy(connection->server)->idle_timeout_ms);
	count_held(connection);
	enum MHD_Result queued = MHD_queue_response(mhd, (unsigned)response->status, answer);
	MHD_destroy_response(answer);
	return queued;
}

/* A length over the usual one takes one of the few places, where the path lets it. 0: it may come. */
static int refuse_length(
    struct http_connection *connection, const struct http_policy *policy, struct bytes length, const char **why) {
	const struct bytes path = connection->request.path, large = policy->large_path;
	const bool may_be_large = large.len && bytes_equal(bytes_slice(path, 0, large.len), large);
	if (length_fits(length, policy->body_max)) return 0;
	if (!may_be_large || !length_fits(length, policy->large_body_max)) {
		*why = "the request's body is too large\n";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	connection->holds_large = http_server_take_large(connection->server);
	if (!connection->holds_large) {
		*why = "too many large bodies at once: try again\n";
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
	connection->body.max = policy->large_body_max;
	connection->patience_ms = policy->idle_timeout_ms;
	return 0;
}

/* What can be refused before the body is read. 0: nothing. */
static int early_refusal(struct http_connection *connection, const struct http_policy *policy, const char **why) {
	const struct http_request *request = &connection->request;
	struct bytes length = http_header_get(request, "content-length");
	struct bytes coding = http_header_get(request, "transfer-encoding");
	if (connection->headers_over) {
		*why = "too many header fields\n";
		return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	}
	if (connection->headers_bad) {
		*why = "malformed header field\n";
		return MHD_HTTP_BAD_REQUEST;
	}
	if (count_headers(request, "content-length") > 1 || (length.data && coding.data) ||
	    count_headers(request, "transfer-encoding") > 1 || count_headers(request, "host") > 1) {
		*why = "contradictory header fields\n";
		return MHD_HTTP_BAD_REQUEST;
	}
	if (coding.data && (coding.len != 7 || strncasecmp((const char *)coding.data, "chunked", 7) != 0)) {
		*why = "unknown transfer coding\n";
		return MHD_HTTP_NOT_IMPLEMENTED;
	}
	if (!http_host_allowed(http_header_get(request, "host"), policy->vhosts)) {
		*why = "invalid host specified\n";
		return MHD_HTTP_FORBIDDEN;
	}
	return length.data ? refuse_length(connection, policy, length, why) : 0;
}

static enum MHD_Result take_headers(
    struct http_connection *connection, struct MHD_Connection *mhd, const char *method) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct http_request *request = &connection->request;
	connection->headers_done = true;
	connection->headers_over = connection->headers_bad = false;
	connection->names_used = 0;
	request->header_count = 0;
	request->method = method_of(method);
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, take_header, connection);
	struct bytes uri = buf_view(&connection->uri);
	const uint8_t *mark = uri.len ? memchr(uri.data, '?', uri.len) : NULL;
	size_t path_len = mark ? (size_t)(mark - uri.data) : uri.len;
	request->path = bytes_slice(uri, 0, path_len);
	request->query = bytes_slice(uri, path_len + 1, uri.len);
	const char *why = NULL;
	int status = early_refusal(connection, policy, &why);
	return status ? refuse(connection, mhd, status, why) : MHD_YES;
}

/* --- WebSocket --- */

static void on_upgraded(void *context, struct MHD_Connection *mhd, void *own, const char *early, size_t early_size,
    MHD_socket socket, struct MHD_UpgradeResponseHandle *handle) {
	struct http_connection *connection = context;
	(void)mhd, (void)own;
	connection->is_upgraded = true;
	connection->holds_place = false;
	ws_server_adopt(
	    http_server_policy(connection->server)->websockets, socket, handle, bytes_make(early, early_size));
}

/* Pages may only come from where CORS lets them: browsers do not ask before they open a WebSocket. */
static enum MHD_Result upgrade(struct http_connection *connection, struct MHD_Connection *mhd) {
	const struct http_policy *policy = http_server_policy(connection->server);
	const struct bytes origin = http_header_get(&connection->request, "origin");
	char accept[WS_ACCEPT_BYTES];
	if (origin.data && http_cors_allow(origin, policy->cors_origins).len == 0)
		return refuse(connection, mhd, MHD_HTTP_FORBIDDEN, "this origin is not allowed\n");
	const int status = ws_check_handshake(accept, &connection->request);
	if (status == MHD_HTTP_UPGRADE_REQUIRED) {
		buf_text(&connection->response.headers, "Sec-WebSocket-Version: 13\r\n");
		buf_text(&connection->response.body, "only version 13 of the WebSocket protocol is spoken\n");
		connection->response.status = status;
		return send_answer(connection, mhd);
	}
	if (status) return refuse(connection, mhd, status, "not a WebSocket handshake\n");
	connection->holds_place = ws_server_reserve(policy->websockets);
	if (!connection->holds_place)
		return refuse(connection, mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "too many WebSocket connections\n");
	struct MHD_Response *answer = MHD_create_response_for_upgrade(on_upgraded, connection);
	BUG_ON(!answer);
	MHD_add_response_header(answer, "Upgrade", "websocket");
	MHD_add_response_header(answer, "Sec-WebSocket-Accept", accept);
	const enum MHD_Result queued = MHD_queue_response(mhd, MHD_HTTP_SWITCHING_PROTOCOLS, answer);
	MHD_destroy_response(answer);
	return queued;
}

/* The library's epoll loop comes round at once to what is not answered, after all others that are ready. */
static bool comes_after_others(struct http_connection *connection, const struct http_policy *policy) {
	if (!policy->foresee || connection->is_shown || !http_server_has_company(connection->server)) return false;
	connection->is_shown = true;
	return policy->foresee(policy->context, &connection->request);
}

static enum MHD_Result call_handler(struct http_connection *connection, struct MHD_Connection *mhd) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct http_response *response = &connection->response;
	if (connection->body_over)
		return refuse(connection, mhd, MHD_HTTP_CONTENT_TOO_LARGE, "the request's body is too large\n");
	buf_clear(&response->body);
	buf_clear(&response->headers);
	response->status = MHD_HTTP_OK;
	response->content_type = NULL;
	connection->request.body = buf_view(&connection->body);
	bool preflight = connection->request.method == HTTP_OPTIONS &&
			 http_header_get(&connection->request, "access-control-request-method").data;
	if (preflight) {
		response->status = MHD_HTTP_NO_CONTENT;
		return send_answer(connection, mhd);
	}
	if (policy->websockets && ws_is_upgrade(&connection->request)) return upgrade(connection, mhd);
	if (http_server_is_full(connection->server))
		return refuse(connection, mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "too much waits for clients: try again\n");
	if (comes_after_others(connection, policy)) return MHD_YES;
	connection->in_handler = true;
	policy->handler(policy->context, &connection->request, response);
	connection->since_ms = http_server_clock_ms(); /* before the sweeper may look again */
	connection->in_handler = false;
	if (response->body.overflow || response->headers.overflow)
		return refuse(connection, mhd, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too large\n");
	return send_answer(connection, mhd);
}

enum MHD_Result http_connection_serve(struct http_connection *connection, struct MHD_Connection *mhd,
    const char *method, const char *upload, size_t *upload_size) {
	if (!connection->headers_done) return take_headers(connection, mhd, method);
	if (*upload_size == 0) return call_handler(connection, mhd);
	/* A body without a stated length that goes over is read on, unkept, until the sweeper's patience ends. */
	connection->body_over |= *upload_size > connection->body.max - connection->body.len;
	if (!connection->body_over) buf_append(&connection->body, bytes_make(upload, *upload_size));
	count_held(connection);
	*upload_size = 0;
	return MHD_YES;
}
