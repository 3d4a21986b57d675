/*
 * A trustee keeps a folder's key for emergencies. When the contract has opened a window, it seals the key to the actor
 * for whom it was opened, and says so on the chain, where the patient sees it.
 */
#include "health/consent/trustee.h"

#include "base/log.h"
#include "envelope/container.h"
#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/releases.h"
#include "health/contracts/directory.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"
#include "health/records/wrap.h"

/* --- is it owed? --- */

static enum status trustee_count(struct verified *verified, uint64_t *count, const hash32 *folder, struct err *err) {
	const addr20 *folders = &heads_anchor(verified->heads)->folders;
	const hash32 slot = folders_heads_slot(folder);
	hash32 words[FOLDERS_STORED_HEAD_SLOTS];
	struct folders_head head;
	TRY(verified_struct(verified, words, folders, &slot, FOLDERS_STORED_HEAD_SLOTS, err));
	TRY(folders_stored_head_load(&head, words, err));
	*count = head.closed ? 0 : head.trustee_count;
	return STATUS_OK;
}

static enum status is_trustee(
    struct verified *verified, bool *out, const hash32 *folder, const addr20 *who, struct err *err) {
	const addr20 *folders = &heads_anchor(verified->heads)->folders;
	uint64_t count;
	*out = false;
	TRY(trustee_count(verified, &count, folder, err));
	for (uint64_t i = 0; i < count && !*out; i++) {
		const struct contract_place place = folders_trustees_element(folder, i);
		const struct verified_want want = {folders, place.slot};
		hash32 word;
		addr20 trustee;
		TRY(verified_words(verified, &word, &want, 1, err));
		TRY(folders_trustees_element_load(&trustee, &place, &word, err));
		*out = addr20_equal(&trustee, who);
	}
	return STATUS_OK;
}

/* Is this review one that this home should still answer? */
static enum status is_owed(struct actor_request *request, struct verified *verified, bool *owed, uint64_t number,
    const struct consent_review *review, struct err *err) {
	bool released = false;
	TRY(is_trustee(verified, owed, &review->folder, &request->home->account, err));
	if (*owed) TRY(emergency_is_released(verified, &released, number, &request->home->account, err));
	*owed = *owed && !released;
	return STATUS_OK;
}

/* --- the release --- */

