/* Reading a record back. The whole container is fetched, whichever part is wanted: only all leaves together show that
 * one of them belongs to the commitment on the chain. */
#include "health/contracts/cause.h"
#include "health/records/items.h"
#include "health/records/lead_lock.h"
#include "health/records/legal_copy.h"
#include "health/records/reader.h"

/* Such a grant's wrap is the lead itself, sealed to this home; maybe under an older version of its key. */
static enum status open_granted_lead(struct actor_request *request, struct record_lead *lead,
    const struct record_place *place, struct bytes wrap, struct err *err) {
	enum status status = STATUS_DENIED;
	uint32_t newest = 0;
	struct p256_secret secret;
	struct p256_public key;
	TRY(reader_home_key(request, &secret, &key, &newest, err));
	for (uint32_t version = newest; version > 0 && status == STATUS_DENIED; version--) {
		status = reader_home_key(request, &secret, &key, &version, err);
		if (status == STATUS_OK) status = record_lead_open(lead, request->arena, place, &secret, wrap, err);
	}
	mem_wipe(&secret, sizeof secret);
	return status;
}

static enum status lead_by_grant(struct actor_request *request, struct record_lead *lead, const struct reader *reader,
    const struct record_place *place, struct err *err) {
	struct blob_verdict verdict;
	struct buf wrap, unlocked;
	struct consent_grant_state grant; /* if it is revoked, the node gives no wrap */
	const addr20 *account = &request->home->account;
	bool found;
	TRY(folder_grant_find(request, &grant, &place->folder, &place->record, account, err));
	if (grant.count == 0) return err_set(err, STATUS_NOTFOUND, "no grant of this record");
	hash32 item = item_of_grant(&place->folder, &place->record, account, grant.epoch, grant.count);
	buf_init(&wrap, CONTAINER_PART_MAX);
	buf_init(&unlocked, CONTAINER_PART_MAX);
	enum status status =
	    reader_part(reader, &wrap, &found, &verdict, &request->home->deployment.consent, &item, 0, err);
	if (status == STATUS_OK && !found)
		status = err_set(err, STATUS_NOTFOUND, "the grant's wrap is not given: %s", verdict.detail);
	if (status == STATUS_OK)
		status = lead_lock_open(request, &unlocked, &reader->asker, &place->record, buf_view(&wrap), err);
	if (status == STATUS_OK) status = open_granted_lead(request, lead, place, buf_view(&unlocked), err);
	buf_fini(&unlocked);
	buf_fini(&wrap);
	return status;
}

/* Of one folder: keys that were found, and an author who may write records; for many records one after the other. */
#define KEYS_MAX 8u
struct record_keys {
	struct {
		uint32_t epoch; /* 0: free */
		struct p256_secret secret;
	} all[KEYS_MAX];
	unsigned next; /* the place that is used again */
	bool has_author;
	addr20 author; /* the last one that was found to be in order */
};

static bool take_kept(const struct record_keys *keys, struct p256_secret *secret, uint32_t epoch) {
	for (size_t i = 0; keys && i < KEYS_MAX; i++) {
		if (keys->all[i].epoch != epoch) continue;
		*secret = keys->all[i].secret;
		return true;
	}
	return false;
}

static void keep_key(struct record_keys *keys, const struct p256_secret *secret, uint32_t epoch) {
	if (!keys) return;
	keys->all[keys->next].epoch = epoch;
	keys->all[keys->next].secret = *secret;
	keys->next = (keys->next + 1) % KEYS_MAX;
}

/* The folder's key, by this room's ways or by further ones. */
static enum status find_key(struct actor_request *request, struct p256_secret *secret, const struct record_place *place,
    const struct reader *reader, struct err *err) {
	const struct folder_keys *further = reader->further;
	struct err why = {0};
	bool found;
	if (take_kept(reader->keys, secret, place->epoch)) return STATUS_OK;
	enum status status = folder_secret(request, secret, &place->folder, place->epoch, err);
	if (status == STATUS_OK) keep_key(reader->keys, secret, place->epoch);
	if (status != STATUS_DENIED || !further) return status;
	enum status other = further->secret(request, secret, &found, &place->folder, place->epoch, &why);
	if (other == STATUS_OK) return found ? STATUS_OK : status;
	return err_because(err, why.cause, err_set(err, other, "%s", why.message));
}

static enum status open_locked_lead(struct actor_request *request, struct record_lead *lead,
    const struct reader *reader, const struct record_place *place, const struct p256_secret *secret, struct bytes part,
    struct err *err) {
	struct buf unlocked;
	buf_init(&unlocked, CONTAINER_PART_MAX);
	enum status status = lead_lock_open(request, &unlocked, &reader->asker, &place->record, part, err);
	if (status == STATUS_OK)
		status = record_lead_open(lead, request->arena, place, secret, buf_view(&unlocked), err);
	buf_fini(&unlocked);
	return status;
}

