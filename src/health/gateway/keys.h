/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again with its key is carried out
 * once. What became of a key is a small file of the home, requests/<hash>.json, so that it survives kill -9: written
 * before the work begins, and again with the answer. A key belongs to the token's name; the file holds hashes and ids,
 * no content.
 *
 * Threads: with `threads`, any.
 */
#ifndef HEALTH_GATEWAY_KEYS_H
#define HEALTH_GATEWAY_KEYS_H

#include "base/threads.h"
#include "health/actors/home.h"

#define KEY_TEXT_MAX 255u
#define KEY_KEPT_SECONDS (7u * 86400u)
#define KEYS_ACTIVE_MAX 1024u

struct keys;
struct keys *keys_new(const struct home *home, const struct threads *threads, const struct clock_source *clock);
void keys_free(struct keys *keys);

enum key_state {
	KEY_NEW,      /* it is this caller's now, until keys_finish or keys_drop */
	KEY_ANSWERED, /* `answer` is what was answered */
	KEY_RUNNING,  /* another request with it is being carried out */
	KEY_OTHER,    /* it was used for another request */
	KEY_UNKNOWN,  /* the process ended while it was carried out, and nobody knows how far it came */
};

/* A key in use. */
struct key_claim {
	hash32 name; /* of the key and its owner */
	hash32 request;
	bool is_held;
};
struct key_answer {
	int status;
	struct bytes body; /* in the arena */
};

/* `request` is the hash of all that matters of the request. STATUS_BUSY: KEYS_ACTIVE_MAX. */
MUST_USE enum status keys_claim(struct keys *keys, enum key_state *state, struct key_claim *claim,
    struct key_answer *answer, struct arena *arena, struct err *err);
/* The name of a claim. */
hash32 key_name(const char *owner, struct bytes key);
/* Keeps the answer. A failure is only logged: the work was done. A claim that is not held is ignored, here and below.
 */
void keys_finish(struct keys *keys, struct key_claim *claim, int status, struct bytes body);
/* The work was refused: the key may be used again. */
void keys_drop(struct keys *keys, struct key_claim *claim);

#endif
