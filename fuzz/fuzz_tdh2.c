/*
 * Any bytes as a lock, and as the head of one that somebody asks holders about. What is read is written back as it was,
 * and no bytes that a fuzzer makes are a lock for a label. The first byte chooses.
 */
#include "base/mem.h"
#include "crypto/threshold/tdh2.h"
#include "fuzz/target.h"

static void read_head(struct bytes data) {
	struct tdh2_head head;
	uint8_t written[TDH2_HEAD_BYTES];
	if (tdh2_head_read(&head, data) != STATUS_OK) return;
	tdh2_head_write(written, &head);
	BUG_ON(!bytes_equal(bytes_make(written, sizeof written), data));
	BUG_ON(tdh2_is_for(&head, BYTES_LITERAL("label")));
}

static void read_lock(struct bytes data) {
	struct tdh2_head head;
	struct buf out;
	if (tdh2_head_of(&head, data) != STATUS_OK) return;
	BUG_ON(tdh2_is_for(&head, BYTES_LITERAL("label")));
	buf_init(&out, data.len);
	BUG_ON(tdh2_open(&out, data, BYTES_LITERAL("label"), &head.u) == STATUS_OK);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	if (data[0] % 2)
		read_head(rest);
	else
		read_lock(rest);
	return 0;
}
