/*
 * What a new node of a consortium has to know of the network as it is by now, asked of nodes that run (comet_door.h):
 * where all peers are, whether somebody has a snapshot, and a block that CometBFT's light client can begin with.
 *
 * That block is believed by the votes of the validators in the network's own genesis, through every change of them
 * (comet/light.h). If they are known for longer than JOINING_TRUST_DAYS, somebody has to name a block.
 *
 * Threads: the caller's.
 */
#ifndef APP_SERVE_JOINING_H
#define APP_SERVE_JOINING_H

#include "base/mem.h"

#define JOINING_TRUST_DAYS 14u
#define JOINING_NODES_MAX 16u

struct joining {
	const char *const *urls;    /* of nodes' JSON-RPC, NULL-terminated; at least one */
	struct bytes comet_genesis; /* the network's */
	uint64_t height;            /* a block that somebody named; 0: none */
	hash32 hash;
	uint64_t now_ms;
};
struct joining_found {
	uint64_t height; /* of CometBFT's block that is trusted, and its hash */
	hash32 hash;
	uint64_t snapshot; /* the height of the newest; 0: nobody has one */
};
/* Appends to `peers`, "id@host:port,…", and of the nodes that were asked to `blob_peers`, "0xid@URL,…", those that are
 * not in it. STATUS_IO: none of the nodes answers; STATUS_DENIED:
 * what they show is not believed. */
MUST_USE enum status joining_find(struct joining_found *out, struct buf *peers, struct buf *blob_peers,
    const struct joining *joining, struct err *err);

#endif
