/*
 * Finding a folder's sealing key of an epoch (docs/wire-formats.md §3). A controller has a wrap in every epoch. Others
 * may have one of that epoch or of a later one, from where links lead back: each epoch's key opens the one before.
 */
#include <stdio.h>

#include "envelope/container.h"
#include "health/chain/cause.h"
#include "health/records/items.h"
#include "health/records/reader.h"
#include "health/records/wrap.h"

#define RIGHT_READ 1u

struct search {
	struct actor_request *request;
	struct reader reader;
	const hash32 *folder;
	struct folder found;
	char refusal[256]; /* the node's last */
};

/* --- opening one wrap --- */

static enum status get_part(struct search *s, struct buf *out, bool *found, const addr20 *gate, const hash32 *item,
    uint32_t part, struct err *err) {
	struct blob_verdict verdict;
	TRY(reader_part(&s->reader, out, found, &verdict, gate, item, part, err));
	if (!*found) snprintf(s->refusal, sizeof s->refusal, "%s (%s)", verdict.detail, verdict.code);
	return STATUS_OK;
}

/* A key that is not the one on the chain is somebody's lie and never used. */
static enum status check_key(const struct statement_epoch *epoch, struct p256_secret *secret, struct err *err) {
	struct p256_public key;
	if (p256_public_of(&key, secret) == STATUS_OK && memcmp(key.xy, epoch->key.xy, sizeof key.xy) == 0)
		return STATUS_OK;
	mem_wipe(secret, sizeof *secret);
	return err_set(err, STATUS_CORRUPT, "the wrap of epoch %u holds another key than was stated", epoch->epoch);
}

/* What was sealed to this home's account may be under an older version of its key. */
static enum status open_with_account(struct search *s, struct p256_secret *out, const struct statement_epoch *epoch,
    struct bytes wrap, struct err *err) {
	enum status status = STATUS_DENIED;
	uint32_t newest = 0;
	struct p256_secret secret;
	struct p256_public key;
	TRY(reader_home_key(s->request, &secret, &key, &newest, err));
	for (uint32_t version = newest; version > 0 && status == STATUS_DENIED; version--) {
		status = reader_home_key(s->request, &secret, &key, &version, err);
		if (status == STATUS_OK) status = wrap_open(out, WRAP_KEY, &secret, s->folder, epoch->epoch, wrap, err);
		mem_wipe(&secret, sizeof secret);
	}
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	return check_key(epoch, out, err);
}

/* `*found` false: nothing there for this home. */
static enum status try_part(struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch,
    const addr20 *gate, const hash32 *item, uint32_t part, struct err *err) {
	struct buf wrap;
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, found, gate, item, part, err);
	if (status == STATUS_OK && *found) status = open_with_account(s, out, epoch, buf_view(&wrap), err);
	buf_fini(&wrap);
	return status;
}

/* The controller's wrap is an epoch's first: sealed to its controller key, or in a delegate's epoch to the audit key
 * that the folder had then. `*found` false: this controller cannot open it. */
static enum status open_as_controller(struct search *s, struct p256_secret *out, bool *found,
    const struct statement_epoch *epoch, struct bytes wrap, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	const uint32_t index = s->reader.own.controller_index;
	const bool is_own = addr20_equal(&epoch->by, &s->found.controller);
	TRY(is_own ? home_controller_key(s->request->home, &secret, &key, index, err)
		   : home_audit_key(s->request->home, &secret, &key, index, err));
	enum status status = wrap_open(out, WRAP_KEY, &secret, s->folder, epoch->epoch, wrap, err);
	mem_wipe(&secret, sizeof secret);
	*found = status == STATUS_OK;
	if (status == STATUS_DENIED && !is_own) return STATUS_OK;
	return status == STATUS_OK ? check_key(epoch, out, err) : status;
}

static enum status try_controller(
    struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch, struct err *err) {
	struct buf wrap;
	hash32 item = item_of_wraps(s->folder, epoch->epoch);
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, found, &s->request->home->deployment.folders, &item, 0, err);
	if (status == STATUS_OK && !*found)
		status = err_set(err, STATUS_DENIED, "the node does not give the folder's wraps: %s", s->refusal);
	if (status == STATUS_OK) status = open_as_controller(s, out, found, epoch, buf_view(&wrap), err);
	buf_fini(&wrap);
	return status;
}

/* Of an epoch that a controller before this one started, it has no wrap. */
static bool is_of_former_controller(const struct search *s, const struct statement_epoch *epoch) {
	const struct statement_folder *said = &s->found.said;
	if (addr20_equal(&epoch->by, &s->found.controller)) return false;
	for (size_t i = 0; i < said->controller_count; i++)
		if (addr20_equal(&epoch->by, &said->controllers[i].address)) return true;
	return false;
}

/* --- ways of an account --- */

/* Of the wraps behind the controller's own: trustees, whose wraps hold shares, then readers. */
static size_t recipients_of(const struct statement_epoch *epoch) {
	return epoch->glass.trustees_count + epoch->recipient_count;
}

static enum status try_recipient(
    struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch, struct err *err) {
	const addr20 *account = &s->request->home->account;
	hash32 item = item_of_wraps(s->folder, epoch->epoch);
	const addr20 *folders = &s->request->home->deployment.folders;
	const uint32_t first = (uint32_t)epoch->glass.trustees_count + 1;
	for (uint32_t i = 0; i < epoch->recipient_count; i++)
		if (addr20_equal(&epoch->recipients[i], account))
			return try_part(s, out, found, epoch, folders, &item, first + i, err);
	*found = false;
	return STATUS_OK;
}

