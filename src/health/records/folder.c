/* The controller's signature, and forgetting. What the chain shows is in folder_proof.c, the other actions in
 * folder_open.c and folder_rotate.c. */
#include "health/records/folder.h"

#include "eth/sign.h"
#include "health/contracts/folders.h"

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
