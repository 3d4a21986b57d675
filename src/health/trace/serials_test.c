/* The table of serials, against a plain one that has all fragments whole. */
#include "health/trace/serials.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/unit.h"

#define COUNT 3000u
#define BUCKETS 4096u

/* What a bucket says of itself is in its word: a depth of 1, lanes of 0b1011 and 0b1. */
static void a_bucket_is_read_from_its_word(void **state) {
	(void)state;
	hash32 word = {{0}};
	word.b[31] = 1;
	word.b[30] = 0x0b;
	word.b[27] = 0x08; /* bit 8 + 27 */
	const struct serial_bucket bucket = serial_bucket(&word);
	assert_int_equal(bucket.depth, 1);
	assert_int_equal(bucket.count, 2);
	assert_int_equal(bucket.lanes[0], 0x0b);
	assert_int_equal(bucket.lanes[1], 1);
	assert_true(serial_bucket_has(&bucket, 6)); /* 0b110: 0b011 behind the place */
}

/* --- a whole table --- */

struct table {
	struct serial_bucket buckets[BUCKETS];
	bool made[BUCKETS];
};

static uint64_t place_of(const struct table *table, uint64_t fragment) {
	uint64_t place = 0;
	for (unsigned depth = 0; depth < 12; depth++) {
		const uint64_t deeper = fragment & (((uint64_t)2 << depth) - 1);
		if (table->made[deeper] && serial_bucket_place(&table->buckets[deeper], fragment) == deeper)
			place = deeper;
	}
	return place;
}

/* False: it is taken for one that is in. */
static bool insert(struct table *table, uint64_t fragment) {
	for (;;) {
		struct serial_bucket *bucket = &table->buckets[place_of(table, fragment)];
		if (serial_bucket_has(bucket, fragment)) return false;
		if (bucket->count < SERIAL_LANES) {
			serial_bucket_put(bucket, fragment, fragment);
			return true;
		}
		const uint64_t place = place_of(table, fragment), sibling = place + ((uint64_t)1 << bucket->depth);
		assert_true(sibling < BUCKETS);
		struct serial_bucket low = {.depth = bucket->depth + 1}, high = low;
		for (unsigned i = 0; i < bucket->count; i++) {
			struct serial_bucket *half = bucket->lanes[i] & 1 ? &high : &low;
			half->lanes[half->count++] = bucket->lanes[i] >> 1;
		}
		*bucket = low;
		table->buckets[sibling] = high;
		table->made[sibling] = true;
	}
}

static enum status before(void *context, struct serial_bucket *out, uint64_t fragment, struct err *err) {
	const struct table *table = context;
	(void)err;
	*out = table->buckets[place_of(table, fragment)];
	return STATUS_OK;
}

/* Of 15 random bits, then zeros, then random ones from bit 26 on: many agree in 26 bits, and few of those in as many
 * more as their bucket's depth adds. */
static uint64_t next(uint64_t *random) {
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	const uint64_t bits = *random >> 30;
	return (bits & 0x7fff) | bits >> 15 << 26;
}

static void the_first_that_is_taken_for_another_is_found(void **state) {
	(void)state;
	unsigned alike = 0, sound = 0;
	uint64_t random = 1, *fragments = mem_zalloc(COUNT, sizeof *fragments);
	for (unsigned round = 0; round < 200; round++) {
		struct table *table = mem_zalloc(1, sizeof *table);
		struct err err;
		size_t found, first;
		for (unsigned i = round % 4 * 100; i > 0; i--) insert(table, next(&random));
		for (size_t i = 0; i < COUNT; i++) {
			/* what the table has already is asked of the table */
			do fragments[i] = next(&random);
			while (serial_bucket_has(&table->buckets[place_of(table, fragments[i])], fragments[i]));
		}
		assert_int_equal(serials_first_alike(&found, fragments, COUNT, before, table, &err), STATUS_OK);
		for (first = 0; first < COUNT && insert(table, fragments[first]); first++) {
		}
		assert_int_equal(found, first);
		alike += first < COUNT;
		sound += first == COUNT;
		mem_free(table);
	}
	assert_true(alike > 10);
	assert_true(sound > 10);
	mem_free(fragments);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bucket_is_read_from_its_word),
	    cmocka_unit_test(the_first_that_is_taken_for_another_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
