#include "base/http_conditional.h"

#include "tests/unit.h"

static struct http_request request_of(enum http_method method, const char *name, const char *value) {
	struct http_request request = {.method = method, .header_count = 1};
	request.headers[0] = (struct http_header){bytes_text(name), bytes_text(value)};
	return request;
}

static enum http_precondition precondition(
    enum http_method method, const char *name, const char *value, const char *etag) {
	const struct http_request request = request_of(method, name, value);
	return http_precondition_of(&request, etag);
}

static void entity_tags_are_compared_strongly_and_weakly(void **state) {
	(void)state;
	const struct bytes list = BYTES_LITERAL("\"a,b\" , W/\"2\",\"3\"");
	assert_true(http_etag_listed(list, "\"3\"", true));
	assert_true(http_etag_listed(list, "W/\"3\"", false));
	assert_false(http_etag_listed(list, "W/\"3\"", true));
	assert_true(http_etag_listed(list, "\"2\"", false));
	assert_false(http_etag_listed(list, "\"2\"", true));
	assert_true(http_etag_listed(list, "\"a,b\"", true));
	assert_false(http_etag_listed(list, "\"b\"", false));
	assert_true(http_etag_listed(BYTES_LITERAL("*"), "\"1\"", true));
	assert_false(http_etag_listed(BYTES_LITERAL("*"), NULL, false));
	static const char *const malformed[] = {"3", "\"3", "w/\"3\"", "\"3\" \"4\"", "\"3\" x", "*,\"3\"", ""};
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
		assert_false(http_etag_listed(bytes_text(malformed[i]), "\"3\"", false));
}

static void preconditions_follow_the_method(void **state) {
	(void)state;
	assert_int_equal(precondition(HTTP_GET, "if-none-match", "W/\"1\"", "\"1\""), HTTP_PRECONDITION_NOT_MODIFIED);
	assert_int_equal(precondition(HTTP_GET, "if-none-match", "\"2\"", "\"1\""), HTTP_PRECONDITION_MET);
	assert_int_equal(precondition(HTTP_PUT, "if-none-match", "*", "\"1\""), HTTP_PRECONDITION_FAILED);
	assert_int_equal(precondition(HTTP_PUT, "if-none-match", "*", NULL), HTTP_PRECONDITION_MET);
	assert_int_equal(precondition(HTTP_PUT, "if-match", "\"1\"", "\"1\""), HTTP_PRECONDITION_MET);
	assert_int_equal(precondition(HTTP_PUT, "if-match", "\"2\"", "\"1\""), HTTP_PRECONDITION_FAILED);
	assert_int_equal(precondition(HTTP_PUT, "if-match", "*", NULL), HTTP_PRECONDITION_FAILED);
	assert_int_equal(precondition(HTTP_PUT, "if-match", "nonsense", "\"1\""), HTTP_PRECONDITION_FAILED);
	assert_int_equal(precondition(HTTP_PUT, "x", "\"2\"", "\"1\""), HTTP_PRECONDITION_MET);
}

static void check_range(const char *value, enum http_range_kind kind, uint64_t first, uint64_t len) {
	const struct http_request request = request_of(HTTP_GET, "range", value);
	const struct http_range range = http_range_of(&request, NULL, 1000);
	assert_int_equal(range.kind, kind);
	assert_int_equal(range.first, first);
	assert_int_equal(range.len, len);
	assert_int_equal(range.size, 1000);
}

