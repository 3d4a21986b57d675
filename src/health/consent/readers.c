/* A folder's readers, by its grants and emergencies: readers of the next epoch, and keys that trustees released. */
#include "health/consent/consent.h"
#include "health/consent/consent_private.h"
#include "health/consent/grant_list.h"
#include "health/consent/rights.h"
#include "health/records/items.h"

/* --- the next epoch's readers --- */

static bool occurs(const addr20 *list, size_t count, const addr20 *address) {
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&list[i], address)) return true;
	return false;
}

/* A grant that is still to begin counts too: its reader would otherwise stand before the wrong key. */
static enum status grant_reads(bool *reads, const struct grant_list *list, const struct statement_folder *folder,
    const addr20 *grantee, uint64_t now_s, struct err *err) {
	static const hash32 whole_folder;
	struct statement_grant grant;
	*reads = false;
	enum status status = grant_list_find(list, &grant, folder, &whole_folder, grantee, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	*reads = (grant.rights & RIGHT_READ) && grant.until > now_s;
	return STATUS_OK;
}

/* Everybody who was granted the whole folder and may read it still. */
static enum status find_readers(struct actor_request *request, addr20 **out, size_t *count, const hash32 *id,
    const addr20 *leaving, struct err *err) {
	struct verified *verified;
	struct own_folder own;
	struct folder folder;
	struct grant_list list;
	TRY(own_folder_load(request, &own, id, err));
	TRY(folder_find(request, &folder, id, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(grant_list_read(verified, &list, id, err));
	*out = arena_alloc(request->arena, (list.count + 1) * sizeof **out);
	*count = 0;
	for (size_t i = list.count; i > 0; i--) {
		const struct grant_list_entry *entry = &list.entries[i - 1];
		bool reads;
		if (!hash32_is_zero(&entry->record) || (leaving && addr20_equal(&entry->grantee, leaving))) continue;
		if (occurs(*out, *count, &entry->grantee)) continue;
		TRY(grant_reads(&reads, &list, &folder.said, &entry->grantee, verified_now_s(verified), err));
		if (reads) (*out)[(*count)++] = entry->grantee;
	}
	return STATUS_OK;
}

enum status consent_rotate_action(
    struct actor_request *request, struct action *action, const hash32 *id, const addr20 *leaving, struct err *err) {
	struct folder_rotation folder = {0};
	addr20 *readers;
	TRY(find_readers(request, &readers, &folder.reader_count, id, leaving, err));
	folder.readers = readers;
	return folder_rotate_action(request, action, id, &folder, err);
}

/* --- released keys --- */

/* A key that is looked for. */
struct wanted {
	struct actor_request *request;
	struct folder folder;
	uint32_t epoch;
};

/* A release's parts are wraps of the epochs that there were then, newest first: the wanted one stands at most as far
 * behind as there are later epochs now. */
static enum status try_release(const struct wanted *wanted, struct p256_secret *secret, bool *found, uint64_t review,
    const addr20 *trustee, struct err *err) {
	struct folder_part part = {
	    .gate = &wanted->request->home->deployment.consent, .item = item_of_release(review, trustee)};
	for (; part.part <= wanted->folder.epoch - wanted->epoch; part.part++) {
		enum status status = folder_secret_of_part(
		    wanted->request, secret, found, &wanted->folder.id, wanted->epoch, &part, err);
		bool is_of_another_epoch = status == STATUS_INVALID;
		if (!is_of_another_epoch) return status;
	}
	*found = false;
	return STATUS_OK;
}

/* By the trustees who answered one emergency. */
static enum status try_review(
    const struct wanted *wanted, struct p256_secret *secret, bool *found, uint64_t review, struct err *err) {
	struct contract_topics topics = consent_share_released_event_topics(&review, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(wanted->request, &logs, &count, &wanted->request->home->deployment.consent, 0, &topics, err));
	for (size_t i = 0; i < count && !*found; i++) {
		struct consent_share_released_event event;
		TRY(consent_share_released_event_read(&event, &logs[i].log, err));
		TRY(try_release(wanted, secret, found, review, &event.trustee, err));
	}
	return STATUS_OK;
}

/* The newest emergencies of this home first. */
static enum status released_secret(struct actor_request *request, struct p256_secret *secret, bool *found,
    const hash32 *id, uint32_t epoch, struct err *err) {
	const struct home *home = request->home;
	struct contract_topics topics = consent_glass_broken_event_topics(id, &home->account, NULL);
	struct wanted wanted = {.request = request, .epoch = epoch};
	struct client_log *logs;
	size_t count;
	*found = false;
	TRY(folder_find(request, &wanted.folder, id, err));
	TRY(request_logs(request, &logs, &count, &home->deployment.consent, 0, &topics, err));
	for (size_t i = count; i > 0 && !*found; i--) {
		struct consent_glass_broken_event event;
		TRY(consent_glass_broken_event_read(&event, &logs[i - 1].log, err));
		TRY(try_review(&wanted, secret, found, event.review, err));
	}
	return STATUS_OK;
}

const struct folder_keys consent_released_keys = {released_secret};
