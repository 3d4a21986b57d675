/* Rotating a folder: IFolders.rotate. Trustees first, then readers. */
#include "health/contracts/folders.h"
#include "health/records/epoch.h"
#include "health/records/folder.h"

struct recipients {
	struct epoch_recipient all[EPOCH_RECIPIENTS_MAX];
	size_t count;
};

static bool is_in(const struct recipients *recipients, const addr20 *who) {
	for (size_t i = 0; i < recipients->count; i++)
		if (addr20_equal(&recipients->all[i].address, who)) return true;
	return false;
}

/* An actor that is not active gets no key. */
static enum status add(
    struct actor_request *request, struct recipients *recipients, const addr20 *who, struct err *err) {
	struct directory_listed actor;
	TRY(directory_find(request, &actor, who, err));
	if (actor.status != 1) return STATUS_OK;
	TRY(directory_refuse_changed_key(&actor, err));
	if (recipients->count == EPOCH_RECIPIENTS_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u would get the new key: revoke some grants first",
		    EPOCH_RECIPIENTS_MAX);
	recipients->all[recipients->count++] = (struct epoch_recipient){*who, actor.key};
	return STATUS_OK;
}

/* Signs the rotation, and makes the call of it. */
static enum status sign_rotation(struct actor_request *request, struct action *action, const struct own_folder *own,
    const struct folders_rotate *message, struct err *err) {
	uint8_t signature[65];
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->folders);
	hash32 digest = folders_rotate_typed_digest(message, &domain);
	TRY(folder_sign(request, signature, own, &digest, err));
	action->data = folders_rotate_call(request->arena, message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

/* Wraps for the recipients, and the link back to the key before. */
static enum status make_epoch(struct actor_request *request, struct action *action, struct epoch_draft *epoch,
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
	size_t trustee_count;
	*action = (struct action){.to = request->home->deployment.folders};
	TRY(own_folder_load(request, &own, id, err));
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten");
	const struct folders_glass *glass = &folder.newest.glass;
	for (size_t i = 0; i < glass->trustees_count; i++) TRY(add(request, &recipients, &glass->trustees[i], err));
	trustee_count = recipients.count;
	for (size_t i = 0; i < rotation->reader_count; i++)
		if (!is_in(&recipients, &rotation->readers[i]))
			TRY(add(request, &recipients, &rotation->readers[i], err));
	struct epoch_draft epoch = {.folder = id,
	    .epoch = folder.epoch + 1,
	    .controller_index = own.controller_index,
	    .recipients = recipients.all,
	    .recipient_count = recipients.count};
	TRY(make_epoch(request, action, &epoch, &folder, err));
	const addr20 *all = epoch_addresses(request->arena, &epoch);
	struct folders_rotate message = {.folder = *id,
	    .epoch = epoch.epoch,
	    .previous = folder.newest.fact,
	    .key_x = p256_public_x(&epoch.key),
	    .key_y = p256_public_y(&epoch.key),
	    .wraps = epoch.wraps,
	    .wraps_size = (uint32_t)epoch.wraps_bytes,
	    .glass = {.minutes = folder.glass_minutes,
		.threshold = trustee_count ? 1 : 0,
		.trustees = all,
		.trustees_count = trustee_count},
	    .recipients = all + trustee_count,
	    .recipients_count = epoch.recipient_count - trustee_count,
	    .by = folder.controller};
	TRY(action_deadline(request, &message.deadline, err));
	TRY(own_folder_take_number(request, &message.number, id, folder.number, err));
	return sign_rotation(request, action, &own, &message, err);
}
