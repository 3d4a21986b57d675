/*
 * Buckets of a product's table of serials, as the contract keeps them (contracts/src/lib/SerialTable.sol, decision
 * 0038). A bucket of depth d holds the fragments whose low d bits are its place, each as a lane with the 26 bits above
 * those. So a fragment is taken for an earlier one if the two agree in the low 26 + d bits, d being the depth at which
 * the earlier one was put in. Fragments are the first 8 bytes of tags. Threads: pure.
 */
#ifndef HEALTH_TRACE_SERIALS_H
#define HEALTH_TRACE_SERIALS_H

#include "base/bytes.h"
#include "base/status.h"

#define SERIAL_LANES 9u
#define SERIAL_BITS 26u
#define SERIAL_DEPTH_MAX 30u

struct serial_bucket {
	unsigned depth; /* 0 … 255: what a word says */
	unsigned count; /* of its lanes */
	uint64_t lanes[SERIAL_LANES];
};
struct serial_bucket serial_bucket(const hash32 *word);
/* A bucket that hides behind another one, or place 0 of an empty table. */
bool serial_bucket_is_unmade(const struct serial_bucket *bucket);
/* The place at which a bucket of this depth has the fragment. */
uint64_t serial_bucket_place(const struct serial_bucket *bucket, uint64_t fragment);
bool serial_bucket_has(const struct serial_bucket *bucket, uint64_t fragment);
/* Puts a fragment of this bucket in. Where the bucket splits, it becomes the half that has `followed`. */
void serial_bucket_put(struct serial_bucket *bucket, uint64_t fragment, uint64_t followed);
/*
 * The first of `count` new fragments, put in in order, that would be taken for an earlier one of them; `count`: none.
 * `bucket_of` gives the table's bucket, as it is before, for a fragment.
 */
typedef enum status serial_bucket_of(void *context, struct serial_bucket *out, uint64_t fragment, struct err *err);
MUST_USE enum status serials_first_alike(
    size_t *at, const uint64_t *fragments, size_t count, serial_bucket_of *bucket_of, void *context, struct err *err);

#endif
