#include "codec/xml.h"

#include "tests/unit.h"

static enum status parsed(const struct xml **root, struct arena *arena, const char *text, struct err *err) {
	return xml_parse(root, arena, bytes_text(text), err);
}

static void a_tree_has_names_texts_and_places(void **state) {
	(void)state;
	const char *text =
	    "<?xml version='1.0'?>\n<a xmlns:x='urn:x' b='1 &amp; 2'> t <x:c x:d='3'/><e>\n u&#65; </e> v</a>";
	const struct xml *root;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	assert_int_equal(parsed(&root, &arena, text, &err), STATUS_OK);
	assert_true(xml_is(root, "a"));
	assert_true(bytes_equal(xml_attribute(root, "b"), BYTES_LITERAL("1 & 2")));
	assert_true(bytes_equal(root->text, BYTES_LITERAL("t  v")));
	const struct xml *c = xml_child(root, "c"), *e = xml_child(root, "e");
	assert_true(bytes_equal(c->name.space, BYTES_LITERAL("urn:x")));
	assert_true(bytes_equal(c->name.prefix, BYTES_LITERAL("x")));
	assert_true(bytes_equal(c->raw, BYTES_LITERAL("<x:c x:d='3'/>")));
	assert_null(xml_attribute(c, "d").data); /* it has a namespace */
	assert_true(bytes_equal(c->attributes[0].value, BYTES_LITERAL("3")));
	assert_true(bytes_equal(e->text, BYTES_LITERAL("uA")));
	assert_true(bytes_equal(e->raw, BYTES_LITERAL("<e>\n u&#65; </e>")));
	assert_null(xml_child(root, "f"));
	assert_null(xml_child(NULL, "f"));
	arena_fini(&arena);
}

static void what_is_broken_or_defines_something_is_refused_with_its_line(void **state) {
	(void)state;
	static const char *const texts[] = {"", "a", "<a>", "<a></b>", "<a/><b/>", "<a b='1' b='2'/>", "<a>&x;</a>",
	    "<x:a/>", "<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
	    "<a>\x01</a>", "<a>\xff</a>", "<?xml version='1.0' encoding='EBCDIC'?><a/>"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct xml *root;
		struct arena arena;
		struct err err = {0};
		arena_init(&arena);
		if (parsed(&root, &arena, texts[i], &err) != STATUS_INVALID) fail_msg("%s", texts[i]);
		assert_non_null(strstr(err.message, "XML, line "));
		assert_null(root);
		arena_fini(&arena);
	}
}

static void a_bare_document_type_defines_nothing(void **state) {
	(void)state;
	const struct xml *root;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	assert_int_equal(parsed(&root, &arena, "<!DOCTYPE project>\n<a/>", &err), STATUS_OK);
	arena_fini(&arena);
}

static void depth_is_bounded(void **state) {
	(void)state;
	const struct xml *root;
	struct arena arena;
	struct buf text;
	struct err err;
	arena_init(&arena);
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < XML_DEPTH_MAX; i++) buf_text(&text, "<a>");
	for (size_t i = 0; i < XML_DEPTH_MAX; i++) buf_text(&text, "</a>");
	assert_int_equal(xml_parse(&root, &arena, buf_view(&text), &err), STATUS_OK);
	buf_clear(&text);
	for (size_t i = 0; i < 100000; i++) buf_text(&text, "<a>");
	assert_int_equal(xml_parse(&root, &arena, buf_view(&text), &err), STATUS_LIMIT);
	buf_fini(&text);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tree_has_names_texts_and_places),
	    cmocka_unit_test(what_is_broken_or_defines_something_is_refused_with_its_line),
	    cmocka_unit_test(a_bare_document_type_defines_nothing),
	    cmocka_unit_test(depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
