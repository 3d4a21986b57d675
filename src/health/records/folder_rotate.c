/* Rotating a folder: IFolders.rotate. Trustees first, with their shares, then readers, with the key. */
#include "eth/abi.h"
#include "health/contracts/directory.h"
#include "health/contracts/folders.h"
#include "health/records/epoch.h"
#include "health/records/signer.h"

struct recipients {
	struct epoch_recipient all[EPOCH_RECIPIENTS_MAX];
	size_t count;
};

/* Behind the first `from`. A trustee that may read too gets both: a share is no key. */
static bool is_in(const struct recipients *recipients, size_t from, const addr20 *who) {
	for (size_t i = from; i < recipients->count; i++)
		if (addr20_equal(&recipients->all[i].address, who)) return true;
	return false;
}

void folder_leave_out(struct arena *arena, struct folder_rotation *rotation, const struct folder_left_out *left_out) {
	for (size_t i = 0; i < rotation->left_out_count; i++)
		if (addr20_equal(&rotation->left_out[i].account, &left_out->account) &&
		    rotation->left_out[i].is_trustee == left_out->is_trustee)
			return;
	struct folder_left_out *all = arena_zalloc(arena, rotation->left_out_count + 1, sizeof *all);
	if (rotation->left_out_count) memcpy(all, rotation->left_out, rotation->left_out_count * sizeof *all);
	all[rotation->left_out_count++] = *left_out;
	rotation->left_out = all;
}

/* NULL: it gets the new key. What follows is proved: a node cannot have somebody left out. */
static enum status fault_of(struct actor_request *request, const char **fault, struct directory_listed *actor,
    const addr20 *who, bool is_trustee, struct err *err) {
	enum status status = directory_find(request, actor, who, err);
	*fault = NULL;
	if (status == STATUS_NOTFOUND)
		*fault = "it is not listed in the directory";
	else if (status != STATUS_OK)
		return status;
	else if (actor->status != DIRECTORY_STATUS_ACTIVE)
		*fault = "it is suspended or withdrawn in the directory";
	else if (is_trustee && !(actor->roles & ROLE_TRUSTEE))
		*fault = "it is no trustee in the directory any more";
	else if (actor->key_changed)
		*fault = "it has another encryption key than this home has seen before; ask them whether they changed "
			 "it, then: actor show --accept-key";
	return STATUS_OK;
}

static enum status add(
    struct recipients *recipients, const addr20 *who, const struct directory_listed *actor, struct err *err) {
	if (recipients->count == EPOCH_RECIPIENTS_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u would get the new key: revoke some grants first",
		    EPOCH_RECIPIENTS_MAX);
	recipients->all[recipients->count++] = (struct epoch_recipient){*who, actor->key};
	return STATUS_OK;
}

/* Somebody who is named now must be one; somebody who was one before, and cannot get a share, is left out. */
static enum status add_trustee(struct actor_request *request, struct recipients *recipients,
    struct folder_rotation *rotation, const addr20 *who, struct err *err) {
	struct directory_listed actor;
	const char *fault;
	char text[43];
	address_checksum(text, who);
	TRY(fault_of(request, &fault, &actor, who, true, err));
	if (!fault && is_in(recipients, 0, who)) return err_set(err, STATUS_INVALID, "%s is named twice", text);
	if (!fault) return add(recipients, who, &actor, err);
	if (rotation->sets_trustees) return err_set(err, STATUS_DENIED, "%s cannot be a trustee: %s", text, fault);
	folder_leave_out(request->arena, rotation, &(struct folder_left_out){*who, true, fault});
	return STATUS_OK;
}

static enum status add_reader(struct actor_request *request, struct recipients *recipients,
    struct folder_rotation *rotation, const addr20 *who, struct err *err) {
	struct directory_listed actor;
	const char *fault;
	if (is_in(recipients, rotation->kept_trustee_count, who)) return STATUS_OK;
	TRY(fault_of(request, &fault, &actor, who, false, err));
	if (!fault) return add(recipients, who, &actor, err);
	folder_leave_out(request->arena, rotation, &(struct folder_left_out){*who, false, fault});
	return STATUS_OK;
}

/* If fewer are left than it takes, none of them is. */
static enum status keep_threshold(struct actor_request *request, struct recipients *recipients,
    struct folder_rotation *rotation, const struct folders_glass *before, size_t named, struct err *err) {
	uint8_t threshold = rotation->threshold;
	if (!threshold) threshold = rotation->sets_trustees ? folder_threshold_default(named) : before->threshold;
	TRY(folder_threshold_check(threshold, named, err));
	for (size_t i = 0; recipients->count < threshold && i < recipients->count; i++) {
		const char *why = arena_printf(request->arena,
		    "it takes %u trustees together, and fewer are left: nobody can open the folder in an emergency",
		    threshold);
		folder_leave_out(
		    request->arena, rotation, &(struct folder_left_out){recipients->all[i].address, true, why});
	}
	if (recipients->count < threshold) recipients->count = 0;
	rotation->kept_trustee_count = recipients->count;
	rotation->kept_threshold = recipients->count ? threshold : 0;
	return STATUS_OK;
}

