/*
 * The input is a 32-byte key, then nodes as RLP strings; the root is the first node's hash, so that the walk begins. A
 * proof that holds no longer does with a node more or less.
 */
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/proof.h"
#include "fuzz/target.h"

#define NODES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 32) return 0;
	hash32 key;
	memcpy(key.b, data, 32);
	struct rlp_cursor cursor = rlp_cursor(bytes_make(data + 32, size - 32));
	struct bytes nodes[NODES_MAX + 1] = {0}, value;
	size_t count = 0;
	while (!rlp_at_end(&cursor) && count < NODES_MAX) nodes[count++] = rlp_string(&cursor);
	if (count == 0 || cursor.fault) return 0;
	hash32 root = keccak256(nodes[0]);
	struct err err;
	if (proof_verify(&value, &root, &key, nodes, count, &err) == STATUS_OK) {
		struct bytes other;
		BUG_ON(proof_verify(&other, &root, &key, nodes, count - 1, NULL) == STATUS_OK);
		BUG_ON(proof_verify(&other, &root, &key, nodes, count + 1, NULL) == STATUS_OK);
	} else {
		BUG_ON(value.data != NULL);
	}
	addr20 address;
	memcpy(address.b, key.b, 20);
	struct proof_account account;
	u256 number;
	bool exists;
	if (proof_account(&exists, &account, &root, &address, nodes, count, &err)) BUG_ON(exists);
	const enum status ordered = proof_ordered(&value, &root, load_be64(key.b) >> 48, nodes, count, NULL);
	BUG_ON((ordered == STATUS_OK) != (value.data != NULL));
	if (proof_storage(&number, &root, &key, nodes, count, &err)) return 0;
	return 0;
}
