#include "eth/rlp_u256.h"
#include "eth/transaction_encode.h"

/* The shortest encodings of the things that a list may repeat. */
#define ACCESS_ENTRY_BYTES_MIN (1 + 21 + 1)
#define AUTHORIZATION_BYTES_MIN (1 + 1 + 21 + 1 + 1 + 1 + 1)
#define HASH_ITEM_BYTES 33

static void decode_to(struct transaction *out, struct rlp_cursor *fields) {
	bool may_create = out->type != TX_BLOB && out->type != TX_SET_CODE;
	struct bytes to = rlp_string(fields);
	out->is_create = to.len == 0;
	if (to.len == sizeof out->to.b)
		memcpy(out->to.b, to.data, to.len);
	else if (to.len != 0 || !may_create)
		rlp_fail(fields, "`to` is no address");
}

static const hash32 *decode_hashes(size_t *count, struct arena *arena, struct rlp_cursor *parent) {
	struct rlp_cursor list = rlp_enter(parent);
	*count = rlp_count(&list, HASH_ITEM_BYTES);
	hash32 *hashes = arena_alloc(arena, *count * sizeof *hashes);
	for (size_t i = 0; i < *count; i++) rlp_fixed(&list, hashes[i].b, 32);
	rlp_leave(parent, &list);
	return hashes;
}

/* EIP-2930. */
static void decode_access_list(struct transaction *out, struct arena *arena, struct rlp_cursor *parent) {
	struct rlp_cursor list = rlp_enter(parent);
	out->access_count = rlp_count(&list, ACCESS_ENTRY_BYTES_MIN);
	struct access_entry *entries = arena_zalloc(arena, out->access_count, sizeof *entries);
	out->access_list = entries;
	for (size_t i = 0; i < out->access_count; i++) {
		struct rlp_cursor entry = rlp_enter(&list);
		rlp_fixed(&entry, entries[i].address.b, 20);
		entries[i].slots = decode_hashes(&entries[i].slot_count, arena, &entry);
		rlp_leave(&list, &entry);
	}
	rlp_leave(parent, &list);
}

/* EIP-7702. */
static void decode_authorizations(struct transaction *out, struct arena *arena, struct rlp_cursor *parent) {
	struct rlp_cursor list = rlp_enter(parent);
	out->authorization_count = rlp_count(&list, AUTHORIZATION_BYTES_MIN);
	struct authorization *items = arena_zalloc(arena, out->authorization_count, sizeof *items);
	out->authorizations = items;
	for (size_t i = 0; i < out->authorization_count; i++) {
		struct rlp_cursor fields = rlp_enter(&list);
		items[i].chain_id = rlp_get_u256(&fields);
		rlp_fixed(&fields, items[i].address.b, 20);
		items[i].nonce = rlp_u64(&fields);
		items[i].y_parity = rlp_get_u256(&fields);
		if (u256_clamp_u64(&items[i].y_parity) > UINT8_MAX)
			rlp_fail(&fields, "authorization's parity is too large");
		items[i].r = rlp_get_u256(&fields);
		items[i].s = rlp_get_u256(&fields);
		rlp_leave(&list, &fields);
	}
	rlp_leave(parent, &list);
}

/* 27 and 28, or 35 and above with the chain id inside (EIP-155). */
static void decode_legacy_v(struct transaction *out, struct rlp_cursor *fields) {
	const u256 base = u256_from(35);
	out->v = rlp_get_u256(fields);
	if (u256_sub_overflow(&out->chain_id, &out->v, &base)) {
		out->chain_id = u256_from(0);
		if (out->v.w[0] != 27 && out->v.w[0] != 28) rlp_fail(fields, "v is neither 27, 28, nor 35 and above");
		out->y_parity = out->v.w[0] == 28;
		return;
	}
	out->has_chain_id = true;
	out->y_parity = out->chain_id.w[0] & 1;
	out->chain_id = u256_shr(&out->chain_id, 1);
}

