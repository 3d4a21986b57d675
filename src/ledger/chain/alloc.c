#include "ledger/chain/alloc.h"

#include "codec/hex.h"

static bool has_prefix(struct bytes text) {
	return text.len >= 2 && text.data[0] == '0' && (text.data[1] == 'x' || text.data[1] == 'X');
}

static int digit_value(uint8_t digit) {
	if (digit >= '0' && digit <= '9') return digit - '0';
	if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
	return -1;
}

bool loose_word(hash32 *out, struct bytes text) {
	if (has_prefix(text)) text = bytes_slice(text, 2, text.len);
	while (text.len > 64 && text.data[0] == '0') text = bytes_slice(text, 1, text.len);
	if (text.len > 64) return false;
	*out = (hash32){{0}};
	for (size_t i = 0; i < text.len; i++) {
		const int value = digit_value(text.data[text.len - 1 - i]);
		if (value < 0) return false;
		out->b[31 - i / 2] |= (uint8_t)(value << (i % 2 == 0 ? 0 : 4));
	}
	return true;
}

bool loose_u256(u256 *out, const struct json *value) {
	if (json_is(value, JSON_NUMBER)) return u256_from_decimal(out, value->text);
	const struct bytes text = json_string(value);
	if (text.len == 0) return false;
	if (!has_prefix(text)) return u256_from_decimal(out, text);
	hash32 word;
	if (!loose_word(&word, text)) return false;
	*out = u256_load_be(word.b);
	return true;
}

bool loose_u64(uint64_t *out, const struct json *value) {
	u256 wide;
	if (!loose_u256(&wide, value) || !u256_fits_u64(&wide)) return false;
	*out = wide.w[0];
	return true;
}

bool loose_address(addr20 *out, struct bytes text) {
	const struct bytes digits = has_prefix(text) ? bytes_slice(text, 2, text.len) : text;
	hash32 word;
	if (digits.len != 40 || !loose_word(&word, digits)) return false;
	memcpy(out->b, word.b + 12, 20);
	return true;
}

static enum status fill_storage(struct state *state, const addr20 *address, const struct json *storage) {
	json_foreach (entry, storage) {
		hash32 slot_word, value_word;
		const struct bytes text = json_string(entry);
		if (!loose_word(&slot_word, entry->name) || text.data == NULL || !loose_word(&value_word, text))
			return STATUS_INVALID;
		const u256 slot = u256_load_be(slot_word.b), value = u256_load_be(value_word.b);
		if (!u256_is_zero(&value)) TRY(state_set_storage(state, address, &slot, &value));
	}
	return STATUS_OK;
}

static enum status fill_account(struct state *state, const struct json *account) {
	addr20 address;
	u256 balance = u256_from(0);
	uint64_t nonce = 0;
	if (!loose_address(&address, account->name) || account->type != JSON_OBJECT) return STATUS_INVALID;
	const struct json *balance_json = json_get(account, "balance"), *nonce_json = json_get(account, "nonce");
	if (balance_json != NULL && !loose_u256(&balance, balance_json)) return STATUS_INVALID;
	if (nonce_json != NULL && !loose_u64(&nonce, nonce_json)) return STATUS_INVALID;
	TRY(state_add_balance(state, &address, &balance));
	TRY(state_set_nonce(state, &address, nonce));
	const struct json *code_json = json_get(account, "code");
	if (code_json != NULL) {
		struct buf code;
		buf_init(&code, BUF_MAX_DEFAULT);
		enum status status = hex_data(&code, json_string(code_json));
		if (status == STATUS_OK && code.len > 0) status = state_set_code(state, &address, buf_view(&code));
		buf_fini(&code);
		TRY(status);
	}
	return fill_storage(state, &address, json_get(account, "storage"));
}

enum status alloc_fill_state(struct state *state, const struct json *alloc, struct err *err) {
	json_foreach (account, alloc) {
		const enum status status = fill_account(state, account);
		if (status == STATUS_INVALID)
			return err_set(err, status, "alloc: the account \"%.*s\" is malformed",
			    (int)(account->name.len < 64 ? account->name.len : 64), (const char *)account->name.data);
		TRY(status);
	}
	return state_end_transaction(state, false);
}
