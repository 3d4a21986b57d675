/* Closing the review of an emergency: by the patient, or by a regulator. */
#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/glass.h"
#include "health/records/folder.h"

static enum status require_regulator(struct actor_request *request, struct err *err) {
	struct directory_listed self;
	enum status status = directory_find(request, &self, &request->home->account, err);
	if (status == STATUS_OK && self.status == 1 && self.roles & ROLE_REGULATOR) return STATUS_OK;
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	return err_set(err, STATUS_DENIED,
	    "a review is closed by the folder's controller or by a regulator; this home is neither");
}

static enum status sign(struct actor_request *request, struct bytes *signature, const struct own_folder *own,
    struct consent_close_review *message, struct err *err) {
	struct folder folder;
	uint8_t *made = arena_alloc(request->arena, 65);
	TRY(folder_find(request, &folder, &own->id, err));
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	message->by = folder.controller;
	TRY(own_folder_take_number(request, &message->number, &own->id, folder.number, err));
	hash32 digest = consent_close_review_typed_digest(message, &domain);
	*signature = bytes_make(made, 65);
	return folder_sign(request, made, own, &digest, err);
}

enum status glass_close_action(
    struct actor_request *request, struct action *action, uint64_t number, bool justified, struct err *err) {
	struct consent_review review;
	struct verified *verified;
	struct own_folder own;
	struct consent_close_review message = {.review = number, .justified = justified, .by = request->home->account};
	struct bytes signature = {0};
	*action = (struct action){.to = request->home->deployment.consent};
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(emergency_review(verified, &review, number, err));
	if (!review.open)
		return err_set(err, STATUS_DENIED, "review %llu is closed already", (unsigned long long)number);
	TRY(action_deadline(request, &message.deadline, err));
	enum status status = own_folder_load(request, &own, &review.folder, err);
	if (status == STATUS_OK)
		TRY(sign(request, &signature, &own, &message, err));
	else
		TRY(require_regulator(request, err));
	action->data = consent_close_review_call(request->arena, &message, signature);
	return STATUS_OK;
}
