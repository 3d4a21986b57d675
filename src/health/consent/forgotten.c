/* What a forgotten folder leaves behind is named for deletion, in pages: wraps, reasons, releases, containers. Anybody
 * may do it; whoever relayed the forgetting does. What is erased already is passed over by the contracts. */
#include "health/consent/forgotten.h"

#include "health/consent/consent_private.h"
#include "health/consent/rights.h"
#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/records/folder.h"
#include "health/records/items.h"

#define PAGE_ITEMS 256u
#define PAGE_EPOCHS 512u

struct items {
	hash32 *ids;
	size_t count, capacity;
};

static void add(struct actor_request *request, struct items *items, hash32 id) {
	if (items->count == items->capacity) {
		size_t capacity = items->capacity ? 2 * items->capacity : 64;
		hash32 *grown = arena_zalloc(request->arena, capacity, sizeof *grown);
		if (items->count) memcpy(grown, items->ids, items->count * sizeof *grown);
		items->ids = grown;
		items->capacity = capacity;
	}
	items->ids[items->count++] = id;
}

static enum status grant_items(
    struct actor_request *request, struct items *items, const hash32 *folder, struct err *err) {
	struct contract_topics topics = consent_granted_event_topics(folder, NULL, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.consent, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct consent_granted_event event;
		TRY(consent_granted_event_read(&event, &logs[i].log, err));
		if (event.rights & RIGHT_READ)
			add(request, items,
			    item_of_grant(folder, &event.record, &event.grantee, event.epoch, event.count));
	}
	return STATUS_OK;
}

static enum status release_items(struct actor_request *request, struct items *items, uint64_t review, struct err *err) {
	struct contract_topics topics = consent_share_released_event_topics(&review, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.consent, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct consent_share_released_event event;
		TRY(consent_share_released_event_read(&event, &logs[i].log, err));
		add(request, items, item_of_release(review, &event.trustee));
	}
	return STATUS_OK;
}

static enum status glass_items(
    struct actor_request *request, struct items *items, const hash32 *folder, struct err *err) {
	struct contract_topics topics = consent_glass_broken_event_topics(folder, NULL, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.consent, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct consent_glass_broken_event event;
		TRY(consent_glass_broken_event_read(&event, &logs[i].log, err));
		add(request, items, item_of_reason(event.review));
		TRY(release_items(request, items, event.review, err));
	}
	return STATUS_OK;
}

static enum status record_items(
    struct actor_request *request, struct items *items, const hash32 *folder, struct err *err) {
	struct contract_topics topics = records_record_added_event_topics(folder, NULL, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.records, 0, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct records_record_added_event event;
		TRY(records_record_added_event_read(&event, &logs[i].log, err));
		add(request, items, event.record);
	}
	return STATUS_OK;
}

typedef struct bytes make_page(struct arena *arena, const hash32 *folder, const hash32 *ids, size_t count);

static enum status send_pages(struct actor_request *request, const addr20 *contract, make_page *make,
    const hash32 *folder, const struct items *items, struct err *err) {
	for (size_t at = 0; at < items->count; at += PAGE_ITEMS) {
		struct client_receipt receipt;
		size_t count = items->count - at < PAGE_ITEMS ? items->count - at : PAGE_ITEMS;
		TRY(request_transact(
		    request, &receipt, contract, make(request->arena, folder, items->ids + at, count), err));
	}
	return STATUS_OK;
}

static enum status erase_wraps(struct actor_request *request, const hash32 *folder, uint32_t epochs, struct err *err) {
	for (uint32_t from = 1; from <= epochs; from += PAGE_EPOCHS) {
		struct client_receipt receipt;
		struct bytes call = folders_erase_forgotten_call(request->arena, folder, from, from + PAGE_EPOCHS - 1);
		TRY(request_transact(request, &receipt, &request->home->deployment.folders, call, err));
	}
	return STATUS_OK;
}

enum status consent_erase_forgotten(struct actor_request *request, const hash32 *id, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	struct folder folder;
	struct items items = {0}, records = {0};
	TRY(folder_find(request, &folder, id, err));
	if (!folder.closed) return err_set(err, STATUS_DENIED, "the folder is not forgotten");
	TRY(grant_items(request, &items, id, err));
	TRY(glass_items(request, &items, id, err));
	TRY(record_items(request, &records, id, err));
	TRY(erase_wraps(request, id, folder.epoch, err));
	TRY(send_pages(request, &deployment->consent, consent_erase_forgotten_call, id, &items, err));
	return send_pages(request, &deployment->records, records_erase_forgotten_call, id, &records, err);
}
