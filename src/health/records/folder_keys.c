/*
 * Finding a folder's sealing key of an epoch (docs/wire-formats.md §3). A controller has a wrap in every epoch. Others
 * may have one of that epoch or of a later one, from where links lead back: each epoch's key opens the one before.
 */
#include <stdio.h>

#include "eth/abi.h"
#include "health/records/private.h"

#define RIGHT_READ 1u

struct epoch_event {
	uint32_t epoch;
	struct p256_public key;
	addr20 *recipients;
	size_t recipient_count;
};

struct search {
	struct actor_request *request;
	struct reader reader;
	const hash32 *folder;
	struct epoch_event *epochs; /* from epoch 1 on */
	size_t epoch_count;
	char refusal[256]; /* the node's last */
};

/* --- epochs from the chain --- */

static enum status read_epoch(struct search *s, const struct client_log *log, struct err *err) {
	struct epoch_event *out = &s->epochs[s->epoch_count];
	TRY(log_is(log, 3, err));
	out->epoch = (uint32_t)abi_u64_of_topic(&log->log.topics[2]);
	if (out->epoch != s->epoch_count + 1)
		return err_set(err, STATUS_INTERNAL, "the node leaves out epochs of the folder");
	struct abi_reader reader = abi_reader(log->log.data);
	hash32 x = abi_hash32(&reader), y = abi_hash32(&reader);
	(void)abi_hash32(&reader); /* the wraps' blob */
	struct abi_reader recipients = abi_array(&reader, &out->recipient_count);
	TRY(abi_finish(&reader, err));
	memcpy(out->key.xy, x.b, 32);
	memcpy(out->key.xy + 32, y.b, 32);
	out->recipients = arena_zalloc(s->request->arena, out->recipient_count, sizeof *out->recipients);
	for (size_t i = 0; i < out->recipient_count; i++) out->recipients[i] = abi_address(&recipients);
	s->epoch_count++;
	return abi_finish(&reader, err);
}

static enum status read_epochs(struct search *s, struct err *err) {
	const hash32 *topics[3] = {s->folder, NULL, NULL};
	struct client_log *logs;
	size_t count;
	TRY(event_logs(
	    s->request, &logs, &count, &s->request->home->deployment.folders, EPOCH_STARTED_EVENT, topics, err));
	s->epochs = arena_zalloc(s->request->arena, count, sizeof *s->epochs);
	for (size_t i = 0; i < count; i++) TRY(read_epoch(s, &logs[i], err));
	return STATUS_OK;
}

/* --- opening one wrap --- */

static enum status get_part(struct search *s, struct buf *out, bool *found, const addr20 *gate, const hash32 *item,
    uint32_t part, struct err *err) {
	struct blob_verdict verdict;
	TRY(reader_part(&s->reader, out, found, &verdict, gate, item, part, err));
	if (!*found) snprintf(s->refusal, sizeof s->refusal, "%s (%s)", verdict.detail, verdict.code);
	return STATUS_OK;
}

/* A key that is not the one on the chain is somebody's lie and never used. */
static enum status check_key(const struct epoch_event *epoch, struct p256_secret *secret, struct err *err) {
	struct p256_public key;
	if (p256_public_of(&key, secret) == STATUS_OK && memcmp(key.xy, epoch->key.xy, sizeof key.xy) == 0)
		return STATUS_OK;
	mem_wipe(secret, sizeof *secret);
	return err_set(
	    err, STATUS_CORRUPT, "the wrap of epoch %u holds another key than the chain shows", epoch->epoch);
}

/* What was sealed to this home's account may be under an older version of its key. */
static enum status open_with_account(
    struct search *s, struct p256_secret *out, const struct epoch_event *epoch, struct bytes wrap, struct err *err) {
	enum status status = STATUS_DENIED;
	uint32_t newest = 0;
	struct p256_secret secret;
	struct p256_public key;
	TRY(home_key(s->request, &secret, &key, &newest, err));
	for (uint32_t version = newest; version > 0 && status == STATUS_DENIED; version--) {
		status = home_key(s->request, &secret, &key, &version, err);
		if (status == STATUS_OK) status = wrap_open(out, WRAP_KEY, &secret, s->folder, epoch->epoch, wrap, err);
		mem_wipe(&secret, sizeof secret);
	}
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	return check_key(epoch, out, err);
}

