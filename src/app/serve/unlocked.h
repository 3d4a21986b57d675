/*
 * An unlocked home: a process that has opened its wallet, and runs commands of the same user as processes of their own,
 * forked from it. They begin with the program loaded and the wallet open, which costs a command most of its time: the
 * password's derivation is slow on purpose. The wallet's secrets stay in these processes, which nobody may trace or
 * dump; nothing is written down, and no secret goes over the socket (app/front/handover.h).
 *
 * Threads: one. Source: unix(7), SO_PEERCRED and SCM_RIGHTS.
 */
#ifndef APP_SERVE_UNLOCKED_H
#define APP_SERVE_UNLOCKED_H

#include "health/actors/home.h"

/* The socket in the home. STATUS_EXISTS: the home is unlocked already. A socket that nobody answers is replaced. */
MUST_USE enum status unlocked_bind(int *listener, const struct home *home, struct err *err);
/* Listens, writes a byte to `ready` and closes it if that is not negative, and serves until `seconds` have passed, or
 * SIGTERM or SIGINT comes; then the socket is removed. `run` is called in the process of a command, and gives its exit
 * code, or UNLOCKED_NOT_MINE. */
#define UNLOCKED_NOT_MINE (-1)
typedef int unlocked_runner(int argc, char **argv, const struct home *home);
MUST_USE enum status unlocked_serve(
    int listener, int ready, const struct home *home, uint32_t seconds, unlocked_runner *run, struct err *err);
/* Ends the process that has unlocked the home; it is gone on return. STATUS_NOTFOUND: the home is not unlocked. */
MUST_USE enum status unlocked_end(const char *directory, struct err *err);

#endif
