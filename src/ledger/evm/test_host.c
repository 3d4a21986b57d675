#include "ledger/evm/test_host.h"

#include <stdlib.h>

#include "codec/hex.h"
#include "codec/rlp.h"
#include "crypto/hash.h"

#define ACCOUNTS_MAX 4096
#define SLOTS_MAX (1u << 14) /* a power of two */
#define UNDO_MAX (1u << 18)
#define LOGS_BYTES_MAX ((size_t)64 << 20)

struct test_account {
	addr20 address;
	bool exists, warm, created, destructed;
	uint64_t nonce;
	u256 balance_wei;
	struct evm_code code;
};

struct test_slot {
	bool used, warm;
	addr20 address;
	u256 slot, value, original, transient;
};

/* The bytes that stood at `where`. */
struct undo {
	void *where;
	uint32_t size;
	uint8_t old[sizeof(struct evm_code)];
};

struct test_host {
	struct test_account accounts[ACCOUNTS_MAX];
	size_t account_count;
	struct test_slot slots[SLOTS_MAX]; /* open addressing */
	struct undo undo[UNDO_MAX];
	size_t undo_count;
	struct buf logs; /* RLP of each, one behind the other */
	struct arena codes;
};

struct test_host *test_host_new(void) {
	struct test_host *host = mem_zalloc(1, sizeof *host);
	buf_init(&host->logs, LOGS_BYTES_MAX);
	arena_init(&host->codes);
	test_host_reset(host);
	return host;
}

void test_host_free(struct test_host *host) {
	if (host == NULL) return;
	buf_fini(&host->logs);
	arena_fini(&host->codes);
	mem_free(host);
}

void test_host_reset(struct test_host *host) {
	host->account_count = 0;
	host->undo_count = 0;
	memset(host->slots, 0, sizeof host->slots);
	buf_clear(&host->logs);
	arena_reset(&host->codes);
}

static void remember(struct test_host *host, void *where, size_t size) {
	BUG_ON(host->undo_count == UNDO_MAX || size > sizeof host->undo->old);
	struct undo *undo = &host->undo[host->undo_count++];
	undo->where = where;
	undo->size = (uint32_t)size;
	memcpy(undo->old, where, size);
}

/* Assigns, undoably. */
#define CHANGE(host, place, value)                                                                                     \
	do {                                                                                                           \
		remember(host, &(place), sizeof(place));                                                               \
		(place) = (value);                                                                                     \
	} while (0)

static struct test_account *account_at(struct test_host *host, const addr20 *address) {
	for (size_t i = 0; i < host->account_count; i++)
		if (addr20_equal(&host->accounts[i].address, address)) return &host->accounts[i];
	BUG_ON(host->account_count == ACCOUNTS_MAX);
	struct test_account *account = &host->accounts[host->account_count++];
	*account = (struct test_account){.address = *address, .code.hash = empty_code_hash};
	return account;
}

static struct test_slot *slot_at(struct test_host *host, const addr20 *address, const u256 *slot) {
	uint64_t hash = 0;
	for (int i = 0; i < 4; i++) hash = (hash ^ slot->w[i]) * 0x9e3779b97f4a7c15;
	hash = (hash ^ load_be64(address->b + 12)) * 0x9e3779b97f4a7c15;
	for (size_t i = hash >> 50, tried = 0; tried < SLOTS_MAX; i = (i + 1) % SLOTS_MAX, tried++) {
		struct test_slot *found = &host->slots[i];
		if (!found->used) *found = (struct test_slot){.used = true, .address = *address, .slot = *slot};
		if (u256_equal(&found->slot, slot) && addr20_equal(&found->address, address)) return found;
	}
	bug_stop("the test host has no slot left", __FILE__, __LINE__);
}

static bool account_is_empty(const struct test_account *account) {
	return account->nonce == 0 && u256_is_zero(&account->balance_wei) && account->code.bytes.len == 0;
}

static enum status host_account_exists(void *context, bool *out, const addr20 *address) {
	*out = account_at(context, address)->exists;
	return STATUS_OK;
}

static enum status host_account_is_empty(void *context, bool *out, const addr20 *address) {
	*out = account_is_empty(account_at(context, address));
	return STATUS_OK;
}

static enum status host_get_balance(void *context, u256 *out_wei, const addr20 *address) {
	*out_wei = account_at(context, address)->balance_wei;
	return STATUS_OK;
}

