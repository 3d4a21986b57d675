#include "health/gateway/tokens.h"

#include <stdio.h>

#include "tests/scripted_random.h"
#include "tests/unit.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void a_token_is_found_by_what_it_presents_and_by_nothing_else(void **state) {
	(void)state;
	struct arena arena;
	struct buf file;
	struct token_table table;
	char text[TOKEN_TEXT_MAX], field[128];
	struct scripted_random script = {7};
	struct random_source random = scripted_random(&script);
	arena_init(&arena);
	buf_init(&file, TOKENS_FILE_MAX);
	buf_text(&file, "# tokens\n\n");
	token_make(text, &file, "ward", TOKEN_READ | TOKEN_WRITE, &random);
	assert_null(strstr(buf_cstr(&file), text));
	assert_non_null(strstr(buf_cstr(&file), "ward read,write "));
	assert_int_equal(tokens_parse(&table, &arena, buf_view(&file), NULL), STATUS_OK);
	snprintf(field, sizeof field, "bearer %s", text);
	const struct token *token = tokens_find(&table, bytes_text(field));
	assert_non_null(token);
	assert_string_equal(token->name, "ward");
	assert_int_equal(token->rights, TOKEN_READ | TOKEN_WRITE);
	field[strlen(field) - 1] ^= 1;
	assert_null(tokens_find(&table, bytes_text(field)));
	assert_null(tokens_find(&table, BYTES_LITERAL("Bearer ")));
	assert_null(tokens_find(&table, BYTES_LITERAL("")));
	snprintf(field, sizeof field, "Basic  %s", text);
	assert_null(tokens_find(&table, bytes_text(field)));
	buf_wipe(&file);
	arena_fini(&arena);
}

static void a_file_with_a_mistake_is_refused_with_its_line(void **state) {
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"a read " HASH_A "\nb", "line 2: a token has"},
	    {"a fly " HASH_A, "line 1: rights are"},
	    {"a read 12", "line 1: the line is"},
	    {"a read " HASH_A " more", "line 1: the line is"},
	    {"a/b read " HASH_A, "line 1: a name has"},
	    {"a read " HASH_A "\na write " HASH_B, "line 2: the name a is there twice"},
	    {"a read " HASH_A "\nb write " HASH_A, "line 2: the token of b is there twice"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena;
		struct token_table table;
		struct err err = {0};
		arena_init(&arena);
		assert_int_equal(tokens_parse(&table, &arena, bytes_text(cases[i].text), &err), STATUS_INVALID);
		if (strncmp(err.message, cases[i].says, strlen(cases[i].says)) != 0) fail_msg("%s", err.message);
		arena_fini(&arena);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_is_found_by_what_it_presents_and_by_nothing_else),
	    cmocka_unit_test(a_file_with_a_mistake_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
