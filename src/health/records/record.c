/* Registrations as the chain shows them, and erasing. Adding is in record_add.c, reading in record_read.c. */
#include "health/records/record.h"

#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/contracts/records.h"
#include "health/records/signer.h"

/* Kinds of an entry, as Records has them. */
#define LIST_ADDED 1u
#define LIST_ERASED 2u

/* From its words, which are proved. */
static enum status read_registration(
    struct record_registration *out, const hash32 *record, const hash32 *words, struct err *err) {
	struct records_registration found;
	TRY(records_stored_registration_load(&found, words, err));
	*out = (struct record_registration){.record = *record,
	    .root = found.root,
	    .facts = found.facts,
	    .folder = found.folder,
	    .author = found.author,
	    .epoch = found.epoch,
	    .state = found.state,
	    .added_at = found.added_at,
	    .blob = found.blob};
	return STATUS_OK;
}

enum status record_find(
    struct actor_request *request, struct record_registration *out, const hash32 *record, struct err *err) {
	const hash32 slot = records_registrations_slot(record);
	hash32 words[RECORDS_STORED_REGISTRATION_SLOTS];
	struct verified *verified;
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	TRY(verified_struct(
	    verified, words, &request->home->deployment.records, &slot, RECORDS_STORED_REGISTRATION_SLOTS, err));
	TRY(read_registration(out, record, words, err));
	return out->state ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "no record of this id is registered");
}

/* --- all of a folder --- */

/* The folder's list has an entry for each addition and each erasing. */
struct listing {
	struct actor_request *request;
	const hash32 *folder;
	struct record_registration *records; /* the newest first */
	size_t count, cap;
};

static hash32 entry_of(const struct records_record_added_event *event) {
	const hash32 words[8] = {abi_topic_of_u64(LIST_ADDED), event->record, abi_topic_of_address(&event->author),
	    abi_topic_of_u64(event->epoch), event->root, event->blob, abi_topic_of_u64(event->size), event->facts};
	return keccak256(bytes_make(words, sizeof words));
}

static enum status read_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	const struct listing *listing = context;
	struct arena *arena = listing->request->arena;
	struct records_event event;
	TRY(records_event_read(&event, arena, &log->log, err));
	*is_entry = event.kind == RECORDS_EVENT_RECORD_ADDED || event.kind == RECORDS_EVENT_RECORD_ERASED;
	if (event.kind == RECORDS_EVENT_RECORD_ADDED) {
		out->n = event.record_added.n;
		memcpy(out->before, event.record_added.before, sizeof out->before);
		out->entry = entry_of(&event.record_added);
	} else if (event.kind == RECORDS_EVENT_RECORD_ERASED) {
		const hash32 words[8] = {abi_topic_of_u64(LIST_ERASED), event.record_erased.record};
		out->n = event.record_erased.n;
		memcpy(out->before, event.record_erased.before, sizeof out->before);
		out->entry = keccak256(bytes_make(words, sizeof words));
	}
	return STATUS_OK;
}

static enum status note_record(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct listing *listing = context;
	struct records_event event;
	(void)entry;
	TRY(records_event_read(&event, listing->request->arena, &log->log, err));
	if (event.kind != RECORDS_EVENT_RECORD_ADDED) return STATUS_OK;
	if (listing->count == listing->cap) {
		const size_t cap = listing->cap ? 2 * listing->cap : 16;
		struct record_registration *all = arena_zalloc(listing->request->arena, cap, sizeof *all);
		if (listing->count) memcpy(all, listing->records, listing->count * sizeof *all);
		listing->records = all;
		listing->cap = cap;
	}
	listing->records[listing->count++].record = event.record_added.record;
	return STATUS_OK;
}

/* What became of them since: one question for many. */
static enum status load_all(struct listing *listing, struct err *err) {
	enum { AT_ONCE = VERIFIED_WORDS_MAX / RECORDS_STORED_REGISTRATION_SLOTS };
	const addr20 *records = &listing->request->home->deployment.records;
	struct verified_want *wants = arena_zalloc(listing->request->arena, VERIFIED_WORDS_MAX, sizeof *wants);
	hash32 *words = arena_zalloc(listing->request->arena, VERIFIED_WORDS_MAX, sizeof *words);
	for (size_t at = 0; at < listing->count; at += AT_ONCE) {
		struct record_registration *all = listing->records + at;
		const size_t left = listing->count - at, many = left < AT_ONCE ? left : AT_ONCE;
		size_t count = 0;
		for (size_t i = 0; i < many; i++) {
			const hash32 slot = records_registrations_slot(&all[i].record);
			for (size_t n = 0; n < RECORDS_STORED_REGISTRATION_SLOTS; n++)
				wants[count++] = (struct verified_want){records, contract_slot_after(&slot, n)};
		}
		TRY(verified_words(&listing->request->verified, words, wants, count, err));
		for (size_t i = 0; i < many; i++) {
			const hash32 record = all[i].record;
			TRY(read_registration(&all[i], &record, words + i * RECORDS_STORED_REGISTRATION_SLOTS, err));
		}
	}
	return STATUS_OK;
}

enum status record_list(struct actor_request *request, struct record_registration **out, size_t *count,
    const hash32 *folder, struct err *err) {
	const addr20 *records = &request->home->deployment.records;
	const hash32 kinds[2] = {records_record_added_event_topic, records_record_erased_event_topic};
	struct listing listing = {.request = request, .folder = folder};
	struct verified *verified;
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	const struct verified_list list = {.contract = records,
	    .slot = records_lists_slot(folder),
	    .query = {.address = records, .topics = {{kinds, 2}, {folder, 1}}},
	    .entry = read_entry,
	    .visit = note_record,
	    .context = &listing};
	TRY(verified_list(verified, &list, NULL, err));
	TRY(load_all(&listing, err));
	*out = listing.records;
	*count = listing.count;
	return STATUS_OK;
}

/* --- erasing --- */

enum status record_erase_action(
    struct actor_request *request, struct action *action, const hash32 *record, struct err *err) {
	const addr20 *records = &request->home->deployment.records;
	struct record_registration registration;
	struct folder_signer signer;
	struct folder folder;
	struct records_erase message = {.record = *record};
	uint8_t signature[65];
	*action = (struct action){.to = *records};
	TRY(record_find(request, &registration, record, err));
	if (registration.state == RECORD_ERASED) return err_set(err, STATUS_DENIED, "the record is erased already");
	TRY(folder_find(request, &folder, &registration.folder, err));
	TRY(folder_signer_find(request, &signer, &folder, 0, err));
	TRY(action_deadline(request, &message.deadline, err));
	TRY(folder_signer_take_number(request, &message.number, &signer, err));
	const struct eip712_domain domain = deployment_domain(&request->home->deployment, records);
	hash32 digest = records_erase_typed_digest(&message, &domain);
	TRY(folder_sign(request, signature, &signer, &digest, err));
	action->data = records_erase_call(request->arena, &message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}
