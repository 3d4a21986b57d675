#include "codec/rlp.h"
#include "tests/unit.h"

static struct rlp_cursor cursor_of(const char *data, size_t len) {
	return rlp_cursor(bytes_make(data, len));
}
#define CURSOR(literal) cursor_of(literal, sizeof(literal) - 1)

static void test_read(void **state) {
	(void)state;
	struct rlp_cursor cursor = CURSOR("\xce\x05\x80\x82\x01\x00\xc2\x01\x02\x83\x64\x6f\x67\xc1\xc0");
	struct rlp_cursor list = rlp_enter(&cursor);
	assert_int_equal(rlp_u64(&list), 5);
	assert_int_equal(rlp_u64(&list), 0);
	uint8_t wide[32];
	rlp_u256(&list, wide);
	assert_int_equal(wide[30], 1);
	assert_int_equal(wide[31], 0);
	assert_true(rlp_next_is_list(&list));
	struct rlp_cursor inner = rlp_enter(&list);
	assert_int_equal(rlp_u64(&inner), 1);
	assert_int_equal(rlp_u64(&inner), 2);
	assert_true(rlp_at_end(&inner));
	rlp_leave(&list, &inner);
	uint8_t dog[3];
	assert_false(rlp_next_is_list(&list));
	rlp_fixed(&list, dog, 3);
	assert_memory_equal(dog, "dog", 3);
	assert_true(bytes_equal(rlp_raw(&list), BYTES_LITERAL("\xc1\xc0")));
	rlp_leave(&cursor, &list);
	assert_int_equal(rlp_finish(&cursor, NULL), STATUS_OK);
}

static void test_faults_stick(void **state) {
	(void)state;
	struct rlp_cursor cursor = CURSOR("\x81\x05\x01");
	assert_int_equal(rlp_string(&cursor).len, 0);
	assert_true(rlp_at_end(&cursor));
	const char *fault = cursor.fault;
	assert_non_null(fault);
	uint8_t fixed[4] = {1, 1, 1, 1};
	rlp_fixed(&cursor, fixed, 4);
	assert_memory_equal(fixed, "\0\0\0\0", 4);
	assert_int_equal(rlp_u64(&cursor), 0);
	struct rlp_cursor child = rlp_enter(&cursor);
	assert_int_equal(rlp_raw(&child).len, 0);
	rlp_fail(&cursor, "later");
	assert_ptr_equal(cursor.fault, fault);
	struct err err;
	assert_int_equal(rlp_finish(&cursor, &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, fault));
}

static void test_children_and_rest(void **state) {
	(void)state;
	struct rlp_cursor cursor = CURSOR("\xc2\x01\x02");
	struct rlp_cursor list = rlp_enter(&cursor);
	rlp_u64(&list);
	rlp_leave(&cursor, &list); /* one item is left over in the child */
	assert_int_equal(rlp_finish(&cursor, NULL), STATUS_INVALID);
	cursor = CURSOR("\xc1\x81");
	list = rlp_enter(&cursor);
	rlp_string(&list); /* cut off inside the child */
	rlp_leave(&cursor, &list);
	assert_int_equal(rlp_finish(&cursor, NULL), STATUS_INVALID);
	cursor = CURSOR("\x01\x02");
	rlp_u64(&cursor);
	assert_int_equal(rlp_finish(&cursor, NULL), STATUS_INVALID);
	cursor = rlp_cursor((struct bytes){0});
	assert_true(rlp_at_end(&cursor));
	assert_int_equal(rlp_finish(&cursor, NULL), STATUS_OK);
}

