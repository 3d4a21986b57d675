/*
 * A validator's key, of a file or of a token. config/priv_validator_key.json in the signer's folder is CometBFT's
 * file. If a token holds the key (token/token.h), the same file has the address and the public half alone: it is made
 * at the first start, and from then on the token must hold that key and no other.
 *
 * Ownership: signer_key_close wipes it. `key` refers to the struct, which stays where it is. Threads: the key any.
 */
#ifndef APP_SERVE_SIGNER_KEY_H
#define APP_SERVE_SIGNER_KEY_H

#include "token/token.h"

struct signer_key {
	struct signing_key key;
	struct ed25519_secret secret; /* of a file */
	struct token *token;          /* NULL: it is of a file */
};
/* `uri` NULL: of the file. STATUS_INVALID: the file, or it has a secret as well. STATUS_DENIED: the token holds another
 * key. Else as token_open. */
MUST_USE enum status signer_key_open(struct signer_key *out, const char *home, const char *uri, struct err *err);
hash32 signer_key_public(const struct signer_key *key);
void signer_key_close(struct signer_key *key);

#endif
