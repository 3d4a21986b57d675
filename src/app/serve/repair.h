/*
 * A stopped node's damaged database is made again of its own blocks (ledger/chain/rebuild.h): in a folder beside it,
 * which is verified whole and then takes its place in one step. The damaged one stays beside as `chaindata.damaged`.
 * A process that ends in between leaves the node's folder as it was.
 *
 * Threads: one at a time a folder.
 */
#ifndef APP_SERVE_REPAIR_H
#define APP_SERVE_REPAIR_H

#include "ledger/blob/blob.h"
#include "ledger/chain/rebuild.h"
#include "ledger/chain/verify.h"

struct node_repair {
	struct err chain_damage, blob_damage; /* what was found first; "": nothing */
	bool is_rebuilt;                      /* the chain; not in a dry run */
	struct chain_rebuilt chain;           /* if the chain was damaged */
};
/* `is_dry`: all of it, but nothing is put in place. STATUS_BUSY: a node runs on it. STATUS_CORRUPT, STATUS_PRUNED,
 * STATUS_UNSUPPORTED: it cannot be made again, and `err` says why and what is left to do. STATUS_EXISTS: an earlier
 * repair's damaged database is still beside. */
MUST_USE enum status node_repair(struct node_repair *out, const char *data, bool is_dry, struct err *err);

#endif