static void one_range_is_a_part_and_the_rest_is_whole_or_none(void **state) {
	(void)state;
	check_range("bytes=0-0", HTTP_RANGE_PART, 0, 1);
	check_range("Bytes=10-19", HTTP_RANGE_PART, 10, 10);
	check_range("bytes=990-", HTTP_RANGE_PART, 990, 10);
	check_range("bytes=990-99999999999999999999", HTTP_RANGE_PART, 990, 10);
	check_range("bytes=-5", HTTP_RANGE_PART, 995, 5);
	check_range("bytes=-99999999999999999999", HTTP_RANGE_PART, 0, 1000);
	check_range("bytes=1000-", HTTP_RANGE_NONE, 0, 0);
	check_range("bytes=99999999999999999999-", HTTP_RANGE_NONE, 0, 0);
	check_range("bytes=-0", HTTP_RANGE_NONE, 0, 0);
	static const char *const whole[] = {"bytes=0-1,5-6", "bytes=5-4", "bytes=-", "bytes=a-", "bytes=1", "bytes",
	    "items=0-1", "bytes=--1", "bytes=1-2x", ""};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) check_range(whole[i], HTTP_RANGE_WHOLE, 0, 1000);
	const struct http_request head = request_of(HTTP_HEAD, "range", "bytes=0-1"),
				  get = request_of(HTTP_GET, "range", "bytes=0-1");
	assert_int_equal(http_range_of(&head, NULL, 1000).kind, HTTP_RANGE_WHOLE);
	assert_int_equal(http_range_of(&get, NULL, 0).kind, HTTP_RANGE_NONE);
}

static void a_range_of_another_state_is_the_whole(void **state) {
	(void)state;
	struct http_request request = request_of(HTTP_GET, "range", "bytes=0-1");
	request.headers[request.header_count++] =
	    (struct http_header){BYTES_LITERAL("if-range"), BYTES_LITERAL("\"1\"")};
	assert_int_equal(http_range_of(&request, "\"1\"", 10).kind, HTTP_RANGE_PART);
	assert_int_equal(http_range_of(&request, "\"2\"", 10).kind, HTTP_RANGE_WHOLE);
	assert_int_equal(http_range_of(&request, "W/\"1\"", 10).kind, HTTP_RANGE_WHOLE);
	assert_int_equal(http_range_of(&request, NULL, 10).kind, HTTP_RANGE_WHOLE);
}

static void content_ranges_are_written(void **state) {
	(void)state;
	struct http_response response;
	http_response_init(&response, 100);
	http_put_content_range(&response, &(struct http_range){HTTP_RANGE_PART, 5, 10, 100});
	http_put_content_range(&response, &(struct http_range){HTTP_RANGE_NONE, 0, 0, 100});
	http_put_content_range(&response, &(struct http_range){HTTP_RANGE_WHOLE, 0, 100, 100});
	assert_string_equal(
	    buf_cstr(&response.headers), "Content-Range: bytes 5-14/100\r\nContent-Range: bytes */100\r\n");
	http_response_fini(&response);
}

static struct http_codings codings_of(const char *value) {
	const struct http_request request = request_of(HTTP_GET, "accept-encoding", value);
	return http_codings_of(&request);
}

static void a_coding_is_taken_by_its_weight(void **state) {
	(void)state;
	static const char *const yes[] = {"gzip", "br, GZIP", "gzip;q=1.0", "gzip ; q=0.001", "*", "br;q=1,*;q=0.5",
	    "*;q=0, gzip", "x-gzip", "gzip;q=0.5, identity;q=0.5", "gzip;q=0.2, identity;q=0", "deflate, gzip;q=0.1"};
	static const char *const no[] = {"", "br", "gzip;q=0", "gzip;q=0.000", "*, gzip;q=0", "*;q=0",
	    "gzip;q=", "gzip;q=2", "gzip;q=1.001", "gzip;q=0.0001", "gzip;x=1", "xgzip", "identity, gzip;q=0.9",
	    "gzip;q=0.5, identity;q=0.501"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(codings_of(yes[i]).gzip);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(codings_of(no[i]).gzip);
	const struct http_request none = {.method = HTTP_GET};
	assert_false(http_codings_of(&none).gzip);
	assert_true(http_codings_of(&none).identity);
}

static void plain_bytes_are_refused_by_a_weight_of_nothing(void **state) {
	(void)state;
	static const char *const taken[] = {
	    "", "gzip", "br;q=0", "*", "identity", "*;q=0, identity", "*;q=0, identity;q=0.1"};
	static const char *const refused[] = {
	    "identity;q=0", "gzip, identity;q=0", "*;q=0", "gzip, *;q=0", "*, identity;q=0"};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) assert_true(codings_of(taken[i]).identity);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) assert_false(codings_of(refused[i]).identity);
}

