#include "health/consent/erasing.h"

#include "envelope/container.h"
#include "health/consent/confirmed.h"
#include "health/consent/consent_private.h"
#include "health/consent/grant_list.h"
#include "health/consent/looks.h"
#include "health/consent/rights.h"
#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/records/items.h"

#define PAGE_ITEMS 256u
#define SLOTS_MAX RECORDS_STORED_REGISTRATION_SLOTS /* of an item, in any contract */

struct items {
	struct actor_request *request;
	const hash32 *folder;
	const hash32 *record; /* only what is of this one; NULL: all */
	struct item {
		hash32 id;
		uint32_t epoch; /* of epoch wraps */
	} * all;
	size_t count, cap;
};

static void add(struct items *items, hash32 id, uint32_t epoch) {
	if (items->count == items->cap) {
		items->cap = items->cap ? 2 * items->cap : 64;
		struct item *grown = arena_zalloc(items->request->arena, items->cap, sizeof *grown);
		if (items->count) memcpy(grown, items->all, items->count * sizeof *grown);
		items->all = grown;
	}
	items->all[items->count++] = (struct item){id, epoch};
}

/* --- which there are --- */

static enum status list_epochs(struct items *items, struct err *err) {
	struct folder folder;
	TRY(folder_find(items->request, &folder, items->folder, err));
	for (uint32_t epoch = 1; epoch <= folder.epoch; epoch++) add(items, item_of_wraps(items->folder, epoch), epoch);
	return STATUS_OK;
}

static enum status list_records(struct items *items, struct err *err) {
	struct record_registration *records;
	size_t count;
	TRY(record_list(items->request, &records, &count, items->folder, err));
	for (size_t i = 0; i < count; i++) add(items, records[i].record, 0);
	return STATUS_OK;
}

/* A grant holds one wrap at a time: the one of its proved state. Those before were named when it was replaced. */
static enum status add_wrap(struct items *items, const struct grant_list_entry *entry, struct err *err) {
	struct consent_grant_state state;
	const hash32 *record = hash32_is_zero(&entry->record) ? NULL : &entry->record;
	TRY(folder_grant_find(items->request, &state, items->folder, record, &entry->grantee, err));
	if (state.rights & RIGHT_READ && !state.revoked)
		add(items, item_of_grant(items->folder, &entry->record, &entry->grantee, state.epoch, state.count), 0);
	return STATUS_OK;
}

static bool is_seen(const struct grant_list *list, size_t at) {
	for (size_t i = 0; i < at; i++)
		if (hash32_equal(&list->entries[i].record, &list->entries[at].record) &&
		    addr20_equal(&list->entries[i].grantee, &list->entries[at].grantee))
			return true;
	return false;
}

static enum status list_wraps(struct items *items, struct err *err) {
	struct grant_list list;
	struct verified *verified;
	TRY(request_verified(items->request, &verified, HEADS_FRESH, err));
	TRY(grant_list_read(verified, &list, items->folder, err));
	for (size_t i = 0; i < list.count; i++) {
		if (items->record && !hash32_equal(&list.entries[i].record, items->record)) continue;
		if (!is_seen(&list, i)) TRY(add_wrap(items, &list.entries[i], err));
	}
	return STATUS_OK;
}

/* A folder's emergencies, by its looks. */
struct reviews {
	struct arena *arena;
	uint64_t *all;
	size_t count, cap;
};

static enum status see_look(void *context, const struct access_event *event, struct err *err) {
	struct reviews *reviews = context;
	(void)err;
	if (event->reason != CONSENT_REASON_EMERGENCY || !event->review) return STATUS_OK;
	if (reviews->count == reviews->cap) {
		reviews->cap = reviews->cap ? 2 * reviews->cap : 16;
		uint64_t *grown = arena_zalloc(reviews->arena, reviews->cap, sizeof *grown);
		if (reviews->count) memcpy(grown, reviews->all, reviews->count * sizeof *grown);
		reviews->all = grown;
	}
	reviews->all[reviews->count++] = event->review;
	return STATUS_OK;
}

/* What each trustee of each epoch may have released in each emergency. No log says which they did: a node could hide
 * it, and the slot of what never was is proved to be empty. */
static enum status add_releases(struct items *items, const struct reviews *reviews, struct err *err) {
	struct folder folder;
	if (!reviews->count) return STATUS_OK;
	TRY(folder_find(items->request, &folder, items->folder, err));
	for (uint32_t epoch = 1; epoch <= folder.epoch; epoch++) {
		struct statement_epoch stated;
		TRY(folder_epoch_find(items->request, &folder, &stated, epoch, err));
		for (size_t n = 0; n < reviews->count * stated.glass.trustees_count; n++) {
			const addr20 *trustee = &stated.glass.trustees[n / reviews->count];
			add(items, item_of_release(reviews->all[n % reviews->count], trustee, epoch), 0);
		}
	}
	return STATUS_OK;
}

