#include "health/consent/owed.h"

#include <stdlib.h>

#include "health/actors/certified.h"
#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/grant_list.h"
#include "health/consent/looks.h"
#include "health/consent/rights.h"
#include "health/contracts/directory.h"

#define LOOKS_MAX 1000u

static const char *const names[OWED_WHY_COUNT] = {
    [OWED_GRANT_ENDED] = "grant-ended",
    [OWED_GRANT_REVOKED] = "grant-revoked",
    [OWED_LICENCE_ENDED] = "licence-ended",
    [OWED_KEY_STOLEN] = "key-stolen",
    [OWED_EMERGENCY] = "emergency",
    [OWED_HAND_OVER] = "hand-over",
    [OWED_MARKED] = "marked",
};

const char *owed_why_name(enum owed_why why) {
	return names[why];
}

struct finding {
	struct actor_request *request;
	struct verified *verified;
	const struct folder *folder;
	struct owed *all;
	size_t count, cap;
};

static void add(struct finding *finding, struct owed owed) {
	for (size_t i = 0; i < finding->count; i++)
		if (finding->all[i].why == owed.why && finding->all[i].review == owed.review &&
		    addr20_equal(&finding->all[i].who, &owed.who))
			return;
	if (finding->count == finding->cap) {
		const size_t cap = finding->cap ? 2 * finding->cap : 8;
		struct owed *more = arena_zalloc(finding->request->arena, cap, sizeof *more);
		if (finding->count) memcpy(more, finding->all, finding->count * sizeof *more);
		finding->all = more;
		finding->cap = cap;
	}
	finding->all[finding->count++] = owed;
}

/* --- readers and trustees --- */

/* It has another key since this epoch began, and one of its keys was told stolen: perhaps since then. */
static enum status check_key(
    struct finding *finding, const struct directory_actor *actor, const addr20 *who, struct err *err) {
	struct certified_actor certified;
	if (actor->key_at < finding->folder->epoch_at || hash32_equal(&actor->key, &actor->entry)) return STATUS_OK;
	TRY(certified_find(finding->verified, finding->request->home, &certified, who, err));
	for (size_t i = 0; i < certified.said.key_count; i++)
		if (certified.said.keys[i].is_stolen) add(finding, (struct owed){.why = OWED_KEY_STOLEN, .who = *who});
	return STATUS_OK;
}

/* Of somebody who holds the newest key, or a share of it. */
static enum status check_holder(struct finding *finding, const addr20 *who, struct err *err) {
	const hash32 slot = directory_actors_slot(who);
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS];
	struct directory_actor actor;
	TRY(verified_struct(finding->verified, words, &finding->request->home->deployment.directory, &slot,
	    DIRECTORY_STORED_ACTOR_SLOTS, err));
	TRY(directory_stored_actor_load(&actor, words, err));
	if (actor.status != DIRECTORY_STATUS_ACTIVE)
		add(finding, (struct owed){.why = OWED_LICENCE_ENDED, .who = *who});
	return check_key(finding, &actor, who, err);
}

static bool is_recipient(const struct folder *folder, const addr20 *who) {
	return statement_has_address(folder->newest.recipients, folder->newest.recipient_count, who);
}

/* Of somebody who was granted the whole folder at some time: had it the newest key, and may it read still? */
static enum status check_reader(struct finding *finding, const addr20 *who, struct err *err) {
	struct consent_grant_state grant;
	TRY(folder_grant_find(finding->request, &grant, &finding->folder->id, NULL, who, err));
	const bool reads = grant.rights & RIGHT_READ;
	if (!is_recipient(finding->folder, who) && !(reads && grant.epoch == finding->folder->epoch)) return STATUS_OK;
	if (grant.revoked || !reads)
		add(finding, (struct owed){.why = OWED_GRANT_REVOKED, .who = *who});
	else if (grant.until <= verified_now_s(finding->verified))
		add(finding, (struct owed){.why = OWED_GRANT_ENDED, .who = *who});
	return check_holder(finding, who, err);
}

static int compare_addresses(const void *a, const void *b) {
	return memcmp(a, b, sizeof(addr20));
}

/* Whoever was granted the whole folder at some time, each once. */
static enum status check_readers(struct finding *finding, struct err *err) {
	struct grant_list list;
	size_t count = 0;
	TRY(grant_list_read(finding->verified, &list, &finding->folder->id, err));
	addr20 *grantees = arena_zalloc(finding->request->arena, list.count + 1, sizeof *grantees);
	for (size_t i = 0; i < list.count; i++)
		if (hash32_is_zero(&list.entries[i].record)) grantees[count++] = list.entries[i].grantee;
	qsort(grantees, count, sizeof *grantees, compare_addresses);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !addr20_equal(&grantees[i - 1], &grantees[i]))
			TRY(check_reader(finding, &grantees[i], err));
	return STATUS_OK;
}

/* --- emergencies --- */

static enum status check_look(void *context, const struct access_event *event, struct err *err) {
	struct finding *finding = context;
	struct consent_review review;
	if (event->review == 0) return STATUS_OK;
	TRY(emergency_review(finding->verified, &review, event->review, err));
	if (review.stated_at >= finding->folder->epoch_at)
		add(finding, (struct owed){OWED_EMERGENCY, event->actor, event->review});
	return STATUS_OK;
}

static enum status check_emergencies(struct finding *finding, struct err *err) {
	const struct looks looks = {
	    .folder = finding->folder->id, .max = LOOKS_MAX, .visit = check_look, .context = finding};
	return looks_read(finding->verified, &looks, err);
}

enum status owed_find(
    struct actor_request *request, struct owed **out, size_t *count, const struct folder *folder, struct err *err) {
	struct finding finding = {.request = request, .folder = folder};
	TRY(request_verified(request, &finding.verified, HEADS_FRESH, err));
	for (size_t i = 0; i < folder->newest.glass.trustees_count; i++)
		TRY(check_holder(&finding, &folder->newest.glass.trustees[i], err));
	TRY(check_readers(&finding, err));
	TRY(check_emergencies(&finding, err));
	if (folder->hand_over_at >= folder->epoch_at)
		add(&finding, (struct owed){.why = OWED_HAND_OVER, .who = folder->controller});
	if (finding.count == 0 && folder->rotation_owed) add(&finding, (struct owed){.why = OWED_MARKED});
	*out = finding.all;
	*count = finding.count;
	return STATUS_OK;
}
