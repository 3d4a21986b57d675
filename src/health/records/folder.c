/* Forgetting. What the chain shows is in folder_proof.c, the other actions in folder_open.c, folder_rotate.c and
 * folder_hand_over.c. */
#include "health/records/folder.h"

#include "health/contracts/folders.h"
#include "health/records/signer.h"

enum status folder_forget_action(
    struct actor_request *request, struct action *action, const hash32 *id, struct err *err) {
	const addr20 *folders = &request->home->deployment.folders;
	struct folder_signer signer;
	struct folder folder;
	struct folders_forget message = {.folder = *id};
	uint8_t signature[65];
	*action = (struct action){.to = *folders};
	TRY(folder_find(request, &folder, id, err));
	TRY(folder_signer_find(request, &signer, &folder, 0, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten already");
	TRY(action_deadline(request, &message.deadline, err));
	TRY(folder_signer_take_number(request, &message.number, &signer, err));
	const struct eip712_domain domain = deployment_domain(&request->home->deployment, folders);
	hash32 digest = folders_forget_typed_digest(&message, &domain);
	TRY(folder_sign(request, signature, &signer, &digest, err));
	action->data = folders_forget_call(request->arena, &message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}
