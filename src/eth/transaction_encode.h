/* What is signed of a transaction, before hashing. Private to eth/. Threads: pure. */
#ifndef ETH_TRANSACTION_ENCODE_H
#define ETH_TRANSACTION_ENCODE_H

#include "eth/types.h"

void transaction_encode_unsigned(struct buf *out, const struct transaction *tx);

#endif
