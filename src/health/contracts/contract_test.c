/* Each generated binding is held to a peer in tests/contracts_peers; here is what must be refused. */
#include "health/contracts/cause.h"
#include "health/contracts/consent.h"
#include "health/contracts/contract_codec.h"
#include "health/contracts/directory.h"
#include "health/contracts/errors.h"
#include "health/contracts/folders.h"
#include "health/contracts/medicines.h"
#include "health/contracts/records.h"
#include "tests/unit.h"

static const hash32 folder = {{1}}, record = {{2}};
static const addr20 actor = {{3}};

static const uint8_t before[24] = {1};

static struct log access_log(struct buf *data, uint64_t purpose, uint64_t permitted, uint64_t reason, uint64_t until) {
	buf_init(data, 1 << 12);
	abi_put_u64(data, purpose);
	abi_put_u64(data, permitted);
	abi_put_u64(data, reason);
	abi_put_u64(data, until);
	abi_put_u64(data, 0); /* review */
	abi_put_u64(data, 4); /* n, and before */
	abi_put_fixed(data, bytes_make(before, sizeof before));
	return (struct log){.topic_count = 4,
	    .topics = {consent_access_event_topic, folder, record, abi_topic_of_address(&actor)},
	    .data = buf_view(data)};
}

static void a_log_is_read_as_its_event(void **state) {
	(void)state;
	struct buf data;
	struct consent_event event;
	struct log log = access_log(&data, 1, 1, CONSENT_REASON_PERMITTED, 0xffffffffff);
	assert_int_equal(consent_event_read(&event, NULL, &log, NULL), STATUS_OK);
	assert_int_equal(event.kind, CONSENT_EVENT_ACCESS);
	assert_true(hash32_equal(&event.access.folder, &folder) && hash32_equal(&event.access.record, &record));
	assert_true(addr20_equal(&event.access.actor, &actor));
	assert_true(event.access.permitted);
	assert_int_equal(event.access.until, 0xffffffffff);
	assert_memory_equal(event.access.before, before, sizeof before);
	buf_fini(&data);
}

