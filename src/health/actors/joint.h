/*
 * A statement that several must sign: a change of the registrars, an actor's standing, an actor's new key in place of
 * one that is lost, who holds the key of products' tags. One makes a file, each signs it and hands it on, anybody sends
 * it. A file is JSON:
 *
 *	{"type":"xinglin-joint","v":1,"chainId":N,"directory":"0x…","kind":"registrars"|"standing"|"key"|"tag-holders",
 *	 "statement":{…},"possession":"0x…" (of a key),"signatures":["0x…",…]}
 *
 * with the members of the EIP-712 type (docs/wire-formats.md §9). Who signed follows from the signatures; the file is
 * believed in nothing: what is signed is what is shown, and it has to fit what the chain holds now.
 *
 * Ownership: lists in the request's arena. Threads: as the request.
 */
#ifndef HEALTH_ACTORS_JOINT_H
#define HEALTH_ACTORS_JOINT_H

#include "health/actors/possession.h"
#include "health/actors/request.h"
#include "health/contracts/directory.h"
#include "health/contracts/products.h"
#include "health/statements/registrars.h"

#define JOINT_SIGNATURES_MAX (2 * STATEMENT_REGISTRARS_MAX) /* the present set's and the newcomers' */
#define JOINT_AFFIRMED_MAX 1024u
#define JOINT_FILE_MAX ((size_t)256 << 10)
#define JOINT_LIFE_SECONDS (7u * 24 * 3600) /* signers have a week */

enum joint_kind { JOINT_REGISTRARS, JOINT_STANDING, JOINT_KEY, JOINT_TAG_HOLDERS, JOINT_KINDS };

#define JOINT_HOLDERS_MAX 16u

struct joint_statement {
	enum joint_kind kind;
	struct directory_registrars registrars;
	struct directory_standing standing;
	struct directory_key_change key;
	struct products_tag_holders tag_holders;
	uint8_t possession[POSSESSION_BYTES]; /* of the new key */
	hash32 digest;                        /* what each signs */
	struct joint_signature {
		addr20 signer;
		struct eth_signature signature;
	} signatures[JOINT_SIGNATURES_MAX]; /* by signer, ascending, each once */
	size_t count;
	/* Compared with the present set: */
	size_t registrars_signed, registrars_needed, newcomers_signed, newcomers_needed;
	bool account_signed; /* of a key: its actor's account; else the chain waits 48 hours */
};
uint64_t joint_deadline(const struct joint_statement *joint); /* seconds */

/* Follows the present set. `said` names the new one: `registrars` (in any order), `threshold`, `theft` and, after a
 * theft, who is `affirmed`; the rest is filled in. STATUS_INVALID: the set makes no sense. The home signs if it may. */
MUST_USE enum status joint_of_registrars(struct actor_request *request, struct joint_statement *out,
    const struct directory_registrars *said, struct err *err);
/* `said` names the actor, its status (DIRECTORY_STATUS_NONE: as it is), its emergencies a day and a reason; the rest is
 * filled in. STATUS_DENIED: it is withdrawn, which is final. The home signs if it may. */
MUST_USE enum status joint_of_standing(struct actor_request *request, struct joint_statement *out,
    const struct directory_standing *said, bool keeps_emergencies, struct err *err);

/*
 * The next key of `actor`, which is this home's: by the home's own account, if that is the actor; or, if the actor's
 * account is lost, by registrars alone, and then the chain waits 48 hours. `before_is_stolen`: nobody uses the key
 * before from now on. STATUS_DENIED: the actor is not active.
 */
MUST_USE enum status joint_of_key(struct actor_request *request, struct joint_statement *out, const addr20 *actor,
    bool before_is_stolen, struct err *err);
/* `said` is whole. The home signs if it may. */
MUST_USE enum status joint_of_tag_holders(struct actor_request *request, struct joint_statement *out,
    const struct products_tag_holders *said, struct err *err);

/* The form alone. STATUS_INVALID says which member is wrong, or that it is for another chain or directory. */
MUST_USE enum status joint_parse(struct joint_statement *out, struct arena *arena, const struct deployment *deployment,
    struct bytes json, struct err *err);
MUST_USE enum status joint_write(
    struct buf *out, const struct joint_statement *joint, const struct deployment *deployment, struct err *err);

/* Does it still fit the chain, and is every signature of somebody who has to sign? Counts who signed. STATUS_DENIED
 * says what does not fit: another statement came first, its time is over, a stranger signed. */
MUST_USE enum status joint_check(struct actor_request *request, struct joint_statement *joint, struct err *err);
/* Checks it, then adds the home's signature. STATUS_DENIED also: the home is nobody who has to sign. */
MUST_USE enum status joint_sign(struct actor_request *request, struct joint_statement *joint, struct err *err);
/* Checks it, signs if the home may, and sends it. STATUS_DENIED also: too few have signed. */
MUST_USE enum status joint_send(
    struct actor_request *request, struct client_receipt *receipt, struct joint_statement *joint, struct err *err);

#endif
