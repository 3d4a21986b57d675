#include "net/http_server.h"

#include "net/http_connection.h"
#include "net/test_server.h"

#include <stdio.h>

#define LARGE_BYTES ((size_t)16 << 20) /* more than the kernel keeps for a connection */

/* Answers with what it was asked, so that tests see what the handler saw. */
static void echo(void *context, struct http_exchange *exchange) {
	atomic_uint *calls = context;
	const struct http_request *request = &exchange->request;
	struct http_response *response = &exchange->response;
	(*calls)++;
	response->content_type = "text/plain";
	buf_printf(&response->body, "m=%d p=%.*s q=%.*s h=%zu b=%zu:", request->method, (int)request->path.len,
	    (const char *)request->path.data, (int)request->query.len, (const char *)request->query.data,
	    request->header_count, request->body.len);
	if (request->body.len < 4096) buf_append(&response->body, request->body);
	if (bytes_equal(request->path, BYTES_LITERAL("/huge")))
		for (int i = 0; i < 300; i++) buf_printf(&response->body, "%01000d", i);
	if (bytes_equal(request->path, BYTES_LITERAL("/large")))
		while (response->body.len < LARGE_BYTES) buf_printf(&response->body, "%01000d", 0);
	if (bytes_equal(request->path, BYTES_LITERAL("/denied"))) {
		response->status = 403;
		buf_text(&response->headers, "X-Reason: none\r\nRetry-After: 3\r\n");
	}
}

static void start(struct served *served, struct http_server_options options) {
	start_service(served, options, (struct http_service){.handle = echo});
}

static void answers_requests(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start(&served, (struct http_server_options){0});
	ask(served.port, answer, HEAD_OF("POST", "/a%2fb?x=%31&y") "Content-Length: 5\r\n\r\nhello", "hello");
	assert_non_null(strstr(answer, "HTTP/1.1 200"));
	assert_non_null(strstr(answer, "m=2 p=/a%2fb q=x=%31&y h=2 b=5:hello"));
	ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", "b=0:");
	assert_non_null(strstr(answer, "m=0 p=/ q= h=1 b=0:"));
	ask(served.port, answer, HEAD_OF("PATCH", "/") "\r\n", "b=0:");
	assert_non_null(strstr(answer, "m=6 "));
	ask(served.port, answer,
	    HEAD_OF("POST", "/") "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde");
	assert_non_null(strstr(answer, "b=5:abcde"));
	ask(served.port, answer, HEAD_OF("GET", "/denied") "\r\n", "b=0:");
	assert_non_null(strstr(answer, "HTTP/1.1 403"));
	assert_non_null(strstr(answer, "X-Reason: none\r\n"));
	assert_non_null(strstr(answer, "Retry-After: 3\r\n"));
	ask(served.port, answer, HEAD_OF("GET", "/huge") "\r\n", "large");
	assert_non_null(strstr(answer, "HTTP/1.1 500"));
	assert_true(ask(served.port, answer, "GET / HTTP/1.0\r\n\r\n", NULL));
	assert_non_null(strstr(answer, " 200 "));
	assert_int_equal(served.calls, 7);
	stop(&served);
}

static void keeps_alive_and_pipelines(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES], text[ANSWER_BYTES];
	start(&served, (struct http_server_options){.threads = 2});
	int fd = dial(served.port);
	for (int i = 0; i < 50; i++) {
		const char *one = HEAD_OF("POST", "/k") "Content-Length: 4\r\n\r\nping";
		put(fd, one, strlen(one));
		assert_false(hear(fd, answer, ":ping", 1, 2000));
	}
	text[0] = 0;
	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), HEAD_OF("POST", "/") "Content-Length: 4\r\n\r\n%04d", i);
	put(fd, text, strlen(text));
	assert_false(hear(fd, answer, "b=4:", 100, 2000));
	const char *at = answer;
	for (int i = 0; i < 100; i++) { /* in order */
		char want[16];
		sprintf(want, "b=4:%04d", i);
		at = strstr(at, want);
		assert_non_null(at);
	}
	close(fd);
	assert_int_equal(served.calls, 150);
	stop(&served);
}

/* A thousand for each request that was shown, beside echo's one for each that was handled. */
static bool show(void *context, const struct http_exchange *exchange) {
	*(atomic_uint *)context += 1000;
	return bytes_equal(exchange->request.path, BYTES_LITERAL("/together"));
}

