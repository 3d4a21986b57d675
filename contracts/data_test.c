#include "contracts/contracts_data.h"
#include "tests/unit.h"

static void every_contract_is_there(void **state) {
	(void)state;
	static const char *const names[] = {
	    "Directory", "Folders", "Records", "Consent", "Products", "Medicines", "Members"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct contract_code *code = contract_code_get(names[i]);
		assert_non_null(code);
		assert_string_equal(code->name, names[i]);
		assert_in_range(code->len, 1000, 49152);        /* EIP-3860 */
		assert_in_range(code->bytecode[0], 0x60, 0x61); /* solc begins with a PUSH */
	}
}

/* What stands in the genesis has no constructor that would have to run. */
static void only_the_members_are_laid_by_a_genesis(void **state) {
	(void)state;
	const struct contract_code *members = contract_code_get("Members");
	assert_non_null(members->laid);
	assert_in_range(members->laid_len, 1000, members->len - 1);
	assert_memory_equal(members->bytecode + (members->len - members->laid_len), members->laid, members->laid_len);
	assert_null(contract_code_get("Directory")->laid);
}

static void no_other_name_is_known(void **state) {
	(void)state;
	assert_null(contract_code_get("directory"));
	assert_null(contract_code_get(""));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_contract_is_there),
	    cmocka_unit_test(only_the_members_are_laid_by_a_genesis),
	    cmocka_unit_test(no_other_name_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
