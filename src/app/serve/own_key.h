/*
 * Watching the own entry: whether the directory's newest encryption key of this account is one of this home's. If
 * registrars alone gave the account another one, its owner has 48 hours to replace it, and hears of it here: an error
 * in the log, once for each key, the service manager's status, and a metric.
 *
 * Threads: it has one; the functions belong to their caller.
 */
#ifndef APP_SERVE_OWN_KEY_H
#define APP_SERVE_OWN_KEY_H

#include "app/serve/lifecycle.h"
#include "health/actors/actor.h"

struct own_key_watch;
MUST_USE enum status own_key_watch_start(struct own_key_watch **out, struct actor *actor, struct err *err);
/* NULL is allowed in all below. */
void own_key_watch_metrics(struct own_key_watch *watch, struct buf *out);
/* For the operator; "" if all is well. */
void own_key_watch_condition(struct own_key_watch *watch, char out[LIFECYCLE_CONDITION_BYTES]);
/* Waits for the look that goes on. */
void own_key_watch_stop(struct own_key_watch *watch);
void own_key_watch_free(struct own_key_watch *watch);

#endif
