#include "eth/eip712.h"

static void put(struct eip712_struct *s, const void *word_tail, size_t len) {
	static const uint8_t zeros[32];
	keccak256_update(&s->keccak, bytes_make(zeros, 32 - len));
	keccak256_update(&s->keccak, bytes_make(word_tail, len));
}

struct eip712_struct eip712_begin(const char *type) {
	struct eip712_struct s;
	keccak256_init(&s.keccak);
	hash32 type_hash = keccak256(bytes_text(type));
	eip712_put_hash32(&s, &type_hash);
	return s;
}

void eip712_put_u64(struct eip712_struct *s, uint64_t value) {
	uint8_t be[8];
	store_be64(be, value);
	put(s, be, sizeof be);
}

void eip712_put_u256(struct eip712_struct *s, const u256 *value) {
	uint8_t be[32];
	u256_store_be(be, value);
	put(s, be, sizeof be);
}

void eip712_put_bool(struct eip712_struct *s, bool value) {
	eip712_put_u64(s, value);
}

void eip712_put_address(struct eip712_struct *s, const addr20 *address) {
	put(s, address->b, sizeof address->b);
}

void eip712_put_hash32(struct eip712_struct *s, const hash32 *hash) {
	put(s, hash->b, sizeof hash->b);
}

void eip712_put_addresses(struct eip712_struct *s, const addr20 *addresses, size_t count) {
	struct eip712_struct elements;
	keccak256_init(&elements.keccak);
	for (size_t i = 0; i < count; i++) eip712_put_address(&elements, &addresses[i]);
	hash32 hash = eip712_end(&elements);
	eip712_put_hash32(s, &hash);
}

void eip712_put_hashes(struct eip712_struct *s, const hash32 *hashes, size_t count) {
	hash32 hash = keccak256(bytes_make(hashes, count * sizeof *hashes));
	eip712_put_hash32(s, &hash);
}

void eip712_put_bytes(struct eip712_struct *s, struct bytes value) {
	hash32 hash = keccak256(value);
	eip712_put_hash32(s, &hash);
}

hash32 eip712_end(struct eip712_struct *s) {
	return keccak256_final(&s->keccak);
}

/* The members' order is the standard's. */
static const char *domain_type(const struct eip712_domain *domain) {
#define FIRST "EIP712Domain(string name,string version,uint256 chainId"
#define CONTRACT ",address verifyingContract"
#define SALT ",bytes32 salt"
	if (!domain->salt) return domain->verifying_contract ? FIRST CONTRACT ")" : FIRST ")";
	return domain->verifying_contract ? FIRST CONTRACT SALT ")" : FIRST SALT ")";
}

hash32 eip712_domain_hash(const struct eip712_domain *domain) {
	struct eip712_struct s = eip712_begin(domain_type(domain));
	eip712_put_bytes(&s, bytes_text(domain->name));
	eip712_put_bytes(&s, bytes_text(domain->version));
	eip712_put_u256(&s, &domain->chain_id);
	if (domain->verifying_contract) eip712_put_address(&s, domain->verifying_contract);
	if (domain->salt) eip712_put_hash32(&s, domain->salt);
	return eip712_end(&s);
}

hash32 eip712_digest(const hash32 *domain_hash, const hash32 *struct_hash) {
	struct keccak keccak;
	keccak256_init(&keccak);
	keccak256_update(&keccak, BYTES_LITERAL("\x19\x01"));
	keccak256_update(&keccak, BYTES_OF(*domain_hash));
	keccak256_update(&keccak, BYTES_OF(*struct_hash));
	return keccak256_final(&keccak);
}
