#include "crypto/hash.h"
#include "eth/types.h"

/* Yellow Paper §4.3.1: three bits of 2048, from the first three byte pairs of the item's hash. */
static unsigned bit_of(const hash32 *hash, int pair) {
	return (hash->b[2 * pair] << 8 | hash->b[2 * pair + 1]) & (8 * BLOOM_BYTES - 1);
}

void bloom_add(uint8_t bloom[BLOOM_BYTES], struct bytes item) {
	hash32 hash = keccak256(item);
	for (int pair = 0; pair < 3; pair++) {
		unsigned bit = bit_of(&hash, pair);
		bloom[BLOOM_BYTES - 1 - bit / 8] |= (uint8_t)(1u << bit % 8);
	}
}

void bloom_add_log(uint8_t bloom[BLOOM_BYTES], const struct log *log) {
	bloom_add(bloom, BYTES_OF(log->address));
	for (size_t i = 0; i < log->topic_count; i++) bloom_add(bloom, BYTES_OF(log->topics[i]));
}

bool bloom_may_contain(const uint8_t bloom[BLOOM_BYTES], struct bytes item) {
	hash32 hash = keccak256(item);
	for (int pair = 0; pair < 3; pair++) {
		unsigned bit = bit_of(&hash, pair);
		if (!(bloom[BLOOM_BYTES - 1 - bit / 8] >> bit % 8 & 1)) return false;
	}
	return true;
}
