#include "app/serve/issuer_service.h"

#include <strings.h>

#include "app/serve/periodic.h"
#include "app/system.h"
#include "app/threads.h"
#include "base/files.h"
#include "base/log.h"
#include "net/http_client.h"

#define LOOK_EVERY_MS 200u
#define CONNECT_MS 5000u
#define ANSWER_MS 10000u

struct issuer_service {
	struct issuer_service_options options;
	struct issuer *issuer;
	struct http_client client;
	struct periodic *fetching;
	atomic_ullong fetched, failed;
	bool is_failing; /* the fetching thread's: a failure is logged when it begins */
};

static bool is_url(const char *text) {
	return strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0;
}

static enum status read_keys(struct issuer_service *service, struct err *err) {
	struct buf text;
	buf_init(&text, ISSUER_ANSWER_MAX);
	enum status status = files_read(&text, service->options.keys, err);
	if (status == STATUS_OK) {
		status = issuer_set_keys(service->issuer, buf_view(&text), err);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", service->options.keys);
	}
	buf_fini(&text);
	return status;
}

enum status issuer_service_open(
    struct issuer_service **out, const struct issuer_service_options *options, struct err *err) {
	*out = NULL;
	if (!options->issuer.issuer) return STATUS_OK;
	struct issuer_service *service = mem_zalloc(1, sizeof *service);
	struct issuer_options issuer = options->issuer;
	service->options = *options;
	issuer.threads = &system_threads;
	issuer.clock = &world_clock;
	if (options->keys && is_url(options->keys)) issuer.keys_url = options->keys;
	issuer.keys_of_file = options->keys && !issuer.keys_url;
	service->issuer = issuer_new(&issuer);
	const struct http_client_options client = {
	    .connect_timeout_ms = CONNECT_MS, .timeout_ms = ANSWER_MS, .ca_file = options->ca_file};
	enum status status =
	    issuer.keys_of_file ? read_keys(service, err) : http_client_open(&service->client, &client, err);
	if (status == STATUS_OK)
		*out = service;
	else
		issuer_service_close(service);
	return status;
}

struct issuer *issuer_service_issuer(struct issuer_service *service) {
	return service ? service->issuer : NULL;
}

enum status issuer_service_reload(struct issuer_service *service, struct err *err) {
	if (!service || !service->options.keys || is_url(service->options.keys)) return STATUS_OK;
	return read_keys(service, err);
}

/* --- fetching --- */

static enum status fetch(struct issuer_service *service, enum issuer_want want, const char *url,
    struct http_response *answer, struct err *err) {
	static const char *const headers[] = {"Accept: application/json", NULL};
	const struct http_client *client = &service->client;
	TRY(client->exchange(client->context, answer, HTTP_GET, url, headers, (struct bytes){NULL, 0}, err));
	if (answer->status != 200) return err_set(err, STATUS_IO, "%s answers %d", url, answer->status);
	if (want == ISSUER_WANTS_KEYS) return issuer_set_keys(service->issuer, buf_view(&answer->body), err);
	return issuer_set_discovery(service->issuer, buf_view(&answer->body), err);
}

static void note(struct issuer_service *service, enum status status, const struct err *err) {
	atomic_fetch_add(status == STATUS_OK ? &service->fetched : &service->failed, 1);
	bool is_failing = status != STATUS_OK;
	if (is_failing && !service->is_failing)
		log_warn("gateway", "the issuer's keys cannot be fetched: %s", err->message);
	if (!is_failing && service->is_failing) log_warn("gateway", "the issuer's keys can be fetched again");
	service->is_failing = is_failing;
}

static void look(void *context) {
	struct issuer_service *service = context;
	char url[ISSUER_URL_MAX];
	enum issuer_want want;
	while ((want = issuer_wants(service->issuer, url)) != ISSUER_WANTS_NOTHING) {
		struct err err = {0};
		struct http_response answer;
		http_response_init(&answer, ISSUER_ANSWER_MAX);
		enum status status = fetch(service, want, url, &answer, &err);
		http_response_fini(&answer);
		note(service, status, &err);
		if (status != STATUS_OK) return;
	}
}

enum status issuer_service_start(struct issuer_service *service, struct err *err) {
	const struct periodic_work work = {"the issuer's keys", LOOK_EVERY_MS, look, service};
	if (!service || !service->client.context) return STATUS_OK;
	return periodic_start(&service->fetching, &work, err);
}

/* --- what operators see --- */

void issuer_service_check(struct issuer_service *service, struct readiness *out) {
	if (!service) return;
	bool is_ready = issuer_is_ready(service->issuer);
	readiness_add(out, "issuer", is_ready, "%s", is_ready ? "its keys are known" : "its keys are not known yet");
}

void issuer_service_metrics(struct issuer_service *service, struct buf *out) {
	if (!service) return;
	metric_put(out, METRIC_COUNTER, "issuer_fetched_total", "Answers of the issuer that were taken.",
	    atomic_load(&service->fetched));
	metric_put(out, METRIC_COUNTER, "issuer_failed_total",
	    "Answers of the issuer that did not come or did not fit.", atomic_load(&service->failed));
}

void issuer_service_close(struct issuer_service *service) {
	if (!service) return;
	periodic_stop(service->fetching);
	http_client_close(&service->client);
	issuer_free(service->issuer);
	mem_free(service);
}
