#include "ledger/chain/chain_private.h"

enum { DIFFICULTY_BOUND_DIVISOR = 2048, MINIMUM_DIFFICULTY = 131072, BOMB_PERIOD_BLOCKS = 100000 };

/* How far the difficulty moves, in steps of parent / 2048; at least -99. */
static int64_t steps(enum fork fork, const struct header *parent, uint64_t seconds) {
	if (fork < FORK_HOMESTEAD) return seconds < 13 ? 1 : -1;
	const bool parent_has_ommers = !hash32_equal(&parent->ommers_hash, &empty_ommers_hash);
	const int64_t base = fork >= FORK_BYZANTIUM && parent_has_ommers ? 2 : 1;
	const uint64_t late = seconds / (fork >= FORK_BYZANTIUM ? 9 : 10);
	return late > 101 ? -99 : base - (int64_t)late < -99 ? -99 : base - (int64_t)late;
}

u256 chain_difficulty(const struct genesis *genesis, const struct header *parent, uint64_t timestamp) {
	const u256 fixed = genesis_fixed_difficulty(genesis);
	if (!u256_is_zero(&fixed)) return fixed;
	const uint64_t number = parent->number + 1;
	const enum fork fork = genesis_rules(genesis, number, timestamp, false).fork;
	const u256 divisor = u256_from(DIFFICULTY_BOUND_DIVISOR), minimum = u256_from(MINIMUM_DIFFICULTY);
	const int64_t count = steps(fork, parent, timestamp - parent->timestamp);
	const u256 times = u256_from((uint64_t)(count < 0 ? -count : count));
	u256 delta = u256_div(&parent->difficulty, &divisor), difficulty = parent->difficulty;
	delta = u256_mul(&delta, &times);
	if (count >= 0)
		u256_add_overflow(&difficulty, &difficulty, &delta);
	else
		u256_sub_overflow(&difficulty, &difficulty, &delta);

	const uint64_t delay = genesis_bomb_delay_blocks(genesis, number);
	const uint64_t fake = number > delay ? number - delay : 0;
	const uint64_t period = fake / BOMB_PERIOD_BLOCKS;
	if (period >= 2) {
		const u256 one = u256_from(1), bomb = u256_shl(&one, period - 2 > 255 ? 256u : (unsigned)(period - 2));
		u256_add_overflow(&difficulty, &difficulty, &bomb);
	}
	return u256_less(&difficulty, &minimum) ? minimum : difficulty;
}
