#include "health/consent/access.h"

#include <ctype.h>
#include <stdio.h>

#include "health/consent/rights.h"
#include "tests/unit.h"

/* The interface file is the truth about the numbers: contracts/src/interfaces/IConsent.sol. */
static void read_interface(struct buf *out) {
	FILE *file = fopen(SOURCE_ROOT "/contracts/src/interfaces/IConsent.sol", "re");
	uint8_t chunk[4096];
	size_t got;
	assert_non_null(file);
	buf_init(out, 1 << 20);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) buf_append(out, bytes_make(chunk, got));
	fclose(file);
	assert_non_null(buf_cstr(out));
}

/* The next identifier at or behind *at, NUL-terminated; *at moves behind it. */
static void next_identifier(char out[64], const char **at) {
	size_t len = 0;
	while (**at && !isalnum((unsigned char)**at)) (*at)++;
	while (len < 63 && (isalnum((unsigned char)**at) || **at == '_')) out[len++] = *(*at)++;
	out[len] = 0;
}

static void reasons_are_the_contracts(void **state) {
	(void)state;
	struct buf text;
	char word[64];
	unsigned number = 0;
	read_interface(&text);
	const char *at = strstr(buf_cstr(&text), "enum Reason {");
	assert_non_null(at);
	at += strlen("enum Reason {");
	const char *end = strchr(at, '}');
	assert_non_null(end);
	for (next_identifier(word, &at); at <= end; next_identifier(word, &at), number++) {
		assert_string_equal(access_reason_name(number), word);
		assert_true(strlen(access_reason_text(number)) > 10);
	}
	assert_int_equal(number, 16);
	assert_string_equal(access_reason_name(number), "?");
	assert_non_null(access_reason_text(number));
	buf_fini(&text);
}

static void purposes_are_the_contracts(void **state) {
	(void)state;
	struct buf text;
	char word[64], number[64];
	read_interface(&text);
	const char *at = strstr(buf_cstr(&text), "// bit per purpose:");
	assert_non_null(at);
	at += strlen("// bit per purpose:");
	for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
		next_identifier(number, &at);
		next_identifier(word, &at);
		assert_int_equal(number[0], '0' + (int)i);
		assert_string_equal(purpose_code(i), word);
	}
	buf_fini(&text);
}

static void purposes_parse_strictly(void **state) {
	(void)state;
	enum purpose purpose;
	uint16_t bits;
	struct err err;
	assert_int_equal(purpose_parse(&purpose, BYTES_LITERAL("HRESCH"), &err), STATUS_OK);
	assert_int_equal(purpose, PURPOSE_HRESCH);
	assert_int_equal(purpose_parse(&purpose, BYTES_LITERAL("treat"), &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "PUBHLTH"));
	assert_int_equal(purposes_parse(&bits, BYTES_LITERAL("TREAT,PATRQT"), &err), STATUS_OK);
	assert_int_equal(bits, 1 | 64);
	static const char *const bad[] = {"", "TREAT,", ",TREAT", "TREAT,,ETREAT", "TREAT ETREAT", "TREATX"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(purposes_parse(&bits, bytes_text(bad[i]), &err), STATUS_INVALID);
	assert_string_equal(purpose_code(PURPOSE_COUNT), "?");
}

static void rights_parse_strictly(void **state) {
	(void)state;
	uint8_t bits;
	struct err err;
	assert_int_equal(rights_parse(&bits, BYTES_LITERAL("read"), &err), STATUS_OK);
	assert_int_equal(bits, RIGHT_READ);
	assert_int_equal(rights_parse(&bits, BYTES_LITERAL("rotate,share,write,read"), &err), STATUS_OK);
	assert_int_equal(bits, 15);
	assert_int_equal(rights_parse(&bits, BYTES_LITERAL("read,own"), &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "own"));
	assert_int_equal(rights_parse(&bits, BYTES_LITERAL(""), &err), STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reasons_are_the_contracts),
	    cmocka_unit_test(purposes_are_the_contracts),
	    cmocka_unit_test(purposes_parse_strictly),
	    cmocka_unit_test(rights_parse_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
