/* Recovering many signers at once gives what recovering them one by one gives. Each 97 bytes: r, s, digest, parity. */
#include "crypto/secp256k1_many.h"
#include "fuzz/target.h"

#define RECORD_BYTES 97u
#define RECORDS_MAX 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const size_t count = size / RECORD_BYTES < RECORDS_MAX ? size / RECORD_BYTES : RECORDS_MAX;
	struct secp_signature signatures[RECORDS_MAX];
	hash32 digests[RECORDS_MAX];
	uint8_t keys[RECORDS_MAX][64], key[64];
	enum status statuses[RECORDS_MAX];
	for (size_t i = 0; i < count; i++, data += RECORD_BYTES) {
		memcpy(signatures[i].r, data, 32);
		memcpy(signatures[i].s, data + 32, 32);
		memcpy(digests[i].b, data + 64, 32);
		signatures[i].y_parity = data[96] & 3;
	}
	secp_recover_many(keys, statuses, signatures, digests, count);
	for (size_t i = 0; i < count; i++) {
		BUG_ON(statuses[i] != secp_recover(key, &signatures[i], &digests[i]));
		BUG_ON(statuses[i] == STATUS_OK && memcmp(key, keys[i], sizeof key) != 0);
	}
	return 0;
}
