/* JSONTestSuite: what must be accepted, what must be refused, and what is made of odd input. */
#include "tests/unit.h"

#include "base/utf8.h"
#include "tests/vectors.h"

static bool parses(struct arena *arena, struct bytes text) {
	const struct json *root;
	return json_parse(&root, arena, text, &json_limits_default, NULL) == STATUS_OK;
}

/* The parser's choice, by our own rules: a big number is text and so fine; bad UTF-8, surrogates and a BOM are not. */
static bool choice(const char *name) {
	return strncmp(name, "i_number", 8) == 0;
}

static void visit_parsing(void *context, const char *path) {
	struct vectors *vectors = context;
	const char *name = strrchr(path, '/') + 1;
	struct arena arena;
	arena_init(&arena);
	bool is_good = name[0] == 'y' || (name[0] == 'i' && choice(name));
	if (strcmp(name, "y_object_duplicated_key.json") == 0 ||
	    strcmp(name, "y_object_duplicated_key_and_value.json") == 0)
		is_good = false; /* valid JSON, but duplicates are refused here on purpose */
	if (strcmp(name, "i_structure_500_nested_arrays.json") == 0)
		is_good = false; /* deeper than the default bound */
	vectors_count(vectors, parses(&arena, vectors_read(&arena, path)) == is_good, name, BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void test_parsing(void **state) {
	(void)state;
	vectors_need("json/test_parsing");
	struct vectors vectors = {.name = "JSONTestSuite parsing"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "json/test_parsing"), ".json", visit_parsing, &vectors);
	arena_fini(&arena);
	vectors_report(&vectors);
}

/* Numbers keep their spelling; strings decode to UTF-8; duplicates and lone surrogates are refused. */
static bool transform_is_right(const char *name, const struct json *root, struct bytes source) {
	const struct json *item = json_at(root, 0);
	if (strncmp(name, "number_", 7) == 0)
		return json_is(item, JSON_NUMBER) && bytes_equal(item->text, bytes_slice(source, 1, item->text.len)) &&
		       source.data[1 + item->text.len] == ']';
	if (strncmp(name, "object_same_key", 15) == 0) return root == NULL;
	if (strncmp(name, "object_key_nf", 13) == 0) return root && root->count == 2;
	if (strcmp(name, "string_with_escaped_NULL.json") == 0)
		return bytes_equal(json_string(item), BYTES_LITERAL("A\0B"));
	return root == NULL ? !utf8_is_valid(source) || strstr(name, "escaped") : utf8_is_valid(json_string(item));
}

static void visit_transform(void *context, const char *path) {
	struct vectors *vectors = context;
	const char *name = strrchr(path, '/') + 1;
	struct arena arena;
	arena_init(&arena);
	struct bytes source = vectors_read(&arena, path);
	const struct json *root = NULL;
	enum status status = json_parse(&root, &arena, source, &json_limits_default, NULL);
	bool is_good = (status == STATUS_OK) == (root != NULL) && transform_is_right(name, root, source);
	vectors_count(vectors, is_good, name, BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void test_transform(void **state) {
	(void)state;
	vectors_need("json/test_transform");
	struct vectors vectors = {.name = "JSONTestSuite transform"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "json/test_transform"), ".json", visit_transform, &vectors);
	arena_fini(&arena);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parsing), cmocka_unit_test(test_transform)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
