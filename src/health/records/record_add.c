/* Adding records: seal all, ask the contract, put the blobs, register in one transaction, keep the author's copies. */
#include "crypto/hash.h"
#include "health/records/private.h"

/* One record on its way. */
struct draft {
	struct record_place place;
	uint64_t nonce;
	struct sealed_record sealed;
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
	struct folder folder;
	TRY(folder_find(request, &folder, &addition->folder, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten: nothing can be added");
	random_fill(request->random, &draft->nonce, sizeof draft->nonce);
	draft->place = (struct record_place){
	    addition->folder, folder.epoch, record_id(request, &addition->folder, folder.epoch, draft->nonce)};
	return record_seal(
	    &draft->sealed, &draft->place, &folder.key, addition->resources, addition->count, request->random, err);
}

static void put_additions(struct buf *data, const struct draft *drafts, size_t count) {
	static const hash32 no_facts;
	abi_put_selector(data, "addMany((bytes32,uint32,uint64,bytes32,bytes32,bytes32,uint64)[])");
	struct abi_row row = abi_row_begin(data);
	size_t head = abi_reserve(data);
	abi_tail(&row, head);
	abi_put_u64(data, count);
	for (const struct draft *draft = drafts; draft < drafts + count; draft++) {
		abi_put_hash32(data, &draft->place.folder);
		abi_put_u64(data, draft->place.epoch);
		abi_put_u64(data, draft->nonce);
		abi_put_hash32(data, &draft->sealed.root);
		abi_put_hash32(data, &draft->sealed.blob);
		abi_put_hash32(data, &no_facts);
		abi_put_u64(data, draft->sealed.container.len);
	}
}

/* What the contract says, in words that tell what to do. `*is_stale`: the folder has a newer key by now. */
static enum status explain(bool *is_stale, const struct client_verdict *verdict, struct err *err) {
	*is_stale = false;
	if (verdict->ok) return STATUS_OK;
	*is_stale = strncmp(verdict->reason, "StaleEpoch(", 11) == 0;
	if (strcmp(verdict->reason, "NotAllowedToWrite()") == 0)
		return err_set(err, STATUS_DENIED,
		    "refused: NotAllowedToWrite(): this home's account may not write into the folder (of several: "
		    "into one of them), or it is forgotten. Its controller grants that with: xinglin share --rights "
		    "write");
	if (strcmp(verdict->reason, "NotListed()") == 0)
		return err_set(err, STATUS_DENIED,
		    "refused: NotListed(): the directory does not list this home's account as active. See: xinglin "
		    "actor "
		    "request --help");
	return err_set(err, STATUS_DENIED, "refused: %s", verdict->reason);
}

static enum status put_blobs(struct actor_request *request, struct record_added *out, const struct draft *drafts,
    size_t count, struct err *err) {
	struct blob_asker asker = request_asker(request);
	struct blob_verdict taken;
	for (size_t i = 0; i < count; i++) {
		TRY(blobs_put(&asker, &out[i].blob, &taken, &request->home->deployment.records,
		    buf_view(&drafts[i].sealed.container), err));
		if (!taken.ok)
			return err_set(err, STATUS_DENIED, "the node did not take the sealed record: %s (%s)",
			    taken.detail, taken.code);
	}
	return STATUS_OK;
}

static void drop_copies(struct actor_request *request, const struct draft *drafts, size_t count) {
	for (size_t i = 0; i < count; i++) legal_copy_remove(request, &drafts[i].place.record);
}

static enum status keep_copies(
    struct actor_request *request, const struct draft *drafts, size_t count, struct err *err) {
	for (size_t i = 0; i < count; i++) {
		enum status status =
		    legal_copy_store(request, &drafts[i].place.record, buf_view(&drafts[i].sealed.lead), err);
		if (status == STATUS_OK) continue;
		drop_copies(request, drafts, i);
		return err_prefix(err, status, "nothing was registered: the author's copy could not be kept");
	}
	return STATUS_OK;
}

/* STATUS_DENIED: the contract, the node's pool or the block refused it, and nothing was registered. */
static enum status send(struct actor_request *request, struct record_added *out, bool *is_stale,
    const struct draft *drafts, size_t count, struct bytes data, struct err *err) {
	struct outbox_blob blobs[RECORD_ADDITIONS_MAX];
	struct outbox_result result;
	for (size_t i = 0; i < count; i++)
		blobs[i] =
		    (struct outbox_blob){request->home->deployment.records, buf_view(&drafts[i].sealed.container)};
	const struct outbox_entry entry = {
	    .to = &request->home->deployment.records, .data = data, .blobs = blobs, .blob_count = count};
	TRY(request_send(request, &result, &entry, err));
	result.verdict.ok = result.end == OUTBOX_DONE;
	TRY(explain(is_stale, &result.verdict, err));
	for (size_t i = 0; i < count; i++) out[i].receipt = result.receipt;
	return STATUS_OK;
}

/*
 * Nothing is put where the contract would refuse, and nothing is registered where a blob was not taken. The author's
 * copies come before the transaction, since there is no other once it is sent; they go only where it was refused, not
 * where the node fell silent.
 */
static enum status register_drafts(struct actor_request *request, struct record_added *out, bool *is_stale,
    const struct draft *drafts, size_t count, struct bytes data, struct err *err) {
	const addr20 *records = &request->home->deployment.records;
	struct client_verdict verdict;
	struct bytes output;
	TRY(client_call(
	    request->client, &output, &verdict, request->arena, &request->home->account, records, data, err));
	TRY(explain(is_stale, &verdict, err));
	TRY(put_blobs(request, out, drafts, count, err));
	TRY(keep_copies(request, drafts, count, err));
	enum status status = send(request, out, is_stale, drafts, count, data, err);
	if (status == STATUS_DENIED) drop_copies(request, drafts, count);
	return status;
}

static enum status add_once(struct actor_request *request, struct record_added *out, bool *is_stale,
    const struct record_addition *additions, size_t count, struct err *err) {
	struct draft *drafts = arena_zalloc(request->arena, count, sizeof *drafts);
	struct buf data;
	size_t sealed = 0;
	enum status status = STATUS_OK;
	*is_stale = false;
	buf_init(&data, CALLDATA_MAX);
	for (; sealed < count; sealed++) {
		status = seal_draft(request, &drafts[sealed], &additions[sealed], err);
		if (status != STATUS_OK) goto out;
		out[sealed] = (struct record_added){.record = drafts[sealed].place.record,
		    .resource_count = additions[sealed].count,
		    .container_bytes = drafts[sealed].sealed.container.len};
	}
	put_additions(&data, drafts, count);
	status = buf_status(&data, err);
	if (status == STATUS_OK) status = register_drafts(request, out, is_stale, drafts, count, buf_view(&data), err);
out:
	while (sealed > 0) sealed_record_fini(&drafts[--sealed].sealed);
	buf_fini(&data);
	return status;
}

enum status record_add_many(struct actor_request *request, struct record_added *out,
    const struct record_addition *additions, size_t count, struct err *err) {
	bool is_stale;
	if (count == 0 || count > RECORD_ADDITIONS_MAX)
		return err_set(
		    err, STATUS_LIMIT, "%zu records: 1 to %u are registered together", count, RECORD_ADDITIONS_MAX);
	enum status status = add_once(request, out, &is_stale, additions, count, err);
	/* A folder was rotated since its key was read: once more, all of them, to the new key. */
	if (status == STATUS_DENIED && is_stale) status = add_once(request, out, &is_stale, additions, count, err);
	return status;
}

enum status record_add(struct actor_request *request, struct record_added *out, const hash32 *folder,
    const struct record_resource *resources, size_t count, struct err *err) {
	struct record_addition addition = {.folder = *folder, .resources = resources, .count = count};
	return record_add_many(request, out, &addition, 1, err);
}
