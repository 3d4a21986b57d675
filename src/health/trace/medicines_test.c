/* The words of this room, and tags against values computed apart from this code. */
#include "health/trace/medicines.h"

#include <stdio.h>

#include "health/trace/capture.h"
#include "health/trace/document.h"
#include "health/trace/tags.h"
#include "tests/unit.h"

static void every_code_has_a_sentence(void **state) {
	(void)state;
	for (unsigned i = 0; i < MEDICINES_CODE_COUNT; i++)
		assert_non_null(medicines_code_text((enum medicines_code)i));
	assert_non_null(medicines_code_text(MEDICINES_CODE_COUNT));
}

static void every_purpose_has_a_word(void **state) {
	(void)state;
	for (unsigned i = 0; i < MEDICINES_PURPOSE_COUNT; i++)
		assert_string_not_equal(medicines_purpose_word(i), "unknown");
	assert_string_equal(medicines_purpose_word(MEDICINES_PURPOSE_COUNT), "unknown");
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
	check(tag_batch(&key, "04012345678901", "L1"),
	    "8400e4864631763c04aef6570d38932d554d477b3c749375acbf79c4060c52b4");
	check(
	    tag_unit(&key, "04012345678901", "S1"), "57f8c554dd57f106fa18b6b5f24a7f8cdeb198fbf9083ebcf487d39d6879bd10");
	check(tag_container_salt(&key, "340123450000000018"),
	    "56f3c9dcbf086d32066f704b3a24be37815a6d7f8a391a99ab2c29034fcc80d2");
	/* hashlib.sha256(b"xinglin/container/2" + bytes(range(32)) + b"340123450000000018") */
	check(tag_container(&key, "340123450000000018"),
	    "dcd52e3ec6b1554113f0e3226b1a4e9168f9fe71330e0e9c0c80aa616399e3fc");
	check(tag_key_commitment(&key), "114c439bffdffc11d20125edf38d1b48dc6b982758283cd31a345bc11624ff2c");
	hash32 id = tag_container_id(&opener, &key);
	for (size_t i = 8; i < 32; i++) assert_int_equal(id.b[i], 0);
}

static void the_leaf_of_a_pack_has_all_that_is_printed_on_it(void **state) {
	(void)state;
	const struct document_batch batch = {.gtin = "04012345678901", .lot = "L1", .expiry_s = 1909008000};
	const struct document_batch other_gtin = {.gtin = "04012345678918", .lot = "L1", .expiry_s = 1909008000};
	const struct document_batch other_lot = {.gtin = "04012345678901", .lot = "L", .expiry_s = 1909008000};
	const struct document_batch other_expiry = {.gtin = "04012345678901", .lot = "L1", .expiry_s = 1909008001};
	struct document_unit unit = {.serial = "S1"}, other_serial = {.serial = "1S1"}, other_tag = {.serial = "S1"};
	for (size_t i = 0; i < 32; i++) unit.tag.b[i] = other_serial.tag.b[i] = (uint8_t)i;
	/* python3: hashlib.sha256(b"\0xinglin/pack/1" + b"04012345678901" + b"\2L1" + (1909008000).to_bytes(8, "big") +
	 * b"\2S1" + bytes(range(32))).hexdigest() */
	check(document_leaf(&batch, &unit), "3e7414e46582ac6393811198d222e85fa19d5ac927a9cb31f48e9a71923e5353");
	const hash32 leaves[] = {document_leaf(&batch, &unit), document_leaf(&other_gtin, &unit),
	    document_leaf(&other_lot, &unit), document_leaf(&other_expiry, &unit), document_leaf(&batch, &other_serial),
	    document_leaf(&batch, &other_tag)};
	for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
		for (size_t j = 0; j < i; j++) assert_false(hash32_equal(&leaves[i], &leaves[j]));
}

/* Operations of 256 indexes, as packing and unpacking have them: as many as fit, and never more. */
static void a_capture_takes_no_more_than_a_transaction(void **state) {
	(void)state;
	struct arena arena;
	struct capture capture = {.count = 0};
	static const uint32_t indexes[CAPTURE_NAMED_UNITS_MAX];
	const hash32 id = {{1}};
	size_t named = 0;
	arena_init(&arena);
	struct actor_request request = {.arena = &arena};
	struct bytes operation = medicines_pack_units_call(&arena, &id, &id, indexes, CAPTURE_NAMED_UNITS_MAX);
	while (capture_add(&capture, operation)) named++;
	assert_true(named > 10);
	size_t room = OUTBOX_TX_BYTES_MAX - 512; /* for the transaction's other fields */
	assert_true(capture_call(&request, &capture).len < room);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_has_a_sentence),
	    cmocka_unit_test(every_purpose_has_a_word),
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(the_leaf_of_a_pack_has_all_that_is_printed_on_it),
	    cmocka_unit_test(a_capture_takes_no_more_than_a_transaction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
