#include "health/actors/possession.h"

#include "crypto/hash.h"
#include "eth/abi.h"

/* keccak256(abi.encode("xinglin key possession", chainid, Directory, genesis, actor, version, x, y)) */
hash32 possession_digest(
    const struct deployment *deployment, const addr20 *actor, uint32_t version, const struct p256_public *key) {
	struct buf encoded;
	buf_init(&encoded, 1024);
	struct abi_row row = abi_row_begin(&encoded);
	size_t text = abi_reserve(&encoded);
	abi_put_u64(&encoded, deployment->chain_id);
	abi_put_address(&encoded, &deployment->directory);
	abi_put_hash32(&encoded, &deployment->genesis);
	abi_put_address(&encoded, actor);
	abi_put_u64(&encoded, version);
	abi_put_fixed(&encoded, bytes_make(key->xy, 32));
	abi_put_fixed(&encoded, bytes_make(key->xy + 32, 32));
	abi_tail(&row, text);
	abi_put_bytes(&encoded, BYTES_LITERAL("xinglin key possession"));
	hash32 digest = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return digest;
}
