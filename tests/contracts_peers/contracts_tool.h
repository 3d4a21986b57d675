/*
 * What the peers' test of the contracts' bindings runs: every generated function under a name, fed with values in a
 * form that knows nothing of the ABI. Numbers are 8 bytes, uint128 and uint256 are 32, bytesN and addresses are
 * themselves, bytes, strings and lists have their length or count before them in 8 bytes; all is big-endian.
 */
#ifndef TESTS_CONTRACTS_TOOL_H
#define TESTS_CONTRACTS_TOOL_H

#include "base/mem.h"
#include "eth/types.h"

struct tool_input {
	struct bytes rest;
	struct arena *arena;
};
uint64_t take_u64(struct tool_input *in);
u256 take_u256(struct tool_input *in);
void take_fixed(struct tool_input *in, uint8_t *out, size_t len);
struct bytes take_bytes(struct tool_input *in);
/* A log: the count of its topics, these, and the data. */
struct log take_log(struct tool_input *in);
/* The words of `count` slots. */
const hash32 *take_words(struct tool_input *in, size_t count);

void give_u64(struct buf *out, uint64_t value);
void give_u256(struct buf *out, const u256 *value);
void give_fixed(struct buf *out, const uint8_t *data, size_t len);
void give_bytes(struct buf *out, struct bytes value);

struct tool_binding {
	const char *name; /* "Consent.grantOf.call" */
	enum status (*run)(struct buf *out, struct tool_input *in);
};
extern const struct tool_binding tool_bindings[];
extern const size_t tool_binding_count;

#endif
