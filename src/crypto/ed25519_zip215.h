/* ZIP 215's rules, plainly and five times slower: for signatures that the strict rules do not pass. Nothing
 * here is secret, so that time may depend on it. Threads: pure. */
#ifndef CRYPTO_ED25519_ZIP215_H
#define CRYPTO_ED25519_ZIP215_H

#include "base/bytes.h"

bool ed25519_verify_zip215(const uint8_t signature[64], const hash32 *key, struct bytes message);

#endif
