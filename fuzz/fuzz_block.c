/* Blocks, bodies, headers and receipts that decode encode to the bytes they came from. */
#include "eth/types.h"
#include "fuzz/target.h"

static void check_same(struct buf *encoded, struct bytes input) {
	BUG_ON(!bytes_equal(buf_view(encoded), input));
	buf_clear(encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_make(data, size);
	struct block block;
	struct header header;
	struct receipt receipt;
	struct arena arena;
	struct buf out;
	struct err err;
	arena_init(&arena);
	buf_init(&out, 1 << 24);
	if (block_decode(&block, &arena, input, &err) == STATUS_OK) {
		block_encode(&out, &block);
		check_same(&out, input);
	}
	if (block_body_decode(&block, &arena, input, &err) == STATUS_OK) {
		block_body_encode(&out, &block);
		check_same(&out, input);
	}
	if (header_decode(&header, input, &err) == STATUS_OK) {
		header_encode(&out, &header);
		check_same(&out, input);
	}
	if (receipt_decode(&receipt, &arena, input, &err) == STATUS_OK) {
		receipt_encode(&out, &receipt);
		check_same(&out, input);
	}
	buf_fini(&out);
	arena_fini(&arena);
	return 0;
}
