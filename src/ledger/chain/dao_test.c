/* The extra data near the DAO fork, on both sides of it. What moves is in the official blockchain tests. */
#include "ledger/chain/chain_private.h"

#include "tests/unit.h"

static const char extra[] = "dao-hard-fork";

static struct header header_at(uint64_t number, size_t extra_bytes) {
	struct header header = {.number = number, .extra_data_len = (uint8_t)extra_bytes};
	memcpy(header.extra_data, extra, extra_bytes);
	return header;
}

static bool is_valid(const char *config, uint64_t number, size_t extra_bytes) {
	struct arena arena;
	struct genesis *genesis;
	struct err err;
	arena_init(&arena);
	const char *text = arena_printf(&arena, "{\"config\":{\"chainId\":1%s},\"gasLimit\":5000}", config);
	if (genesis_parse(&genesis, bytes_text(text), &err) != STATUS_OK) fail_msg("%s", err.message);
	const struct header header = header_at(number, extra_bytes);
	const bool valid = dao_extra_is_valid(genesis, &header);
	genesis_free(genesis);
	arena_fini(&arena);
	return valid;
}

static void extra_data_near_the_fork(void **state) {
	(void)state;
	const char *with = ",\"daoForkBlock\":100,\"daoForkSupport\":true", *without = ",\"daoForkBlock\":100";
	const size_t whole = sizeof extra - 1;
	for (uint64_t number = 98; number < 112; number++) {
		const bool is_near = number >= 100 && number < 110;
		assert_true(is_valid("", number, whole));
		assert_true(is_valid("", number, 0));
		assert_true(is_valid(with, number, whole));
		assert_int_equal(is_valid(with, number, 0), !is_near);
		assert_int_equal(is_valid(with, number, whole - 1), !is_near);
		assert_int_equal(is_valid(without, number, whole), !is_near);
		assert_true(is_valid(without, number, 0));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(extra_data_near_the_fork)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
