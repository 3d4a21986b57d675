#include "health/records/record_right.h"

static enum status has_grant(struct actor_request *request, bool *has, const hash32 *folder, struct err *err) {
	struct consent_grant_state grant;
	TRY(folder_grant_find(request, &grant, folder, NULL, &request->home->account, err));
	const uint64_t now_s = verified_now_s(&request->verified);
	*has = (grant.rights & STATEMENT_RIGHT_WRITE) && !grant.revoked && now_s >= grant.from && now_s < grant.until;
	return STATUS_OK;
}

enum status record_right_prove(struct actor_request *request, bool *is_proved, const hash32 *folder,
    const struct folder_target *target, struct err *err) {
	struct directory_own own;
	*is_proved = !target->closed && addr20_equal(&target->controller, &request->home->account);
	if (*is_proved || target->closed) return STATUS_OK;
	TRY(directory_own(request, &own, err));
	return own.is_active ? has_grant(request, is_proved, folder, err) : STATUS_OK;
}
