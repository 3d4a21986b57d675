/*
 * The life of a long-running process, the same for node, gateway and trustee:
 *
 *     lifecycle_begin()   before the first thread: signals are taken by one thread of our own
 *     …open everything, bind the ports, print the ready line…
 *     lifecycle_run()     READY=1, serve, and then
 *
 *       SIGTERM, SIGINT   STOPPING=1, then the service drains; a second one ends the process at once
 *       SIGHUP            RELOADING=1, the settings are read again, READY=1. What may change does (SETTING_RELOADS);
 *                         what may not is named in the log. A configuration with mistakes changes nothing
 *       the watchdog      WATCHDOG=1, as long as the service says that it works
 *       its condition     STATUS=…, whenever it has changed
 *
 * A service that does not end within its drain time and LIFECYCLE_GRACE_MS is ended with exit code 1: every promise
 * survives kill -9, so nothing is lost but answers.
 *
 * Threads: lifecycle_run belongs to the thread that called lifecycle_begin. Source: sd_notify(3), signal(7).
 */
#ifndef APP_SERVE_LIFECYCLE_H
#define APP_SERVE_LIFECYCLE_H

#include "app/serve/notify.h"
#include "app/settings/settings.h"

#define LIFECYCLE_GRACE_MS 10000u
#define LIFECYCLE_CONDITION_BYTES 256u

struct service {
	const char *name; /* of log lines */
	void *context;
	/* Serves on the caller's thread until stop, or until it fails. */
	MUST_USE enum status (*run)(void *context, struct err *err);
	/* Begins the drain; from another thread. */
	void (*stop)(void *context);
	/* New settings, all of them right. It copies what it keeps. From another thread; NULL: nothing to do. False:
	 * what a setting names was not taken, and it said so in the log. */
	bool (*reload)(void *context, struct settings *fresh);
	/* Is it doing its work? NULL: always. */
	bool (*is_alive)(void *context);
	/* What its operator should read of it now, one line, for the service manager's STATUS. NULL: nothing. */
	void (*condition)(void *context, char out[LIFECYCLE_CONDITION_BYTES]);
};

struct lifecycle_options {
	const struct settings_source *source; /* of reloads; NULL: there are none */
	uint32_t drain_ms;
};

/* Before threads: blocks the signals for all of them, and ignores SIGPIPE and SIGXFSZ. */
void lifecycle_begin(void);
/* Returns what the service's run returned. */
MUST_USE enum status lifecycle_run(
    const struct service *service, const struct lifecycle_options *options, struct err *err);

#endif
