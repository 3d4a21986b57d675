/* What the generated bindings are written with; nobody else includes this. */
#ifndef HEALTH_CONTRACTS_CONTRACT_CODEC_H
#define HEALTH_CONTRACTS_CONTRACT_CODEC_H

#include "eth/abi.h"
#include "eth/eip712.h"
#include "health/contracts/contract.h"

/* --- calls --- */

struct buf contract_call_begin(uint32_t selector);
/* Moves what was written to the arena. */
struct bytes contract_call_end(struct arena *arena, struct buf *call);
/* A reader of the arguments behind the selector; another selector, or calldata over CONTRACT_CALL_MAX, fails. */
struct abi_reader contract_call_reader(struct bytes calldata, uint32_t selector);
/* The end of reading arguments: nothing may follow, and there are no holes. */
MUST_USE enum status contract_call_whole(const struct abi_reader *reader, const char *what, struct err *err);
/* `again` is what the arguments are encoded as; calldata must be that, byte by byte. */
MUST_USE enum status contract_call_same(struct bytes calldata, struct bytes again, const char *what, struct err *err);
/* The end of reading a result: nothing may follow. */
MUST_USE enum status contract_result_end(const struct abi_reader *reader, const char *what, struct err *err);

/* --- events --- */

struct contract_log_reader {
	struct abi_reader topics, data;
};
/* A log of another topic, or of another number of topics than `indexed` and the event's own, fails. */
struct contract_log_reader contract_log_reader(const struct log *log, const hash32 *topic, size_t indexed);
MUST_USE enum status contract_log_end(const struct contract_log_reader *reader, const char *what, struct err *err);
/* Which of these is the log's first topic? `count`: none. */
size_t contract_topic_find(const struct log *log, const hash32 *const *topics, size_t count);
/* Argument `index`, from 1. */
void contract_topic_set(struct contract_topics *topics, size_t index, hash32 topic);

/* --- EIP-712 --- */

/* What is signed of a message, in `domain` under the contract's own name and version. */
hash32 contract_digest(const char *domain_name, const struct eip712_domain *domain, const hash32 *message_hash);

/* --- storage --- */

hash32 contract_slot(uint64_t number);
/* Of a mapping's entry. */
hash32 contract_slot_of_key(const hash32 *mapping, hash32 key);
hash32 contract_key_of_u256(const u256 *key);
/* Element `index` of an array whose length is at `slot`, of elements of up to 32 bytes that share slots. */
struct contract_place contract_element(const hash32 *slot, uint64_t index, uint8_t element_bytes);

/* Reads values out of consecutive slots' words. Fails stickily. */
struct contract_loader {
	const hash32 *words;
	bool failed;
};
/* Member at `word`, `bytes` of it from `offset` on. */
uint64_t contract_load_uint(const struct contract_loader *loader, size_t word, size_t offset, size_t bytes);
u256 contract_load_u256(const struct contract_loader *loader, size_t word, size_t offset, size_t bytes);
bool contract_load_bool(struct contract_loader *loader, size_t word, size_t offset);
unsigned contract_load_enum(struct contract_loader *loader, size_t word, size_t offset, unsigned count);
addr20 contract_load_address(const struct contract_loader *loader, size_t word, size_t offset);
void contract_load_fixed(const struct contract_loader *loader, uint8_t *out, size_t word, size_t offset, size_t bytes);
MUST_USE enum status contract_load_end(const struct contract_loader *loader, const char *what, struct err *err);

#endif
