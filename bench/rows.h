/*
 * A world of many rows of state, for bench_populate, which makes it, and bench_state, which works on it: accounts, one
 * large contract, and a thousand small ones of the same code. Of N rows a thirtieth are accounts, a sixth are slots of
 * the small contracts, the rest are slots of the large one.
 *
 * A contract keeps records of five slots each, as a Solidity mapping of structs does: field f of record `id` stands at
 * keccak(id || 0) + f. Its calldata is id 32, the five values 32 each, data 256; it writes all five and emits the data
 * with two topics.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "ledger/chain/chain.h"

#define ROWS_CONTRACTS 1001u /* contract 0 is the large one */
#define ROWS_FIELDS 5u
#define ROWS_DATA_BYTES 256u
#define ROWS_CALLDATA_BYTES (32u + 32u * ROWS_FIELDS + ROWS_DATA_BYTES)

struct rows_plan {
	uint64_t accounts;
	uint64_t large_records; /* of contract 0 */
	uint64_t small_records; /* of each other */
};
struct rows_plan rows_plan_of(double millions);
uint64_t rows_records(const struct rows_plan *plan, uint32_t contract);

addr20 rows_account(uint64_t index);
addr20 rows_contract(uint32_t index);
struct bytes rows_code(void);
u256 rows_slot(uint64_t record, uint32_t field);

struct rows_ledger {
	struct store *store;
	struct chain *chain;
	struct err err;
};
/* The chain of a folder that `xinglin dev --data` made before; memory is divided as a node divides it. Ends the
 * process with a message where anything fails, as rows_check does. */
void rows_open(struct rows_ledger *out, const char *data, uint64_t memory_mib);
void rows_close(struct rows_ledger *ledger);
void rows_check(const struct rows_ledger *ledger, enum status status);

double rows_now_s(void);
/* CPU of the calling thread, and of the whole process. */
double rows_thread_cpu_s(void);
double rows_process_cpu_s(void);
/* A number after `name` in a file of /proc; 0 where it is not there. */
uint64_t rows_proc(const char *path, const char *name);

#endif
