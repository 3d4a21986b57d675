#include "eth/outer.h"

#include "codec/hex.h"
#include "crypto/hash.h"

static const char statement_mark[16] = {
    'x', 'i', 'n', 'g', 'l', 'i', 'n', ' ', 'o', 'u', 't', 'e', 'r', ' ', '1', '\n'};

static void put_u64(struct buf *out, uint64_t value) {
	uint8_t digits[8];
	store_be64(digits, value);
	buf_append(out, bytes_make(digits, sizeof digits));
}

static void put_point(struct buf *out, const struct p256_public *point) {
	uint8_t element[VOPRF_ELEMENT_BYTES];
	voprf_element_write(element, point);
	buf_append(out, bytes_make(element, sizeof element));
}

/* --- statements --- */

void outer_statement_write(struct buf *out, const struct outer_statement *statement) {
	buf_append(out, bytes_make(statement_mark, sizeof statement_mark));
	put_u64(out, statement->number);
	buf_byte(out, statement->commitments.threshold);
	buf_byte(out, statement->holder_count);
	for (size_t i = 0; i < statement->holder_count; i++) buf_append(out, BYTES_OF(statement->holders[i]));
	for (size_t i = 0; i < statement->commitments.threshold; i++) put_point(out, &statement->commitments.points[i]);
}

/* Ascending, so none occurs twice. */
static bool read_holders(struct outer_statement *out, struct bytes data) {
	for (size_t i = 0; i < out->holder_count; i++) {
		memcpy(out->holders[i].b, data.data + 20 * i, 20);
		if (i > 0 && memcmp(out->holders[i - 1].b, out->holders[i].b, 20) >= 0) return false;
	}
	return true;
}

enum status outer_statement_read(struct outer_statement *out, struct bytes data) {
	if (data.len < OUTER_HEAD_BYTES || memcmp(data.data, statement_mark, sizeof statement_mark) != 0)
		return STATUS_INVALID;
	*out = (struct outer_statement){.number = load_be64(data.data + 16), .holder_count = data.data[25]};
	out->commitments.threshold = data.data[24];
	const size_t holders = 20u * out->holder_count, points = VOPRF_ELEMENT_BYTES * out->commitments.threshold;
	if (out->number == 0 || out->holder_count == 0 || out->holder_count > OUTER_HOLDERS_MAX ||
	    out->commitments.threshold != outer_threshold(out->holder_count) ||
	    data.len != OUTER_HEAD_BYTES + holders + points ||
	    !read_holders(out, bytes_slice(data, OUTER_HEAD_BYTES, holders)))
		return STATUS_INVALID;
	for (size_t i = 0; i < out->commitments.threshold; i++) {
		const size_t at = OUTER_HEAD_BYTES + holders + i * VOPRF_ELEMENT_BYTES;
		TRY(voprf_element_read(&out->commitments.points[i], bytes_slice(data, at, VOPRF_ELEMENT_BYTES)));
	}
	return STATUS_OK;
}

hash32 outer_statement_hash(const struct outer_statement *statement) {
	struct buf bytes;
	buf_init(&bytes, OUTER_STATEMENT_MAX);
	outer_statement_write(&bytes, statement);
	const hash32 hash = sha256(buf_view(&bytes));
	buf_fini(&bytes);
	return hash;
}

uint8_t outer_index(const struct outer_statement *statement, const addr20 *node) {
	for (uint8_t i = 0; i < statement->holder_count; i++)
		if (addr20_equal(&statement->holders[i], node)) return (uint8_t)(i + 1);
	return 0;
}

/* --- wishes and parts --- */

void outer_label(uint8_t out[OUTER_LABEL_BYTES], const hash32 *genesis, const addr20 *gate, const hash32 *item) {
	memcpy(out, genesis->b, 32);
	memcpy(out + 32, gate->b, 20);
	memcpy(out + 52, item->b, 32);
}

void outer_wish_write(uint8_t out[OUTER_WISH_BYTES], const struct outer_wish *wish) {
	store_be64(out, wish->number);
	out[8] = wish->needed;
	tdh2_head_write(out + 9, &wish->head);
	voprf_element_write(out + 9 + TDH2_HEAD_BYTES, &wish->reader);
}

enum status outer_wish_read(struct outer_wish *out, struct bytes data) {
	if (data.len != OUTER_WISH_BYTES || data.data[8] == 0 || data.data[8] > OUTER_HOLDERS_MAX)
		return STATUS_INVALID;
	out->number = load_be64(data.data);
	out->needed = data.data[8];
	TRY(tdh2_head_read(&out->head, bytes_slice(data, 9, TDH2_HEAD_BYTES)));
	return voprf_element_read(&out->reader, bytes_slice(data, 9 + TDH2_HEAD_BYTES, VOPRF_ELEMENT_BYTES));
}

void outer_action(char out[OUTER_ACTION_BYTES], struct bytes wish) {
	const hash32 digest = sha256(wish);
	struct buf text;
	buf_init(&text, OUTER_ACTION_BYTES);
	buf_text(&text, "release ");
	hex_put(&text, BYTES_OF(digest), true);
	memcpy(out, buf_cstr(&text), text.len + 1);
	buf_fini(&text);
}

enum status outer_part_make(uint8_t out[OUTER_PART_BYTES], const struct outer_wish *wish,
    const uint8_t label[OUTER_LABEL_BYTES], const struct vss_share *share, const struct random_source *random) {
	const struct bytes said = bytes_make(label, OUTER_LABEL_BYTES);
	struct voprf_part part;
	uint8_t bytes[VOPRF_PART_BYTES];
	struct buf sealed;
	if (!tdh2_is_for(&wish->head, said)) return STATUS_DENIED;
	TRY(voprf_evaluate(&part, share, &wish->head.u, random));
	voprf_part_write(bytes, &part);
	buf_init(&sealed, OUTER_PART_BYTES);
	const enum status status = tdh2_lock(&sealed, &wish->reader, said, bytes_make(bytes, sizeof bytes), random);
	if (status == STATUS_OK) memcpy(out, sealed.data, OUTER_PART_BYTES);
	buf_fini(&sealed);
	mem_wipe(bytes, sizeof bytes);
	mem_wipe(&part, sizeof part);
	return status;
}

enum status outer_part_open(struct voprf_part *out, struct bytes part, const uint8_t label[OUTER_LABEL_BYTES],
    const struct p256_secret *reader) {
	struct buf opened;
	if (part.len != OUTER_PART_BYTES) return STATUS_INVALID;
	buf_init(&opened, VOPRF_PART_BYTES);
	enum status status = tdh2_open_alone(&opened, part, bytes_make(label, OUTER_LABEL_BYTES), reader);
	if (status == STATUS_OK) status = voprf_part_read(out, buf_view(&opened));
	buf_wipe(&opened);
	return status;
}
