#include "codec/hex.h"
#include "tests/unit.h"

static void put_is(struct buf *out, const char *text) {
	assert_string_equal(buf_cstr(out), text);
	buf_clear(out);
}

static void test_put(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 64);
	hex_put(&out, BYTES_LITERAL("\x00\xab\xff"), true);
	put_is(&out, "0x00abff");
	hex_put(&out, BYTES_LITERAL(""), true);
	put_is(&out, "0x");
	hex_put(&out, BYTES_LITERAL("\x01"), false);
	put_is(&out, "01");
	hex_put_quantity(&out, 0);
	put_is(&out, "0x0");
	hex_put_quantity(&out, 0x400);
	put_is(&out, "0x400");
	hex_put_quantity(&out, UINT64_MAX);
	put_is(&out, "0xffffffffffffffff");
	hex_put_quantity_be(&out, BYTES_LITERAL("\0\0\0"));
	put_is(&out, "0x0");
	hex_put_quantity_be(&out, BYTES_LITERAL("\0\x0f\x01"));
	put_is(&out, "0xf01");
	hex_put_quantity_be(&out, BYTES_LITERAL("\x10"));
	put_is(&out, "0x10");
	uint8_t long_data[33] = {0};
	hex_put(&out, BYTES_LITERAL("\x01"), false);
	hex_put(&out, bytes_make(long_data, sizeof long_data), false);
	assert_int_equal(buf_status(&out, NULL), STATUS_LIMIT);
	buf_fini(&out);
}

/* Long enough for the compiler's vectors, at every length around theirs. */
static void test_put_long(void **state) {
	(void)state;
	struct buf out, expected;
	uint8_t data[256];
	for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 167 + 5);
	buf_init(&out, 1024);
	buf_init(&expected, 1024);
	for (size_t len = 0; len <= sizeof data; len++) {
		buf_clear(&out);
		hex_put(&out, bytes_make(data, len), false);
		assert_true(bytes_equal(buf_view(&out), buf_view(&expected)));
		if (len < sizeof data) buf_printf(&expected, "%02x", data[len]);
	}
	buf_fini(&out);
	buf_fini(&expected);
}

static void test_data(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 4);
	assert_int_equal(hex_data(&out, BYTES_LITERAL("0x")), STATUS_OK);
	assert_int_equal(out.len, 0);
	assert_int_equal(hex_data(&out, BYTES_LITERAL("0xAb01")), STATUS_OK);
	assert_memory_equal(out.data, "\xab\x01", 2);
	static const char *const bad[] = {"", "0", "ab01", "0X00", "0x0", "0x0g", "0xg0", "0x 0", "0x00 ", "x000"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(hex_data(&out, bytes_text(bad[i])), STATUS_INVALID);
		assert_int_equal(out.len, 2);
	}
	assert_int_equal(hex_data(&out, BYTES_LITERAL("0x010203")), STATUS_LIMIT);
	buf_fini(&out);
	uint8_t two[2];
	assert_int_equal(hex_fixed(two, 2, BYTES_LITERAL("0xfFfe")), STATUS_OK);
	assert_memory_equal(two, "\xff\xfe", 2);
	assert_int_equal(hex_fixed(two, 2, BYTES_LITERAL("0xff")), STATUS_INVALID);
	assert_int_equal(hex_fixed(two, 2, BYTES_LITERAL("0xffffff")), STATUS_INVALID);
	assert_int_equal(hex_fixed(two, 2, BYTES_LITERAL("0xfff")), STATUS_INVALID);
}

static void test_every_byte(void **state) {
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[4] = {'0', 'x', '0', (uint8_t)c}, byte;
		bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		assert_int_equal(hex_fixed(&byte, 1, bytes_make(text, 4)), is_digit ? STATUS_OK : STATUS_INVALID);
		uint64_t value;
		uint8_t quantity[3] = {'0', 'x', (uint8_t)c};
		assert_int_equal(hex_quantity(&value, bytes_make(quantity, 3)), is_digit ? STATUS_OK : STATUS_INVALID);
		if (is_digit) assert_int_equal(byte, value);
	}
}

static void test_quantity(void **state) {
	(void)state;
	uint64_t value;
	assert_int_equal(hex_quantity(&value, BYTES_LITERAL("0x0")), STATUS_OK);
	assert_int_equal(value, 0);
	assert_int_equal(hex_quantity(&value, BYTES_LITERAL("0xFfffffffffffffff")), STATUS_OK);
	assert_true(value == UINT64_MAX);
	static const char *const bad[] = {"", "0x", "0x00", "0x01", "1", "0x10000000000000000", "-0x1", "0x-1", "0xg"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(hex_quantity(&value, bytes_text(bad[i])), STATUS_INVALID);
	uint8_t wide[32], expected[32] = {[30] = 0x01, [31] = 0x23};
	assert_int_equal(hex_quantity256(wide, BYTES_LITERAL("0x123")), STATUS_OK);
	assert_memory_equal(wide, expected, 32);
	assert_int_equal(hex_quantity256(wide, BYTES_LITERAL("0x0")), STATUS_OK);
	assert_int_equal(hex_quantity256(wide, BYTES_LITERAL("0x012")), STATUS_INVALID);
	char text[68];
	memset(text, 'f', sizeof text);
	memcpy(text, "0x", 2);
	assert_int_equal(hex_quantity256(wide, bytes_make(text, 66)), STATUS_OK);
	assert_int_equal(wide[0], 0xff);
	assert_int_equal(hex_quantity256(wide, bytes_make(text, 67)), STATUS_INVALID);
}

static void test_base64url(void **state) {
	(void)state;
	/* RFC 4648 §10 without padding; "-_" is RFC 4648's 62 and 63. */
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
	struct buf out;
	buf_init(&out, 64);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		base64url_put(&out, bytes_text(pairs[i][0]));
		put_is(&out, pairs[i][1]);
		assert_int_equal(base64url_data(&out, bytes_text(pairs[i][1])), STATUS_OK);
		put_is(&out, pairs[i][0]);
	}
	static const char *const bad[] = {"Z", "Zg==", "Zh", "Zm9", "Z+8", "Z/8", "Zg ", "Zm9vY"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(base64url_data(&out, bytes_text(bad[i])), STATUS_INVALID);
		assert_int_equal(out.len, 0);
	}
	buf_fini(&out);
}

/* RFC 4648 §10, and the two digits in which the alphabets differ. */
static void test_base64(void **state) {
	(void)state;
	static const struct {
		const char *data, *text;
	} cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8="}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out;
		buf_init(&out, 64);
		base64_put(&out, bytes_text(cases[i].data));
		struct buf back;
		buf_init(&back, 64);
		assert_int_equal(base64_data(&back, buf_view(&out)), STATUS_OK);
		assert_true(bytes_equal(buf_view(&back), bytes_text(cases[i].data)));
		assert_int_equal(base64_data(&back, BYTES_LITERAL("ab_=")), STATUS_INVALID);
		assert_int_equal(base64_data(&back, BYTES_LITERAL("abc")), STATUS_INVALID);
		assert_int_equal(base64_data(&back, BYTES_LITERAL("a===")), STATUS_INVALID);
		buf_fini(&back);
		assert_string_equal(buf_cstr(&out), cases[i].text);
		buf_fini(&out);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_base64), cmocka_unit_test(test_put),
	    cmocka_unit_test(test_put_long), cmocka_unit_test(test_data), cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_quantity), cmocka_unit_test(test_base64url)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
