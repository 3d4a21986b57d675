#include "app/serve/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t watchdog_of(const char *(*environment)(const char *name)) {
	const char *interval = environment("WATCHDOG_USEC");
	const char *process = environment("WATCHDOG_PID");
	if (!interval || (process && strtoll(process, NULL, 10) != getpid())) return 0;
	return strtoull(interval, NULL, 10);
}

enum status notify_open(struct notifier *out, const char *(*environment)(const char *name), struct err *err) {
	*out = (struct notifier){.fd = -1};
	const char *name = environment("NOTIFY_SOCKET");
	if (!name) return STATUS_OK;
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof out->address.sun_path)
		return err_set(err, STATUS_INVALID, "NOTIFY_SOCKET is not the name of a local socket");
	out->address.sun_family = AF_UNIX;
	memcpy(out->address.sun_path, name, len);
	if (name[0] == '@') out->address.sun_path[0] = 0;
	out->address_bytes = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + len);
	out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out->fd < 0) return err_set(err, STATUS_IO, "cannot make a socket: %s", strerror(errno));
	out->watchdog_us = watchdog_of(environment);
	return STATUS_OK;
}

void notify_close(struct notifier *notifier) {
	if (notifier->fd >= 0) close(notifier->fd);
	notifier->fd = -1;
}

void notify_send(const struct notifier *notifier, const char *format, ...) {
	if (notifier->fd < 0) return;
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ssize_t sent = sendto(notifier->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&notifier->address, notifier->address_bytes);
	(void)sent;
}
