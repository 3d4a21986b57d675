/* Compressed bodies and answers: the coding alone, and a server that has it. */
#include "net/http_gzip.h"

#include "net/test_server.h"

#include <stdio.h>
#include <zlib.h>

#include "base/http_conditional.h"
#include "base/http_reply.h"

/* --- the coding --- */

static bool keep(void *context, struct bytes plain) {
	assert_in_range(plain.len, 1, 16384);
	buf_append(context, plain);
	return true;
}

/* Inflates what comes in pieces of `step` bytes. */
static enum gunzip_result inflate_in(struct buf *out, bool *is_whole, struct bytes coded, size_t step) {
	struct gunzip *gunzip = gunzip_new();
	enum gunzip_result result = GUNZIP_OK;
	buf_clear(out);
	for (size_t at = 0; at < coded.len && result == GUNZIP_OK; at += step)
		result = gunzip_put(gunzip, bytes_slice(coded, at, step), keep, out);
	*is_whole = gunzip_is_whole(gunzip);
	gunzip_free(gunzip);
	return result;
}

/* Of lines that are alike, as JSON's are. */
static void put_text(struct buf *out, size_t size) {
	for (unsigned i = 0; out->len < size; i++) buf_printf(out, "{\"line\": %u, \"square\": %u}\n", i, i * i);
	out->len = size;
}

static void what_is_compressed_inflates_however_it_is_cut(void **state) {
	(void)state;
	static const size_t sizes[] = {0, 1, 100, 16384, 32768, 300000}, steps[] = {1, 7, 1000, 1 << 20};
	for (size_t i = 0; i < 6; i++) {
		struct buf plain, coded, again;
		bool is_whole;
		buf_init(&plain, 1 << 20);
		buf_init(&coded, 1 << 20);
		buf_init(&again, 1 << 20);
		put_text(&plain, sizes[i]);
		gzip_bytes(&coded, buf_view(&plain));
		if (sizes[i] > 1000) assert_in_range(coded.len, 1, plain.len / 3);
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(inflate_in(&again, &is_whole, buf_view(&coded), steps[k]), GUNZIP_OK);
			assert_true(is_whole && bytes_equal(buf_view(&again), buf_view(&plain)));
		}
		gzip_bytes(&coded, BYTES_LITERAL("more")); /* members are one text */
		buf_text(&plain, "more");
		assert_int_equal(inflate_in(&again, &is_whole, buf_view(&coded), 1000), GUNZIP_OK);
		assert_true(is_whole && bytes_equal(buf_view(&again), buf_view(&plain)));
		buf_fini(&plain);
		buf_fini(&coded);
		buf_fini(&again);
	}
}

static void what_is_not_gzip_is_refused(void **state) {
	(void)state;
	struct buf coded, again;
	bool is_whole;
	buf_init(&coded, 1000);
	buf_init(&again, 1000);
	gzip_bytes(&coded, BYTES_LITERAL("some text"));
	assert_int_equal(inflate_in(&again, &is_whole, BYTES_LITERAL("some text"), 100), GUNZIP_MALFORMED);
	assert_int_equal(
	    inflate_in(&again, &is_whole, bytes_slice(buf_view(&coded), 0, coded.len - 1), 100), GUNZIP_OK);
	assert_false(is_whole);
	coded.data[coded.len - 5] ^= 1; /* the checksum */
	assert_int_equal(inflate_in(&again, &is_whole, buf_view(&coded), 100), GUNZIP_MALFORMED);
	coded.data[coded.len - 5] ^= 1;
	buf_text(&coded, "rest");
	assert_int_equal(inflate_in(&again, &is_whole, buf_view(&coded), 100), GUNZIP_MALFORMED);
	buf_fini(&coded);
	buf_fini(&again);
}

