/*
 * Finding a folder's sealing key of an epoch (docs/wire-formats.md §3). A controller has a wrap in every epoch. Others
 * may have one of that epoch or of a later one, from where links lead back: each names the older epoch that it opens.
 * No key counts that is not the one of its epoch's signed statement. A delegate's epoch may hold a false wrap, or none:
 * that is as if there were no wrap, and the search goes on with the next epoch and with other links.
 */
#include <stdio.h>

#include "envelope/container.h"
#include "health/contracts/cause.h"
#include "health/records/epoch.h"
#include "health/records/items.h"
#include "health/records/reader.h"
#include "health/records/wrap.h"

#define RIGHT_READ 1u

/* What the search knows of an epoch. */
struct known {
	const struct statement_epoch *stated; /* NULL: not looked at yet */
	struct p256_secret secret;
	bool has_secret; /* checked against the statement */
	uint32_t links;  /* so many of its links were read */
};

struct search {
	struct actor_request *request;
	struct reader reader;
	const hash32 *folder;
	struct folder found;
	struct consent_grant_state grant; /* of an account that is not the controller; epoch 0: it wraps no key */
	struct known *epochs;             /* found.epoch of them */
	size_t secret_count;
	char refusal[256]; /* the first: of the node, or of a wrap */
};

static struct known *known_of(const struct search *s, uint32_t epoch) {
	BUG_ON(epoch < 1 || epoch > s->found.epoch);
	return &s->epochs[epoch - 1];
}

static enum status find_stated(
    struct search *s, const struct statement_epoch **stated, uint32_t epoch, struct err *err) {
	struct known *known = known_of(s, epoch);
	if (!known->stated) {
		struct statement_epoch *found = arena_zalloc(s->request->arena, 1, sizeof *found);
		TRY(folder_epoch_find(s->request, &s->found, found, epoch, err));
		known->stated = found;
	}
	*stated = known->stated;
	return STATUS_OK;
}

static void keep_secret(struct search *s, uint32_t epoch, struct p256_secret *secret) {
	struct known *known = known_of(s, epoch);
	if (!known->has_secret) s->secret_count++;
	known->secret = *secret;
	known->has_secret = true;
	mem_wipe(secret, sizeof *secret);
}

static void note(struct search *s, const char *refusal) {
	if (!s->refusal[0]) snprintf(s->refusal, sizeof s->refusal, "%s", refusal);
}

/* --- opening one wrap --- */

static enum status get_part(struct search *s, struct buf *out, bool *found, const addr20 *gate, const hash32 *item,
    uint32_t part, struct err *err) {
	struct blob_verdict verdict;
	TRY(reader_part(&s->reader, out, found, &verdict, gate, item, part, err));
	if (!*found) note(s, arena_printf(s->request->arena, "the node says: %s (%s)", verdict.detail, verdict.code));
	return STATUS_OK;
}

/* A key that is not the one on the chain is somebody's lie and never used. */
static enum status check_key(const struct statement_epoch *epoch, struct p256_secret *secret, struct err *err) {
	struct p256_public key;
	if (p256_public_of(&key, secret) == STATUS_OK && memcmp(key.xy, epoch->key.xy, sizeof key.xy) == 0)
		return STATUS_OK;
	mem_wipe(secret, sizeof *secret);
	return err_set(
	    err, STATUS_CORRUPT, "what was sealed as the key of epoch %u is another key than was stated", epoch->epoch);
}

/* `*found` false: `wrap` does not hold the epoch's key for `secret`, which is wiped. */
static void open_wrap(struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch,
    struct p256_secret *secret, struct bytes wrap) {
	struct err why;
	enum status status = wrap_open(out, WRAP_KEY, secret, s->folder, epoch->epoch, wrap, &why);
	mem_wipe(secret, sizeof *secret);
	if (status == STATUS_OK) status = check_key(epoch, out, &why);
	*found = status == STATUS_OK;
	if (!*found) note(s, why.message);
}

/* What was sealed to this home's account may be under an older version of its key. */
static enum status open_with_account(struct search *s, struct p256_secret *out, bool *found,
    const struct statement_epoch *epoch, struct bytes wrap, struct err *err) {
	uint32_t newest = 0;
	struct p256_secret secret;
	struct p256_public key;
	*found = false;
	TRY(reader_home_key(s->request, &secret, &key, &newest, err));
	for (uint32_t version = newest; version > 0 && !*found; version--) {
		TRY(reader_home_key(s->request, &secret, &key, &version, err));
		open_wrap(s, out, found, epoch, &secret, wrap);
	}
	mem_wipe(&secret, sizeof secret);
	return STATUS_OK;
}

