/*
 * Checking blobs against their KZG commitments (EIP-4844; EIP-7594's cells), by c-kzg. Proofs are never made here, so
 * of the ceremony's setup only what checking reads is in the program; it is unpacked when the first blob comes.
 *
 * Threads: any; what is unpacked once is read only.
 */
#ifndef LEDGER_POOL_KZG_H
#define LEDGER_POOL_KZG_H

#include "base/mem.h"

enum {
	KZG_BLOB_BYTES = 1 << 17,
	KZG_POINT_BYTES = 48, /* a commitment or a proof */
	KZG_BLOB_CELLS = 128, /* of a blob, extended to twice its length */
};

struct kzg;
struct kzg *kzg_new(void);
void kzg_free(struct kzg *kzg);

/* `count` blobs one after another, and as many commitments and proofs. False also for what is no field element or no
 * point of the group. */
bool kzg_blobs_are_proved(
    struct kzg *kzg, const uint8_t *blobs, const uint8_t *commitments, const uint8_t *proofs, size_t count);
/* Likewise, with KZG_BLOB_CELLS proofs a blob. */
bool kzg_cells_are_proved(
    struct kzg *kzg, const uint8_t *blobs, const uint8_t *commitments, const uint8_t *proofs, size_t count);

#endif
