/*
 * A witness of a chain: it fetches a node's blocks, checks and executes every one of them in a folder of its own, and
 * signs Head(number, hash, time, challenge) (eth/seal.h) with a key of its own for whoever asks, by JSON-RPC
 * (xinglin_head). So whoever believes a sealer and enough witnesses is safe from a sealer that signs a state which no
 * transaction made, or shows different branches to different readers.
 *
 * It never takes a block back: of two blocks of one height it signs the one that it saw first, and says so in its log.
 * How it follows, and when it signs nothing: ledger/consensus/replica.h.
 *
 *	data/
 *	  genesis.json   the chain's
 *	  node.key       the witness's own secret
 *	  chaindata/     the chain, executed
 *
 * Threads: the caller's (waits), one that follows, and the HTTP server's. witness_stop may come from a signal handler.
 */
#ifndef APP_SERVE_WITNESS_H
#define APP_SERVE_WITNESS_H

#include "base/status.h"
#include "net/http_server.h"

struct witness_options {
	const char *data;
	const char *node;    /* URL */
	const char *genesis; /* file; NULL: data/genesis.json */
	uint32_t poll_ms;    /* between two looks at the node */
	bool follow_order;   /* takes the order of the node's transactions alone */
	const char *http_address;
	uint16_t http_port;
	const char *const *vhosts;
	struct tls_files tls; /* cert NULL: plain HTTP */
	uint32_t drain_ms;
	const char *metrics_address;
	uint16_t metrics_port; /* 0: metrics are not served */
	uint64_t min_free_bytes;
};
struct witness;

/* Opens or makes the folder, and binds the port. Asks no node. STATUS_BUSY: another process has the folder or the port.
 */
MUST_USE enum status witness_open(struct witness **out, const struct witness_options *options, struct err *err);
uint16_t witness_port(const struct witness *witness);
addr20 witness_account(const struct witness *witness);
uint64_t witness_head_number(const struct witness *witness);
/* Follows and serves until witness_stop, or until the ledger fails. */
MUST_USE enum status witness_run(struct witness *witness, struct err *err);
void witness_stop(struct witness *witness);
/* Does it follow? Any thread. */
bool witness_is_alive(struct witness *witness);
/* What may change while it runs. Any thread. */
void witness_reload(struct witness *witness, uint64_t min_free_bytes);
/* As node_reload_tls. */
MUST_USE enum status witness_reload_tls(struct witness *witness, const struct tls_files *files, struct err *err);
/* NULL is allowed. */
void witness_close(struct witness *witness);

#endif
