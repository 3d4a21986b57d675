/*
 * A running node: the composition of store, chain, pool, sealing, blobs, JSON-RPC and the HTTP server over one data
 * folder.
 *
 * Threads: the caller's (waits), the executing one (solo), the HTTP server's, and one for duties. node_stop may come
 * from a signal handler.
 */
#ifndef APP_SERVE_NODE_H
#define APP_SERVE_NODE_H

#include "app/serve/node_files.h"
#include "app/serve/object_store.h"
#include "ledger/chain/chain.h"
#include "net/http_server.h"

struct node_options {
	const char *data;
	const char *http_address; /* NULL: 127.0.0.1 */
	uint16_t http_port;
	struct bytes genesis_json;               /* empty: data/genesis.json */
	const struct dev_accounts *dev_accounts; /* NULL: no development chain */
	uint32_t interval_ms;                    /* between blocks; 0: at once */
	bool test_methods;                       /* serves them, and seals nothing */
	/* A development chain's blocks are at least a second after their parents, as anvil's, which test tools expect;
	 * but not those of this account (and the node's own), which would hurry the chain's time past windows of
	 * access. NULL: no such account. */
	const addr20 *unhurried;
	uint64_t memory_bytes;
	uint32_t anchor_every_ms;                         /* of the audit log, if there were reads; 0: a minute */
	uint32_t ping_interval_ms;                        /* of a silent WebSocket; 0: the server's default */
	const char *client_version;                       /* NULL: this program's name and version */
	const char *const *methods;                       /* that are served; NULL: all */
	const char *jwt_keys, *jwt_issuer, *jwt_audience; /* who may ask JSON-RPC (rpc_callers.h); NULL: everybody */
	uint64_t caller_requests, caller_gas;             /* a second; 0: without limit */
	const char *const *cors_origins, *const *vhosts;  /* NULL-terminated, or NULL */
	uint64_t gas_cap;                                 /* of calls; 0: the default of rpc.h, here and below */
	uint32_t call_timeout_ms;                         /* of a call */
	uint32_t drain_ms;                                /* of the stop */
	const char *metrics_address;                      /* NULL: 127.0.0.1 */
	uint16_t metrics_port;                            /* 0: metrics are not served */
	uint64_t min_free_bytes;                          /* with less on its disk it is not ready */
	const char *comet_home; /* CometBFT's folder, if the genesis is a consortium's; NULL: somebody else runs it */
	const char *comet_program;                 /* a path, or a name that is looked up */
	const char *const *blob_peers;             /* where the other members' blobs are; NULL: nowhere */
	struct object_store_settings object_store; /* where blobs are; not used: in files */
	const char *follow;           /* URL of the node that orders transactions; NULL: the genesis says who does */
	bool follow_order;            /* takes the order of its transactions alone (replica.h) */
	uint32_t poll_ms;             /* between two looks at it */
	const char *const *followers; /* who is no member and may follow: node identifiers; or NULL */
	uint64_t snapshot_blocks;     /* a snapshot every so many; 0: none */
	uint32_t snapshots_kept;      /* 0: two */
	struct chain_retention retention; /* of blocks and states */
	struct tls_files tls;             /* cert NULL: plain HTTP */
};
struct node;
/* Opens everything and binds the port; STATUS_BUSY where another process has the folder or the port. */
MUST_USE enum status node_open(struct node **out, const struct node_options *options, struct err *err);
uint16_t node_port(const struct node *node);
/* The node's own account: it confirms and anchors, and in a chain of one node it seals. */
addr20 node_self(const struct node *node);
bool node_seals(const struct node *node); /* alone */
hash32 node_genesis_hash(const struct node *node);
uint64_t node_head_number(const struct node *node);
/* Serves until node_stop, or until the ledger fails. */
MUST_USE enum status node_run(struct node *node, struct err *err);
/* New TLS files, or new content of the same; if they are wrong, the old ones serve on. Without TLS before and after,
 * nothing happens. Any thread. */
MUST_USE enum status node_reload_tls(struct node *node, const struct tls_files *files, struct err *err);
/* The keys of this file serve from now on; if they are wrong, the old ones do. NULL is allowed. Any thread. */
MUST_USE enum status node_reload_jwt_keys(struct node *node, const char *path, struct err *err);
void node_stop(struct node *node);
/* Where the other members' nodes are by now; if a peer is malformed, the old ones stay. NULL: none. Any thread. */
MUST_USE enum status node_reload_blob_peers(struct node *node, const char *const *peers, struct err *err);
/* What may change while it runs. Any thread. */
void node_reload(struct node *node, uint64_t min_free_bytes);
/* Does it execute? Any thread; does not return if it hangs. */
bool node_is_alive(struct node *node);
void node_close(struct node *node);

#endif
