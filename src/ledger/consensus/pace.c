#include "ledger/consensus/pace.h"

static uint64_t within(uint64_t value, uint64_t least, uint64_t most) {
	return value < least ? least : value > most ? most : value;
}

void pace_init(struct pace *pace) {
	*pace = (struct pace){0};
	atomic_store(&pace->bytes, 2 * PACE_BYTES_MIN);
}

static void pace_bytes(struct pace *pace, uint64_t took_ms, uint64_t bytes) {
	const uint64_t limit = atomic_load(&pace->bytes);
	uint64_t next = limit;
	if (took_ms > PACE_MS)
		next = (bytes < limit ? bytes : limit) * 3 / 4;
	else if (took_ms < PACE_MS / 2 && bytes >= limit / 2)
		next = limit * 5 / 4;
	atomic_store(&pace->bytes, within(next, PACE_BYTES_MIN, PACE_BYTES_MAX));
}

void pace_height(struct pace *pace, uint64_t now_ms, size_t bytes) {
	/* After a height of nothing nobody knows when the next one began. */
	if (bytes > 0 && pace->was_busy) pace_bytes(pace, now_ms - pace->last_ms, bytes);
	pace->was_busy = bytes > 0;
	pace->last_ms = now_ms;
}

size_t pace_under_way(const struct pace *pace) {
	return within(pace->decided * 5 / 2, PACE_TXS_MIN, PACE_TXS_MAX);
}

void pace_left(struct pace *pace, uint64_t height, size_t under_way) {
	if (pace->under_way > under_way) pace->gone += pace->under_way - under_way;
	if (height <= pace->seen_height) return;
	const size_t each = pace->gone / (height - pace->seen_height);
	pace->decided = (7 * pace->decided + each) / 8;
	pace->seen_height = height;
	pace->gone = 0;
}

void pace_sent(struct pace *pace, size_t under_way) {
	pace->under_way = under_way;
}