/* The author's own copy, else the folder's key, else a grant of this record alone. */
static enum status find_lead(struct actor_request *request, struct record_opened *out, const struct reader *reader,
    const struct record_place *place, struct bytes part, struct err *err) {
	struct p256_secret secret;
	struct err unused;
	struct container copy;
	enum status status = legal_copy_load(request, &out->lead, &copy, &place->record, err);
	if (status != STATUS_NOTFOUND) return status;
	status = find_key(request, &secret, place, reader, err);
	if (status == STATUS_OK) {
		status = open_locked_lead(request, &out->lead, reader, place, &secret, part, err);
		mem_wipe(&secret, sizeof secret);
		return status;
	}
	if (status != STATUS_DENIED || reader->is_controller) return status;
	enum status by_grant = lead_by_grant(request, &out->lead, reader, place, &unused);
	return by_grant == STATUS_OK ? by_grant : status;
}

static enum status get_container(struct actor_request *request, struct buf *out, const struct reader *reader,
    const struct record_registration *registration, struct err *err) {
	struct blob_verdict verdict;
	TRY(blobs_get(&reader->asker, out, &verdict, &request->home->deployment.records, &registration->record,
	    &registration->blob, err));
	if (verdict.ok) return STATUS_OK;
	if (verdict.http_status == 410 || verdict.http_status == 404)
		return err_set(
		    err, STATUS_NOTFOUND, "the node does not have the record: %s (%s)", verdict.detail, verdict.code);
	if (blob_verdict_cause(&verdict))
		return err_because(err, blob_verdict_cause(&verdict),
		    err_set(err, STATUS_DENIED, "the node does not give the record: %s", verdict.detail));
	enum status status = err_set(err, STATUS_DENIED,
	    "the node does not give the record: %s (%s). Readers other than its author and the folder's controller "
	    "must ask for a window first",
	    verdict.detail, verdict.code);
	return err_because(err, CAUSE_NO_WINDOW, status);
}

static enum status open_all(struct actor_request *request, struct record_opened *out, const struct record_place *place,
    const struct container *container, struct err *err) {
	if (container->count != out->lead.count + 1)
		return err_set(err, STATUS_CORRUPT, "the container has %u segments, its lead names %zu",
		    container->count - 1, out->lead.count);
	out->resources = arena_zalloc(request->arena, out->lead.count, sizeof *out->resources);
	for (uint32_t i = 1; i <= out->lead.count; i++) {
		struct buf resource;
		buf_init(&resource, CONTAINER_BYTES_MAX);
		enum status status =
		    segment_open(&resource, request->arena, place, &out->lead, i, container_part(container, i), err);
		out->resources[i - 1] = arena_dup(request->arena, buf_view(&resource));
		buf_wipe(&resource);
		TRY(status);
	}
	if (!record_matches(&out->registration.root, &out->lead, out->resources))
		return err_set(err, STATUS_CORRUPT, "the record is not the one that was committed to on the chain");
	return STATUS_OK;
}

/* The author is the folder's controller, or somebody whom the registrars listed: even the chain's sealer cannot make a
 * record in its name. */
