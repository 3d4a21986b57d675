/*
 * How a consortium's node shows that blocks are decided: by light blocks (comet/light_block.h), where a sealer's node
 * shows a signature. Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_CONSORTIUM_H
#define LEDGER_RPC_RPC_CONSORTIUM_H

#include "ledger/rpc/rpc_call.h"

bool rpc_is_consortium(const struct rpc_call *call);
/* The answers of xinglin_head and xinglin_sealOf there. */
MUST_USE enum status rpc_consortium_head(struct rpc_call *call);
MUST_USE enum status rpc_consortium_seal_of(struct rpc_call *call, const hash32 *hash);

#endif