static void lists_in_several_fields_are_one(void **state) {
	(void)state;
	struct http_request request = request_of(HTTP_GET, "accept-encoding", "gzip");
	request.headers[request.header_count++] =
	    (struct http_header){BYTES_LITERAL("accept-encoding"), BYTES_LITERAL("identity;q=0")};
	assert_true(http_codings_of(&request).gzip);
	assert_false(http_codings_of(&request).identity);
}

static enum http_body_coding body_coding(const char *value) {
	const struct http_request request = request_of(HTTP_POST, "content-encoding", value);
	return http_body_coding_of(&request);
}

static void a_body_has_one_coding(void **state) {
	(void)state;
	const struct http_request none = {.method = HTTP_POST};
	assert_int_equal(http_body_coding_of(&none), HTTP_BODY_PLAIN);
	assert_int_equal(body_coding("identity"), HTTP_BODY_PLAIN);
	assert_int_equal(body_coding("gzip"), HTTP_BODY_GZIP);
	assert_int_equal(body_coding("X-GZip"), HTTP_BODY_GZIP);
	static const char *const others[] = {"", "deflate", "gzip, gzip", "gzip;q=1", "br", "gzipped"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(body_coding(others[i]), HTTP_BODY_OTHER);
}

static bool unmodified(int64_t at_ms, const char *since) {
	const struct http_request request = request_of(HTTP_GET, "if-modified-since", since);
	return http_is_unmodified(&request, at_ms);
}

static void a_date_is_compared_by_its_second(void **state) {
	(void)state;
	const int64_t at_ms = 784111777999; /* RFC 9110's example */
	assert_true(unmodified(at_ms, "Sun, 06 Nov 1994 08:49:37 GMT"));
	assert_true(unmodified(951782400000, " Tue, 29 Feb 2000 00:00:00 GMT "));
	assert_false(unmodified(951782400000, "Mon, 28 Feb 2000 23:59:59 GMT"));
	assert_true(unmodified(1, "Thu, 01 Jan 1970 00:00:00 GMT"));
	static const char *const no[] = {"", "Sun, 06 Nov 1994 08:49:36 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	    "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 9994 08:49:37 UTC", "Sun, 06 Xxx 9994 08:49:37 GMT",
	    "Sun, 00 Nov 9994 08:49:37 GMT", "Sun, 06 Nov 9994 24:49:37 GMT", "Sun, 06 Nov 9994 08:49:3x GMT",
	    "Sun, 06 Nov 9994 08:49:37 GMT1"};
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(unmodified(at_ms, no[i]));
	struct http_request both = request_of(HTTP_GET, "if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_true(http_is_unmodified(&both, at_ms));
	both.method = HTTP_POST;
	assert_false(http_is_unmodified(&both, at_ms));
	both.method = HTTP_GET;
	both.headers[both.header_count++] =
	    (struct http_header){BYTES_LITERAL("if-none-match"), BYTES_LITERAL("W/\"1\"")};
	assert_false(http_is_unmodified(&both, at_ms));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entity_tags_are_compared_strongly_and_weakly),
	    cmocka_unit_test(preconditions_follow_the_method),
	    cmocka_unit_test(one_range_is_a_part_and_the_rest_is_whole_or_none),
	    cmocka_unit_test(a_range_of_another_state_is_the_whole),
	    cmocka_unit_test(content_ranges_are_written),
	    cmocka_unit_test(a_coding_is_taken_by_its_weight),
	    cmocka_unit_test(plain_bytes_are_refused_by_a_weight_of_nothing),
	    cmocka_unit_test(lists_in_several_fields_are_one),
	    cmocka_unit_test(a_body_has_one_coding),
	    cmocka_unit_test(a_date_is_compared_by_its_second),
	};
	return cmocka_run_group_tests_name("http_conditional", tests, NULL, NULL);
}
