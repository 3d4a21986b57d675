/*
 * The directory of actors: asking to be listed, endorsing, listing, looking up
 * (contracts/src/interfaces/IDirectory.sol).
 *
 * A listing request is a JSON file that the actor signs, registrars add signatures to, and any registrar sends:
 *	{"type":"xinglin-listing","v":1,"chainId":N,"directory":"0x…","actor":"0x…","roles":N,"name":"…","keyX":"0x…","keyY":"0x…",
 *	 "deadline":N,"possession":"0x…","actorSignature":"0x…","registrarSignatures":[{"registrar":"0x…","signature":"0x…"},…]}
 *
 * Keys once seen are pinned in the home; a changed key is reported (`key_changed`), never silently used.
 */
#ifndef HEALTH_ACTORS_DIRECTORY_H
#define HEALTH_ACTORS_DIRECTORY_H

#include "health/actors/request.h"
#include "health/actors/roles.h"

struct directory_listed {
	addr20 address;
	uint32_t roles;
	uint8_t status; /* 1 active, 2 suspended, 3 withdrawn */
	uint32_t key_version;
	uint64_t listed_at, emergency_from; /* seconds */
	struct p256_public key;
	const char *name;
	bool key_changed; /* differs from the pinned one; so until directory_accept_key */
	/* Registrars alone gave the newest key, when the account was lost: in force from `key_from` on, 48 hours after
	 * it came, unless the account replaces it. Whoever confirms it has only their word. */
	bool key_by_registrars;
	uint64_t key_from;
};
/* From statements that registrars and the actor signed, held to what is proved at a fresh head (certified.h).
 * STATUS_NOTFOUND: it is not listed, which is proved. STATUS_DENIED: what the node shows is not believed. `key` is the
 * newest; a person confirms one that is not the pinned one. */
MUST_USE enum status directory_find(
    struct actor_request *request, struct directory_listed *out, const addr20 *address, struct err *err);
/* For programs that no person watches: `key` and `key_version` are of the key that the chain has had for 48 hours, or
 * of the entry. Looks at no pin. STATUS_DENIED also: that key is told stolen. */
MUST_USE enum status directory_find_unattended(
    struct actor_request *request, struct directory_listed *out, const addr20 *address, struct err *err);
/* The newest of this home's encryption keys, at a fresh head. What was read once is not read again as long as the
 * directory's words are the same. STATUS_DENIED: the directory shows another key than the home has. */
struct directory_own {
	struct p256_public key;
	uint32_t key_version;
	bool is_active;
};
MUST_USE enum status directory_own(struct actor_request *request, struct directory_own *out, struct err *err);
/* Is the newest key of this home's account, which `*listed` shows, one of this home's? If not, registrars alone gave
 * it, or somebody who has the account. Looks at no pin. STATUS_NOTFOUND: the account is not listed. */
MUST_USE enum status directory_own_key(
    struct actor_request *request, bool *is_own, struct directory_listed *listed, struct err *err);
/*
 * Everybody whose entry counts and who holds all bits of `roles` (0: any), whatever the status, oldest first: in the
 * request's arena. Nobody is left out (the directory's list is proved), nobody is invented. STATUS_DENIED: the node
 * does not show all of them. Looks at no pin: `key` is the newest, and is for nothing that is wrapped.
 */
MUST_USE enum status directory_find_all(
    struct actor_request *request, struct directory_listed **out, size_t *count, uint32_t roles, struct err *err);

/* As certified; "" if it is not listed, or if the node does not prove its entry: the address says who it is. Asked once
 * a request. */
MUST_USE enum status directory_name(
    struct actor_request *request, const char **name, const addr20 *address, struct err *err);

/* STATUS_DENIED, with what to do, where the key is not the pinned one: nothing is to be wrapped to it. */
MUST_USE enum status directory_refuse_changed_key(
    struct arena *arena, const struct directory_listed *actor, struct err *err);
/* Who made the newest key and since when, for a person who has to confirm it: "; registrars alone gave it on
 * 2026-11-30T08:00:00Z, …", or "" if the account signed it. In the arena. */
const char *directory_key_origin(struct arena *arena, const struct directory_listed *actor);

/* Pins the actor's present key instead of the one seen before. */
MUST_USE enum status directory_accept_key(
    struct actor_request *request, struct directory_listed *actor, struct err *err);

/* The applicant for a listing: this home's account, or a node by its key file's secret. */
struct directory_applicant {
	hash32 account_secret;
	struct p256_secret key_secret;
	struct p256_public key;
	addr20 account;
};
MUST_USE enum status directory_applicant_of_home(
    struct directory_applicant *out, const struct home *home, struct err *err);
/* A node's encryption key follows from its account's secret by RFC 9180 DeriveKeyPair. */
MUST_USE enum status directory_applicant_of_secret(
    struct directory_applicant *out, const hash32 *secret, struct err *err);
void directory_applicant_wipe(struct directory_applicant *applicant);

/* The signed request, as JSON. */
MUST_USE enum status directory_request(struct actor_request *request, struct buf *out,
    const struct directory_applicant *applicant, struct bytes name, uint32_t roles, struct err *err);
/* Adds this home's signature as a registrar. */
MUST_USE enum status directory_endorse(
    struct actor_request *request, struct buf *out, struct bytes listing, struct err *err);
/* Sends a request that has enough signatures (this home's is added if it is a registrar and it is missing). */
MUST_USE enum status directory_list(
    struct actor_request *request, struct client_receipt *receipt, struct bytes listing, struct err *err);
/* The home's next key, signed by its account and by its key in force. `before_is_stolen`: nobody uses the key before
 * from now on, and folders that are wrapped to it owe a rotation. */
MUST_USE enum status directory_publish_key(
    struct actor_request *request, struct client_receipt *receipt, bool before_is_stolen, struct err *err);

#endif