static void a_bomb_is_given_up_early(void **state) {
	(void)state;
	enum { PLAIN_BYTES = 20 << 20, CODED_BYTES = 10000 };
	static uint8_t coded[1 << 20];
	uint8_t *plain = mem_zalloc(1, PLAIN_BYTES);
	struct buf again;
	bool is_whole;
	z_stream stream = {.next_in = plain, .avail_in = PLAIN_BYTES, .next_out = coded, .avail_out = sizeof coded};
	assert_int_equal(
	    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	buf_init(&again, PLAIN_BYTES);
	assert_int_equal(inflate_in(&again, &is_whole, bytes_make(coded, CODED_BYTES), CODED_BYTES), GUNZIP_TOO_FAR);
	assert_in_range(again.len, GUNZIP_FREE_BYTES - 16384, CODED_BYTES * GUNZIP_RATIO_MAX);
	buf_fini(&again);
	mem_free(plain);
}

/* --- a server --- */

#define BODY_MAX ((size_t)20000)
#define LARGE_MAX ((size_t)4 << 20)

static struct {
	const char *next; /* of the stream that waits */
	struct http_exchange *exchange;
	pthread_mutex_t lock;
} stream = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum http_source_state read_stream(void *context, size_t *len, uint8_t *out, size_t size) {
	pthread_mutex_lock(&stream.lock);
	stream.exchange = context;
	*len = stream.next ? strlen(stream.next) : 0;
	BUG_ON(*len > size);
	if (*len) memcpy(out, stream.next, *len);
	stream.next = NULL;
	pthread_mutex_unlock(&stream.lock);
	return *len ? HTTP_SOURCE_MORE : HTTP_SOURCE_WAIT;
}

static void close_stream(void *context) {
	(void)context;
	pthread_mutex_lock(&stream.lock);
	stream.exchange = NULL;
	pthread_mutex_unlock(&stream.lock);
}

static void say(const char *text) {
	pthread_mutex_lock(&stream.lock);
	stream.next = text;
	if (stream.exchange) http_more(stream.exchange);
	pthread_mutex_unlock(&stream.lock);
}

static bool write_sink(void *context, struct http_exchange *exchange, struct bytes piece) {
	(void)exchange;
	*(atomic_uint *)context += (unsigned)piece.len;
	return true;
}

static bool is_at(const struct http_exchange *exchange, const char *path) {
	return bytes_equal(exchange->request.path, bytes_text(path));
}

static atomic_uint large, sunk;

static void admit(void *context, struct http_exchange *exchange) {
	(void)context;
	if (!is_at(exchange, "/never")) exchange->gzip = HTTP_GZIP_BOTH;
	exchange->limits = (struct http_limits){
	    .body_max = BODY_MAX, .large_body_max = LARGE_MAX, .large_at_once = 1, .large = &large};
	if (is_at(exchange, "/sink")) exchange->sink = (struct http_sink){write_sink, NULL, &sunk};
}

/* "/123": 123, and 0 for a path that is no number. A view has no end that atoi would see. */
static size_t number_of(struct bytes path) {
	size_t number = 0;
	for (size_t i = 1; i < path.len && path.data[i] >= '0' && path.data[i] <= '9'; i++)
		number = number * 10 + (path.data[i] - '0');
	return number;
}

/* The path says how many bytes of text; or it names a form. */
static void handle(void *context, struct http_exchange *exchange) {
	(void)context;
	struct http_response *response = &exchange->response;
	response->content_type = is_at(exchange, "/binary") ? "application/octet-stream" : "application/fhir+json";
	http_put_header(response, "ETag", "\"1\"");
	if (exchange->request.method == HTTP_POST)
		buf_printf(&response->body, "%zu bytes, %u sunk.", exchange->request.body.len, sunk);
	else if (is_at(exchange, "/stream"))
		response->source = (struct http_source){read_stream, close_stream, exchange, HTTP_LENGTH_UNKNOWN, 0};
	else if (http_precondition_of(&exchange->request, "\"1\"") == HTTP_PRECONDITION_NOT_MODIFIED)
		response->status = 304;
	else
		put_text(&response->body, number_of(exchange->request.path));
	if (is_at(exchange, "/binary") || is_at(exchange, "/never")) put_text(&response->body, 5000);
	const struct http_range range = http_range_of(&exchange->request, "\"1\"", response->body.len);
	if (range.kind != HTTP_RANGE_PART) return;
	response->status = 206;
	response->body.len = range.len; /* enough for a test: the first bytes */
}

static void start_gzip(struct served *served) {
	sunk = 0;
	start_service(served, (struct http_server_options){.response_max = 2 << 20},
	    (struct http_service){.handle = handle, .admit = admit});
}

struct got {
	struct buf head, body; /* inflated, if it was compressed */
	size_t coded_bytes;
};

static void got_free(struct got *got) {
	buf_fini(&got->head);
	buf_fini(&got->body);
}

static bool has(const struct got *got, const char *text) {
	return strstr((const char *)got->head.data, text) != NULL;
}

static void take_chunks(struct buf *out, struct bytes chunks) {
	for (;;) {
		char *end;
		const size_t len = strtoul((const char *)chunks.data, &end, 16);
		const size_t head = (size_t)(end - (const char *)chunks.data) + 2;
		if (len == 0) return;
		buf_append(out, bytes_slice(chunks, head, len));
		chunks = bytes_slice(chunks, head + len + 2, chunks.len);
	}
}

/* Reads all until the server closes, and takes it apart. */
static void hear_all(struct got *got, int fd) {
	struct buf all, coded;
	ssize_t count;
	bool is_whole;
	static uint8_t piece[65536];
	buf_init(&all, 4 << 20);
	buf_init(&coded, 4 << 20);
	buf_init(&got->head, 4096);
	buf_init(&got->body, 4 << 20);
	while ((count = recv(fd, piece, sizeof piece, 0)) > 0) buf_append(&all, bytes_make(piece, (size_t)count));
	const char *text = buf_cstr(&all), *end = strstr(text, "\r\n\r\n");
	assert_non_null(end);
	const size_t head = (size_t)(end - text) + 4;
	buf_append(&got->head, bytes_slice(buf_view(&all), 0, head));
	(void)buf_cstr(&got->head);
	if (has(got, "Transfer-Encoding: chunked"))
		take_chunks(&coded, bytes_slice(buf_view(&all), head, all.len));
	else
		buf_append(&coded, bytes_slice(buf_view(&all), head, all.len));
	got->coded_bytes = coded.len;
	if (coded.len && has(got, "Content-Encoding: gzip")) {
		assert_int_equal(inflate_in(&got->body, &is_whole, buf_view(&coded), 1000), GUNZIP_OK);
		assert_true(is_whole);
	} else {
		buf_append(&got->body, buf_view(&coded));
	}
	(void)buf_cstr(&got->body);
	buf_fini(&all);
	buf_fini(&coded);
}

static void get(struct got *got, uint16_t port, const char *first_line, const char *fields) {
	char text[512];
	const int fd = dial(port);
	snprintf(
	    text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", first_line, fields);
	put(fd, text, strlen(text));
	hear_all(got, fd);
	close(fd);
}

#define WANTS "Accept-Encoding: gzip\r\n"

static void check_text(const struct got *got, size_t size) {
	struct buf text;
	buf_init(&text, 4 << 20);
	put_text(&text, size);
	assert_true(bytes_equal(buf_view(&got->body), buf_view(&text)));
	buf_fini(&text);
}

static void an_answer_is_compressed_if_the_client_wants_that(void **state) {
	(void)state;
	struct served served;
	struct got got;
	static const size_t sizes[] = {1024, 5000, 262144, 262145, 1500000};
	start_gzip(&served);
	for (size_t i = 0; i < 5; i++) {
		char line[64];
		snprintf(line, sizeof line, "GET /%zu", sizes[i]);
		get(&got, served.port, line, WANTS);
		assert_true(has(&got, "Content-Encoding: gzip\r\n") && has(&got, "Vary: Accept-Encoding\r\n"));
		assert_true(has(&got, "ETag: W/\"1\"\r\n"));
		assert_true(got.coded_bytes < sizes[i] / 2);
		check_text(&got, sizes[i]);
		got_free(&got);
		get(&got, served.port, line, "");
		assert_false(has(&got, "Content-Encoding"));
		assert_true(has(&got, "ETag: \"1\"\r\n") && has(&got, "Vary: Accept-Encoding\r\n"));
		check_text(&got, sizes[i]);
		got_free(&got);
	}
	stop(&served);
}

static void what_gains_nothing_stays_as_it_is(void **state) {
	(void)state;
	struct served served;
	struct got got;
	static const char *const cases[][2] = {{"GET /1023", WANTS}, {"GET /binary", WANTS}, {"GET /never", WANTS},
	    {"GET /5000", "Accept-Encoding: gzip;q=0\r\n"}, {"GET /5000", WANTS "Range: bytes=0-1999\r\n"}};
	start_gzip(&served);
	for (size_t i = 0; i < 5; i++) {
		get(&got, served.port, cases[i][0], cases[i][1]);
		assert_false(has(&got, "Content-Encoding"));
		assert_true(has(&got, "ETag: \"1\"\r\n"));
		assert_int_equal(has(&got, "Vary: Accept-Encoding"), i != 2);
		check_text(&got, i == 0 ? 1023 : i == 4 ? 2000 : 5000);
		got_free(&got);
	}
	get(&got, served.port, "GET /1023", "Accept-Encoding: gzip, identity;q=0\r\n");
	assert_true(has(&got, "Content-Encoding: gzip\r\n"));
	check_text(&got, 1023);
	got_free(&got);
	stop(&served);
}

static void a_head_and_a_304_say_what_a_get_would(void **state) {
	(void)state;
	struct served served;
	struct got whole, head;
	char length[64];
	start_gzip(&served);
	get(&whole, served.port, "GET /5000", WANTS);
	get(&head, served.port, "HEAD /5000", WANTS);
	snprintf(length, sizeof length, "Content-Length: %zu\r\n", whole.coded_bytes);
	assert_true(has(&whole, length) && has(&head, length) && head.coded_bytes == 0);
	assert_true(has(&head, "Content-Encoding: gzip\r\n") && has(&head, "ETag: W/\"1\"\r\n"));
	got_free(&whole);
	got_free(&head);
	get(&head, served.port, "GET /5000", WANTS "If-None-Match: W/\"1\"\r\n");
	assert_true(has(&head, " 304 ") && has(&head, "ETag: W/\"1\"\r\n") && has(&head, "Vary: Accept-Encoding\r\n"));
	assert_false(has(&head, "Content-Encoding"));
	got_free(&head);
	get(&head, served.port, "GET /5000", "If-None-Match: \"1\"\r\n");
	assert_true(has(&head, " 304 ") && has(&head, "ETag: \"1\"\r\n"));
	got_free(&head);
	stop(&served);
}

/* Inflates what came of a chunked answer so far; true: it is whole. */
static bool inflate_so_far(struct buf *plain, struct buf *all) {
	struct buf coded;
	bool is_whole;
	const char *end = strstr(buf_cstr(all), "\r\n\r\n");
	buf_clear(plain);
	if (!end) return false;
	buf_init(&coded, 1 << 20);
	buf_append(all, BYTES_LITERAL("0\r\n")); /* for take_chunks alone */
	take_chunks(&coded, bytes_slice(buf_view(all), (size_t)(end + 4 - (const char *)all->data), all->len));
	all->len -= 3;
	assert_int_equal(inflate_in(plain, &is_whole, buf_view(&coded), 1000), GUNZIP_OK);
	buf_fini(&coded);
	return is_whole;
}

static bool hear_more(struct buf *all, int fd) {
	static uint8_t piece[4096];
	const ssize_t count = recv(fd, piece, sizeof piece, 0);
	if (count > 0) buf_append(all, bytes_make(piece, (size_t)count));
	return count > 0;
}

/* Each text is there before the next is said; and the stop ends the stream as gzip ends. */
static void a_compressed_stream_shows_what_it_has(void **state) {
	(void)state;
	static const char request[] = HEAD_OF("GET", "/stream") WANTS "\r\n";
	static const char *const said[] = {"one ", "two ", "three ", NULL};
	static const char *const heard[] = {"one ", "one two ", "one two three "};
	struct served served;
	struct buf all, plain;
	buf_init(&all, 1 << 20);
	buf_init(&plain, 1 << 20);
	start_gzip(&served);
	say(said[0]);
	const int fd = dial(served.port);
	put(fd, request, sizeof request - 1);
	for (size_t i = 0; i < 3; i++) {
		do {
			assert_true(hear_more(&all, fd));
			assert_false(inflate_so_far(&plain, &all));
		} while (plain.len < strlen(heard[i]));
		assert_true(bytes_equal(buf_view(&plain), bytes_text(heard[i])));
		say(said[i + 1]);
	}
	http_server_stop(served.server);
	while (hear_more(&all, fd)) {
	}
	assert_true(inflate_so_far(&plain, &all));
	assert_true(bytes_equal(buf_view(&plain), bytes_text(heard[2])));
	close(fd);
	stop(&served);
	buf_fini(&all);
	buf_fini(&plain);
}

static void post(struct got *got, uint16_t port, const char *path, struct bytes body) {
	char head[256];
	const int fd = dial(port);
	snprintf(head, sizeof head,
	    "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: "
	    "%zu\r\n\r\n",
	    path, body.len);
	put(fd, head, strlen(head));
	put(fd, (const char *)body.data, body.len);
	hear_all(got, fd);
	close(fd);
}

/* What a compressed text of `size` bytes is answered. */
static void check_post(uint16_t port, const char *path, size_t size, size_t sent, const char *says) {
	struct buf plain, coded;
	struct got got;
	buf_init(&plain, 8 << 20);
	buf_init(&coded, 8 << 20);
	put_text(&plain, size);
	gzip_bytes(&coded, buf_view(&plain));
	if (sent) coded.len = sent;
	post(&got, port, path, buf_view(&coded));
	if (!has(&got, says) && !strstr((const char *)got.body.data, says))
		fail_msg("%s %s, not %s", got.head.data, got.body.data, says);
	got_free(&got);
	buf_fini(&plain);
	buf_fini(&coded);
}

static void a_body_that_comes_compressed_is_inflated(void **state) {
	(void)state;
	struct served served;
	struct got got;
	start_gzip(&served);
	check_post(served.port, "/", 1000, 0, "1000 bytes");
	check_post(served.port, "/", 0, 0, "0 bytes,");
	check_post(served.port, "/", BODY_MAX, 0, "20000 bytes");
	check_post(served.port, "/", LARGE_MAX, 0, "4194304 bytes"); /* it took the place of large ones, */
	large = 1;
	check_post(served.port, "/", BODY_MAX + 1, 0, " 503 "); /* which is not free, */
	large = 0;
	check_post(served.port, "/", BODY_MAX + 1, 0, "20001 bytes");
	assert_int_equal(large, 0); /* and was given back */
	check_post(served.port, "/", LARGE_MAX + 1, 0, " 413 ");
	check_post(served.port, "/", 1000, 20, " 400 ");
	check_post(served.port, "/sink", 100000, 0, "0 bytes, 100000 sunk");
	check_post(served.port, "/sink", 100000, 50, " 400 ");
	post(&got, served.port, "/", BYTES_LITERAL("this is not gzip"));
	assert_true(has(&got, " 400 ") && strstr((const char *)got.body.data, "not valid gzip"));
	got_free(&got);
	stop(&served);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_compressed_inflates_however_it_is_cut),
	    cmocka_unit_test(what_is_not_gzip_is_refused),
	    cmocka_unit_test(a_bomb_is_given_up_early),
	    cmocka_unit_test(an_answer_is_compressed_if_the_client_wants_that),
	    cmocka_unit_test(what_gains_nothing_stays_as_it_is),
	    cmocka_unit_test(a_head_and_a_304_say_what_a_get_would),
	    cmocka_unit_test(a_compressed_stream_shows_what_it_has),
	    cmocka_unit_test(a_body_that_comes_compressed_is_inflated),
	};
	return cmocka_run_group_tests_name("http_gzip", tests, NULL, NULL);
}
