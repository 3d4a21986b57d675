/* Folders as the chain shows them, and the controller's signature. The actions are in folder_open.c and
 * folder_rotate.c. */
#include "health/records/folder.h"

#include "eth/sign.h"
#include "health/contracts/folders.h"

enum status folder_key_find(struct actor_request *request, struct p256_public *out, const hash32 *folder,
    uint32_t epoch, uint64_t from_block, struct err *err) {
	struct client_log *logs;
	size_t count;
	struct folders_epoch_started_event event;
	struct contract_topics topics = folders_epoch_started_event_topics(folder, &epoch);
	TRY(request_logs(request, &logs, &count, &request->home->deployment.folders, from_block, &topics, err));
	if (count == 0) return err_set(err, STATUS_NOTFOUND, "the node does not show epoch %u of the folder", epoch);
	TRY(folders_epoch_started_event_read(&event, request->arena, &logs[0].log, err));
	*out = p256_public_of_words(&event.key_x, &event.key_y);
	return STATUS_OK;
}

enum status folder_find(struct actor_request *request, struct folder *out, const hash32 *id, struct err *err) {
	struct bytes output;
	struct folders_head found;
	const addr20 *folders = &request->home->deployment.folders;
	TRY(request_call(request, &output, folders, folders_folder_of_call(request->arena, id), err));
	TRY(folders_folder_of_read(&found, output, err));
	if (addr20_is_zero(&found.controller))
		return err_set(err, STATUS_NOTFOUND, "no folder of this id is open on the chain");
	*out = (struct folder){.id = *id,
	    .controller = found.controller,
	    .epoch = found.epoch,
	    .closed = found.closed,
	    .rotation_owed = found.rotation_owed,
	    .glass_minutes = found.glass_minutes,
	    .number = found.number};
	return folder_key_find(request, &out->key, id, found.epoch, found.epoch_at, err);
}

enum status folder_grant_find(struct actor_request *request, struct consent_grant_state *out, const hash32 *folder,
    const hash32 *record, const addr20 *grantee, struct err *err) {
	static const hash32 whole_folder;
	struct bytes output;
	struct bytes call = consent_grant_of_call(request->arena, folder, record ? record : &whole_folder, grantee);
	TRY(request_call(request, &output, &request->home->deployment.consent, call, err));
	return consent_grant_of_read(out, output, err);
}

enum status folder_sign(struct actor_request *request, uint8_t signature[65], const struct own_folder *folder,
    const hash32 *digest, struct err *err) {
	struct eth_signature signed_digest;
	hash32 secret;
	addr20 controller;
	TRY(home_controller(request->home, &secret, &controller, folder->controller_index, err));
	enum status status = eth_sign_digest(&signed_digest, &secret, digest);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK) return err_set(err, status, "the folder's controller key does not sign");
	memcpy(signature, signed_digest.b, sizeof signed_digest.b);
	return STATUS_OK;
}

enum status folder_forget_action(
    struct actor_request *request, struct action *action, const hash32 *id, struct err *err) {
	const addr20 *folders = &request->home->deployment.folders;
	struct own_folder own;
	struct folder folder;
	struct folders_forget message = {.folder = *id};
	uint8_t signature[65];
	*action = (struct action){.to = *folders};
	TRY(own_folder_load(request, &own, id, err));
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten already");
	TRY(action_deadline(request, &message.deadline, err));
	TRY(own_folder_take_number(request, &message.number, id, folder.number, err));
	const struct eip712_domain domain = deployment_domain(&request->home->deployment, folders);
	hash32 digest = folders_forget_typed_digest(&message, &domain);
	TRY(folder_sign(request, signature, &own, &digest, err));
	action->data = folders_forget_call(request->arena, &message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}
