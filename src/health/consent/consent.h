/*
 * Sharing, looking, breaking the glass, and the log of all of it (contracts/src/interfaces/IConsent.sol; purposes: HL7
 * v3-ActReason). Threads: one owner a session.
 */
#ifndef HEALTH_CONSENT_CONSENT_H
#define HEALTH_CONSENT_CONSENT_H

#include "health/records/record.h"

#define PURPOSES(X)                                                                                                    \
	X(TREAT, "TREAT", "treatment")                                                                                 \
	X(ETREAT, "ETREAT", "emergency treatment")                                                                     \
	X(HPAYMT, "HPAYMT", "healthcare payment")                                                                      \
	X(HOPERAT, "HOPERAT", "healthcare operations")                                                                 \
	X(HRESCH, "HRESCH", "healthcare research")                                                                     \
	X(PUBHLTH, "PUBHLTH", "public health")                                                                         \
	X(PATRQT, "PATRQT", "patient requested")
#define PURPOSE_ENUM(name, code, text) PURPOSE_##name,
enum purpose { PURPOSES(PURPOSE_ENUM) PURPOSE_COUNT };
#undef PURPOSE_ENUM
MUST_USE enum status purpose_parse(enum purpose *out, struct bytes code, struct err *err);
const char *purpose_code(unsigned purpose);

enum right { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_SHARE = 4, RIGHT_ROTATE = 8 };

/* Why the contract permitted or refused: IConsent.Reason, same numbers. */
const char *access_reason_text(unsigned reason);
/* Its stable name, "NO_GRANT". */
const char *access_reason_name(unsigned reason);

struct sharing {
	hash32 folder;
	hash32 record; /* zero: the whole folder */
	addr20 grantee;
	uint8_t rights;
	uint16_t purposes;    /* bits */
	uint64_t from, until; /* seconds */
};
/* With a wrap for the grantee where rights hold RIGHT_READ. */
MUST_USE enum status grant_action(
    struct session *session, struct action *action, const struct sharing *sharing, struct err *err);
MUST_USE enum status revoke_action(struct session *session, struct action *action, const hash32 *folder,
    const hash32 *record, const addr20 *grantee, struct err *err);

/* One look as the contract decided it; also an entry of the log. */
struct access_event {
	hash32 folder, record;
	addr20 actor;
	uint8_t purpose;
	bool permitted;
	uint8_t reason;
	uint64_t until; /* of the window, seconds */
	uint64_t block_number;
	uint64_t timestamp;
	hash32 tx_hash;
};
/* Sends the access transaction; the decision is in *out. A refusal is STATUS_OK with permitted == false. */
MUST_USE enum status access_ask(struct session *session, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err);
/* The folder's log from the chain, oldest first. */
MUST_USE enum status access_log(
    struct session *session, struct access_event **out, size_t *count, const hash32 *folder, struct err *err);
/* What nodes served: audit entries of one record, opened with the folder's keys, the chain of hashes inside checked. */
struct read_entry {
	addr20 who;
	uint32_t part;
	bool served;
	uint64_t at_ms;
	uint64_t seq;
};
MUST_USE enum status access_reads(
    struct session *session, struct read_entry **out, size_t *count, const hash32 *record, struct err *err);

struct broken_glass {
	uint64_t review;
	hash32 folder;
	addr20 actor;
	uint64_t until;
	struct access_event decision;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
	const char *reason; /* for the controller: the sealed text, opened; else NULL */
};
MUST_USE enum status glass_break(
    struct session *session, struct broken_glass *out, const hash32 *folder, struct bytes reason_text, struct err *err);
MUST_USE enum status glass_log(
    struct session *session, struct broken_glass **out, size_t *count, const hash32 *folder, struct err *err);
MUST_USE enum status glass_close_action(
    struct session *session, struct action *action, uint64_t review, bool justified, struct err *err);
/* As a trustee: releases its share for every open review of folders it serves that has none of it yet; returns how
 * many. */
MUST_USE enum status trustee_serve_once(struct session *session, size_t *released, struct err *err);

#endif
