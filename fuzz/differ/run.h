/*
 * Our side: a case through exec/ and state/ as a block would, to the result that the peer must have too (case.h).
 *
 * A run is taken step by step, so that a generator can look at the state between transactions. Memory: the result and
 * the remark are views until the next run_begin. Threads: one owner.
 */
#ifndef DIFFER_RUN_H
#define DIFFER_RUN_H

#include "fuzz/differ/case.h"
#include "ledger/exec/exec.h"

struct differ_run;
struct differ_run *run_new(void);
void run_free(struct differ_run *run);
/* To watch it by. */
struct evm *run_evm(struct differ_run *run);

/* The case's accounts and block; it must outlive the run. */
void run_begin(struct differ_run *run, struct differ_case *one);
/* What happened is a view until the next transaction. */
const struct exec_tx_result *run_transaction(struct differ_run *run, const struct case_transaction *item);
/* The nonce of an account, now. */
uint64_t run_nonce(struct differ_run *run, const addr20 *address);
void run_end(struct differ_run *run, struct bytes *result, struct bytes *remark);

#endif
