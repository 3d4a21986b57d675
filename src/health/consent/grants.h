/*
 * Sharing, by a folder's controller or by a delegate who holds the right to share: grants and revocations as signed
 * actions (contracts/src/interfaces/IConsent.sol). Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_GRANTS_H
#define HEALTH_CONSENT_GRANTS_H

#include "health/actors/action.h"
#include "health/consent/rights.h"

struct grant_terms {
	hash32 folder;
	hash32 record; /* zero: the whole folder */
	addr20 grantee;
	uint8_t rights;
	uint16_t purposes;       /* bits */
	uint64_t from, until;    /* seconds; until is exclusive */
	bool accept_changed_key; /* the grantee's key differs from the one that this home has seen before: go on */
};
/* With a wrap for the grantee where rights hold RIGHT_READ: the folder's key, or the one record's lead. */
MUST_USE enum status grant_action(
    struct actor_request *request, struct action *action, const struct grant_terms *sharing, struct err *err);
/* STATUS_NOTFOUND if no grant holds and nothing that was signed is on its way. Rotate behind it: folder_rotation in
 * records/folder.h. */
MUST_USE enum status grant_revoke_action(struct actor_request *request, struct action *action, const hash32 *folder,
    const hash32 *record, const addr20 *grantee, struct err *err);

/*
 * A folder that this home controls by a child account, and may read and write as its own account for ten years, for
 * treatment: as if a patient without a wallet had granted that. Two transactions of the home's own; waits for both.
 */
MUST_USE enum status grant_folder_to_self(
    struct actor_request *request, hash32 *folder, const char *label, struct err *err);

#endif
