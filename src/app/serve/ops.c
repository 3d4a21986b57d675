#include "app/serve/ops.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "base/http_reply.h"
#include "base/log.h"
#include "codec/json.h"
#include "net/http_server.h"

/* --- readiness --- */

void readiness_add(struct readiness *out, const char *name, bool ok, const char *detail, ...) {
	BUG_ON(out->count == READINESS_CHECKS_MAX);
	struct readiness_check *check = &out->checks[out->count++];
	check->name = name;
	check->ok = ok;
	va_list args;
	va_start(args, detail);
	vsnprintf(check->detail, sizeof check->detail, detail, args);
	va_end(args);
}

bool readiness_holds(const struct readiness *readiness) {
	for (size_t i = 0; i < readiness->count; i++)
		if (!readiness->checks[i].ok) return false;
	return true;
}

void readiness_add_disk(struct readiness *out, const char *path, uint64_t min_free_bytes) {
	struct statvfs info;
	if (statvfs(path, &info) != 0) {
		readiness_add(out, "disk", false, "cannot be asked: %s", strerror(errno));
		return;
	}
	uint64_t free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
	readiness_add(out, "disk", free_bytes >= min_free_bytes, "%llu MiB free, %llu needed",
	    (unsigned long long)(free_bytes >> 20), (unsigned long long)(min_free_bytes >> 20));
}

static void write_readiness(struct buf *out, const struct readiness *readiness) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_bool(&writer, "ready", readiness_holds(readiness));
	json_array_begin(&writer, "checks");
	for (size_t i = 0; i < readiness->count; i++) {
		json_object_begin(&writer, NULL);
		json_put_text(&writer, "name", readiness->checks[i].name);
		json_put_bool(&writer, "ok", readiness->checks[i].ok);
		json_put_text(&writer, "detail", readiness->checks[i].detail);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}

/* --- routes --- */

static void handle_livez(void *context, struct http_exchange *exchange) {
	(void)context;
	exchange->response.status = 200;
	exchange->response.content_type = "text/plain";
	http_put_header(&exchange->response, "Cache-Control", "no-store");
	buf_text(&exchange->response.body, "ok\n");
}

static void handle_readyz(void *context, struct http_exchange *exchange) {
	const struct ops *ops = context;
	struct http_response *response = &exchange->response;
	struct readiness readiness = {.count = 0};
	ops->check(ops->context, &readiness);
	response->status = readiness_holds(&readiness) ? 200 : 503;
	response->content_type = "application/json";
	http_put_header(response, "Cache-Control", "no-store");
	write_readiness(&response->body, &readiness);
}

static void handle_metrics(void *context, struct http_exchange *exchange) {
	const struct ops *ops = context;
	struct http_response *response = &exchange->response;
	response->status = 200;
	response->content_type = METRICS_CONTENT_TYPE;
	metrics_process(&response->body);
	if (ops->http) http_metrics_write(&response->body, ops->http);
	ops->metrics(ops->context, &response->body);
}

const struct route ops_routes[] = {
    ROUTE(HTTP_GET, "/livez", handle_livez, "the process answers"),
    ROUTE(HTTP_GET, "/readyz", handle_readyz, "it can do its work; if not (503), why"),
    ROUTE(
	HTTP_GET, "/metrics", handle_metrics, "what it counted, in Prometheus' text format", .gzip = HTTP_GZIP_ANSWERS),
};

/* --- the server --- */

struct ops_server {
	struct router *router;
	struct http_server *server;
	pthread_t thread;
	bool has_thread;
};

static void *run(void *context) {
	struct ops_server *server = context;
	struct err err;
	if (http_server_run(server->server, &err) != STATUS_OK) log_warn("ops", "metrics: %s", err.message);
	return NULL;
}

enum status ops_server_open(
    struct ops_server **out, const struct ops *ops, const char *address, uint16_t port, struct err *err) {
	static const char *const any_name[] = {"*", NULL}; /* collectors come by a name; there is nothing to steal */
	struct ops_server *server = mem_zalloc(1, sizeof *server);
	const struct route_table table = {ops_routes, OPS_ALL_COUNT, (void *)(uintptr_t)ops};
	server->router = router_new(&table, 1, NULL);
	struct http_server_options options = {.address = address,
	    .port = port,
	    .vhosts = any_name,
	    .connections_max = 16,
	    .response_max = METRICS_BYTES_MAX,
	    .drain_ms = 500};
	struct http_service service = router_service(server->router);
	enum status status = http_server_open(&server->server, &options, &service, err);
	if (status == STATUS_OK) {
		server->has_thread = pthread_create(&server->thread, NULL, run, server) == 0;
		if (!server->has_thread) status = err_set(err, STATUS_INTERNAL, "cannot start the metrics' thread");
	}
	if (status != STATUS_OK) {
		ops_server_close(server);
		return status;
	}
	*out = server;
	return STATUS_OK;
}

void ops_server_close(struct ops_server *server) {
	if (!server) return;
	if (server->has_thread) {
		http_server_stop(server->server);
		pthread_join(server->thread, NULL);
	}
	http_server_close(server->server);
	router_free(server->router);
	mem_free(server);
}
