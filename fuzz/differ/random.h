/* Numbers that follow from a seed alone (splitmix64), so that a case can be made again. Threads: one owner. */
#ifndef DIFFER_RANDOM_H
#define DIFFER_RANDOM_H

#include "eth/u256.h"

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
	uint64_t z = random->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* [0, limit) */
static inline uint64_t random_below(struct random *random, uint64_t limit) {
	return (uint64_t)((unsigned __int128)random_next(random) * limit >> 64);
}

/* True `in_thousand` times in a thousand. */
static inline bool random_chance(struct random *random, unsigned in_thousand) {
	return random_below(random, 1000) < in_thousand;
}

static inline void random_fill(struct random *random, uint8_t *out, size_t len) {
	for (size_t i = 0; i < len; i++) out[i] = (uint8_t)random_next(random);
}

/* Which of `count` parts, each as likely as its weight. */
static inline size_t random_weighted(struct random *random, const uint16_t *weights, size_t count) {
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++) sum += weights[i];
	uint64_t left = random_below(random, sum);
	for (size_t i = 0; i < count; i++) {
		if (left < weights[i]) return i;
		left -= weights[i];
	}
	return count - 1;
}

/* Words that programs stumble over: small ones, powers of two and their neighbours, all ones, and any. */
u256 random_word(struct random *random);

#endif
