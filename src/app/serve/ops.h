/*
 * What operators ask of every service: GET /livez (the process answers), GET /readyz (it can do its work, and if not,
 * why), GET /metrics. The first two are open and name no secret; metrics are served on an address of their own.
 *
 * Threads: the handlers and the callbacks from any.
 */
#ifndef APP_SERVE_OPS_H
#define APP_SERVE_OPS_H

#include "app/serve/metrics.h"

#define READINESS_CHECKS_MAX 16u

struct readiness_check {
	const char *name; /* static: "disk" */
	bool ok;
	char detail[160]; /* for a person, also if it is ok */
};
struct readiness {
	struct readiness_check checks[READINESS_CHECKS_MAX];
	size_t count;
};
void readiness_add(struct readiness *out, const char *name, bool ok, const char *detail, ...) PRINTF_LIKE(4, 5);
bool readiness_holds(const struct readiness *readiness);
/* Is there as much room on the disk of `path`? */
void readiness_add_disk(struct readiness *out, const char *path, uint64_t min_free_bytes);

struct ops {
	void (*check)(void *context, struct readiness *out);
	void (*metrics)(void *context, struct buf *out); /* the service's own families */
	void *context;
	const struct http_metrics *http;
};

/* The rows, whose context is a struct ops; the first OPS_HEALTH_COUNT are without /metrics. */
extern const struct route ops_routes[];
#define OPS_HEALTH_COUNT 2u
#define OPS_ALL_COUNT 3u

/* A server for these three paths alone, on its own thread. */
struct ops_server;
MUST_USE enum status ops_server_open(
    struct ops_server **out, const struct ops *ops, const char *address, uint16_t port, struct err *err);
void ops_server_close(struct ops_server *server); /* NULL is allowed */

#endif
