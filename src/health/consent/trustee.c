/*
 * A trustee keeps a folder's key for emergencies. When the contract has opened a window, it seals the key to the actor
 * for whom it was opened, and says so on the chain, where the patient sees it.
 */
#include "base/log.h"
#include "eth/abi.h"
#include "health/consent/consent_private.h"

static enum status is_trustee(struct actor_request *request, bool *out, const hash32 *folder, struct err *err) {
	struct buf data;
	struct bytes output;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "isTrustee(bytes32,address)");
	abi_put_hash32(&data, folder);
	abi_put_address(&data, &request->home->account);
	enum status status = request_call(request, &output, &request->home->deployment.folders, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	struct abi_reader reader = abi_reader(output);
	*out = abi_bool(&reader);
	return abi_finish(&reader, err);
}

static enum status key_of_epoch(
    struct actor_request *request, struct p256_public *out, const hash32 *folder, uint32_t epoch, struct err *err) {
	struct buf data;
	struct bytes output;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "keyOf(bytes32,uint32)");
	abi_put_hash32(&data, folder);
	abi_put_u64(&data, epoch);
	enum status status = request_call(request, &output, &request->home->deployment.folders, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	struct abi_reader reader = abi_reader(output);
	hash32 x = abi_hash32(&reader), y = abi_hash32(&reader);
	memcpy(out->xy, x.b, 32);
	memcpy(out->xy + 32, y.b, 32);
	return abi_finish(&reader, err);
}

/* Is this review one that this home should still answer? */
static enum status is_owed(
    struct actor_request *request, bool *owed, uint64_t number, const struct review *review, struct err *err) {
	uint64_t now;
	struct client_log *logs;
	size_t released;
	hash32 topic = abi_topic_of_u64(number), self = abi_topic_of_address(&request->home->account);
	*owed = false;
	TRY(client_timestamp(request->client, &now, err));
	if (!review->open || now >= review->until) return STATUS_OK;
	TRY(is_trustee(request, owed, &review->folder, err));
	if (!*owed) return STATUS_OK;
	TRY(consent_logs(
	    request, &logs, &released, 0, SHARE_RELEASED_EVENT, (const hash32 *const[3]){&topic, &self}, err));
	*owed = released == 0;
	return STATUS_OK;
}

/* The key of one epoch, checked against the chain, sealed to the actor. */
static enum status seal_epoch(struct actor_request *request, struct buf *wrap, const hash32 *folder, uint32_t epoch,
    const struct p256_public *recipient, struct err *err) {
	struct p256_secret secret;
	struct p256_public expected, key;
	TRY(key_of_epoch(request, &expected, folder, epoch, err));
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
    struct actor_request *request, uint64_t number, const struct review *review, struct err *err) {
	struct folder folder;
	struct listed_actor actor;
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
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "release(uint64,bytes32,uint32)");
	abi_put_u64(&data, number);
	abi_put_hash32(&data, &blob);
	abi_put_u64(&data, action.blobs[0].container.len);
	action.data = buf_view(&data);
	enum status status = action_relay(request, &receipt, &action, err);
	buf_fini(&data);
	return status;
}

static enum status serve(struct actor_request *request, bool *released, uint64_t number, struct err *err) {
	struct review review;
	*released = false;
	TRY(review_find(request, &review, number, err));
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
	TRY(consent_logs(
	    request, &logs, &count, round->from_block, GLASS_BROKEN_EVENT, (const hash32 *const[3]){NULL}, err));
	for (size_t i = 0; i < count; i++) {
		bool released = false;
		struct err why = {""};
		if (logs[i].log.topic_count != 4) continue;
		uint64_t number = abi_u64_of_topic(&logs[i].log.topics[3]);
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
