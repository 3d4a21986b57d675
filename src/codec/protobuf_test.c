#include "codec/protobuf.h"

#include "tests/unit.h"

static struct protobuf_cursor cursor_of(const char *data, size_t len) {
	return protobuf_cursor(bytes_make(data, len));
}
#define CURSOR(literal) cursor_of(literal, sizeof(literal) - 1)

static void fields_of_each_type_are_read(void **state) {
	(void)state;
	/* 1: 150; 2: "ab"; 3: fixed64; 4: fixed32; 1 again: -1; 5: an empty message */
	struct protobuf_cursor cursor = CURSOR("\x08\x96\x01\x12\x02"
					       "ab\x19\x01\x02\x03\x04\x05\x06\x07\x88\x25\x01\x00\x00\x80"
					       "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x2a\x00");
	struct protobuf_field field;
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(field.number, 1);
	assert_int_equal(protobuf_u64(&cursor, &field), 150);
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(field.number, 2);
	assert_true(bytes_equal(protobuf_bytes(&cursor, &field), BYTES_LITERAL("ab")));
	assert_true(protobuf_next(&cursor, &field));
	assert_true(protobuf_fixed64(&cursor, &field) == UINT64_C(0x8807060504030201));
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(field.type, PROTOBUF_FIXED32);
	assert_int_equal(field.value, 0x80000001);
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_i64(&cursor, &field), -1);
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_bytes(&cursor, &field).len, 0);
	assert_false(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_finish(&cursor, NULL), STATUS_OK);
}

static void what_is_malformed_is_refused(void **state) {
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\x08", 1},                                              /* no value */
	    {"\x80", 1},                                              /* half a tag */
	    {"\x00\x00", 2},                                          /* field 0 */
	    {"\x80\x80\x80\x80\x10\x00", 6},                          /* field 2^29 */
	    {"\x0b\x0c", 2},                                          /* a group */
	    {"\x0e\x00", 2},                                          /* no type */
	    {"\x0f\x00", 2},                                          /* no type */
	    {"\x12\x02\x61", 3},                                      /* cut off */
	    {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x61", 12}, /* 2^64 - 1 bytes */
	    {"\x09\x01\x02\x03\x04\x05\x06\x07", 8},
	    {"\x0d\x01\x02\x03", 4},
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* 65 bits */
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct protobuf_cursor cursor = cursor_of(bad[i].bytes, bad[i].len);
		struct protobuf_field field;
		while (protobuf_next(&cursor, &field)) continue;
		assert_int_equal(protobuf_finish(&cursor, NULL), STATUS_INVALID);
		assert_false(protobuf_next(&cursor, &field));
	}
}

static void a_fault_stays(void **state) {
	(void)state;
	struct protobuf_cursor cursor = CURSOR("\x08\x01\x10\x02");
	struct protobuf_field field;
	struct err err = {0};
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_finish(&cursor, NULL), STATUS_INVALID); /* one is left */
	assert_int_equal(protobuf_bytes(&cursor, &field).len, 0);
	protobuf_fail(&cursor, "later");
	assert_false(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_finish(&cursor, &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "another type"));
}

static void frames_wait_for_their_length(void **state) {
	(void)state;
	struct bytes rest = BYTES_LITERAL("\xac\x02rest");
	uint64_t value;
	assert_true(protobuf_uvarint(&value, &rest));
	assert_int_equal(value, 300);
	assert_int_equal(rest.len, 4);
	rest = BYTES_LITERAL("\xac");
	assert_false(protobuf_uvarint(&value, &rest));
	assert_int_equal(rest.len, 1);
	rest = (struct bytes){0};
	assert_false(protobuf_uvarint(&value, &rest));
}

static void what_is_written_is_read(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 4096);
	protobuf_put_u64(&out, 1, 0);
	protobuf_put_bytes(&out, 2, BYTES_LITERAL(""));
	protobuf_put_fixed64(&out, 3, 0);
	assert_int_equal(out.len, 0);
	protobuf_put_i64(&out, 1, -2);
	const size_t outer = protobuf_begin(&out, 2);
	const size_t inner = protobuf_begin(&out, 3);
	for (int i = 0; i < 200; i++) buf_byte(&out, 'x');
	protobuf_end(&out, inner);
	protobuf_put_message(&out, 4, BYTES_LITERAL(""));
	protobuf_end(&out, outer);
	protobuf_put_fixed64(&out, 5, 7);
	struct protobuf_cursor cursor = protobuf_cursor(buf_view(&out));
	struct protobuf_field field;
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_i64(&cursor, &field), -2);
	assert_true(protobuf_next(&cursor, &field));
	struct protobuf_cursor child = protobuf_cursor(protobuf_bytes(&cursor, &field));
	struct protobuf_field of_child;
	assert_true(protobuf_next(&child, &of_child));
	assert_int_equal(of_child.number, 3);
	assert_int_equal(protobuf_bytes(&child, &of_child).len, 200);
	assert_true(protobuf_next(&child, &of_child));
	assert_int_equal(of_child.number, 4);
	assert_int_equal(protobuf_finish(&child, NULL), STATUS_OK);
	assert_true(protobuf_next(&cursor, &field));
	assert_int_equal(protobuf_fixed64(&cursor, &field), 7);
	assert_int_equal(protobuf_finish(&cursor, NULL), STATUS_OK);
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_of_each_type_are_read),
	    cmocka_unit_test(what_is_malformed_is_refused),
	    cmocka_unit_test(a_fault_stays),
	    cmocka_unit_test(frames_wait_for_their_length),
	    cmocka_unit_test(what_is_written_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