static void shows_requests_once(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	static const char together[] = HEAD_OF("POST", "/together") "Content-Length: 4\r\n\r\nping";
	static const char alone[] = HEAD_OF("POST", "/alone") "Content-Length: 4\r\n\r\nping";
	start_service(&served, (struct http_server_options){0}, (struct http_service){.handle = echo, .foresee = show});
	int fds[2] = {dial(served.port)};
	put(fds[0], together, sizeof together - 1);
	assert_false(hear(fds[0], answer, ":ping", 1, 2000));
	assert_int_equal(served.calls, 1); /* no other connection, nothing to wait for */
	fds[1] = dial(served.port);
	for (int i = 1; i < 50; i++) {
		for (int k = 1; k >= 0; k--) {
			put(fds[k], together, sizeof together - 1);
			put(fds[k], alone, sizeof alone - 1);
		}
		for (int k = 1; k >= 0; k--) {
			assert_false(hear(fds[k], answer, ":ping", 2, 2000));
			assert_true(strstr(answer, "/together") < strstr(answer, "/alone"));
		}
	}
	/* All were handled; all were shown, but perhaps the first ones, before the second connection was known. */
	assert_int_equal(served.calls % 1000, 1 + 4 * 49);
	assert_in_range(served.calls / 1000, 4 * 49 - 2, 4 * 49);
	close(fds[0]);
	close(fds[1]);
	stop(&served);
}

static void refuses_what_is_too_large(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES], text[ANSWER_BYTES];
	start(&served, (struct http_server_options){.body_max = 1000, .header_max = 4096});
	assert_true(ask(served.port, answer, HEAD_OF("POST", "/") "Content-Length: 1001\r\n\r\n", NULL));
	assert_non_null(strstr(answer, "HTTP/1.1 413"));
	ask(served.port, answer, HEAD_OF("POST", "/") "Content-Length: 99999999999999999999999\r\n\r\n", NULL);
	assert_non_null(strstr(answer, "HTTP/1.1 413"));
	int len = sprintf(text, HEAD_OF("POST", "/") "Transfer-Encoding: chunked\r\n\r\n3e9\r\n");
	memset(text + len, 'x', 1001);
	strcpy(text + len + 1001, "\r\n0\r\n\r\n");
	ask(served.port, answer, text, "large");
	assert_non_null(strstr(answer, "HTTP/1.1 413"));
	len = sprintf(text, HEAD_OF("GET", "/") "X-Long: ");
	memset(text + len, 'y', 9000);
	strcpy(text + len + 9000, "\r\n\r\n");
	assert_true(ask(served.port, answer, text, NULL));
	assert_non_null(strstr(answer, "HTTP/1.1 431"));
	len = sprintf(text, HEAD_OF("GET", "/"));
	for (int i = 0; i < HTTP_HEADER_MAX; i++) len += sprintf(text + len, "X-%d: 1\r\n", i);
	strcpy(text + len, "\r\n");
	ask(served.port, answer, text, "fields");
	assert_non_null(strstr(answer, "HTTP/1.1 431"));
	assert_int_equal(served.calls, 0);
	stop(&served);
}

static void admit_large(void *context, struct http_exchange *exchange) {
	static atomic_uint large;
	(void)context;
	if (memcmp(exchange->request.path.data, "/blobs", 6) != 0 || exchange->request.path.data[6] != '/') return;
	exchange->limits = (struct http_limits){.large_body_max = 3000, .large_at_once = 1, .large = &large};
}

/* Below one path a larger body may come, one at a time here: a second is answered "try again" while the first is on its
 * way. */
