#include "ledger/state/state.h"

#include "tests/unit.h"

#include <stdlib.h>

static struct err err;

#define assert_ok(expression)                                                                                          \
	do {                                                                                                           \
		err.message[0] = 0;                                                                                    \
		enum status got_ = (expression);                                                                       \
		if (got_ != STATUS_OK) fail_msg("%s: %s", status_text(got_), err.message);                             \
	} while (0)

/*
 * A source with one rule: account n has nonce n and balance 100 n; slot s of it holds 1000 n + s. Accounts from 50 on
 * are absent; odd ones have no storage.
 */
struct source {
	int calls_until_failure; /* below zero: never */
	int storage_reads;
};

static uint64_t number_of(const addr20 *address) {
	return load_be64(address->b + 12);
}

static addr20 address_of(uint64_t number) {
	addr20 address = {{0}};
	store_be64(address.b + 12, number);
	return address;
}

static enum status source_call(struct source *source, struct err *out) {
	if (source->calls_until_failure >= 0 && source->calls_until_failure-- == 0)
		return err_set(out, STATUS_IO, "the disk fails");
	return STATUS_OK;
}

static enum status source_account(
    void *context, struct account *account, bool *exists, const addr20 *address, struct err *out) {
	TRY(source_call(context, out));
	uint64_t number = number_of(address);
	*exists = number && number < 50;
	*account = (struct account){.code_hash = empty_code_hash, .storage_root = empty_trie_root};
	if (!*exists) return STATUS_OK;
	account->nonce = number;
	account->balance_wei = u256_from(100 * number);
	if (number % 2 == 0) account->storage_root.b[0] ^= 1;
	return STATUS_OK;
}

static enum status source_storage(
    void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *out) {
	struct source *source = context;
	TRY(source_call(source, out));
	source->storage_reads++;
	uint64_t number = number_of(address);
	assert_true(number < 50);
	*value = u256_from(number % 2 ? 0 : 1000 * number + slot->w[0]);
	return STATUS_OK;
}

static enum status source_has_storage(void *context, bool *has, const addr20 *address, struct err *out) {
	TRY(source_call(context, out));
	*has = number_of(address) < 50 && number_of(address) % 2 == 0;
	return STATUS_OK;
}

static enum status source_code(void *context, struct buf *code, const hash32 *code_hash, struct err *out) {
	(void)code;
	(void)code_hash;
	TRY(source_call(context, out));
	return err_set(out, STATUS_CORRUPT, "no code");
}

static struct source disk;

static struct state *open_state(void) {
	disk = (struct source){.calls_until_failure = -1};
	struct state_source source = {source_account, source_storage, source_has_storage, source_code, &disk};
	return state_new(&source, &err);
}

static uint64_t balance(struct state *state, uint64_t number) {
	u256 wei;
	addr20 address = address_of(number);
	assert_ok(state_get_balance(state, &wei, &address));
	return wei.w[0];
}

static uint64_t slot_value(struct state *state, uint64_t number, uint64_t slot) {
	u256 value, key = u256_from(slot);
	addr20 address = address_of(number);
	assert_ok(state_get_storage(state, &value, &address, &key));
	return value.w[0];
}

static uint64_t original(struct state *state, uint64_t number, uint64_t slot) {
	u256 value, key = u256_from(slot);
	addr20 address = address_of(number);
	assert_ok(state_get_original_storage(state, &value, &address, &key));
	return value.w[0];
}

static void set_slot(struct state *state, uint64_t number, uint64_t slot, uint64_t to) {
	u256 value = u256_from(to), key = u256_from(slot);
	addr20 address = address_of(number);
	assert_ok(state_set_storage(state, &address, &key, &value));
}

static void add(struct state *state, uint64_t number, uint64_t wei) {
	u256 value = u256_from(wei);
	addr20 address = address_of(number);
	assert_ok(state_add_balance(state, &address, &value));
}

static bool exists(struct state *state, uint64_t number) {
	bool out;
	addr20 address = address_of(number);
	assert_ok(state_account_exists(state, &out, &address));
	return out;
}

