#include "codec/json_edit.h"
#include "tests/unit.h"

#define SOURCE "{ \"a\" : 1.00 , \"b\":[ 1 ,\t2,3 ],\n\"c\\u0041\":{\"d\":\"\\u00e9\"} }"

struct world {
	struct arena arena;
	const struct json *root;
	struct json_edit edit;
};

static void begin(struct world *w, const char *text) {
	arena_init(&w->arena);
	assert_int_equal(json_parse(&w->root, &w->arena, bytes_text(text), NULL, NULL), STATUS_OK);
	json_edit_init(&w->edit, &w->arena, w->root);
}

static void end_as(struct world *w, const char *expected) {
	struct buf out;
	const struct json *again;
	buf_init(&out, 1 << 16);
	assert_int_equal(json_edit_write(&w->edit, &out, NULL), STATUS_OK);
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(out.data, expected, out.len);
	assert_int_equal(json_parse(&again, &w->arena, buf_view(&out), NULL, NULL), STATUS_OK);
	buf_fini(&out);
	arena_fini(&w->arena);
}

static void nothing_changed_is_the_same_bytes(void **state) {
	(void)state;
	struct world w;
	begin(&w, SOURCE);
	end_as(&w, SOURCE);
}

static void a_replaced_value_leaves_every_other_byte(void **state) {
	(void)state;
	struct world w;
	begin(&w, SOURCE);
	json_edit_replace(&w.edit, json_at(json_get(w.root, "b"), 1), BYTES_LITERAL("2.0"));
	json_edit_put(&w.edit, w.root, BYTES_LITERAL("a"), BYTES_LITERAL("null"));
	end_as(&w, "{ \"a\" : null , \"b\":[ 1 ,\t2.0,3 ],\n\"c\\u0041\":{\"d\":\"\\u00e9\"} }");
}

static void a_new_member_stands_last_and_its_name_is_escaped(void **state) {
	(void)state;
	struct world w;
	begin(&w, SOURCE);
	json_edit_put(&w.edit, json_get(w.root, "cA"), BYTES_LITERAL("q\""), BYTES_LITERAL("[]"));
	json_edit_put(&w.edit, w.root, BYTES_LITERAL("z"), BYTES_LITERAL("0"));
	end_as(&w, "{ \"a\" : 1.00 , \"b\":[ 1 ,\t2,3 ],\n\"c\\u0041\":{\"d\":\"\\u00e9\",\"q\\\"\":[]}, \"z\":0 }");
}

static void children_are_removed_first_middle_last_and_all(void **state) {
	(void)state;
	static const char *const expected[] = {"[ 2,3 ]", "[ 1,3 ]", "[ 1 ,\t2 ]"};
	for (size_t i = 0; i < 3; i++) {
		struct world w;
		begin(&w, "[ 1 ,\t2,3 ]");
		json_edit_remove(&w.edit, json_at(w.root, i));
		end_as(&w, i == 0 ? "[\t2,3 ]" : expected[i]);
	}
	struct world w;
	begin(&w, SOURCE);
	json_foreach (member, w.root) json_edit_remove(&w.edit, member);
	end_as(&w, "{ }");
}

static void elements_are_inserted_where_they_were_asked_for(void **state) {
	(void)state;
	struct world w;
	begin(&w, "[[1,2],[ ],{}]");
	json_edit_insert(&w.edit, json_at(w.root, 0), 0, BYTES_LITERAL("\"x\""));
	json_edit_insert(&w.edit, json_at(w.root, 0), 1, BYTES_LITERAL("\"y\""));
	json_edit_insert(&w.edit, json_at(w.root, 0), 9, BYTES_LITERAL("\"z\""));
	json_edit_insert(&w.edit, json_at(w.root, 1), 0, BYTES_LITERAL("1"));
	json_edit_insert(&w.edit, json_at(w.root, 1), 0, BYTES_LITERAL("2"));
	json_edit_put(&w.edit, json_at(w.root, 2), BYTES_LITERAL("k"), BYTES_LITERAL("1"));
	end_as(&w, "[[\"x\",1,\"y\",2,\"z\"],[ 1, 2],{\"k\":1}]");
}

static void a_change_inside_what_is_replaced_or_removed_has_no_effect(void **state) {
	(void)state;
	struct world w;
	begin(&w, "{\"a\":{\"b\":1},\"c\":{\"d\":2},\"e\":3}");
	json_edit_put(&w.edit, json_get(w.root, "a"), BYTES_LITERAL("b"), BYTES_LITERAL("9"));
	json_edit_replace(&w.edit, json_get(w.root, "a"), BYTES_LITERAL("{}"));
	json_edit_remove(&w.edit, json_get(w.root, "c"));
	json_edit_put(&w.edit, json_get(w.root, "c"), BYTES_LITERAL("d"), BYTES_LITERAL("9"));
	json_edit_replace(&w.edit, json_get(w.root, "e"), BYTES_LITERAL("4"));
	json_edit_replace(&w.edit, json_get(w.root, "e"), BYTES_LITERAL("5"));
	end_as(&w, "{\"a\":{},\"e\":5}");
}

static void the_root_itself_is_replaced(void **state) {
	(void)state;
	struct world w;
	begin(&w, " 1 ");
	json_edit_replace(&w.edit, w.root, BYTES_LITERAL("[]"));
	end_as(&w, "[]");
}

static void a_full_buffer_is_reported(void **state) {
	(void)state;
	struct world w;
	struct buf out;
	begin(&w, "[1,2]");
	buf_init(&out, 4);
	assert_int_equal(json_edit_write(&w.edit, &out, NULL), STATUS_LIMIT);
	buf_fini(&out);
	arena_fini(&w.arena);
}

static void numbers_keep_their_spelling(void **state) {
	(void)state;
	static const char *const good[] = {"0", "-0", "1.00", "10", "1e5", "-2.5E+03", "0.10e-7"};
	static const char *const bad[] = {"", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1 ", "NaN", "--1"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(json_is_number(bytes_text(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(json_is_number(bytes_text(bad[i])));
	struct buf out;
	buf_init(&out, 64);
	struct json_writer writer = json_writer(&out);
	json_object_begin(&writer, NULL);
	json_put_number(&writer, "value", BYTES_LITERAL("1.00"));
	json_object_end(&writer);
	assert_true(bytes_equal(buf_view(&out), BYTES_LITERAL("{\"value\":1.00}")));
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_changed_is_the_same_bytes),
	    cmocka_unit_test(a_replaced_value_leaves_every_other_byte),
	    cmocka_unit_test(a_new_member_stands_last_and_its_name_is_escaped),
	    cmocka_unit_test(children_are_removed_first_middle_last_and_all),
	    cmocka_unit_test(elements_are_inserted_where_they_were_asked_for),
	    cmocka_unit_test(a_change_inside_what_is_replaced_or_removed_has_no_effect),
	    cmocka_unit_test(the_root_itself_is_replaced),
	    cmocka_unit_test(a_full_buffer_is_reported),
	    cmocka_unit_test(numbers_keep_their_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
