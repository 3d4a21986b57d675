/*
 * A client of CometBFT's own JSON-RPC, over its unix socket: for the node that runs beside it.
 *
 * Failures: STATUS_IO, STATUS_TIMEOUT: it does not answer, as while it starts; STATUS_NOTFOUND: it has no such height;
 * STATUS_INVALID: it answers what is not understood. Threads: one at a time a client.
 */
#ifndef APP_SERVE_COMET_RPC_H
#define APP_SERVE_COMET_RPC_H

#include "base/bytes.h"
#include "base/mem.h"

struct comet_rpc;
/* Connects when it is asked. No exchange takes longer than `timeout_ms`. */
MUST_USE enum status comet_rpc_open(struct comet_rpc **out, const char *socket, uint32_t timeout_ms, struct err *err);
/* NULL is allowed. */
void comet_rpc_close(struct comet_rpc *rpc);

/* broadcast_tx_async of each, in one request: it has them when this returns, and has checked none. At most
 * COMET_RPC_BATCH_MAX, and 1 MB in base64. */
enum { COMET_RPC_BATCH_MAX = 10 };
MUST_USE enum status comet_rpc_send(struct comet_rpc *rpc, const struct bytes *bundles, size_t count, struct err *err);

/* How CometBFT itself gets on. */
struct comet_status {
	addr20 node; /* its identifier */
	uint64_t height, round;
	uint64_t peers;
	bool is_catching_up;
};
MUST_USE enum status comet_rpc_status(struct comet_rpc *rpc, struct comet_status *out, struct err *err);

/* Who is connected to it. */
enum { COMET_PEERS_MAX = 128 };
struct comet_peer {
	addr20 node;
	char ip[46]; /* INET6_ADDRSTRLEN */
};
MUST_USE enum status comet_rpc_peers(
    struct comet_rpc *rpc, struct comet_peer out[COMET_PEERS_MAX], size_t *count, struct err *err);

/* The light block of a height, 0: of the newest, as protobuf (comet/light_block.h). Its form is checked, since what is
 * handed out must be readable; whether to believe it is the reader's question. */
MUST_USE enum status comet_rpc_light_block(struct comet_rpc *rpc, struct buf *out, uint64_t height, struct err *err);

/* A request of somebody else's, as it stands, and its answer, appended. */
MUST_USE enum status comet_rpc_forward(struct comet_rpc *rpc, struct buf *out, struct bytes request, struct err *err);

#endif
