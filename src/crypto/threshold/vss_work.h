/* Interpolation at 0 for the files of this room, over indexes of shares, which are public. */
#ifndef CRYPTO_THRESHOLD_VSS_WORK_H
#define CRYPTO_THRESHOLD_VSS_WORK_H

#include "crypto/p256_work.h"
#include "crypto/threshold/vss.h"

/* Each in [1, VSS_SHARES_MAX], none twice. */
bool vss_are_indexes(const uint8_t *indexes, size_t count);

/* Lagrange's coefficient of index `i` at 0: the product of x_j / (x_j - x_i) over all others. It is `work`'s. */
BIGNUM *vss_weight(struct p256_work *work, const uint8_t *indexes, size_t count, size_t i);

#endif