static void a_log_with_a_value_out_of_its_range_is_refused(void **state) {
	(void)state;
	static const uint64_t bad[][4] = {
	    {256, 1, 0, 1}, {1, 2, 0, 1}, {1, 1, CONSENT_REASON_COUNT, 1}, {1, 1, 0, (uint64_t)1 << 40}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf data;
		struct err err;
		struct consent_event event;
		struct log log = access_log(&data, bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
		assert_int_equal(consent_event_read(&event, NULL, &log, &err), STATUS_INTERNAL);
		assert_memory_equal(err.message, "the node is wrong: its answer for Consent.Access", 48);
		assert_int_equal(err.cause, CAUSE_NOT_PROVED);
		buf_fini(&data);
	}
}

static void a_log_of_another_length_is_refused(void **state) {
	(void)state;
	struct buf data;
	struct consent_access_event event;
	struct log log = access_log(&data, 1, 1, 0, 1);
	for (size_t len = 0; len < 7 * 32; len++) {
		log.data.len = len;
		assert_int_equal(consent_access_event_read(&event, &log, NULL), STATUS_INTERNAL);
	}
	abi_put_u64(&data, 0);
	log.data = buf_view(&data);
	assert_int_equal(consent_access_event_read(&event, &log, NULL), STATUS_INTERNAL);
	buf_fini(&data);
}

static void a_log_with_other_topics_is_refused(void **state) {
	(void)state;
	struct buf data;
	struct consent_event event;
	struct log log = access_log(&data, 1, 1, 0, 1);
	log.topics[3].b[0] = 1; /* an address of 21 bytes */
	assert_int_equal(consent_event_read(&event, NULL, &log, NULL), STATUS_INTERNAL);
	log.topic_count = 3;
	assert_int_equal(consent_event_read(&event, NULL, &log, NULL), STATUS_INTERNAL);
	log.topic_count = 0;
	assert_int_equal(consent_event_read(&event, NULL, &log, NULL), STATUS_NOTFOUND);
	log.topic_count = 4;
	log.topics[0] = folders_folder_opened_event_topic;
	assert_int_equal(consent_event_read(&event, NULL, &log, NULL), STATUS_NOTFOUND);
	struct consent_access_event access;
	assert_int_equal(consent_access_event_read(&access, &log, NULL), STATUS_INTERNAL);
	buf_fini(&data);
}

static void a_filter_leaves_out_what_may_be_anything(void **state) {
	(void)state;
	struct contract_topics topics = consent_access_event_topics(&folder, NULL, &actor);
	assert_true(topics.has_topic[0] && topics.has_topic[1] && !topics.has_topic[2] && topics.has_topic[3]);
	hash32 third = abi_topic_of_address(&actor);
	assert_true(hash32_equal(&topics.topics[0], &consent_access_event_topic));
	assert_true(hash32_equal(&topics.topics[1], &folder) && hash32_equal(&topics.topics[3], &third));
}

static void an_answer_that_goes_on_is_refused(void **state) {
	(void)state;
	struct buf data;
	bool active;
	buf_init(&data, 1 << 12);
	abi_put_bool(&data, true);
	assert_int_equal(directory_is_active_read(&active, buf_view(&data), NULL), STATUS_OK);
	assert_true(active);
	abi_put_bool(&data, true);
	assert_int_equal(directory_is_active_read(&active, buf_view(&data), NULL), STATUS_INTERNAL);
	assert_int_equal(directory_is_active_read(&active, (struct bytes){0}, NULL), STATUS_INTERNAL);
	buf_fini(&data);
}

static void a_list_with_a_hole_before_it_is_refused(void **state) {
	(void)state;
	struct buf data;
	struct arena arena;
	const addr20 *trustees;
	size_t count;
	arena_init(&arena);
	for (uint64_t offset = 32; offset <= 64; offset += 32) {
		buf_init(&data, 1 << 12);
		abi_put_u64(&data, offset);
		if (offset == 64) abi_put_u64(&data, 0); /* the hole */
		abi_put_u64(&data, 1);
		abi_put_address(&data, &actor);
		enum status status = folders_trustees_of_read(&trustees, &count, &arena, buf_view(&data), NULL);
		assert_int_equal(status, offset == 32 ? STATUS_OK : STATUS_INTERNAL);
		buf_fini(&data);
	}
	arena_fini(&arena);
}

static struct bytes opening(struct arena *arena) {
	static const addr20 trustees[2] = {{{5}}, {{6}}};
	static const uint8_t signature[65] = {7};
	const struct folders_open open = {.controller = actor,
	    .salt = record,
	    .glass = {.minutes = 60, .threshold = 1, .trustees = trustees, .trustees_count = 2},
	    .label = BYTES_LITERAL("sealed label"),
	    .deadline = 9};
	return folders_open_call(arena, &open, bytes_make(signature, sizeof signature));
}

static void calldata_of_another_function_or_cut_short_is_refused(void **state) {
	(void)state;
	struct arena arena;
	struct folders_open_args args;
	arena_init(&arena);
	struct bytes calldata = opening(&arena);
	assert_int_equal(folders_open_call_read(&args, &arena, calldata, NULL), STATUS_OK);
	assert_int_equal(args.statement.glass.trustees_count, 2);
	assert_int_equal(args.statement.glass.trustees[1].b[0], 6);
	assert_int_equal(args.signature.len, 65);
	for (size_t len = 0; len < calldata.len; len++)
		assert_int_equal(
		    folders_open_call_read(&args, &arena, bytes_slice(calldata, 0, len), NULL), STATUS_INVALID);
	uint8_t *other = arena_alloc(&arena, calldata.len);
	memcpy(other, calldata.data, calldata.len);
	other[0] ^= 1;
	struct err err;
	assert_int_equal(folders_open_call_read(&args, &arena, bytes_make(other, calldata.len), &err), STATUS_INVALID);
	assert_string_equal(err.message, "the calldata of Folders.open: ABI: calldata is of another function");
	arena_fini(&arena);
}

/* Every value is sound and every byte is read once, but the statement stands behind its signature. */
static void calldata_whose_values_stand_in_another_order_is_refused(void **state) {
	(void)state;
	struct arena arena;
	struct folders_open_args args;
	struct err err;
	arena_init(&arena);
	struct bytes calldata = opening(&arena);
	uint8_t *swapped = arena_alloc(&arena, calldata.len), *heads = swapped + 4;
	memcpy(swapped, calldata.data, calldata.len);
	size_t open = load_be64(heads + 24), signature = load_be64(heads + 32 + 24);
	size_t open_bytes = signature - open, signature_bytes = calldata.len - 4 - signature;
	memcpy(heads + open, calldata.data + 4 + signature, signature_bytes);
	memcpy(heads + open + signature_bytes, calldata.data + 4 + open, open_bytes);
	store_be64(heads + 32 + 24, open);
	store_be64(heads + 24, open + signature_bytes);
	assert_int_equal(
	    folders_open_call_read(&args, &arena, bytes_make(swapped, calldata.len), &err), STATUS_INVALID);
	assert_string_equal(err.message, "the calldata of Folders.open: ABI: its values do not stand in their order");
	arena_fini(&arena);
}

static struct contract_refusal revert_with(const char *signature, const uint64_t *words, size_t count) {
	struct buf data;
	buf_init(&data, 1 << 12);
	abi_put_selector(&data, signature);
	for (size_t i = 0; i < count; i++) abi_put_u64(&data, words[i]);
	struct contract_refusal refusal = contract_refusal_read(buf_view(&data));
	buf_fini(&data);
	return refusal;
}

static void a_revert_is_a_value(void **state) {
	(void)state;
	struct contract_refusal refusal = revert_with("StaleEpoch(uint32)", (const uint64_t[]){7}, 1);
	assert_int_equal(refusal.error, CONTRACT_ERROR_STALE_EPOCH);
	assert_int_equal(refusal.stale_epoch.current, 7);
	refusal = revert_with("Refused(uint8,bytes32)", (const uint64_t[]){MEDICINES_CODE_NOT_CUSTODIAN, 9}, 2);
	assert_int_equal(refusal.error, CONTRACT_ERROR_REFUSED);
	assert_int_equal(refusal.refused.code, MEDICINES_CODE_NOT_CUSTODIAN);
	assert_int_equal(refusal.refused.thing.b[31], 9);
	assert_int_equal(revert_with("NotListed()", NULL, 0).error, CONTRACT_ERROR_NOT_LISTED);
	refusal = revert_with("Panic(uint256)", (const uint64_t[]){0x11}, 1);
	assert_int_equal(refusal.error, CONTRACT_ERROR_PANIC);
	assert_int_equal(refusal.panic_code, 0x11);
	assert_int_equal(contract_refusal_read((struct bytes){0}).error, CONTRACT_ERROR_SILENT);
}

static void a_revert_that_no_contract_declares_is_unknown(void **state) {
	(void)state;
	struct contract_refusal refusal = revert_with("Nonsense()", NULL, 0);
	assert_int_equal(refusal.error, CONTRACT_ERROR_UNKNOWN);
	assert_int_not_equal(refusal.selector, 0);
	refusal = revert_with("Refused(uint8,bytes32)", (const uint64_t[]){MEDICINES_CODE_COUNT, 9}, 2);
	assert_int_equal(refusal.error, CONTRACT_ERROR_UNKNOWN);
	assert_int_equal(revert_with("StaleEpoch(uint32)", NULL, 0).error, CONTRACT_ERROR_UNKNOWN);
	assert_int_equal(revert_with("NotListed()", (const uint64_t[]){1}, 1).error, CONTRACT_ERROR_UNKNOWN);
}

static void every_error_has_a_name_and_a_sentence(void **state) {
	(void)state;
	for (unsigned i = 1; i < CONTRACT_ERROR_COUNT; i++) {
		assert_string_not_equal(contract_error_name((enum contract_error)i), "");
		assert_string_not_equal(contract_error_text((enum contract_error)i), "");
	}
	assert_string_equal(contract_error_name(CONTRACT_ERROR_NONE), "");
	assert_string_equal(contract_error_name(CONTRACT_ERROR_COUNT), "");
}

static void a_stored_value_out_of_its_range_is_refused(void **state) {
	(void)state;
	struct consent_stored_item item;
	hash32 words[CONSENT_STORED_ITEM_SLOTS] = {0};
	words[0].b[31] = CONSENT_ITEM_KIND_RELEASE;
	words[0].b[29] = 5;
	assert_int_equal(consent_stored_item_load(&item, words, NULL), STATUS_OK);
	assert_int_equal(item.kind, CONSENT_ITEM_KIND_RELEASE);
	assert_int_equal(item.review, 5);
	words[0].b[31] = CONSENT_ITEM_KIND_COUNT;
	assert_int_equal(consent_stored_item_load(&item, words, NULL), STATUS_DENIED);
}

static void stored_strings_have_two_forms(void **state) {
	(void)state;
	uint64_t length;
	hash32 word = {.b = "Hospital A"};
	word.b[31] = 2 * 10;
	assert_int_equal(contract_stored_length(&length, &word, NULL), STATUS_OK);
	assert_int_equal(length, 10);
	word.b[20] = 1; /* behind the text */
	assert_int_equal(contract_stored_length(&length, &word, NULL), STATUS_DENIED);
	word = abi_topic_of_u64(2 * 40 + 1);
	assert_int_equal(contract_stored_length(&length, &word, NULL), STATUS_OK);
	assert_int_equal(length, 40);
	word = abi_topic_of_u64(2 * 31 + 1); /* 31 bytes have the short form */
	assert_int_equal(contract_stored_length(&length, &word, NULL), STATUS_DENIED);
	word.b[0] = 1;
	assert_int_equal(contract_stored_length(&length, &word, NULL), STATUS_DENIED);
}

static void slots_wrap_around_as_the_machine_counts(void **state) {
	(void)state;
	hash32 last, zero = {{0}};
	memset(last.b, 0xff, sizeof last.b);
	hash32 after = contract_slot_after(&last, 1);
	assert_true(hash32_equal(&after, &zero));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_log_is_read_as_its_event),
	    cmocka_unit_test(a_log_with_a_value_out_of_its_range_is_refused),
	    cmocka_unit_test(a_log_of_another_length_is_refused),
	    cmocka_unit_test(a_log_with_other_topics_is_refused),
	    cmocka_unit_test(a_filter_leaves_out_what_may_be_anything),
	    cmocka_unit_test(an_answer_that_goes_on_is_refused),
	    cmocka_unit_test(a_list_with_a_hole_before_it_is_refused),
	    cmocka_unit_test(calldata_of_another_function_or_cut_short_is_refused),
	    cmocka_unit_test(calldata_whose_values_stand_in_another_order_is_refused),
	    cmocka_unit_test(a_revert_is_a_value),
	    cmocka_unit_test(a_revert_that_no_contract_declares_is_unknown),
	    cmocka_unit_test(every_error_has_a_name_and_a_sentence),
	    cmocka_unit_test(a_stored_value_out_of_its_range_is_refused),
	    cmocka_unit_test(stored_strings_have_two_forms),
	    cmocka_unit_test(slots_wrap_around_as_the_machine_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
