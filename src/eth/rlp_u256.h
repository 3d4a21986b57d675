/*
 * Numbers of 256 bits in RLP. Private to eth/. Threads: pure.
 */
#ifndef ETH_RLP_U256_H
#define ETH_RLP_U256_H

#include "codec/rlp.h"
#include "eth/u256.h"

static inline u256 rlp_get_u256(struct rlp_cursor *cursor) {
	uint8_t be[32];
	rlp_u256(cursor, be);
	return u256_load_be(be);
}

static inline void rlp_put_u256(struct buf *out, const u256 *value) {
	uint8_t be[32];
	u256_store_be(be, value);
	rlp_put_uint(out, bytes_make(be, 32));
}

/*
 * How many items are left under the cursor, which stays where it is. An item of fewer than `least_bytes` is a fault: so
 * a small input cannot claim a large array.
 */
static inline size_t rlp_count(struct rlp_cursor *cursor, size_t least_bytes) {
	size_t count = 0;
	struct rlp_cursor ahead = *cursor;
	while (!rlp_at_end(&ahead)) {
		if (rlp_raw(&ahead).len < least_bytes) rlp_fail(&ahead, "item is too short");
		count++;
	}
	if (!ahead.fault) return count;
	rlp_fail(cursor, ahead.fault);
	return 0;
}

#endif
