/*
 * Whose transactions a chain takes, if its genesis says so: config.xinglin.admission names a contract with
 * `admits(address) view returns (bool)`, which is asked on the state of the head. It is no rule of validity: the pool
 * takes in, and offers to an engine, nothing of a sender that the contract does not admit, whatever it pays.
 *
 * Until the contract is there, only the account that can make it is admitted: its address is that of the first contract
 * (nonce 0) of its deployer. Answers are kept for a head. Threads: any; one lock inside.
 */
#ifndef LEDGER_POOL_ADMISSION_H
#define LEDGER_POOL_ADMISSION_H

#include "ledger/chain/chain.h"

struct admission;

/* NULL: the genesis names no such contract, and all are admitted. Borrows the chain. */
struct admission *admission_new(struct chain *chain);
/* NULL is allowed. */
void admission_free(struct admission *admission);
/* False also if the contract fails. */
MUST_USE enum status admission_admits(struct admission *admission, bool *admits, const addr20 *sender, struct err *err);

#endif
