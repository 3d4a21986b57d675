/*
 * A trustee keeps its share of each folder's key. When one is dealt, it checks it, and complains on the chain of a
 * false one. When the contract has opened a window, it seals its share to the actor for whom it was opened, and says so
 * on the chain, where the patient sees it.
 */
#include "health/consent/trustee.h"

#include "base/log.h"
#include "codec/hex.h"
#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/releases.h"
#include "health/contracts/directory.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"
#include "health/records/share.h"

#define RELEASE_PART_MAX ((size_t)64 << 10)

/* --- is it owed? --- */

static enum status folder_head(
    struct verified *verified, struct folders_head *head, const hash32 *folder, struct err *err) {
	const addr20 *folders = &heads_anchor(verified->heads)->folders;
	const hash32 slot = folders_heads_slot(folder);
	hash32 words[FOLDERS_STORED_HEAD_SLOTS];
	TRY(verified_struct(verified, words, folders, &slot, FOLDERS_STORED_HEAD_SLOTS, err));
	return folders_stored_head_load(head, words, err);
}

static enum status is_trustee(struct verified *verified, bool *out, const struct folders_head *head,
    const hash32 *folder, const addr20 *who, struct err *err) {
	const addr20 *folders = &heads_anchor(verified->heads)->folders;
	const uint64_t count = head->closed ? 0 : head->trustee_count;
	*out = false;
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

/* Is this review one that this home should still answer? It does so once for each epoch: after a rotation, shares of
 * the epoch before that others did not release yet help no more. */
static enum status is_owed(struct actor_request *request, struct verified *verified, bool *owed, uint64_t number,
    const struct consent_review *review, struct err *err) {
	const addr20 *self = &request->home->account;
	struct folders_head head;
	struct consent_stored_item item;
	TRY(folder_head(verified, &head, &review->folder, err));
	TRY(is_trustee(verified, owed, &head, &review->folder, self, err));
	if (!*owed) return STATUS_OK;
	TRY(emergency_release(verified, &item, number, self, head.epoch, err));
	*owed = item.kind == CONSENT_ITEM_KIND_NONE;
	return STATUS_OK;
}

/* --- its share --- */

static const char *text_of(struct arena *arena, const hash32 *id) {
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, BYTES_OF(*id), true);
	const char *made = arena_strdup(arena, buf_view(&text));
	buf_fini(&text);
	return made;
}

/* This home's share, if it is right. A false one is reported on the chain, once. */
static enum status own_share(struct actor_request *request, struct trustee_round *round, struct vss_share *share,
    const struct folder *folder, struct err *err) {
	bool is_false;
	TRY(folder_share_find(request, share, &is_false, folder, err));
	if (!is_false) return STATUS_OK;
	const unsigned bit = 1u << (share_index_of(&folder->newest, &request->home->account) - 1);
	const char *id = text_of(request->arena, &folder->id);
	if (!(folder->shares_refused & bit)) {
		struct client_receipt receipt;
		const struct bytes call = folders_refuse_share_call(request->arena, &folder->id);
		log_error("trustee", "the share of folder %s that was dealt to this home is false epoch=%u", id,
		    folder->epoch);
		TRY(request_transact(request, &receipt, &request->home->deployment.folders, call, err));
		round->refused++;
	}
	return err_set(err, STATUS_CORRUPT, "the share of folder %s, epoch %u, that was dealt to this home is false",
	    id, folder->epoch);
}

/* --- the release --- */

