/*
 * The keys of many signatures at once: what `secp_recover` gives for each, at about a fifth of its cost if the
 * processor has AVX-512 IFMA and at least two are asked for together, at two thirds if it has AVX2 and there are four.
 * All that goes in is public, so nothing here is constant-time.
 *
 * Eight or four signatures at a time run in the lanes of secp256k1_lanes.h. The plain twin, `secp_recover` for each, is
 * asked about every lane that was not plain sailing (a bad signature, a sum that met its own negative), so no verdict
 * but "this is the key" is ever the lanes'. Why: docs/decisions/0017-what-a-transaction-costs.md.
 *
 * Threads: pure.
 */
#ifndef CRYPTO_SECP256K1_MANY_H
#define CRYPTO_SECP256K1_MANY_H

#include "crypto/secp256k1_keys.h"

/* Are several cheaper together, on this processor? */
bool secp_many_pays(void);
/* As `secp_recover` for each of `count`: a status, and where it is STATUS_OK the key, x || y. */
void secp_recover_many(uint8_t (*keys)[64], enum status *statuses, const struct secp_signature *signatures,
    const hash32 *digests, size_t count);

#endif