/* `*found` false: nothing there for this home. */
static enum status try_part(struct search *s, struct p256_secret *out, bool *found, const struct epoch_event *epoch,
    const addr20 *gate, const hash32 *item, uint32_t part, struct err *err) {
	struct buf wrap;
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, found, gate, item, part, err);
	if (status == STATUS_OK && *found) status = open_with_account(s, out, epoch, buf_view(&wrap), err);
	buf_fini(&wrap);
	return status;
}

static enum status try_controller(
    struct search *s, struct p256_secret *out, const struct epoch_event *epoch, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf wrap;
	bool found;
	hash32 item = item_of_wraps(s->folder, epoch->epoch);
	TRY(home_controller_key(s->request->home, &secret, &key, s->reader.own.controller_index, err));
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, &found, &s->request->home->deployment.folders, &item, 0, err);
	if (status == STATUS_OK && !found)
		status = err_set(err, STATUS_DENIED, "the node does not give the folder's wraps: %s", s->refusal);
	if (status == STATUS_OK)
		status = wrap_open(out, WRAP_KEY, &secret, s->folder, epoch->epoch, buf_view(&wrap), err);
	if (status == STATUS_OK) status = check_key(epoch, out, err);
	mem_wipe(&secret, sizeof secret);
	buf_fini(&wrap);
	return status;
}

/* --- ways of an account --- */

static enum status try_recipient(
    struct search *s, struct p256_secret *out, bool *found, const struct epoch_event *epoch, struct err *err) {
	const addr20 *account = &s->request->home->account;
	hash32 item = item_of_wraps(s->folder, epoch->epoch);
	for (size_t i = 0; i < epoch->recipient_count; i++) {
		if (!addr20_equal(&epoch->recipients[i], account)) continue;
		return try_part(
		    s, out, found, epoch, &s->request->home->deployment.folders, &item, (uint32_t)i + 1, err);
	}
	*found = false;
	return STATUS_OK;
}

/* The epoch whose key a grant of the whole folder to this account wraps; 0: none. */
static enum status granted_epoch(struct search *s, uint32_t *epoch, struct err *err) {
	static const hash32 whole_folder;
	struct abi_reader answer;
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "grantOf(bytes32,bytes32,address)");
	abi_put_hash32(&data, s->folder);
	abi_put_hash32(&data, &whole_folder);
	abi_put_address(&data, &s->request->home->account);
	TRY(view_call(s->request, &answer, &s->request->home->deployment.consent, &data, err));
	uint64_t rights = abi_u64(&answer);
	for (int i = 0; i < 3; i++) (void)abi_u64(&answer); /* purposes, from, until */
	bool is_revoked = abi_bool(&answer);
	uint64_t of_grant = abi_u64(&answer);
	*epoch = (rights & RIGHT_READ) && !is_revoked ? (uint32_t)of_grant : 0;
	return abi_finish(&answer, err);
}

static enum status try_grant(
    struct search *s, struct p256_secret *out, bool *found, const struct epoch_event *epoch, struct err *err) {
	static const hash32 whole_folder;
	hash32 item = item_of_grant(s->folder, &whole_folder, &s->request->home->account, epoch->epoch);
	return try_part(s, out, found, epoch, &s->request->home->deployment.consent, &item, 0, err);
}

/* A release's parts are wraps of the epochs that there were then, newest first: the wanted one stands at most as far
 * behind as there are later epochs now. */
static enum status try_release(struct search *s, struct p256_secret *out, bool *found, uint32_t wanted, uint64_t review,
    const addr20 *trustee, struct err *err) {
	hash32 item = item_of_release(review, trustee);
	for (uint32_t part = 0; part <= s->epoch_count - wanted; part++) {
		enum status status = try_part(
		    s, out, found, &s->epochs[wanted - 1], &s->request->home->deployment.consent, &item, part, err);
		bool is_of_another_epoch = status == STATUS_INVALID;
		if (!is_of_another_epoch) return status;
	}
	*found = false;
	return STATUS_OK;
}