static void decode_typed_v(struct transaction *out, struct rlp_cursor *fields) {
	out->v = rlp_get_u256(fields);
	if (u256_clamp_u64(&out->v) > 1) rlp_fail(fields, "parity is neither 0 nor 1");
	out->y_parity = out->v.w[0] & 1;
}

/* The fields in the order of each type; the encoder below mirrors it. */
static void decode_fields(struct transaction *out, struct arena *arena, struct rlp_cursor *fields) {
	if (out->type != TX_LEGACY) {
		out->has_chain_id = true;
		out->chain_id = rlp_get_u256(fields);
	}
	out->nonce = rlp_u64(fields);
	out->max_priority_fee_wei = rlp_get_u256(fields);
	out->max_fee_wei = out->type < TX_DYNAMIC_FEE ? out->max_priority_fee_wei : rlp_get_u256(fields);
	out->gas_limit = rlp_u64(fields);
	decode_to(out, fields);
	out->value_wei = rlp_get_u256(fields);
	out->data = rlp_string(fields);
	if (out->type != TX_LEGACY) decode_access_list(out, arena, fields);
	if (out->type == TX_BLOB) {
		out->max_blob_fee_wei = rlp_get_u256(fields);
		out->blob_hashes = decode_hashes(&out->blob_count, arena, fields);
	}
	if (out->type == TX_SET_CODE) decode_authorizations(out, arena, fields);
	if (out->type == TX_LEGACY)
		decode_legacy_v(out, fields);
	else
		decode_typed_v(out, fields);
	out->r = rlp_get_u256(fields);
	out->s = rlp_get_u256(fields);
}

/*
 * A blob transaction in its pool form is [transaction, blobs, commitments, proofs], with a version before the blobs
 * since EIP-7594. Gives the inner envelope, whose bytes exist nowhere in one piece before.
 */
static struct bytes unwrap_sidecar(struct bytes *sidecar, struct arena *arena, struct rlp_cursor *cursor) {
	struct rlp_cursor wrapper = rlp_enter(cursor);
	struct bytes list = rlp_raw(&wrapper);
	*sidecar = bytes_make(wrapper.at, (size_t)(wrapper.end - wrapper.at));
	size_t items = rlp_count(&wrapper, 1);
	if (items != 3 && items != 4) rlp_fail(&wrapper, "sidecar has not three or four parts");
	if (wrapper.fault) {
		rlp_leave(cursor, &wrapper);
		*sidecar = (struct bytes){0};
		return (struct bytes){0};
	}
	uint8_t *envelope = arena_alloc(arena, 1 + list.len);
	envelope[0] = TX_BLOB;
	memcpy(envelope + 1, list.data, list.len);
	return bytes_make(envelope, 1 + list.len);
}

/* Does the payload's first list begin with a list, as only the pool form does? */
static bool has_sidecar(struct bytes payload) {
	struct rlp_cursor cursor = rlp_cursor(payload);
	struct rlp_cursor fields = rlp_enter(&cursor);
	return rlp_next_is_list(&fields);
}

enum status transaction_decode(
    struct transaction *out, struct bytes *sidecar, struct arena *arena, struct bytes envelope, struct err *err) {
	memset(out, 0, sizeof *out);
	if (sidecar) *sidecar = (struct bytes){0};
	if (!envelope.len) return err_set(err, STATUS_INVALID, "transaction is empty");
	if (envelope.data[0] < 0xc0) {
		if (envelope.data[0] < TX_ACCESS_LIST || envelope.data[0] > TX_SET_CODE)
			return err_set(err, STATUS_INVALID, "unknown transaction type %u", envelope.data[0]);
		out->type = (enum tx_type)envelope.data[0];
	}
	size_t type_len = out->type == TX_LEGACY ? 0 : 1;
	struct bytes payload = bytes_slice(envelope, type_len, envelope.len);
	if (sidecar && out->type == TX_BLOB && has_sidecar(payload)) {
		struct rlp_cursor cursor = rlp_cursor(payload);
		envelope = unwrap_sidecar(sidecar, arena, &cursor);
		TRY(rlp_finish(&cursor, err));
		payload = bytes_slice(envelope, type_len, envelope.len);
	}
	struct rlp_cursor cursor = rlp_cursor(payload);
	struct rlp_cursor fields = rlp_enter(&cursor);
	decode_fields(out, arena, &fields);
	rlp_leave(&cursor, &fields);
	out->raw = envelope;
	return rlp_finish(&cursor, err);
}

