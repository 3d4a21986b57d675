#include "ledger/consensus/members.h"

#include "tests/unit.h"

#include "crypto/hash.h"

/* Storage in the contract's layout; its words by slot. */
struct storage {
	struct {
		u256 slot;
		u256 value;
	} words[256];
	size_t count;
};

static enum status read_word(void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	const struct storage *storage = context;
	(void)address, (void)err;
	*value = u256_from(0);
	for (size_t i = 0; i < storage->count; i++)
		if (u256_equal(&storage->words[i].slot, slot)) *value = storage->words[i].value;
	return STATUS_OK;
}

static void put_word(struct storage *storage, const u256 *slot, struct bytes value) {
	storage->words[storage->count].slot = *slot;
	storage->words[storage->count++].value = u256_from_be(value);
}

/* Member `i` has account ii…, key (i+0x40)…, node (i+0x80)…, and this power. */
static void put_members(struct storage *storage, const uint64_t *powers, size_t count) {
	static const uint8_t zero[32];
	const u256 none = u256_from(0), one = u256_from(1);
	const hash32 first = keccak256(bytes_make(zero, sizeof zero));
	u256 slot = u256_from_be(BYTES_OF(first));
	uint8_t length[32] = {0};
	length[31] = (uint8_t)count;
	*storage = (struct storage){0};
	put_word(storage, &none, bytes_make(length, 32));
	for (size_t i = 0; i < count; i++) {
		uint8_t words[3][32] = {{0}};
		memset(words[0] + 12, (int)i, 20);
		store_be64(words[0] + 4, powers[i]);
		memset(words[1], (int)i + 0x40, 32);
		memset(words[2] + 12, (int)i + 0x80, 20);
		for (size_t k = 0; k < 3; k++) {
			put_word(storage, &slot, bytes_make(words[k], 32));
			u256_add_overflow(&slot, &slot, &one);
		}
	}
}

static enum status read_members(struct members *out, struct storage *storage, struct err *err) {
	static const addr20 contract;
	const struct state_source source = {.storage = read_word, .context = storage};
	return members_read(out, &source, &contract, err);
}

static void a_list_is_read_as_the_contract_keeps_it(void **state) {
	(void)state;
	struct storage storage;
	struct members members;
	struct err err;
	const uint64_t powers[] = {10, 1000000000, 3};
	put_members(&storage, powers, 3);
	assert_int_equal(read_members(&members, &storage, &err), STATUS_OK);
	assert_int_equal(members.count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct member *member = &members.list[i];
		const hash32 digest = sha256(bytes_make(member->validator.key, 32));
		assert_int_equal(member->validator.power, powers[i]);
		assert_int_equal(member->account.b[19], i);
		assert_int_equal(member->validator.key[0], i + 0x40);
		assert_ptr_equal(members_by_address(&members, bytes_make(digest.b, 20)), member);
		const addr20 node = member->node;
		assert_ptr_equal(members_by_node(&members, &node), member);
	}
	const addr20 stranger = {{0xff}};
	assert_null(members_by_node(&members, &stranger));
	assert_null(members_by_address(&members, (struct bytes){0}));
}

static void storage_that_is_no_list_is_refused(void **state) {
	(void)state;
	struct storage storage = {0};
	struct members members;
	struct err err;
	const u256 none = u256_from(0);
	assert_int_equal(read_members(&members, &storage, &err), STATUS_CORRUPT); /* of no members */
	uint8_t length[32] = {0};
	length[31] = MEMBERS_MAX + 1;
	put_word(&storage, &none, bytes_make(length, 32));
	assert_int_equal(read_members(&members, &storage, &err), STATUS_CORRUPT);
	length[31] = 1;
	length[0] = 1; /* far more than 64 bits hold */
	put_word(&storage, &none, bytes_make(length, 32));
	assert_int_equal(read_members(&members, &storage, &err), STATUS_CORRUPT);
}

static void updates_are_what_differs(void **state) {
	(void)state;
	struct storage storage;
	struct members before, after;
	struct abci_validator updates[MEMBERS_UPDATES_MAX];
	struct err err;
	put_members(&storage, (const uint64_t[]){10, 10, 10, 10}, 4);
	assert_int_equal(read_members(&before, &storage, &err), STATUS_OK);
	after = before;
	assert_int_equal(members_updates(updates, &before, &after), 0);
	assert_true(members_are(&before, updates, 0) == false);
	/* The second one is replaced, the last one goes, the first one gets more. */
	memset(after.list[1].validator.key, 0x77, ABCI_KEY_BYTES);
	after.list[0].validator.power = 11;
	after.count = 3;
	assert_int_equal(members_updates(updates, &before, &after), 4);
	assert_int_equal(updates[0].key[0], 0x41);
	assert_int_equal(updates[0].power, 0);
	assert_int_equal(updates[1].key[0], 0x43);
	assert_int_equal(updates[1].power, 0);
	assert_int_equal(updates[2].key[0], 0x40);
	assert_int_equal(updates[2].power, 11);
	assert_int_equal(updates[3].key[0], 0x77);
	assert_int_equal(updates[3].power, 10);
	/* A member that keeps its key and changes its account is no update. */
	after = before;
	after.list[2].account.b[0] = 0x99;
	assert_int_equal(members_updates(updates, &before, &after), 0);
}

static void the_members_validators_are_told_in_any_order(void **state) {
	(void)state;
	struct storage storage;
	struct members members;
	struct err err;
	put_members(&storage, (const uint64_t[]){10, 20}, 2);
	assert_int_equal(read_members(&members, &storage, &err), STATUS_OK);
	struct abci_validator validators[] = {members.list[1].validator, members.list[0].validator};
	assert_true(members_are(&members, validators, 2));
	assert_false(members_are(&members, validators, 1));
	validators[0].power++;
	assert_false(members_are(&members, validators, 2));
}

static void only_the_contracts_own_event_says_that_the_list_changed(void **state) {
	(void)state;
	const addr20 contract = {{0xc0}}, other = {{0xc1}};
	struct log log = {.address = contract, .topic_count = 1};
	log.topics[0] = keccak256(bytes_text("MembersChanged(uint64)"));
	const struct receipt receipts[] = {{.type = TX_LEGACY}, {.logs = &log, .log_count = 1}};
	assert_true(members_changed(receipts, 2, &contract));
	assert_false(members_changed(receipts, 1, &contract));
	assert_false(members_changed(receipts, 2, &other));
	log.topics[0].b[0] ^= 1;
	assert_false(members_changed(receipts, 2, &contract));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_list_is_read_as_the_contract_keeps_it),
	    cmocka_unit_test(storage_that_is_no_list_is_refused),
	    cmocka_unit_test(updates_are_what_differs),
	    cmocka_unit_test(the_members_validators_are_told_in_any_order),
	    cmocka_unit_test(only_the_contracts_own_event_says_that_the_list_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
