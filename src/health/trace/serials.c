#include "health/trace/serials.h"

#include <stdlib.h>

#include "base/mem.h"
#include "eth/u256.h"

#define DEPTH_BITS 5u

static uint64_t low_bits(uint64_t value, unsigned bits) {
	return value & (((uint64_t)1 << bits) - 1);
}

uint64_t serial_fragment(const hash32 *tag) {
	return load_be64(tag->b) >> 8;
}

struct bytes serial_packs(struct arena *arena, const hash32 *tags, const uint8_t *depths, size_t count) {
	uint8_t *packs = arena_alloc(arena, count * SERIAL_PACK_BYTES);
	for (size_t i = 0; i < count; i++) {
		uint8_t *pack = packs + i * SERIAL_PACK_BYTES;
		memcpy(pack, tags[i].b, SERIAL_FRAGMENT_BYTES);
		pack[SERIAL_FRAGMENT_BYTES] = depths ? depths[i] : 0;
	}
	return bytes_make(packs, count * SERIAL_PACK_BYTES);
}

/* A 1 stands above the last lane. */
struct serial_bucket serial_bucket(const hash32 *word) {
	u256 rest = u256_from_be(BYTES_OF(*word));
	struct serial_bucket out = {.depth = (unsigned)low_bits(rest.w[0], DEPTH_BITS)};
	const unsigned width = SERIAL_BITS - out.depth;
	rest = u256_shr(&rest, DEPTH_BITS);
	for (u256 above = u256_shr(&rest, width); !u256_is_zero(&above); above = u256_shr(&rest, width)) {
		out.lanes[out.count++] = low_bits(rest.w[0], width);
		rest = above;
	}
	return out;
}

bool serial_bucket_is_unmade(const struct serial_bucket *bucket) {
	return bucket->depth == 0 && bucket->count == 0;
}

uint64_t serial_bucket_place(const struct serial_bucket *bucket, uint64_t fragment) {
	return low_bits(fragment, bucket->depth);
}

bool serial_bucket_has(const struct serial_bucket *bucket, uint64_t fragment) {
	const uint64_t lane = low_bits(fragment, SERIAL_BITS) >> bucket->depth;
	for (unsigned i = 0; i < bucket->count; i++)
		if (bucket->lanes[i] == lane) return true;
	return false;
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

static enum status look(
    size_t *first, const struct candidate *sorted, size_t count, serial_is_in *is_in, void *context, struct err *err) {
	*first = count;
	for (size_t i = 1; i < count; i++) {
		bool is_admitted = false;
		if (sorted[i].low != sorted[i - 1].low || sorted[i].at >= *first) continue;
		TRY(is_in(context, &is_admitted, sorted[i].low, err));
		if (!is_admitted) *first = sorted[i].at;
	}
	return STATUS_OK;
}

enum status serials_first_alike(
    size_t *at, const uint64_t *fragments, size_t count, serial_is_in *is_in, void *context, struct err *err) {
	struct candidate *sorted = mem_zalloc(count + 1, sizeof *sorted);
	for (size_t i = 0; i < count; i++) sorted[i] = (struct candidate){low_bits(fragments[i], SERIAL_BITS), i};
	qsort(sorted, count, sizeof *sorted, compare);
	const enum status status = look(at, sorted, count, is_in, context, err);
	mem_free(sorted);
	return status;
}
