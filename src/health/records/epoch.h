/* Inside health/records: a new epoch's key, its wraps, and its trustees' shares. Threads: one owner a request. */
#ifndef HEALTH_RECORDS_EPOCH_H
#define HEALTH_RECORDS_EPOCH_H

#include "crypto/threshold/vss.h"
#include "health/actors/action.h"
#include "health/contracts/folders.h"

#define EPOCH_RECIPIENTS_MAX 64u /* of its wraps, as Folders has it */

struct epoch_recipient {
	addr20 address;
	struct p256_public key;
};
struct epoch_draft {
	const hash32 *folder;
	uint32_t epoch;
	struct p256_public controller_key; /* the controller's own; in a delegate's epoch the folder's audit key */
	const struct epoch_recipient *recipients; /* trustees first: each gets its share; others get the key */
	size_t recipient_count, trustee_count;
	uint8_t threshold;                  /* of the trustees; 0 if there are none */
	const struct p256_secret *previous; /* NULL for the first epoch */
	struct vss_commitments commitments; /* out, if there are trustees */
	struct p256_public key;             /* out */
	hash32 wraps;                       /* out: the blob's name */
	size_t wraps_bytes;                 /* out */
};
/* The wraps' container goes into the action, for Folders' gate. */
MUST_USE enum status epoch_make(
    struct actor_request *request, struct action *action, struct epoch_draft *epoch, struct err *err);
/* The recipients' addresses, in the arena: what a call and a signed message take. */
const addr20 *epoch_addresses(struct arena *arena, const struct epoch_draft *epoch);
/* What the epoch's statement says of its trustees, in the arena. */
struct folders_glass epoch_glass(struct arena *arena, const struct epoch_draft *epoch, uint16_t minutes);

#endif
