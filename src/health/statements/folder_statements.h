/*
 * A folder as its statements tell it: who controls it, the key of an epoch and who keeps it in an emergency, and what
 * was granted and revoked.
 *
 * The id commits to the first controller; each hand-over names the next one and is signed by both. A controller's
 * statements carry a number that rises over all hand-overs, so it says which controller was to sign. Who is no
 * controller signs only by a right that a controller granted it over the whole folder.
 *
 * Ownership: statement.h. Threads: one owner. Times are seconds.
 */
#ifndef HEALTH_STATEMENTS_FOLDER_STATEMENTS_H
#define HEALTH_STATEMENTS_FOLDER_STATEMENTS_H

#include "crypto/p256.h"
#include "health/contracts/consent.h"
#include "health/contracts/folders.h"
#include "health/statements/statement.h"

/* Bits of `rights`, as IConsent has them. */
#define STATEMENT_RIGHT_READ 1u
#define STATEMENT_RIGHT_WRITE 2u
#define STATEMENT_RIGHT_SHARE 4u
#define STATEMENT_RIGHT_ROTATE 8u

struct statement_controller {
	addr20 address;
	uint64_t after; /* its statements' numbers are above this one, the hand-over's */
	hash32 fact;    /* of the hand-over; 0 of the first */
};

struct statement_folder {
	const struct deployment *anchor;
	struct arena *arena;
	hash32 id;
	struct p256_public audit_key;             /* the newest */
	struct statement_controller *controllers; /* by the number of hand-overs before */
	size_t controller_count, controller_cap;
};

/* A key of the folder. */
struct statement_epoch {
	uint32_t epoch; /* from 1 */
	hash32 fact, previous;
	struct p256_public key;
	hash32 wraps; /* the blob of the container of epoch wraps */
	uint32_t wraps_bytes;
	struct folders_glass glass; /* trustees, threshold, Feldman's commitments: sound, points of P-256 */
	const addr20 *recipients;   /* who keeps reading, beside the trustees */
	size_t recipient_count;
	addr20 by;
	uint64_t number;
};

struct statement_grant {
	hash32 folder, record; /* record 0: the whole folder */
	addr20 grantee;
	uint32_t key_version;
	uint8_t rights;
	uint16_t purposes;
	uint64_t from, until;
	uint32_t epoch;
	hash32 wrap;
	uint32_t wrap_bytes;
	addr20 by;
	uint64_t number;
	hash32 fact;
};

struct statement_revocation {
	hash32 record;
	addr20 grantee, by;
	uint64_t number;
	hash32 fact;
};

/* The folder's id, of its first controller and salt. */
hash32 statement_folder_id(const struct deployment *anchor, const addr20 *controller, const hash32 *salt);

/* The folder and its first epoch, of calldata of Folders.open. */
MUST_USE enum status statement_folder_read(struct statement_folder *out, struct statement_epoch *first,
    struct arena *arena, const struct deployment *anchor, const hash32 *id, struct bytes calldata, struct err *err);
/* The next controller, of calldata of Folders.handOver. The newest fact is that of the last of `controllers`. */
MUST_USE enum status statement_folder_next_controller(
    struct statement_folder *folder, struct bytes calldata, struct err *err);
const struct statement_controller *statement_folder_controller(const struct statement_folder *folder);
/* The half of a hand-over that the new controller has signed: calldata of Folders.handOver whose old signature is
 * empty. What it says of the folder is not checked here. */
MUST_USE enum status statement_hand_over_asked(struct folders_hand_over_args *out, struct arena *arena,
    const struct deployment *anchor, struct bytes calldata, struct err *err);

/* What follows is of a controller, or of who holds `right`: a grant of this folder that was verified. NULL: a
 * controller must have signed. */

/* An epoch from 2 on, of calldata of Folders.rotate. */
MUST_USE enum status statement_epoch_read(const struct statement_folder *folder, struct statement_epoch *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err);
/* Of calldata of Consent.grant. */
MUST_USE enum status statement_grant_read(const struct statement_folder *folder, struct statement_grant *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err);
/* Of calldata of Consent.revoke. */
MUST_USE enum status statement_revocation_read(const struct statement_folder *folder, struct statement_revocation *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err);

#endif
