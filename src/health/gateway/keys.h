/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again with its key is carried out
 * once. A key belongs to the token's name. What is written down of it (outcome.h):
 *
 *     nothing      it is new, or its request never came as far as the outbox
 *     records      their ids, before the outbox gets them: what became of them is asked of the outbox and the chain
 *     an answer    they are in a block, and this was said
 *
 * Threads: with `threads`, any.
 */
#ifndef HEALTH_GATEWAY_KEYS_H
#define HEALTH_GATEWAY_KEYS_H

#include "base/threads.h"
#include "health/gateway/outcome.h"

#define KEY_TEXT_MAX 255u
#define KEYS_ACTIVE_MAX 1024u
#define KEY_RECORDS_MAX 64u

struct keys;
/* `files` is borrowed. */
struct keys *keys_new(const struct outcomes *files, const struct threads *threads);
void keys_free(struct keys *keys);

enum key_state {
	KEY_NEW,      /* it is this caller's now, until one of the functions below ends that */
	KEY_NAMED,    /* the same, and `answer` has the records of an earlier request */
	KEY_ANSWERED, /* `answer` is what was answered */
	KEY_RUNNING,  /* another request with it is being carried out */
	KEY_OTHER,    /* it was used for another request */
};

/* A key in use. */
struct key_claim {
	hash32 name; /* of the key and its owner */
	hash32 request;
	bool is_held;
};
/* A record that a request makes. */
struct key_record {
	hash32 id, folder;
	uint64_t resource_count;
};
struct key_answer { /* in the arena */
	int status;
	struct bytes body;
	struct key_record *records;
	size_t record_count;
};

/* The name of a claim. Its `request` is the hash of all that matters of the request. */
hash32 key_name(const char *owner, struct bytes key);
/* STATUS_BUSY: KEYS_ACTIVE_MAX. STATUS_CORRUPT: what was written down is damaged. */
MUST_USE enum status keys_claim(struct keys *keys, enum key_state *state, struct key_claim *claim,
    struct key_answer *answer, struct arena *arena, struct err *err);

/* A claim that is not held is ignored, here and below. */
MUST_USE enum status keys_put_records(
    struct keys *keys, const struct key_claim *claim, const struct key_record *records, size_t count, struct err *err);
/* Keeps the answer, and ends the claim. A failure is only logged: the work was done. */
void keys_finish(struct keys *keys, struct key_claim *claim, int status, struct bytes body);
/* Ends the claim; what is written down stays. */
void keys_release(struct keys *keys, struct key_claim *claim);
/* The work was refused: the key may be used again. */
void keys_drop(struct keys *keys, struct key_claim *claim);

#endif
