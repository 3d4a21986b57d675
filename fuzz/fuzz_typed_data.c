/* Typed data in JSON either has one digest, the same each time, or is refused. */
#include "eth/eip712.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct json_limits limits = {.bytes_max = 1 << 16, .depth_max = 64, .values_max = 2000};
	const struct json *root;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	if (json_parse(&root, &arena, bytes_make(data, size), &limits, &err) == STATUS_OK) {
		hash32 first, second;
		enum status status = eip712_typed_data(&first, &arena, root, &err);
		BUG_ON(eip712_typed_data(&second, &arena, root, NULL) != status);
		BUG_ON(status == STATUS_OK && !hash32_equal(&first, &second));
	}
	arena_fini(&arena);
	return 0;
}
