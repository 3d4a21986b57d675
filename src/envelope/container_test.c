#include "envelope/container.h"

#include "crypto/merkle.h"
#include "tests/unit.h"

static void round_trip_and_name(void **state) {
	(void)state;
	struct bytes parts[3] = {BYTES_LITERAL("one"), BYTES_LITERAL("two two"), BYTES_LITERAL("3")};
	struct buf frame;
	buf_init(&frame, 1000);
	assert_int_equal(container_encode(&frame, parts, 3, NULL), STATUS_OK);
	struct container container;
	assert_int_equal(container_decode(&container, buf_view(&frame), NULL), STATUS_OK);
	assert_int_equal(container.count, 3);
	hash32 leaves[3];
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(bytes_equal(container_part(&container, i), parts[i]));
		leaves[i] = merkle_leaf(parts[i]);
	}
	hash32 name = container_name(&container), root = merkle_root(leaves, 3);
	assert_true(hash32_equal(&name, &root));
	buf_fini(&frame);
}

static void every_truncation_and_extension_is_refused(void **state) {
	(void)state;
	struct bytes parts[2] = {BYTES_LITERAL("alpha"), BYTES_LITERAL("beta")};
	struct buf frame;
	buf_init(&frame, 1000);
	assert_int_equal(container_encode(&frame, parts, 2, NULL), STATUS_OK);
	struct container container;
	for (size_t len = 0; len < frame.len; len++)
		assert_int_equal(container_decode(&container, bytes_make(frame.data, len), NULL), STATUS_INVALID);
	buf_byte(&frame, 0);
	assert_int_equal(container_decode(&container, buf_view(&frame), NULL), STATUS_INVALID);
	buf_fini(&frame);
}

static void empty_and_oversized_parts_are_refused(void **state) {
	(void)state;
	struct buf frame;
	buf_init(&frame, 1000);
	struct bytes none = {NULL, 0};
	assert_int_equal(container_encode(&frame, &none, 1, NULL), STATUS_LIMIT);
	assert_int_equal(container_encode(&frame, &none, 0, NULL), STATUS_LIMIT);
	const uint8_t zero_part[] = {'X', 'L', 'C', '1', 0, 0, 0, 1, 0, 0, 0, 0};
	const uint8_t no_parts[] = {'X', 'L', 'C', '1', 0, 0, 0, 0};
	const uint8_t too_many[] = {'X', 'L', 'C', '1', 0xff, 0xff, 0xff, 0xff};
	struct container container;
	assert_int_equal(container_decode(&container, bytes_make(zero_part, 12), NULL), STATUS_INVALID);
	assert_int_equal(container_decode(&container, bytes_make(no_parts, 8), NULL), STATUS_INVALID);
	assert_int_equal(container_decode(&container, bytes_make(too_many, 8), NULL), STATUS_INVALID);
	buf_fini(&frame);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip_and_name),
	    cmocka_unit_test(every_truncation_and_extension_is_refused),
	    cmocka_unit_test(empty_and_oversized_parts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
