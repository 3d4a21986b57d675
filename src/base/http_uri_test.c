#include "base/http_uri.h"

#include "tests/unit.h"

static bool decodes(const char *text, bool plus, const char *wanted, size_t wanted_len) {
	struct buf out;
	buf_init(&out, 1000);
	const bool good = http_percent_decode(&out, bytes_text(text), plus) &&
			  (!wanted || bytes_equal(buf_view(&out), bytes_make(wanted, wanted_len)));
	buf_fini(&out);
	return good;
}

static void escapes_are_decoded_strictly(void **state) {
	(void)state;
	assert_true(decodes("a%2Fb%20c+d", false, "a/b c+d", 7));
	assert_true(decodes("a+b%2B", true, "a b+", 4));
	assert_true(decodes("%E6%9D%8F", false, "\xe6\x9d\x8f", 3));
	assert_true(decodes("", false, "", 0));
	static const char *const bad[] = {
	    "%", "%2", "%zz", "%2g", "a%", "%00", "%0a", "%7f", "%ff", "%c0%af", "%ed%a0%80"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(decodes(bad[i], false, NULL, 0));
}

static void what_is_encoded_decodes_to_itself(void **state) {
	(void)state;
	struct buf out, back;
	buf_init(&out, 1000);
	buf_init(&back, 1000);
	const struct bytes text = BYTES_LITERAL("a b/\xe6\x9d\x8f?&=+%-._~");
	http_percent_encode(&out, text);
	assert_string_equal(buf_cstr(&out), "a%20b%2F%E6%9D%8F%3F%26%3D%2B%25-._~");
	assert_true(http_percent_decode(&back, buf_view(&out), true));
	assert_true(bytes_equal(buf_view(&back), text));
	buf_fini(&out);
	buf_fini(&back);
}

static void queries_keep_order_and_repetition(void **state) {
	(void)state;
	struct arena arena;
	struct http_query query;
	struct err err;
	arena_init(&arena);
	assert_int_equal(
	    http_query_parse(&query, &arena, BYTES_LITERAL("name=Ada+L&&name=%31&flag&empty=&a%3db=c=d"), &err),
	    STATUS_OK);
	assert_int_equal(query.count, 5);
	assert_true(bytes_equal(http_query_get(&query, "name"), BYTES_LITERAL("Ada L")));
	assert_true(bytes_equal(query.items[1].value, BYTES_LITERAL("1")));
	assert_null(query.items[2].value.data);
	assert_non_null(query.items[3].value.data);
	assert_int_equal(query.items[3].value.len, 0);
	assert_true(bytes_equal(http_query_get(&query, "a=b"), BYTES_LITERAL("c=d")));
	assert_null(http_query_get(&query, "none").data);
	assert_int_equal(http_query_parse(&query, &arena, BYTES_LITERAL(""), &err), STATUS_OK);
	assert_int_equal(query.count, 0);
	static const char *const bad[] = {"=a", "a=%", "%=a", "a=%00", "a=%ff", "a&=", "a=b&c=%zz"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(http_query_parse(&query, &arena, bytes_text(bad[i]), &err), STATUS_INVALID);
	struct buf many;
	buf_init(&many, 10000);
	for (unsigned i = 0; i < HTTP_QUERY_ITEMS_MAX; i++) buf_text(&many, i ? "&a" : "a");
	assert_int_equal(http_query_parse(&query, &arena, buf_view(&many), &err), STATUS_OK);
	assert_int_equal(query.count, HTTP_QUERY_ITEMS_MAX);
	buf_text(&many, "&a");
	assert_int_equal(http_query_parse(&query, &arena, buf_view(&many), &err), STATUS_LIMIT);
	buf_fini(&many);
	arena_fini(&arena);
}

static void origins_have_brackets_around_ipv6(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 100);
	http_origin_write(&out, false, "::1", 8545);
	assert_string_equal(buf_cstr(&out), "http://[::1]:8545");
	buf_clear(&out);
	http_origin_write(&out, true, "127.0.0.1", 1);
	assert_string_equal(buf_cstr(&out), "https://127.0.0.1:1");
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escapes_are_decoded_strictly),
	    cmocka_unit_test(what_is_encoded_decodes_to_itself),
	    cmocka_unit_test(queries_keep_order_and_repetition),
	    cmocka_unit_test(origins_have_brackets_around_ipv6),
	};
	return cmocka_run_group_tests_name("http_uri", tests, NULL, NULL);
}
