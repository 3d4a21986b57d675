#include "ledger/blob/blob_wire.h"

#include "envelope/container.h"

#define HEAD_BYTES 8u
#define ROW_BYTES 5u
#define PAGE_HEAD_BYTES 17u

static const uint8_t wishes_magic[4] = {'X', 'L', 'Q', '1'}, answers_magic[4] = {'X', 'L', 'A', '1'},
		     ask_magic[4] = {'X', 'L', 'N', '1'}, page_magic[4] = {'X', 'L', 'P', '1'};

static void put_head(struct buf *out, const uint8_t magic[4], size_t count) {
	uint8_t digits[4];
	BUG_ON(count < 1 || count > BLOB_WISHES_MAX);
	store_be32(digits, (uint32_t)count);
	buf_append(out, bytes_make(magic, 4));
	buf_append(out, bytes_make(digits, sizeof digits));
}

/* Of what begins with this magic; 0: it does not, or the number is none. */
static size_t count_of(struct bytes bytes, const uint8_t magic[4]) {
	if (bytes.len < HEAD_BYTES || memcmp(bytes.data, magic, 4) != 0) return 0;
	const uint32_t count = load_be32(bytes.data + 4);
	return count <= BLOB_WISHES_MAX ? count : 0;
}

void blob_wishes_encode(struct buf *out, const struct blob_wish *wishes, size_t count) {
	put_head(out, wishes_magic, count);
	for (size_t i = 0; i < count; i++) {
		buf_append(out, BYTES_OF(wishes[i].gate));
		buf_append(out, BYTES_OF(wishes[i].item));
		buf_append(out, BYTES_OF(wishes[i].blob));
	}
}

enum status blob_wishes_decode(
    struct blob_wish out[BLOB_WISHES_MAX], size_t *count, struct bytes bytes, struct err *err) {
	*count = count_of(bytes, wishes_magic);
	if (*count == 0 || bytes.len != HEAD_BYTES + *count * BLOB_WISH_BYTES)
		return err_set(err, STATUS_INVALID, "the body is no list of 1 to %u wishes", BLOB_WISHES_MAX);
	const uint8_t *at = bytes.data + HEAD_BYTES;
	for (size_t i = 0; i < *count; i++, at += BLOB_WISH_BYTES) {
		memcpy(out[i].gate.b, at, 20);
		memcpy(out[i].item.b, at + 20, 32);
		memcpy(out[i].blob.b, at + 52, 32);
	}
	return STATUS_OK;
}

void blob_answers_encode(struct buf *out, const struct blob_answer *answers, size_t count) {
	put_head(out, answers_magic, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t row[ROW_BYTES] = {(uint8_t)answers[i].found};
		store_be32(row + 1, (uint32_t)answers[i].content.len);
		buf_append(out, bytes_make(row, sizeof row));
	}
	for (size_t i = 0; i < count; i++) buf_append(out, answers[i].content);
}

enum status blob_answers_decode(
    struct blob_answer out[BLOB_WISHES_MAX], size_t count, struct bytes bytes, struct err *err) {
	if (count_of(bytes, answers_magic) != count || count == 0 || bytes.len < HEAD_BYTES + count * ROW_BYTES)
		return err_set(err, STATUS_INVALID, "it is not an answer to %zu wishes", count);
	const uint8_t *row = bytes.data + HEAD_BYTES;
	struct bytes rest = bytes_slice(bytes, HEAD_BYTES + count * ROW_BYTES, bytes.len);
	for (size_t i = 0; i < count; i++, row += ROW_BYTES) {
		const uint32_t len = load_be32(row + 1);
		const bool is_given = row[0] == BLOB_GIVEN;
		if (row[0] < BLOB_GIVEN || row[0] > BLOB_LATER || is_given != (len > 0) || len > rest.len)
			return err_set(err, STATUS_INVALID, "the answer to wish %zu is malformed", i);
		out[i].found = (enum blob_found)row[0];
		out[i].content = bytes_slice(rest, 0, len);
		rest = bytes_slice(rest, len, rest.len);
	}
	if (rest.len > 0) return err_set(err, STATUS_INVALID, "%zu bytes are left over", rest.len);
	return STATUS_OK;
}