static void takes_few_large_bodies(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES], text[ANSWER_BYTES];
	start_service(&served, (struct http_server_options){.body_max = 1000},
	    (struct http_service){.handle = echo, .admit = admit_large});
	assert_true(ask(served.port, answer, HEAD_OF("PUT", "/blob") "Content-Length: 2000\r\n\r\n", NULL));
	assert_non_null(strstr(answer, "HTTP/1.1 413"));
	assert_true(ask(served.port, answer, HEAD_OF("PUT", "/blobs/a") "Content-Length: 3001\r\n\r\n", NULL));
	assert_non_null(strstr(answer, "HTTP/1.1 413"));
	int first = dial(served.port);
	const char *head = HEAD_OF("PUT", "/blobs/a") "Content-Length: 2000\r\n\r\n";
	assert_int_equal(write(first, head, strlen(head)), (ssize_t)strlen(head));
	for (int tries = 0; tries < 200; tries++) {
		assert_true(ask(served.port, answer, HEAD_OF("PUT", "/blobs/b") "Content-Length: 2000\r\n\r\n", NULL));
		if (strstr(answer, "HTTP/1.1 503")) break;
	}
	assert_non_null(strstr(answer, "HTTP/1.1 503"));
	memset(text, 'x', 2000);
	assert_int_equal(write(first, text, 2000), 2000);
	assert_false(hear(first, answer, "b=2000:", 1, 2000));
	close(first);
	stop(&served);
}

static void refuses_malformed_requests(void **state) {
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {HEAD_OF("POST", "/") "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", " 400 "},
	    {HEAD_OF("POST", "/") "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 400 "},
	    {HEAD_OF("POST", "/") "Transfer-Encoding: gzip\r\n\r\n", " 501 "},
	    {HEAD_OF("POST", "/") "Content-Length: -5\r\n\r\nab", " 400 "},
	    {HEAD_OF("POST", "/") "Content-Length: 5x\r\n\r\nabcde", " 400 "},
	    {HEAD_OF("POST", "/") "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n", " 400 "},
	    {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", " 400 "}, /* no Host */
	    {"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", " 505 "},
	    {HEAD_OF("POST", "/") "Content-Length : 5\r\n\r\nabcde", " 400 "},
	    {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", " 403 "},
	    {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", " 400 "},
	    {"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", " 400 "},
	    {"GET / HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", " 400 "},
	};
	struct served served;
	static char answer[ANSWER_BYTES];
	start(&served, (struct http_server_options){0});
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ask(served.port, answer, cases[i].text, "\r\n\r\n");
		if (!strstr(answer, cases[i].want)) print_message("case %zu: %s\n", i, answer);
		assert_non_null(strstr(answer, cases[i].want));
	}
	assert_int_equal(served.calls, 0);
	ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", "b=0:"); /* still serving */
	assert_int_equal(served.calls, 1);
	stop(&served);
}

/* By us, since the library would send the head of its refusal twice. */
static void refuses_once(void **state) {
	(void)state;
	static const char *const cases[] = {"GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
	    "GET http://localhost/ HTTP/1.1\r\n\r\n", HEAD_OF("GET", "/a b") "\r\n"};
	struct served served;
	static char answer[ANSWER_BYTES];
	start(&served, (struct http_server_options){0});
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ask(served.port, answer, cases[i], "}");
		const char *first = strstr(answer, "HTTP/1.1 400");
		assert_true(first == answer && !strstr(first + 1, "HTTP/1.1"));
		assert_non_null(strstr(answer, "application/problem+json"));
	}
	assert_int_equal(served.calls, 0);
	stop(&served);
}

static uint64_t closes_after_ms(uint16_t port, const char *first, bool dribble) {
	static char answer[ANSWER_BYTES];
	int fd = dial(port);
	uint64_t began = http_server_clock_ms();
	put(fd, first, strlen(first));
	bool closed = false;
	for (int i = 0; i < 60 && !closed; i++) {
		closed = hear(fd, answer, NULL, 1, 50);
		if (dribble && !closed) put(fd, "x", 1);
	}
	close(fd);
	assert_true(closed);
	return http_server_clock_ms() - began;
}

static void closes_slow_clients(void **state) {
	(void)state;
	struct served served;
	start(&served, (struct http_server_options){.request_timeout_ms = 300, .idle_timeout_ms = 300});
	assert_in_range(closes_after_ms(served.port, "", false), 250, 1500); /* says nothing */
	assert_in_range(
	    closes_after_ms(served.port, HEAD_OF("GET", "/") "X-A: ", true), 250, 1500); /* header by drops */
	assert_in_range(
	    closes_after_ms(served.port, HEAD_OF("POST", "/") "Content-Length: 999\r\n\r\n", true), 250, 1500);
	assert_int_equal(served.calls, 0);
	assert_in_range(
	    closes_after_ms(served.port, HEAD_OF("GET", "/") "\r\n", false), 250, 1500); /* idle afterwards */
	assert_int_equal(served.calls, 1);
	stop(&served);
}

