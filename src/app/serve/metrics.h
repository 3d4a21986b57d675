/*
 * What a process counts, in Prometheus' text format (version 0.0.4), under the names that its users know. Values of
 * labels come from fixed lists, so no client can make the number of time series grow.
 *
 * Threads: the counters any; writing is for one thread at a time and reads them as they are.
 */
#ifndef APP_SERVE_METRICS_H
#define APP_SERVE_METRICS_H

#include <stdatomic.h>

#include "base/route.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_BYTES_MAX ((size_t)1 << 20)

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };
/* A family with one value and no label. */
void metric_put(struct buf *out, enum metric_type type, const char *name, const char *help, uint64_t value);
/* The head of a family whose lines follow. */
void metric_begin(struct buf *out, const char *type, const char *name, const char *help);
/* One line; `labels` as `a="b",c="d"`, or NULL. */
void metric_line(struct buf *out, const char *name, const char *labels, uint64_t value);
/* process_* : CPU, memory, open files, start; from /proc. */
void metrics_process(struct buf *out);

/* --- requests over HTTP --- */

#define HTTP_ROUTES_MAX 64u
#define HTTP_CODES_COUNT 29u
#define HTTP_BUCKETS 11u

struct http_route_counts {
	atomic_ullong codes[HTTP_METHOD_OTHER + 1][HTTP_CODES_COUNT];
	atomic_ullong buckets[HTTP_BUCKETS + 1]; /* the last: slower than all bounds */
	atomic_ullong sum_ns;
};

struct http_metrics {
	const char *routes[HTTP_ROUTES_MAX]; /* paths of rows, each once; the last counts what no row served */
	size_t route_count;
	struct http_route_counts counts[HTTP_ROUTES_MAX];
};

/* Rows must outlive it. */
void http_metrics_init(struct http_metrics *metrics, const struct route_table *tables, size_t table_count);
/* As a struct http_observer wants it; `metrics` is a struct http_metrics. */
void http_metrics_observe(void *metrics, const struct http_exchange *exchange, uint64_t duration_ns);
/* http_requests_total and http_request_duration_seconds. */
void http_metrics_write(struct buf *out, const struct http_metrics *metrics);

#endif