/* --- what a member knows --- */

int blob_name_compare(const struct blob_name *a, const struct blob_name *b) {
	const int by_gate = memcmp(a->gate.b, b->gate.b, sizeof a->gate.b);
	return by_gate != 0 ? by_gate : memcmp(a->item.b, b->item.b, sizeof a->item.b);
}

void blob_page_ask(struct buf *out, const struct blob_name *after) {
	buf_append(out, bytes_make(ask_magic, sizeof ask_magic));
	buf_append(out, BYTES_OF(after->gate));
	buf_append(out, BYTES_OF(after->item));
}

enum status blob_page_asked(struct blob_name *after, struct bytes bytes, struct err *err) {
	*after = (struct blob_name){.size_bytes = 0};
	if (bytes.len != BLOB_PAGE_ASK_BYTES || memcmp(bytes.data, ask_magic, sizeof ask_magic) != 0)
		return err_set(err, STATUS_INVALID, "the body does not ask for names");
	memcpy(after->gate.b, bytes.data + 4, 20);
	memcpy(after->item.b, bytes.data + 24, 32);
	return STATUS_OK;
}

void blob_page_encode(struct buf *out, const struct blob_page *page) {
	uint8_t head[PAGE_HEAD_BYTES], size[8];
	memcpy(head, page_magic, sizeof page_magic);
	store_be64(head + 4, page->followed);
	head[12] = page->is_last;
	store_be32(head + 13, (uint32_t)page->count);
	buf_append(out, bytes_make(head, sizeof head));
	for (size_t i = 0; i < page->count; i++) {
		const struct blob_name *name = &page->names[i];
		buf_append(out, BYTES_OF(name->gate));
		buf_append(out, BYTES_OF(name->item));
		buf_append(out, BYTES_OF(name->blob));
		store_be64(size, name->size_bytes);
		buf_append(out, bytes_make(size, sizeof size));
	}
}

static void read_name(struct blob_name *out, const uint8_t *at) {
	memcpy(out->gate.b, at, 20);
	memcpy(out->item.b, at + 20, 32);
	memcpy(out->blob.b, at + 52, 32);
	out->size_bytes = load_be64(at + 84);
}

enum status blob_page_decode(
    struct blob_page *out, const struct blob_name *after, struct bytes bytes, struct err *err) {
	if (bytes.len < PAGE_HEAD_BYTES || memcmp(bytes.data, page_magic, sizeof page_magic) != 0 || bytes.data[12] > 1)
		return err_set(err, STATUS_INVALID, "it is no page of names");
	out->followed = load_be64(bytes.data + 4);
	out->is_last = bytes.data[12] == 1;
	out->count = load_be32(bytes.data + 13);
	if (out->count > BLOB_PAGE_NAMES || (out->count < BLOB_PAGE_NAMES && !out->is_last) ||
	    bytes.len != PAGE_HEAD_BYTES + out->count * BLOB_PAGE_NAME_BYTES)
		return err_set(err, STATUS_INVALID, "a page of names has another length than it says");
	for (size_t i = 0; i < out->count; i++) {
		struct blob_name *name = &out->names[i];
		read_name(name, bytes.data + PAGE_HEAD_BYTES + i * BLOB_PAGE_NAME_BYTES);
		if (blob_name_compare(i == 0 ? after : name - 1, name) >= 0)
			return err_set(err, STATUS_INVALID, "name %zu of a page is not after the one before it", i);
		if (name->size_bytes == 0 || name->size_bytes > CONTAINER_BYTES_MAX)
			return err_set(err, STATUS_INVALID, "name %zu of a page has a size of no container", i);
	}
	return STATUS_OK;
}
