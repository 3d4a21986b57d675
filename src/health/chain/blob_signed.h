/*
 * The other side of a signed request (docs/wire-formats.md §5): who signed it, for a gateway that serves a folder's
 * looks. Threads: pure.
 */
#ifndef HEALTH_CHAIN_BLOB_SIGNED_H
#define HEALTH_CHAIN_BLOB_SIGNED_H

#include "health/chain/blobs.h"

/*
 * The account that signed `said` by the field Authorization; its expiry and nonce are the field's. STATUS_INVALID: the
 * field is malformed. STATUS_DENIED: another signed, or something else. STATUS_TIMEOUT: it is expired, or more than 120
 * s ahead of `now_s`.
 */
MUST_USE enum status blob_signed_by(addr20 *out, struct blob_said *said, struct bytes field,
    const struct deployment *deployment, uint64_t now_s, struct err *err);

#endif
