#include "base/route.h"

#include "tests/unit.h"

static void name_row(void *context, struct http_exchange *exchange, const char *row) {
	buf_printf(&exchange->response.body, "%s %s", (const char *)context, row);
	for (size_t i = 0; i < exchange->param_count; i++)
		buf_printf(&exchange->response.body, " %.*s", (int)exchange->params[i].value.len,
		    (const char *)exchange->params[i].value.data);
}
#define HANDLER(name)                                                                                                  \
	static void name(void *context, struct http_exchange *exchange) {                                              \
		name_row(context, exchange, #name);                                                                    \
	}
HANDLER(root)
HANDLER(metadata)
HANDLER(read_one)
HANDLER(search)
HANDLER(create)
HANDLER(asset)
HANDLER(part)

static const struct route first[] = {ROUTE(HTTP_GET, "/", root, "root")};
static const struct route second[] = {
    ROUTE(HTTP_GET, "/fhir/{type}", search, "search"),
    ROUTE(HTTP_GET, "/fhir/metadata", metadata, "metadata"),
    ROUTE(HTTP_GET, "/fhir/{type}/{id}", read_one, "read"),
    ROUTE(HTTP_POST, "/fhir/{type}/_search", search, "search"),
    ROUTE(HTTP_PUT, "/fhir/{type}/{id}", create, "update", .accepts = "application/fhir+json, application/json",
	.limits = {.body_max = 7}),
    ROUTE(HTTP_PATCH, "/fhir/{type}/{id}", create, "patch", .gzip = HTTP_GZIP_BOTH),
    ROUTE(HTTP_GET, "/portal/{path*}", asset, "asset"),
    ROUTE(HTTP_GET, "/portal/{a}/part", part, "part"),
};
static const struct route_table tables[] = {{first, 1, "one"}, {second, 8, "two"}};

/* Admits, and handles if nothing is wrong; the body, or the status and Allow. `value` may be NULL. */
static const char *answer_with(
    struct http_exchange *exchange, enum http_method method, const char *path, const char *name, const char *value) {
	struct router *router = router_new(tables, 2, NULL);
	const struct http_service service = router_service(router);
	exchange->request = (struct http_request){.method = method, .path = bytes_text(path)};
	if (value) {
		exchange->request.headers[0] = (struct http_header){bytes_text(name), bytes_text(value)};
		exchange->request.header_count = 1;
	}
	buf_clear(&exchange->response.body);
	buf_clear(&exchange->response.headers);
	exchange->response.status = 0;
	service.admit(service.context, exchange);
	if (exchange->response.status == 0) service.handle(service.context, exchange);
	const char *text =
	    buf_cstr(exchange->response.headers.len ? &exchange->response.headers : &exchange->response.body);
	router_free(router);
	return text;
}

static const char *answer(struct http_exchange *exchange, enum http_method method, const char *path, const char *type) {
	return answer_with(exchange, method, path, "content-type", type);
}

static void the_most_exact_path_wins(void **state) {
	(void)state;
	struct http_exchange exchange;
	http_exchange_init(&exchange, 1000);
	static const struct {
		enum http_method method;
		const char *path, *want;
	} cases[] = {{HTTP_GET, "/", "one root"}, {HTTP_HEAD, "/", "one root"},
	    {HTTP_GET, "/fhir/Patient", "two search Patient"}, {HTTP_GET, "/fhir/metadata", "two metadata"},
	    {HTTP_GET, "/fhir/Patient/a%2Fb", "two read_one Patient a/b"},
	    {HTTP_GET, "/fhir/Patient/_search", "two read_one Patient _search"},
	    {HTTP_POST, "/fhir/Patient/_search", "two search Patient"}, {HTTP_GET, "/portal/", "two asset "},
	    {HTTP_GET, "/portal/x/y.js", "two asset x/y.js"}, {HTTP_GET, "/portal/x/part", "two part x"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(answer(&exchange, cases[i].method, cases[i].path, NULL), cases[i].want);
	http_exchange_fini(&exchange);
}

static void what_no_row_serves_is_refused(void **state) {
	(void)state;
	struct http_exchange exchange;
	http_exchange_init(&exchange, 1000);
	static const char *const nowhere[] = {
	    "/fhir", "/fhir/", "/fhir//x", "/fhir/a/b/c", "", "*", "fhir/x", "//", "/FHIR/x", "/portal"};
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
		assert_non_null(strstr(answer(&exchange, HTTP_GET, nowhere[i], NULL), "not-found"));
		assert_int_equal(exchange.response.status, 404);
	}
	assert_string_equal(
	    answer(&exchange, HTTP_DELETE, "/fhir/Patient/1", NULL), "Allow: OPTIONS, GET, HEAD, PUT, PATCH\r\n");
	assert_int_equal(exchange.response.status, 405);
	assert_string_equal(answer(&exchange, HTTP_METHOD_OTHER, "/", NULL), "Allow: OPTIONS, GET, HEAD\r\n");
	answer(&exchange, HTTP_OPTIONS, "/", NULL);
	assert_int_equal(exchange.response.status, 204);
	answer(&exchange, HTTP_GET, "/fhir/Patient/%zz", NULL);
	assert_int_equal(exchange.response.status, 400);
	http_exchange_fini(&exchange);
}

static void bodies_of_other_types_are_refused(void **state) {
	(void)state;
	struct http_exchange exchange;
	http_exchange_init(&exchange, 1000);
	static const char *const good[] = {
	    "application/json", "Application/FHIR+json; charset=utf-8", "application/json "};
	static const char *const bad[] = {
	    NULL, "", "text/plain", "application/jso", "application/json2", "application"};
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(strstr(answer(&exchange, HTTP_PUT, "/fhir/a/b", good[i]), "create a b"));
		assert_int_equal(exchange.limits.body_max, 7);
	}
	for (size_t i = 0; i < 6; i++) {
		answer(&exchange, HTTP_PUT, "/fhir/a/b", bad[i]);
		assert_int_equal(exchange.response.status, 415);
	}
	http_exchange_fini(&exchange);
}

static int status_with(enum http_method method, const char *path, const char *name, const char *value) {
	struct http_exchange exchange;
	http_exchange_init(&exchange, 1000);
	answer_with(&exchange, method, path, name, value);
	const int status = exchange.response.status;
	http_exchange_fini(&exchange);
	return status;
}

static void codings_that_a_row_does_not_have_are_refused(void **state) {
	(void)state;
	struct http_exchange exchange;
	http_exchange_init(&exchange, 1000);
	assert_string_equal(answer_with(&exchange, HTTP_POST, "/fhir/a/_search", "content-encoding", "gzip"),
	    "Accept-Encoding: identity\r\n");
	assert_int_equal(exchange.response.status, 415);
	assert_string_equal(
	    answer_with(&exchange, HTTP_PATCH, "/fhir/a/b", "content-encoding", "br"), "Accept-Encoding: gzip\r\n");
	assert_int_equal(exchange.response.status, 415);
	http_exchange_fini(&exchange);
	assert_int_equal(status_with(HTTP_PATCH, "/fhir/a/b", "content-encoding", "gzip"), 0);
	assert_int_equal(status_with(HTTP_PATCH, "/fhir/a/b", "accept-encoding", "gzip, identity;q=0"), 0);
	assert_int_equal(status_with(HTTP_PATCH, "/fhir/a/b", "accept-encoding", "identity;q=0"), 406);
	assert_int_equal(status_with(HTTP_GET, "/", "accept-encoding", "gzip, *;q=0"), 406);
	assert_int_equal(status_with(HTTP_GET, "/", "accept-encoding", "br"), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_most_exact_path_wins),
	    cmocka_unit_test(what_no_row_serves_is_refused),
	    cmocka_unit_test(bodies_of_other_types_are_refused),
	    cmocka_unit_test(codings_that_a_row_does_not_have_are_refused),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
