#include "fuzz/differ/random.h"

u256 random_word(struct random *random) {
	static const uint16_t weights[] = {30, 20, 12, 10, 10, 4, 14};
	const unsigned bits = (unsigned)random_below(random, 256);
	const u256 one = u256_from(1);
	u256 word = u256_from(0), any;
	for (int i = 0; i < 4; i++) any.w[i] = random_next(random);
	switch (random_weighted(random, weights, sizeof weights / sizeof *weights)) {
	case 0: return u256_from(random_below(random, 4));
	case 1: return u256_from(random_below(random, 300));
	case 2: return u256_shl(&one, bits);
	case 3: /* 2^bits - 1 */
		word = u256_shl(&one, bits);
		u256_sub_overflow(&word, &word, &one);
		return word;
	case 4: return u256_shr(&any, bits);
	case 5: /* -small */
		any = u256_from(random_below(random, 300));
		u256_sub_overflow(&word, &word, &any);
		return word;
	}
	return any;
}
