/* Answers and bodies in pieces: sources that a slow client holds back, that wait, fail or are left; sinks. */
#include "net/test_server.h"

#include <stdio.h>

#define LONG_BYTES ((size_t)96 << 20)

/* What the answers' source does, as the test says. */
static struct {
	pthread_mutex_t lock;
	struct http_exchange *exchange; /* between the first WAIT and the close */
	const char *next;               /* a text that is not sent yet */
	enum http_source_state then;    /* what follows when there is no text */
	size_t made, closed;
} source;

static void pause_ms(long ms) {
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool becomes(size_t *count, size_t wanted) {
	bool is_there = false;
	for (int i = 0; i < 1000 && !is_there; i++) {
		pthread_mutex_lock(&source.lock);
		is_there = *count == wanted;
		pthread_mutex_unlock(&source.lock);
		if (!is_there) pause_ms(5);
	}
	return is_there;
}

static enum http_source_state read_long(void *context, size_t *len, uint8_t *out, size_t size) {
	(void)context;
	pthread_mutex_lock(&source.lock);
	const size_t left = LONG_BYTES - source.made;
	*len = left < size ? left : size;
	for (size_t i = 0; i < *len; i++) out[i] = (uint8_t)((source.made + i) % 251);
	source.made += *len;
	pthread_mutex_unlock(&source.lock);
	return *len ? HTTP_SOURCE_MORE : HTTP_SOURCE_END;
}

static enum http_source_state read_text(void *context, size_t *len, uint8_t *out, size_t size) {
	enum http_source_state state = HTTP_SOURCE_MORE;
	pthread_mutex_lock(&source.lock);
	source.exchange = context;
	if (source.next) {
		*len = strlen(source.next);
		BUG_ON(*len > size);
		memcpy(out, source.next, *len);
		source.next = NULL;
		source.made++;
	} else {
		state = source.then;
	}
	pthread_mutex_unlock(&source.lock);
	return state;
}

static void close_source(void *context) {
	(void)context;
	pthread_mutex_lock(&source.lock);
	source.exchange = NULL;
	source.closed++;
	pthread_mutex_unlock(&source.lock);
}

/* From the test's thread: one more text, or the end. */
static void say(const char *text, enum http_source_state then) {
	pthread_mutex_lock(&source.lock);
	source.next = text;
	source.then = then;
	if (source.exchange) http_more(source.exchange);
	pthread_mutex_unlock(&source.lock);
}

static void give_source(void *context, struct http_exchange *exchange) {
	(void)context;
	struct http_response *response = &exchange->response;
	response->content_type = "text/event-stream";
	if (bytes_equal(exchange->request.path, BYTES_LITERAL("/long")))
		response->source = (struct http_source){read_long, close_source, exchange, LONG_BYTES, 0};
	else
		response->source = (struct http_source){read_text, close_source, exchange, HTTP_LENGTH_UNKNOWN, 0};
	if (bytes_equal(exchange->request.path, BYTES_LITERAL("/overflow"))) response->body.overflow = true;
}

static void start_source(struct served *served, const char *text, enum http_source_state then) {
	source.next = text;
	source.then = then;
	source.made = source.closed = 0;
	start_service(served, (struct http_server_options){0}, (struct http_service){.handle = give_source});
}

static void a_client_that_does_not_read_holds_the_source_back(void **state) {
	(void)state;
	static char piece[65536];
	struct served served;
	start_source(&served, NULL, HTTP_SOURCE_END);
	const int fd = dial(served.port);
	put(fd, HEAD_OF("GET", "/long") "\r\n", strlen(HEAD_OF("GET", "/long") "\r\n"));
	pause_ms(300);
	pthread_mutex_lock(&source.lock);
	assert_in_range(source.made, 1, LONG_BYTES / 2); /* what sockets hold */
	pthread_mutex_unlock(&source.lock);
	size_t head = 0, body = 0;
	while (head < 4) {
		assert_int_equal(recv(fd, piece, 1, 0), 1);
		head = piece[0] == "\r\n\r\n"[head] ? head + 1 : 0;
	}
	while (body < LONG_BYTES) {
		const ssize_t got = recv(fd, piece, sizeof piece, 0);
		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++) assert_int_equal((uint8_t)piece[i], (body + (size_t)i) % 251);
		body += (size_t)got;
	}
	assert_int_equal(body, LONG_BYTES);
	assert_true(becomes(&source.closed, 1));
	close(fd);
	stop(&served);
}

