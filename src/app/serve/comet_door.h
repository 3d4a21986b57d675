/*
 * POST /comet: the few questions of CometBFT's own JSON-RPC that whoever joins has to ask, passed on to the CometBFT
 * beside this node. What they answer is public and proves itself (commit, validators, consensus_params), or says where
 * the peers are (status, net_info); nothing else is passed on, and no batches.
 *
 * A joining CometBFT's light client takes the address http://NODE:PORT/comet. Threads: any.
 */
#ifndef APP_SERVE_COMET_DOOR_H
#define APP_SERVE_COMET_DOOR_H

#include "app/serve/consortium.h"
#include "base/route.h"

/* Context: a struct consortium. */
enum { COMET_DOOR_ROUTES = 1 };
extern const struct route comet_door_routes[COMET_DOOR_ROUTES];

#endif
