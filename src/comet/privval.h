/*
 * The signer's half of CometBFT's remote signing: from a request to its answer, with one rule above all. For a height,
 * a round and a step a key signs one thing, and nothing for anything before that. What it signed is kept before the
 * answer exists (`save`). The same thing asked again gets the same signature; so does a thing that differs in its time
 * alone, with the time that was signed, since CometBFT asks so after a crash.
 *
 * Source: CometBFT v0.38: proto/tendermint/privval, types/canonical.go, privval/file.go (CheckHRS).
 * Threads: one owner.
 */
#ifndef COMET_PRIVVAL_H
#define COMET_PRIVVAL_H

#include "base/mem.h"
#include "crypto/signing_key.h"

#define PRIVVAL_MESSAGE_MAX ((size_t)1 << 20)
#define PRIVVAL_SIGN_BYTES_MAX 512u

enum privval_step { PRIVVAL_NOTHING = 0, PRIVVAL_PROPOSE = 1, PRIVVAL_PREVOTE = 2, PRIVVAL_PRECOMMIT = 3 };

struct privval_state {
	uint64_t height;
	uint32_t round;
	enum privval_step step;
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	uint8_t sign_bytes[PRIVVAL_SIGN_BYTES_MAX];
	size_t sign_len; /* 0: what was signed is not known, and nothing is signed again there */
};
/* Below, equal to, or above 0: by height, round and step. */
int privval_compare(const struct privval_state *a, const struct privval_state *b);

struct privval {
	struct signing_key key; /* Ed25519; in memory or in a token */
	struct privval_state state;
	/* Durable when it returns. If it fails, nothing is signed. */
	MUST_USE enum status (*save)(void *context, const struct privval_state *state, struct err *err);
	void *context;
	uint64_t refused; /* requests that would have been a second signature, or an older one */
};

/* Appends the answer to one message, both without their lengths. STATUS_INVALID: it is no request; the connection is of
 * no use. A refusal is an answer, and `err` says why, too. */
MUST_USE enum status privval_answer(struct privval *signer, struct buf *out, struct bytes message, struct err *err);

#endif