/* `*found` false: nothing there for this home. */
static enum status try_part(struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch,
    const addr20 *gate, const hash32 *item, uint32_t part, struct err *err) {
	struct buf wrap;
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, found, gate, item, part, err);
	if (status == STATUS_OK && *found) status = open_with_account(s, out, found, epoch, buf_view(&wrap), err);
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
	open_wrap(s, out, found, epoch, &secret, wrap);
	if (*found || !is_own) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "this home's own wrap of epoch %u: %s", epoch->epoch, s->refusal);
}

/* A node that withholds what this controller put is an error: to go on would cut the past off. */
static enum status try_controller(
    struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch, struct err *err) {
	struct buf wrap;
	hash32 item = item_of_wraps(s->folder, epoch->epoch);
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = get_part(s, &wrap, found, &s->request->home->deployment.folders, &item, 0, err);
	if (status == STATUS_OK && !*found && addr20_equal(&epoch->by, &s->found.controller))
		status = err_set(err, STATUS_DENIED, "the folder's wraps are not to be had: %s", s->refusal);
	if (status == STATUS_OK && *found) status = open_as_controller(s, out, found, epoch, buf_view(&wrap), err);
	buf_fini(&wrap);
	return status;
}

/* Of the present one, or of one before. */
static bool is_of_controller(const struct search *s, const struct statement_epoch *epoch) {
	const struct statement_folder *said = &s->found.said;
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

/* A grant of the whole folder to this account that wraps a key. */
static enum status find_grant(struct search *s, struct err *err) {
	TRY(folder_grant_find(s->request, &s->grant, s->folder, NULL, &s->request->home->account, err));
	if (!(s->grant.rights & RIGHT_READ) || s->grant.revoked) s->grant.epoch = 0;
	return STATUS_OK;
}

static enum status try_grant(
    struct search *s, struct p256_secret *out, bool *found, const struct statement_epoch *epoch, struct err *err) {
	static const hash32 whole_folder;
	hash32 item = item_of_grant(s->folder, &whole_folder, &s->request->home->account, epoch->epoch, s->grant.count);
	return try_part(s, out, found, epoch, &s->request->home->deployment.consent, &item, 0, err);
}

/* --- one epoch's wraps, and back through links --- */

/* The key of `epoch`, if a wrap of that epoch holds it for this home. Of an epoch that a controller before this one
 * started, this one has no wrap. */
static enum status try_wraps(struct search *s, uint32_t epoch, struct err *err) {
	const struct statement_epoch *stated;
	struct p256_secret secret;
	bool found = false;
	TRY(find_stated(s, &stated, epoch, err));
	if (s->reader.is_controller) {
		const bool is_former = is_of_controller(s, stated) && !addr20_equal(&stated->by, &s->found.controller);
		if (!is_former) TRY(try_controller(s, &secret, &found, stated, err));
	} else {
		TRY(try_recipient(s, &secret, &found, stated, err));
		if (!found && epoch == s->grant.epoch) TRY(try_grant(s, &secret, &found, stated, err));
	}
	if (found) keep_secret(s, epoch, &secret);
	return STATUS_OK;
}

/* Keeps the key in a link of epoch `from`, if it is the one of the older epoch that the link names. */
static enum status open_link(struct search *s, uint32_t from, struct bytes link, struct err *err) {
	const struct statement_epoch *older;
	struct p256_secret secret;
	struct err why;
	uint32_t to;
	enum status status = wrap_open_any(&secret, &to, WRAP_LINK, &known_of(s, from)->secret, s->folder, link, &why);
	if (status != STATUS_OK) note(s, why.message);
	if (status != STATUS_OK || to < 1 || to >= from) {
		mem_wipe(&secret, sizeof secret);
		return STATUS_OK;
	}
	status = find_stated(s, &older, to, err);
	if (status == STATUS_OK && check_key(older, &secret, &why) == STATUS_OK)
		keep_secret(s, to, &secret);
	else if (status == STATUS_OK)
		note(s, why.message);
	mem_wipe(&secret, sizeof secret);
	return status;
}

/* Links are an epoch's last parts. */
static enum status read_link(struct search *s, uint32_t from, struct err *err) {
	const hash32 item = item_of_wraps(s->folder, from);
	const struct statement_epoch *stated;
	struct known *known = known_of(s, from);
	struct buf link;
	bool found;
	TRY(find_stated(s, &stated, from, err));
	const uint32_t part = (uint32_t)recipients_of(stated) + 1 + known->links++;
	buf_init(&link, CONTAINER_PART_MAX);
	enum status status = get_part(s, &link, &found, &s->request->home->deployment.folders, &item, part, err);
	if (status == STATUS_OK && found) status = open_link(s, from, buf_view(&link), err);
	if (status == STATUS_OK && !found) known->links = EPOCH_LINKS_MAX;
	buf_fini(&link);
	return status;
}

/* Follows links from the epochs whose keys are known until the one of `to` is, or no link is left that could lead
 * there. The oldest epoch comes first, so an unbroken chain costs one link for each epoch. */
static enum status walk_back(struct search *s, uint32_t to, struct err *err) {
	uint32_t from = to;
	while (!known_of(s, to)->has_secret && from <= s->found.epoch) {
		for (from = to + 1; from <= s->found.epoch; from++) {
			const struct known *known = known_of(s, from);
			if (known->has_secret && known->links < EPOCH_LINKS_MAX) break;
		}
		if (from <= s->found.epoch) TRY(read_link(s, from, err));
	}
	return STATUS_OK;
}

/* --- the search --- */

static enum status begin(struct search *search, struct err *err) {
	search->folder = &search->found.id;
	search->epochs = arena_zalloc(search->request->arena, search->found.epoch, sizeof *search->epochs);
	TRY(reader_init(search->request, &search->reader, search->folder, err));
	return search->reader.is_controller ? STATUS_OK : find_grant(search, err);
}

static void end(struct search *search) {
	if (search->epochs) mem_wipe(search->epochs, search->found.epoch * sizeof *search->epochs);
	reader_fini(&search->reader);
}

static enum status refuse_without_key(const struct search *s, uint32_t wanted, struct err *err) {
	enum status status;
	if (s->reader.is_controller)
		status = err_set(err, STATUS_DENIED,
		    "the folder was handed over to this home, and has no key since then: rotate it, with the "
		    "hand-over's file");
	else
		status = err_set(err, STATUS_DENIED,
		    "nobody gave this home a key of the folder's epoch %u: it needs a grant to read, or, in an "
		    "emergency, a trustee's release%s%s",
		    wanted, s->refusal[0] ? "; " : "", s->refusal);
	return err_because(err, CAUSE_NO_FOLDER_KEY, status);
}

static enum status refuse(struct search *s, uint32_t wanted, struct err *err) {
	const struct statement_epoch *stated;
	const char *lead = s->refusal[0] ? "; " : "";
	char by[43];
	TRY(find_stated(s, &stated, wanted, err));
	address_checksum(by, &stated->by);
	if (!is_of_controller(s, stated) && (s->reader.is_controller || s->secret_count))
		return err_because(err, CAUSE_EPOCH_LOST,
		    err_set(err, STATUS_DENIED,
			"this home cannot have the key of the folder's epoch %u, which %s started, who is not the "
			"folder's controller%s%s",
			wanted, by, lead, s->refusal));
	if (s->secret_count)
		return err_set(err, STATUS_DENIED, "no link leads back to the key of the folder's epoch %u%s%s", wanted,
		    lead, s->refusal);
	return refuse_without_key(s, wanted, err);
}

/* `*secret` is the one of `wanted`, if it is known by now. */
static enum status take(struct search *s, struct p256_secret *secret, uint32_t wanted, struct err *err) {
	if (!known_of(s, wanted)->has_secret) return refuse(s, wanted, err);
	*secret = known_of(s, wanted)->secret;
	return STATUS_OK;
}

static enum status search_epochs(struct search *s, uint32_t wanted, struct err *err) {
	for (uint32_t epoch = wanted; epoch <= s->found.epoch && !known_of(s, wanted)->has_secret; epoch++) {
		TRY(try_wraps(s, epoch, err));
		TRY(walk_back(s, wanted, err));
	}
	return STATUS_OK;
}

static enum status look(struct search *s, const hash32 *id, uint32_t epoch, struct err *err) {
	TRY(folder_look(s->request, &s->found, id, REQUEST_SHOWN_AGE_S, err));
	if (epoch < 1 || epoch > s->found.epoch)
		return err_set(err, STATUS_NOTFOUND, "the folder has no epoch %u", epoch);
	return begin(s, err);
}

enum status folder_secret(
    struct actor_request *request, struct p256_secret *secret, const hash32 *id, uint32_t epoch, struct err *err) {
	struct search search = {.request = request};
	enum status status = look(&search, id, epoch, err);
	if (status == STATUS_OK) status = search_epochs(&search, epoch, err);
	if (status == STATUS_OK) status = take(&search, secret, epoch, err);
	end(&search);
	return status;
}

enum status folder_secret_before(struct actor_request *request, struct p256_secret *secret, const hash32 *id,
    uint32_t from, uint32_t to, struct err *err) {
	struct search search = {.request = request};
	enum status status = look(&search, id, from, err);
	BUG_ON(to < 1 || to > from);
	if (status == STATUS_OK) keep_secret(&search, from, secret);
	if (status == STATUS_OK) status = walk_back(&search, to, err);
	if (status == STATUS_OK) status = take(&search, secret, to, err);
	if (status != STATUS_OK) mem_wipe(secret, sizeof *secret);
	end(&search);
	return status;
}

/* --- links of the next epoch --- */

/* The key in a hand-over's file: of the epoch that was the newest when it was written. */
static enum status open_handed(struct search *s, struct epoch_link *out, struct bytes handed, struct err *err) {
	const struct statement_epoch *stated;
	struct p256_secret secret;
	struct p256_public key;
	if (!s->reader.is_controller)
		return err_set(err, STATUS_INVALID, "a hand-over's file is for the folder's new controller");
	TRY(home_audit_key(s->request->home, &secret, &key, s->reader.own.controller_index, err));
	enum status status = wrap_open_any(&out->secret, &out->epoch, WRAP_KEY, &secret, s->folder, handed, err);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK) return err_prefix(err, status, "the key in the hand-over's file is not this folder's");
	if (out->epoch < 1 || out->epoch > s->found.epoch)
		return err_set(
		    err, STATUS_DENIED, "the hand-over's file holds the key of an epoch that the folder has not");
	TRY(find_stated(s, &stated, out->epoch, err));
	if (check_key(stated, &out->secret, err) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the hand-over's file holds another key than the folder has");
}

/* The last place is kept for a controller's epoch, which leads to all before it. */
static bool has_room(const struct search *s, const struct epoch_links *links, const struct statement_epoch *stated) {
	return links->count + (is_of_controller(s, stated) ? 0 : 1) < EPOCH_LINKS_MAX;
}

/* Makes the epoch's key known, by links that are taken already or as one more link. */
static enum status reach(struct search *s, struct epoch_links *out, uint32_t epoch,
    const struct statement_epoch *stated, const struct epoch_link *handed, struct err *err) {
	struct known *known = known_of(s, epoch);
	TRY(walk_back(s, epoch, err));
	if (known->has_secret || !has_room(s, out, stated)) return STATUS_OK;
	TRY(try_wraps(s, epoch, err));
	struct p256_secret secret = handed->secret;
	if (!known->has_secret && handed->epoch == epoch) keep_secret(s, epoch, &secret);
	mem_wipe(&secret, sizeof secret);
	if (known->has_secret) out->all[out->count++] = (struct epoch_link){epoch, known->secret};
	return STATUS_OK;
}

/* Back to a controller's epoch that leads to the one before it: whoever made that saw to all before. */
static enum status reach_all(
    struct search *s, struct epoch_links *out, const struct epoch_link *handed, struct err *err) {
	uint32_t *lost = arena_zalloc(s->request->arena, s->found.epoch, sizeof *lost);
	out->lost = lost;
	for (uint32_t epoch = s->found.epoch; epoch > 0; epoch--) {
		const struct statement_epoch *stated;
		TRY(find_stated(s, &stated, epoch, err));
		TRY(reach(s, out, epoch, stated, handed, err));
		if (!known_of(s, epoch)->has_secret)
			lost[out->lost_count++] = epoch;
		else if (epoch > 1 && is_of_controller(s, stated)) {
			TRY(walk_back(s, epoch - 1, err));
			if (known_of(s, epoch - 1)->has_secret) break;
		}
	}
	return out->count ? STATUS_OK : refuse_without_key(s, s->found.epoch, err);
}

enum status epoch_links_find(struct actor_request *request, struct epoch_links *out, const struct folder *folder,
    struct bytes handed, struct err *err) {
	struct search search = {.request = request, .found = *folder};
	struct epoch_link given = {0};
	*out = (struct epoch_links){.count = 0};
	enum status status = begin(&search, err);
	if (status == STATUS_OK && handed.len) status = open_handed(&search, &given, handed, err);
	if (status == STATUS_OK) status = reach_all(&search, out, &given, err);
	mem_wipe(&given, sizeof given);
	end(&search);
	return status;
}
