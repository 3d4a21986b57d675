#include "base/http.h"

#define HEADER_LINES_MAX ((size_t)16 << 10)

struct bytes http_header_get(const struct http_request *request, const char *name) {
	struct bytes wanted = bytes_text(name);
	for (size_t i = 0; i < request->header_count; i++)
		if (bytes_equal(request->headers[i].name, wanted)) return request->headers[i].value;
	return (struct bytes){NULL, 0};
}

static const char *const method_names[] = {[HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_PATCH] = "PATCH",
    [HTTP_METHOD_OTHER] = "?"};

const char *http_method_name(enum http_method method) {
	return method_names[method];
}

enum http_method http_method_of(const char *name) {
	for (int i = 0; i < HTTP_METHOD_OTHER; i++)
		if (strcmp(name, method_names[i]) == 0) return (enum http_method)i;
	return HTTP_METHOD_OTHER;
}

void http_response_init(struct http_response *response, size_t body_max) {
	*response = (struct http_response){.status = 200};
	buf_init(&response->body, body_max);
	buf_init(&response->headers, HEADER_LINES_MAX);
}

void http_source_close(struct http_source *source) {
	const struct http_source open = *source;
	*source = (struct http_source){0};
	if (open.close) open.close(open.context);
}

void http_sink_close(struct http_sink *sink) {
	const struct http_sink open = *sink;
	*sink = (struct http_sink){0};
	if (open.close) open.close(open.context);
}

void http_response_fini(struct http_response *response) {
	http_source_close(&response->source);
	buf_fini(&response->body);
	buf_fini(&response->headers);
}

void http_exchange_init(struct http_exchange *exchange, size_t answer_max) {
	memset(exchange, 0, sizeof *exchange);
	http_response_init(&exchange->response, answer_max);
	buf_init(&exchange->path_text, 0);
}

void http_exchange_fini(struct http_exchange *exchange) {
	http_sink_close(&exchange->sink);
	http_response_fini(&exchange->response);
	buf_fini(&exchange->path_text);
}

bool http_defer(struct http_exchange *exchange) {
	if (exchange->ops) return exchange->ops->defer(exchange);
	const bool was_deferred = exchange->is_deferred;
	exchange->is_deferred = true;
	return !was_deferred;
}

void http_answer(struct http_exchange *exchange) {
	if (exchange->ops)
		exchange->ops->answer(exchange);
	else
		__atomic_store_n(&exchange->is_deferred, false, __ATOMIC_RELEASE);
}

void http_more(struct http_exchange *exchange) {
	if (exchange->ops) exchange->ops->more(exchange);
}

bool http_is_wanted(const struct http_exchange *exchange) {
	return !exchange->ops || exchange->ops->is_wanted(exchange);
}
