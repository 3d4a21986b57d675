/*
 * A signer beside CometBFT: it dials the socket that `priv_validator_laddr` names, and answers what comes there
 * (comet/privval.h). Its folder is as CometBFT's own home: config/priv_validator_key.json, and in data/ what the key
 * signed last, in two files, of which the newer one counts: so an old one that is put back alone changes nothing. A
 * copy of the whole folder signs nothing (signing_guard.h). The key may be in a token (signer_key.h); what it signed
 * is in the folder all the same.
 *
 * Threads: signer_stop from any.
 */
#ifndef APP_SERVE_SIGNER_H
#define APP_SERVE_SIGNER_H

#include "comet/privval.h"

struct signer_options {
	const char *home, *socket;
	const char *key;   /* a PKCS #11 URI; NULL: the key is in the folder */
	uint64_t above;    /* not 0: the folder may be a copy, and its key signs above this height */
	uint16_t ops_port; /* of 127.0.0.1: /livez, /readyz, /metrics; 0: none */
};
struct signer;
/* STATUS_DENIED: it is a copy, or `above` is below what the key has signed, or the token refused. STATUS_BUSY: another
 * signer has the folder. Else as signer_key_open. */
MUST_USE enum status signer_open(struct signer **out, const struct signer_options *options, struct err *err);
hash32 signer_validator_key(const struct signer *signer);
uint64_t signer_height(const struct signer *signer);
MUST_USE enum status signer_run(struct signer *signer, struct err *err);
void signer_stop(struct signer *signer);
void signer_close(struct signer *signer); /* NULL is allowed */

#endif
