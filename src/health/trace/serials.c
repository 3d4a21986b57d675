#include "health/trace/serials.h"

#include <stdlib.h>

#include "base/mem.h"
#include "eth/u256.h"

#define LANE_BITS (SERIAL_BITS + 1)

static uint64_t low_bits(uint64_t value, unsigned bits) {
	return bits < 64 ? value & (((uint64_t)1 << bits) - 1) : value;
}

struct serial_bucket serial_bucket(const hash32 *word) {
	u256 rest = u256_from_be(BYTES_OF(*word));
	struct serial_bucket out = {.depth = (unsigned)low_bits(rest.w[0], 8)};
	rest = u256_shr(&rest, 8);
	for (; !u256_is_zero(&rest) && out.count < SERIAL_LANES; rest = u256_shr(&rest, LANE_BITS))
		out.lanes[out.count++] = low_bits(rest.w[0], LANE_BITS);
	return out;
}

bool serial_bucket_is_unmade(const struct serial_bucket *bucket) {
	return bucket->depth == 0 && bucket->count == 0;
}

uint64_t serial_bucket_place(const struct serial_bucket *bucket, uint64_t fragment) {
	return low_bits(fragment, bucket->depth);
}

/* A lane: a 1, and below it the fragment's bits behind the bucket's depth. */
bool serial_bucket_has(const struct serial_bucket *bucket, uint64_t fragment) {
	const uint64_t bits = bucket->depth < 64 ? fragment >> bucket->depth : 0;
	for (unsigned i = 0; i < bucket->count; i++) {
		if (!bucket->lanes[i]) continue;
		const unsigned len = 63 - (unsigned)__builtin_clzll(bucket->lanes[i]);
		if (low_bits(bucket->lanes[i] ^ bits, len) == 0) return true;
	}
	return false;
}

/* A split takes the lowest bit off each lane: it has become part of the place. */
static void split(struct serial_bucket *bucket, uint64_t followed) {
	const uint64_t half = followed >> bucket->depth & 1;
	unsigned kept = 0;
	for (unsigned i = 0; i < bucket->count; i++)
		if ((bucket->lanes[i] & 1) == half) bucket->lanes[kept++] = bucket->lanes[i] >> 1;
	bucket->count = kept;
	bucket->depth++;
}

void serial_bucket_put(struct serial_bucket *bucket, uint64_t fragment, uint64_t followed) {
	while (bucket->count == SERIAL_LANES && bucket->depth < SERIAL_DEPTH_MAX) {
		split(bucket, followed);
		if (low_bits(fragment ^ followed, bucket->depth)) return; /* it is of the other half */
	}
	if (bucket->count == SERIAL_LANES) return;
	bucket->lanes[bucket->count++] = (uint64_t)1 << SERIAL_BITS | low_bits(fragment >> bucket->depth, SERIAL_BITS);
}

struct candidate {
	uint64_t low;
	size_t at;
};

static int compare(const void *a, const void *b) {
	const struct candidate *one = a, *other = b;
	if (one->low != other->low) return one->low < other->low ? -1 : 1;
	return one->at < other->at ? -1 : one->at > other->at;
}

/* How many low bits tell others from this fragment, once those before it and it are in. */
static enum status bits_of(
    unsigned *out, const uint64_t *fragments, size_t at, serial_bucket_of *bucket_of, void *context, struct err *err) {
	struct serial_bucket bucket;
	TRY(bucket_of(context, &bucket, fragments[at], err));
	for (size_t i = 0; i <= at; i++)
		if (low_bits(fragments[i] ^ fragments[at], bucket.depth) == 0)
			serial_bucket_put(&bucket, fragments[i], fragments[at]);
	*out = SERIAL_BITS + bucket.depth;
	return STATUS_OK;
}

/* Few fragments agree in 26 bits, and only they can be alike. */
static enum status look(size_t *first, const struct candidate *sorted, const uint64_t *fragments, size_t count,
    serial_bucket_of *bucket_of, void *context, struct err *err) {
	*first = count;
	for (size_t i = 0; i + 1 < count; i++) {
		unsigned bits = 0;
		for (size_t j = i + 1; j < count && sorted[j].low == sorted[i].low; j++) {
			if (!bits) TRY(bits_of(&bits, fragments, sorted[i].at, bucket_of, context, err));
			const uint64_t unlike = fragments[sorted[i].at] ^ fragments[sorted[j].at];
			if (low_bits(unlike, bits) == 0 && sorted[j].at < *first) *first = sorted[j].at;
		}
	}
	return STATUS_OK;
}

enum status serials_first_alike(
    size_t *at, const uint64_t *fragments, size_t count, serial_bucket_of *bucket_of, void *context, struct err *err) {
	struct candidate *sorted = mem_zalloc(count + 1, sizeof *sorted);
	for (size_t i = 0; i < count; i++) sorted[i] = (struct candidate){low_bits(fragments[i], SERIAL_BITS), i};
	qsort(sorted, count, sizeof *sorted, compare);
	const enum status status = look(at, sorted, fragments, count, bucket_of, context, err);
	mem_free(sorted);
	return status;
}