static enum status host_add_balance(void *context, const addr20 *address, const u256 *wei) {
	struct test_account *account = account_at(context, address);
	u256 sum;
	BUG_ON(u256_add_overflow(&sum, &account->balance_wei, wei));
	CHANGE(context, account->balance_wei, sum);
	CHANGE(context, account->exists, true);
	return STATUS_OK;
}

static enum status host_sub_balance(void *context, const addr20 *address, const u256 *wei) {
	struct test_account *account = account_at(context, address);
	u256 rest;
	BUG_ON(u256_sub_overflow(&rest, &account->balance_wei, wei));
	CHANGE(context, account->balance_wei, rest);
	return STATUS_OK;
}

static enum status host_get_nonce(void *context, uint64_t *out, const addr20 *address) {
	*out = account_at(context, address)->nonce;
	return STATUS_OK;
}

static enum status host_set_nonce(void *context, const addr20 *address, uint64_t nonce) {
	struct test_account *account = account_at(context, address);
	CHANGE(context, account->nonce, nonce);
	CHANGE(context, account->exists, true);
	return STATUS_OK;
}

static enum status host_get_code(void *context, struct evm_code *out, const addr20 *address) {
	*out = account_at(context, address)->code;
	return STATUS_OK;
}

static enum status host_get_code_hash(void *context, hash32 *out, const addr20 *address) {
	const struct test_account *account = account_at(context, address);
	*out = account->exists ? account->code.hash : (hash32){{0}};
	return STATUS_OK;
}

static struct evm_code padded_code(struct test_host *host, struct bytes code) {
	if (code.len == 0) return (struct evm_code){.hash = empty_code_hash};
	uint8_t *copy = arena_zalloc(&host->codes, code.len + 33, 1);
	uint64_t *jumpdests = arena_alloc(&host->codes, (code.len + 63) / 64 * sizeof *jumpdests);
	memcpy(copy, code.data, code.len);
	evm_analyse_jumpdests(jumpdests, code);
	return (struct evm_code){bytes_make(copy, code.len), jumpdests, keccak256(code)};
}

static enum status host_set_code(void *context, const addr20 *address, struct bytes code) {
	struct test_account *account = account_at(context, address);
	CHANGE(context, account->code, padded_code(context, code));
	return STATUS_OK;
}

static enum status host_get_storage(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	*out = slot_at(context, address, slot)->value;
	return STATUS_OK;
}

static enum status host_get_original_storage(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	*out = slot_at(context, address, slot)->original;
	return STATUS_OK;
}

static enum status host_set_storage(void *context, const addr20 *address, const u256 *slot, const u256 *value) {
	CHANGE(context, slot_at(context, address, slot)->value, *value);
	return STATUS_OK;
}

static enum status host_has_storage(void *context, bool *out, const addr20 *address) {
	const struct test_host *host = context;
	*out = false;
	for (size_t i = 0; i < SLOTS_MAX && !*out; i++)
		*out = host->slots[i].used && addr20_equal(&host->slots[i].address, address) &&
		       !u256_is_zero(&host->slots[i].value);
	return STATUS_OK;
}

static void host_get_transient(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	*out = slot_at(context, address, slot)->transient;
}

static void host_set_transient(void *context, const addr20 *address, const u256 *slot, const u256 *value) {
	CHANGE(context, slot_at(context, address, slot)->transient, *value);
}

static bool host_warm_account(void *context, const addr20 *address) {
	struct test_account *account = account_at(context, address);
	if (account->warm) return false;
	CHANGE(context, account->warm, true);
	return true;
}

static bool host_warm_slot(void *context, const addr20 *address, const u256 *slot) {
	struct test_slot *found = slot_at(context, address, slot);
	if (found->warm) return false;
	CHANGE(context, found->warm, true);
	return true;
}

/* Creations happen only where no storage is, so none needs to be cleared. */
static enum status host_begin_create(void *context, const addr20 *address) {
	struct test_account *account = account_at(context, address);
	CHANGE(context, account->created, true);
	CHANGE(context, account->exists, true);
	return STATUS_OK;
}

static bool host_is_created_here(void *context, const addr20 *address) {
	return account_at(context, address)->created;
}

static bool host_mark_destructed(void *context, const addr20 *address) {
	struct test_account *account = account_at(context, address);
	if (account->destructed) return false;
	CHANGE(context, account->destructed, true);
	return true;
}

/* Empty accounts count as absent here anyway. */
static void host_touch(void *context, const addr20 *address) {
	(void)context, (void)address;
}