static void end(struct state *state, bool clear_empty) {
	assert_ok(state_end_transaction(state, clear_empty));
}

/* An entry that was warmed before it was read goes back to what was read, not to nothing. */
static void undo_keeps_what_was_read(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 address = address_of(4);
	u256 slot = u256_from(7);
	size_t snapshot = state_snapshot(state);
	assert_true(state_warm_account(state, &address));
	assert_true(state_warm_slot(state, &address, &slot));
	assert_int_equal(balance(state, 4), 400);
	set_slot(state, 4, 7, 1);
	add(state, 4, 5);
	state_revert_to(state, snapshot);
	assert_int_equal(balance(state, 4), 400);
	assert_int_equal(slot_value(state, 4, 7), 4007);
	assert_int_equal(disk.storage_reads, 1);
	assert_true(state_warm_account(state, &address));
	assert_true(state_warm_slot(state, &address, &slot));
	assert_false(state_warm_account(state, &address));
	assert_false(state_warm_slot(state, &address, &slot));
	end(state, true);
	assert_true(state_warm_account(state, &address));
	state_free(state);
}

static void original_is_of_the_transaction(void **unused) {
	(void)unused;
	struct state *state = open_state();
	set_slot(state, 4, 1, 10);
	set_slot(state, 4, 1, 11);
	assert_int_equal(original(state, 4, 1), 4001);
	size_t snapshot = state_snapshot(state);
	set_slot(state, 4, 1, 12);
	state_revert_to(state, snapshot);
	assert_int_equal(slot_value(state, 4, 1), 11);
	assert_int_equal(original(state, 4, 1), 4001);
	end(state, true);
	assert_int_equal(original(state, 4, 1), 11);
	set_slot(state, 4, 1, 13);
	assert_int_equal(original(state, 4, 1), 11);
	state_free(state);
}

static void transient_ends_with_the_transaction(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 address = address_of(60);
	u256 slot = u256_from(1), value = u256_from(5), got;
	state_set_transient(state, &address, &slot, &value);
	size_t snapshot = state_snapshot(state);
	u256 other = u256_from(6);
	state_set_transient(state, &address, &slot, &other);
	state_get_transient(state, &got, &address, &slot);
	assert_int_equal(got.w[0], 6);
	state_revert_to(state, snapshot);
	state_get_transient(state, &got, &address, &slot);
	assert_int_equal(got.w[0], 5);
	end(state, true);
	state_get_transient(state, &got, &address, &slot);
	assert_true(u256_is_zero(&got));
	assert_false(exists(state, 60));
	struct state_diff diff;
	assert_ok(state_get_diff(state, &diff));
	assert_int_equal(diff.count, 0);
	state_free(state);
}

static void empty_accounts_and_eip161(void **unused) {
	(void)unused;
	struct state *state = open_state();
	add(state, 70, 0);
	end(state, false); /* before EIP-161 it stays, empty */
	assert_true(exists(state, 70));
	struct state_diff diff;
	assert_ok(state_get_diff(state, &diff));
	assert_int_equal(diff.count, 1);
	assert_true(!diff.accounts[0].existed && diff.accounts[0].exists);

	addr20 touched = address_of(70), absent = address_of(71);
	state_touch(state, &touched);
	state_touch(state, &absent);
	size_t snapshot = state_snapshot(state);
	add(state, 72, 0);
	state_revert_to(state, snapshot);
	end(state, true);
	assert_false(exists(state, 70));
	assert_false(exists(state, 71));
	assert_false(exists(state, 72));
	assert_ok(state_get_diff(state, &diff));
	assert_int_equal(diff.count, 0);
	state_free(state);
}

/* EIP-161's exception: only account 3's touch outlives the undoing. */
static void ripemd_stays_touched(void **unused) {
	(void)unused;
	struct state *state = state_new(NULL, &err);
	add(state, 3, 0);
	add(state, 2, 0);
	end(state, false);
	size_t snapshot = state_snapshot(state);
	add(state, 3, 0);
	add(state, 2, 0);
	state_revert_to(state, snapshot);
	end(state, true);
	assert_false(exists(state, 3));
	assert_true(exists(state, 2));
	state_free(state);
}

