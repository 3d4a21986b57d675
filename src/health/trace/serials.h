/*
 * A product's table of serials, as the contract keeps it (contracts/src/lib/SerialTable.sol, decision 0073). A serial's
 * fragment is the first 7 bytes of its tag, as a number. The table knows it by its low 41 bits, so of n serials it
 * takes a new one for one of them with odds of n in 2^41. A bucket of depth d holds the fragments whose low d bits are
 * its place, each as a lane with the bits above those. Threads: pure.
 */
#ifndef HEALTH_TRACE_SERIALS_H
#define HEALTH_TRACE_SERIALS_H

#include "base/bytes.h"
#include "base/mem.h"
#include "base/status.h"

#define SERIAL_FRAGMENT_BYTES 7u
#define SERIAL_PACK_BYTES 8u
#define SERIAL_BITS 41u
#define SERIAL_DEPTH_MAX 31u
#define SERIAL_LANES_MAX 25u

uint64_t serial_fragment(const hash32 *tag);
/* What the contract is given of each: its fragment, and the depth of the table at which to look for its place first
 * (`depths`; NULL, or 0: not known). 8 bytes each, in the arena. */
struct bytes serial_packs(struct arena *arena, const hash32 *tags, const uint8_t *depths, size_t count);

struct serial_bucket {
	unsigned depth; /* 0 … SERIAL_DEPTH_MAX */
	unsigned count; /* of its lanes */
	uint64_t lanes[SERIAL_LANES_MAX];
};
/* Any word is a bucket; one of zeros has a depth of 0 and no lanes. */
struct serial_bucket serial_bucket(const hash32 *word);
/* A bucket that hides behind another one, or place 0 of an empty table. */
bool serial_bucket_is_unmade(const struct serial_bucket *bucket);
/* The place at which a bucket of this depth has the fragment. */
uint64_t serial_bucket_place(const struct serial_bucket *bucket, uint64_t fragment);
bool serial_bucket_has(const struct serial_bucket *bucket, uint64_t fragment);
/*
 * The first of `count` fragments that the table takes for one before it in the list; `count`: none. One that the table
 * has already is not meant: it is in the list because a regulator admitted it (`is_in` says so of a fragment).
 */
typedef enum status serial_is_in(void *context, bool *out, uint64_t fragment, struct err *err);
MUST_USE enum status serials_first_alike(
    size_t *at, const uint64_t *fragments, size_t count, serial_is_in *is_in, void *context, struct err *err);

#endif
