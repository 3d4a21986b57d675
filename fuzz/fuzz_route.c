/*
 * Any method, path and Content-Type (a line each) against a table of every kind of row: the router either refuses with
 * a status of its own, or a row of that method serves it and each of its names has a value.
 */
#include "base/route.h"
#include "fuzz/target.h"

static void handle_none(void *context, struct http_exchange *exchange) {
	(void)context, (void)exchange;
}

static void handle_id(void *context, struct http_exchange *exchange) {
	(void)context;
	(void)route_param(exchange, "id");
}

static void handle_two(void *context, struct http_exchange *exchange) {
	(void)context;
	BUG_ON(route_param(exchange, "type").len == 0);
	BUG_ON(route_param(exchange, "id").len == 0);
}

static void handle_rest(void *context, struct http_exchange *exchange) {
	(void)context;
	(void)route_param(exchange, "path");
}

static const struct route rows[] = {
    ROUTE(HTTP_GET, "/", handle_none, "root"),
    ROUTE(HTTP_GET, "/things/{id}", handle_id, "one"),
    ROUTE(HTTP_PATCH, "/things/{id}", handle_id, "change", .accepts = "application/json, text/plain"),
    ROUTE(HTTP_GET, "/things/list", handle_none, "text wins"),
    ROUTE(HTTP_PUT, "/{type}/{id}", handle_two, "two names"),
    ROUTE(HTTP_GET, "/files/{path*}", handle_rest, "the rest"),
};

static struct bytes take_line(struct bytes *text) {
	const uint8_t *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
	const struct bytes line = bytes_slice(*text, 0, end ? (size_t)(end - text->data) : text->len);
	*text = bytes_slice(*text, line.len + 1, text->len);
	return line;
}

static void ask(struct http_service service, struct http_exchange *exchange) {
	exchange->response.status = 0;
	service.admit(service.context, exchange);
	if (exchange->response.status) {
		BUG_ON(exchange->route || exchange->response.status < 200 || exchange->response.status > 415);
		return;
	}
	BUG_ON(!router_path(exchange));
	service.handle(service.context, exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct route_table table = {rows, sizeof rows / sizeof *rows, NULL};
	struct router *router = router_new(&table, 1, NULL);
	struct bytes text = bytes_make(data, size);
	struct http_exchange exchange;
	if (size == 0) text = BYTES_LITERAL("\n");
	http_exchange_init(&exchange, 4096);
	struct http_request *request = &exchange.request;
	const struct bytes method = take_line(&text);
	request->method = method.len ? method.data[0] % (HTTP_METHOD_OTHER + 1) : HTTP_GET;
	request->path = take_line(&text);
	request->headers[0] = (struct http_header){BYTES_LITERAL("content-type"), text};
	request->header_count = 1;
	ask(router_service(router), &exchange);
	http_exchange_fini(&exchange);
	router_free(router);
	return 0;
}
