/*
 * The proof that a new encryption key is in the hands of its owner: the key signs (ECDSA over P-256, r || s) that it is
 * to be version N of this actor's key in this directory (docs/wire-formats.md §4).
 *
 * Threads: pure.
 */
#ifndef HEALTH_ACTORS_POSSESSION_H
#define HEALTH_ACTORS_POSSESSION_H

#include "crypto/p256.h"
#include "health/chain/deployment.h"

#define POSSESSION_BYTES 64u

/* What the key signs. */
hash32 possession_digest(
    const struct deployment *deployment, const addr20 *actor, uint32_t version, const struct p256_public *key);

#endif
