#include "base/route.h"

#include "base/http_conditional.h"
#include "base/http_reply.h"
#include "base/http_uri.h"

#include <stdio.h>
#include <strings.h>

/* A row with its counters and its table's context. */
struct slot {
	const struct route *row;
	void *context;
	const struct workers *workers;
	atomic_uint busy, large;
};

struct router {
	size_t count;
	struct slot slots[];
};

/* --- matching --- */

/* The first segment of a path, without its '/', taken from `path`. */
static struct bytes take_segment(struct bytes *path) {
	const struct bytes rest = bytes_slice(*path, 1, path->len);
	const uint8_t *end = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
	const struct bytes segment = bytes_slice(rest, 0, end ? (size_t)(end - rest.data) : rest.len);
	*path = bytes_slice(rest, segment.len, rest.len);
	return segment;
}

static bool is_name(struct bytes segment) {
	return segment.len > 2 && segment.data[0] == '{';
}

static bool is_rest(struct bytes segment) {
	return is_name(segment) && segment.data[segment.len - 2] == '*';
}

/* How well the path fits: 0 not at all, else the segments' kinds as digits, text before names before the rest. */
static uint32_t fit(const char *pattern, struct bytes path) {
	struct bytes wanted = bytes_text(pattern);
	uint32_t digits = 1;
	while (wanted.len && path.len) {
		const struct bytes want = take_segment(&wanted);
		if (is_rest(want)) return digits * 3;
		const struct bytes have = take_segment(&path);
		if (is_name(want) ? have.len == 0 : !bytes_equal(want, have)) return 0;
		digits = digits * 3 + (is_name(want) ? 1 : 2);
	}
	return wanted.len || path.len ? 0 : digits;
}

static bool serves(const struct route *row, enum http_method method) {
	return row->method == method || (row->method == HTTP_GET && method == HTTP_HEAD);
}

/* The best row; `allow` gets the methods of all that fit. */
static struct slot *find(struct router *router, const struct http_request *request, unsigned *allow) {
	struct slot *best = NULL;
	uint32_t best_fit = 0;
	*allow = 0;
	if (request->path.len == 0 || request->path.data[0] != '/') return NULL;
	for (struct slot *slot = router->slots; slot < router->slots + router->count; slot++) {
		const uint32_t fits = fit(slot->row->path, request->path);
		if (fits == 0) continue;
		*allow |= 1u << slot->row->method;
		if (!serves(slot->row, request->method) || fits <= best_fit) continue;
		best = slot;
		best_fit = fits;
	}
	return best;
}

static bool take_param(struct http_exchange *exchange, struct bytes name, struct bytes raw) {
	struct buf *text = &exchange->path_text;
	const size_t before = text->len;
	BUG_ON(exchange->param_count == HTTP_PARAMS_MAX);
	if (!http_percent_decode(text, raw, false)) return false;
	exchange->params[exchange->param_count++] =
	    (struct http_header){name, bytes_make(text->data + before, text->len - before)};
	return true;
}

/* False: an escape in the path is malformed. */
static bool take_params(struct http_exchange *exchange, const char *pattern) {
	struct bytes wanted = bytes_text(pattern), path = exchange->request.path;
	buf_clear(&exchange->path_text);
	exchange->path_text.max = path.len + 1;
	buf_extend(&exchange->path_text, path.len + 1); /* so that it does not move while views of it are taken */
	buf_clear(&exchange->path_text);
	exchange->param_count = 0;
	while (wanted.len) {
		const struct bytes want = take_segment(&wanted);
		const struct bytes rest = bytes_slice(path, 1, path.len), have = take_segment(&path);
		if (!is_name(want)) continue;
		const struct bytes name = bytes_slice(want, 1, want.len - (is_rest(want) ? 3 : 2));
		if (!take_param(exchange, name, is_rest(want) ? rest : have)) return false;
	}
	return true;
}

struct bytes route_param(const struct http_exchange *exchange, const char *name) {
	for (size_t i = 0; i < exchange->param_count; i++)
		if (bytes_equal(exchange->params[i].name, bytes_text(name))) return exchange->params[i].value;
	BUG_ON(true);
}

const char *router_path(const struct http_exchange *exchange) {
	const struct slot *slot = exchange->route;
	return slot ? slot->row->path : NULL;
}

bool route_accepts(const char *types, struct bytes content_type) {
	const uint8_t *end = content_type.len ? memchr(content_type.data, ';', content_type.len) : NULL;
	if (end) content_type.len = (size_t)(end - content_type.data);
	while (content_type.len && content_type.data[content_type.len - 1] == ' ') content_type.len--;
	for (const char *at = types; *at;) {
		const size_t len = strcspn(at, ",");
		if (len == content_type.len && strncasecmp(at, (const char *)content_type.data, len) == 0) return true;
		at += len + strspn(at + len, ", ");
	}
	return false;
}

/* --- the service --- */

static void put_allow(struct http_response *response, unsigned allow) {
	char text[64] = "OPTIONS";
	if (allow & 1u << HTTP_GET) allow |= 1u << HTTP_HEAD;
	for (int method = 0; method < HTTP_METHOD_OTHER; method++) {
		if (method == HTTP_OPTIONS || !(allow & 1u << method)) continue;
		const size_t len = strlen(text);
		snprintf(text + len, sizeof text - len, ", %s", http_method_name((enum http_method)method));
	}
	http_put_header(response, "Allow", "%s", text);
}

