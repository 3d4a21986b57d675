#include "app/serve/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void metric_begin(struct buf *out, const char *type, const char *name, const char *help) {
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metric_line(struct buf *out, const char *name, const char *labels, uint64_t value) {
	buf_printf(out, "%s%s%s%s %llu\n", name, labels ? "{" : "", labels ? labels : "", labels ? "}" : "",
	    (unsigned long long)value);
}

void metric_put(struct buf *out, enum metric_type type, const char *name, const char *help, uint64_t value) {
	metric_begin(out, type == METRIC_COUNTER ? "counter" : "gauge", name, help);
	metric_line(out, name, NULL, value);
}

/* --- the process --- */

static bool read_line(char *out, size_t size, const char *path) {
	FILE *file = fopen(path, "re");
	if (!file) return false;
	bool got = fgets(out, (int)size, file) != NULL;
	fclose(file);
	return got;
}

/* Fields of /proc/self/stat after the name, which may hold anything (proc(5)): number 3 is the first. */
static uint64_t stat_field(const char *after_name, unsigned field) {
	for (unsigned at = 3; at < field && after_name; at++) {
		after_name = strchr(after_name, ' ');
		if (after_name) after_name++;
	}
	return after_name ? strtoull(after_name, NULL, 10) : 0;
}

static uint64_t boot_time_s(void) {
	struct timespec real, since_boot;
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return (uint64_t)(real.tv_sec - since_boot.tv_sec);
}

static uint64_t open_files(void) {
	DIR *folder = opendir("/proc/self/fd");
	if (!folder) return 0;
	uint64_t count = 0;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
	closedir(folder);
	return count - 1; /* the folder itself */
}

#define FIELD_THREADS 20u
#define FIELD_START 22u /* ticks since boot */
#define FIELD_VSIZE 23u
#define FIELD_RSS 24u /* pages */

void metrics_process(struct buf *out) {
	struct rusage usage;
	struct rlimit files;
	char line[1024];
	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	metric_begin(out, "counter", "process_cpu_seconds_total", "User and system CPU time spent.");
	uint64_t us = (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	uint64_t s = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + us / 1000000;
	buf_printf(
	    out, "process_cpu_seconds_total %llu.%06llu\n", (unsigned long long)s, (unsigned long long)(us % 1000000));
	metric_put(out, METRIC_GAUGE, "process_open_fds", "Open file descriptors.", open_files());
	metric_put(out, METRIC_GAUGE, "process_max_fds", "The most file descriptors there may be.", files.rlim_cur);
	if (!read_line(line, sizeof line, "/proc/self/stat")) return;
	const char *after = strrchr(line, ')');
	if (!after || !after[1]) return;
	after += 2;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), tick = (uint64_t)sysconf(_SC_CLK_TCK);
	metric_put(out, METRIC_GAUGE, "process_resident_memory_bytes", "Resident memory.",
	    stat_field(after, FIELD_RSS) * page);
	metric_put(
	    out, METRIC_GAUGE, "process_virtual_memory_bytes", "Virtual memory.", stat_field(after, FIELD_VSIZE));
	metric_put(out, METRIC_GAUGE, "process_threads", "Threads.", stat_field(after, FIELD_THREADS));
	metric_put(out, METRIC_GAUGE, "process_start_time_seconds", "When the process started, Unix time.",
	    boot_time_s() + stat_field(after, FIELD_START) / tick);
}

/* --- requests --- */

/* What our services answer; anything else counts as "other". */
static const int codes[HTTP_CODES_COUNT - 1] = {200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 406,
    409, 410, 412, 413, 415, 416, 422, 429, 431, 500, 501, 503, 504, 507};

struct bucket {
	uint64_t ns;
	const char *le;
};
static const struct bucket buckets[HTTP_BUCKETS] = {{1000000, "0.001"}, {2500000, "0.0025"}, {5000000, "0.005"},
    {10000000, "0.01"}, {25000000, "0.025"}, {100000000, "0.1"}, {250000000, "0.25"}, {1000000000, "1"},
    {2500000000, "2.5"}, {10000000000, "10"}, {60000000000, "60"}};