/* A grant of the whole folder to this account that wraps a key; with epoch 0 if there is none. */
static enum status find_grant(struct search *s, struct consent_grant_state *grant, struct err *err) {
	TRY(folder_grant_find(s->request, grant, s->folder, NULL, &s->request->home->account, err));
	if (!(grant->rights & RIGHT_READ) || grant->revoked) grant->epoch = 0;
	return STATUS_OK;
}

static enum status try_grant(struct search *s, struct p256_secret *out, bool *found,
    const struct statement_epoch *epoch, uint32_t count, struct err *err) {
	static const hash32 whole_folder;
	hash32 item = item_of_grant(s->folder, &whole_folder, &s->request->home->account, epoch->epoch, count);
	return try_part(s, out, found, epoch, &s->request->home->deployment.consent, &item, 0, err);
}

/* --- back through links --- */

/* `*secret` of epoch `from` becomes the one of `to` < from. The link is an epoch's last part. */
static enum status walk_back(
    struct search *s, struct p256_secret *secret, uint32_t from, uint32_t to, struct err *err) {
	struct statement_epoch here, earlier;
	enum status status = folder_epoch_find(s->request, &s->found, &here, from, err);
	for (uint32_t epoch = from; status == STATUS_OK && epoch > to; epoch--, here = earlier) {
		hash32 item = item_of_wraps(s->folder, epoch);
		uint32_t part = (uint32_t)recipients_of(&here) + 1;
		struct p256_secret before;
		struct buf link;
		bool found;
		buf_init(&link, CONTAINER_PART_MAX);
		status = folder_epoch_find(s->request, &s->found, &earlier, epoch - 1, err);
		if (status == STATUS_OK)
			status = get_part(s, &link, &found, &s->request->home->deployment.folders, &item, part, err);
		if (status == STATUS_OK && !found)
			status = err_set(err, STATUS_DENIED, "the node does not give the link to epoch %u: %s",
			    epoch - 1, s->refusal);
		if (status == STATUS_OK)
			status = wrap_open(&before, WRAP_LINK, secret, s->folder, epoch - 1, buf_view(&link), err);
		if (status == STATUS_OK) status = check_key(&earlier, &before, err);
		if (status == STATUS_OK) *secret = before;
		mem_wipe(&before, sizeof before);
		buf_fini(&link);
	}
	if (status != STATUS_OK) mem_wipe(secret, sizeof *secret);
	return status;
}

static enum status search_controller(struct search *s, struct p256_secret *out, uint32_t wanted, struct err *err) {
	for (uint32_t epoch = wanted; epoch <= s->found.epoch; epoch++) {
		struct statement_epoch stated;
		bool found = false;
		TRY(folder_epoch_find(s->request, &s->found, &stated, epoch, err));
		if (!is_of_former_controller(s, &stated)) TRY(try_controller(s, out, &found, &stated, err));
		if (found) return walk_back(s, out, epoch, wanted, err);
	}
	return err_because(err, CAUSE_NO_FOLDER_KEY,
	    err_set(err, STATUS_DENIED,
		"the folder was handed over to this home, and has no key since then: rotate it, with the hand-over's "
		"file"));
}

static enum status search_account(struct search *s, struct p256_secret *out, uint32_t wanted, struct err *err) {
	struct consent_grant_state grant;
	bool found = false;
	TRY(find_grant(s, &grant, err));
	for (uint32_t epoch = wanted; epoch <= s->found.epoch; epoch++) {
		struct statement_epoch stated;
		TRY(folder_epoch_find(s->request, &s->found, &stated, epoch, err));
		TRY(try_recipient(s, out, &found, &stated, err));
		if (!found && epoch == grant.epoch) TRY(try_grant(s, out, &found, &stated, grant.count, err));
		if (found) return walk_back(s, out, epoch, wanted, err);
	}
	enum status status = err_set(err, STATUS_DENIED,
	    "nobody gave this home a key of the folder's epoch %u: it needs a grant to read, or, in an emergency, a "
	    "trustee's release%s%s",
	    wanted, s->refusal[0] ? "; the node says: " : "", s->refusal);
	return err_because(err, CAUSE_NO_FOLDER_KEY, status);
}

static enum status begin(struct search *search, struct statement_epoch *stated, uint32_t epoch, struct err *err) {
	TRY(folder_look(search->request, &search->found, search->folder, REQUEST_SHOWN_AGE_S, err));
	TRY(folder_epoch_find(search->request, &search->found, stated, epoch, err));
	return reader_init(search->request, &search->reader, search->folder, err);
}

enum status folder_secret(
    struct actor_request *request, struct p256_secret *secret, const hash32 *id, uint32_t epoch, struct err *err) {
	struct search search = {.request = request, .folder = id};
	struct statement_epoch stated;
	TRY(begin(&search, &stated, epoch, err));
	enum status status = search.reader.is_controller ? search_controller(&search, secret, epoch, err)
							 : search_account(&search, secret, epoch, err);
	reader_fini(&search.reader);
	return status;
}

enum status folder_secret_before(struct actor_request *request, struct p256_secret *secret, const hash32 *id,
    uint32_t from, uint32_t to, struct err *err) {
	struct search search = {.request = request, .folder = id};
	struct statement_epoch stated;
	enum status status = begin(&search, &stated, from, err);
	if (status == STATUS_OK) status = walk_back(&search, secret, from, to, err);
	if (status != STATUS_OK) mem_wipe(secret, sizeof *secret);
	reader_fini(&search.reader);
	return status;
}
