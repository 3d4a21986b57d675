/*
 * The nodes that a gateway may ask: the first that answers is asked until it does not; then the next. A node of another
 * chain than the deployment's is not asked, one that two others are far ahead of only if no other answers, and what one
 * has dropped (STATUS_PRUNED) is asked of the next. Whatever is handed to two nodes is signed, so that it counts once.
 *
 * Threads: nodes_watch_start starts one that looks at every node each second; clients of the maker have one owner each;
 * the rest any.
 */
#ifndef APP_SERVE_NODES_H
#define APP_SERVE_NODES_H

#include "app/serve/ops.h"
#include "health/chain/client_pool.h"

#define NODES_MAX 16u

struct nodes;
/* `urls` ends with NULL and is copied. STATUS_INVALID: none, or more than NODES_MAX. */
MUST_USE enum status nodes_new(
    struct nodes **out, const char *const *urls, uint64_t chain_id, const hash32 *genesis, struct err *err);
/* Shows them the token of this file (app/bearer.h). Before there are clients. */
MUST_USE enum status nodes_show_token(struct nodes *nodes, const char *path, struct err *err);
/* After all clients were closed. NULL is allowed. */
void nodes_free(struct nodes *nodes);
/* The URL that clients are opened with; they ask whichever node answers. */
const char *nodes_url(const struct nodes *nodes);
struct client_maker nodes_maker(struct nodes *nodes);

/* Looks at all of them once. STATUS_DENIED: those that answer are all of another chain. */
MUST_USE enum status nodes_probe(struct nodes *nodes, struct err *err);
MUST_USE enum status nodes_watch_start(struct nodes *nodes, struct err *err);
void nodes_watch_stop(struct nodes *nodes); /* also if it was not started */

/* Does one of the right chain answer? */
bool nodes_any_is_up(const struct nodes *nodes);
/* The highest number of a block that one of them showed; 0: none answers. */
uint64_t nodes_head(const struct nodes *nodes);

void nodes_check(const struct nodes *nodes, struct readiness *out);
void nodes_metrics(const struct nodes *nodes, struct buf *out);

#endif
