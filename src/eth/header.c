#include "crypto/hash.h"
#include "eth/rlp_u256.h"
#include "eth/types.h"

/* The longest header: eight hashes, bloom and numbers stay well below. */
#define HEADER_BYTES_MAX 1024

static void decode_extra_data(struct header *out, struct rlp_cursor *fields) {
	struct bytes extra = rlp_string(fields);
	if (extra.len > sizeof out->extra_data) {
		rlp_fail(fields, "extraData is longer than 32 bytes");
		return;
	}
	memcpy(out->extra_data, extra.data, extra.len);
	out->extra_data_len = (uint8_t)extra.len;
}

static void decode_frontier_fields(struct header *out, struct rlp_cursor *fields) {
	rlp_fixed(fields, out->parent_hash.b, 32);
	rlp_fixed(fields, out->ommers_hash.b, 32);
	rlp_fixed(fields, out->beneficiary.b, 20);
	rlp_fixed(fields, out->state_root.b, 32);
	rlp_fixed(fields, out->transactions_root.b, 32);
	rlp_fixed(fields, out->receipts_root.b, 32);
	rlp_fixed(fields, out->logs_bloom, BLOOM_BYTES);
	out->difficulty = rlp_get_u256(fields);
	out->number = rlp_u64(fields);
	out->gas_limit = rlp_u64(fields);
	out->gas_used = rlp_u64(fields);
	out->timestamp = rlp_u64(fields);
	decode_extra_data(out, fields);
	rlp_fixed(fields, out->mix_hash.b, 32);
	rlp_fixed(fields, out->nonce, 8);
	out->field_count = HEADER_FRONTIER;
}

/* Each later field needs all that came before it. */
static void decode_later_fields(struct header *out, struct rlp_cursor *fields) {
	if (rlp_at_end(fields)) return;
	out->base_fee_wei = rlp_get_u256(fields);
	out->field_count = HEADER_LONDON;
	if (rlp_at_end(fields)) return;
	rlp_fixed(fields, out->withdrawals_root.b, 32);
	out->field_count = HEADER_SHANGHAI;
	if (rlp_at_end(fields)) return;
	out->blob_gas_used = rlp_u64(fields);
	out->excess_blob_gas = rlp_u64(fields);
	out->field_count = HEADER_CANCUN - 1;
	if (rlp_at_end(fields)) return;
	rlp_fixed(fields, out->parent_beacon_root.b, 32);
	out->field_count = HEADER_CANCUN;
	if (rlp_at_end(fields)) return;
	rlp_fixed(fields, out->requests_hash.b, 32);
	out->field_count = HEADER_PRAGUE;
}

enum status header_decode(struct header *out, struct bytes rlp, struct err *err) {
	memset(out, 0, sizeof *out);
	struct rlp_cursor cursor = rlp_cursor(rlp);
	struct rlp_cursor fields = rlp_enter(&cursor);
	decode_frontier_fields(out, &fields);
	decode_later_fields(out, &fields);
	rlp_leave(&cursor, &fields);
	enum status status = rlp_finish(&cursor, err);
	return status ? err_prefix(err, status, "header") : STATUS_OK;
}

void header_encode(struct buf *out, const struct header *header) {
	size_t list = rlp_list_begin(out);
	rlp_put_string(out, BYTES_OF(header->parent_hash));
	rlp_put_string(out, BYTES_OF(header->ommers_hash));
	rlp_put_string(out, BYTES_OF(header->beneficiary));
	rlp_put_string(out, BYTES_OF(header->state_root));
	rlp_put_string(out, BYTES_OF(header->transactions_root));
	rlp_put_string(out, BYTES_OF(header->receipts_root));
	rlp_put_string(out, bytes_make(header->logs_bloom, BLOOM_BYTES));
	rlp_put_u256(out, &header->difficulty);
	rlp_put_u64(out, header->number);
	rlp_put_u64(out, header->gas_limit);
	rlp_put_u64(out, header->gas_used);
	rlp_put_u64(out, header->timestamp);
	rlp_put_string(out, bytes_make(header->extra_data, header->extra_data_len));
	rlp_put_string(out, BYTES_OF(header->mix_hash));
	rlp_put_string(out, bytes_make(header->nonce, 8));
	if (header->field_count >= HEADER_LONDON) rlp_put_u256(out, &header->base_fee_wei);
	if (header->field_count >= HEADER_SHANGHAI) rlp_put_string(out, BYTES_OF(header->withdrawals_root));
	if (header->field_count > HEADER_SHANGHAI) {
		rlp_put_u64(out, header->blob_gas_used);
		rlp_put_u64(out, header->excess_blob_gas);
	}
	if (header->field_count >= HEADER_CANCUN) rlp_put_string(out, BYTES_OF(header->parent_beacon_root));
	if (header->field_count >= HEADER_PRAGUE) rlp_put_string(out, BYTES_OF(header->requests_hash));
	rlp_list_end(out, list);
}

hash32 header_hash(const struct header *header) {
	struct buf encoded;
	buf_init(&encoded, HEADER_BYTES_MAX);
	header_encode(&encoded, header);
	BUG_ON(encoded.overflow);
	hash32 hash = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return hash;
}
