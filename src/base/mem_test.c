#include "base/mem.h"

#include "tests/unit.h"

static void overflow_is_sticky(void **state) {
	(void)state;
	struct buf buf;
	buf_init(&buf, 4);
	buf_text(&buf, "abcd");
	assert_int_equal(buf_status(&buf, NULL), STATUS_OK);
	buf_byte(&buf, 'e');
	buf_clear(&buf);
	buf_text(&buf, "abcde");
	buf_text(&buf, "a");
	assert_int_equal(buf.len, 0);
	struct err err;
	assert_int_equal(buf_status(&buf, &err), STATUS_LIMIT);
	assert_non_null(strstr(err.message, "4 bytes"));
	buf_fini(&buf);
}

static void printf_is_bounded(void **state) {
	(void)state;
	struct buf buf;
	buf_init(&buf, 10);
	buf_printf(&buf, "%d-%s", 12, "ok");
	assert_string_equal(buf_cstr(&buf), "12-ok");
	buf_printf(&buf, "%s", "too long for it");
	assert_true(buf.overflow);
	assert_string_equal(buf_cstr(&buf), "12-ok");
	buf_fini(&buf);
}

static void arena_rewinds_across_chunks(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	char *kept = arena_printf(&arena, "%s", "kept");
	struct arena_mark mark = arena_mark(&arena);
	for (int i = 0; i < 100; i++) memset(arena_alloc(&arena, 5000), i, 5000);
	memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
	arena_rewind(&arena, mark);
	assert_string_equal(kept, "kept");
	char *next = arena_alloc(&arena, 1);
	assert_true(next > kept && next - kept == 16);
	arena_reset(&arena);
	assert_ptr_equal(arena_alloc(&arena, 1), kept);
	arena_fini(&arena);
}

/* Whoever fills and empties it again and again asks the heap for nothing. */
static void an_arena_keeps_its_largest_usual_chunk(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	const struct arena_mark empty = arena_mark(&arena);
	uint8_t *newest = NULL;
	for (int i = 0; i < 100; i++) newest = arena_alloc(&arena, 40000);
	arena_alloc(&arena, 1 << 20);
	arena_rewind(&arena, empty);
	assert_ptr_equal(arena_alloc(&arena, 1), newest);
	arena_alloc(&arena, 60000);
	arena_reset(&arena);
	assert_ptr_equal(arena_alloc(&arena, 1), newest);
	arena_fini(&arena);
	arena_alloc(&arena, 1 << 20);
	arena_reset(&arena);
	assert_null(arena.chunks);
}

/* Last, since nothing undoes it. A place that is given back is looked at through the arena and the buffer, which hold
 * on to it. */
static void what_is_given_back_is_overwritten(void **state) {
	(void)state;
	static const uint8_t zeros[1000];
	struct arena arena;
	mem_wipe_freed();
	arena_init(&arena);
	char *kept = arena_printf(&arena, "%s", "kept");
	const struct arena_mark mark = arena_mark(&arena);
	uint8_t *first = memset(arena_alloc(&arena, 1000), 7, 1000);
	for (int i = 0; i < 30; i++) memset(arena_alloc(&arena, 1000), 7, 1000);
	arena_rewind(&arena, mark);
	assert_string_equal(kept, "kept");
	assert_memory_equal(first, zeros, 1000);
	memset(arena_alloc(&arena, 1000), 7, 1000);
	arena_reset(&arena);
	assert_memory_equal(kept, zeros, 1000);
	arena_fini(&arena);
	char *text = mem_strdup("what it holds moves along");
	text = mem_realloc(text, 100000);
	assert_string_equal(text, "what it holds moves along");
	mem_free(text);
}

static void err_prefix_keeps_the_rest(void **state) {
	(void)state;
	struct err err;
	assert_int_equal(err_set(&err, STATUS_IO, "disk %d", 3), STATUS_IO);
	assert_int_equal(err_prefix(&err, STATUS_IO, "block %d", 7), STATUS_IO);
	assert_string_equal(err.message, "block 7: disk 3");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(overflow_is_sticky),
	    cmocka_unit_test(printf_is_bounded),
	    cmocka_unit_test(arena_rewinds_across_chunks),
	    cmocka_unit_test(an_arena_keeps_its_largest_usual_chunk),
	    cmocka_unit_test(err_prefix_keeps_the_rest),
	    cmocka_unit_test(what_is_given_back_is_overwritten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
