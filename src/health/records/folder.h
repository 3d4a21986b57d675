/*
 * Folders: opening one, its keys by epoch, rotating, forgetting (contracts/src/interfaces/IFolders.sol). The
 * controller's side makes signed actions (health/actors/action.h); anybody's side finds the keys that it was given
 * through wraps.
 *
 * Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_FOLDER_H
#define HEALTH_RECORDS_FOLDER_H

#include "crypto/threshold/vss.h"
#include "health/actors/action.h"
#include "health/actors/directory.h"
#include "health/contracts/consent.h"
#include "health/records/own_folder.h"
#include "health/statements/folder_statements.h"

struct folder {
	hash32 id;
	addr20 controller;
	uint32_t epoch;
	bool closed, rotation_owed;
	uint8_t shares_refused; /* bit i: trustee i says that its share of the newest epoch is false */
	uint16_t glass_minutes;
	uint64_t epoch_at, hand_over_at; /* numbers of blocks; 0: it was not handed over */
	uint64_t number; /* the last one that the controller used: the next statement takes a higher one */
	struct p256_public key;
	struct statement_folder said;         /* its controllers: what its grants are checked against */
	struct statement_epoch first, newest; /* the statements of these epochs */
};
/*
 * From proofs and signed statements (health/statements), at a fresh head: for whoever seals to the folder's key or
 * signs for it. STATUS_NOTFOUND; STATUS_DENIED with CAUSE_NOT_PROVED names what was not believed. Statements that were
 * verified once are kept in the home, so that later only words are proved.
 */
MUST_USE enum status folder_find(struct actor_request *request, struct folder *out, const hash32 *id, struct err *err);
/* The same at a head of at most this age, in seconds: to show it, or to open what was sealed. */
MUST_USE enum status folder_look(
    struct actor_request *request, struct folder *out, const hash32 *id, uint32_t max_age_s, struct err *err);
/* What a record is sealed to, as folder_find finds it; statements are not read again as long as the proved words are
 * the same. */
struct folder_target {
	addr20 controller;
	uint32_t epoch;
	bool closed;
	struct p256_public key;
};
MUST_USE enum status folder_target_find(
    struct actor_request *request, struct folder_target *out, const hash32 *id, struct err *err);
/* Was it forgotten? Proved; false if there is none of this id. */
MUST_USE enum status folder_is_closed(struct actor_request *request, bool *out, const hash32 *id, struct err *err);
/* The statement of any of its epochs. STATUS_NOTFOUND. */
MUST_USE enum status folder_epoch_find(struct actor_request *request, const struct folder *folder,
    struct statement_epoch *out, uint32_t epoch, struct err *err);

/* The time, in seconds, of the block that handed it over to its controller, by the controller's proved list; 0: it has
 * its first controller. */
MUST_USE enum status folder_handed_over_at(
    struct actor_request *request, const struct folder *folder, uint64_t *at_s, struct err *err);

/* What its first controller stated when it opened it. */
MUST_USE enum status folder_opening_find(
    struct actor_request *request, const struct folder *folder, struct folders_open *out, struct err *err);

/* Finds the folders that the wallet's words control, and describes them in the home as if it had opened them. What it
 * has already stays. `*found`: how many are new. */
MUST_USE enum status folder_recover(struct actor_request *request, size_t *found, struct err *err);

#define FOLDER_TRUSTEES_MAX 8u /* as Folders has it */

/* Each fills an action whose views live in the request's arena. The nonce and epoch are read from the chain. */
struct folder_opening {
	const char *label;
	uint16_t glass_minutes; /* 0: no break-glass */
	const addr20 *trustees; /* listed actors */
	size_t trustee_count;
	uint8_t threshold; /* how many of them open it together; 1: each holds the key; 0: a majority */
};
/* A majority; 0 of none. */
uint8_t folder_threshold_default(size_t trustee_count);
/* STATUS_INVALID: there are fewer trustees. */
MUST_USE enum status folder_threshold_check(uint8_t threshold, size_t trustee_count, struct err *err);
MUST_USE enum status folder_open_action(struct actor_request *request, struct action *action, hash32 *id,
    const struct folder_opening *opening, struct err *err);
/* Whom a rotation gives nothing, although it had the key before it or was granted it. */
struct folder_left_out {
	addr20 account;
	bool is_trustee;
	const char *why;
};
/*
 * A new epoch for the trustees and for readers. Grants decide who may read: consent_rotate_action
 * (health/consent/consent.h) finds them. What is set here by the controller counts from the new epoch on; a delegate
 * can set nothing. Of those who were trustees before, one who is no active trustee any more, or has a key that this
 * home has not confirmed, is left out; so is such a reader. If fewer trustees than the threshold would be left, all
 * are: nobody's say becomes more than it was.
 */
