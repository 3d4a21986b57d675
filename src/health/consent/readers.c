/* A folder's readers, by its grants and emergencies: readers of the next epoch, and keys that trustees released. */
#include "health/consent/consent.h"
#include "health/consent/consent_private.h"
#include "health/consent/emergency_shares.h"
#include "health/consent/grant_list.h"
#include "health/consent/rights.h"

/* --- the next epoch's readers --- */

struct finding {
	struct actor_request *request;
	struct folder_rotation *rotation;
	struct folder folder;
	struct grant_list list;
	addr20 *readers;
};

static void leave_out(struct finding *finding, const addr20 *account, const char *why) {
	const struct folder_left_out left_out = {
	    *account, false, arena_strdup(finding->request->arena, bytes_text(why))};
	folder_leave_out(finding->request->arena, finding->rotation, &left_out);
}

/* If the list holds what cannot be read, that may be what was said last about anybody: the proved state decides. */
static enum status is_newest(
    struct finding *finding, bool *is_newest, const struct statement_grant *grant, struct err *err) {
	struct consent_grant_state state;
	*is_newest = true;
	if (finding->list.fault_count == 0) return STATUS_OK;
	TRY(folder_grant_find(finding->request, &state, &finding->folder.id, NULL, &grant->grantee, err));
	*is_newest = !state.revoked && hash32_equal(&state.fact, &grant->fact);
	return STATUS_OK;
}

/* A grant that is still to begin counts too: its reader would otherwise stand before the wrong key. */
static enum status see_grantee(struct finding *finding, const addr20 *grantee, uint64_t now_s, struct err *err) {
	static const hash32 whole_folder;
	struct statement_grant grant;
	struct err why = {0};
	bool newest;
	enum status status =
	    grant_list_find(&finding->list, &grant, &finding->folder.said, &whole_folder, grantee, &why);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	if (status != STATUS_OK) {
		leave_out(finding, grantee, why.message);
		return STATUS_OK;
	}
	if (!(grant.rights & RIGHT_READ) || grant.until <= now_s) return STATUS_OK;
	TRY(is_newest(finding, &newest, &grant, err));
	if (newest)
		finding->readers[finding->rotation->reader_count++] = *grantee;
	else
		leave_out(finding, grantee, "what was said last about its grant cannot be read");
	return STATUS_OK;
}

static bool is_reader(const struct finding *finding, const addr20 *account) {
	return statement_has_address(finding->readers, finding->rotation->reader_count, account);
}

/* Whom an entry that cannot be read is about, the node says; a reader by what can be read stays one. */
static void name_faults(struct finding *finding, const addr20 *leaving) {
	for (size_t i = 0; i < finding->list.count; i++) {
		const struct grant_list_entry *entry = &finding->list.entries[i];
		if (!entry->fault || !hash32_is_zero(&entry->record) || is_reader(finding, &entry->grantee)) continue;
		if (leaving && addr20_equal(&entry->grantee, leaving)) continue;
		leave_out(finding, &entry->grantee,
		    arena_printf(finding->request->arena, "entry %llu of the folder's grants cannot be read: %s",
			(unsigned long long)entry->n, entry->fault));
	}
}

/* Everybody who was granted the whole folder and may read it still. */
static enum status find_readers(struct finding *finding, const hash32 *id, const addr20 *leaving, struct err *err) {
	struct verified *verified;
	struct grant_list *list = &finding->list;
	addr20 *seen;
	size_t seen_count = 0;
	TRY(folder_find(finding->request, &finding->folder, id, err));
	TRY(request_verified(finding->request, &verified, HEADS_FRESH, err));
	TRY(grant_list_read(verified, list, id, err));
	finding->readers = arena_alloc(finding->request->arena, (list->count + 1) * sizeof *finding->readers);
	seen = arena_alloc(finding->request->arena, (list->count + 1) * sizeof *seen);
	for (size_t i = list->count; i > 0; i--) {
		const struct grant_list_entry *entry = &list->entries[i - 1];
		if (entry->fault || !hash32_is_zero(&entry->record)) continue;
		if (leaving && addr20_equal(&entry->grantee, leaving)) continue;
		if (statement_has_address(seen, seen_count, &entry->grantee)) continue;
		seen[seen_count++] = entry->grantee;
		TRY(see_grantee(finding, &entry->grantee, verified_now_s(verified), err));
	}
	name_faults(finding, leaving);
	finding->rotation->readers = finding->readers;
	return STATUS_OK;
}

enum status consent_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    struct folder_rotation *rotation, const addr20 *leaving, struct err *err) {
	struct finding finding = {.request = request, .rotation = rotation};
	rotation->reader_count = 0;
	TRY(find_readers(&finding, id, leaving, err));
	return folder_rotate_action(request, action, id, rotation, err);
}

/* --- released keys --- */

#define EPOCHS_BACK 8u /* so many rotations within a window, and shares of an epoch before them still serve */

/* The key of `epoch` by the shares of `stated`, an epoch from there on. *found false: they are too few, and `err` says
 * how many there are; its cause is 0 if the epoch has no trustees. */
static enum status try_epoch(struct actor_request *request, struct p256_secret *secret, bool *found, uint64_t number,
    const struct consent_review *review, const struct statement_epoch *stated, uint32_t epoch, struct err *err) {
	struct emergency_shares shares;
	*found = false;
	TRY(emergency_shares_read(request, &shares, number, review, stated, err));
	enum status status = shares.needed ? emergency_shares_combine(secret, &shares, stated, err) : STATUS_DENIED;
	const bool are_few = shares.count < shares.needed || !shares.needed;
	mem_wipe(&shares, sizeof shares);
	if (are_few) return STATUS_OK;
	*found = status == STATUS_OK;
	TRY(status);
	return folder_secret_before(request, secret, &review->folder, stated->epoch, epoch, err);
}

static enum status pass_on(struct err *err, const struct err *why, enum status status) {
	return err_because(err, why->cause, err_set(err, status, "%s", why->message));
}

/* In this home's newest emergency, while its window is open: of the folder's newest epochs, the first one of which
 * enough trustees released their shares. STATUS_DENIED says how many of the newest one's there are. */
static enum status released_secret(struct actor_request *request, struct p256_secret *secret, bool *found,
    const hash32 *id, uint32_t epoch, struct err *err) {
	struct verified *verified;
	struct folder folder;
	struct consent_review review;
	uint64_t number;
	struct err few = {0}; /* of the newest epoch that has trustees */
	*found = false;
	TRY(folder_find(request, &folder, id, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(emergency_newest_of(verified, &number, id, &request->home->account, err));
	if (number == 0) return STATUS_OK;
	TRY(emergency_review(verified, &review, number, err));
	if (!emergency_is_open(verified, &review)) return STATUS_OK;
	const uint32_t oldest = folder.epoch > EPOCHS_BACK ? folder.epoch - EPOCHS_BACK : 1;
	for (uint32_t from = folder.epoch; from >= epoch && from >= oldest && !*found; from--) {
		struct statement_epoch stated;
		TRY(request_verified(
		    request, &verified, HEADS_FRESH, err)); /* a false release was named on the chain */
		struct err why = {0};
		TRY(folder_epoch_find(request, &folder, &stated, from, err));
		enum status status = try_epoch(request, secret, found, number, &review, &stated, epoch, &why);
		if (status != STATUS_OK) return pass_on(err, &why, status);
		if (!few.cause) few = why;
	}
	return *found || !few.cause ? STATUS_OK : pass_on(err, &few, STATUS_DENIED);
}

const struct folder_keys consent_released_keys = {released_secret};
