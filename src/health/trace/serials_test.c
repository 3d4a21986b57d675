/*
 * The table of serials, against another one that keeps fragments whole and is slow. Its histories, and the hashes of
 * the tables that they leave, are those of contracts/test/Serials.t.sol: so program and contract agree.
 */
#include "health/trace/serials.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "eth/u256.h"
#include "tests/unit.h"

#define BUCKETS_MAX 1024u

/* --- a table --- */

struct held {
	uint64_t place;
	unsigned depth, count;
	uint64_t fragments[SERIAL_LANES_MAX]; /* whole, in order */
};
struct table {
	struct held buckets[BUCKETS_MAX];
	size_t count;
};
enum came { NEW, DUPLICATE, CROWDED };

static uint64_t low(uint64_t value, unsigned bits) {
	return value & (((uint64_t)1 << bits) - 1);
}

static struct held *bucket_of(struct table *table, uint64_t fragment) {
	for (size_t i = 0; i < table->count; i++)
		if (low(fragment, table->buckets[i].depth) == table->buckets[i].place) return &table->buckets[i];
	abort();
}

static bool has(const struct held *held, uint64_t fragment) {
	for (unsigned i = 0; i < held->count; i++)
		if (low(held->fragments[i] ^ fragment, SERIAL_BITS) == 0) return true;
	return false;
}

static void split(struct table *table, struct held *held) {
	assert_true(table->count < BUCKETS_MAX);
	struct held *other = &table->buckets[table->count++];
	*other = (struct held){.place = held->place + ((uint64_t)1 << held->depth), .depth = held->depth + 1};
	const unsigned count = held->count;
	held->count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct held *half = held->fragments[i] >> held->depth & 1 ? other : held;
		half->fragments[half->count++] = held->fragments[i];
	}
	held->depth++;
}

/* A bucket has 5 bits for its depth, a 1 above its lanes, and the others for them. */
static enum came insert(struct table *table, uint64_t fragment) {
	struct held *held = bucket_of(table, fragment);
	if (has(held, fragment)) return DUPLICATE;
	while ((held->count + 1) * (SERIAL_BITS - held->depth) > 256 - 5 - 1) {
		if (held->depth == SERIAL_DEPTH_MAX) return CROWDED;
		split(table, held);
		held = bucket_of(table, fragment);
	}
	held->fragments[held->count++] = fragment;
	return NEW;
}

static u256 with_bits(const u256 *above, unsigned bits, uint64_t value) {
	u256 out = u256_shl(above, bits);
	out.w[0] |= value;
	return out;
}

static hash32 word_of(const struct held *held) {
	u256 word = u256_from(1);
	hash32 out;
	for (unsigned i = held->count; i-- > 0;)
		word = with_bits(&word, SERIAL_BITS - held->depth, low(held->fragments[i], SERIAL_BITS) >> held->depth);
	word = with_bits(&word, 5, held->depth);
	u256_store_be(out.b, &word);
	return out;
}

/* --- histories --- */

static uint64_t next(uint64_t *random) {
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 8;
}

struct history {
	uint64_t seed, mask, set;
	unsigned count;
	const char *hash;
};

/* The bucket at a place, and those that split from it, in order. */
static hash32 hash_of(struct table *table, uint64_t place, hash32 before) {
	const struct held *held = bucket_of(table, place);
	hash32 both[2] = {before, word_of(held)};
	hash32 hash = keccak256(bytes_make(both, sizeof both));
	assert_true(held->place == place);
	const unsigned depth = held->depth;
	for (unsigned bit = 0; bit < depth; bit++)
		if (place >> bit == 0) hash = hash_of(table, place + ((uint64_t)1 << bit), hash);
	return hash;
}

/* What serials.h reads in a bucket's word is what was put in, and nothing else. */
static void check_bucket(const struct held *held, uint64_t *random) {
	const hash32 word = word_of(held);
	const struct serial_bucket bucket = serial_bucket(&word);
	assert_int_equal(bucket.depth, held->depth);
	assert_int_equal(bucket.count, held->count);
	assert_false(serial_bucket_is_unmade(&bucket) != (held->depth == 0 && held->count == 0));
	for (unsigned i = 0; i < held->count; i++) {
		const uint64_t fragment = held->fragments[i];
		assert_true(serial_bucket_place(&bucket, fragment) == held->place);
		assert_true(serial_bucket_has(&bucket, fragment));
		assert_true(serial_bucket_has(&bucket, fragment ^ (uint64_t)1 << SERIAL_BITS));
		const uint64_t other = fragment ^ (uint64_t)1 << (SERIAL_BITS - 1);
		assert_true(serial_bucket_has(&bucket, other) == has(held, other));
	}
	const uint64_t any = next(random) << held->depth | held->place;
	assert_true(serial_bucket_has(&bucket, any) == has(held, any));
}

