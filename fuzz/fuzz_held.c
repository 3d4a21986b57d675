/* What members of a consortium send each other about blobs: what is read re-encodes to the same bytes, and nothing that
 * an answer gives lies outside of it. The first byte says to how many wishes an answer is read. */
#include "fuzz/target.h"
#include "ledger/blob/blob_wire.h"

static void check_wishes(struct bytes bytes) {
	struct blob_wish wishes[BLOB_WISHES_MAX];
	size_t count;
	if (blob_wishes_decode(wishes, &count, bytes, NULL) != STATUS_OK) return;
	struct buf out;
	buf_init(&out, BLOB_WISHES_BYTES_MAX);
	blob_wishes_encode(&out, wishes, count);
	BUG_ON(!bytes_equal(buf_view(&out), bytes));
	buf_fini(&out);
}

static void check_answers(struct bytes bytes, size_t count) {
	struct blob_answer answers[BLOB_WISHES_MAX];
	if (blob_answers_decode(answers, count, bytes, NULL) != STATUS_OK) return;
	struct buf out;
	buf_init(&out, bytes.len);
	blob_answers_encode(&out, answers, count);
	BUG_ON(!bytes_equal(buf_view(&out), bytes));
	buf_fini(&out);
}

static void check_page(struct bytes bytes) {
	static struct blob_page page;
	static const struct blob_name begin;
	if (blob_page_decode(&page, &begin, bytes, NULL) != STATUS_OK) return;
	struct buf out;
	buf_init(&out, BLOB_PAGE_BYTES_MAX);
	blob_page_encode(&out, &page);
	BUG_ON(!bytes_equal(buf_view(&out), bytes));
	buf_fini(&out);
}

static void check_question(struct bytes bytes) {
	struct blob_name after;
	if (blob_page_asked(&after, bytes, NULL) != STATUS_OK) return;
	struct buf out;
	buf_init(&out, BLOB_PAGE_ASK_BYTES);
	blob_page_ask(&out, &after);
	BUG_ON(!bytes_equal(buf_view(&out), bytes));
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes bytes = bytes_make(data + 1, size - 1);
	check_wishes(bytes);
	check_answers(bytes, data[0]);
	check_page(bytes);
	check_question(bytes);
	return 0;
}
