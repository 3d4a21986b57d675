/*
 * A small world in memory behind the EVM's host table, for tests and benchmarks. All its memory is made at once, so
 * that a test can see that running allocates nothing. Every change remembers the bytes that were there; reverting puts
 * them back.
 *
 * Threads: one owner.
 */
#ifndef LEDGER_EVM_TEST_HOST_H
#define LEDGER_EVM_TEST_HOST_H

#include "codec/json.h"
#include "ledger/evm/evm.h"

struct test_host;

extern const struct evm_host test_host_table; /* its context is the struct test_host */

struct test_host *test_host_new(void);
void test_host_free(struct test_host *host);
/* An empty world. */
void test_host_reset(struct test_host *host);

/* `code` is copied, padded and analysed. */
void test_host_put_account(
    struct test_host *host, const addr20 *address, const u256 *balance_wei, uint64_t nonce, struct bytes code);
void test_host_put_storage(struct test_host *host, const addr20 *address, const u256 *slot, const u256 *value);
/* Accounts as state tests spell them: address -> balance, nonce, code, storage. False where they are malformed. */
bool test_host_load(struct test_host *host, const struct json *accounts);
/* Does the world hold exactly what `accounts` says? Accounts that are absent there must be empty here. */
bool test_host_matches(struct test_host *host, const struct json *accounts);
/* Keccak of the RLP list of all logs. */
hash32 test_host_logs_hash(struct test_host *host);
/* A digest of everything: two worlds that did the same have the same. */
hash32 test_host_digest(struct test_host *host);
/* What is in the world becomes the transaction's start. */
void test_host_begin_transaction(struct test_host *host);
size_t test_host_snapshot(struct test_host *host);
void test_host_revert_to(struct test_host *host, size_t snapshot);

/* Lenient numbers and data, as test files spell them: "0x" and any count of hexadecimal digits. */
bool test_hex_word(u256 *out, struct bytes text);
bool test_hex_address(addr20 *out, struct bytes text);
bool test_hex_data(struct bytes *out, struct arena *arena, struct bytes text);

#endif
