/*
 * Genesis in geth's format, and the fork schedule that follows from its config (chainId, homesteadBlock, daoForkBlock,
 * … londonBlock, terminalTotalDifficulty, shanghaiTime, cancunTime, pragueTime, osakaTime, bpo1Time…, blobSchedule,
 * depositContractAddress). xinglin's own settings stand under config.xinglin: { "zeroBaseFee": true,
 * "equalTimestamps": true, "sealer": "0x…20", "blobGates": ["0x…20", …], "admission": "0x…20", "members": "0x…20" }
 *
 * Threads: immutable after genesis_parse.
 */
#ifndef LEDGER_CHAIN_GENESIS_H
#define LEDGER_CHAIN_GENESIS_H

#include "codec/json.h"
#include "ledger/exec/exec.h"
#include "ledger/state/state.h"

#define BLOB_GATES_MAX 8

struct genesis;
/* Owned copy. STATUS_INVALID says which member is wrong. */
MUST_USE enum status genesis_parse(struct genesis **out, struct bytes json, struct err *err);
void genesis_free(struct genesis *genesis);

/* Adds the alloc to an empty state. */
MUST_USE enum status genesis_fill_state(const struct genesis *genesis, struct state *state, struct err *err);
/* The header, but for the state root. */
struct header genesis_header(const struct genesis *genesis);
struct exec_rules genesis_rules(const struct genesis *genesis, uint64_t number, uint64_t timestamp, bool merged);
/* How many items a header of this fork has. */
uint8_t header_field_count(enum fork fork);
/* Is a block whose ancestors have this total difficulty one after the merge (EIP-3675)? */
bool genesis_is_merged(const struct genesis *genesis, const u256 *total_difficulty);
/* By how many blocks the difficulty bomb is put off (EIP-649, 1234, 2384, 3554, 4345, 5133). */
uint64_t genesis_bomb_delay_blocks(const struct genesis *genesis, uint64_t number);
/* EIP-779: daoForkBlock, daoForkSupport. False if the genesis names no such block. */
struct dao_fork {
	uint64_t block;
	bool is_supported;
};
bool genesis_dao_fork(const struct genesis *genesis, struct dao_fork *out);
/* config.ethash.fixeddifficulty, of Besu's test chains; 0: the difficulty follows the formula. */
u256 genesis_fixed_difficulty(const struct genesis *genesis);
u256 genesis_chain_id(const struct genesis *genesis);
/* May a block have its parent's timestamp (config.xinglin.equalTimestamps)? Never by mainnet's rules. */
bool genesis_equal_timestamps(const struct genesis *genesis);
bool genesis_sealer(const struct genesis *genesis, addr20 *out);
/* The contract that says whose transactions are taken in (ledger/pool/admission.h). False: the genesis names none. */
bool genesis_admission(const struct genesis *genesis, addr20 *out);
/* The contract that lists the members of a consortium, in whose order its nodes trust. False: one node seals. */
bool genesis_members(const struct genesis *genesis, addr20 *out);
size_t genesis_blob_gates(const struct genesis *genesis, addr20 out[BLOB_GATES_MAX]);
struct bytes genesis_json(const struct genesis *genesis);

#endif
