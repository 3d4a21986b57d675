#include "app/serve/trustee.h"

#include <stdatomic.h>
#include <stdio.h>

#include "app/serve/metrics.h"
#include "app/serve/periodic.h"
#include "app/system.h"
#include "health/consent/trustee.h"

#define ROUND_MS 60000u

struct trustee_service {
	struct actor *actor;
	struct trustee_round round;
	struct periodic *periodic;
	atomic_ullong released, failed; /* since the start */
	atomic_ullong limited;          /* in the last round */
};

/* A node that does not answer for a while is no reason to stop serving emergencies. */
static void serve_once(void *context) {
	struct trustee_service *service = context;
	struct arena arena;
	struct actor_request request = {0};
	struct trustee_round *round = &service->round;
	struct err err = {0};
	arena_init(&arena);
	uint64_t deadline_ms = clock_now_ms(&world_clock) + ROUND_MS;
	enum status status = actor_request_begin(service->actor, &request, &arena, deadline_ms, &err);
	if (status == STATUS_OK) status = trustee_serve_once(&request, round, &err);
	if (status != STATUS_OK) log_warn("trustee", "%s; trying again", err.message);
	atomic_fetch_add(&service->released, round->released);
	atomic_fetch_add(&service->failed, round->failed);
	atomic_store(&service->limited, round->limited);
	if (status == STATUS_OK && round->released) log_info("trustee", "%zu shares released", round->released);
	if (status == STATUS_OK && round->failed) log_warn("trustee", "%zu releases failed", round->failed);
	actor_request_end(&request);
	arena_fini(&arena);
}

enum status trustee_service_start(
    struct trustee_service **out, struct actor *actor, uint32_t every_ms, struct err *err) {
	struct trustee_service *service = mem_zalloc(1, sizeof *service);
	service->actor = actor;
	const struct periodic_work work = {"the trustee", every_ms, serve_once, service};
	enum status status = periodic_start(&service->periodic, &work, err);
	if (status == STATUS_OK)
		*out = service;
	else
		mem_free(service);
	return status;
}

uint64_t trustee_service_limited(struct trustee_service *service) {
	return service ? atomic_load(&service->limited) : 0;
}

void trustee_condition(char out[TRUSTEE_CONDITION_BYTES], uint64_t limited) {
	out[0] = 0;
	if (!limited) return;
	snprintf(out, TRUSTEE_CONDITION_BYTES,
	    "%llu emergencies get no share of a key: their actor has had as many today as registrars allow. Is it still "
	    "itself? A person must look",
	    (unsigned long long)limited);
}

void trustee_service_metrics(struct trustee_service *service, struct buf *out) {
	if (!service) return;
	metric_put(out, METRIC_COUNTER, "trustee_released_total", "Shares of keys released in emergencies.",
	    atomic_load(&service->released));
	metric_put(out, METRIC_COUNTER, "trustee_failed_total", "Releases that failed, each try counted.",
	    atomic_load(&service->failed));
	metric_put(out, METRIC_GAUGE, "trustee_limited",
	    "Emergencies whose actor had its number of releases today: a person must look.",
	    atomic_load(&service->limited));
}

void trustee_service_stop(struct trustee_service *service) {
	if (!service) return;
	periodic_stop(service->periodic);
	service->periodic = NULL;
}

void trustee_service_free(struct trustee_service *service) {
	trustee_service_stop(service);
	mem_free(service);
}
