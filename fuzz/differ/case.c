#include "fuzz/differ/case.h"

/* --- writing --- */

void put_u16(struct buf *out, uint64_t value) {
	BUG_ON(value > UINT16_MAX);
	buf_byte(out, (uint8_t)(value >> 8));
	buf_byte(out, (uint8_t)value);
}

void put_u32(struct buf *out, uint64_t value) {
	BUG_ON(value > UINT32_MAX);
	store_be32(buf_extend(out, 4), (uint32_t)value);
}

void put_u64(struct buf *out, uint64_t value) {
	store_be64(buf_extend(out, 8), value);
}

void put_word(struct buf *out, const u256 *value) {
	u256_store_be(buf_extend(out, 32), value);
}

void put_sized(struct buf *out, struct bytes bytes) {
	put_u32(out, bytes.len);
	buf_append(out, bytes);
}

static void put_half_word(struct buf *out, const u256 *value) {
	BUG_ON(value->w[2] != 0 || value->w[3] != 0);
	put_u64(out, value->w[1]);
	put_u64(out, value->w[0]);
}

static void put_block(struct buf *out, const struct header *block) {
	buf_append(out, BYTES_OF(block->beneficiary));
	put_u64(out, block->number);
	put_u64(out, block->timestamp);
	put_u64(out, block->gas_limit);
	put_word(out, &block->difficulty);
	buf_append(out, BYTES_OF(block->mix_hash));
	put_u64(out, block->base_fee_wei.w[0]);
	put_u64(out, block->excess_blob_gas);
}

static void put_account(struct buf *out, const struct case_account *account) {
	buf_append(out, BYTES_OF(account->address));
	put_u64(out, account->nonce);
	put_word(out, &account->balance_wei);
	put_sized(out, account->code);
	put_u16(out, account->slot_count);
	for (size_t i = 0; i < account->slot_count; i++) {
		put_word(out, &account->slots[i].slot);
		put_word(out, &account->slots[i].value);
	}
}

static void put_lists(struct buf *out, const struct transaction *tx) {
	put_u16(out, tx->access_count);
	for (size_t i = 0; i < tx->access_count; i++) {
		const struct access_entry *entry = &tx->access_list[i];
		buf_append(out, BYTES_OF(entry->address));
		put_u16(out, entry->slot_count);
		for (size_t k = 0; k < entry->slot_count; k++) buf_append(out, BYTES_OF(entry->slots[k]));
	}
	put_half_word(out, &tx->max_blob_fee_wei);
	put_u16(out, tx->blob_count);
	for (size_t i = 0; i < tx->blob_count; i++) buf_append(out, BYTES_OF(tx->blob_hashes[i]));
	put_u16(out, tx->authorization_count);
	for (size_t i = 0; i < tx->authorization_count; i++) {
		const struct authorization *entry = &tx->authorizations[i];
		put_word(out, &entry->chain_id);
		buf_append(out, BYTES_OF(entry->address));
		put_u64(out, entry->nonce);
		buf_byte(out, (uint8_t)entry->y_parity.w[0]);
		put_word(out, &entry->r);
		put_word(out, &entry->s);
	}
}

static void put_transaction(struct buf *out, const struct case_transaction *item) {
	const struct transaction *tx = &item->tx;
	buf_byte(out, (uint8_t)tx->type);
	buf_append(out, BYTES_OF(item->sender));
	buf_byte(out, tx->has_chain_id);
	put_u64(out, tx->chain_id.w[0]);
	put_u64(out, tx->nonce);
	put_u64(out, tx->gas_limit);
	put_half_word(out, &tx->max_fee_wei);
	put_half_word(out, &tx->max_priority_fee_wei);
	buf_byte(out, tx->is_create);
	buf_append(out, BYTES_OF(tx->to));
	put_word(out, &tx->value_wei);
	put_sized(out, tx->data);
	put_lists(out, tx);
}