struct folder_rotation {
	const addr20 *readers;
	size_t reader_count;
	bool sets_trustees; /* to these, who must be active trustees; else they stay as they are */
	const addr20 *trustees;
	size_t trustee_count;
	uint8_t threshold; /* of the trustees; 0: as it was, or a majority of those that are set */
	bool sets_minutes; /* of an emergency; else they stay as they are */
	uint16_t glass_minutes;
	bool without_link;       /* no key before can be had: the new one leads back to none */
	struct bytes handed_key; /* of the file of a hand-over: a key before, if this home has it in no other way */
	/* What became of it, in the request's arena. */
	struct folder_left_out *left_out;
	size_t left_out_count;
	const addr20 *kept; /* the trustees, then the readers */
	size_t kept_trustee_count, kept_reader_count;
	uint8_t kept_threshold; /* 1: each trustee holds the key */
	const uint32_t *lost;   /* epochs before, falling: the new key leads to none of their keys */
	size_t lost_count;
};
MUST_USE enum status folder_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    struct folder_rotation *rotation, struct err *err);
/* Adds to `left_out`. */
void folder_leave_out(struct arena *arena, struct folder_rotation *rotation, const struct folder_left_out *left_out);

/*
 * Handing a folder over: the new controller makes an asking with its own signature, the present one adds its own and
 * the folder's key, sealed to the audit key that the asking names; any listed actor relays that. Then the new
 * controller rotates the folder, with the key out of the file.
 *
 * Of the new controller's home, which describes the folder as its own from then on, under this label.
 */
MUST_USE enum status folder_take_over_action(
    struct actor_request *request, struct action *action, const hash32 *id, const char *label, struct err *err);
/* What an asking asks for. STATUS_DENIED: it is none, or the new controller did not sign it. */
struct folder_asking {
	hash32 folder;
	addr20 controller; /* the new one */
	uint64_t deadline_s;
};
MUST_USE enum status folder_asking_read(
    struct actor_request *request, struct folder_asking *out, const struct action *asking, struct err *err);
/* By the present controller. `action` has the key for the new one beside the call. */
MUST_USE enum status folder_hand_over_action(
    struct actor_request *request, struct action *action, const struct action *asking, struct err *err);

MUST_USE enum status folder_forget_action(
    struct actor_request *request, struct action *action, const hash32 *id, struct err *err);

/* The grant of a record, or of the whole folder (`record` NULL), to an account; without rights if there is none. Proved
 * at a fresh head; whether it has ended, the caller's clock says (verified_now_s). */
MUST_USE enum status folder_grant_find(struct actor_request *request, struct consent_grant_state *out,
    const hash32 *folder, const hash32 *record, const addr20 *grantee, struct err *err);
/* The statement of such a grant that is not revoked: who gave it, and by which right. Before anything is wrapped to its
 * grantee. */
MUST_USE enum status folder_grant_statement(struct actor_request *request, const struct folder *folder,
    struct statement_grant *out, const struct consent_grant_state *state, const hash32 *record, const addr20 *grantee,
    struct err *err);

/*
 * The sealing key of an epoch, by whichever way this home has: as controller (wrap, back through links), as recipient
 * of an epoch's wraps, by a grant's wrap. STATUS_DENIED with the reason if there is none (now).
 */
MUST_USE enum status folder_secret(
    struct actor_request *request, struct p256_secret *secret, const hash32 *id, uint32_t epoch, struct err *err);
/* `*secret`, of epoch `from`, becomes the one of `to` <= from, through the links that lead back. Zero on failure. */
MUST_USE enum status folder_secret_before(struct actor_request *request, struct p256_secret *secret, const hash32 *id,
    uint32_t from, uint32_t to, struct err *err);
/*
 * This home's share of the newest epoch, as it was dealt to it as a trustee, and checked against the commitments; the
 * caller's to wipe. *is_false: the wraps are the stated ones, and what they hold for this home is not its share.
 * STATUS_NOTFOUND: it is no trustee of the epoch. STATUS_DENIED: the node does not give the wraps.
 */
MUST_USE enum status folder_share_find(struct actor_request *request, struct vss_share *share, bool *is_false,
    const struct folder *folder, struct err *err);
/* Further ways to a key, for whom folder_secret has none. *found false: there is none either. */
struct folder_keys {
	MUST_USE enum status (*secret)(struct actor_request *request, struct p256_secret *secret, bool *found,
	    const hash32 *id, uint32_t epoch, struct err *err);
};

#endif
