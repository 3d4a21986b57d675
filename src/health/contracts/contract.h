/*
 * Bindings of the contracts: everything that the health half has to know of an ABI, made from contracts/artifacts by
 * tools/make-contract-bindings while the program is built. Nobody types a signature, a topic or an error's name.
 *
 * For each contract C (directory, folders, records, consent, medicines) there is "health/contracts/C.h", in the build's
 * own src/health/contracts, with
 *
 *	struct C_S, enum C_E          structs and enums of the contract, under their names: struct consent_grant
 *	C_F_call                      calldata of function F, in an arena
 *	C_F_args, C_F_call_read       the arguments of calldata, of what changes state: strict (selector, ranges,
 *	                              padding, and every byte as C_F_call would write it)
 *	C_F_SELECTOR                  its selector
 *	C_F_read                      what F answered: strict (ranges, lengths, nothing behind the end)
 *	C_V_event, C_V_event_read     event V, from a log: strict (topics, ranges, lengths)
 *	C_V_event_topic               its first topic
 *	C_V_event_topics              a filter: NULL for an argument that may be anything
 *	C_event, C_event_read         any event of the contract, as a kind and a union: what follows a chain
 *	C_T_typed, C_T_typed_hash     EIP-712 type T that the contract checks, and its struct hash; the struct is
 *	                              C_T if the ABI has one of the same name and members
 *	C_T_typed_digest              what is signed; the domain's name and version are the contract's, whatever
 *	                              it says
 *	C_X_slot, C_X_load            where variable X (or an entry of mapping X) is stored, and its value from slots
 *
 * and "health/contracts/errors.h" with all errors of all contracts as one enum.
 *
 *	struct bytes data = consent_grant_of_call(arena, &folder, &record, &grantee), output;
 *	TRY(actor_request_call(request, &output, &deployment->consent, data, err));
 *	struct consent_grant grant;
 *	TRY(consent_grant_of_read(&grant, output, err));
 *
 *	struct consent_event event;
 *	TRY(consent_event_read(&event, arena, &log->log, err));
 *	switch (event.kind) {
 *	case CONSENT_EVENT_ACCESS: note(&event.access.folder, event.access.permitted); break;
 *
 * A log does not say whose it is: compare its address with the deployment's before you read it. Values that come from a
 * node are checked for form here and believed nowhere because of it.
 *
 * Ownership: calldata and arrays live in the arena; `bytes` and `string` are views into what was read. Threads: pure.
 * Sources: Solidity's "Contract ABI Specification" and "Layout of State Variables in Storage"; EIP-712.
 */
#ifndef HEALTH_CONTRACTS_CONTRACT_H
#define HEALTH_CONTRACTS_CONTRACT_H

#include "base/mem.h"
#include "eth/eip712.h"
#include "eth/types.h"

/* Longer calldata is refused: by EIP-7623's floor a block of 60 million gas holds 6 MB of it. */
#define CONTRACT_CALL_MAX ((size_t)8 << 20)

/* What logs must have as topics to be taken. */
struct contract_topics {
	hash32 topics[4];
	bool has_topic[4];
};

/* --- storage --- */

/* A value in storage: `bytes` of a slot, `offset` bytes from its low end. */
struct contract_place {
	hash32 slot;
	uint8_t offset, bytes;
};
/* The slot `count` behind this one, modulo 2^256: of a struct's later words. */
hash32 contract_slot_after(const hash32 *slot, uint64_t count);
/* Of a `string` or `bytes` whose own slot holds `word`: its length. Up to 31 bytes stand in the word's high end, longer
 * ones from contract_array_slot on. STATUS_DENIED: no such word is ever stored. */
MUST_USE enum status contract_stored_length(uint64_t *length, const hash32 *word, struct err *err);
/* Of the elements of a dynamic array (or of long bytes) whose length is at `slot`: the slot of word `index`. */
hash32 contract_array_slot(const hash32 *slot, uint64_t index);

#endif
