/*
 * Typed structured data (EIP-712): digests of structs that the code knows by heart, put together word by word, and of
 * any typed data in JSON (as eth_signTypedData_v4 takes it).
 *
 *	struct eip712_struct grant = eip712_begin("Grant(address who,uint64 until,string why)");
 *	eip712_put_address(&grant, &who);
 *	eip712_put_u64(&grant, until);
 *	eip712_put_bytes(&grant, why);
 *	hash32 struct_hash = eip712_end(&grant);
 *	hash32 domain_hash = eip712_domain_hash(&domain), digest = eip712_digest(&domain_hash, &struct_hash);
 *
 * Threads: pure.
 */
#ifndef ETH_EIP712_H
#define ETH_EIP712_H

#include "base/mem.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "eth/u256.h"

/* Where a signature counts. Name, version and chain are always members of the domain's type; the others are unless
 * they are NULL. The salt is the chain's genesis hash: chains of one id, and contracts of one address, part by it. */
struct eip712_domain {
	const char *name, *version;
	u256 chain_id;
	const addr20 *verifying_contract;
	const hash32 *salt;
};
hash32 eip712_domain_hash(const struct eip712_domain *domain);

struct eip712_struct {
	struct keccak keccak;
};

/* `type` is the full type text, with the types that it refers to behind it in the order of their names. */
struct eip712_struct eip712_begin(const char *type);
/* The members, in the order of the type. */
void eip712_put_u64(struct eip712_struct *s, uint64_t value);
void eip712_put_u256(struct eip712_struct *s, const u256 *value);
void eip712_put_bool(struct eip712_struct *s, bool value);
void eip712_put_address(struct eip712_struct *s, const addr20 *address);
/* bytes32, or the hash of a member struct or array (the hash of its elements' words one after another). */
void eip712_put_hash32(struct eip712_struct *s, const hash32 *hash);
/* address[] and bytes32[]. */
void eip712_put_addresses(struct eip712_struct *s, const addr20 *addresses, size_t count);
void eip712_put_hashes(struct eip712_struct *s, const hash32 *hashes, size_t count);
/* `bytes` and `string`. */
void eip712_put_bytes(struct eip712_struct *s, struct bytes value);
hash32 eip712_end(struct eip712_struct *s);

/* keccak(0x1901 || domain hash || struct hash): what is signed. */
hash32 eip712_digest(const hash32 *domain_hash, const hash32 *struct_hash);

/*
 * The digest of {"types", "primaryType", "domain", "message"}. Where `types` has no EIP712Domain, it is made of the
 * domain's members in the standard's order. STATUS_INVALID: unknown types, members that are missing or that no type
 * names (what is shown and not signed misleads), values that do not fit their type. Integers are JSON integers, decimal
 * strings or "0x…" quantities.
 */
MUST_USE enum status eip712_typed_data(
    hash32 *digest, struct arena *arena, const struct json *typed_data, struct err *err);

#endif
