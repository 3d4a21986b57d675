/*
 * Accounts' keys at rest: Web3 Secret Storage, version 3, the JSON that geth, ethers, web3.py and eth_account write and
 * open. Key derivation by scrypt or PBKDF2-SHA256, AES-128-CTR, and a Keccak MAC that reveals a wrong password.
 *
 * Passwords are the bytes that are hashed: callers give UTF-8 (other wallets normalise it, which changes nothing for
 * ASCII). Ownership: results are the caller's, who wipes the secret. Threads: pure. Source:
 * https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
 */
#ifndef ENVELOPE_KEYSTORE_H
#define ENVELOPE_KEYSTORE_H

#include "base/mem.h"
#include "base/world.h"

struct keystore_cost {
	uint64_t n; /* scrypt */
	uint32_t r, p;
};
extern const struct keystore_cost keystore_cost_standard; /* n = 2^18, r = 8, p = 1: 256 MiB, about a second */
extern const struct keystore_cost
    keystore_cost_light; /* n = 2^12, r = 8, p = 6: 4 MiB; for tests and throw-away keys */

/* Appends the JSON. `random` gives salt, IV and id, in this order. STATUS_INVALID: no secret of secp256k1, or a bad
 * cost. */
MUST_USE enum status keystore_seal(struct buf *out, const hash32 *secret, struct bytes password,
    const struct keystore_cost *cost, const struct random_source *random, struct err *err);

/*
 * STATUS_DENIED: wrong password, or changed since. STATUS_INVALID: not such a file, or its address is not its key's.
 * STATUS_UNSUPPORTED: another version, cipher or derivation. STATUS_LIMIT: its derivation would take too long.
 */
MUST_USE enum status keystore_open(hash32 *secret, struct bytes json, struct bytes password, struct err *err);

#endif
