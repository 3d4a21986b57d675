/*
 * A signer beside CometBFT: it dials the socket that `priv_validator_laddr` names, and answers what comes there
 * (comet/privval.h). Its folder is as CometBFT's own home: config/priv_validator_key.json, and in data/ what the key
 * signed last, in two files, of which the newer one counts: so an old one that is put back alone changes nothing. A
 * copy of the whole folder signs nothing (signing_guard.h).
 *
 * Threads: signer_stop from any.
 */
#ifndef APP_SERVE_SIGNER_H
#define APP_SERVE_SIGNER_H

#include "comet/privval.h"

struct signer;
/* `above` not 0: the folder may be a copy, and its key signs above this height. STATUS_DENIED: it is a copy, or `above`
 * is below what the key has signed. STATUS_BUSY: another signer has it. */
MUST_USE enum status signer_open(
    struct signer **out, const char *home, const char *socket, uint64_t above, struct err *err);
const hash32 *signer_key(const struct signer *signer);
uint64_t signer_height(const struct signer *signer);
MUST_USE enum status signer_run(struct signer *signer, struct err *err);
void signer_stop(struct signer *signer);
void signer_close(struct signer *signer); /* NULL is allowed */

#endif