static enum status add_all(struct actor_request *request, struct recipients *recipients,
    struct folder_rotation *rotation, const struct folders_glass *before, struct err *err) {
	const addr20 *trustees = rotation->sets_trustees ? rotation->trustees : before->trustees;
	const size_t count = rotation->sets_trustees ? rotation->trustee_count : before->trustees_count;
	if (count > FOLDER_TRUSTEES_MAX)
		return err_set(err, STATUS_LIMIT, "a folder has at most %u trustees", FOLDER_TRUSTEES_MAX);
	for (size_t i = 0; i < count; i++) TRY(add_trustee(request, recipients, rotation, &trustees[i], err));
	TRY(keep_threshold(request, recipients, rotation, before, count, err));
	if (rotation->sets_minutes && rotation->glass_minutes && !recipients->count)
		return err_set(err, STATUS_INVALID,
		    "breaking the glass needs at least one trustee, who releases a share of the key then: name one, or take 0 "
		    "minutes");
	for (size_t i = 0; i < rotation->reader_count; i++)
		TRY(add_reader(request, recipients, rotation, &rotation->readers[i], err));
	rotation->kept_reader_count = recipients->count - rotation->kept_trustee_count;
	return STATUS_OK;
}

/* A delegate takes nobody's part in emergencies and gives nobody one. */
static enum status check_delegate(const struct folder_signer *signer, const struct folder_rotation *rotation,
    const struct folders_glass *before, struct err *err) {
	if (!signer->is_delegate) return STATUS_OK;
	if (rotation->sets_trustees || rotation->sets_minutes || rotation->threshold || rotation->without_link)
		return err_set(
		    err, STATUS_DENIED, "only the folder's controller changes trustees and minutes, or cuts the link");
	if (rotation->kept_trustee_count == before->trustees_count) return STATUS_OK;
	char text[43];
	address_checksum(text, &rotation->left_out->account);
	return err_set(err, STATUS_DENIED, "only the folder's controller can leave out the trustee %s: %s", text,
	    rotation->left_out->why);
}

/* --- the key --- */

static enum status controller_key(
    struct actor_request *request, struct p256_public *key, const struct folder_signer *signer, struct err *err) {
	struct p256_secret secret;
	enum status status = home_controller_key(request->home, &secret, key, signer->controller_index, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

/* Wraps for the recipients, and the links back to keys before. */
static enum status make_epoch(struct actor_request *request, struct action *action, struct epoch_draft *epoch,
    const struct folder *folder, const struct folder_signer *signer, struct folder_rotation *rotation,
    struct err *err) {
	struct epoch_links links;
	epoch->controller_key = folder->said.audit_key;
	if (!signer->is_delegate) TRY(controller_key(request, &epoch->controller_key, signer, err));
	if (rotation->without_link) return epoch_make(request, action, epoch, err);
	enum status status = epoch_links_find(request, &links, folder, rotation->handed_key, err);
	epoch->links = &links;
	if (status == STATUS_OK) status = epoch_make(request, action, epoch, err);
	epoch->links = NULL;
	rotation->lost = links.lost;
	rotation->lost_count = links.lost_count;
	mem_wipe(&links, sizeof links);
	return status;
}

/* --- signing --- */

/* Signs the rotation, and makes the call of it. */
static enum status sign_rotation(struct actor_request *request, struct action *action,
    const struct folder_signer *signer, struct folders_rotate *message, struct err *err) {
	uint8_t signature[65];
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->folders);
	message->by = signer->address;
	TRY(action_deadline(request, &message->deadline, err));
	TRY(folder_signer_take_number(request, &message->number, signer, err));
	hash32 digest = folders_rotate_typed_digest(message, &domain);
	TRY(folder_sign(request, signature, signer, &digest, err));
	action->data = folders_rotate_call(request->arena, message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

enum status folder_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    struct folder_rotation *rotation, struct err *err) {
	struct folder folder;
	struct folder_signer signer;
	struct recipients recipients = {.count = 0};
	*action = (struct action){.to = request->home->deployment.folders};
	TRY(folder_find(request, &folder, id, err));
	TRY(folder_signer_find(request, &signer, &folder, STATEMENT_RIGHT_ROTATE, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten");
	TRY(add_all(request, &recipients, rotation, &folder.newest.glass, err));
	TRY(check_delegate(&signer, rotation, &folder.newest.glass, err));
	struct epoch_draft epoch = {.folder = id,
	    .epoch = folder.epoch + 1,
	    .recipients = recipients.all,
	    .recipient_count = recipients.count,
	    .trustee_count = rotation->kept_trustee_count,
	    .threshold = rotation->kept_threshold};
	TRY(make_epoch(request, action, &epoch, &folder, &signer, rotation, err));
	const addr20 *all = rotation->kept = epoch_addresses(request->arena, &epoch);
	struct folders_rotate message = {.folder = *id,
	    .epoch = epoch.epoch,
	    .previous = folder.newest.fact,
	    .key_x = p256_public_x(&epoch.key),
	    .key_y = p256_public_y(&epoch.key),
	    .wraps = epoch.wraps,
	    .wraps_size = (uint32_t)epoch.wraps_bytes,
	    .glass = epoch_glass(
		request->arena, &epoch, rotation->sets_minutes ? rotation->glass_minutes : folder.glass_minutes),
	    .recipients = all + rotation->kept_trustee_count,
	    .recipients_count = rotation->kept_reader_count};
	return sign_rotation(request, action, &signer, &message, err);
}
