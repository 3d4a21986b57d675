/*
 * Telling the service manager how a process is (sd_notify(3)): datagrams to the socket that $NOTIFY_SOCKET names, a
 * path or, after "@", an abstract name. Without the variable nothing is sent.
 *
 * Threads: notify_send from any.
 */
#ifndef APP_SERVE_NOTIFY_H
#define APP_SERVE_NOTIFY_H

#include <stdint.h>
#include <sys/un.h>

#include "base/status.h"

struct notifier {
	int fd; /* -1: nobody listens */
	struct sockaddr_un address;
	uint32_t address_bytes;
	uint64_t watchdog_us; /* the manager ends a process that is silent this long; 0: it does not */
};

/* `environment` is getenv or a test's. STATUS_INVALID: the socket's name is not usable. */
MUST_USE enum status notify_open(struct notifier *out, const char *(*environment)(const char *name), struct err *err);
void notify_close(struct notifier *notifier);
/* Lines such as "READY=1\nSTATUS=…". A manager that does not take them is no reason to stop. */
void notify_send(const struct notifier *notifier, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
