/* rlp_check and a walk with the cursor agree on what is RLP, and what is RLP re-encodes to the same bytes. */
#include "codec/rlp.h"
#include "fuzz/target.h"

#define DEPTH_MAX 1024

static void copy_items(struct buf *out, struct rlp_cursor *cursor, size_t depth) {
	while (!rlp_at_end(cursor)) {
		if (!rlp_next_is_list(cursor)) {
			struct bytes payload = rlp_string(cursor);
			if (!cursor->fault) rlp_put_string(out, payload);
			continue;
		}
		struct rlp_cursor child = rlp_enter(cursor);
		size_t list = rlp_list_begin(out);
		if (depth == DEPTH_MAX)
			rlp_fail(&child, "too deep");
		else
			copy_items(out, &child, depth + 1);
		rlp_list_end(out, list);
		rlp_leave(cursor, &child);
	}
}

/* After a fault every read gives nothing, and the fault stays. */
static void read_numbers(struct bytes input) {
	struct rlp_cursor cursor = rlp_cursor(input);
	uint8_t fixed[20], number[32];
	while (!rlp_at_end(&cursor)) {
		uint64_t value = rlp_u64(&cursor);
		BUG_ON(cursor.fault && value != 0);
		if (rlp_at_end(&cursor)) break;
		rlp_u256(&cursor, number);
		rlp_fixed(&cursor, fixed, sizeof fixed);
	}
	const char *fault = cursor.fault;
	if (!fault) return;
	BUG_ON(rlp_string(&cursor).len || rlp_raw(&cursor).len || rlp_u64(&cursor));
	struct rlp_cursor child = rlp_enter(&cursor);
	BUG_ON(!rlp_at_end(&child) || cursor.fault != fault || rlp_finish(&cursor, NULL) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_make(data, size);
	struct buf out;
	buf_init(&out, 1 << 24);
	struct rlp_cursor whole = rlp_cursor(input), cursor = rlp_cursor(rlp_raw(&whole));
	copy_items(&out, &cursor, 0);
	enum status walked = rlp_finish(&whole, NULL) ? STATUS_INVALID : rlp_finish(&cursor, NULL);
	BUG_ON((walked == STATUS_OK) != (rlp_check(input, NULL) == STATUS_OK));
	if (walked == STATUS_OK) BUG_ON(!bytes_equal(buf_view(&out), input));
	buf_fini(&out);
	read_numbers(input);
	return 0;
}
