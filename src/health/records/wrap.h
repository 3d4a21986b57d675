/* Folders' keys, sealed to those who may have them: docs/wire-formats.md §3. Threads: pure but for the random source.
 */
#ifndef HEALTH_RECORDS_WRAP_H
#define HEALTH_RECORDS_WRAP_H

#include "base/mem.h"
#include "base/world.h"
#include "crypto/p256.h"

enum wrap_kind { WRAP_KEY, WRAP_LINK }; /* typ xinglin-wrap, xinglin-link */
MUST_USE enum status wrap_seal(struct buf *out, enum wrap_kind kind, const struct p256_public *recipient,
    const hash32 *folder, uint32_t epoch, const struct p256_secret *folder_secret, const struct random_source *random,
    struct err *err);
/* Checks typ, folder and epoch (of the key that is inside) against what is expected. */
MUST_USE enum status wrap_open(struct p256_secret *folder_secret, enum wrap_kind kind,
    const struct p256_secret *recipient, const hash32 *folder, uint32_t epoch, struct bytes wrap, struct err *err);
/* The same of any epoch: `*epoch` is the one that the wrap names, whose statement the caller checks the key against. */
MUST_USE enum status wrap_open_any(struct p256_secret *folder_secret, uint32_t *epoch, enum wrap_kind kind,
    const struct p256_secret *recipient, const hash32 *folder, struct bytes wrap, struct err *err);

#endif
