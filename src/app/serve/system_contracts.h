/* Contracts that a genesis from Prague on has to hold (EIP-4788, 2935, 7002, 7251). Read-only data. */
#ifndef APP_SERVE_SYSTEM_CONTRACTS_H
#define APP_SERVE_SYSTEM_CONTRACTS_H

#define SYSTEM_CONTRACT_COUNT 4

struct system_contract {
	const char *address; /* "0x…" */
	const char *code;
};
extern const struct system_contract system_contracts[SYSTEM_CONTRACT_COUNT];

#endif
