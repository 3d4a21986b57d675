#include "ledger/state/rows.h"

enum { HAS_NONCE = 1, HAS_BALANCE = 2, HAS_CODE = 4, HAS_STORAGE = 8 };

const struct account absent_account = {
    .code_hash = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5,
	0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}},
    .storage_root = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
	0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}},
};

static uint8_t *put_number(uint8_t *at, const u256 *value) {
	uint8_t room[32];
	struct bytes trimmed = u256_trimmed_be(room, value);
	*at++ = (uint8_t)trimmed.len;
	memcpy(at, trimmed.data, trimmed.len);
	return at + trimmed.len;
}

static uint8_t *put_hash(uint8_t *at, const hash32 *hash) {
	memcpy(at, hash->b, 32);
	return at + 32;
}

size_t account_row_encode(uint8_t out[ACCOUNT_ROW_BYTES_MAX], const struct account *account) {
	uint8_t *at = out + 1;
	uint8_t flags = 0;
	if (account->nonce) {
		u256 nonce = u256_from(account->nonce);
		flags |= HAS_NONCE;
		at = put_number(at, &nonce);
	}
	if (!u256_is_zero(&account->balance_wei)) {
		flags |= HAS_BALANCE;
		at = put_number(at, &account->balance_wei);
	}
	if (!hash32_equal(&account->code_hash, &absent_account.code_hash)) {
		flags |= HAS_CODE;
		at = put_hash(at, &account->code_hash);
	}
	if (!hash32_equal(&account->storage_root, &absent_account.storage_root)) {
		flags |= HAS_STORAGE;
		at = put_hash(at, &account->storage_root);
	}
	out[0] = flags;
	return (size_t)(at - out);
}

/* Sticky: after the first fault `row` is what no row ends with. */
static void fault(struct bytes *row) {
	*row = (struct bytes){NULL, SIZE_MAX};
}

static u256 take_number(struct bytes *row, size_t bytes_max) {
	if (!row->data || row->len < 1 || row->data[0] == 0 || row->data[0] > bytes_max ||
	    row->len < 1u + row->data[0] || row->data[1] == 0) {
		fault(row);
		return u256_from(0);
	}
	size_t len = row->data[0];
	u256 value = u256_from_be(bytes_make(row->data + 1, len));
	*row = bytes_make(row->data + 1 + len, row->len - 1 - len);
	return value;
}

static void take_hash(struct bytes *row, hash32 *out) {
	if (!row->data || row->len < 32) {
		fault(row);
		return;
	}
	memcpy(out->b, row->data, 32);
	*row = bytes_make(row->data + 32, row->len - 32);
}

enum status account_row_decode(struct account *out, struct bytes row, struct err *err) {
	*out = absent_account;
	uint8_t flags = row.len ? row.data[0] : 0xff;
	if (row.len) row = bytes_make(row.data + 1, row.len - 1);
	if (flags > 15) fault(&row);
	if (flags & HAS_NONCE) out->nonce = take_number(&row, 8).w[0];
	if (flags & HAS_BALANCE) out->balance_wei = take_number(&row, 32);
	if (flags & HAS_CODE) take_hash(&row, &out->code_hash);
	if (flags & HAS_STORAGE) take_hash(&row, &out->storage_root);
	return row.len == 0 ? STATUS_OK : err_set(err, STATUS_CORRUPT, "an account's row is malformed");
}

enum status storage_row_decode(u256 *out, struct bytes row, struct err *err) {
	if (row.len > 32 || (row.len && row.data[0] == 0))
		return err_set(err, STATUS_CORRUPT, "a storage row of %zu bytes is malformed", row.len);
	*out = u256_from_be(row);
	return STATUS_OK;
}

size_t storage_payload(uint8_t out[STORAGE_PAYLOAD_BYTES_MAX], struct bytes row) {
	if (row.len == 1 && row.data[0] < 0x80) {
		out[0] = row.data[0];
		return 1;
	}
	out[0] = (uint8_t)(0x80 + row.len);
	if (row.len) memcpy(out + 1, row.data, row.len);
	return 1 + row.len;
}

static uint8_t *put_rlp(uint8_t *at, struct bytes string) {
	return at + storage_payload(at, string);
}

size_t account_payload(uint8_t out[ACCOUNT_PAYLOAD_BYTES_MAX], const struct account *account) {
	uint8_t room[32];
	u256 nonce = u256_from(account->nonce);
	uint8_t *at = out + 2; /* the two hashes alone make the payload longer than 55 and shorter than 256 bytes */
	at = put_rlp(at, u256_trimmed_be(room, &nonce));
	at = put_rlp(at, u256_trimmed_be(room, &account->balance_wei));
	at = put_rlp(at, BYTES_OF(account->storage_root));
	at = put_rlp(at, BYTES_OF(account->code_hash));
	out[0] = 0xf8;
	out[1] = (uint8_t)(at - out - 2);
	return (size_t)(at - out);
}

struct bytes account_history_key(struct state_key *out, const hash32 *address_hash, uint64_t number) {
	memcpy(out->b, address_hash->b, 32);
	store_be64(out->b + 32, number);
	return bytes_make(out->b, 40);
}

struct bytes storage_history_key(
    struct state_key *out, const hash32 *address_hash, const hash32 *slot_hash, uint64_t number) {
	memcpy(out->b, address_hash->b, 32);
	memcpy(out->b + 32, slot_hash->b, 32);
	store_be64(out->b + 64, number);
	return bytes_make(out->b, 72);
}