static void creation_clears_storage(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 with = address_of(4);
	assert_int_equal(slot_value(state, 4, 1), 4001);
	size_t snapshot = state_snapshot(state);
	assert_ok(state_begin_create(state, &with));
	assert_true(state_is_created_here(state, &with));
	assert_int_equal(slot_value(state, 4, 1), 0);
	assert_int_equal(slot_value(state, 4, 2), 0);
	assert_int_equal(balance(state, 4), 400);
	bool has;
	assert_ok(state_has_storage(state, &has, &with));
	assert_false(has);
	set_slot(state, 4, 2, 9);
	assert_ok(state_has_storage(state, &has, &with));
	assert_true(has);
	state_revert_to(state, snapshot);
	assert_false(state_is_created_here(state, &with));
	assert_int_equal(slot_value(state, 4, 1), 4001);
	assert_int_equal(slot_value(state, 4, 2), 4002);
	assert_ok(state_begin_create(state, &with));
	set_slot(state, 4, 2, 8);
	end(state, true);
	assert_false(state_is_created_here(state, &with));
	struct state_diff diff;
	assert_ok(state_get_diff(state, &diff));
	assert_int_equal(diff.count, 1);
	assert_true(diff.accounts[0].storage_wiped);
	assert_int_equal(diff.accounts[0].storage_count, 1);
	assert_int_equal(diff.accounts[0].storage[0].after.w[0], 8);
	state_free(state);
}

/* Nothing is read for the slots of an account that the database does not have. */
static void new_contracts_read_nothing(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 fresh = address_of(90);
	assert_ok(state_begin_create(state, &fresh));
	assert_ok(state_set_nonce(state, &fresh, 1));
	for (uint64_t slot = 0; slot < 20; slot++) set_slot(state, 90, slot, slot + 1);
	end(state, true);
	assert_int_equal(disk.storage_reads, 0);
	assert_int_equal(slot_value(state, 90, 19), 20);
	state_free(state);
}

static void destruction_waits_for_the_end(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 address = address_of(4);
	size_t snapshot = state_snapshot(state);
	assert_true(state_mark_destructed(state, &address));
	state_revert_to(state, snapshot);
	assert_true(state_mark_destructed(state, &address));
	assert_false(state_mark_destructed(state, &address));
	assert_int_equal(slot_value(state, 4, 1), 4001);
	end(state, true);
	assert_false(exists(state, 4));
	assert_int_equal(slot_value(state, 4, 1), 0);
	hash32 hash;
	assert_ok(state_get_code_hash(state, &hash, &address));
	assert_true(hash32_is_zero(&hash));
	struct state_diff diff;
	assert_ok(state_get_diff(state, &diff));
	assert_int_equal(diff.count, 1);
	assert_true(diff.accounts[0].storage_wiped && diff.accounts[0].existed && !diff.accounts[0].exists);
	state_free(state);
}

static void code_is_ready_to_run(void **unused) {
	(void)unused;
	struct state *state = open_state();
	addr20 address = address_of(5);
	uint8_t code[70] = {0x5b, 0x60, 0x5b, 0x5b, [65] = 0x5b, [68] = 0x61, [69] = 0x5b};
	size_t snapshot = state_snapshot(state);
	assert_ok(state_set_code(state, &address, bytes_make(code, sizeof code)));
	struct state_code got;
	assert_ok(state_get_code(state, &got, &address));
	assert_true(bytes_equal(got.bytes, bytes_make(code, sizeof code)));
	for (size_t i = 0; i < 33; i++) assert_int_equal(got.bytes.data[sizeof code + i], 0);
	assert_int_equal(got.jumpdests[0], 0x9);
	assert_int_equal(got.jumpdests[1], 0x2);
	state_revert_to(state, snapshot);
	assert_ok(state_get_code(state, &got, &address));
	assert_int_equal(got.bytes.len, 0);
	assert_null(got.jumpdests);
	assert_memory_equal(got.hash.b, empty_code_hash.b, 32);
	state_free(state);
}

