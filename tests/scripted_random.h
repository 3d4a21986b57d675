/* Randomness that is the same in every run: SHA-256 in counter mode over a counter that the test may set. */
#ifndef TESTS_SCRIPTED_RANDOM_H
#define TESTS_SCRIPTED_RANDOM_H

#include "base/world.h"
#include "crypto/hash.h"

struct scripted_random {
	uint64_t counter;
};

static inline void scripted_random_fill(void *context, uint8_t *out, size_t len) {
	struct scripted_random *script = context;
	while (len) {
		hash32 block = sha256(bytes_make(&script->counter, sizeof script->counter));
		size_t take = len < sizeof block.b ? len : sizeof block.b;
		memcpy(out, block.b, take);
		script->counter++;
		out += take;
		len -= take;
	}
}

static inline struct random_source scripted_random(struct scripted_random *script) {
	return (struct random_source){scripted_random_fill, script};
}

#endif
