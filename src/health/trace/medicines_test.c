/* The tables of this room against the contract's interface, and tags against values computed apart from this code. */
#include "health/trace/medicines.h"

#include "health/trace/tags.h"
#include "tests/unit.h"
#include "tests/vectors.h"

/* The words between the braces of `enum name {`, in order, comments left out. */
static size_t enum_words(struct arena *arena, const char **words, size_t max, const char *name) {
	struct bytes text = vectors_read(arena, SOURCE_ROOT "/contracts/src/interfaces/IMedicines.sol");
	const char *at = strstr(arena_strdup(arena, text), arena_printf(arena, "enum %s {", name));
	size_t count = 0;
	assert_non_null(at);
	for (at = strchr(at, '{') + 1; *at != '}';) {
		if (at[0] == '/' && at[1] == '/') at = strchr(at, '\n');
		size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		if (len && count < max) words[count++] = arena_strdup(arena, bytes_make(at, len));
		at += len ? len : 1;
	}
	return count;
}

static void test_codes_as_in_the_contract(void **state) {
	(void)state;
	struct arena arena;
	const char *words[64];
	arena_init(&arena);
	size_t count = enum_words(&arena, words, 64, "Code");
	assert_int_equal(count, MEDICINES_CODE_COUNT);
	for (size_t i = 0; i < count; i++) assert_string_equal(words[i], medicines_code_name((enum medicines_code)i));
	arena_fini(&arena);
}

static void test_states_as_in_the_contract(void **state) {
	(void)state;
	struct arena arena;
	const char *words[64];
	arena_init(&arena);
	size_t count = enum_words(&arena, words, 64, "State");
	assert_int_equal(count, UNIT_STATE_COUNT);
	for (size_t i = 0; i < count; i++) {
		bool unused = strncmp(words[i], "UNUSED", 6) == 0;
		assert_string_equal(unused ? "UNKNOWN" : words[i], medicines_state_name((unsigned)i));
	}
	assert_int_equal(enum_words(&arena, words, 64, "Purpose"), SHIPPING_PURPOSE_COUNT);
	arena_fini(&arena);
}

static void check(hash32 got, const char *expected) {
	char text[65];
	for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", got.b[i]);
	assert_string_equal(text, expected);
}

static void test_tags(void **state) {
	(void)state;
	hash32 key;
	addr20 opener;
	for (size_t i = 0; i < 32; i++) key.b[i] = (uint8_t)i;
	memset(opener.b, 0x11, sizeof opener.b);
	/* python3: hmac.new(bytes(range(32)), text, "sha256").hexdigest(), and so on */
	check(tag_product(&key, "04012345678901"), "29fb63ce2af6df142e88342456684da58f6db5617748af64762b5003476f222a");
	check(tag_batch(&key, "04012345678901", "L1"),
	    "8400e4864631763c04aef6570d38932d554d477b3c749375acbf79c4060c52b4");
	check(
	    tag_unit(&key, "04012345678901", "S1"), "57f8c554dd57f106fa18b6b5f24a7f8cdeb198fbf9083ebcf487d39d6879bd10");
	check(tag_container(&key, "340123450000000018"),
	    "56f3c9dcbf086d32066f704b3a24be37815a6d7f8a391a99ab2c29034fcc80d2");
	check(tag_key_commitment(&key), "114c439bffdffc11d20125edf38d1b48dc6b982758283cd31a345bc11624ff2c");
	hash32 id = tag_container_id(&opener, &key);
	for (size_t i = 8; i < 32; i++) assert_int_equal(id.b[i], 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_codes_as_in_the_contract),
	    cmocka_unit_test(test_states_as_in_the_contract),
	    cmocka_unit_test(test_tags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
