/* What members ask each other: one encoding, and nothing else is read. */
#include "ledger/blob/blob_wire.h"

#include "envelope/container.h"

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

static const struct blob_name none;

static struct blob_page *page_of(size_t count) {
	struct blob_page *page = mem_zalloc(1, sizeof *page);
	page->followed = 7;
	page->is_last = count < BLOB_PAGE_NAMES;
	page->count = count;
	for (size_t i = 0; i < count; i++) {
		page->names[i] = (struct blob_name){{{1}}, {{(uint8_t)(i >> 8), (uint8_t)i, 1}}, {{2}}, i + 1};
	}
	return page;
}

static void pages_of_names_are_read_as_they_were_written(void **state) {
	(void)state;
	static const size_t counts[] = {0, 1, 2, BLOB_PAGE_NAMES};
	struct blob_page *read = mem_zalloc(1, sizeof *read);
	struct buf out;
	buf_init(&out, BLOB_PAGE_BYTES_MAX);
	for (size_t i = 0; i < 4; i++) {
		struct blob_page *page = page_of(counts[i]);
		buf_clear(&out);
		blob_page_encode(&out, page);
		assert_int_equal(blob_page_decode(read, &none, buf_view(&out), NULL), STATUS_OK);
		assert_int_equal(read->count, counts[i]);
		assert_true(read->followed == 7 && read->is_last == page->is_last);
		assert_memory_equal(read->names, page->names, counts[i] * sizeof *page->names);
		for (size_t len = 0; len < out.len && len < 500; len++)
			assert_int_equal(
			    blob_page_decode(read, &none, bytes_make(out.data, len), NULL), STATUS_INVALID);
		mem_free(page);
	}
	assert_int_equal(out.len, BLOB_PAGE_BYTES_MAX);
	mem_free(read);
	buf_fini(&out);
}

/* A page of three that this spoils. */
static enum status decode_spoilt(void (*spoil)(struct blob_page *), const struct blob_name *after) {
	struct blob_page *page = page_of(3), *read = mem_zalloc(1, sizeof *read);
	struct buf out;
	buf_init(&out, BLOB_PAGE_BYTES_MAX);
	spoil(page);
	blob_page_encode(&out, page);
	const enum status status = blob_page_decode(read, after, buf_view(&out), NULL);
	buf_fini(&out);
	mem_free(page);
	mem_free(read);
	return status;
}

static void leave(struct blob_page *page) {
	(void)page;
}
static void repeat(struct blob_page *page) {
	page->names[1] = page->names[0];
}
static void swap_first(struct blob_page *page) {
	const struct blob_name first = page->names[0];
	page->names[0] = page->names[1];
	page->names[1] = first;
}
static void empty(struct blob_page *page) {
	page->names[2].size_bytes = 0;
}
static void swell(struct blob_page *page) {
	page->names[2].size_bytes = (uint64_t)CONTAINER_BYTES_MAX + 1;
}
static void promise_more(struct blob_page *page) {
	page->count = 0;
	page->is_last = false;
}

static void what_is_no_page_of_what_comes_after_is_refused(void **state) {
	(void)state;
	const struct blob_name first = {{{1}}, {{0, 0, 1}}, {{0}}, 0}, before = {{{1}}, {{0, 0, 0}}, {{0}}, 0};
	assert_int_equal(decode_spoilt(leave, &before), STATUS_OK);
	assert_int_equal(decode_spoilt(leave, &first), STATUS_INVALID);
	assert_int_equal(decode_spoilt(repeat, &none), STATUS_INVALID);
	assert_int_equal(decode_spoilt(swap_first, &none), STATUS_INVALID);
	assert_int_equal(decode_spoilt(empty, &none), STATUS_INVALID);
	assert_int_equal(decode_spoilt(swell, &none), STATUS_INVALID);
	assert_int_equal(decode_spoilt(promise_more, &none), STATUS_INVALID);
}

static void a_question_for_names_has_one_form(void **state) {
	(void)state;
	const struct blob_name after = {{{3}}, {{4}}, {{0}}, 0};
	struct blob_name read;
	struct buf out;
	buf_init(&out, BLOB_PAGE_ASK_BYTES + 1);
	blob_page_ask(&out, &after);
	assert_int_equal(out.len, BLOB_PAGE_ASK_BYTES);
	assert_int_equal(blob_page_asked(&read, buf_view(&out), NULL), STATUS_OK);
	assert_int_equal(blob_name_compare(&read, &after), 0);
	assert_int_equal(blob_page_asked(&read, bytes_make(out.data, out.len - 1), NULL), STATUS_INVALID);
	buf_byte(&out, 0);
	assert_int_equal(blob_page_asked(&read, buf_view(&out), NULL), STATUS_INVALID);
	out.data[0] ^= 1;
	assert_int_equal(blob_page_asked(&read, bytes_make(out.data, out.len - 1), NULL), STATUS_INVALID);
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(wishes_are_read_as_they_were_written),
	    cmocka_unit_test(what_is_no_list_of_wishes_is_refused),
	    cmocka_unit_test(answers_are_read_as_they_were_written),
	    cmocka_unit_test(what_is_no_answer_to_so_many_is_refused),
	    cmocka_unit_test(pages_of_names_are_read_as_they_were_written),
	    cmocka_unit_test(what_is_no_page_of_what_comes_after_is_refused),
	    cmocka_unit_test(a_question_for_names_has_one_form)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
