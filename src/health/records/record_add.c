/* Adding a record: seal, ask the contract, put the blob, keep the author's copy, register. */
#include "crypto/hash.h"
#include "health/records/private.h"

static hash32 record_id(const struct session *session, const hash32 *folder, uint32_t epoch, uint64_t nonce) {
	const struct deployment *deployment = &session->home->deployment;
	struct buf encoded;
	buf_init(&encoded, 256);
	abi_put_u64(&encoded, deployment->chain_id);
	abi_put_address(&encoded, &deployment->records);
	abi_put_hash32(&encoded, folder);
	abi_put_u64(&encoded, epoch);
	abi_put_address(&encoded, &session->home->account);
	abi_put_u64(&encoded, nonce);
	BUG_ON(encoded.overflow);
	hash32 id = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return id;
}

static void put_addition(
    struct buf *data, const struct record_place *place, uint64_t nonce, const struct sealed_record *sealed) {
	static const hash32 no_facts;
	abi_put_selector(data, "add((bytes32,uint32,uint64,bytes32,bytes32,bytes32,uint64))");
	abi_put_hash32(data, &place->folder);
	abi_put_u64(data, place->epoch);
	abi_put_u64(data, nonce);
	abi_put_hash32(data, &sealed->root);
	abi_put_hash32(data, &sealed->blob);
	abi_put_hash32(data, &no_facts);
	abi_put_u64(data, sealed->container.len);
}

/* What the contract says, in words that tell what to do. `*is_stale`: the folder has a newer key by now. */
static enum status explain(bool *is_stale, const struct client_verdict *verdict, struct err *err) {
	*is_stale = false;
	if (verdict->ok) return STATUS_OK;
	*is_stale = strncmp(verdict->reason, "StaleEpoch(", 11) == 0;
	if (strcmp(verdict->reason, "NotAllowedToWrite()") == 0)
		return err_set(err, STATUS_DENIED,
		    "refused: NotAllowedToWrite(): this home's account may not write into the folder, or it is "
		    "forgotten. Its controller grants that with: xinglin share --rights write");
	if (strcmp(verdict->reason, "NotListed()") == 0)
		return err_set(err, STATUS_DENIED,
		    "refused: NotListed(): the directory does not list this home's account as active. See: xinglin "
		    "actor "
		    "request --help");
	return err_set(err, STATUS_DENIED, "refused: %s", verdict->reason);
}

/* Nothing is put where the contract would refuse, and nothing is registered where the blob was not taken. */
static enum status register_sealed(struct session *session, struct record_added *out, bool *is_stale,
    const struct sealed_record *sealed, struct bytes data, struct err *err) {
	const addr20 *records = &session->home->deployment.records, *account = &session->home->account;
	struct blob_asker asker = session_asker(session);
	struct client_verdict verdict;
	struct blob_verdict taken;
	struct bytes output;
	TRY(client_call(session->client, &output, &verdict, session->arena, account, records, data, err));
	TRY(explain(is_stale, &verdict, err));
	TRY(blobs_put(&asker, &out->blob, &taken, records, buf_view(&sealed->container), err));
	if (!taken.ok)
		return err_set(
		    err, STATUS_DENIED, "the node did not take the sealed record: %s (%s)", taken.detail, taken.code);
	TRY(legal_copy_store(session, &out->record, buf_view(&sealed->lead), err));
	TRY(client_transact(session->client, &out->receipt, &verdict, session->arena, &session->home->account_secret,
	    records, data, err));
	return explain(is_stale, &verdict, err);
}

static enum status add_once(struct session *session, struct record_added *out, bool *is_stale, const hash32 *folder_id,
    const struct record_resource *resources, size_t count, struct err *err) {
	struct folder folder;
	struct sealed_record sealed;
	struct buf data;
	uint64_t nonce;
	*is_stale = false;
	TRY(folder_find(session, &folder, folder_id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten: nothing can be added");
	random_fill(session->random, &nonce, sizeof nonce);
	struct record_place place = {*folder_id, folder.epoch, record_id(session, folder_id, folder.epoch, nonce)};
	TRY(record_seal(&sealed, &place, &folder.key, resources, count, session->random, err));
	*out = (struct record_added){
	    .record = place.record, .resource_count = count, .container_bytes = sealed.container.len};
	buf_init(&data, CALLDATA_MAX);
	put_addition(&data, &place, nonce, &sealed);
	enum status status = buf_status(&data, err);
	if (status == STATUS_OK) status = register_sealed(session, out, is_stale, &sealed, buf_view(&data), err);
	buf_fini(&data);
	sealed_record_fini(&sealed);
	return status;
}

enum status record_add(struct session *session, struct record_added *out, const hash32 *folder,
    const struct record_resource *resources, size_t count, struct err *err) {
	bool is_stale;
	enum status status = add_once(session, out, &is_stale, folder, resources, count, err);
	/* The folder was rotated since its key was read: once more, to the new key. */
	if (status == STATUS_DENIED && is_stale)
		status = add_once(session, out, &is_stale, folder, resources, count, err);
	return status;
}
