/*
 * What erasing a record or forgetting a folder leaves to be named for deletion
 * (contracts/src/interfaces/IFolders.sol, forget): wraps, reasons, releases, containers. Which items there are, the
 * folder's proved lists and signed statements say, and of each one its own proved slot whether it is erased: so it goes
 * on where it was interrupted, and ends when nothing is left. What trustees have released is on no list, so everything
 * that a trustee of any epoch can have released in any of the folder's emergencies is looked for.
 *
 * Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_ERASING_H
#define HEALTH_CONSENT_ERASING_H

#include "health/consent/confirmed.h"
#include "health/records/record.h"

/* As this home's account, by anyone listed: names everything of a forgotten folder that is not erased yet, in as many
 * transactions as that takes. `*named`: how many items. STATUS_DENIED: the folder is not forgotten. */
MUST_USE enum status consent_erase_forgotten(
    struct actor_request *request, size_t *named, const hash32 *folder, struct err *err);
/* The same of an erased record's wraps. */
MUST_USE enum status consent_erase_record(
    struct actor_request *request, size_t *named, const hash32 *record, struct err *err);

/* How far the erasing of a record is. */
struct consent_erasure {
	size_t wraps;               /* that hold its lead, and were not replaced before */
	size_t wraps_left;          /* of these, not erased on the chain */
	size_t served;              /* of them all, the node gives this home so many still */
	struct confirmed confirmed; /* of its container and all these wraps */
};
/* Of a record that is erased. */
MUST_USE enum status consent_erasure_find(struct actor_request *request, struct consent_erasure *out,
    const struct record_registration *record, struct err *err);

#endif