void case_encode(struct buf *out, const struct differ_case *one) {
	put_u64(out, one->seed);
	buf_byte(out, (uint8_t)one->fork);
	put_u64(out, one->chain_id);
	put_block(out, &one->block);
	put_u16(out, one->account_count);
	for (size_t i = 0; i < one->account_count; i++) put_account(out, &one->accounts[i]);
	put_u16(out, one->transaction_count);
	for (size_t i = 0; i < one->transaction_count; i++) put_transaction(out, &one->transactions[i]);
}

void frame_encode(struct buf *out, const struct differ_frame *frame) {
	put_sized(out, frame->one);
	put_sized(out, frame->result);
	put_sized(out, frame->remark);
}

/* --- reading: a cursor that fails once and stays failed --- */

struct cursor {
	struct bytes rest;
	bool failed;
	struct arena *arena;
};

/* Zeros once it failed. */
static const uint8_t *get(struct cursor *cursor, size_t len) {
	static const uint8_t zeros[32];
	if (cursor->failed || cursor->rest.len < len) {
		cursor->failed = true;
		return len <= sizeof zeros ? zeros : NULL;
	}
	const uint8_t *at = cursor->rest.data;
	cursor->rest = bytes_slice(cursor->rest, len, cursor->rest.len);
	return at;
}

static uint8_t get_u8(struct cursor *cursor) {
	return *get(cursor, 1);
}

static bool get_bool(struct cursor *cursor) {
	const uint8_t byte = get_u8(cursor);
	cursor->failed |= byte > 1;
	return byte == 1;
}

static size_t get_u16(struct cursor *cursor) {
	const uint8_t *at = get(cursor, 2);
	return (size_t)at[0] << 8 | at[1];
}

static uint64_t get_u64(struct cursor *cursor) {
	return load_be64(get(cursor, 8));
}

static u256 get_half_word(struct cursor *cursor) {
	const uint64_t high = get_u64(cursor);
	return (u256){{get_u64(cursor), high, 0, 0}};
}

static u256 get_word(struct cursor *cursor) {
	return u256_load_be(get(cursor, 32));
}

static addr20 get_address(struct cursor *cursor) {
	addr20 address;
	memcpy(address.b, get(cursor, 20), 20);
	return address;
}

static hash32 get_hash(struct cursor *cursor) {
	hash32 hash;
	memcpy(hash.b, get(cursor, 32), 32);
	return hash;
}

static struct bytes get_sized(struct cursor *cursor) {
	const size_t len = load_be32(get(cursor, 4));
	const uint8_t *at = get(cursor, len);
	return cursor->failed ? (struct bytes){NULL, 0} : bytes_make(at, len);
}

/* A list's count, never more than its items could fill. */
static size_t get_count(struct cursor *cursor, size_t item_bytes) {
	const size_t count = get_u16(cursor);
	cursor->failed |= count * item_bytes > cursor->rest.len;
	return cursor->failed ? 0 : count;
}

static const hash32 *get_hashes(struct cursor *cursor, size_t *count) {
	*count = get_count(cursor, 32);
	hash32 *hashes = arena_alloc(cursor->arena, *count * sizeof *hashes);
	for (size_t i = 0; i < *count; i++) hashes[i] = get_hash(cursor);
	return hashes;
}

static struct header get_block(struct cursor *cursor) {
	struct header block = {.beneficiary = get_address(cursor)};
	block.number = get_u64(cursor);
	block.timestamp = get_u64(cursor);
	block.gas_limit = get_u64(cursor);
	block.difficulty = get_word(cursor);
	block.mix_hash = get_hash(cursor);
	block.base_fee_wei = u256_from(get_u64(cursor));
	block.excess_blob_gas = get_u64(cursor);
	return block;
}