/* The newest emergencies first. */
static enum status try_releases(
    struct search *s, struct p256_secret *out, bool *found, uint32_t wanted, struct err *err) {
	hash32 self = abi_topic_of_address(&s->request->home->account);
	const hash32 *topics[3] = {s->folder, &self, NULL};
	const addr20 *consent = &s->request->home->deployment.consent;
	struct client_log *glass, *releases;
	size_t glass_count, release_count;
	*found = false;
	TRY(event_logs(s->request, &glass, &glass_count, consent, GLASS_BROKEN_EVENT, topics, err));
	for (size_t i = glass_count; i > 0 && !*found; i--) {
		TRY(log_is(&glass[i - 1], 4, err));
		const hash32 *review = &glass[i - 1].log.topics[3], *by_review[3] = {review, NULL, NULL};
		TRY(event_logs(s->request, &releases, &release_count, consent, SHARE_RELEASED_EVENT, by_review, err));
		for (size_t j = 0; j < release_count && !*found; j++) {
			TRY(log_is(&releases[j], 3, err));
			addr20 trustee = abi_address_of_topic(&releases[j].log.topics[2]);
			TRY(try_release(s, out, found, wanted, abi_u64_of_topic(review), &trustee, err));
		}
	}
	return STATUS_OK;
}

/* --- back through links --- */

/* `*secret` of epoch `from` becomes the one of `to` < from. The link is an epoch's last part. */
static enum status walk_back(
    struct search *s, struct p256_secret *secret, uint32_t from, uint32_t to, struct err *err) {
	enum status status = STATUS_OK;
	for (uint32_t epoch = from; status == STATUS_OK && epoch > to; epoch--) {
		hash32 item = item_of_wraps(s->folder, epoch);
		uint32_t part = (uint32_t)s->epochs[epoch - 1].recipient_count + 1;
		struct p256_secret before;
		struct buf link;
		bool found;
		buf_init(&link, CONTAINER_PART_MAX);
		status = get_part(s, &link, &found, &s->request->home->deployment.folders, &item, part, err);
		if (status == STATUS_OK && !found)
			status = err_set(err, STATUS_DENIED, "the node does not give the link to epoch %u: %s",
			    epoch - 1, s->refusal);
		if (status == STATUS_OK)
			status = wrap_open(&before, WRAP_LINK, secret, s->folder, epoch - 1, buf_view(&link), err);
		if (status == STATUS_OK) status = check_key(&s->epochs[epoch - 2], &before, err);
		if (status == STATUS_OK) *secret = before;
		mem_wipe(&before, sizeof before);
		buf_fini(&link);
	}
	if (status != STATUS_OK) mem_wipe(secret, sizeof *secret);
	return status;
}

static enum status search_account(struct search *s, struct p256_secret *out, uint32_t wanted, struct err *err) {
	uint32_t granted = 0;
	bool found = false;
	TRY(granted_epoch(s, &granted, err));
	for (uint32_t epoch = wanted; epoch <= s->epoch_count; epoch++) {
		const struct epoch_event *event = &s->epochs[epoch - 1];
		TRY(try_recipient(s, out, &found, event, err));
		if (!found && epoch == granted) TRY(try_grant(s, out, &found, event, err));
		if (found) return walk_back(s, out, epoch, wanted, err);
	}
	TRY(try_releases(s, out, &found, wanted, err));
	if (found) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "nobody gave this home a key of the folder's epoch %u: it needs a grant to read (xinglin share), or, in an "
	    "emergency, a trustee's release%s%s",
	    wanted, s->refusal[0] ? "; the node says: " : "", s->refusal);
}

enum status folder_secret(
    struct actor_request *request, struct p256_secret *secret, const hash32 *id, uint32_t epoch, struct err *err) {
	struct search search = {.request = request, .folder = id};
	TRY(reader_init(request, &search.reader, id, err));
	enum status status = read_epochs(&search, err);
	if (status == STATUS_OK && (epoch < 1 || epoch > search.epoch_count))
		status = err_set(err, STATUS_NOTFOUND, "the folder has no epoch %u", epoch);
	if (status == STATUS_OK)
		status = search.reader.is_controller ? try_controller(&search, secret, &search.epochs[epoch - 1], err)
						     : search_account(&search, secret, epoch, err);
	reader_fini(&search.reader);
	return status;
}