/* No row is there for this method and path. */
static void refuse(struct http_exchange *exchange, unsigned allow) {
	struct http_response *response = &exchange->response;
	if (!allow) {
		http_problem(response, 404, "not-found", "nothing is served at this path");
		return;
	}
	put_allow(response, allow);
	if (exchange->request.method == HTTP_OPTIONS)
		response->status = 204;
	else
		http_problem(
		    response, 405, "method", "this path does not serve this method; Allow has those that it does");
}

static bool has_body(enum http_method method) {
	return method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH;
}

/* True: the body is of no type that the row takes, or coded as it does not take it. */
static bool refuse_body(const struct route *row, struct http_exchange *exchange) {
	const struct http_request *request = &exchange->request;
	const bool takes_gzip = row->gzip & HTTP_GZIP_BODIES;
	if (!has_body(request->method)) return false;
	if (row->accepts && !route_accepts(row->accepts, http_header_get(request, "content-type"))) {
		char detail[256];
		snprintf(detail, sizeof detail, "the body's Content-Type must be one of %s", row->accepts);
		http_problem(&exchange->response, 415, "content-type", detail);
		return true;
	}
	const enum http_body_coding coding = http_body_coding_of(request);
	if (coding == HTTP_BODY_PLAIN || (coding == HTTP_BODY_GZIP && takes_gzip)) return false;
	http_put_header(&exchange->response, "Accept-Encoding", takes_gzip ? "gzip" : "identity");
	http_problem(&exchange->response, 415, "content-encoding",
	    takes_gzip ? "the body's Content-Encoding must be gzip, or absent"
		       : "the body must come without a Content-Encoding");
	return true;
}

/* True: the client takes the answer in no form. */
static bool refuse_answer(const struct route *row, struct http_exchange *exchange) {
	const struct http_codings codings = http_codings_of(&exchange->request);
	if (codings.identity || (codings.gzip && (row->gzip & HTTP_GZIP_ANSWERS))) return false;
	http_problem(&exchange->response, 406, "accept-encoding", "the answer has no coding that the client takes");
	return true;
}

static void admit(void *context, struct http_exchange *exchange) {
	struct router *router = context;
	struct http_request *request = &exchange->request;
	unsigned allow;
	struct slot *slot = find(router, request, &allow);
	if (!slot) {
		refuse(exchange, allow);
		return;
	}
	const struct route *row = slot->row;
	if (!take_params(exchange, row->path)) {
		http_problem(&exchange->response, 400, "path", "the path is not percent-encoded UTF-8 text");
		return;
	}
	if (refuse_body(row, exchange) || refuse_answer(row, exchange)) return;
	if (request->method == HTTP_OPTIONS) put_allow(&exchange->response, allow);
	exchange->limits = row->limits;
	exchange->gzip = row->gzip;
	exchange->limits.busy = &slot->busy;
	exchange->limits.large = &slot->large;
	exchange->route = slot;
	if (row->begin) row->begin(slot->context, exchange);
}

static void handle(void *context, struct http_exchange *exchange) {
	(void)context;
	const struct slot *slot = exchange->route;
	if (slot->row->waits)
		workers_handle(slot->workers, slot->row->handle, slot->context, exchange);
	else
		slot->row->handle(slot->context, exchange);
}

static bool foresee(void *context, const struct http_exchange *exchange) {
	(void)context;
	const struct slot *slot = exchange->route;
	return slot->row->foresee && slot->row->foresee(slot->context, exchange);
}

struct http_service router_service(struct router *router) {
	struct http_service service = {.handle = handle, .admit = admit, .context = router};
	for (size_t i = 0; i < router->count; i++)
		if (router->slots[i].row->foresee) service.foresee = foresee;
	return service;
}

/* --- life --- */

static void check_row(const struct router *router, size_t index) {
	const struct route *row = router->slots[index].row;
	BUG_ON(row->path[0] != '/' || !row->handle || !row->doc || (row->waits && !router->slots[index].workers));
	for (size_t i = 0; i < index; i++)
		BUG_ON(
		    router->slots[i].row->method == row->method && strcmp(router->slots[i].row->path, row->path) == 0);
}

struct router *router_new(const struct route_table *tables, size_t table_count, const struct workers *workers) {
	size_t count = 0;
	for (size_t i = 0; i < table_count; i++) count += tables[i].count;
	struct router *router = mem_zalloc(1, sizeof *router + count * sizeof *router->slots);
	for (size_t i = 0; i < table_count; i++) {
		for (size_t k = 0; k < tables[i].count; k++) {
			struct slot *slot = &router->slots[router->count];
			slot->row = &tables[i].rows[k];
			slot->context = tables[i].context;
			slot->workers = workers;
			check_row(router, router->count++);
		}
	}
	return router;
}

void router_set_workers(struct router *router, const struct route_table *table, const struct workers *workers) {
	for (size_t i = 0; i < router->count; i++)
		if (router->slots[i].row >= table->rows && router->slots[i].row < table->rows + table->count)
			router->slots[i].workers = workers;
}

void router_free(struct router *router) {
	mem_free(router);
}
