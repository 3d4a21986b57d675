/*
 * Keeps a home's index at the newest block, in the background, so that no request waits for a long catch-up. Threads:
 * it has one; check and metrics may be called from any; start and stop belong to their caller.
 */
#ifndef APP_SERVE_FOLLOWER_H
#define APP_SERVE_FOLLOWER_H

#include "app/serve/nodes.h"
#include "health/actors/actor.h"
#include "health/index/index.h"

#define FOLLOWER_BEHIND_MAX 1000u /* blocks: with more it is not ready */

struct follower;
/* All are borrowed. How far the index is behind is known at once if a node answered by now (nodes_probe). */
struct follower *follower_new(struct actor *actor, struct index *index, const struct nodes *nodes);
MUST_USE enum status follower_start(struct follower *follower, struct err *err);
void follower_stop(struct follower *follower); /* also if it was not started */
void follower_free(struct follower *follower); /* NULL is allowed */

void follower_check(const struct follower *follower, struct readiness *out);
void follower_metrics(const struct follower *follower, struct buf *out);

#endif
