/* Adding records: seal all, ask the contract, put the blobs, register in one transaction, keep the author's copies. */
#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/actors/actor.h"
#include "health/contracts/cause.h"
#include "health/contracts/records.h"
#include "health/records/legal_copy.h"
#include "health/records/record_right.h"

/* One record on its way. */
struct draft {
	struct record_place place;
	uint64_t nonce;
	struct record_sealed sealed;
	bool may_write; /* proved */
};

static hash32 record_id(const struct actor_request *request, const hash32 *folder, uint32_t epoch, uint64_t nonce) {
	const struct deployment *deployment = &request->home->deployment;
	struct buf encoded;
	buf_init(&encoded, 256);
	abi_put_u64(&encoded, deployment->chain_id);
	abi_put_address(&encoded, &deployment->records);
	abi_put_hash32(&encoded, folder);
	abi_put_u64(&encoded, epoch);
	abi_put_address(&encoded, &request->home->account);
	abi_put_u64(&encoded, nonce);
	BUG_ON(encoded.overflow);
	hash32 id = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return id;
}

static enum status seal_draft(
    struct actor_request *request, struct draft *draft, const struct record_addition *addition, struct err *err) {
	struct folder_target folder;
	TRY(folder_target_find(request, &folder, &addition->folder, err));
	TRY(record_right_prove(request, &draft->may_write, &addition->folder, &folder, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten: nothing can be added");
	random_fill(request->random, &draft->nonce, sizeof draft->nonce);
	draft->place = (struct record_place){
	    addition->folder, folder.epoch, record_id(request, &addition->folder, folder.epoch, draft->nonce)};
	const struct record_author author = {
	    &request->home->deployment, request->home->account, &request->home->account_secret};
	const struct record_draft content = {
	    &draft->place, &folder.key, &author, addition->resources, addition->count, addition->at_ms};
	return record_seal(&draft->sealed, &content, request->random, err);
}

static struct records_addition addition_of(const struct draft *draft) {
	return (struct records_addition){.folder = draft->place.folder,
	    .epoch = draft->place.epoch,
	    .nonce = draft->nonce,
	    .root = draft->sealed.root,
	    .blob = draft->sealed.blob,
	    .size = draft->sealed.container.len};
}

static struct bytes additions_call(struct arena *arena, const struct draft *drafts, size_t count) {
	struct records_addition *additions = arena_zalloc(arena, count, sizeof *additions);
	for (size_t i = 0; i < count; i++) additions[i] = addition_of(&drafts[i]);
	return records_add_many_call(arena, additions, count);
}

/* In a call of addMany: the selector, where the list begins, and its length; additions of static size follow. */
#define ADDITIONS_HEAD_BYTES 68u

/* An item to be merged is an addition's words. */
static void merge_additions(struct buf *data, const struct bytes *items, size_t count) {
	static const struct records_addition placeholders[RECORD_ADDITIONS_MAX];
	struct arena arena;
	BUG_ON(count > RECORD_ADDITIONS_MAX);
	arena_init(&arena);
	struct bytes call = records_add_many_call(&arena, placeholders, count);
	buf_append(data, bytes_slice(call, 0, ADDITIONS_HEAD_BYTES));
	arena_fini(&arena);
	for (size_t i = 0; i < count; i++) buf_append(data, items[i]);
}

static const struct outbox_merger addition_merger = {RECORD_ADDITIONS_MAX, merge_additions};

static enum status put_blobs(struct actor_request *request, struct record_added *out, const struct draft *drafts,
    size_t count, struct err *err) {
	const addr20 *gate = &request->home->deployment.records;
	uint64_t done = 0, of = 0;
	for (size_t i = 0; i < count; i++) of += drafts[i].sealed.container.len;
	for (size_t i = 0; i < count; i++) {
		progress_at(request->progress, "sending sealed bytes to the node", done, of);
		done += drafts[i].sealed.container.len;
		TRY(request_put(
		    request, &out[i].blob, gate, buf_view(&drafts[i].sealed.container), "the sealed record", err));
	}
	progress_at(request->progress, "sending sealed bytes to the node", of, of);
	return STATUS_OK;
}

static void drop_copies(struct actor_request *request, const struct draft *drafts, size_t count) {
	for (size_t i = 0; i < count; i++) legal_copy_remove(request->home, &drafts[i].place.record);
}

/* Whoever keeps copies writes to the home, and so has its lock: the outbox is opened first. Durable once they are
 * synced. */
static enum status keep_copies(
    struct actor_request *request, const struct draft *drafts, size_t count, struct err *err) {
	struct outbox *outbox;
	size_t kept = 0;
	enum status status = actor_outbox(request->actor, &outbox, err);
	while (kept < count && status == STATUS_OK) {
		const struct record_sealed *sealed = &drafts[kept].sealed;
		status = legal_copy_store(
		    request, &drafts[kept].place.record, buf_view(&sealed->lead), buf_view(&sealed->container), err);
		if (status == STATUS_OK) kept++;
	}
	if (status == STATUS_OK) return status;
	drop_copies(request, drafts, kept);
	return err_prefix(err, status, "nothing was registered: the author's copy could not be kept");
}

/* A service has its home's lock: it writes the copies before the blobs are sent and syncs them afterwards, when another
 * request mostly has. A command takes the lock only once its blobs are there: others of the home need not wait. */
static enum status keep_and_put(struct actor_request *request, struct record_added *out, const struct draft *drafts,
    size_t count, struct err *err) {
	const bool is_service = request->home->records != NULL;
	if (is_service) TRY(keep_copies(request, drafts, count, err));
	enum status status = put_blobs(request, out, drafts, count, err);
	if (!is_service) {
		TRY(status);
		TRY(keep_copies(request, drafts, count, err));
	}
	if (status == STATUS_OK) {
		status = legal_copy_sync_all(request, err);
		if (status == STATUS_OK) return status;
		err_prefix(err, status, "nothing was registered: the author's copy could not be kept");
	}
	drop_copies(request, drafts, count);
	return status;
}

/* --- registering --- */

/* Records that are registered together, and who hears of it. */
struct adding {
	struct actor_request *request;
	struct record_added *out;
	struct draft *drafts;
	size_t count;
	bool is_stale;                          /* out: a folder has a newer key by now */
	bool goes_on;                           /* out: the outbox keeps what was not finished */
	const struct record_listener *listener; /* NULL: the caller waits */
};

/* Of what the outbox still has when the request is gone. */
struct submitted {
	const struct home *home;
	struct record_listener listener;
	size_t count;
	hash32 records[RECORD_ADDITIONS_MAX];
};

static void submission_completed(void *context, const struct outbox_result *result) {
	struct submitted *submitted = context;
	bool is_over = result->end == OUTBOX_REVERTED || result->end == OUTBOX_REFUSED;
	for (size_t i = 0; is_over && i < submitted->count; i++)
		legal_copy_remove(submitted->home, &submitted->records[i]);
	submitted->listener.completed(submitted->listener.context, result);
	mem_free(submitted);
}

static enum status submit(struct adding *adding, struct outbox_entry *entry, struct err *err) {
	struct outbox *outbox;
	struct submitted *submitted = mem_zalloc(1, sizeof *submitted);
	submitted->home = adding->request->home;
	submitted->listener = *adding->listener;
	for (size_t i = 0; i < adding->count; i++)
		submitted->records[submitted->count++] = adding->drafts[i].place.record;
	entry->completed = submission_completed;
	entry->context = submitted;
	entry->deadline_ms = adding->request->deadline_ms;
	enum status status = actor_outbox(adding->request->actor, &outbox, err);
	if (status == STATUS_OK) status = outbox_submit(outbox, entry, err);
	if (status != STATUS_OK) mem_free(submitted);
	return status == STATUS_OK ? status : err_prefix(err, status, "nothing was registered");
}

static enum status refused(struct adding *adding, const struct client_verdict *verdict, struct err *err) {
	adding->is_stale = verdict->refusal.error == CONTRACT_ERROR_STALE_EPOCH;
	return request_refused(adding->request, verdict, err);
}

/* STATUS_DENIED: the contract, the node's pool or the block refused it, and nothing was registered. */
static enum status send(struct adding *adding, struct outbox_entry *entry, struct err *err) {
	struct outbox_result result = {.end = OUTBOX_REFUSED};
	enum status status = request_send(adding->request, &result, entry, err);
	adding->goes_on = status == STATUS_TIMEOUT || result.end == OUTBOX_UNPROVED;
	TRY(status);
	if (result.end != OUTBOX_DONE) return refused(adding, &result.verdict, err);
	for (size_t i = 0; i < adding->count; i++) adding->out[i].receipt = result.receipt;
	return STATUS_OK;
}

/* A lone record may be registered together with others, of any folder; those of a bundle go as they came. */
static enum status hand_over(struct adding *adding, struct bytes data, struct err *err) {
	struct outbox_blob blobs[RECORD_ADDITIONS_MAX];
	hash32 names[RECORD_ADDITIONS_MAX];
	const addr20 *records = &adding->request->home->deployment.records;
	for (size_t i = 0; i < adding->count; i++) {
		blobs[i] = (struct outbox_blob){*records, buf_view(&adding->drafts[i].sealed.container)};
		names[i] = adding->drafts[i].place.record;
	}
	struct outbox_entry entry = {.to = records,
	    .data = data,
	    .blobs = blobs,
	    .blob_count = adding->count,
	    .names = names,
	    .name_count = adding->count};
	if (adding->count == 1) {
		entry.merger = &addition_merger;
		entry.merge_item = bytes_slice(data, ADDITIONS_HEAD_BYTES, data.len);
	}
	return adding->listener ? submit(adding, &entry, err) : send(adding, &entry, err);
}

static enum status announce(const struct adding *adding, struct err *err) {
	const struct record_listener *listener = adding->listener;
	if (!listener || !listener->named) return STATUS_OK;
	enum status status = listener->named(listener->context, adding->out, adding->count, err);
	if (status != STATUS_OK) drop_copies(adding->request, adding->drafts, adding->count);
	return status;
}

/* What is not proved is asked before anything is sent. */
static enum status check_rights(struct adding *adding, struct bytes data, struct err *err) {
	struct actor_request *request = adding->request;
	struct client_verdict verdict;
	struct bytes output;
	size_t proved = 0;
	while (proved < adding->count && adding->drafts[proved].may_write) proved++;
	if (proved == adding->count) return STATUS_OK;
	TRY(client_call(request->client, &output, &verdict, request->arena, &request->home->account,
	    &request->home->deployment.records, data, err));
	return verdict.ok ? STATUS_OK : refused(adding, &verdict, err);
}

/*
 * Nothing is put where the contract would refuse, and nothing is registered where a blob was not taken. The author's
 * copies come before the transaction, since there is no other once it is sent; they go only where it was refused, not
 * where the node fell silent.
 */
static enum status register_drafts(struct adding *adding, struct bytes data, struct err *err) {
	struct actor_request *request = adding->request;
	TRY(check_rights(adding, data, err));
	TRY(keep_and_put(request, adding->out, adding->drafts, adding->count, err));
	TRY(announce(adding, err));
	enum status status = hand_over(adding, data, err);
	/* After a failing disk nobody knows: those copies stay, as those of what goes on. */
	if (!adding->goes_on && (status == STATUS_DENIED || status == STATUS_BUSY || status == STATUS_LIMIT))
		drop_copies(request, adding->drafts, adding->count);
	return status;
}

static enum status add_once(struct adding *adding, const struct record_addition *additions, struct err *err) {
	size_t sealed = 0;
	enum status status = STATUS_OK;
	adding->is_stale = adding->goes_on = false;
	adding->drafts = arena_zalloc(adding->request->arena, adding->count, sizeof *adding->drafts);
	for (; sealed < adding->count; sealed++) {
		struct draft *draft = &adding->drafts[sealed];
		progress_at(adding->request->progress, "sealing records", sealed, adding->count);
		status = seal_draft(adding->request, draft, &additions[sealed], err);
		if (status != STATUS_OK) goto out;
		adding->out[sealed] = (struct record_added){.record = draft->place.record,
		    .root = draft->sealed.root,
		    .resource_count = additions[sealed].count,
		    .container_bytes = draft->sealed.container.len};
	}
	status = register_drafts(adding, additions_call(adding->request->arena, adding->drafts, adding->count), err);
out:
	while (sealed > 0) record_sealed_fini(&adding->drafts[--sealed].sealed);
	return status;
}

static enum status add(struct adding *adding, const struct record_addition *additions, struct err *err) {
	if (adding->count == 0 || adding->count > RECORD_ADDITIONS_MAX)
		return err_set(err, STATUS_LIMIT, "%zu records: 1 to %u are registered together", adding->count,
		    RECORD_ADDITIONS_MAX);
	enum status status = add_once(adding, additions, err);
	/* A folder was rotated since its key was read: once more, all of them, to the new key. */
	if (status == STATUS_DENIED && adding->is_stale) status = add_once(adding, additions, err);
	return status;
}

enum status record_add_many(struct actor_request *request, struct record_added *out,
    const struct record_addition *additions, size_t count, struct err *err) {
	struct adding adding = {.request = request, .out = out, .count = count};
	return add(&adding, additions, err);
}

void record_drop_refused(const struct home *home, const hash32 *record) {
	legal_copy_remove(home, record);
}

enum status record_submit(struct actor_request *request, struct record_added *out,
    const struct record_addition *additions, size_t count, const struct record_listener *listener, struct err *err) {
	struct adding adding = {.request = request, .out = out, .count = count, .listener = listener};
	struct outbox *outbox;
	if (count != 1) return add(&adding, additions, err); /* a bundle's go alone */
	TRY(actor_outbox(request->actor, &outbox, err));
	outbox_expect(outbox, true);
	const enum status status = add(&adding, additions, err);
	outbox_expect(outbox, false);
	return status;
}
