/* Inside health/records: a new epoch's key, its wraps, and its trustees' shares. Threads: one owner a request. */
#ifndef HEALTH_RECORDS_EPOCH_H
#define HEALTH_RECORDS_EPOCH_H

#include "crypto/threshold/vss.h"
#include "health/actors/action.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"

#define EPOCH_RECIPIENTS_MAX 64u /* of its wraps, as Folders has it */
#define EPOCH_LINKS_MAX 64u      /* readers look at no more */

struct epoch_recipient {
	addr20 address;
	struct p256_public key;
};
/* An older epoch's key, sealed to the new one. */
struct epoch_link {
	uint32_t epoch;
	struct p256_secret secret;
};
struct epoch_links {
	struct epoch_link all[EPOCH_LINKS_MAX];
	size_t count;
	const uint32_t *lost; /* in the arena, falling: epochs that none of the links leads to */
	size_t lost_count;
};
/*
 * The links of a folder's next epoch. The first is to the newest epoch whose key this home has, checked against the
 * epoch's statement. There are more only if a delegate left a key or a link out, or a false one in: each leads to what
 * those before it do not lead to. `handed`, which may be empty, is the key in a hand-over's file. STATUS_DENIED: this
 * home has no key of the folder. The caller wipes `*out`, on failure too.
 */
MUST_USE enum status epoch_links_find(struct actor_request *request, struct epoch_links *out,
    const struct folder *folder, struct bytes handed, struct err *err);

struct epoch_draft {
	const hash32 *folder;
	uint32_t epoch;
	struct p256_public controller_key; /* the controller's own; in a delegate's epoch the folder's audit key */
	const struct epoch_recipient *recipients; /* trustees first: each gets its share; others get the key */
	size_t recipient_count, trustee_count;
	uint8_t threshold;                  /* of the trustees; 0 if there are none */
	const struct epoch_links *links;    /* NULL: none */
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
