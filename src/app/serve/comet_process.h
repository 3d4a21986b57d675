/*
 * The CometBFT process beside a node of a consortium: started, watched, and started again if it ends. Its log becomes
 * lines of ours. It dies with this process, however that ends.
 *
 * CometBFT connects to the node's socket when it starts, so the node must listen first. If it ends by itself, it is
 * started again after a pause that grows from half a second to half a minute; what it said last is in the log.
 *
 * Threads: one of its own; comet_process_restart and comet_process_cut from any. Source: CometBFT's `cometbft start`,
 * prctl(2), pidfd_open(2), pidfd_getfd(2).
 */
#ifndef APP_SERVE_COMET_PROCESS_H
#define APP_SERVE_COMET_PROCESS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct comet_process_options {
	const char *program;    /* a path, or a name that is looked up on the PATH */
	const char *home;       /* CometBFT's folder, with config/ and data/ */
	const char *app_socket; /* where the node listens for it */
	const char *rpc_socket; /* where it answers */
	uint64_t app_height;    /* the newest height that the node has; 0: none */
	/* Its consensus has stopped for good: two thirds decided what this node finds wrong. `line`: its last word.
	 * Called on the keeper's thread. NULL: nobody wants to know. */
	void (*failed)(void *context, const char *line);
	void *context;
};

struct comet_process;
/* Copies the options. STATUS_NOTFOUND: there is no such program, or no such home. STATUS_CORRUPT: the home's data was
 * wiped or is another one's: the node is ahead of it. */
MUST_USE enum status comet_process_open(
    struct comet_process **out, const struct comet_process_options *options, struct err *err);
/* Ends it and starts it anew at once. */
void comet_process_restart(struct comet_process *process);
/* Lets it not run, or run again: while its files are copied. Nothing if it is not up. */
void comet_process_pause(struct comet_process *process, bool is_paused);
/* Ends its TCP connections with this address, as `net_info` spells it, and says how many they were: CometBFT itself has
 * no such request, and asks about a peer only when somebody connects. STATUS_UNSUPPORTED: the system does not allow it
 * (a container may lack CAP_SYS_PTRACE). */
MUST_USE enum status comet_process_cut(struct comet_process *process, const char *ip, size_t *count, struct err *err);
/* Ends it: SIGTERM, and SIGKILL after five seconds. NULL is allowed. */
void comet_process_close(struct comet_process *process);

#endif
