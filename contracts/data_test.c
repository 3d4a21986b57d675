#include "contracts/contracts_data.h"
#include "tests/unit.h"

static void every_contract_is_there(void **state) {
	(void)state;
	static const char *const names[] = {"Directory", "Folders", "Records", "Consent", "Medicines"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct contract_code *code = contract_code_get(names[i]);
		assert_non_null(code);
		assert_string_equal(code->name, names[i]);
		assert_in_range(code->len, 1000, 49152);        /* EIP-3860 */
		assert_in_range(code->bytecode[0], 0x60, 0x61); /* solc begins with a PUSH */
	}
}

static void no_other_name_is_known(void **state) {
	(void)state;
	assert_null(contract_code_get("directory"));
	assert_null(contract_code_get(""));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_contract_is_there),
	    cmocka_unit_test(no_other_name_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
