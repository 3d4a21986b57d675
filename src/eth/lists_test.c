/* Lists fold to their slot, or are refused with the entries that are missing. */
#include "eth/lists.h"

#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"

#define COUNT 10u

struct lot {
	struct list_entry entries[COUNT];
	struct list_state states[COUNT + 1]; /* after so many */
};

static struct lot make(void) {
	struct lot lot = {0};
	for (uint64_t i = 0; i < COUNT; i++) {
		struct list_entry *entry = &lot.entries[i];
		*entry = (struct list_entry){.n = i + 1, .time_s = 1000 + i / 3, .entry = {{(uint8_t)i, 0xee}}};
		memcpy(entry->before, lot.states[i].head, LIST_HEAD_BYTES);
		lot.states[i + 1] = lot.states[i];
		list_append(&lot.states[i + 1], entry->time_s, &entry->entry);
	}
	return lot;
}

/* Down from the state after `from` entries to that after `to`. */
static enum status fold(const struct lot *lot, size_t from, size_t to, struct err *err) {
	struct list_fold at;
	TRY(list_fold_begin(&at, &lot->states[from], &lot->states[to], err));
	for (size_t i = from; i > to; i--) TRY(list_fold_step(&at, &lot->entries[i - 1], err));
	return list_fold_end(&at, err);
}

static void what_the_contract_stores_is_read(void **state) {
	(void)state;
	/* keccak256(abi.encode(bytes24(0), uint256(1), uint256(7), bytes32(uint256(9)))): its first 24 bytes. */
	struct list_state list = {0};
	hash32 nine = {{[31] = 9}};
	uint8_t words[128] = {[63] = 1, [95] = 7, [127] = 9};
	list_append(&list, 7, &nine);
	const hash32 by_hand = keccak256(bytes_make(words, sizeof words));
	assert_memory_equal(list.head, by_hand.b, LIST_HEAD_BYTES);
	const hash32 word = list_store(&list);
	assert_int_equal(word.b[7], 1); /* the count is above the head */
	assert_memory_equal(word.b + 8, by_hand.b, LIST_HEAD_BYTES);
	const struct list_state again = list_load(&word);
	assert_int_equal(again.count, 1);
	assert_memory_equal(again.head, list.head, LIST_HEAD_BYTES);
}

static void a_whole_list_folds_to_its_beginning(void **state) {
	(void)state;
	const struct lot lot = make();
	struct err err;
	for (size_t from = 0; from <= COUNT; from++)
		for (size_t to = 0; to <= from; to++) assert_int_equal(fold(&lot, from, to, &err), STATUS_OK);
}

static void expect(const struct lot *lot, size_t from, size_t to, const char *words) {
	struct err err = {0};
	assert_int_equal(fold(lot, from, to, &err), STATUS_DENIED);
	if (!strstr(err.message, words)) fail_msg("%s", err.message);
}

static void any_change_of_an_entry_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct lot lot = make();
		lot.entries[i].time_s++;
		expect(&lot, COUNT, 0, "is not the one that the list has");
		lot = make();
		lot.entries[i].entry.b[3] ^= 1;
		expect(&lot, COUNT, 0, "is not the one that the list has");
		lot = make();
		lot.entries[i].before[0] ^= 1;
		expect(&lot, COUNT, 0, "is not the one that the list has");
	}
}

static void swapped_entries_are_refused(void **state) {
	(void)state;
	struct lot lot = make();
	const struct list_entry first = lot.entries[3];
	lot.entries[3] = lot.entries[4];
	lot.entries[4] = first;
	expect(&lot, COUNT, 0, "entries 5 to 5 of the list were not served");
	lot.entries[4].n = 5; /* and numbered as if they were right */
	lot.entries[3].n = 4;
	expect(&lot, COUNT, 0, "is not the one that the list has");
}

static void a_gap_names_what_is_missing(void **state) {
	(void)state;
	const struct lot lot = make();
	struct list_fold at;
	struct err err;
	const struct list_state beginning = {0};
	assert_int_equal(list_fold_begin(&at, &lot.states[COUNT], &beginning, &err), STATUS_OK);
	assert_int_equal(list_fold_step(&at, &lot.entries[9], &err), STATUS_OK);
	assert_int_equal(list_fold_step(&at, &lot.entries[5], &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "entries 7 to 9 of the list were not served"));
	assert_int_equal(list_fold_step(&at, &lot.entries[9], &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "served twice"));
	assert_int_equal(list_fold_step(&at, &lot.entries[8], &err), STATUS_OK);
	assert_int_equal(list_fold_end(&at, &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "entries 1 to 8 of the list were not served"));
}

static void a_list_never_shrinks_or_changes_its_past(void **state) {
	(void)state;
	struct lot lot = make();
	struct list_fold at;
	struct err err;
	assert_int_equal(list_fold_begin(&at, &lot.states[4], &lot.states[5], &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "has 4 entries, and had 5"));
	struct list_state other = lot.states[5];
	other.head[23] ^= 1;
	assert_int_equal(list_fold_begin(&at, &lot.states[5], &other, &err), STATUS_DENIED);
	lot.states[5] = other;
	expect(&lot, COUNT, 5, "the first 5 entries of the list are not those that were seen");
}

static void a_count_that_is_not_the_heads_is_refused(void **state) {
	(void)state;
	struct lot lot = make();
	lot.states[COUNT].count = COUNT + 1;
	expect(&lot, COUNT, 0, "entries 11 to 11 of the list were not served");
	lot = make();
	lot.states[COUNT].count = COUNT - 1;
	expect(&lot, COUNT, 0, "served twice, or is not one");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_contract_stores_is_read),
	    cmocka_unit_test(a_whole_list_folds_to_its_beginning),
	    cmocka_unit_test(any_change_of_an_entry_is_refused),
	    cmocka_unit_test(swapped_entries_are_refused),
	    cmocka_unit_test(a_gap_names_what_is_missing),
	    cmocka_unit_test(a_list_never_shrinks_or_changes_its_past),
	    cmocka_unit_test(a_count_that_is_not_the_heads_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
