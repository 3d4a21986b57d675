#include "app/conformance/conformance.h"
#include "codec/hex.h"
#include "ledger/chain/alloc.h"
#include "ledger/state/state.h"

static void print_word(FILE *out, const char *label, const u256 *got, const u256 *expected) {
	uint8_t a[32], b[32];
	struct buf text;
	buf_init(&text, 4096);
	buf_printf(&text, "    %s: got ", label);
	hex_put_quantity_be(&text, u256_trimmed_be(a, got));
	buf_text(&text, ", expected ");
	hex_put_quantity_be(&text, u256_trimmed_be(b, expected));
	fprintf(out, "%s\n", buf_cstr(&text));
	buf_fini(&text);
}

static enum status compare_account(FILE *out, struct state *state, const struct json *expected) {
	addr20 address;
	u256 balance, expected_balance = {{0}};
	uint64_t nonce;
	char label[160];
	loose_address(&address, expected->name);
	const int name_len = (int)expected->name.len;
	const char *name = (const char *)expected->name.data;
	bool exists;
	TRY(state_account_exists(state, &exists, &address));
	if (!exists) fprintf(out, "    %.*s: missing\n", name_len, name);
	TRY(state_get_balance(state, &balance, &address));
	TRY(state_get_nonce(state, &nonce, &address));
	loose_u256(&expected_balance, json_get(expected, "balance"));
	snprintf(label, sizeof label, "%.*s balance", name_len, name);
	if (!u256_equal(&balance, &expected_balance)) print_word(out, label, &balance, &expected_balance);
	u256 expected_nonce = {{0}};
	const u256 got_nonce = u256_from(nonce);
	loose_u256(&expected_nonce, json_get(expected, "nonce"));
	snprintf(label, sizeof label, "%.*s nonce", name_len, name);
	if (!u256_equal(&got_nonce, &expected_nonce)) print_word(out, label, &got_nonce, &expected_nonce);
	struct state_code code;
	TRY(state_get_code(state, &code, &address));
	const struct bytes expected_code = json_string(json_get(expected, "code"));
	struct buf hex;
	buf_init(&hex, BUF_MAX_DEFAULT);
	hex_put(&hex, code.bytes, true);
	if (!bytes_equal(buf_view(&hex), expected_code))
		fprintf(out, "    %.*s code: got %s, expected %.*s\n", name_len, name, buf_cstr(&hex),
		    (int)expected_code.len, (const char *)expected_code.data);
	buf_fini(&hex);
	json_foreach (entry, json_get(expected, "storage")) {
		hash32 slot_word, value_word;
		if (!loose_word(&slot_word, entry->name) || !loose_word(&value_word, json_string(entry))) continue;
		const u256 slot = u256_load_be(slot_word.b), value = u256_load_be(value_word.b);
		u256 got;
		TRY(state_get_storage(state, &got, &address, &slot));
		snprintf(label, sizeof label, "%.*s [%.*s]", name_len, name, (int)entry->name.len,
		    (const char *)entry->name.data);
		if (!u256_equal(&got, &value)) print_word(out, label, &got, &value);
	}
	return STATUS_OK;
}

static const struct json *expected_account(const struct json *expected, const addr20 *address) {
	json_foreach (account, expected) {
		addr20 other;
		if (loose_address(&other, account->name) && addr20_equal(&other, address)) return account;
	}
	return NULL;
}

static bool names_slot(const struct json *storage, const u256 *slot) {
	json_foreach (entry, storage) {
		hash32 word;
		if (!loose_word(&word, entry->name)) continue;
		const u256 named = u256_load_be(word.b);
		if (u256_equal(&named, slot)) return true;
	}
	return false;
}

/* What is there although nobody expects it. */
static void print_surplus(FILE *out, const struct account_change *change, const struct json *expected) {
	char text[43];
	const u256 zero = u256_from(0);
	const struct json *account = expected_account(expected, &change->address);
	address_checksum(text, &change->address);
	if (account == NULL) fprintf(out, "    %s: should not exist\n", text);
	if (account == NULL) return;
	for (size_t i = 0; i < change->storage_count; i++) {
		const struct storage_change *slot = &change->storage[i];
		if (!u256_is_zero(&slot->after) && !names_slot(json_get(account, "storage"), &slot->slot))
			print_word(out, text, &slot->after, &zero);
	}
}

void conformance_print_difference(FILE *out, struct state *state, const struct json *expected) {
	struct state_diff diff;
	json_foreach (account, expected)
		if (compare_account(out, state, account) != STATUS_OK) return;
	if (state_get_diff(state, &diff) != STATUS_OK) return;
	for (size_t i = 0; i < diff.count; i++)
		if (diff.accounts[i].exists) print_surplus(out, &diff.accounts[i], expected);
}