static void host_add_log(void *context, const struct log *log) {
	struct test_host *host = context;
	remember(host, &host->logs.len, sizeof host->logs.len);
	const size_t item = rlp_list_begin(&host->logs);
	rlp_put_string(&host->logs, BYTES_OF(log->address));
	const size_t topics = rlp_list_begin(&host->logs);
	for (int i = 0; i < log->topic_count; i++) rlp_put_string(&host->logs, BYTES_OF(log->topics[i]));
	rlp_list_end(&host->logs, topics);
	rlp_put_string(&host->logs, log->data);
	rlp_list_end(&host->logs, item);
}

/* As the VM tests have it: the hash of the number's decimal text. */
static enum status host_get_block_hash(void *context, hash32 *out, uint64_t number) {
	(void)context;
	char text[80];
	const u256 word = u256_from(number);
	u256_to_decimal(text, &word);
	*out = keccak256(bytes_text(text));
	return STATUS_OK;
}

static size_t host_snapshot(void *context) {
	return test_host_snapshot(context);
}

static void host_revert_to(void *context, size_t snapshot) {
	test_host_revert_to(context, snapshot);
}

const struct evm_host test_host_table = {
    .account_exists = host_account_exists,
    .account_is_empty = host_account_is_empty,
    .get_balance = host_get_balance,
    .add_balance = host_add_balance,
    .sub_balance = host_sub_balance,
    .get_nonce = host_get_nonce,
    .set_nonce = host_set_nonce,
    .get_code = host_get_code,
    .get_code_hash = host_get_code_hash,
    .set_code = host_set_code,
    .get_storage = host_get_storage,
    .get_original_storage = host_get_original_storage,
    .set_storage = host_set_storage,
    .has_storage = host_has_storage,
    .get_transient = host_get_transient,
    .set_transient = host_set_transient,
    .warm_account = host_warm_account,
    .warm_slot = host_warm_slot,
    .begin_create = host_begin_create,
    .is_created_here = host_is_created_here,
    .mark_destructed = host_mark_destructed,
    .touch = host_touch,
    .add_log = host_add_log,
    .get_block_hash = host_get_block_hash,
    .snapshot = host_snapshot,
    .revert_to = host_revert_to,
};

size_t test_host_snapshot(struct test_host *host) {
	return host->undo_count;
}

void test_host_revert_to(struct test_host *host, size_t snapshot) {
	while (host->undo_count > snapshot) {
		const struct undo *undo = &host->undo[--host->undo_count];
		memcpy(undo->where, undo->old, undo->size);
	}
}

void test_host_put_account(
    struct test_host *host, const addr20 *address, const u256 *balance_wei, uint64_t nonce, struct bytes code) {
	struct test_account *account = account_at(host, address);
	account->exists = true;
	account->balance_wei = *balance_wei;
	account->nonce = nonce;
	account->code = padded_code(host, code);
}

void test_host_put_storage(struct test_host *host, const addr20 *address, const u256 *slot, const u256 *value) {
	struct test_slot *found = slot_at(host, address, slot);
	found->value = found->original = *value;
}

void test_host_begin_transaction(struct test_host *host) {
	for (size_t i = 0; i < host->account_count; i++) {
		struct test_account *account = &host->accounts[i];
		account->warm = account->created = account->destructed = false;
	}
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		host->slots[i].original = host->slots[i].value;
		host->slots[i].transient = u256_from(0);
		host->slots[i].warm = false;
	}
	host->undo_count = 0;
	buf_clear(&host->logs);
}

bool test_hex_data(struct bytes *out, struct arena *arena, struct bytes text) {
	if (text.len < 2 || text.data[0] != '0' || text.data[1] != 'x') return false;
	const bool odd = text.len % 2 != 0;
	uint8_t *data = arena_zalloc(arena, text.len / 2, 1);
	size_t nibble = odd ? 1 : 0;
	for (size_t i = 2; i < text.len; i++, nibble++) {
		const uint8_t c = text.data[i];
		unsigned digit = c >= '0' && c <= '9' ? c - '0' + 0u : (c | 32u) - 'a' + 10u;
		if (digit > 15) return false;
		data[nibble / 2] = (uint8_t)(data[nibble / 2] << 4 | digit);
	}
	*out = bytes_make(data, nibble / 2);
	return true;
}

bool test_hex_word(u256 *out, struct bytes text) {
	struct arena scratch;
	struct bytes data;
	arena_init(&scratch);
	const bool good = test_hex_data(&data, &scratch, text) && data.len <= 32;
	if (good) *out = u256_from_be(data);
	arena_fini(&scratch);
	return good;
}