/* Silent and slow clients cannot keep others out. */
static void makes_room_for_the_newest(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	const char *get = HEAD_OF("GET", "/") "\r\n";
	start(&served, (struct http_server_options){.connections_max = 3});
	int held[3];
	for (int i = 0; i < 3; i++) {
		held[i] = dial(served.port);
		put(held[i], get, i == 1 ? strlen(get) - 2 : strlen(get)); /* one is in the middle of its header */
		if (i != 1) assert_false(hear(held[i], answer, "b=0:", 1, 2000));
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* each a tick of the clock later */
	}
	assert_false(ask(served.port, answer, get, "b=0:"));
	assert_true(hear(held[0], answer, NULL, 1, 2000)); /* closed: it was silent longest */
	for (int i = 0; i < 20; i++) assert_false(ask(served.port, answer, get, "b=0:"));
	for (int i = 0; i < 3; i++) close(held[i]);
	stop(&served);
}

/* How much comes until the other side closes, or is silent for half a second. */
static size_t drain(int fd) {
	static char part[1 << 16];
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	while (poll(&readable, 1, 500) > 0) {
		const ssize_t got = recv(fd, part, sizeof part, 0);
		if (got <= 0) break;
		len += (size_t)got;
	}
	close(fd);
	return len;
}

/* Answers that nobody reads. */
static void bounds_what_waits_for_clients(void **state) {
	(void)state;
	enum { CLIENTS = 8 };
	struct served served;
	static char answer[ANSWER_BYTES];
	const char *get = HEAD_OF("GET", "/large") "\r\n";
	start(&served, (struct http_server_options){.held_max = 5 * LARGE_BYTES, .response_max = 2 * LARGE_BYTES});
	int held[CLIENTS];
	for (int i = 0; i < CLIENTS; i++) {
		held[i] = dial(served.port);
		put(held[i], get, strlen(get));
		for (int k = 0; k < 200 && served.calls <= (unsigned)i; k++)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		assert_int_equal(served.calls, i + 1);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	size_t whole = 0;
	for (int i = 0; i < CLIENTS; i++) whole += drain(held[i]) > LARGE_BYTES;
	assert_in_range(whole, 1, 5); /* the newest ones */
	assert_false(ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", "b=0:"));
	stop(&served);
}

static void port_in_use_is_named(void **state) {
	(void)state;
	struct err err;
	struct http_server *first = NULL, *second = NULL;
	struct http_server_options options = {0};
	const struct http_service service = {.handle = echo};
	assert_int_equal(http_server_open(&first, &options, &service, &err), STATUS_OK);
	options.port = http_server_port(first);
	assert_int_equal(http_server_open(&second, &options, &service, &err), STATUS_BUSY);
	char port[16];
	sprintf(port, "port %u ", options.port);
	assert_non_null(strstr(err.message, port));
	assert_null(second);
	options.address = "not-an-address";
	assert_int_equal(http_server_open(&second, &options, &service, &err), STATUS_INVALID);
	http_server_close(first); /* never run */
}

static void hosts_and_origins(void **state) {
	(void)state;
	const char *const names[] = {"localhost", "node.example", NULL}, *const any[] = {"*", NULL},
			  *const none[] = {NULL};
	const char *good[] = {
	    "localhost", "LocalHost:8545", "node.example:1", "127.0.0.1:8545", "[::1]:8545", "10.0.0.7"};
	const char *bad[] = {"evil.example", "localhost.evil.example", "localhostx", "", "[::1",
	    "127.0.0.1.evil.example", "127.0.0.1:80@evil.example", "localhost:evil/", "[::1]evil.example",
	    "localhost:\"><b>", "localhost:123456"};
	for (size_t i = 0; i < 6; i++) assert_true(http_host_allowed(bytes_text(good[i]), names));
	for (size_t i = 0; i < 11; i++) assert_false(http_host_allowed(bytes_text(bad[i]), names));
	assert_false(http_host_allowed(bytes_text("a\"b"), any));
	char name[255];
	memset(name, 'a', sizeof name);
	assert_true(http_host_allowed(bytes_make(name, 253), any));
	assert_false(http_host_allowed(bytes_make(name, 254), any));
	assert_true(http_host_allowed((struct bytes){NULL, 0}, names));
	assert_true(http_host_allowed(bytes_text("evil.example"), any));
	assert_false(http_host_allowed(bytes_text("localhost"), none));

	const char *const origins[] = {"http://localhost:3000", NULL};
	assert_true(bytes_equal(http_cors_allow(bytes_text("http://localhost:3000"), origins), bytes_text(origins[0])));
	assert_int_equal(http_cors_allow(bytes_text("http://localhost:3001"), origins).len, 0);
	assert_true(bytes_equal(http_cors_allow(bytes_text("http://x"), any), bytes_text("*")));
	assert_int_equal(http_cors_allow(bytes_text("http://x"), NULL).len, 0);

	struct served served;
	static char answer[ANSWER_BYTES];
	start(&served, (struct http_server_options){.cors_origins = origins});
	ask(served.port, answer,
	    HEAD_OF("OPTIONS", "/") "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n\r\n",
	    "\r\n\r\n");
	assert_non_null(strstr(answer, " 204 "));
	assert_non_null(strstr(answer, "Access-Control-Allow-Origin: http://localhost:3000\r\n"));
	assert_non_null(strstr(answer, "Access-Control-Allow-Headers:"));
	ask(served.port, answer, HEAD_OF("GET", "/") "Origin: http://evil.example\r\n\r\n", "b=0:");
	assert_null(strstr(answer, "Access-Control"));
	assert_int_equal(served.calls, 1);
	stop(&served);
}

/* --- places for large bodies --- */

#define BODY_BYTES ((size_t)1 << 20)

static atomic_uint large;

static void admit_places(void *context, struct http_exchange *exchange) {
	(void)context;
	exchange->limits =
	    (struct http_limits){.body_max = 1000, .large_body_max = BODY_BYTES, .large_at_once = 2, .large = &large};
}

static int begin_large(uint16_t port, size_t sent) {
	static char body[BODY_BYTES];
	char head[128];
	const int fd = dial(port);
	snprintf(head, sizeof head, HEAD_OF("PUT", "/") "Content-Length: %zu\r\n\r\n", BODY_BYTES);
	put(fd, head, strlen(head));
	put(fd, body, sent);
	return fd;
}

static void wait_for_places(unsigned taken) {
	for (int i = 0; i < 2000 && large != taken; i++) nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	assert_int_equal(large, taken);
}

/* Two places: one is held by a client that has sent nearly all, one by a client that sends nothing. */
static void a_slow_body_gives_its_place_to_the_next(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	const size_t most = BODY_BYTES - 100;
	start_service(&served, (struct http_server_options){.idle_timeout_ms = 64000},
	    (struct http_service){.handle = echo, .admit = admit_places});
	const int good = begin_large(served.port, most), slow = begin_large(served.port, 0);
	wait_for_places(2);
	bool is_served = false;
	for (int i = 0; i < 400 && !is_served; i++) {
		const int fd = begin_large(served.port, BODY_BYTES);
		hear(fd, answer, "\r\n\r\n", 1, 5000);
		is_served = strstr(answer, "HTTP/1.1 200") != NULL;
		assert_true(is_served || strstr(answer, "HTTP/1.1 503"));
		close(fd);
		if (!is_served) nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	assert_true(is_served);
	assert_true(hear(slow, answer, NULL, 0, 5000));
	static const char rest[100];
	put(good, rest, sizeof rest);
	hear(good, answer, "b=1048576", 1, 5000);
	assert_non_null(strstr(answer, "b=1048576"));
	close(good);
	close(slow);
	stop(&served);
	assert_int_equal(large, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_requests),
	    cmocka_unit_test(keeps_alive_and_pipelines),
	    cmocka_unit_test(refuses_what_is_too_large),
	    cmocka_unit_test(takes_few_large_bodies),
	    cmocka_unit_test(refuses_malformed_requests),
	    cmocka_unit_test(refuses_once),
	    cmocka_unit_test(shows_requests_once),
	    cmocka_unit_test(closes_slow_clients),
	    cmocka_unit_test(makes_room_for_the_newest),
	    cmocka_unit_test(bounds_what_waits_for_clients),
	    cmocka_unit_test(port_in_use_is_named),
	    cmocka_unit_test(hosts_and_origins),
	    cmocka_unit_test(a_slow_body_gives_its_place_to_the_next),
	};
	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
