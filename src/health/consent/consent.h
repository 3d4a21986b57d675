/*
 * Sharing, looking, breaking the glass, and the log of all of it (contracts/src/interfaces/IConsent.sol; purposes: HL7
 * v3-ActReason). What the contract decides is a verdict (`permitted`, `reason`), not a failure.
 *
 * Ownership: lists and texts live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_CONSENT_H
#define HEALTH_CONSENT_CONSENT_H

#include "health/records/record.h"

/* --- words (words.c) --- */

#define PURPOSES(X)                                                                                                    \
	X(TREAT, "treatment")                                                                                          \
	X(ETREAT, "emergency treatment")                                                                               \
	X(HPAYMT, "healthcare payment")                                                                                \
	X(HOPERAT, "healthcare operations")                                                                            \
	X(HRESCH, "healthcare research")                                                                               \
	X(PUBHLTH, "public health")                                                                                    \
	X(PATRQT, "patient requested")
#define PURPOSE_ENUM(code, text) PURPOSE_##code,
enum purpose { PURPOSES(PURPOSE_ENUM) PURPOSE_COUNT };
#undef PURPOSE_ENUM
/* "TREAT". STATUS_INVALID lists what there is. */
MUST_USE enum status purpose_parse(enum purpose *out, struct bytes code, struct err *err);
/* "TREAT,HPAYMT" → bits. */
MUST_USE enum status purposes_parse(uint16_t *out, struct bytes codes, struct err *err);
/* "TREAT", "treatment"; never NULL: "?" for a number that the contract does not have. */
const char *purpose_code(unsigned purpose);
const char *purpose_text(unsigned purpose);

enum right { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_SHARE = 4, RIGHT_ROTATE = 8 };
/* "read,write" → bits. */
MUST_USE enum status rights_parse(uint8_t *out, struct bytes words, struct err *err);

/* Why the contract permitted or refused: IConsent.Reason, same numbers. A sentence; and its stable name, "NO_GRANT". */
const char *access_reason_text(unsigned reason);
const char *access_reason_name(unsigned reason);

/* --- sharing, by a folder's controller (grants.c) --- */

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
/* STATUS_NOTFOUND if no grant holds. Rotate behind it: folder_rotation in records/folder.h. */
MUST_USE enum status grant_revoke_action(struct actor_request *request, struct action *action, const hash32 *folder,
    const hash32 *record, const addr20 *grantee, struct err *err);

/* --- a folder's readers (readers.c) --- */

/* A new epoch for the trustees and for those whose grants over the whole folder still hold; it follows a revocation. */
struct consent_rotation {
	/* Signed actions on this folder that will be in a block before this one. */
	uint64_t actions_before;
	/* Gets no wrap although its grant still holds on the chain: a revocation goes before. NULL: nobody. */
	const addr20 *leaving;
};
/* `rotation` NULL: nothing goes before. */
MUST_USE enum status consent_rotate_action(struct actor_request *request, struct action *action, const hash32 *id,
    const struct consent_rotation *rotation, struct err *err);
/* A folder's key that a trustee released to this home in an emergency: for record_read. */
extern const struct folder_keys consent_released_keys;

/* --- looking (access.c) --- */

/* One look as the contract decided it; also an entry of the log. */
struct access_event {
	hash32 folder, record;
	addr20 actor;
	uint8_t purpose;
	bool permitted;
	uint8_t reason;
	uint64_t until; /* of the window, seconds */
	uint64_t block_number;
	uint64_t timestamp; /* of the block, seconds; 0 in the answer of access_ask and glass_break */
	hash32 tx_hash;
};
/* Sends the access transaction; the decision is in *out. A refusal is STATUS_OK with permitted == false; STATUS_DENIED:
 * the account is not listed, or over its quota of refusals. */
MUST_USE enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err);
/* The folder's log from the chain, oldest first. */
MUST_USE enum status access_log(
    struct actor_request *request, struct access_event **out, size_t *count, const hash32 *folder, struct err *err);
/* As the directory has it, "" where it is not listed. Looks at no key and pins none: for showing only. */
MUST_USE enum status consent_actor_name(
    struct actor_request *request, const char **name, const addr20 *actor, struct err *err);

/* --- what nodes served (reads.c, audit.c) --- */

struct audit_entry {
	addr20 who;
	uint32_t part; /* 0: the whole container, or its lead */
	bool served;
	uint64_t at_ms;
	uint64_t seq; /* from 1, over all of the node's entries */
};
struct audit_log {
	struct audit_entry *entries; /* oldest first */
	size_t count;
	size_t anchors; /* entries whose hash a node anchored on the chain, and it is the same */
};
/*
 * By the folder's controller: audit entries of one record, opened with the folder's keys. STATUS_CORRUPT where an entry
 * cannot be opened, is of another record, does not hang on the one before it, or differs from what was anchored.
 */
MUST_USE enum status audit_reads(
    struct actor_request *request, struct audit_log *out, const hash32 *record, struct err *err);

/* The parts of it that need no chain. */
struct audit_line {
	struct audit_entry entry;
	hash32 item;
	hash32 prev; /* SHA-256 of the node's entry before */
	hash32 hash; /* SHA-256 of this one, sealed */
};
/* An opened entry; `sealed` is the JWE that it came in. STATUS_INVALID. */
MUST_USE enum status audit_line_parse(
    struct audit_line *out, struct arena *arena, struct bytes sealed, struct bytes plaintext, struct err *err);
/* All of `item`, ascending, and hanging together where they follow one another. STATUS_CORRUPT. */
MUST_USE enum status audit_check(const struct audit_line *lines, size_t count, const hash32 *item, struct err *err);

/* --- breaking the glass (glass.c) --- */

#define GLASS_REASON_MAX 4096u /* bytes */

struct glass_event {
	uint64_t review;
	hash32 folder;
	addr20 actor;
	uint64_t until;
	struct access_event decision;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
	hash32 reason_hash;
	const char *reason; /* for the controller: the sealed text, opened; else NULL */
	size_t releases;    /* trustees who gave the key */
	bool open;          /* the review is; the window may be over */
	bool justified;     /* where closed */
	addr20 closed_by;
};
/* The reason is sealed to the folder. Where the contract refuses, out->decision says why and out->review is 0. */
MUST_USE enum status glass_break(struct actor_request *request, struct glass_event *out, const hash32 *folder,
    struct bytes reason_text, struct err *err);
/* After glass_break: waits until a trustee has released the folder's key. STATUS_TIMEOUT. */
MUST_USE enum status glass_wait(
    struct actor_request *request, const struct glass_event *glass, uint64_t seconds, struct err *err);
MUST_USE enum status glass_log(
    struct actor_request *request, struct glass_event **out, size_t *count, const hash32 *folder, struct err *err);
/* By the controller, signed; or, where this home is a regulator, without a signature: then only it can send it. */
MUST_USE enum status glass_close_action(
    struct actor_request *request, struct action *action, uint64_t review, bool justified, struct err *err);

/* --- trustees (trustee.c) --- */

struct trustee_round {
	uint64_t from_block; /* in: where to begin; out: where the next round may */
	size_t released;
	size_t failed; /* each is in the log, and is tried again next time */
};
/* Releases the folder's key for every open window of folders that this home is trustee of, unless it has done so. */
MUST_USE enum status trustee_serve_once(struct actor_request *request, struct trustee_round *round, struct err *err);

#endif