static enum status list_consent(struct items *items, struct err *err) {
	struct verified *verified;
	struct reviews reviews = {.arena = items->request->arena};
	const struct looks looks = {.folder = *items->folder, .visit = see_look, .context = &reviews};
	TRY(list_wraps(items, err));
	if (items->record) return STATUS_OK;
	TRY(request_verified(items->request, &verified, HEADS_FRESH, err));
	TRY(looks_read(verified, &looks, err));
	for (size_t i = 0; i < reviews.count; i++) add(items, item_of_reason(reviews.all[i]), 0);
	return add_releases(items, &reviews, err);
}

/* --- where they are kept --- */

static enum status is_wraps_gone(bool *gone, const hash32 *words, struct err *err) {
	struct folders_stored_item item;
	TRY(folders_stored_item_load(&item, words, err));
	*gone = item.erased;
	return STATUS_OK;
}

/* An item of that name that never was is no item. */
static enum status is_item_gone(bool *gone, const hash32 *words, struct err *err) {
	struct consent_stored_item item;
	TRY(consent_stored_item_load(&item, words, err));
	*gone = item.erased || item.kind == CONSENT_ITEM_KIND_NONE;
	return STATUS_OK;
}

static enum status is_record_gone(bool *gone, const hash32 *words, struct err *err) {
	struct records_registration found;
	TRY(records_stored_registration_load(&found, words, err));
	*gone = found.state == RECORD_ERASED;
	return STATUS_OK;
}

static struct bytes wraps_call(struct arena *arena, const hash32 *folder, const struct item *items, size_t count) {
	return folders_erase_forgotten_call(arena, folder, items[0].epoch, items[count - 1].epoch);
}

static const hash32 *ids_of(struct arena *arena, const struct item *items, size_t count) {
	hash32 *ids = arena_zalloc(arena, count, sizeof *ids);
	for (size_t i = 0; i < count; i++) ids[i] = items[i].id;
	return ids;
}

static struct bytes items_call(struct arena *arena, const hash32 *folder, const struct item *items, size_t count) {
	return consent_erase_forgotten_call(arena, folder, ids_of(arena, items, count), count);
}

static struct bytes records_call(struct arena *arena, const hash32 *folder, const struct item *items, size_t count) {
	return records_erase_forgotten_call(arena, folder, ids_of(arena, items, count), count);
}

static const struct place {
	size_t contract; /* where the anchor has its address */
	enum status (*list)(struct items *items, struct err *err);
	hash32 (*slot)(const hash32 *id);
	size_t slots; /* of what is stored of an item */
	enum status (*is_gone)(bool *gone, const hash32 *words, struct err *err);
	struct bytes (*call)(struct arena *arena, const hash32 *folder, const struct item *items, size_t count);
} places[] = {
    {offsetof(struct deployment, folders), list_epochs, folders_items_slot, FOLDERS_STORED_ITEM_SLOTS, is_wraps_gone,
	wraps_call},
    {offsetof(struct deployment, consent), list_consent, consent_items_slot, CONSENT_STORED_ITEM_SLOTS, is_item_gone,
	items_call},
    {offsetof(struct deployment, records), list_records, records_registrations_slot, RECORDS_STORED_REGISTRATION_SLOTS,
	is_record_gone, records_call},
};
enum { OF_FOLDERS, OF_CONSENT, PLACES = sizeof places / sizeof *places };

static const addr20 *contract_of(const struct items *items, const struct place *place) {
	return (const addr20 *)((const uint8_t *)&items->request->home->deployment + place->contract);
}

/* --- what is left of them --- */

/* Proves so many at once, and keeps nothing but their words: there may be very many. */
static enum status prove_page(const struct items *items, const struct place *place, const struct item *page,
    size_t count, hash32 *words, struct arena *arena, struct err *err) {
	struct verified *verified, apart;
	struct verified_want *wants = arena_zalloc(arena, count * place->slots, sizeof *wants);
	for (size_t i = 0; i < count; i++) {
		const hash32 slot = place->slot(&page[i].id);
		for (size_t n = 0; n < place->slots; n++)
			wants[i * place->slots + n] =
			    (struct verified_want){contract_of(items, place), contract_slot_after(&slot, n)};
	}
	TRY(request_verified(items->request, &verified, HEADS_FRESH, err));
	verified_begin(&apart, verified->heads, verified->client, arena);
	apart.head = verified->head;
	apart.has_head = true;
	return verified_words(&apart, words, wants, count * place->slots, err);
}