static void a_source_that_waits_is_read_when_there_is_more(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	start_source(&served, "one\n", HTTP_SOURCE_WAIT);
	const int fd = dial(served.port);
	put(fd, HEAD_OF("GET", "/") "\r\n", strlen(HEAD_OF("GET", "/") "\r\n"));
	assert_false(hear(fd, answer, "one\n", 1, 2000));
	assert_non_null(strstr(answer, "Transfer-Encoding: chunked"));
	for (size_t i = 0; i < 200; i++) { /* while it pauses, or is about to */
		say("two\n", HTTP_SOURCE_WAIT);
		assert_true(becomes(&source.made, 2 + i));
	}
	assert_false(hear(fd, answer, "two\n", 200, 2000));
	say("three\n", HTTP_SOURCE_END);
	assert_false(hear(fd, answer, "0\r\n\r\n", 1, 2000));
	assert_true(becomes(&source.closed, 1));
	source.then = HTTP_SOURCE_END; /* the connection serves the next */
	put(fd, HEAD_OF("GET", "/") "\r\n", strlen(HEAD_OF("GET", "/") "\r\n"));
	assert_false(hear(fd, answer, "0\r\n\r\n", 1, 2000));
	close(fd);
	stop(&served);
}

static void a_source_learns_that_its_client_went(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	start_source(&served, "one\n", HTTP_SOURCE_WAIT);
	const int fd = dial(served.port);
	put(fd, HEAD_OF("GET", "/") "\r\n", strlen(HEAD_OF("GET", "/") "\r\n"));
	assert_false(hear(fd, answer, "one\n", 1, 2000));
	close(fd);
	assert_true(becomes(&source.closed, 1));
	stop(&served);
}

static void a_stop_ends_those_that_wait(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	start_source(&served, "one\n", HTTP_SOURCE_WAIT);
	const int fd = dial(served.port);
	put(fd, HEAD_OF("GET", "/") "\r\n", strlen(HEAD_OF("GET", "/") "\r\n"));
	assert_false(hear(fd, answer, "one\n", 1, 2000));
	http_server_stop(served.server);
	assert_false(hear(fd, answer, "0\r\n\r\n", 1, 2000)); /* a whole answer */
	stop(&served);
	assert_int_equal(source.closed, 1);
	close(fd);
}

