/*
 * Which block is believed to be the newest. A head is taken only if
 *
 *	- whoever decides blocks signed it: the anchor's sealer, over Head(number, hash, time, challenge) with a
 *	  challenge of our own, or over Seal(number, hash) if an older head is enough (eth/seal.h); or a consortium's
 *	  validators (validators.h). If the anchor names witnesses, enough of them signed too;
 *	- it descends from the last head that was taken, by its parents' hashes: one step, or EIP-2935's contract
 *	  proved in its state, or the headers between;
 *	- its time is at most HEADS_AHEAD_S in front of the clock.
 *
 * It is never older than the last one, which is kept in the home (head.json). Two signed blocks of one height are kept
 * as evidence (evidence.json), and from then on nothing is believed: STATUS_CORRUPT, until a person has decided. A head
 * is on the disk within a second; a program that is killed in that second forgets what it took meanwhile.
 *
 * Threads: one `struct heads` serves all threads of its home, if it is given `threads`. Ownership: what the options
 * point to is borrowed. Sources: EIP-2935, EIP-1186; Yellow Paper §4.4.
 */
#ifndef HEALTH_CHAIN_HEADS_H
#define HEALTH_CHAIN_HEADS_H

#include "base/threads.h"
#include "eth/seal.h"
#include "eth/sign.h"
#include "health/chain/client.h"
#include "health/chain/deployment.h"

#define HEADS_AHEAD_S 60u         /* a head may be so far in front of the clock */
#define HEADS_FRESH 0u            /* as the greatest age: the head answers a challenge that was made for this request */
#define HEADS_QUIET_S 120u        /* the age that is fresh enough where an authority answers no challenge */
#define HEADS_HEADERS_MAX 131072u /* headers that are read at most between two heads */
#define HEAD_RLP_MAX 1024u

struct head {
	uint64_t number;
	hash32 hash;
	hash32 state_root;
	uint64_t time_s;   /* the block's timestamp */
	uint64_t known_ms; /* by our clock: when it was the newest for sure; 0: by its timestamp alone */
	/* Its maker's signature: over a Head with this challenge, or over a Seal if the challenge is zeros. */
	hash32 challenge;
	struct eth_signature signature;
	uint8_t rlp[HEAD_RLP_MAX]; /* the header */
	size_t rlp_len;
};
/* All but known_ms, challenge and signature, from the header's RLP. */
MUST_USE enum status head_decode(struct head *out, struct bytes rlp, struct err *err);
/* As it is kept: JSON. */
void head_write(struct buf *out, const struct head *head);
MUST_USE enum status head_parse(struct head *out, struct bytes json, struct err *err);

/* Small texts that outlive the process, by name ("head.json"); the home has them (health/actors/home_heads.h). */
struct head_store {
	/* Appends what is kept. STATUS_NOTFOUND: nothing is. */
	MUST_USE enum status (*get)(void *context, struct buf *out, const char *name, struct err *err);
	/* Gives `change` what is kept (empty: nothing), while no other program can write it, and keeps what is in the
	 * buffer afterwards if `change` returned STATUS_OK and set *changed. Returns what `change` returned. */
	MUST_USE enum status (*update)(void *context, const char *name,
	    enum status (*change)(void *change_context, struct buf *text, bool *changed, struct err *err),
	    void *change_context, struct err *err);
	void *context;
};

/* What a node shows with a head: its answer to xinglin_head, and where more can be asked. */
struct head_shown {
	struct client *client;
	struct arena *arena;
	const struct json *answer;
};
/*
 * Who decides blocks on another kind of chain than a sealer's: a consortium's validators (validators.h). STATUS_DENIED
 * says why the head is not believed, STATUS_CORRUPT that it and one that was believed before cannot both be.
 * head->known_ms is set to when it was the newest for sure. Such a head answers no challenge: if HEADS_FRESH is asked
 * for, that may be HEADS_QUIET_S ago.
 */
struct head_authority {
	MUST_USE enum status (*check)(
	    void *context, struct head *head, const struct head_shown *shown, struct err *err);
	/* Puts members into the object that is kept as evidence: what proves that these heads were decided. */
	void (*put_evidence)(void *context, struct json_writer *writer);
	void *context;
};

struct heads_options {
	const struct deployment *anchor;
	const struct head_store *store;
	const struct clock_source *clock;
	const struct random_source *random;
	const struct threads *threads;          /* NULL: one thread */
	const struct head_authority *authority; /* NULL: the anchor's sealer, or its consortium */
	/* Between questions to a witness that is not yet there; NULL: it is asked once. */
	void (*sleep_ms)(void *context, uint32_t ms);
	void *sleep_context;
};
struct heads;

/* Reads what is kept. STATUS_CORRUPT: there is evidence of two blocks at one height, or what is kept is damaged. */
MUST_USE enum status heads_open(struct heads **out, const struct heads_options *options, struct err *err);
/* Writes the last head. NULL is allowed. */
void heads_close(struct heads *heads);
const struct deployment *heads_anchor(const struct heads *heads);

/*
 * A head that was the newest at most `max_age_s` ago (HEADS_FRESH: one that answers a challenge made now). It is kept
 * as the last one. STATUS_DENIED: what the node shows is not believed, and why; STATUS_CORRUPT: two blocks at one
 * height.
 */
MUST_USE enum status heads_take(
    struct heads *heads, struct head *out, struct client *client, uint32_t max_age_s, struct err *err);
/* Seconds by our clock, but never behind the last head that was taken: what ages and expiry are judged by. */
uint64_t heads_now_s(struct heads *heads);

/* The anchor as it is by now: a consortium's with the validators who are trusted now. */
void heads_refresh_anchor(struct heads *heads, struct deployment *out);

/* The store, for what else is remembered beside the head. */
const struct head_store *heads_store(const struct heads *heads);

#endif
