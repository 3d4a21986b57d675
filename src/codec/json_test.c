#include "base/utf8.h"
#include "codec/json.h"
#include "tests/unit.h"

static enum status parse_within(
    const struct json **root, struct arena *arena, const char *text, struct json_limits limits) {
	return json_parse(root, arena, bytes_text(text), &limits, NULL);
}

static void test_tree(void **state) {
	(void)state;
	static const char text[] =
	    " {\"a\" : [1, -2.5e+3 ,\"x\\u00e9\\ud83d\\ude00\\n\"],\"b\":{\"c\":null,\"d\":true}, \"\":false} ";
	struct arena arena;
	struct err err;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(json_parse(&root, &arena, bytes_text(text), &json_limits_default, &err), STATUS_OK);
	assert_int_equal(root->count, 3);
	const struct json *a = json_get(root, "a"), *b = json_get(root, "b");
	assert_int_equal(a->count, 3);
	assert_true(bytes_equal(a->raw, bytes_text("[1, -2.5e+3 ,\"x\\u00e9\\ud83d\\ude00\\n\"]")));
	assert_true(bytes_equal(json_at(a, 1)->text, bytes_text("-2.5e+3")));
	assert_true(json_string_is(json_at(a, 2), "x\xc3\xa9\xf0\x9f\x98\x80\n"));
	assert_true(bytes_equal(json_at(a, 2)->raw, bytes_text("\"x\\u00e9\\ud83d\\ude00\\n\"")));
	assert_true(json_is(json_get(b, "c"), JSON_NULL));
	assert_true(json_is(json_get(b, "d"), JSON_TRUE));
	assert_true(json_is(json_get(root, ""), JSON_FALSE));
	assert_true(bytes_equal(b->raw, bytes_text("{\"c\":null,\"d\":true}")));
	uint64_t number;
	assert_true(json_u64(&number, json_at(a, 0)));
	assert_int_equal(number, 1);
	assert_false(json_u64(&number, json_at(a, 1)));
	/* NULL and other types are answered, not crashed on. */
	assert_null(json_get(a, "a"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_at(root, 0));
	assert_null(json_at(a, 3));
	assert_null(json_string(a).data);
	assert_null(json_string(NULL).data);
	assert_false(json_is(NULL, JSON_NULL));
	assert_false(json_u64(&number, NULL));
	arena_fini(&arena);
}

static void test_null_members_are_left_out(void **state) {
	(void)state;
	static const char text[] = "[{\"a\":null,\"b\":[null,{\"c\":null}],\"d\":{\"e\":null,\"f\":1}},null,{\"g\":2}]";
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(parse_within(&root, &arena, text, json_limits_default), STATUS_OK);
	const struct json *without = json_without_nulls(&arena, root), *first = json_at(without, 0);
	assert_int_equal(without->count, 3);
	assert_true(json_is(json_at(without, 1), JSON_NULL)); /* an element says something by its place */
	assert_int_equal(first->count, 2);
	assert_null(json_get(first, "a"));
	assert_int_equal(json_get(first, "b")->count, 2);
	assert_int_equal(json_at(json_get(first, "b"), 1)->count, 0);
	assert_null(json_at(json_get(first, "b"), 1)->first);
	assert_int_equal(json_get(first, "d")->count, 1);
	assert_true(json_is(json_get(json_get(first, "d"), "f"), JSON_NUMBER));
	assert_null(json_get(json_at(without, 2), "h"));
	assert_true(json_is(json_get(json_at(root, 0), "a"), JSON_NULL)); /* what was given stays */
	assert_int_equal(json_without_nulls(&arena, json_at(root, 2)), json_at(root, 2));
	assert_null(json_without_nulls(&arena, NULL));
	arena_fini(&arena);
}

static void test_numbers(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool fits;
	} cases[] = {{"0", true}, {"18446744073709551615", true}, {"18446744073709551616", false}, {"-0", false},
	    {"1.0", false}, {"1e1", false}, {"99999999999999999999999", false}};
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t value;
		assert_int_equal(parse_within(&root, &arena, cases[i].text, json_limits_default), STATUS_OK);
		assert_true(json_u64(&value, root) == cases[i].fits);
		assert_true(bytes_equal(root->text, bytes_text(cases[i].text)));
	}
	arena_fini(&arena);
}

static void test_refused(void **state) {
	(void)state;
	static const char *const bad[] = {"", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"\\u0061\":2}", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u12\"", "\"\\x\"",
	    "\"\\", "\"\x01\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
	    "\xef\xbb\xbf{}", "01", "+1", ".5", "1.", "1e", "-", "NaN", "nul", "truee", "[1]x", "'a'", "{a:1}", "[1 2]",
	    "]", "}", ","};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct json *root;
		struct err err = {0};
		enum status status = json_parse(&root, &arena, bytes_text(bad[i]), &json_limits_default, &err);
		if (status != STATUS_INVALID) fail_msg("accepted: %s", bad[i]);
		assert_null(root);
		assert_non_null(strstr(err.message, "byte"));
	}
	arena_fini(&arena);
}

static void test_error_offset(void **state) {
	(void)state;
	struct arena arena;
	struct err err;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(json_parse(&root, &arena, bytes_text("[1,\n x]"), &json_limits_default, &err), STATUS_INVALID);
	assert_string_equal(err.message, "JSON: expected a value at byte 5");
	arena_fini(&arena);
}