static void encode_access_list(struct buf *out, const struct transaction *tx) {
	size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < tx->access_count; i++) {
		const struct access_entry *entry = &tx->access_list[i];
		size_t fields = rlp_list_begin(out);
		rlp_put_string(out, BYTES_OF(entry->address));
		rlp_put_list_header(out, HASH_ITEM_BYTES * entry->slot_count);
		for (size_t k = 0; k < entry->slot_count; k++) rlp_put_string(out, BYTES_OF(entry->slots[k]));
		rlp_list_end(out, fields);
	}
	rlp_list_end(out, list);
}

static void encode_authorizations(struct buf *out, const struct transaction *tx) {
	size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < tx->authorization_count; i++) {
		const struct authorization *item = &tx->authorizations[i];
		size_t fields = rlp_list_begin(out);
		rlp_put_u256(out, &item->chain_id);
		rlp_put_string(out, BYTES_OF(item->address));
		rlp_put_u64(out, item->nonce);
		rlp_put_u256(out, &item->y_parity);
		rlp_put_u256(out, &item->r);
		rlp_put_u256(out, &item->s);
		rlp_list_end(out, fields);
	}
	rlp_list_end(out, list);
}

/* All fields before the signature. */
static void encode_unsigned_fields(struct buf *out, const struct transaction *tx) {
	if (tx->type != TX_LEGACY) rlp_put_u256(out, &tx->chain_id);
	rlp_put_u64(out, tx->nonce);
	rlp_put_u256(out, &tx->max_priority_fee_wei);
	if (tx->type >= TX_DYNAMIC_FEE) rlp_put_u256(out, &tx->max_fee_wei);
	rlp_put_u64(out, tx->gas_limit);
	rlp_put_string(out, bytes_make(tx->to.b, tx->is_create ? 0 : sizeof tx->to.b));
	rlp_put_u256(out, &tx->value_wei);
	rlp_put_string(out, tx->data);
	if (tx->type != TX_LEGACY) encode_access_list(out, tx);
	if (tx->type == TX_BLOB) {
		rlp_put_u256(out, &tx->max_blob_fee_wei);
		rlp_put_list_header(out, HASH_ITEM_BYTES * tx->blob_count);
		for (size_t i = 0; i < tx->blob_count; i++) rlp_put_string(out, BYTES_OF(tx->blob_hashes[i]));
	}
	if (tx->type == TX_SET_CODE) encode_authorizations(out, tx);
}

void transaction_encode(struct buf *out, const struct transaction *tx) {
	if (tx->type != TX_LEGACY) buf_byte(out, (uint8_t)tx->type);
	size_t list = rlp_list_begin(out);
	encode_unsigned_fields(out, tx);
	rlp_put_u256(out, &tx->v);
	rlp_put_u256(out, &tx->r);
	rlp_put_u256(out, &tx->s);
	rlp_list_end(out, list);
}

void transaction_encode_unsigned(struct buf *out, const struct transaction *tx) {
	if (tx->type != TX_LEGACY) buf_byte(out, (uint8_t)tx->type);
	size_t list = rlp_list_begin(out);
	encode_unsigned_fields(out, tx);
	if (tx->type == TX_LEGACY && tx->has_chain_id) {
		rlp_put_u256(out, &tx->chain_id);
		rlp_put_u64(out, 0);
		rlp_put_u64(out, 0);
	}
	rlp_list_end(out, list);
}
