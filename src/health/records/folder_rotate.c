/* Rotating a folder: IFolders.rotate. Trustees first, then those whose grants over the whole folder still hold. */
#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/records/private.h"

#define RIGHT_READ 1u

struct recipients {
	struct epoch_recipient all[RECIPIENTS_MAX];
	size_t count;
};

static bool is_in(const struct recipients *recipients, const addr20 *who) {
	for (size_t i = 0; i < recipients->count; i++)
		if (addr20_equal(&recipients->all[i].address, who)) return true;
	return false;
}

/* Who is not active gets no key. */
static enum status add(
    struct actor_request *request, struct recipients *recipients, const addr20 *who, struct err *err) {
	struct listed_actor actor;
	TRY(directory_find(request, &actor, who, err));
	if (actor.status != 1) return STATUS_OK;
	TRY(directory_refuse_changed_key(&actor, err));
	if (recipients->count == RECIPIENTS_MAX)
		return err_set(
		    err, STATUS_LIMIT, "more than %u would get the new key: revoke some grants first", RECIPIENTS_MAX);
	recipients->all[recipients->count++] = (struct epoch_recipient){*who, actor.key};
	return STATUS_OK;
}

static enum status add_trustees(
    struct actor_request *request, struct recipients *recipients, const hash32 *id, struct err *err) {
	struct abi_reader answer;
	struct buf data;
	size_t count;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "trusteesOf(bytes32)");
	abi_put_hash32(&data, id);
	TRY(view_call(request, &answer, &request->home->deployment.folders, &data, err));
	struct abi_reader trustees = abi_array(&answer, &count);
	for (size_t i = 0; i < count; i++) {
		addr20 trustee = abi_address(&trustees);
		TRY(abi_finish(&answer, err));
		TRY(add(request, recipients, &trustee, err));
	}
	return abi_finish(&answer, err);
}

/* A grant that is still to begin counts too: its reader would otherwise stand before the wrong key. */
static enum status grant_reads(struct actor_request *request, bool *reads, const hash32 *id, const addr20 *grantee,
    uint64_t now, struct err *err) {
	static const hash32 whole_folder;
	struct abi_reader answer;
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "grantOf(bytes32,bytes32,address)");
	abi_put_hash32(&data, id);
	abi_put_hash32(&data, &whole_folder);
	abi_put_address(&data, grantee);
	TRY(view_call(request, &answer, &request->home->deployment.consent, &data, err));
	uint64_t rights = abi_u64(&answer);
	(void)abi_u64(&answer); /* purposes */
	(void)abi_u64(&answer); /* from */
	uint64_t until = abi_u64(&answer);
	bool is_revoked = abi_bool(&answer);
	(void)abi_u64(&answer); /* epoch */
	*reads = (rights & RIGHT_READ) && !is_revoked && until > now;
	return abi_finish(&answer, err);
}

static enum status add_grantees(struct actor_request *request, struct recipients *recipients, const hash32 *id,
    const addr20 *leaving, struct err *err) {
	static const hash32 whole_folder;
	const hash32 *topics[3] = {id, &whole_folder, NULL};
	struct client_log *logs;
	size_t count;
	uint64_t now;
	TRY(now_seconds(request, &now, err));
	TRY(event_logs(request, &logs, &count, &request->home->deployment.consent, GRANTED_EVENT, topics, err));
	for (size_t i = 0; i < count; i++) {
		bool reads;
		TRY(log_is(&logs[i], 4, err));
		addr20 grantee = abi_address_of_topic(&logs[i].log.topics[3]);
		if ((leaving && addr20_equal(&grantee, leaving)) || is_in(recipients, &grantee)) continue;
		TRY(grant_reads(request, &reads, id, &grantee, now, err));
		if (reads) TRY(add(request, recipients, &grantee, err));
	}
	return STATUS_OK;
}

struct rotation_fields {
	const struct own_folder *own;
	const struct new_epoch *epoch;
	uint32_t expected_epoch;
	uint64_t nonce, deadline;
};

static enum status sign_rotation(
    struct actor_request *request, uint8_t signature[65], const struct rotation_fields *f, struct err *err) {
	hash32 recipients = epoch_recipients_hash(f->epoch);
	struct eip712_struct fields =
	    eip712_begin("Rotate(bytes32 folder,uint32 expectedEpoch,bytes32 keyX,bytes32 keyY,bytes32 wraps,"
			 "uint32 wrapsSize,address[] recipients,uint64 nonce,uint64 deadline)");
	eip712_put_hash32(&fields, &f->own->id);
	eip712_put_u64(&fields, f->expected_epoch);
	epoch_put_signed(&fields, f->epoch);
	eip712_put_hash32(&fields, &recipients);
	eip712_put_u64(&fields, f->nonce);
	eip712_put_u64(&fields, f->deadline);
	return folder_sign_struct(
	    request, signature, f->own, "xinglin folders", &request->home->deployment.folders, &fields, err);
}

static void put_rotation(struct buf *data, const struct rotation_fields *f, const uint8_t signature[65]) {
	abi_put_selector(data, "rotate(bytes32,uint32,bytes32,bytes32,bytes32,uint32,address[],uint64,bytes)");
	struct abi_row row = abi_row_begin(data);
	abi_put_hash32(data, &f->own->id);
	abi_put_u64(data, f->expected_epoch);
	epoch_put(data, f->epoch);
	size_t recipients = abi_reserve(data);
	abi_put_u64(data, f->deadline);
	size_t tail = abi_reserve(data);
	abi_tail(&row, recipients);
	epoch_put_recipients(data, f->epoch);
	abi_tail(&row, tail);
	abi_put_bytes(data, bytes_make(signature, 65));
}

/* Wraps for the recipients, and the link back to the key before. */
static enum status make_epoch(struct actor_request *request, struct action *action, struct new_epoch *epoch,
    const struct folder *folder, struct err *err) {
	struct p256_secret previous;
	TRY(folder_secret(request, &previous, &folder->id, folder->epoch, err));
	epoch->previous = &previous;
	enum status status = epoch_make(request, action, epoch, err);
	epoch->previous = NULL;
	mem_wipe(&previous, sizeof previous);
	return status;
}

enum status folder_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    const struct folder_rotation *rotation, struct err *err) {
	struct own_folder own;
	struct folder folder;
	struct recipients recipients = {.count = 0};
	uint8_t signature[65];
	struct buf data;
	*action = (struct action){.to = request->home->deployment.folders, .summary = "give a folder a new key"};
	TRY(own_folder_load(request, &own, id, err));
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten");
	TRY(add_trustees(request, &recipients, id, err));
	TRY(add_grantees(request, &recipients, id, rotation ? rotation->leaving : NULL, err));
	struct new_epoch epoch = {.folder = id,
	    .epoch = folder.epoch + 1,
	    .controller_index = own.controller_index,
	    .recipients = recipients.all,
	    .recipient_count = recipients.count};
	TRY(make_epoch(request, action, &epoch, &folder, err));
	struct rotation_fields fields = {.own = &own,
	    .epoch = &epoch,
	    .expected_epoch = folder.epoch,
	    .nonce = folder.nonce + (rotation ? rotation->actions_before : 0)};
	TRY(now_seconds(request, &fields.deadline, err));
	fields.deadline += ACTION_LIFE_SECONDS;
	TRY(sign_rotation(request, signature, &fields, err));
	buf_init(&data, CALLDATA_MAX);
	put_rotation(&data, &fields, signature);
	return action_take_data(request, action, &data, err);
}