static size_t route_index(const struct http_metrics *metrics, const char *path) {
	size_t i = 0;
	while (i < metrics->route_count && strcmp(metrics->routes[i], path) != 0) i++;
	return i;
}

static void add_route(struct http_metrics *metrics, const char *path) {
	if (route_index(metrics, path) < metrics->route_count) return;
	BUG_ON(metrics->route_count == HTTP_ROUTES_MAX);
	metrics->routes[metrics->route_count++] = path;
}

void http_metrics_init(struct http_metrics *metrics, const struct route_table *tables, size_t table_count) {
	*metrics = (struct http_metrics){.route_count = 0};
	for (size_t i = 0; i < table_count; i++)
		for (size_t j = 0; j < tables[i].count; j++) add_route(metrics, tables[i].rows[j].path);
	add_route(metrics, "none");
}

static void add(atomic_ullong *counter, unsigned long long value) {
	atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static unsigned long long value_of(const atomic_ullong *counter) {
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void http_metrics_observe(void *context, const struct http_exchange *exchange, uint64_t duration_ns) {
	struct http_metrics *metrics = context;
	const char *path = router_path(exchange);
	size_t code = 0, bucket = 0;
	struct http_route_counts *counts = &metrics->counts[route_index(metrics, path ? path : "none")];
	enum http_method method = exchange->request.method;
	while (code < HTTP_CODES_COUNT - 1 && codes[code] != exchange->response.status) code++;
	while (bucket < HTTP_BUCKETS && duration_ns > buckets[bucket].ns) bucket++;
	add(&counts->codes[method][code], 1);
	add(&counts->buckets[bucket], 1);
	add(&counts->sum_ns, duration_ns);
}

static void write_requests(struct buf *out, const char *route, const struct http_route_counts *counts) {
	for (int method = 0; method <= HTTP_METHOD_OTHER; method++) {
		for (size_t code = 0; code < HTTP_CODES_COUNT; code++) {
			unsigned long long value = value_of(&counts->codes[method][code]);
			if (value == 0) continue;
			char text[16] = "other";
			if (code < HTTP_CODES_COUNT - 1) snprintf(text, sizeof text, "%d", codes[code]);
			const char *name =
			    method == HTTP_METHOD_OTHER ? "other" : http_method_name((enum http_method)method);
			buf_printf(out, "http_requests_total{route=\"%s\",method=\"%s\",code=\"%s\"} %llu\n", route,
			    name, text, value);
		}
	}
}

static void write_durations(struct buf *out, const char *route, const struct http_route_counts *counts) {
	unsigned long long total = 0, sum = value_of(&counts->sum_ns);
	for (size_t i = 0; i <= HTTP_BUCKETS; i++) total += value_of(&counts->buckets[i]);
	if (total == 0) return;
	unsigned long long below = 0;
	for (size_t i = 0; i < HTTP_BUCKETS; i++) {
		below += value_of(&counts->buckets[i]);
		buf_printf(out, "http_request_duration_seconds_bucket{route=\"%s\",le=\"%s\"} %llu\n", route,
		    buckets[i].le, below);
	}
	below += value_of(&counts->buckets[HTTP_BUCKETS]);
	buf_printf(out, "http_request_duration_seconds_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", route, below);
	buf_printf(out, "http_request_duration_seconds_sum{route=\"%s\"} %llu.%09llu\n", route, sum / 1000000000,
	    sum % 1000000000);
	buf_printf(out, "http_request_duration_seconds_count{route=\"%s\"} %llu\n", route, below);
}

void http_metrics_write(struct buf *out, const struct http_metrics *metrics) {
	metric_begin(out, "counter", "http_requests_total", "Requests answered, by route, method and status.");
	for (size_t i = 0; i < metrics->route_count; i++) write_requests(out, metrics->routes[i], &metrics->counts[i]);
	metric_begin(out, "histogram", "http_request_duration_seconds", "Time from a request to its answer.");
	for (size_t i = 0; i < metrics->route_count; i++) write_durations(out, metrics->routes[i], &metrics->counts[i]);
}