static void test_numbers(void **state) {
	(void)state;
	static const struct {
		struct bytes item;
		bool is_u64;
		uint64_t value;
	} cases[] = {{BYTES_LITERAL("\x80"), true, 0}, {BYTES_LITERAL("\x7f"), true, 127},
	    {BYTES_LITERAL("\x81\x80"), true, 128},
	    {BYTES_LITERAL("\x88\xff\xff\xff\xff\xff\xff\xff\xff"), true, UINT64_MAX},
	    {BYTES_LITERAL("\x89\x01\x00\x00\x00\x00\x00\x00\x00\x00"), false, 0}, {BYTES_LITERAL("\x00"), false, 0},
	    {BYTES_LITERAL("\x82\x00\x01"), false, 0}, {BYTES_LITERAL("\xc0"), false, 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rlp_cursor cursor = rlp_cursor(cases[i].item);
		assert_true(rlp_u64(&cursor) == cases[i].value);
		assert_true((rlp_finish(&cursor, NULL) == STATUS_OK) == cases[i].is_u64);
	}
	uint8_t item[34] = {0xa1, 1}, out[32];
	struct rlp_cursor cursor = rlp_cursor(bytes_make(item, 34));
	rlp_u256(&cursor, out);
	assert_non_null(cursor.fault);
	item[1] = 0xa0; /* 32 bytes from the second byte on */
	item[2] = 0xff;
	cursor = rlp_cursor(bytes_make(item + 1, 33));
	rlp_u256(&cursor, out);
	assert_null(cursor.fault);
	assert_int_equal(out[0], 0xff);
}

/* At each length where the header changes: what is written has the size foretold and reads back. */
static void test_lengths(void **state) {
	(void)state;
	static const size_t lengths[] = {0, 1, 2, 55, 56, 255, 256, 65535, 65536, 70000};
	static uint8_t payload[70000];
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct bytes string = bytes_make(payload, lengths[i]);
		payload[0] = 0x80;
		rlp_put_string(&out, string);
		assert_int_equal(out.len, rlp_string_size(string));
		struct rlp_cursor cursor = rlp_cursor(buf_view(&out));
		assert_true(bytes_equal(rlp_string(&cursor), string));
		assert_int_equal(rlp_finish(&cursor, NULL), STATUS_OK);
		assert_int_equal(rlp_check(buf_view(&out), NULL), STATUS_OK);
		buf_clear(&out);
		payload[0] = 0;
		size_t mark = rlp_list_begin(&out);
		buf_append(&out, string);
		rlp_list_end(&out, mark);
		assert_int_equal(out.len, rlp_header_size(lengths[i]) + lengths[i]);
		struct buf header;
		buf_init(&header, 16);
		rlp_put_list_header(&header, lengths[i]);
		assert_true(bytes_equal(buf_view(&header), bytes_slice(buf_view(&out), 0, header.len)));
		buf_fini(&header);
		assert_int_equal(rlp_check(buf_view(&out), NULL), STATUS_OK);
		buf_clear(&out);
	}
	buf_fini(&out);
	buf_init(&out, 3);
	size_t mark = rlp_list_begin(&out);
	rlp_put_u64(&out, 0x010203);
	rlp_list_end(&out, mark);
	assert_int_equal(buf_status(&out, NULL), STATUS_LIMIT);
	buf_fini(&out);
}

static void test_check(void **state) {
	(void)state;
	static const struct bytes bad[] = {BYTES_LITERAL(""), BYTES_LITERAL("\x81\x7f"), BYTES_LITERAL("\xb8\x37"),
	    BYTES_LITERAL("\xc1"), BYTES_LITERAL("\xc0\xc0"), BYTES_LITERAL("\xc2\xc1\x01\x01"),
	    BYTES_LITERAL("\xf8\x01\x01"), BYTES_LITERAL("\xb9\x00\x38"),
	    BYTES_LITERAL("\xbf\xff\xff\xff\xff\xff\xff\xff\xff"), BYTES_LITERAL("\xc2\x81\x01")};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(rlp_check(bad[i], NULL), STATUS_INVALID);
	/* 1024 levels are checked, one more is not. */
	struct buf nested, around;
	buf_init(&nested, 1 << 20);
	buf_init(&around, 1 << 20);
	for (int level = 1; level <= 1025; level++) {
		buf_clear(&around);
		rlp_put_list_header(&around, nested.len);
		buf_append(&around, buf_view(&nested));
		buf_clear(&nested);
		buf_append(&nested, buf_view(&around));
		if (level >= 1023)
			assert_int_equal(
			    rlp_check(buf_view(&nested), NULL), level <= 1024 ? STATUS_OK : STATUS_INVALID);
	}
	buf_fini(&nested);
	buf_fini(&around);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_faults_stick),
	    cmocka_unit_test(test_children_and_rest), cmocka_unit_test(test_numbers), cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_check)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
