/* Answers that come later: exchanges deferred by the handler and answered by other threads. */
#include "net/http_connection.h"
#include "net/test_server.h"

#include <stdio.h>

#define KEPT_MAX 64

/* Exchanges that the handler deferred, for the test to answer. */
static struct {
	pthread_mutex_t lock;
	struct http_exchange *exchanges[KEPT_MAX];
	size_t count, refused;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(void *context, struct http_exchange *exchange) {
	(*(atomic_uint *)context)++;
	if (bytes_equal(exchange->request.path, BYTES_LITERAL("/now"))) {
		buf_text(&exchange->response.body, "now");
		return;
	}
	pthread_mutex_lock(&kept.lock);
	if (http_defer(exchange)) {
		BUG_ON(kept.count == KEPT_MAX);
		kept.exchanges[kept.count++] = exchange;
	} else {
		exchange->response.status = 503;
		kept.refused++;
	}
	pthread_mutex_unlock(&kept.lock);
}

static const struct http_service keeper = {.handle = keep};

static void pause_ms(long ms) {
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static struct http_exchange *take_kept(void) {
	struct http_exchange *exchange = NULL;
	for (int i = 0; i < 2000 && !exchange; i++) {
		pthread_mutex_lock(&kept.lock);
		if (kept.count > 0) {
			exchange = kept.exchanges[0];
			memmove(kept.exchanges, kept.exchanges + 1, --kept.count * sizeof *kept.exchanges);
		}
		pthread_mutex_unlock(&kept.lock);
		if (!exchange) pause_ms(5);
	}
	assert_non_null(exchange);
	return exchange;
}

/* Answers with what the request still says. */
static void answer_kept(struct http_exchange *exchange) {
	const struct http_request *request = &exchange->request;
	const struct bytes name = http_header_get(request, "x-name");
	buf_printf(&exchange->response.body, "late %.*s %.*s %.*s", (int)request->path.len,
	    (const char *)request->path.data, (int)name.len, (const char *)name.data, (int)request->body.len,
	    (const char *)request->body.data);
	exchange->response.content_type = "text/plain";
	exchange->response.status = 201;
	http_answer(exchange);
}

static const char post[] = HEAD_OF("POST", "/a") "X-Name: Ada\r\nContent-Length: 4\r\n\r\nbody";

static void send_post(int fd) {
	put(fd, post, sizeof post - 1);
}

static void answers_when_another_thread_does(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start_service(&served, (struct http_server_options){0}, keeper);
	const int fd = dial(served.port);
	for (int i = 0; i < 3; i++) { /* one connection, again and again, others served meanwhile */
		send_post(fd);
		struct http_exchange *exchange = take_kept();
		ask(served.port, answer, HEAD_OF("GET", "/now") "\r\n", "now");
		assert_non_null(strstr(answer, "\r\n\r\nnow"));
		assert_true(http_is_wanted(exchange));
		assert_false(http_defer(exchange));
		answer_kept(exchange);
		assert_false(hear(fd, answer, "body", 1, 2000));
		assert_non_null(strstr(answer, "HTTP/1.1 201"));
		assert_non_null(strstr(answer, "late /a Ada body"));
	}
	close(fd);
	stop(&served);
}

static void *answer_all(void *context) {
	for (int i = 0; i < *(int *)context; i++) answer_kept(take_kept());
	return NULL;
}

/* The handler's thread and the answering one race for each exchange. */
static void answers_in_order_however_they_race(void **state) {
	(void)state;
	enum { TIMES = 300, PIPELINED = 3 };
	struct served served;
	static char answer[ANSWER_BYTES];
	int count = TIMES * PIPELINED;
	pthread_t thread;
	start_service(&served, (struct http_server_options){.threads = 2}, keeper);
	assert_int_equal(pthread_create(&thread, NULL, answer_all, &count), 0);
	const int fd = dial(served.port);
	for (int i = 0; i < TIMES; i++) {
		for (int k = 0; k < PIPELINED; k++) send_post(fd);
		assert_false(hear(fd, answer, "Ada body", PIPELINED, 5000));
	}
	pthread_join(thread, NULL);
	assert_int_equal(served.calls, count);
	close(fd);
	stop(&served);
}

static void only_so_many_are_deferred(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start_service(&served, (struct http_server_options){.deferred_max = 2}, keeper);
	const int fds[] = {dial(served.port), dial(served.port)};
	send_post(fds[0]);
	send_post(fds[1]);
	struct http_exchange *first = take_kept(), *second = take_kept();
	ask(served.port, answer, post, "\r\n\r\n");
	assert_non_null(strstr(answer, "HTTP/1.1 503"));
	answer_kept(first);
	answer_kept(second);
	for (int i = 0; i < 2; i++) assert_false(hear(fds[i], answer, "Ada body", 1, 2000));
	send_post(fds[0]); /* there is room again */
	answer_kept(take_kept());
	assert_false(hear(fds[0], answer, "Ada body", 1, 2000));
	for (int i = 0; i < 2; i++) close(fds[i]);
	stop(&served);
}

/* At the deadline the client gets 504 and may ask again; the owner still reads its request, and its answer is dropped.
 */
static void a_deadline_frees_the_client(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start_service(
	    &served, (struct http_server_options){.deferred_timeout_ms = 50, .request_timeout_ms = 400}, keeper);
	const int fd = dial(served.port);
	send_post(fd);
	struct http_exchange *late = take_kept();
	assert_false(hear(fd, answer, "\n", 6, 3000));
	assert_non_null(strstr(answer, "HTTP/1.1 504"));
	assert_false(http_is_wanted(late));
	const char *now = HEAD_OF("GET", "/now") "\r\n";
	put(fd, now, strlen(now));
	assert_false(hear(fd, answer, "\r\n\r\nnow", 1, 2000));
	assert_true(bytes_equal(http_header_get(&late->request, "x-name"), BYTES_LITERAL("Ada")));
	answer_kept(late);
	close(fd);
	stop(&served);
}

static void wait_until_unwanted(struct http_exchange *exchange) {
	for (int i = 0; i < 1000 && http_is_wanted(exchange); i++) pause_ms(5);
	assert_false(http_is_wanted(exchange));
}

static void an_owner_learns_that_its_client_went(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start_service(&served, (struct http_server_options){.request_timeout_ms = 400}, keeper);
	int fd = dial(served.port);
	send_post(fd);
	struct http_exchange *exchange = take_kept();
	const struct linger reset = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(fd);
	wait_until_unwanted(exchange);
	answer_kept(exchange);
	fd = dial(served.port); /* a client that ended its side alone still gets what comes */
	send_post(fd);
	exchange = take_kept();
	shutdown(fd, SHUT_WR);
	wait_until_unwanted(exchange);
	answer_kept(exchange);
	hear(fd, answer, "Ada body", 1, 2000);
	assert_non_null(strstr(answer, "late /a Ada body"));
	close(fd);
	stop(&served);
}

static void *stop_soon(void *context) {
	stop(context);
	return NULL;
}

/* The stop waits for answers that come in time, and says 503 for the others; their owners may answer even after it. */
static void a_stop_is_ordered(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	pthread_t stopper;
	start_service(&served, (struct http_server_options){.drain_ms = 1500}, keeper);
	const int fds[] = {dial(served.port), dial(served.port)};
	send_post(fds[0]);
	struct http_exchange *in_time = take_kept();
	send_post(fds[1]);
	struct http_exchange *late = take_kept();
	assert_int_equal(pthread_create(&stopper, NULL, stop_soon, &served), 0);
	pause_ms(100);
	answer_kept(in_time);
	assert_true(hear(fds[0], answer, NULL, 1, 3000)); /* and the connection closes */
	assert_non_null(strstr(answer, "late /a Ada body"));
	assert_non_null(strstr(answer, "Connection: close"));
	hear(fds[1], answer, "\n", 6, 5000);
	assert_non_null(strstr(answer, "HTTP/1.1 503"));
	pthread_join(stopper, NULL); /* the server is gone */
	assert_false(http_is_wanted(late));
	answer_kept(late);
	for (int i = 0; i < 2; i++) close(fds[i]);
}

/* What an observer saw, a line for each answer. */
static struct {
	pthread_mutex_t lock;
	char text[2000];
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void see(void *context, const struct http_exchange *exchange, uint64_t duration_ns) {
	const struct http_request *request = &exchange->request;
	const struct bytes name = http_header_get(request, "x-name"), ids = buf_view(&exchange->response.headers);
	(void)context;
	pthread_mutex_lock(&seen.lock);
	const size_t len = strlen(seen.text);
	snprintf(seen.text + len, sizeof seen.text - len, "%s %.*s %.*s %d %.*s\n", http_method_name(request->method),
	    (int)request->path.len, (const char *)request->path.data, (int)name.len, (const char *)name.data,
	    exchange->response.status, (int)(ids.len < 9 ? ids.len : 9), (const char *)ids.data);
	BUG_ON(exchange->route != &seen || (exchange->response.status == 504 && duration_ns < 30000000));
	pthread_mutex_unlock(&seen.lock);
}

static void give_id(void *context, struct http_exchange *exchange) {
	(void)context;
	exchange->route = &seen;
	buf_text(&exchange->response.headers, "X-Id: one\r\n");
}

/* The observer, and the client, see which request it was that got no answer; its owner may still read it. */
static void what_is_abandoned_is_known(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	const struct http_observer observer = {see, NULL};
	const struct http_service service = {.handle = keep, .admit = give_id};
	start_service(&served,
	    (struct http_server_options){
		.deferred_timeout_ms = 50, .request_timeout_ms = 400, .drain_ms = 1, .observer = &observer},
	    service);
	const int fd = dial(served.port);
	for (int i = 0; i < 3; i++) { /* the last one is abandoned by the stop */
		send_post(fd);
		struct http_exchange *late = take_kept();
		buf_text(&late->response.headers, "X-Owner: two\r\n");
		if (i == 2) http_server_stop(served.server);
		assert_false(hear(fd, answer, "}", 1, 3000));
		assert_non_null(strstr(answer, "X-Id: one\r\n"));
		assert_null(strstr(answer, "X-Owner"));
		answer_kept(late);
	}
	close(fd);
	stop(&served);
	assert_string_equal(seen.text, "POST /a Ada 504 X-Id: one\n"
				       "POST /a Ada 504 X-Id: one\n"
				       "POST /a Ada 503 X-Id: one\n");
}

static void count_busy(void *context, struct http_exchange *exchange) {
	static atomic_uint busy;
	(void)context;
	exchange->limits = (struct http_limits){.at_once = 1, .busy = &busy, .answer_max = 100};
	if (bytes_equal(exchange->request.path, BYTES_LITERAL("/never"))) exchange->response.status = 404;
}

static void admission_refuses_and_bounds(void **state) {
	(void)state;
	struct served served;
	static char answer[ANSWER_BYTES];
	start_service(
	    &served, (struct http_server_options){0}, (struct http_service){.handle = keep, .admit = count_busy});
	ask(served.port, answer, HEAD_OF("POST", "/never") "Content-Length: 100\r\n\r\n", "\r\n\r\n");
	assert_non_null(strstr(answer, "HTTP/1.1 404"));
	assert_int_equal(served.calls, 0);
	const int fd = dial(served.port);
	for (int i = 0; i < 2; i++) { /* the place is given back with the answer */
		send_post(fd);
		struct http_exchange *exchange = take_kept();
		ask(served.port, answer, HEAD_OF("GET", "/now") "\r\n", "again");
		assert_non_null(strstr(answer, "HTTP/1.1 503"));
		for (int k = 0; i == 1 && k < 20; k++) buf_text(&exchange->response.body, "too long ");
		answer_kept(exchange);
		assert_false(hear(fd, answer, i == 1 ? "large" : "Ada body", 1, 2000));
	}
	assert_non_null(strstr(answer, "HTTP/1.1 500"));
	close(fd);
	stop(&served);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_when_another_thread_does),
	    cmocka_unit_test(answers_in_order_however_they_race),
	    cmocka_unit_test(only_so_many_are_deferred),
	    cmocka_unit_test(a_deadline_frees_the_client),
	    cmocka_unit_test(an_owner_learns_that_its_client_went),
	    cmocka_unit_test(a_stop_is_ordered),
	    cmocka_unit_test(what_is_abandoned_is_known),
	    cmocka_unit_test(admission_refuses_and_bounds),
	};
	return cmocka_run_group_tests_name("http_defer", tests, NULL, NULL);
}
