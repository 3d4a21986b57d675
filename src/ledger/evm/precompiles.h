/*
 * The precompiled contracts, as one table: address, first fork, gas and function. Point evaluation (0x0a) and BLS12-381
 * (0x0b to 0x11) stand on blst (docs/decisions/0014-blst-and-c-kzg.md).
 *
 * A precompile is a pure function of fork and input; it touches no state. What it refuses is a verdict, which geth's
 * words name: the call fails and takes all its gas.
 *
 * Threads: pure. Sources: Yellow Paper app. E; EIP-152, 196, 197, 198, 1108, 2537, 2565, 4844, 7823, 7883, 7951.
 */
#ifndef LEDGER_EVM_PRECOMPILES_H
#define LEDGER_EVM_PRECOMPILES_H

#include "base/mem.h"
#include "ledger/evm/fork.h"

/* MODEXP's base and modulus are never longer: 16 MiB would cost 10¹² gas in the cheapest fork, and it counts as too
 * dear. */
#define PRECOMPILE_MODEXP_BYTES_MAX ((size_t)1 << 24)

/* A gas need that no limit meets. */
#define PRECOMPILE_GAS_NEVER UINT64_MAX

struct precompile {
	uint16_t address; /* the last two bytes; the first 18 are zero */
	enum fork since;
	const char *name; /* as eth_config spells it (EIP-7910) */
	uint64_t (*gas)(enum fork fork, struct bytes input);
	/* Appends its output and returns NULL, or returns why it refuses the input. Called only once the gas is paid.
	 */
	const char *(*run)(struct buf *output, struct bytes input);
};

struct precompile_result {
	bool success;
	uint64_t gas_used;   /* all of the limit where success is false */
	const char *refusal; /* why the input was refused; NULL on success and if the gas was short */
};

/* NULL if `address` is not a precompile in this fork. */
const struct precompile *precompile_find(enum fork fork, const addr20 *address);

/*
 * Runs it; the output is appended to `output`, whose maximum leaves room for max(input.len,
 * PRECOMPILE_MODEXP_BYTES_MAX) more bytes. A gas need above `gas_limit` or a refused input: success is false, nothing
 * is appended.
 */
struct precompile_result precompile_run(
    const struct precompile *precompile, struct buf *output, enum fork fork, struct bytes input, uint64_t gas_limit);

#endif