/* The key of one epoch, which was checked against its statement, sealed to the actor. */
static enum status seal_epoch(struct actor_request *request, struct buf *wrap, const hash32 *folder, uint32_t epoch,
    const struct p256_public *recipient, struct err *err) {
	struct p256_secret secret;
	TRY(folder_secret(request, &secret, folder, epoch, err));
	enum status status = wrap_seal(wrap, WRAP_KEY, recipient, folder, epoch, &secret, request->random, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

/* One part for each epoch, newest first. */
static enum status make_release(struct actor_request *request, struct action *action, hash32 *blob,
    const struct folder *folder, const struct p256_public *recipient, struct err *err) {
	if (folder->epoch > CONTAINER_PARTS_MAX) return err_set(err, STATUS_LIMIT, "the folder has too many epochs");
	struct buf *wraps = mem_zalloc(folder->epoch, sizeof *wraps);
	enum status status = STATUS_OK;
	for (uint32_t i = 0; i < folder->epoch; i++) buf_init(&wraps[i], CONTAINER_PART_MAX);
	for (uint32_t i = 0; i < folder->epoch && status == STATUS_OK; i++)
		status = seal_epoch(request, &wraps[i], &folder->id, folder->epoch - i, recipient, err);
	if (status == STATUS_OK) status = consent_carry(request, action, blob, wraps, folder->epoch, err);
	for (uint32_t i = 0; i < folder->epoch; i++) buf_fini(&wraps[i]);
	mem_free(wraps);
	return status;
}

/* How many releases a day registrars allow the actor, proved. */
static enum status number_a_day(struct verified *verified, uint32_t *out, const addr20 *address, struct err *err) {
	const hash32 slot = directory_actors_slot(address);
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS];
	struct directory_actor actor;
	TRY(verified_struct(
	    verified, words, &heads_anchor(verified->heads)->directory, &slot, DIRECTORY_STORED_ACTOR_SLOTS, err));
	TRY(directory_stored_actor_load(&actor, words, err));
	*out = actor.emergencies_a_day ? actor.emergencies_a_day : RELEASES_A_DAY;
	return STATUS_OK;
}

/* Whoever gets more keys in a day than registrars allow has taken over the actor, or the chain: a person must look. */
static enum status keep_limit(struct verified *verified, struct trustee_round *round, uint64_t number,
    const struct consent_review *review, struct err *err) {
	struct releases_wish wish = {number, review->actor, 0, verified_now_s(verified)};
	bool allowed;
	TRY(number_a_day(verified, &wish.a_day, &review->actor, err));
	TRY(releases_take(verified->heads, &allowed, &wish, err));
	if (allowed) return STATUS_OK;
	round->limited++;
	if (number > round->alarmed)
		log_error("trustee",
		    "an emergency actor asks for more keys than %u a day: is it still itself? nothing is released to "
		    "it today review=%llu",
		    (unsigned)wish.a_day, (unsigned long long)number);
	if (number > round->alarmed) round->alarmed = number;
	return err_set(err, STATUS_LIMIT, "the actor had its %u releases of this day", (unsigned)wish.a_day);
}

static enum status release(struct actor_request *request, struct verified *verified, struct trustee_round *round,
    uint64_t number, const struct consent_review *review, struct err *err) {
	struct folder folder;
	struct directory_listed actor;
	struct statement_emergency said;
	struct client_receipt receipt;
	struct action action = {.to = request->home->deployment.consent};
	bool stands;
	hash32 blob;
	TRY(emergency_statement(verified, &said, number, review, err));
	TRY(folder_find(request, &folder, &review->folder, err));
	TRY(directory_find_unattended(request, &actor, &review->actor, err));
	if (actor.status != 1 || !(actor.roles & ROLE_EMERGENCY))
		return err_set(err, STATUS_DENIED, "the actor is no longer listed for emergencies");
	TRY(keep_limit(verified, round, number, review, err));
	TRY(make_release(request, &action, &blob, &folder, &actor.key, err));
	action.data = consent_release_call(request->arena, number, &blob, (uint32_t)action.blobs[0].container.len);
	TRY(action_send(request, &receipt, &action, err));
	TRY(verified_head(verified, HEADS_FRESH, err));
	TRY(emergency_is_released(verified, &stands, number, &request->home->account, err));
	return stands ? STATUS_OK : err_set(err, STATUS_DENIED, "the node says it is released, and the chain does not");
}

/* --- a round --- */

struct looking {
	struct actor_request *request;
	struct verified *verified;
	struct trustee_round *round;
	uint64_t next; /* the oldest that may still be owed a release */
};

static enum status serve(
    struct looking *looking, bool *released, uint64_t number, const struct consent_review *review, struct err *err) {
	bool owed;
	TRY(is_owed(looking->request, looking->verified, &owed, number, review, err));
	if (!owed) return STATUS_OK;
	TRY(release(looking->request, looking->verified, looking->round, number, review, err));
	*released = true;
	log_info("trustee", "released a folder's key review=%llu", (unsigned long long)number);
	return STATUS_OK;
}

static enum status look_at(
    struct looking *looking, uint64_t number, const struct consent_review *review, struct err *err) {
	bool released = false;
	struct err why = {0};
	if (addr20_is_zero(&review->actor))
		return err_set(err, STATUS_CORRUPT, "the chain has no review %llu, and has later ones",
		    (unsigned long long)number);
	if (!emergency_is_open(looking->verified, review)) return STATUS_OK;
	looking->next = number; /* a rotation may make this home its trustee while the window is open */
	if (serve(looking, &released, number, review, &why) == STATUS_OK) {
		looking->round->released += released;
		return STATUS_OK;
	}
	log_warn("trustee", "cannot release yet review=%llu: %s", (unsigned long long)number, why.message);
	looking->round->failed++;
	return STATUS_OK;
}

/* From the newest back: who calls now is served before whoever floods. */
static enum status look(struct looking *looking, uint64_t newest, uint64_t oldest, struct err *err) {
	struct consent_review reviews[EMERGENCY_PAGE];
	while (newest >= oldest) {
		const uint64_t first = newest - oldest >= EMERGENCY_PAGE ? newest - EMERGENCY_PAGE + 1 : oldest;
		const size_t count = (size_t)(newest - first + 1);
		TRY(emergency_reviews(looking->verified, reviews, first, count, err));
		for (size_t i = count; i > 0; i--) TRY(look_at(looking, first + i - 1, &reviews[i - 1], err));
		newest = first - 1;
	}
	return STATUS_OK;
}

enum status trustee_serve_once(struct actor_request *request, struct trustee_round *round, struct err *err) {
	struct looking looking = {.request = request, .round = round};
	uint64_t newest, oldest;
	*round = (struct trustee_round){.alarmed = round->alarmed};
	/* A request of many rounds has an arena that each of them rewinds. */
	request->verified = (struct verified){0};
	TRY(request_verified(request, &looking.verified, HEADS_FRESH, err));
	TRY(emergency_newest(looking.verified, &newest, err));
	TRY(releases_next(looking.verified->heads, &oldest, err));
	looking.next = newest + 1;
	enum status status = look(&looking, newest, oldest ? oldest : 1, err);
	if (status == STATUS_OK) status = releases_set_next(looking.verified->heads, looking.next, err);
	request->verified = (struct verified){0};
	return status;
}
