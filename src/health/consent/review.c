/* Closing the review of an emergency: by the patient, or by a regulator. */
#include "health/consent/consent_private.h"

static enum status require_regulator(struct actor_request *request, struct err *err) {
	struct listed_actor self;
	enum status status = directory_find(request, &self, &request->home->account, err);
	if (status == STATUS_OK && self.status == 1 && self.roles & ROLE_REGULATOR) return STATUS_OK;
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	return err_set(err, STATUS_DENIED,
	    "a review is closed by the folder's controller or by a regulator; this home is neither");
}

static enum status sign(struct actor_request *request, uint8_t signature[65], const struct own_folder *own,
    uint64_t review, bool justified, uint64_t deadline, struct err *err) {
	struct folder folder;
	TRY(folder_find(request, &folder, &own->id, err));
	struct eip712_struct fields =
	    eip712_begin("CloseReview(uint64 review,bool justified,uint64 nonce,uint64 deadline)");
	eip712_put_u64(&fields, review);
	eip712_put_bool(&fields, justified);
	eip712_put_u64(&fields, folder.nonce);
	eip712_put_u64(&fields, deadline);
	return consent_sign(request, signature, own, &fields, err);
}

enum status glass_close_action(
    struct actor_request *request, struct action *action, uint64_t number, bool justified, struct err *err) {
	struct review review;
	struct own_folder own;
	uint64_t deadline;
	uint8_t signature[65];
	struct bytes view = {0};
	*action = (struct action){.to = request->home->deployment.consent};
	TRY(review_find(request, &review, number, err));
	if (!review.open)
		return err_set(err, STATUS_DENIED, "review %llu is closed already", (unsigned long long)number);
	TRY(consent_deadline(request, &deadline, err));
	enum status status = own_folder_load(request, &own, &review.folder, err);
	if (status == STATUS_OK) {
		TRY(sign(request, signature, &own, number, justified, deadline, err));
		view = bytes_make(signature, sizeof signature);
	} else {
		TRY(require_regulator(request, err));
	}
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "closeReview(uint64,bool,uint64,bytes)");
	struct abi_row row = abi_row_begin(&data);
	abi_put_u64(&data, number);
	abi_put_bool(&data, justified);
	abi_put_u64(&data, deadline);
	size_t head = abi_reserve(&data);
	abi_tail(&row, head);
	abi_put_bytes(&data, view);
	status = buf_status(&data, err);
	action->data = arena_dup(request->arena, buf_view(&data));
	action->summary = arena_printf(request->arena, "close review %llu", (unsigned long long)number);
	buf_fini(&data);
	return status;
}
