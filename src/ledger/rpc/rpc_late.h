/*
 * Answers that come later. A method may say that its answer is a transaction's receipt, which is not there yet
 * (call->awaits); then no thread waits for it: the message's answer is put aside as text with holes, and one thread,
 * made with the first of them, fills the holes when a block comes or when their time is up, and sends the whole.
 * Internal to rpc/.
 *
 * Threads: any, but rpc_late_deliver is called on the WebSockets' thread alone.
 */
#ifndef LEDGER_RPC_RPC_LATE_H
#define LEDGER_RPC_RPC_LATE_H

#include "ledger/rpc/rpc_call.h"

struct rpc_late_room *rpc_late_new(void);
/* No exchange may come in any more; those that wait are answered with an error. NULL is allowed. */
void rpc_late_free(struct rpc *rpc);

/* A place for one that waits, taken before its transaction is; false: there is none. What does not come to wait gives
 * it back. `*news`: how often there was a new block until then. */
bool rpc_late_reserve(struct rpc *rpc, uint64_t *news);
void rpc_late_release(struct rpc *rpc, size_t count);
/* The answer to request `id` (its JSON), which would stand at `at` in the message's answer, waits. `*late` NULL: the
 * first one of the message. */
void rpc_late_wait(struct rpc_late **late, const struct rpc_call *call, size_t at, struct bytes id);

/* `text` is the answer without what waits; copied. The message came in by one of the two. Owns `late`. */
void rpc_late_begin_http(struct rpc *rpc, struct rpc_late *late, struct http_exchange *exchange, struct bytes text);
void rpc_late_begin_session(struct rpc *rpc, struct rpc_late *late, uint64_t session, struct bytes text);

/* Nobody can wait: the answer in `out` is completed with errors that say so. Frees `late`. */
void rpc_late_refuse(struct rpc *rpc, struct rpc_late *late, struct buf *out);

/* There is a new block. */
void rpc_late_news(struct rpc *rpc);
/* How often the store was asked for a receipt that is waited for: once for each new block, and when its time is up. */
uint64_t rpc_late_looks(const struct rpc *rpc);
/* Sends what is ready to the sessions: `send` finds the one of this serial number, if it is still there. */
void rpc_late_deliver(struct rpc *rpc, void (*send)(struct rpc *rpc, uint64_t session, struct bytes text));

#endif