static void logs_are_undone(void **unused) {
	(void)unused;
	struct state *state = open_state();
	char text[] = "first";
	struct log log = {.topic_count = 1, .data = bytes_text(text)};
	state_add_log(state, &log);
	text[0] = 'x';
	size_t snapshot = state_snapshot(state), count;
	state_add_log(state, &log);
	state_revert_to(state, snapshot);
	const struct log *logs = state_logs(state, &count);
	assert_int_equal(count, 1);
	assert_true(bytes_equal(logs[0].data, bytes_text("first")));
	end(state, true);
	state_logs(state, &count);
	assert_int_equal(count, 0);
	state_free(state);
}

static void diff_is_sorted_and_minimal(void **unused) {
	(void)unused;
	struct state *state = open_state();
	for (uint64_t n = 1; n < 40; n++) {
		add(state, n, n % 3);
		for (uint64_t slot = 0; slot < n % 7; slot++) set_slot(state, n, slot, slot % 2);
		end(state, true);
	}
	set_slot(state, 38, 0, 38000); /* back to what it was */
	end(state, true);
	struct state_diff diff;
	assert_ok(state_get_diff(state, &diff));
	size_t slots = 0;
	for (size_t i = 0; i < diff.count; i++) {
		const struct account_change *change = &diff.accounts[i];
		if (i) assert_true(memcmp(change[-1].address_hash.b, change->address_hash.b, 32) < 0);
		assert_true(change->storage_count || change->after.balance_wei.w[0] != change->before.balance_wei.w[0]);
		for (size_t j = 0; j < change->storage_count; j++, slots++) {
			const struct storage_change *slot = &change->storage[j];
			if (j) assert_true(memcmp(slot[-1].slot_hash.b, slot->slot_hash.b, 32) < 0);
			assert_false(u256_equal(&slot->before, &slot->after));
		}
	}
	assert_true(diff.count >= 26 && slots > 40);
	state_free(state);
}

static enum status busy_day(struct state *state) {
	u256 slot = u256_from(3), value = u256_from(9);
	addr20 four = address_of(4), six = address_of(6), far = address_of(99);
	bool has;
	TRY(state_add_balance(state, &four, &value));
	TRY(state_set_storage(state, &four, &slot, &value));
	TRY(state_sub_balance(state, &six, &value));
	TRY(state_set_nonce(state, &far, 1));
	TRY(state_has_storage(state, &has, &six));
	TRY(state_begin_create(state, &six));
	TRY(state_set_code(state, &six, BYTES_LITERAL("\x5b")));
	state_mark_destructed(state, &four);
	TRY(state_end_transaction(state, true));
	return STATUS_OK;
}

/* Whatever read of the source fails, the failure is passed up with its text. */
static void failing_disk_is_passed_up(void **unused) {
	(void)unused;
	int failures = 0;
	for (;; failures++) {
		struct state *state = open_state();
		disk.calls_until_failure = failures;
		err.message[0] = 0;
		enum status status = busy_day(state);
		state_free(state);
		if (status == STATUS_OK) break;
		assert_int_equal(status, STATUS_IO);
		assert_string_equal(err.message, "the disk fails");
	}
	assert_in_range(failures, 6, 20);
}

/* ---- a plain twin: every snapshot is a whole copy ---- */

#define TWIN_ACCOUNTS 8
#define TWIN_SLOTS 4

struct twin {
	uint64_t balances[TWIN_ACCOUNTS], slots[TWIN_ACCOUNTS][TWIN_SLOTS], transients[TWIN_ACCOUNTS][TWIN_SLOTS];
	bool warm[TWIN_ACCOUNTS], warm_slots[TWIN_ACCOUNTS][TWIN_SLOTS];
	size_t logs;
};

