/* What the files of health/consent share. */
#ifndef HEALTH_CONSENT_CONSENT_PRIVATE_H
#define HEALTH_CONSENT_CONSENT_PRIVATE_H

#include "eth/abi.h"
#include "eth/eip712.h"
#include "health/consent/consent.h"

#define CALLDATA_MAX ((size_t)1 << 12)
#define ACTION_LIFE_SECONDS 86400u /* a relay has a day */

#define ACCESS_EVENT "Access(bytes32,bytes32,address,uint8,bool,uint8,uint40)"
#define GLASS_BROKEN_EVENT "GlassBroken(bytes32,address,uint64,bytes32,uint40)"
#define SHARE_RELEASED_EVENT "ShareReleased(uint64,address)"
#define REVIEW_CLOSED_EVENT "ReviewClosed(uint64,address,bool)"

/* support.c */

/* Signs what Consent checks with the folder's controller key. */
MUST_USE enum status consent_sign(struct actor_request *request, uint8_t signature[65], const struct own_folder *folder,
    struct eip712_struct *fields, struct err *err);
/* Until when an action that is signed now may be relayed, by the later of the two clocks. */
MUST_USE enum status consent_deadline(struct actor_request *request, uint64_t *deadline, struct err *err);
/* A view of Consent; the answer lives in the arena. */
MUST_USE enum status consent_call(
    struct actor_request *request, struct abi_reader *answer, struct buf *data, struct err *err);
/* These parts as a container in the arena, which the action carries; its name is given back. */
MUST_USE enum status consent_carry(struct actor_request *request, struct action *action, hash32 *blob,
    const struct buf *parts, size_t count, struct err *err);
/* Logs of one event of Consent; topic i (1 … 3) where topics[i - 1] is not NULL. */
MUST_USE enum status consent_logs(struct actor_request *request, struct client_log **logs, size_t *count,
    uint64_t from_block, const char *event, const hash32 *const topics[3], struct err *err);

/* A controller asks for blobs under the account of that folder; `*secret` is the caller's to wipe. */
MUST_USE enum status controller_asker(struct actor_request *request, struct blob_asker *asker, hash32 *secret,
    const struct own_folder *folder, struct err *err);
/* "0x12345678…" in the arena: for summaries. */
const char *short_id(struct actor_request *request, const hash32 *id);

/* access.c: is this log one of our Access events? */
bool access_event_read(struct access_event *out, const struct log *log);

struct review {
	hash32 folder;
	addr20 actor;
	uint64_t until;
	bool open;
};
/* glass.c. STATUS_NOTFOUND. */
MUST_USE enum status review_find(struct actor_request *request, struct review *out, uint64_t number, struct err *err);

#endif
