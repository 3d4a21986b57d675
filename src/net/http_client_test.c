#include "net/http_client.h"

#include "net/http_server.h"
#include "tests/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void answer(void *context, struct http_exchange *exchange) {
	const struct http_request *request = &exchange->request;
	struct http_response *response = &exchange->response;
	(void)context;
	response->content_type = "application/json";
	if (bytes_equal(request->path, BYTES_LITERAL("/slow")))
		nanosleep(&(struct timespec){.tv_nsec = 400000000}, NULL);
	if (bytes_equal(request->path, BYTES_LITERAL("/moved"))) {
		response->status = 302;
		buf_text(&response->headers, "Location: /\r\n");
	}
	if (bytes_equal(request->path, BYTES_LITERAL("/large"))) buf_extend(&response->body, 20000);
	struct bytes extra = http_header_get(request, "x-extra");
	buf_printf(&response->body, "%d|%.*s|%.*s", request->method, (int)extra.len, (const char *)extra.data,
	    (int)request->body.len, (const char *)request->body.data);
}

static struct http_server *server;
static pthread_t thread;
static char url[64];

static void *run(void *context) {
	struct err err;
	if (http_server_run(context, &err) != STATUS_OK) abort();
	return NULL;
}

static int start(void **state) {
	(void)state;
	struct err err;
	http_client_global_init();
	setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used */
	const struct http_service service = {.handle = answer};
	if (http_server_open(&server, &(struct http_server_options){.threads = 2}, &service, &err) != STATUS_OK)
		return -1;
	return pthread_create(&thread, NULL, run, server);
}

static int stop(void **state) {
	(void)state;
	http_server_stop(server);
	pthread_join(thread, NULL);
	http_server_close(server);
	return 0;
}

static const char *at(const char *path) {
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_server_port(server), path);
	return url;
}

static void exchanges(void **state) {
	(void)state;
	struct err err;
	struct http_client client;
	struct http_response response;
	http_response_init(&response, 10000);
	assert_int_equal(http_client_open(&client, &(struct http_client_options){0}, &err), STATUS_OK);
	const char *const headers[] = {"X-Extra: yes", NULL};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    client.exchange(client.context, &response, HTTP_POST, at("/"), headers, bytes_text("body"), &err),
		    STATUS_OK);
		assert_int_equal(response.status, 200);
		assert_string_equal(response.content_type, "application/json");
		assert_string_equal(buf_cstr(&response.body), "2|yes|body");
		assert_non_null(strstr(buf_cstr(&response.headers), "Content-Type: application/json\r\n"));
	}
	static const struct {
		enum http_method method;
		const char *body, *want;
	} cases[] = {{HTTP_GET, "", "0||"}, {HTTP_PUT, "p", "3||p"}, {HTTP_DELETE, "", "4||"},
	    {HTTP_PATCH, "p", "6||p"}, {HTTP_HEAD, "", ""}, {HTTP_POST, "", "2||"}, {HTTP_GET, "", "0||"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(client.exchange(client.context, &response, cases[i].method, at("/"), NULL,
				     bytes_text(cases[i].body), &err),
		    STATUS_OK);
		assert_string_equal(buf_cstr(&response.body), cases[i].want);
	}
	assert_int_equal(
	    client.exchange(client.context, &response, HTTP_GET, at("/moved"), NULL, bytes_text(""), &err), STATUS_OK);
	assert_int_equal(response.status, 302); /* not followed */
	http_response_fini(&response);
	http_client_close(&client);
}

static void failures(void **state) {
	(void)state;
	struct err err;
	struct http_client client;
	struct http_response response;
	http_response_init(&response, 10000);
	assert_int_equal(http_client_open(&client, &(struct http_client_options){.timeout_ms = 150}, &err), STATUS_OK);
	const struct bytes none = {NULL, 0};
	assert_int_equal(
	    client.exchange(client.context, &response, HTTP_GET, at("/slow"), NULL, none, &err), STATUS_TIMEOUT);
	assert_int_equal(
	    client.exchange(client.context, &response, HTTP_GET, at("/large"), NULL, none, &err), STATUS_LIMIT);
	assert_int_equal(client.exchange(client.context, &response, HTTP_GET, "file:///etc/hosts", NULL, none, &err),
	    STATUS_INVALID);
	assert_int_equal(
	    client.exchange(client.context, &response, HTTP_GET, "http://127.0.0.1:1/", NULL, none, &err), STATUS_IO);
	assert_non_null(strstr(err.message, "127.0.0.1:1"));
	assert_int_equal(client.exchange(client.context, &response, HTTP_GET, at("/"), NULL, none, &err), STATUS_OK);
	http_response_fini(&response);
	http_client_close(&client);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(exchanges), cmocka_unit_test(failures)};
	return cmocka_run_group_tests_name("http_client", tests, start, stop);
}
