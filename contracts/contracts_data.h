/*
 * The creation code of the contracts, embedded from contracts/artifacts/ (tools/embed-contracts.py). Constructor
 * arguments, ABI-encoded, follow the code in a deployment; which they are, and in which order contracts are deployed,
 * is in docs/contracts.md. Read-only data; any thread.
 */
#ifndef CONTRACTS_CONTRACTS_DATA_H
#define CONTRACTS_CONTRACTS_DATA_H

#include <stddef.h>
#include <stdint.h>

struct contract_code {
	const char *name; /* "Directory", "Folders", "Records", "Consent", "Products", "Medicines", "Members" */
	const uint8_t *bytecode;
	size_t len;
	const uint8_t *laid; /* what a genesis lays as the account's code; NULL: the contract has a constructor */
	size_t laid_len;
};

/* NULL: there is none of that name. */
const struct contract_code *contract_code_get(const char *name);

#endif
