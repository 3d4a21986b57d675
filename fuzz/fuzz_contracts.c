/* The first byte says which reader, the rest is read: answers, events of any contract, errors, stored words, calldata.
 * Views stay inside the input, lists are no longer than it, and enums have a name. */
#include "health/contracts/consent.h"
#include "health/contracts/directory.h"
#include "health/contracts/errors.h"
#include "health/contracts/folders.h"
#include "health/contracts/medicines.h"
#include "health/contracts/records.h"

#include "fuzz/target.h"

static void check_view(struct bytes view, struct bytes data) {
	BUG_ON(view.len && (view.data < data.data || view.data + view.len > data.data + data.len));
}

/* A byte of topics, whose first is an event's own if the next byte names one; then the data. */
static struct log log_of(struct bytes data) {
	static const hash32 *const known[] = {&consent_access_event_topic, &consent_granted_event_topic,
	    &consent_glass_broken_event_topic, &directory_actor_listed_event_topic, &folders_epoch_started_event_topic,
	    &folders_glass_policy_event_topic, &medicines_alert_event_topic, &medicines_captured_event_topic,
	    &medicines_unit_changed_event_topic, &records_record_added_event_topic};
	struct log log = {.topic_count = data.len ? data.data[0] % 5 : 0};
	unsigned first = data.len > 1 ? data.data[1] : 0;
	data = bytes_slice(data, 2, data.len);
	for (size_t i = 0; i < log.topic_count; i++) {
		struct bytes topic = bytes_slice(data, 0, 32);
		if (topic.len) memcpy(log.topics[i].b, topic.data, topic.len);
		data = bytes_slice(data, 32, data.len);
	}
	if (first < sizeof known / sizeof *known) log.topics[0] = *known[first];
	log.data = data;
	return log;
}

static void read_log(struct arena *arena, struct bytes data) {
	struct log log = log_of(data);
	struct consent_event consent;
	struct directory_event directory;
	struct folders_event folders;
	struct medicines_event medicines;
	struct records_event records;
	struct err err;
	if (consent_event_read(&consent, arena, &log, &err) == STATUS_OK && consent.kind == CONSENT_EVENT_ACCESS)
		BUG_ON(consent.access.reason >= CONSENT_REASON_COUNT || consent.access.until >> 40);
	if (directory_event_read(&directory, arena, &log, &err) == STATUS_OK &&
	    directory.kind == DIRECTORY_EVENT_ACTOR_LISTED)
		check_view(directory.actor_listed.name, data);
	if (folders_event_read(&folders, arena, &log, &err) == STATUS_OK && folders.kind == FOLDERS_EVENT_EPOCH_STARTED)
		BUG_ON(folders.epoch_started.recipients_count > data.len / 32);
	if (medicines_event_read(&medicines, arena, &log, &err) == STATUS_OK && medicines.kind == MEDICINES_EVENT_ALERT)
		BUG_ON(medicines.alert.code >= MEDICINES_CODE_COUNT);
	(void)!records_event_read(&records, arena, &log, &err);
}

static void read_answer(struct arena *arena, struct bytes data) {
	struct directory_actor actor;
	struct folders_head folder;
	struct medicines_holders_of_result holders;
	const addr20 *trustees;
	size_t count;
	struct err err;
	if (directory_actor_of_read(&actor, data, &err) == STATUS_OK) BUG_ON(actor.status >= DIRECTORY_STATUS_COUNT);
	if (folders_folder_of_read(&folder, data, &err) == STATUS_OK) BUG_ON(data.len != 13 * 32);
	if (folders_trustees_of_read(&trustees, &count, arena, data, &err) == STATUS_OK)
		BUG_ON(data.len != 64 + 32 * count);
	if (medicines_holders_of_read(&holders, arena, data, &err) == STATUS_OK)
		BUG_ON(data.len != 96 + 128 * holders.rows_count);
}

static void read_stored(struct bytes data) {
	hash32 words[CONSENT_STORED_ITEM_SLOTS] = {0};
	struct consent_stored_item item;
	uint64_t length;
	struct bytes head = bytes_slice(data, 0, sizeof words);
	if (head.len) memcpy(words, head.data, head.len);
	if (consent_stored_item_load(&item, words, NULL) == STATUS_OK) BUG_ON(item.kind >= CONSENT_ITEM_KIND_COUNT);
	if (contract_stored_length(&length, &words[0], NULL) == STATUS_OK && !(words[0].b[31] & 1)) BUG_ON(length > 31);
}

/* What is read is encoded again as the same bytes: each reader sees to that. */
static void read_calldata(struct arena *arena, struct bytes data) {
	struct folders_open_args open;
	struct folders_rotate_args rotate;
	struct consent_grant_args grant;
	struct directory_list_args list;
	struct medicines_capture_args capture;
	struct records_add_many_args add;
	if (folders_open_call_read(&open, arena, data, NULL) == STATUS_OK) check_view(open.signature, data);
	if (folders_rotate_call_read(&rotate, arena, data, NULL) == STATUS_OK) check_view(rotate.signature, data);
	if (consent_grant_call_read(&grant, arena, data, NULL) == STATUS_OK) check_view(grant.signature, data);
	if (directory_list_call_read(&list, arena, data, NULL) == STATUS_OK)
		for (size_t i = 0; i < list.registrar_signatures_count; i++)
			check_view(list.registrar_signatures[i], data);
	if (medicines_capture_call_read(&capture, arena, data, NULL) == STATUS_OK)
		for (size_t i = 0; i < capture.operations_count; i++) check_view(capture.operations[i], data);
	if (records_add_many_call_read(&add, arena, data, NULL) == STATUS_OK)
		BUG_ON(data.len != 4 + 64 + 7 * 32 * add.additions_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_slice(bytes_make(data, size), 1, size);
	struct arena arena;
	arena_init(&arena);
	switch (size ? data[0] % 5 : 0) {
	case 0: read_log(&arena, input); break;
	case 1: read_answer(&arena, input); break;
	case 2: read_stored(input); break;
	case 4: read_calldata(&arena, input); break;
	case 3: {
		struct contract_refusal refusal = contract_refusal_read(input);
		BUG_ON(refusal.error == CONTRACT_ERROR_NONE || refusal.error >= CONTRACT_ERROR_COUNT);
		if (refusal.error == CONTRACT_ERROR_TEXT) check_view(refusal.text, input);
		break;
	}
	}
	arena_fini(&arena);
	return 0;
}
