/*
 * Putting and getting blobs at a xinglin node: signed requests as in docs/wire-formats.md §5. In a consortium every
 * member keeps them, so what the client's node does not give is asked of the others that the deployment names.
 * Threads: as the client.
 */
#ifndef HEALTH_CHAIN_BLOBS_H
#define HEALTH_CHAIN_BLOBS_H

#include "health/chain/client.h"
#include "health/chain/deployment.h"
#include "health/chain/holders.h"

/* A refusal by the node: its HTTP status and problem code ("get-refused", "erased", …). "clock": the node takes the
 * signed request for too old or too new, and `detail` says by how much the two clocks differ. */
struct blob_verdict {
	bool ok;
	int http_status;
	char code[40];
	char detail[160];
};

/* What somebody can mend about a refusal (cause.h); CAUSE_NONE: nothing is known. */
unsigned blob_verdict_cause(const struct blob_verdict *verdict);

struct blob_asker {
	struct client *client;
	const hash32 *secret; /* whose account signs */
	const addr20 *node;   /* the sealer in the deployment */
	const hash32 *genesis;
	const struct random_source *random;
	/* Other members of a consortium, whose requests name no node: each may answer. */
	const struct deployment_node *others;
	size_t other_count;
};
/* `container` is the whole frame; what was put is in holders->blob, whose genesis is the asker's. */
MUST_USE enum status blobs_put(const struct blob_asker *asker, struct holders *holders, struct blob_verdict *verdict,
    const addr20 *gate, struct bytes container, struct err *err);
/* Of several nodes, what the first one says, unless another gives the container named `blob`; the caller compares. */
MUST_USE enum status blobs_get(const struct blob_asker *asker, struct buf *container, struct blob_verdict *verdict,
    const addr20 *gate, const hash32 *item, const hash32 *blob, struct err *err);
/* Of several nodes, the first that gives it or refuses it (403). */
MUST_USE enum status blobs_get_part(const struct blob_asker *asker, struct buf *part, struct blob_verdict *verdict,
    const addr20 *gate, const hash32 *item, uint32_t index, struct err *err);
/* Of one node: the client's own (0), or one of the others (1 …). STATUS_NOTFOUND: there are not so many.
 * What members give of the outer seal's key for an item (eth/outer.h): their number and parts, as the node passes them
 * on. */
MUST_USE enum status blobs_release(const struct blob_asker *asker, struct buf *parts, struct blob_verdict *verdict,
    size_t node, const addr20 *gate, const hash32 *item, struct bytes wish, struct err *err);
/* The statement about the outer seal that the node has; nothing of it is believed yet. */
MUST_USE enum status blobs_get_statement(
    const struct blob_asker *asker, struct buf *statement, struct blob_verdict *verdict, size_t node, struct err *err);
/* A page of a folder's sealed audit entries (docs/wire-formats.md §6): from the newest on, with the proof of what the
 * node anchored under `root` (NULL: none); or from the one before entry number `before`. */
struct blob_audit_wish {
	const addr20 *gate;
	const hash32 *folder;
	const hash32 *root;
	uint32_t before; /* 0: from the newest on */
};
MUST_USE enum status blobs_get_audit(const struct blob_asker *asker, struct buf *json, struct blob_verdict *verdict,
    const struct blob_audit_wish *wish, struct err *err);

/* What an account signs to put or get something (docs/wire-formats.md §5). */
struct blob_said {
	const char *action; /* "put", "get", "part", "audit", "release 0x…" */
	const addr20 *node, *gate;
	const hash32 *name;
	uint32_t part;
	uint64_t expiry_s, nonce;
};
hash32 blob_said_digest(const struct blob_said *said, uint64_t chain_id, const hash32 *genesis);

#endif
