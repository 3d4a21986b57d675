/* What an engine does with a transaction that was left out of a block. Threads: pure. */
#ifndef LEDGER_CONSENSUS_VERDICTS_H
#define LEDGER_CONSENSUS_VERDICTS_H

#include "ledger/chain/chain.h"

/* Can it stand in a later block? Then it stays in the pool. In a block with nothing before it, a transaction that finds
 * no room never will. */
bool verdict_may_stand_later(enum tx_verdict verdict, bool block_is_empty);

#endif
