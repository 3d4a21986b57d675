/*
 * Reading numbers as genesis files and the official tests spell them, and their lists of accounts:
 *     { "0x…20": { "balance": …, "nonce": …, "code": "0x…", "storage": { "0x…": "0x…" } }, … }
 * A number is a JSON number, or a string with decimal or 0x-hexadecimal digits (leading zeros are fine); the 0x of an
 * address may be missing. Threads: pure.
 */
#ifndef LEDGER_CHAIN_ALLOC_H
#define LEDGER_CHAIN_ALLOC_H

#include "codec/json.h"
#include "ledger/state/state.h"

/* False for what is no such number or does not fit; also for NULL. */
bool loose_u256(u256 *out, const struct json *value);
bool loose_u64(uint64_t *out, const struct json *value);
/* As many bytes as the text has digits for; an odd count counts as led by a zero. At most 32, right-aligned. */
bool loose_word(hash32 *out, struct bytes text);
bool loose_address(addr20 *out, struct bytes text);

/* Adds the accounts to the state and ends its transaction. STATUS_INVALID names the account. */
MUST_USE enum status alloc_fill_state(struct state *state, const struct json *alloc, struct err *err);

#endif
