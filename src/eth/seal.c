#include "eth/seal.h"

#include "eth/eip712.h"

hash32 seal_domain(const u256 *chain_id, const hash32 *genesis) {
	const struct eip712_domain domain = {
	    .name = "xinglin chain", .version = "1", .chain_id = *chain_id, .salt = genesis};
	return eip712_domain_hash(&domain);
}

hash32 seal_digest(const hash32 *domain, uint64_t number, const hash32 *hash) {
	struct eip712_struct seal = eip712_begin("Seal(uint64 number,bytes32 hash)");
	eip712_put_u64(&seal, number);
	eip712_put_hash32(&seal, hash);
	const hash32 struct_hash = eip712_end(&seal);
	return eip712_digest(domain, &struct_hash);
}

hash32 head_digest(const hash32 *domain, const struct head_statement *head) {
	struct eip712_struct s = eip712_begin("Head(uint64 number,bytes32 hash,uint64 time,bytes32 challenge)");
	eip712_put_u64(&s, head->number);
	eip712_put_hash32(&s, &head->hash);
	eip712_put_u64(&s, head->time_s);
	eip712_put_hash32(&s, &head->challenge);
	const hash32 struct_hash = eip712_end(&s);
	return eip712_digest(domain, &struct_hash);
}
