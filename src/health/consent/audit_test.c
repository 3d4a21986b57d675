#include "health/consent/audit.h"

#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"

#define COUNT 4

static const hash32 item = {{0x17}};

/* Entries 1, 2, 4 and 5 of a node's log, as they come back for one item: 3 was another item's. */
struct scene {
	struct arena arena;
	struct audit_line lines[COUNT];
	struct err err;
};

static const char *entry_text(struct arena *arena, uint64_t seq, const hash32 *prev, const char *outcome) {
	struct buf text;
	buf_init(&text, 1024);
	buf_printf(&text, "{\"v\":1,\"item\":\"");
	hex_put(&text, BYTES_OF(item), true);
	buf_printf(&text,
	    "\",\"part\":2,\"who\":\"0x00000000000000000000000000000000000000aa\",\"at\":1700000000123,"
	    "\"outcome\":\"%s\",\"prev\":\"",
	    outcome);
	hex_put(&text, BYTES_OF(*prev), true);
	buf_printf(&text, "\",\"seq\":%llu}", (unsigned long long)seq);
	const char *copy = arena_strdup(arena, buf_view(&text));
	buf_fini(&text);
	return copy;
}

static int scene_init(void **state) {
	static const uint64_t seqs[COUNT] = {1, 2, 4, 5};
	struct scene *s = mem_zalloc(1, sizeof *s);
	hash32 prev = {{0}};
	arena_init(&s->arena);
	for (size_t i = 0; i < COUNT; i++) {
		if (i == 2) prev = sha256(BYTES_LITERAL("entry 3"));
		const char *text = entry_text(&s->arena, seqs[i], &prev, i == 1 ? "refused" : "served");
		struct bytes sealed = bytes_text(arena_printf(&s->arena, "sealed %zu", i));
		assert_int_equal(
		    audit_line_parse(&s->lines[i], &s->arena, sealed, bytes_text(text), &s->err), STATUS_OK);
		prev = sha256(sealed);
	}
	*state = s;
	return 0;
}

static int scene_fini(void **state) {
	struct scene *s = *state;
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

static void lines_are_read(void **state) {
	struct scene *s = *state;
	const struct audit_entry *entry = &s->lines[1].entry;
	hash32 hash = sha256(BYTES_LITERAL("sealed 1"));
	assert_int_equal(entry->seq, 2);
	assert_int_equal(entry->part, 2);
	assert_int_equal(entry->at_ms, 1700000000123);
	assert_int_equal(entry->who.b[19], 0xaa);
	assert_false(entry->served);
	assert_true(s->lines[0].entry.served);
	assert_true(hash32_equal(&s->lines[1].hash, &hash));
	assert_true(hash32_equal(&s->lines[1].prev, &s->lines[0].hash));
}

static void malformed_lines_are_refused(void **state) {
	struct scene *s = *state;
	struct audit_line line;
	const char *good = entry_text(&s->arena, 1, &(hash32){{0}}, "served");
	static const struct {
		const char *from, *to;
	} edits[] = {{"\"v\":1", "\"v\":2"}, {"\"part\":2", "\"part\":-2"}, {"\"part\":2", "\"part\":4294967296"},
	    {"\"who\":\"0x00", "\"who\":\"0x"}, {"\"served\"", "\"maybe\""}, {"\"seq\":1", "\"seq\":0"},
	    {"\"prev\"", "\"next\""}, {"\"item\":\"0x17", "\"item\":\"17"}, {"\"at\":1", "\"at\":\"1\",\"b\":1"}};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		const char *at = strstr(good, edits[i].from);
		assert_non_null(at);
		const char *bad = arena_printf(
		    &s->arena, "%.*s%s%s", (int)(at - good), good, edits[i].to, at + strlen(edits[i].from));
		assert_int_equal(
		    audit_line_parse(&line, &s->arena, BYTES_LITERAL("x"), bytes_text(bad), &s->err), STATUS_INVALID);
	}
	assert_int_equal(audit_line_parse(&line, &s->arena, BYTES_LITERAL("x"), bytes_text(good), &s->err), STATUS_OK);
}

static void a_whole_log_holds(void **state) {
	struct scene *s = *state;
	assert_int_equal(audit_check(s->lines, COUNT, &item, &s->err), STATUS_OK);
	assert_int_equal(audit_check(s->lines, 0, &item, &s->err), STATUS_OK);
	assert_int_equal(audit_check(s->lines + 1, COUNT - 1, &item, &s->err), STATUS_OK);
}

static void changed_logs_are_told(void **state) {
	struct scene *s = *state;
	struct audit_line changed[COUNT];
	memcpy(changed, s->lines, sizeof changed);
	changed[1].prev.b[0] ^= 1; /* entry 1 was replaced */
	assert_int_equal(audit_check(changed, COUNT, &item, &s->err), STATUS_CORRUPT);
	assert_non_null(strstr(s->err.message, "entry 2"));
	memcpy(changed, s->lines, sizeof changed);
	changed[2].prev.b[0] ^= 1; /* across the gap nothing can be said */
	assert_int_equal(audit_check(changed, COUNT, &item, &s->err), STATUS_OK);
	memcpy(changed, s->lines, sizeof changed);
	changed[3].entry.seq = 4; /* twice */
	assert_int_equal(audit_check(changed, COUNT, &item, &s->err), STATUS_CORRUPT);
	memcpy(changed, s->lines, sizeof changed);
	changed[3].item.b[31] ^= 1;
	assert_int_equal(audit_check(changed, COUNT, &item, &s->err), STATUS_CORRUPT);
	memcpy(changed, s->lines, sizeof changed);
	changed[0].prev.b[0] = 1; /* nothing comes before the first */
	assert_int_equal(audit_check(changed, COUNT, &item, &s->err), STATUS_CORRUPT);
	changed[0] = s->lines[1];
	changed[1] = s->lines[0];
	assert_int_equal(audit_check(changed, 2, &item, &s->err), STATUS_CORRUPT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lines_are_read, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(malformed_lines_are_refused, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(a_whole_log_holds, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(changed_logs_are_told, scene_init, scene_fini),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