static struct case_account get_account(struct cursor *cursor) {
	struct case_account account = {.address = get_address(cursor)};
	account.nonce = get_u64(cursor);
	account.balance_wei = get_word(cursor);
	account.code = get_sized(cursor);
	account.slot_count = get_count(cursor, 64);
	struct case_slot *slots = arena_alloc(cursor->arena, account.slot_count * sizeof *slots);
	for (size_t i = 0; i < account.slot_count; i++) {
		slots[i].slot = get_word(cursor);
		slots[i].value = get_word(cursor);
	}
	account.slots = slots;
	return account;
}

static void get_lists(struct cursor *cursor, struct transaction *tx) {
	tx->access_count = get_count(cursor, 22);
	struct access_entry *list = arena_alloc(cursor->arena, tx->access_count * sizeof *list);
	for (size_t i = 0; i < tx->access_count; i++) {
		list[i].address = get_address(cursor);
		list[i].slots = get_hashes(cursor, &list[i].slot_count);
	}
	tx->access_list = list;
	tx->max_blob_fee_wei = get_half_word(cursor);
	tx->blob_hashes = get_hashes(cursor, &tx->blob_count);
	tx->authorization_count = get_count(cursor, 125);
	struct authorization *entries = arena_alloc(cursor->arena, tx->authorization_count * sizeof *entries);
	for (size_t i = 0; i < tx->authorization_count; i++) {
		entries[i].chain_id = get_word(cursor);
		entries[i].address = get_address(cursor);
		entries[i].nonce = get_u64(cursor);
		entries[i].y_parity = u256_from(get_u8(cursor));
		entries[i].r = get_word(cursor);
		entries[i].s = get_word(cursor);
	}
	tx->authorizations = entries;
}

static struct case_transaction get_transaction(struct cursor *cursor) {
	struct case_transaction item = {0};
	struct transaction *tx = &item.tx;
	const uint8_t type = get_u8(cursor);
	cursor->failed |= type > TX_SET_CODE;
	tx->type = (enum tx_type)type;
	item.sender = get_address(cursor);
	tx->has_chain_id = get_bool(cursor);
	tx->chain_id = u256_from(get_u64(cursor));
	tx->nonce = get_u64(cursor);
	tx->gas_limit = get_u64(cursor);
	tx->max_fee_wei = get_half_word(cursor);
	tx->max_priority_fee_wei = get_half_word(cursor);
	tx->is_create = get_bool(cursor);
	tx->to = get_address(cursor);
	tx->value_wei = get_word(cursor);
	tx->data = get_sized(cursor);
	get_lists(cursor, tx);
	return item;
}

enum status case_decode(struct differ_case *out, struct arena *arena, struct bytes bytes, struct err *err) {
	struct cursor cursor = {.rest = bytes, .arena = arena};
	*out = (struct differ_case){.seed = get_u64(&cursor)};
	const uint8_t fork = get_u8(&cursor);
	cursor.failed |= fork >= FORK_COUNT;
	out->fork = (enum fork)fork;
	out->chain_id = get_u64(&cursor);
	out->block = get_block(&cursor);
	out->account_count = get_u16(&cursor);
	cursor.failed |= out->account_count > CASE_ACCOUNTS_MAX;
	for (size_t i = 0; i < out->account_count && !cursor.failed; i++) out->accounts[i] = get_account(&cursor);
	out->transaction_count = get_u16(&cursor);
	cursor.failed |= out->transaction_count > CASE_TRANSACTIONS_MAX;
	for (size_t i = 0; i < out->transaction_count && !cursor.failed; i++)
		out->transactions[i] = get_transaction(&cursor);
	if (cursor.failed || cursor.rest.len != 0) return err_set(err, STATUS_INVALID, "the case is malformed");
	return STATUS_OK;
}

enum status frame_decode(struct differ_frame *out, struct bytes *bytes, struct err *err) {
	struct cursor cursor = {.rest = *bytes};
	out->one = get_sized(&cursor);
	out->result = get_sized(&cursor);
	out->remark = get_sized(&cursor);
	if (cursor.failed) return err_set(err, STATUS_INVALID, "the frame is cut off");
	*bytes = cursor.rest;
	return STATUS_OK;
}