static void a_failure_cuts_the_connection(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	start_source(&served, "one\n", HTTP_SOURCE_FAILED);
	assert_true(ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", "0\r\n\r\n"));
	assert_null(strstr(answer, "0\r\n\r\n"));
	stop(&served);
	assert_int_equal(source.closed, 1);
}

static void hold_much(void *context, struct http_exchange *exchange) {
	give_source(context, exchange);
	exchange->response.source.held_bytes = 300 << 20;
}

/* It counts as an answer that waits for its client, and this one alone is over the bound. */
static void what_a_source_keeps_is_counted(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	source.next = NULL;
	source.then = HTTP_SOURCE_WAIT;
	start_service(&served, (struct http_server_options){.held_max = (size_t)200 << 20},
	    (struct http_service){.handle = hold_much});
	assert_true(ask(served.port, answer, HEAD_OF("GET", "/") "\r\n", NULL));
	stop(&served);
}

static void what_is_not_sent_is_closed_unread(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	start_source(&served, "one\n", HTTP_SOURCE_END);
	ask(served.port, answer, HEAD_OF("GET", "/overflow") "\r\n", "}");
	assert_non_null(strstr(answer, "HTTP/1.1 500"));
	ask(served.port, answer, HEAD_OF("HEAD", "/") "Connection: close\r\n\r\n", NULL);
	assert_non_null(strstr(answer, "HTTP/1.1 200"));
	stop(&served);
	assert_int_equal(source.made, 0);
	assert_int_equal(source.closed, 2);
}

/* --- sinks --- */

static struct {
	size_t bytes, pieces;
	atomic_size_t closed;
	bool refuses;
} sink;

static bool write_sink(void *context, struct http_exchange *exchange, struct bytes piece) {
	(void)context;
	sink.bytes += piece.len;
	sink.pieces++;
	if (sink.refuses) exchange->response.status = 422;
	return !sink.refuses;
}

static void close_sink(void *context) {
	(void)context;
	sink.closed++;
}

static void begin_sink(void *context, struct http_exchange *exchange) {
	(void)context;
	exchange->sink = (struct http_sink){write_sink, close_sink, NULL};
	exchange->limits.body_max = 1 << 20;
}

static void say_taken(void *context, struct http_exchange *exchange) {
	(*(atomic_uint *)context)++;
	assert_int_equal(exchange->request.body.len, 0);
	buf_printf(&exchange->response.body, "taken %zu.", sink.bytes);
}

static void send_body(struct served *served, char *answer, size_t stated, size_t sent) {
	static char body[1 << 20];
	char head[256];
	sink.bytes = sink.pieces = 0;
	const int fd = dial(served->port);
	snprintf(head, sizeof head, HEAD_OF("PUT", "/") "Connection: close\r\nContent-Length: %zu\r\n\r\n", stated);
	put(fd, head, strlen(head));
	put(fd, body, sent);
	if (sent == stated) hear(fd, answer, NULL, 0, 2000);
	close(fd);
}

static void a_sink_takes_the_body_in_pieces(void **state) {
	(void)state;
	static char answer[ANSWER_BYTES];
	struct served served;
	sink.closed = 0;
	start_service(&served, (struct http_server_options){.body_max = 1000, .idle_timeout_ms = 1000},
	    (struct http_service){.handle = say_taken, .admit = begin_sink});
	send_body(&served, answer, 1 << 20, 1 << 20);
	assert_non_null(strstr(answer, "taken 1048576."));
	assert_true(sink.pieces > 10);
	assert_int_equal(served.calls, 1);

	sink.refuses = true;
	send_body(&served, answer, 1 << 20, 1 << 20);
	assert_non_null(strstr(answer, "HTTP/1.1 422"));
	assert_int_equal(sink.pieces, 1);
	sink.refuses = false;

	ask(served.port, answer, HEAD_OF("PUT", "/") "Content-Length: 1048577\r\n\r\n", "}");
	assert_non_null(strstr(answer, "HTTP/1.1 413"));

	send_body(&served, answer, 1 << 20, 1000); /* and goes */
	for (int i = 0; i < 1000 && sink.closed < 4; i++) pause_ms(5);
	assert_int_equal(sink.closed, 4);
	assert_int_equal(served.calls, 1);
	stop(&served);
}

int main(void) {
	pthread_mutex_init(&source.lock, NULL);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_that_does_not_read_holds_the_source_back),
	    cmocka_unit_test(a_source_that_waits_is_read_when_there_is_more),
	    cmocka_unit_test(a_source_learns_that_its_client_went),
	    cmocka_unit_test(a_stop_ends_those_that_wait),
	    cmocka_unit_test(a_failure_cuts_the_connection),
	    cmocka_unit_test(what_a_source_keeps_is_counted),
	    cmocka_unit_test(what_is_not_sent_is_closed_unread),
	    cmocka_unit_test(a_sink_takes_the_body_in_pieces),
	};
	return cmocka_run_group_tests_name("http_stream", tests, NULL, NULL);
}
