/* Closing the review of an emergency: by the patient, or by a regulator. */
#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/glass.h"
#include "health/contracts/directory.h"
#include "health/records/signer.h"

static enum status require_regulator(struct actor_request *request, struct err *err) {
	struct directory_listed self;
	enum status status = directory_find(request, &self, &request->home->account, err);
	if (status == STATUS_OK && self.status == DIRECTORY_STATUS_ACTIVE && self.roles & ROLE_REGULATOR)
		return STATUS_OK;
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	return err_set(err, STATUS_DENIED,
	    "a review is closed by the folder's controller or by a regulator; this home is neither");
}

static enum status sign(struct actor_request *request, struct bytes *signature, const struct folder_signer *signer,
    struct consent_close_review *message, struct err *err) {
	uint8_t *made = arena_alloc(request->arena, 65);
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	message->by = signer->address;
	TRY(folder_signer_take_number(request, &message->number, signer, err));
	hash32 digest = consent_close_review_typed_digest(message, &domain);
	*signature = bytes_make(made, 65);
	return folder_sign(request, made, signer, &digest, err);
}

enum status glass_close_action(
    struct actor_request *request, struct action *action, uint64_t number, bool justified, struct err *err) {
	struct consent_review review;
	struct verified *verified;
	struct folder folder;
	struct folder_signer signer;
	struct consent_close_review message = {.review = number, .justified = justified, .by = request->home->account};
	struct bytes signature = {0};
	*action = (struct action){.to = request->home->deployment.consent};
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(emergency_review(verified, &review, number, err));
	if (!review.open)
		return err_set(err, STATUS_DENIED, "review %llu is closed already", (unsigned long long)number);
	TRY(action_deadline(request, &message.deadline, err));
	TRY(folder_find(request, &folder, &review.folder, err));
	if (folder_signer_find(request, &signer, &folder, 0, err) == STATUS_OK)
		TRY(sign(request, &signature, &signer, &message, err));
	else
		TRY(require_regulator(request, err));
	action->data = consent_close_review_call(request->arena, &message, signature);
	return STATUS_OK;
}
