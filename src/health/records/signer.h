/*
 * In whose name this home signs about a folder: as its controller, with a key of the wallet; or as a delegate, with the
 * home's account and a right over the whole folder that the account was granted.
 *
 * Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_SIGNER_H
#define HEALTH_RECORDS_SIGNER_H

#include "health/records/folder.h"

struct folder_signer {
	addr20 address;
	hash32 folder;
	bool is_delegate;
	uint32_t controller_index;    /* not a delegate's */
	struct statement_grant right; /* a delegate's own grant, verified */
	uint64_t number;              /* of its last statement on the chain */
	uint64_t signed_number;       /* of the last one that this home has signed */
};
/* `right` is the STATEMENT_RIGHT_… that a delegate needs; 0: only the controller may. STATUS_NOTFOUND with
 * CAUSE_NOT_CONTROLLER: this home is neither; the error names the right, or says to whom the folder was handed over. */
MUST_USE enum status folder_signer_find(struct actor_request *request, struct folder_signer *out,
    const struct folder *folder, uint8_t right, struct err *err);
/* The number of the next statement: above the last one on the chain and the last one signed, and written down before it
 * is used, so that none is signed twice. */
MUST_USE enum status folder_signer_take_number(
    struct actor_request *request, uint64_t *number, const struct folder_signer *signer, struct err *err);
/* An EIP-712 digest in the domain of the contract that will check it. */
MUST_USE enum status folder_sign(struct actor_request *request, uint8_t signature[65],
    const struct folder_signer *signer, const hash32 *digest, struct err *err);

/* Is this home the folder's controller? What it is called in `own` is right only then. */
MUST_USE enum status folder_is_own(
    struct actor_request *request, struct own_folder *own, bool *is_own, const struct folder *folder, struct err *err);

#endif