static uint64_t random_state = 1;

static uint32_t below(uint32_t limit) {
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

static void twin_step(struct state *state, struct twin *twin) {
	uint32_t n = below(TWIN_ACCOUNTS), s = below(TWIN_SLOTS), v = below(100);
	addr20 address = address_of(2 * n + 2);
	u256 slot = u256_from(s), value = u256_from(v), got;
	struct log log = {.data = bytes_text("x")};
	switch (below(7)) {
	case 0: add(state, 2 * n + 2, v), twin->balances[n] += v; break;
	case 1: set_slot(state, 2 * n + 2, s, v), twin->slots[n][s] = v; break;
	case 2: state_set_transient(state, &address, &slot, &value), twin->transients[n][s] = v; break;
	case 3: assert_int_equal(state_warm_account(state, &address), !twin->warm[n]), twin->warm[n] = true; break;
	case 4:
		assert_int_equal(state_warm_slot(state, &address, &slot), !twin->warm_slots[n][s]);
		twin->warm_slots[n][s] = true;
		break;
	case 5: state_add_log(state, &log), twin->logs++; break;
	case 6:
		state_get_transient(state, &got, &address, &slot);
		assert_int_equal(got.w[0], twin->transients[n][s]);
		assert_int_equal(slot_value(state, 2 * n + 2, s), twin->slots[n][s]);
		assert_int_equal(balance(state, 2 * n + 2), twin->balances[n]);
		break;
	}
}

static void twin_calls(struct state *state, struct twin *twin, int depth) {
	for (uint32_t i = 0, count = below(12); i < count; i++) {
		twin_step(state, twin);
		if (depth == 6 || below(3)) continue;
		struct twin before = *twin;
		size_t snapshot = state_snapshot(state);
		twin_calls(state, twin, depth + 1);
		if (below(2)) continue;
		state_revert_to(state, snapshot);
		*twin = before;
	}
}

static void random_calls_equal_the_twin(void **unused) {
	(void)unused;
	for (int round = 0; round < 300; round++) {
		struct state *state = open_state();
		struct twin twin = {0};
		for (uint64_t n = 0; n < TWIN_ACCOUNTS; n++) {
			twin.balances[n] = 100 * (2 * n + 2);
			for (uint64_t s = 0; s < TWIN_SLOTS; s++) twin.slots[n][s] = 1000 * (2 * n + 2) + s;
		}
		for (int transaction = 0; transaction < 4; transaction++) {
			twin_calls(state, &twin, 0);
			size_t logs;
			state_logs(state, &logs);
			assert_int_equal(logs, twin.logs);
			end(state, true);
			twin.logs = 0;
			memset(twin.transients, 0, sizeof twin.transients);
			memset(twin.warm, 0, sizeof twin.warm);
			memset(twin.warm_slots, 0, sizeof twin.warm_slots);
			for (uint64_t n = 0; n < TWIN_ACCOUNTS; n++) {
				assert_int_equal(balance(state, 2 * n + 2), twin.balances[n]);
				for (uint64_t s = 0; s < TWIN_SLOTS; s++)
					assert_int_equal(slot_value(state, 2 * n + 2, s), twin.slots[n][s]);
			}
		}
		state_free(state);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(undo_keeps_what_was_read),
	    cmocka_unit_test(original_is_of_the_transaction),
	    cmocka_unit_test(transient_ends_with_the_transaction),
	    cmocka_unit_test(empty_accounts_and_eip161),
	    cmocka_unit_test(ripemd_stays_touched),
	    cmocka_unit_test(creation_clears_storage),
	    cmocka_unit_test(new_contracts_read_nothing),
	    cmocka_unit_test(destruction_waits_for_the_end),
	    cmocka_unit_test(code_is_ready_to_run),
	    cmocka_unit_test(logs_are_undone),
	    cmocka_unit_test(diff_is_sorted_and_minimal),
	    cmocka_unit_test(failing_disk_is_passed_up),
	    cmocka_unit_test(random_calls_equal_the_twin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
