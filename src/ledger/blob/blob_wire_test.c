/* What members ask each other: one encoding, and nothing else is read. */
#include "ledger/blob/blob_wire.h"

#include "tests/unit.h"

static struct blob_wish wish_of(uint8_t n) {
	return (struct blob_wish){{{n}}, {{n, 1}}, {{n, 2}}};
}

static void wishes_are_read_as_they_were_written(void **state) {
	(void)state;
	struct blob_wish wishes[BLOB_WISHES_MAX], read[BLOB_WISHES_MAX];
	struct buf out;
	size_t count;
	buf_init(&out, BLOB_WISHES_BYTES_MAX);
	for (size_t n = 1; n <= BLOB_WISHES_MAX; n++) {
		wishes[n - 1] = wish_of((uint8_t)n);
		buf_clear(&out);
		blob_wishes_encode(&out, wishes, n);
		assert_int_equal(blob_wishes_decode(read, &count, buf_view(&out), NULL), STATUS_OK);
		assert_int_equal(count, n);
		assert_memory_equal(read, wishes, n * sizeof *read);
	}
	assert_int_equal(out.len, BLOB_WISHES_BYTES_MAX);
	buf_fini(&out);
}

static void what_is_no_list_of_wishes_is_refused(void **state) {
	(void)state;
	struct blob_wish read[BLOB_WISHES_MAX], wishes[2] = {wish_of(1), wish_of(2)};
	struct buf out;
	size_t count;
	buf_init(&out, BLOB_WISHES_BYTES_MAX + 1);
	blob_wishes_encode(&out, wishes, 2);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(blob_wishes_decode(read, &count, bytes_make(out.data, len), NULL), STATUS_INVALID);
	buf_byte(&out, 0);
	assert_int_equal(blob_wishes_decode(read, &count, buf_view(&out), NULL), STATUS_INVALID);
	for (uint32_t n = 0; n < 70; n++) { /* of another number than there are */
		store_be32(out.data + 4, n == 2 ? UINT32_MAX : n);
		assert_int_equal(
		    blob_wishes_decode(read, &count, bytes_make(out.data, out.len - 1), NULL), STATUS_INVALID);
	}
	buf_fini(&out);
}

static void answers_are_read_as_they_were_written(void **state) {
	(void)state;
	const struct blob_answer answers[4] = {{BLOB_GIVEN, BYTES_LITERAL("one")}, {BLOB_ABSENT, {NULL, 0}},
	    {BLOB_GIVEN, BYTES_LITERAL("three")}, {BLOB_LATER, {NULL, 0}}};
	struct blob_answer read[BLOB_WISHES_MAX];
	struct buf out;
	buf_init(&out, 1000);
	blob_answers_encode(&out, answers, 4);
	assert_int_equal(blob_answers_decode(read, 4, buf_view(&out), NULL), STATUS_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read[i].found, answers[i].found);
		assert_true(bytes_equal(read[i].content, answers[i].content));
	}
	buf_fini(&out);
}

/* A member that lies chooses every byte. */
static void what_is_no_answer_to_so_many_is_refused(void **state) {
	(void)state;
	const struct blob_answer answers[2] = {{BLOB_GIVEN, BYTES_LITERAL("one")}, {BLOB_ABSENT, {NULL, 0}}};
	struct blob_answer read[BLOB_WISHES_MAX];
	struct buf out;
	buf_init(&out, 1000);
	blob_answers_encode(&out, answers, 2);
	const size_t whole = out.len;
	for (size_t len = 0; len < whole; len++)
		assert_int_equal(blob_answers_decode(read, 2, bytes_make(out.data, len), NULL), STATUS_INVALID);
	for (size_t n = 0; n <= BLOB_WISHES_MAX; n++)
		if (n != 2) assert_int_equal(blob_answers_decode(read, n, buf_view(&out), NULL), STATUS_INVALID);
	buf_byte(&out, 0);
	assert_int_equal(blob_answers_decode(read, 2, buf_view(&out), NULL), STATUS_INVALID);
	out.len = whole;
	for (int found = 0; found < 256; found++) { /* given without bytes, absent with some, or unknown */
		out.data[8] = (uint8_t)found;
		if (found != BLOB_GIVEN)
			assert_int_equal(blob_answers_decode(read, 2, buf_view(&out), NULL), STATUS_INVALID);
	}
	out.data[8] = BLOB_GIVEN;
	store_be32(out.data + 9, 0);
	assert_int_equal(blob_answers_decode(read, 2, buf_view(&out), NULL), STATUS_INVALID);
	store_be32(out.data + 9, UINT32_MAX);
	assert_int_equal(blob_answers_decode(read, 2, buf_view(&out), NULL), STATUS_INVALID);
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(wishes_are_read_as_they_were_written),
	    cmocka_unit_test(what_is_no_list_of_wishes_is_refused),
	    cmocka_unit_test(answers_are_read_as_they_were_written),
	    cmocka_unit_test(what_is_no_answer_to_so_many_is_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
