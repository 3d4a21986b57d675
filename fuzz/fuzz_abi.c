/* The first bytes say what is read next, the rest is read: views stay inside the input, and after a fault nothing
 * comes. */
#include "eth/abi.h"
#include "fuzz/target.h"

#define SCRIPT_BYTES 16

static void check_view(struct bytes view, struct bytes data) {
	BUG_ON(view.len && (view.data < data.data || view.data + view.len > data.data + data.len));
}

static void read_next(struct abi_reader *reader, struct abi_reader *child, uint8_t what, struct bytes data) {
	uint8_t fixed[32];
	size_t count;
	switch (what % 9) {
	case 0: abi_u64(reader); break;
	case 1: abi_u256(reader); break;
	case 2: abi_bool(reader); break;
	case 3: abi_address(reader); break;
	case 4: abi_hash32(reader); break;
	case 5: abi_fixed(reader, fixed, what % 33); break;
	case 6: check_view(abi_bytes(reader), data); break;
	case 7:
		*child = abi_tuple(reader);
		check_view(child->row, data);
		break;
	case 8:
		*child = abi_array(reader, &count);
		check_view(child->row, data);
		BUG_ON(count > data.len / 32);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < SCRIPT_BYTES) return 0;
	struct bytes input = bytes_make(data + SCRIPT_BYTES, size - SCRIPT_BYTES);
	struct abi_reader outer = abi_reader(input), levels[SCRIPT_BYTES];
	size_t depth = 0;
	for (size_t i = 0; i < SCRIPT_BYTES; i++) {
		uint8_t what = data[i];
		read_next(depth ? &levels[depth - 1] : &outer, &levels[depth], what, input);
		if (what % 9 >= 7 && depth + 1 < SCRIPT_BYTES) depth++;
		if (depth && what >= 0xc0) depth--;
	}
	struct err err;
	if (abi_finish(&outer, &err)) BUG_ON(abi_bytes(&outer).len || abi_u64(&outer));
	return 0;
}