bool test_hex_address(addr20 *out, struct bytes text) {
	return hex_fixed(out->b, sizeof out->b, text) == STATUS_OK;
}

bool test_host_load(struct test_host *host, const struct json *accounts) {
	json_foreach (entry, accounts) {
		addr20 address;
		u256 balance, nonce, slot, value;
		struct bytes code;
		if (!test_hex_address(&address, entry->name) ||
		    !test_hex_word(&balance, json_string(json_get(entry, "balance"))) ||
		    !test_hex_word(&nonce, json_string(json_get(entry, "nonce"))) ||
		    !test_hex_data(&code, &host->codes, json_string(json_get(entry, "code"))))
			return false;
		test_host_put_account(host, &address, &balance, nonce.w[0], code);
		json_foreach (item, json_get(entry, "storage")) {
			if (!test_hex_word(&slot, item->name) || !test_hex_word(&value, json_string(item)))
				return false;
			test_host_put_storage(host, &address, &slot, &value);
		}
	}
	return true;
}

static bool slots_match(struct test_host *host, const addr20 *address, const struct json *storage) {
	size_t expected = 0, found = 0;
	u256 slot, value;
	json_foreach (item, storage) {
		if (!test_hex_word(&slot, item->name) || !test_hex_word(&value, json_string(item))) return false;
		if (!u256_equal(&slot_at(host, address, &slot)->value, &value)) return false;
		if (!u256_is_zero(&value)) expected++;
	}
	for (size_t i = 0; i < SLOTS_MAX; i++)
		if (addr20_equal(&host->slots[i].address, address) && !u256_is_zero(&host->slots[i].value)) found++;
	return found == expected;
}

/* By the end of the transaction. */
static bool is_gone(const struct test_account *account) {
	return account->destructed || account_is_empty(account);
}

bool test_host_matches(struct test_host *host, const struct json *accounts) {
	size_t expected = 0, found = 0;
	json_foreach (entry, accounts) {
		addr20 address;
		u256 balance, nonce;
		if (!test_hex_address(&address, entry->name) ||
		    !test_hex_word(&balance, json_string(json_get(entry, "balance"))) ||
		    !test_hex_word(&nonce, json_string(json_get(entry, "nonce"))))
			return false;
		const struct test_account *account = account_at(host, &address);
		if (!u256_equal(&balance, &account->balance_wei) || nonce.w[0] != account->nonce) return false;
		if (!slots_match(host, &address, json_get(entry, "storage"))) return false;
		if (!is_gone(account)) expected++;
	}
	for (size_t i = 0; i < host->account_count; i++)
		if (!is_gone(&host->accounts[i])) found++;
	return found == expected;
}

hash32 test_host_logs_hash(struct test_host *host) {
	struct buf list;
	buf_init(&list, LOGS_BYTES_MAX + 16);
	rlp_put_list_header(&list, host->logs.len);
	buf_append(&list, buf_view(&host->logs));
	const hash32 hash = keccak256(buf_view(&list));
	buf_fini(&list);
	return hash;
}

hash32 test_host_digest(struct test_host *host) {
	struct keccak keccak;
	keccak256_init(&keccak);
	for (size_t i = 0; i < host->account_count; i++) {
		const struct test_account *a = &host->accounts[i];
		const uint8_t flags[4] = {a->exists, a->warm, a->created, a->destructed};
		keccak256_update(&keccak, BYTES_OF(a->address));
		keccak256_update(&keccak, bytes_make(flags, sizeof flags));
		keccak256_update(&keccak, bytes_make(&a->nonce, sizeof a->nonce));
		keccak256_update(&keccak, bytes_make(&a->balance_wei, sizeof a->balance_wei));
		keccak256_update(&keccak, BYTES_OF(a->code.hash));
	}
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		const struct test_slot *s = &host->slots[i];
		if (!s->used) continue;
		const uint8_t warm = s->warm;
		keccak256_update(&keccak, BYTES_OF(s->address));
		keccak256_update(&keccak, bytes_make(&warm, 1));
		keccak256_update(&keccak, bytes_make(&s->slot, sizeof s->slot));
		keccak256_update(&keccak, bytes_make(&s->value, sizeof s->value));
		keccak256_update(&keccak, bytes_make(&s->transient, sizeof s->transient));
	}
	const hash32 logs = test_host_logs_hash(host);
	keccak256_update(&keccak, BYTES_OF(logs));
	return keccak256_final(&keccak);
}