static enum status make_release(struct actor_request *request, struct action *action, hash32 *blob,
    const struct share_place *place, const struct vss_share *share, const struct p256_public *recipient,
    struct err *err) {
	struct buf sealed;
	buf_init(&sealed, RELEASE_PART_MAX);
	enum status status = share_seal(&sealed, place, recipient, share, request->random, err);
	if (status == STATUS_OK) status = consent_carry(request, action, blob, &sealed, 1, err);
	buf_fini(&sealed);
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

/* An emergency whose actor is certified, and whose statement is the proved one. */
static enum status find_actor(struct actor_request *request, struct verified *verified, struct directory_listed *actor,
    uint64_t number, const struct consent_review *review, struct err *err) {
	struct statement_emergency said;
	TRY(emergency_statement(verified, &said, number, review, err));
	TRY(directory_find_unattended(request, actor, &review->actor, err));
	if (actor->status == DIRECTORY_STATUS_ACTIVE && actor->roles & ROLE_EMERGENCY) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the actor is no longer listed for emergencies");
}

static enum status send_release(struct actor_request *request, struct action *action, uint64_t number, uint32_t epoch,
    const hash32 *blob, struct err *err) {
	struct client_receipt receipt;
	struct verified *verified;
	struct consent_stored_item item;
	action->data =
	    consent_release_call(request->arena, number, epoch, blob, (uint32_t)action->blobs[0].container.len);
	TRY(action_send(request, &receipt, action, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(emergency_release(verified, &item, number, &request->home->account, epoch, err));
	if (item.kind != CONSENT_ITEM_KIND_NONE) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the node says it is released, and the chain does not");
}

static enum status release(struct actor_request *request, struct verified *verified, struct trustee_round *round,
    uint64_t number, const struct consent_review *review, struct err *err) {
	struct folder folder;
	struct directory_listed actor;
	struct action action = {.to = request->home->deployment.consent};
	struct vss_share share;
	hash32 blob;
	TRY(folder_find(request, &folder, &review->folder, err));
	TRY(find_actor(request, verified, &actor, number, review, err));
	TRY(own_share(request, round, &share, &folder, err));
	const struct share_release terms = {number, actor.key_version, review->until};
	const struct share_place place = {
	    &request->home->deployment.genesis, &folder.id, folder.epoch, share.index, &terms};
	enum status status = keep_limit(verified, round, number, review, err);
	if (status == STATUS_OK) status = make_release(request, &action, &blob, &place, &share, &actor.key, err);
	mem_wipe(&share, sizeof share);
	TRY(status);
	return send_release(request, &action, number, folder.epoch, &blob, err);
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
	log_info("trustee", "released its share of a folder's key review=%llu", (unsigned long long)number);
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
	TRY(request_verified(looking->request, &looking->verified, HEADS_FRESH, err)); /* newer, after a transaction */
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

/* --- shares that were dealt since it last looked --- */

/* The folder's newest epoch alone: that is the one whose share counts. */
static enum status check_share(
    struct actor_request *request, struct trustee_round *round, const hash32 *id, struct err *err) {
	struct folder folder;
	struct vss_share share;
	struct err why = {0};
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed || !share_index_of(&folder.newest, &request->home->account)) return STATUS_OK;
	enum status status = own_share(request, round, &share, &folder, &why);
	mem_wipe(&share, sizeof share);
	if (status == STATUS_CORRUPT) return STATUS_OK; /* it was reported */
	return status == STATUS_OK ? STATUS_OK : err_set(err, status, "%s", why.message);
}

/* The node says where shares were dealt, and can hide it; what was dealt is proved. A share that cannot be checked yet
 * is looked for again, and others from its block on. */
static enum status check_shares(struct actor_request *request, struct trustee_round *round, struct err *err) {
	const struct contract_topics topics = folders_epoch_started_event_topics(NULL, NULL);
	struct heads *heads = request->verified.heads;
	const uint64_t newest = request->verified.head.number;
	uint64_t from;
	struct client_log *logs;
	size_t count;
	TRY(releases_checked_to(heads, &from, err));
	if (from > newest) return STATUS_OK;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.folders, from, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct folders_epoch_started_event event;
		struct err why = {0};
		TRY(folders_epoch_started_event_read(&event, request->arena, &logs[i].log, err));
		if (!statement_has_address(event.trustees, event.trustees_count, &request->home->account)) continue;
		enum status status = check_share(request, round, &event.folder, &why);
		if (status == STATUS_OK) continue;
		log_warn("trustee", "cannot check a share yet: %s", why.message);
		return releases_set_checked_to(heads, logs[i].block_number, err);
	}
	return releases_set_checked_to(heads, newest + 1, err);
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
	if (status == STATUS_OK) status = releases_set_next(request->verified.heads, looking.next, err);
	if (status == STATUS_OK) status = request_verified(request, &looking.verified, HEADS_FRESH, err);
	if (status == STATUS_OK) status = check_shares(request, round, err);
	request->verified = (struct verified){0};
	return status;
}