static enum status check_author(struct actor_request *request, const struct record_opened *out,
    const struct record_place *place, struct record_keys *keys, struct err *err) {
	const struct record_registration *registration = &out->registration;
	const struct record_commitment said = {registration->author, registration->root, registration->facts};
	struct directory_listed author;
	struct folder folder;
	TRY(record_lead_check(&out->lead, &request->home->deployment, place, &said, err));
	if (addr20_equal(&registration->author, &request->home->account)) return STATUS_OK;
	if (keys && keys->has_author && addr20_equal(&registration->author, &keys->author)) return STATUS_OK;
	enum status status = directory_find(request, &author, &registration->author, err);
	if (status == STATUS_OK && keys) {
		keys->has_author = true;
		keys->author = registration->author;
	}
	if (status != STATUS_NOTFOUND) return status;
	TRY(folder_look(request, &folder, &place->folder, REQUEST_SHOWN_AGE_S, err));
	for (size_t i = 0; i < folder.said.controller_count; i++)
		if (addr20_equal(&folder.said.controllers[i].address, &registration->author)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the record's author is not listed, and does not control the folder");
}

static enum status open_container(struct actor_request *request, struct record_opened *out, const struct reader *reader,
    struct bytes content, struct err *err) {
	const struct record_registration *registration = &out->registration;
	struct record_place place = {registration->folder, registration->epoch, registration->record};
	struct container container;
	if (container_decode(&container, content, err) != STATUS_OK)
		return err_because(
		    err, CAUSE_NOT_PROVED, err_prefix(err, STATUS_CORRUPT, "what the node gives as the record"));
	hash32 name = container_name(&container);
	if (!hash32_equal(&name, &registration->blob))
		return err_because(err, CAUSE_NOT_PROVED,
		    err_set(err, STATUS_CORRUPT, "the node gives another container than the chain names"));
	TRY(find_lead(request, out, reader, &place, container_part(&container, 0), err));
	TRY(check_author(request, out, &place, reader->keys, err));
	return open_all(request, out, &place, &container, err);
}

/* `part` 0: all. */
static enum status keep_part(struct record_opened *out, uint32_t part, struct err *err) {
	if (part > out->lead.count)
		return err_set(err, STATUS_NOTFOUND, "the record has resources 1 to %zu", out->lead.count);
	for (size_t i = 0; part && i < out->lead.count; i++)
		if (i + 1 != part) out->resources[i] = (struct bytes){NULL, 0};
	return STATUS_OK;
}

enum status record_read(struct actor_request *request, struct record_opened *out, const hash32 *record, uint32_t part,
    const struct folder_keys *further, struct err *err) {
	struct reader reader;
	struct buf content;
	*out = (struct record_opened){0};
	TRY(record_find(request, &out->registration, record, err));
	if (out->registration.state == RECORD_ERASED)
		return err_set(err, STATUS_NOTFOUND, "the record was erased; its commitment is all that remains");
	TRY(reader_init(request, &reader, &out->registration.folder, err));
	reader.further = further;
	buf_init(&content, CONTAINER_BYTES_MAX);
	enum status status = get_container(request, &content, &reader, &out->registration, err);
	if (status == STATUS_OK) status = open_container(request, out, &reader, buf_view(&content), err);
	buf_fini(&content);
	reader_fini(&reader);
	TRY(status);
	return keep_part(out, part, err);
}

/* --- many of one folder --- */

struct record_reader {
	struct actor_request *request;
	struct reader reader;
	struct record_keys keys;
};

enum status record_reader_open(
    struct record_reader **out, struct actor_request *request, const hash32 *folder, struct err *err) {
	struct record_reader *many = mem_zalloc(1, sizeof *many);
	many->request = request;
	const enum status status = reader_init(request, &many->reader, folder, err);
	many->reader.keys = &many->keys;
	if (status == STATUS_OK)
		*out = many;
	else
		record_reader_close(many);
	return status;
}

void record_reader_close(struct record_reader *many) {
	if (!many) return;
	reader_fini(&many->reader);
	mem_wipe(many, sizeof *many);
	mem_free(many);
}

enum status record_reader_read(struct record_reader *many, struct record_opened *out,
    const struct record_registration *registration, struct err *err) {
	struct buf content;
	*out = (struct record_opened){.registration = *registration};
	buf_init(&content, CONTAINER_BYTES_MAX);
	enum status status = get_container(many->request, &content, &many->reader, registration, err);
	if (status == STATUS_OK) status = open_container(many->request, out, &many->reader, buf_view(&content), err);
	buf_fini(&content);
	return status;
}

/* What the chain says of it is proved, and what the file holds is held to that. */
enum status record_read_own_copy(
    struct actor_request *request, struct record_opened *out, const hash32 *record, uint32_t part, struct err *err) {
	struct container copy;
	*out = (struct record_opened){0};
	TRY(record_find(request, &out->registration, record, err));
	const struct record_registration *found = &out->registration;
	const struct record_place place = {found->folder, found->epoch, found->record};
	const struct record_commitment said = {found->author, found->root, found->facts};
	if (!addr20_equal(&found->author, &request->home->account))
		return err_set(err, STATUS_NOTFOUND, "this home did not write the record, and keeps no copy of it");
	enum status status = legal_copy_load(request, &out->lead, &copy, record, err);
	if (status == STATUS_NOTFOUND)
		return err_set(err, status, "this home's copy of the record is gone from its folder records");
	TRY(status);
	status = record_lead_check(&out->lead, &request->home->deployment, &place, &said, err);
	if (status == STATUS_OK) status = open_all(request, out, &place, &copy, err);
	if (status != STATUS_OK) return err_prefix(err, STATUS_CORRUPT, "this home's copy");
	return keep_part(out, part, err);
}

enum status record_probe(
    struct actor_request *request, struct blob_verdict *verdict, const hash32 *record, struct err *err) {
	struct record_registration registration;
	struct reader reader;
	struct buf lead;
	bool found;
	TRY(record_find(request, &registration, record, err));
	TRY(reader_init(request, &reader, &registration.folder, err));
	buf_init(&lead, CONTAINER_PART_MAX);
	enum status status =
	    reader_part(&reader, &lead, &found, verdict, &request->home->deployment.records, record, 0, err);
	buf_fini(&lead);
	reader_fini(&reader);
	return status;
}