/* Of a page, those that are not erased go to `*left`, which is at most its beginning. */
static enum status keep_page(struct items *items, size_t *left, const struct place *place, size_t at, size_t count,
    struct arena *arena, struct err *err) {
	hash32 *words = arena_zalloc(arena, count * place->slots, sizeof *words);
	TRY(prove_page(items, place, &items->all[at], count, words, arena, err));
	for (size_t i = 0; i < count; i++) {
		bool gone;
		TRY(place->is_gone(&gone, &words[i * place->slots], err));
		if (!gone) items->all[(*left)++] = items->all[at + i];
	}
	return STATUS_OK;
}

/* Only those that are not erased stay. */
static enum status keep_left(struct items *items, const struct place *place, struct err *err) {
	enum { AT_ONCE = VERIFIED_WORDS_MAX / SLOTS_MAX };
	struct arena arena;
	enum status status = STATUS_OK;
	size_t left = 0, count;
	arena_init(&arena);
	for (size_t at = 0; at < items->count && status == STATUS_OK; at += count) {
		count = items->count - at < AT_ONCE ? items->count - at : AT_ONCE;
		status = keep_page(items, &left, place, at, count, &arena, err);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	items->count = left;
	return status;
}

static enum status name_page(struct items *items, const struct place *place, size_t at, size_t count, struct err *err) {
	struct client_receipt receipt;
	const struct bytes call = place->call(items->request->arena, items->folder, &items->all[at], count);
	return request_transact(items->request, &receipt, contract_of(items, place), call, err);
}

/* Until nothing is left there. */
static enum status erase_at(struct items *items, size_t *named, const struct place *place, struct err *err) {
	items->count = 0;
	TRY(place->list(items, err));
	TRY(keep_left(items, place, err));
	const size_t count = items->count;
	for (size_t at = 0; at < count; at += PAGE_ITEMS)
		TRY(name_page(items, place, at, count - at < PAGE_ITEMS ? count - at : PAGE_ITEMS, err));
	if (count) TRY(keep_left(items, place, err));
	if (items->count)
		return err_set(err, STATUS_CORRUPT,
		    "not proved: %zu items are not erased on the chain, though the node says that their erasing succeeded",
		    items->count);
	*named += count;
	return STATUS_OK;
}

enum status consent_erase_forgotten(struct actor_request *request, size_t *named, const hash32 *id, struct err *err) {
	struct items items = {.request = request, .folder = id};
	struct folder folder;
	*named = 0;
	TRY(folder_find(request, &folder, id, err));
	if (!folder.closed) return err_set(err, STATUS_DENIED, "the folder is not forgotten");
	for (size_t i = 0; i < PLACES; i++) TRY(erase_at(&items, named, &places[i], err));
	return STATUS_OK;
}

enum status consent_erase_record(struct actor_request *request, size_t *named, const hash32 *record, struct err *err) {
	struct record_registration found;
	*named = 0;
	TRY(record_find(request, &found, record, err));
	if (found.state != RECORD_ERASED) return err_set(err, STATUS_DENIED, "the record is not erased");
	struct items items = {.request = request, .folder = &found.folder, .record = record};
	return erase_at(&items, named, &places[OF_CONSENT], err);
}

/* --- how far it is --- */

/* Asked in the name of the folder's controller, if this home is that, else of its account. */
static enum status count_served(
    struct actor_request *request, struct consent_erasure *out, const struct items *items, struct err *err) {
	struct own_folder own;
	hash32 account = {{0}};
	struct blob_asker asker = request_asker(request);
	enum status status = STATUS_OK;
	if (own_folder_load(request, &own, items->folder, NULL) == STATUS_OK)
		status = consent_asker(request, &asker, &account, &own, err);
	for (size_t i = 0; i < items->count && status == STATUS_OK; i++) {
		struct blob_verdict verdict;
		struct buf part;
		buf_init(&part, CONTAINER_PART_MAX);
		status = blobs_get_part(
		    &asker, &part, &verdict, &request->home->deployment.consent, &items->all[i].id, 0, err);
		if (status == STATUS_OK && verdict.ok) out->served++;
		buf_fini(&part);
	}
	mem_wipe(&account, sizeof account);
	return status;
}

enum status consent_erasure_find(struct actor_request *request, struct consent_erasure *out,
    const struct record_registration *record, struct err *err) {
	struct items items = {.request = request, .folder = &record->folder, .record = &record->record};
	*out = (struct consent_erasure){0};
	TRY(list_wraps(&items, err));
	out->wraps = items.count;
	const hash32 *wraps = ids_of(request->arena, items.all, items.count);
	TRY(confirmed_find(request, &out->confirmed, &record->record, wraps, items.count, err));
	TRY(count_served(request, out, &items, err));
	TRY(keep_left(&items, &places[OF_CONSENT], err));
	out->wraps_left = items.count;
	return STATUS_OK;
}
