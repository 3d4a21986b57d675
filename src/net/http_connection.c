#include "net/http_connection.h"

#include "base/http_conditional.h"

#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

void http_connection_enter(struct http_connection *connection, enum connection_phase phase, uint32_t patience_ms) {
	connection->patience_ms = patience_ms;
	connection->since_ms = http_server_clock_ms(); /* before the sweeper may look at the phase */
	if (connection->phase != PHASE_CUT && connection->phase != PHASE_UPGRADED) connection->phase = phase;
}

void http_connection_count_held(struct http_connection *connection) {
	struct served_exchange *exchange = connection->exchange;
	const size_t before = exchange->held_bytes;
	const size_t held = exchange->body.cap + exchange->shown.response.body.cap +
			    exchange->shown.response.source.held_bytes + (exchange->gunzip ? GUNZIP_BYTES : 0) +
			    (exchange->gzip ? GZIP_BYTES : 0);
	if (held == before) return;
	connection->held_bytes = exchange->held_bytes = held;
	http_server_count_held(connection->server, held, before);
}

static const union MHD_ConnectionInfo *info_of(struct MHD_Connection *mhd, enum MHD_ConnectionInfoType type) {
	return MHD_get_connection_info(mhd, type);
}

static struct peer_record *peer_new(struct MHD_Connection *mhd) {
	struct peer_record *peer = mem_zalloc(1, sizeof *peer);
	const struct sockaddr *address = info_of(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	const socklen_t size =
	    address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	peer->references = 1;
	arena_init(&peer->arena);
	if (getnameinfo(address, size, peer->shown.address, sizeof peer->shown.address, NULL, 0, NI_NUMERICHOST) != 0)
		peer->shown.address[0] = 0;
	return peer;
}

static gnutls_session_t session_of(struct MHD_Connection *mhd) {
	return info_of(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
}

struct http_connection *http_connection_new(struct http_server *server, struct MHD_Connection *mhd) {
	struct tls_server *tls = http_server_policy(server)->tls;
	struct http_connection *connection = mem_zalloc(1, sizeof *connection);
	connection->server = server;
	connection->socket = info_of(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection->peer = peer_new(mhd);
	if (tls) connection->identity = tls_server_begin(tls, session_of(mhd));
	connection->exchange = exchange_new(connection);
	http_connection_enter(connection, PHASE_IDLE, http_server_policy(server)->request_timeout_ms);
	return connection;
}

void http_connection_free(struct http_connection *connection) {
	if (connection->holds_place) ws_server_release(http_server_policy(connection->server)->websockets);
	exchange_release(connection->exchange);
	exchange_release(connection->abandoned);
	tls_identity_release(connection->identity);
	peer_record_release(connection->peer);
	mem_free(connection);
}

void http_connection_begin(struct http_connection *connection, const char *target) {
	exchange_begin(connection->exchange, target);
	connection->headers_done = connection->is_shown = connection->did_defer = false;
	connection->sink_refused = false;
	connection->body_refusal = 0;
	connection->body_bytes = 0;
	http_connection_enter(connection, PHASE_RECEIVING, http_server_policy(connection->server)->request_timeout_ms);
}

void http_connection_end(struct http_connection *connection) {
	if (connection->exchange) {
		exchange_end(connection->exchange);
		http_connection_count_held(connection);
	}
	http_connection_enter(connection, PHASE_IDLE, http_server_policy(connection->server)->idle_timeout_ms);
}

bool http_is_token(struct bytes text) {
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
	const struct bytes field = bytes_make(name, name_len);
	/* The library lets "Content-Length :" pass as another field, which proxies read as the length. */
	connection->headers_bad |= !http_is_token(field);
	connection->headers_over = !exchange_take_header(connection->exchange, field, bytes_make(value, value_len));
	return connection->headers_over ? MHD_NO : MHD_YES;
}

static size_t count_headers(const struct http_request *request, const char *name) {
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++)
		count += bytes_equal(request->headers[i].name, bytes_text(name));
	return count;
}

/* Programs differ in which of two such fields counts, so that a proxy may have checked the other one. */
static bool has_contradiction(const struct http_request *request) {
	static const char *const singles[] = {"content-length", "transfer-encoding", "host", "content-type",
	    "content-encoding", "authorization", "idempotency-key"};
	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
		if (count_headers(request, singles[i]) > 1) return true;
	return http_header_get(request, "content-length").data && http_header_get(request, "transfer-encoding").data;
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

/* What no request may be: RFC 9112 §3 and §3.2. The library would refuse these too if it were strict, but version
 * 0.9.75 then sends the head of its answer twice, as it still does for a malformed Content-Length. */
static bool is_malformed(const struct http_connection *connection, const char *version, const char **why) {
	const struct served_exchange *exchange = connection->exchange;
	*why = NULL;
	if (connection->headers_bad) *why = "malformed header field";
	if (exchange->uri.len && memchr(exchange->uri.data, ' ', exchange->uri.len))
		*why = "the request's target has a space";
	if (has_contradiction(&exchange->shown.request)) *why = "contradictory header fields";
	if (strcmp(version, "HTTP/1.0") != 0 && !http_header_get(&exchange->shown.request, "host").data)
		*why = "a Host field is needed";
	return *why != NULL;
}

/* What can be refused whatever the service thinks of it. 0: nothing. */
static int early_refusal(
    struct http_connection *connection, const struct http_policy *policy, const char *version, const char **why) {
	const struct http_request *request = &connection->exchange->shown.request;
	struct bytes coding = http_header_get(request, "transfer-encoding");
	if (connection->headers_over) {
		*why = "too many header fields";
		return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	}
	if (connection->exchange->uri.overflow) {
		*why = "the request's target is too long";
		return MHD_HTTP_URI_TOO_LONG;
	}
	if (is_malformed(connection, version, why)) return MHD_HTTP_BAD_REQUEST;
	if (coding.data && (coding.len != 7 || strncasecmp((const char *)coding.data, "chunked", 7) != 0)) {
		*why = "unknown transfer coding";
		return MHD_HTTP_NOT_IMPLEMENTED;
	}
	/* The target's authority counts, and links are made of Host: neither may be another's. */
	if (!http_host_allowed(connection->exchange->authority, policy->vhosts) ||
	    !http_host_allowed(http_header_get(request, "host"), policy->vhosts)) {
		*why = "invalid host specified";
		return MHD_HTTP_FORBIDDEN;
	}
	return 0;
}

/* A place among `max`; given back when the exchange is over. */
static bool take_place(atomic_uint *used, uint32_t max) {
	if (atomic_fetch_add(used, 1) < max) return true;
	atomic_fetch_sub(used, 1);
	return false;
}

/* A body over the usual limit takes one of the places for large ones. 0: it has one. */
static int take_large_place(struct http_connection *connection, const char **why) {
	struct served_exchange *exchange = connection->exchange;
	const struct http_limits *limits = &exchange->shown.limits;
	if (exchange->large_place || !limits->large_body_max) {
		*why = "the request's body is too large";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	if (!take_place(limits->large, limits->large_at_once) &&
	    !http_server_take_slow_place(connection->server, limits)) {
		*why = "too many large bodies at once: try again";
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
	exchange->large_since_ms = http_server_clock_ms();
	exchange->large_place = limits->large;
	exchange->body.max = limits->large_body_max;
	connection->patience_ms = http_server_policy(connection->server)->idle_timeout_ms;
	return 0;
}

/* Holds the limits that admit set against the stated length and the exchanges that are there. 0: it may come. */
static int apply_limits(struct http_connection *connection, const char **why) {
	struct served_exchange *exchange = connection->exchange;
	const struct http_limits *limits = &exchange->shown.limits;
	struct bytes length = http_header_get(&exchange->shown.request, "content-length");
	if (limits->body_max) exchange->body.max = limits->body_max;
	if (limits->answer_max) exchange->shown.response.body.max = limits->answer_max;
	if (limits->at_once) exchange->is_busy = take_place(limits->busy, limits->at_once);
	if (limits->at_once && !exchange->is_busy) {
		*why = "too many such requests at once: try again";
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
	if (length_fits(length, exchange->body.max)) return 0;
	if (!length_fits(length, limits->large_body_max)) {
		*why = "the request's body is too large";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	return take_large_place(connection, why);
}

static bool is_preflight(const struct http_request *request) {
	return request->method == HTTP_OPTIONS && http_header_get(request, "access-control-request-method").data;
}

/* What the server answers by itself is not the service's to admit. */
static bool is_for_service(const struct http_policy *policy, const struct http_request *request) {
	return !is_preflight(request) && !(policy->websockets && ws_is_upgrade(request));
}

/* RFC 9112 §3.2.2: the whole URI may stand in the request line, as for a proxy; its authority counts, not Host. */
static bool split_absolute(struct bytes *target, struct bytes *authority) {
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < 2; i++) {
		const size_t len = strlen(schemes[i]);
		if (target->len < len || strncasecmp((const char *)target->data, schemes[i], len) != 0) continue;
		size_t end = len;
		while (end < target->len && target->data[end] != '/' && target->data[end] != '?') end++;
		*authority = bytes_slice(*target, len, end - len);
		*target = bytes_slice(*target, end, target->len);
		return true;
	}
	return false;
}

static void split_target(struct served_exchange *exchange) {
	struct bytes uri = buf_view(&exchange->uri);
	exchange->authority = http_header_get(&exchange->shown.request, "host");
	const bool is_absolute = split_absolute(&uri, &exchange->authority);
	const uint8_t *mark = uri.len ? memchr(uri.data, '?', uri.len) : NULL;
	const size_t path_len = mark ? (size_t)(mark - uri.data) : uri.len;
	exchange->shown.request.path = bytes_slice(uri, 0, path_len);
	exchange->shown.request.query = bytes_slice(uri, path_len + 1, uri.len);
	if (is_absolute && path_len == 0) exchange->shown.request.path = BYTES_LITERAL("/");
}

static enum MHD_Result take_headers(
    struct http_connection *connection, struct MHD_Connection *mhd, const struct http_request_line *line) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct served_exchange *exchange = connection->exchange;
	const char *why = NULL;
	connection->headers_done = true;
	connection->headers_over = connection->headers_bad = false;
	exchange->mhd = mhd;
	if (connection->identity && !connection->peer->is_described)
		tls_describe_peer(&connection->peer->shown, &connection->peer->arena, session_of(mhd));
	connection->peer->is_described = true;
	exchange->shown.request.peer = &connection->peer->shown;
	exchange->shown.request.method = http_method_of(line->method);
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, take_header, connection);
	split_target(exchange);
	int status = early_refusal(connection, policy, line->version, &why);
	if (status == 0 && policy->service.admit && is_for_service(policy, &exchange->shown.request)) {
		policy->service.admit(policy->service.context, &exchange->shown);
		if (exchange->shown.response.status) return http_connection_send(connection, mhd);
		buf_append(&exchange->admitted, buf_view(&exchange->shown.response.headers));
	}
	if (status == 0) status = apply_limits(connection, &why);
	if ((exchange->shown.gzip & HTTP_GZIP_BODIES) &&
	    http_body_coding_of(&exchange->shown.request) == HTTP_BODY_GZIP)
		exchange->gunzip = gunzip_new();
	return status ? http_connection_refuse(connection, mhd, status, why) : MHD_YES;
}

/* The library's epoll loop comes round at once to what is not answered, after all others that are ready. */
static bool comes_after_others(struct http_connection *connection, const struct http_policy *policy) {
	if (!policy->service.foresee || connection->is_shown || !http_server_has_company(connection->server))
		return false;
	connection->is_shown = true;
	return policy->service.foresee(policy->service.context, &connection->exchange->shown);
}

static void refuse_body(struct http_connection *connection, int status, const char *why) {
	connection->body_refusal = status;
	connection->body_why = why;
}

static enum MHD_Result call_handler(struct http_connection *connection, struct MHD_Connection *mhd) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct served_exchange *exchange = connection->exchange;
	const struct http_request *request = &exchange->shown.request;
	if (exchange->gunzip && !connection->body_refusal && !connection->sink_refused &&
	    !gunzip_is_whole(exchange->gunzip))
		refuse_body(connection, MHD_HTTP_BAD_REQUEST, "the body ends before its gzip does");
	if (connection->body_refusal)
		return http_connection_refuse(connection, mhd, connection->body_refusal, connection->body_why);
	if (connection->sink_refused) return http_connection_send(connection, mhd);
	exchange->shown.request.body = buf_view(&exchange->body);
	exchange->shown.response.status = MHD_HTTP_OK;
	if (is_preflight(request)) {
		exchange->shown.response.status = MHD_HTTP_NO_CONTENT;
		return http_connection_send(connection, mhd);
	}
	if (policy->websockets && ws_is_upgrade(request)) return http_connection_upgrade(connection, mhd);
	if (http_server_is_full(connection->server))
		return http_connection_refuse(
		    connection, mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "too much waits for clients: try again");
	if (comes_after_others(connection, policy)) return MHD_YES;
	connection->phase = PHASE_HANDLING;
	policy->service.handle(policy->service.context, &exchange->shown);
	/* A deferred exchange may be answered, or even gone, by now. */
	return connection->did_defer ? MHD_YES : http_connection_send(connection, mhd);
}

static enum MHD_Result answer_abandoned(struct http_connection *connection, struct MHD_Connection *mhd) {
	const int status = connection->abandoned_status;
	if (!status) return MHD_NO;
	exchange_stand_in(connection->exchange, connection->abandoned);
	const enum MHD_Result queued = http_connection_refuse(
	    connection, mhd, status, status == MHD_HTTP_GATEWAY_TIMEOUT ? "no answer in time" : "the server stops");
	connection->exchange->shown.request = (struct http_request){.method = HTTP_METHOD_OTHER}; /* it was a view */
	return queued;
}

/* The connection was resumed: by the owner's answer, or because the exchange was abandoned. */
static enum MHD_Result take_answer(struct http_connection *connection, struct MHD_Connection *mhd) {
	connection->did_defer = false;
	if (connection->exchange) return http_connection_send(connection, mhd);
	connection->exchange = exchange_new(connection);
	exchange_begin(connection->exchange, "");
	const enum MHD_Result queued = answer_abandoned(connection, mhd);
	exchange_release(connection->abandoned);
	connection->abandoned = NULL;
	return queued;
}

/* False: the body is refused. */
static bool take_plain(void *context, struct bytes piece) {
	struct http_connection *connection = context;
	struct served_exchange *exchange = connection->exchange;
	const struct http_sink *sink = &exchange->shown.sink;
	if (piece.len > exchange->body.max - connection->body_bytes) {
		const char *why;
		const int status = take_large_place(connection, &why);
		if (status) refuse_body(connection, status, why);
		return status == 0 && take_plain(context, piece);
	}
	connection->body_bytes += piece.len;
	if (!sink->write) {
		buf_append(&exchange->body, piece);
		http_connection_count_held(connection);
		return true;
	}
	connection->sink_refused = !sink->write(sink->context, &exchange->shown, piece);
	BUG_ON(connection->sink_refused && !exchange->shown.response.status);
	http_connection_enter(connection, PHASE_RECEIVING, http_server_policy(connection->server)->idle_timeout_ms);
	return !connection->sink_refused;
}

static void take_gzip(struct http_connection *connection, struct bytes piece) {
	switch (gunzip_put(connection->exchange->gunzip, piece, take_plain, connection)) {
	case GUNZIP_OK:
	case GUNZIP_STOPPED: return;
	case GUNZIP_MALFORMED: refuse_body(connection, MHD_HTTP_BAD_REQUEST, "the body is not valid gzip"); return;
	case GUNZIP_TOO_FAR:
		refuse_body(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body inflates to too many times its size");
		return;
	}
}

/* What is refused is read on, unkept, until the sweeper's patience ends. */
static void take_body(struct http_connection *connection, struct bytes piece) {
	if (connection->body_refusal || connection->sink_refused) return;
	if (connection->exchange->gunzip)
		take_gzip(connection, piece);
	else
		take_plain(connection, piece);
}

enum MHD_Result http_connection_serve(struct http_connection *connection, struct MHD_Connection *mhd,
    const struct http_request_line *line, const char *upload, size_t *upload_size) {
	if (!connection->headers_done) return take_headers(connection, mhd, line);
	if (connection->did_defer) return take_answer(connection, mhd);
	if (*upload_size == 0) return call_handler(connection, mhd);
	take_body(connection, bytes_make(upload, *upload_size));
	*upload_size = 0;
	return MHD_YES;
}