static void program_and_contract_have_the_same_table(void **state) {
	(void)state;
	static const struct history histories[] = {
	    {1, UINT64_MAX, 0, 2000, "6043fed8abc32454aa5603a8b5aa49961ffcf777e6e85eaaad0dae1248e02934"},
	    {2, (uint64_t)0xff << 33 | 0x3f, 0, 600,
		"a02b139fbadba27f3a6a2c69192315557dfa80ef67fc8356c6e7795340857362"},
	    {3, UINT64_MAX << 7, 0x55, 300, "cf1a1fcb0c476d5df82291cdb709c9208f1e93c8f006d6692d5f6a0031522bd1"},
	    {4, UINT64_MAX << 31, 0x1234, 300, "6b1bbfd6b355bb5bb74b1cec8e207160f3d786b7105972b562116e80f7dd849a"},
	};
	for (size_t i = 0; i < sizeof histories / sizeof *histories; i++) {
		struct table *table = mem_zalloc(1, sizeof *table);
		uint64_t random = histories[i].seed;
		table->count = 1;
		for (unsigned n = 0; n < histories[i].count; n++) {
			insert(table, (next(&random) & histories[i].mask) | histories[i].set);
			if (n % 2) next(&random); /* the contract's history has a depth here */
		}
		const hash32 hash = hash_of(table, 0, (hash32){{0}});
		char text[65];
		for (size_t b = 0; b < sizeof hash.b; b++) snprintf(text + 2 * b, 3, "%02x", hash.b[b]);
		assert_string_equal(text, histories[i].hash);
		for (size_t b = 0; b < table->count; b++) check_bucket(&table->buckets[b], &random);
		mem_free(table);
	}
}

/* What a node may say where a bucket should be. */
static void any_word_is_a_bucket(void **state) {
	(void)state;
	hash32 word = {{0}};
	struct serial_bucket bucket = serial_bucket(&word);
	assert_true(serial_bucket_is_unmade(&bucket));
	memset(word.b, 0xff, sizeof word.b);
	bucket = serial_bucket(&word);
	assert_int_equal(bucket.depth, SERIAL_DEPTH_MAX);
	assert_int_equal(bucket.count, SERIAL_LANES_MAX);
	word.b[31] = 0xe0;
	bucket = serial_bucket(&word);
	assert_int_equal(bucket.count, 6);
}

static void a_pack_has_seven_bytes_of_its_tag_and_a_depth(void **state) {
	(void)state;
	hash32 tags[2] = {{{1, 2, 3, 4, 5, 6, 7, 8, 9}}, {{0xff}}};
	const uint8_t depths[2] = {17, 0};
	struct arena arena;
	arena_init(&arena);
	assert_int_equal(serial_fragment(&tags[0]), 0x01020304050607);
	const struct bytes packs = serial_packs(&arena, tags, depths, 2);
	assert_int_equal(packs.len, 2 * SERIAL_PACK_BYTES);
	assert_memory_equal(packs.data, "\1\2\3\4\5\6\7\21\xff\0\0\0\0\0\0", 16);
	assert_memory_equal(serial_packs(&arena, tags, NULL, 1).data, "\1\2\3\4\5\6\7", 8);
	arena_fini(&arena);
}

/* --- serials of one document --- */

static enum status in_table(void *context, bool *out, uint64_t fragment, struct err *err) {
	struct table *table = context;
	(void)err;
	*out = has(bucket_of(table, fragment), fragment);
	return STATUS_OK;
}

/* Few bits, so that some lists have two that are alike. */
static void the_first_that_is_taken_for_another_is_found(void **state) {
	(void)state;
	enum { COUNT = 300 };
	unsigned alike = 0, sound = 0;
	uint64_t random = 1, fragments[COUNT];
	for (unsigned round = 0; round < 200; round++) {
		struct table *table = mem_zalloc(1, sizeof *table);
		struct err err;
		size_t found, first = 0;
		table->count = 1;
		for (size_t i = 0; i < COUNT; i++)
			fragments[i] = next(&random) & ((uint64_t)0x3ff << 31 | 0x3f | UINT64_MAX << 41);
		assert_int_equal(serials_first_alike(&found, fragments, COUNT, in_table, table, &err), STATUS_OK);
		while (first < COUNT && insert(table, fragments[first]) == NEW) first++;
		assert_int_equal(found, first);
		alike += first < COUNT;
		sound += first == COUNT;
		mem_free(table);
	}
	assert_true(alike > 10);
	assert_true(sound > 10);
}

/* They are in the list because a regulator admitted them. */
static void those_that_the_table_has_already_are_alike_rightly(void **state) {
	(void)state;
	struct table *table = mem_zalloc(1, sizeof *table);
	const uint64_t bit = (uint64_t)1 << SERIAL_BITS;
	const uint64_t fragments[] = {7, 7 + bit, 9, 9 + bit, 9 + 2 * bit};
	struct err err;
	size_t found;
	table->count = 1;
	insert(table, 7 + 3 * bit);
	assert_int_equal(serials_first_alike(&found, fragments, 5, in_table, table, &err), STATUS_OK);
	assert_int_equal(found, 3);
	insert(table, 9 + 3 * bit);
	assert_int_equal(serials_first_alike(&found, fragments, 5, in_table, table, &err), STATUS_OK);
	assert_int_equal(found, 5);
	mem_free(table);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(program_and_contract_have_the_same_table),
	    cmocka_unit_test(any_word_is_a_bucket),
	    cmocka_unit_test(a_pack_has_seven_bytes_of_its_tag_and_a_depth),
	    cmocka_unit_test(the_first_that_is_taken_for_another_is_found),
	    cmocka_unit_test(those_that_the_table_has_already_are_alike_rightly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
