#include "app/cli/remedies.h"

#include <ctype.h>
#include <string.h>

#include "health/contracts/cause.h"
#include "health/trace/medicines.h"
#include "tests/unit.h"

/* A part of a sentence: it follows a semicolon, and a full stop may follow it. */
static void assert_part_of_a_sentence(const char *text, const char *of) {
	if (!text || !*text) fail_msg("%s has none", of);
	if (isspace((unsigned char)text[strlen(text) - 1]) || text[strlen(text) - 1] == '.')
		fail_msg("%s: %s", of, text);
}

/* The enums are made from contracts/artifacts, so that a new error or code is missed here and not by a user. */
static void every_error_of_the_contracts_has_a_sentence_and_a_remedy(void **state) {
	(void)state;
	for (unsigned i = CONTRACT_ERROR_NONE + 1; i < CONTRACT_ERROR_COUNT; i++) {
		const enum contract_error error = (enum contract_error)i;
		assert_part_of_a_sentence(contract_error_text(error), contract_error_name(error));
		/* These two bring their own words: a text, and a code. */
		if (error == CONTRACT_ERROR_TEXT || error == CONTRACT_ERROR_REFUSED) continue;
		assert_part_of_a_sentence(remedy_of_error(error), contract_error_name(error));
		assert_ptr_equal(remedy_of_cause(CAUSE_CONTRACT + i), remedy_of_error(error));
	}
	assert_string_equal(remedy_of_error(CONTRACT_ERROR_COUNT), "");
}

static void every_code_of_medicines_has_a_sentence_and_a_remedy(void **state) {
	(void)state;
	for (unsigned i = MEDICINES_CODE_OK + 1; i < MEDICINES_CODE_COUNT; i++) {
		const enum medicines_code code = (enum medicines_code)i;
		assert_part_of_a_sentence(medicines_code_text(code), medicines_code_name(code));
		assert_part_of_a_sentence(remedy_of_code(code), medicines_code_name(code));
		assert_ptr_equal(remedy_of_cause(CAUSE_MEDICINES + i), remedy_of_code(code));
	}
	assert_string_equal(remedy_of_code(MEDICINES_CODE_COUNT), "");
}

static void every_cause_has_a_remedy(void **state) {
	(void)state;
	assert_string_equal(remedy_of_cause(CAUSE_NONE), "");
	for (unsigned cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
		assert_part_of_a_sentence(remedy_of_cause(cause), "a cause");
	assert_string_equal(remedy_of_cause(CAUSE_COUNT), "");
	assert_string_equal(remedy_of_cause(UINT32_MAX), "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_error_of_the_contracts_has_a_sentence_and_a_remedy),
	    cmocka_unit_test(every_code_of_medicines_has_a_sentence_and_a_remedy),
	    cmocka_unit_test(every_cause_has_a_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
