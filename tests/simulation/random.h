/* Chance that a seed repeats (splitmix64). */
#ifndef TESTS_SIMULATION_RANDOM_H
#define TESTS_SIMULATION_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
	uint64_t state;
};

static inline uint64_t sim_any(struct sim_random *random) {
	uint64_t z = random->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to `count` - 1. */
static inline uint64_t sim_below(struct sim_random *random, uint64_t count) {
	return sim_any(random) % count;
}

static inline bool sim_chance(struct sim_random *random, unsigned percent) {
	return sim_below(random, 100) < percent;
}

#endif
