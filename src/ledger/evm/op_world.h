/* Instructions that write to the world, or send messages: all out of line, in storage.c, logs.c and calls.c. */
#ifndef LEDGER_EVM_OP_WORLD_H
#define LEDGER_EVM_OP_WORLD_H

#include "ledger/evm/op_common.h"

op_function sload, sstore, tload, tstore;
op_function log_0, log_1, log_2, log_3, log_4;
op_function call, callcode, delegatecall, staticcall, create, create2, selfdestruct;

BODY_OUT_OF_LINE(SLOAD, sload)
BODY_OUT_OF_LINE(SSTORE, sstore)
BODY_OUT_OF_LINE(TLOAD, tload)
BODY_OUT_OF_LINE(TSTORE, tstore)
BODY_OUT_OF_LINE(LOG0, log_0)
BODY_OUT_OF_LINE(LOG1, log_1)
BODY_OUT_OF_LINE(LOG2, log_2)
BODY_OUT_OF_LINE(LOG3, log_3)
BODY_OUT_OF_LINE(LOG4, log_4)
BODY_OUT_OF_LINE(CALL, call)
BODY_OUT_OF_LINE(CALLCODE, callcode)
BODY_OUT_OF_LINE(DELEGATECALL, delegatecall)
BODY_OUT_OF_LINE(STATICCALL, staticcall)
BODY_OUT_OF_LINE(CREATE, create)
BODY_OUT_OF_LINE(CREATE2, create2)

BODY(SELFDESTRUCT) {
	const enum op_end end = out_of_line(evm, f, r, selfdestruct);
	return end == END_NEXT ? op_halt(EVM_SUCCESS) : end;
}

#endif
