/* A transaction that decodes encodes to the bytes it came from; its hashes and sender can be asked for. */
#include "crypto/hash.h"
#include "eth/types.h"
#include "fuzz/target.h"

static void check_decoded(const struct transaction *tx) {
	struct buf again;
	buf_init(&again, 1 << 24);
	transaction_encode(&again, tx);
	BUG_ON(!bytes_equal(buf_view(&again), tx->raw));
	buf_fini(&again);
	hash32 hash = transaction_hash(tx), expected = keccak256(tx->raw);
	BUG_ON(!hash32_equal(&hash, &expected));
	addr20 strict, lax;
	enum status homestead = transaction_sender(&strict, tx, true, NULL);
	enum status frontier = transaction_sender(&lax, tx, false, NULL);
	BUG_ON(homestead == STATUS_OK && (frontier != STATUS_OK || !addr20_equal(&strict, &lax)));
	for (size_t i = 0; i < tx->authorization_count; i++)
		if (authorization_authority(&lax, &tx->authorizations[i])) continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_make(data, size), sidecar;
	struct transaction tx, bare;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status with = transaction_decode(&tx, &sidecar, &arena, input, &err);
	enum status without = transaction_decode(&bare, NULL, &arena, input, NULL);
	if (without == STATUS_OK) {
		BUG_ON(with != STATUS_OK || sidecar.len || !bytes_equal(bare.raw, input));
		check_decoded(&bare);
	}
	if (with == STATUS_OK) check_decoded(&tx);
	arena_fini(&arena);
	return 0;
}