static void test_limits(void **state) {
	(void)state;
	const struct json_limits limits = {.bytes_max = 20, .depth_max = 3, .values_max = 4};
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(parse_within(&root, &arena, "[[[]]]", limits), STATUS_OK);
	assert_int_equal(parse_within(&root, &arena, "[[[[]]]]", limits), STATUS_LIMIT);
	assert_int_equal(parse_within(&root, &arena, "[[],[],[]]", limits), STATUS_OK);
	assert_int_equal(parse_within(&root, &arena, "[1,2,3,4]", limits), STATUS_LIMIT);
	assert_int_equal(parse_within(&root, &arena, "\"123456789012345678\"", limits), STATUS_OK);
	assert_int_equal(parse_within(&root, &arena, "\"1234567890123456789\"", limits), STATUS_LIMIT);
	arena_fini(&arena);
}

/* Depth costs no C stack: a million levels are only a question of limits. */
static void test_depth(void **state) {
	(void)state;
	enum { LEVELS = 1000000 };
	const struct json_limits limits = {.bytes_max = 3 * LEVELS, .depth_max = LEVELS, .values_max = LEVELS};
	char *text = mem_alloc(2 * LEVELS);
	memset(text, '[', LEVELS);
	memset(text + LEVELS, ']', LEVELS);
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	assert_int_equal(json_parse(&root, &arena, bytes_make(text, 2 * LEVELS), &limits, NULL), STATUS_OK);
	assert_int_equal(json_parse(&root, &arena, bytes_make(text, 2 * LEVELS - 1), &limits, NULL), STATUS_INVALID);
	arena_fini(&arena);
	mem_free(text);
}

/* Above a dozen names they are sorted to find a duplicate. */
static void test_many_names(void **state) {
	(void)state;
	struct arena arena;
	struct buf text;
	const struct json *root;
	arena_init(&arena);
	buf_init(&text, 1 << 20);
	buf_byte(&text, '{');
	for (int i = 0; i < 5000; i++) buf_printf(&text, "\"name%d\":%d,", i * 7919 % 5000, i);
	size_t body_len = text.len;
	buf_text(&text, "\"last\":1}");
	assert_int_equal(json_parse(&root, &arena, buf_view(&text), &json_limits_default, NULL), STATUS_OK);
	assert_int_equal(root->count, 5001);
	text.len = body_len;
	buf_text(&text, "\"name4711\":1}");
	assert_int_equal(json_parse(&root, &arena, buf_view(&text), &json_limits_default, NULL), STATUS_INVALID);
	buf_fini(&text);
	arena_fini(&arena);
}

static void test_writer(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 4096);
	struct json_writer writer = json_writer(&out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "text", "a\"b\\c\n\x01/\xc3\xa9");
	json_put_string(&writer, "bad", BYTES_LITERAL("x\xffy\xc3"));
	json_put_u64(&writer, "n", UINT64_MAX);
	json_array_begin(&writer, "list");
	json_put_bool(&writer, NULL, true);
	json_put_null(&writer, NULL);
	json_array_begin(&writer, NULL);
	json_array_end(&writer);
	json_object_begin(&writer, NULL);
	json_object_end(&writer);
	json_array_end(&writer);
	json_put_raw(&writer, "raw", BYTES_LITERAL("[1]"));
	json_put_hex(&writer, "hex", BYTES_LITERAL("\x00\xff"));
	json_put_quantity(&writer, "q", 16);
	json_put_quantity_be(&writer, "qb", BYTES_LITERAL("\x00\x01\x00"));
	json_put_name(&writer, "own");
	buf_text(&out, "3.14");
	json_put_bool(&writer, "end", false);
	json_object_end(&writer);
	assert_string_equal(buf_cstr(&out),
	    "{\"text\":\"a\\\"b\\\\c\\n\\u0001/"
	    "\xc3\xa9\",\"bad\":\"x\xef\xbf\xbdy\xef\xbf\xbd\",\"n\":18446744073709551615,"
	    "\"list\":[true,null,[],{}],\"raw\":[1],\"hex\":\"0x00ff\",\"q\":\"0x10\",\"qb\":\"0x100\",\"own\":3.14,"
	    "\"end\":false}");
	buf_fini(&out);
}

/* The word-wise scan stops where a bytewise one does, at every place in a word. */
static void test_plain_run(void **state) {
	(void)state;
	uint8_t text[40];
	for (unsigned c = 0; c < 256; c++) {
		bool is_plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
		for (size_t at = 0; at < sizeof text; at++) {
			memset(text, 'a', sizeof text);
			text[at] = (uint8_t)c;
			assert_int_equal(utf8_plain_run(text, sizeof text), is_plain ? sizeof text : at);
		}
	}
}

/* Every scalar value encodes and reads back; no surrogate does. */
static void test_utf8(void **state) {
	(void)state;
	for (uint32_t scalar = 0; scalar < 0x110000; scalar += scalar < 0x11000 ? 1 : 97) {
		uint8_t text[4];
		size_t width = utf8_encode(text, scalar);
		bool is_surrogate = scalar >= 0xd800 && scalar <= 0xdfff;
		assert_int_equal(utf8_width(text, 4), is_surrogate ? 0 : width);
		if (width > 1) assert_int_equal(utf8_width(text, width - 1), 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree),
	    cmocka_unit_test(test_null_members_are_left_out), cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_refused), cmocka_unit_test(test_error_offset), cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_depth), cmocka_unit_test(test_many_names), cmocka_unit_test(test_writer),
	    cmocka_unit_test(test_plain_run), cmocka_unit_test(test_utf8)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
