/*
 * A trustee keeps a folder's key for emergencies. When the contract has opened a window, it seals the key to the actor
 * for whom it was opened, and says so on the chain, where the patient sees it.
 */
#include "health/consent/trustee.h"

#include "base/log.h"
#include "envelope/container.h"
#include "health/consent/consent_private.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"
#include "health/records/wrap.h"

static enum status is_trustee(struct actor_request *request, bool *out, const hash32 *folder, struct err *err) {
	struct bytes output;
	struct bytes call = folders_is_trustee_call(request->arena, folder, &request->home->account);
	TRY(request_call(request, &output, &request->home->deployment.folders, call, err));
	return folders_is_trustee_read(out, output, err);
}

/* Is this review one that this home should still answer? */
static enum status is_owed(struct actor_request *request, bool *owed, uint64_t number,
    const struct consent_review *review, struct err *err) {
	uint64_t now;
	struct client_log *logs;
	size_t released;
	struct contract_topics topics = consent_share_released_event_topics(&number, &request->home->account);
	*owed = false;
	TRY(client_timestamp(request->client, &now, err));
	if (!review->open || now >= review->until) return STATUS_OK;
	TRY(is_trustee(request, owed, &review->folder, err));
	if (!*owed) return STATUS_OK;
	TRY(request_logs(request, &logs, &released, &request->home->deployment.consent, 0, &topics, err));
	*owed = released == 0;
	return STATUS_OK;
}

/* The key of one epoch, checked against the chain, sealed to the actor. */
static enum status seal_epoch(struct actor_request *request, struct buf *wrap, const hash32 *folder, uint32_t epoch,
    const struct p256_public *recipient, struct err *err) {
	struct p256_secret secret;
	struct p256_public expected, key;
	TRY(folder_key_find(request, &expected, folder, epoch, 0, err));
	TRY(folder_secret(request, &secret, folder, epoch, err));
	enum status status = p256_public_of(&key, &secret);
	if (status == STATUS_OK && memcmp(key.xy, expected.xy, sizeof key.xy) != 0)
		status = err_set(err, STATUS_CORRUPT,
		    "the key that this trustee was given for epoch %u is not the folder's", (unsigned)epoch);
	if (status == STATUS_OK)
		status = wrap_seal(wrap, WRAP_KEY, recipient, folder, epoch, &secret, request->random, err);
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

static enum status release(
    struct actor_request *request, uint64_t number, const struct consent_review *review, struct err *err) {
	struct folder folder;
	struct directory_listed actor;
	struct client_receipt receipt;
	struct action action = {.to = request->home->deployment.consent};
	hash32 blob;
	TRY(folder_find(request, &folder, &review->folder, err));
	TRY(directory_find(request, &actor, &review->actor, err));
	if (actor.status != 1 || !(actor.roles & ROLE_EMERGENCY))
		return err_set(err, STATUS_DENIED, "the actor is no longer listed for emergencies");
	if (actor.key_changed)
		log_warn("trustee", "the emergency actor of review %llu has a new encryption key; it is used",
		    (unsigned long long)number);
	TRY(make_release(request, &action, &blob, &folder, &actor.key, err));
	action.data = consent_release_call(request->arena, number, &blob, (uint32_t)action.blobs[0].container.len);
	return action_send(request, &receipt, &action, err);
}

static enum status serve(struct actor_request *request, bool *released, uint64_t number, struct err *err) {
	struct consent_review review;
	*released = false;
	TRY(glass_review_find(request, &review, number, err));
	TRY(is_owed(request, released, number, &review, err));
	if (!*released) return STATUS_OK;
	*released = false;
	TRY(release(request, number, &review, err));
	*released = true;
	log_info("trustee", "released a folder's key review=%llu", (unsigned long long)number);
	return STATUS_OK;
}

enum status trustee_serve_once(struct actor_request *request, struct trustee_round *round, struct err *err) {
	struct client_log *logs;
	size_t count;
	uint64_t newest, retry = UINT64_MAX;
	round->released = round->failed = 0;
	TRY(client_block_number(request->client, &newest, err));
	struct contract_topics topics = consent_glass_broken_event_topics(NULL, NULL, NULL);
	TRY(request_logs(request, &logs, &count, &request->home->deployment.consent, round->from_block, &topics, err));
	for (size_t i = 0; i < count; i++) {
		bool released = false;
		struct err why = {0};
		struct consent_glass_broken_event event;
		TRY(consent_glass_broken_event_read(&event, &logs[i].log, err));
		const uint64_t number = event.review;
		if (serve(request, &released, number, &why) == STATUS_OK) {
			round->released += released;
			continue;
		}
		log_warn("trustee", "cannot release yet review=%llu: %s", (unsigned long long)number, why.message);
		round->failed++;
		if (logs[i].block_number < retry) retry = logs[i].block_number;
	}
	round->from_block = retry < newest ? retry : newest;
	return STATUS_OK;
}
