#include "app/serve/trustee.h"

#include "app/serve/periodic.h"
#include "app/system.h"
#include "health/consent/trustee.h"

#define ROUND_MS 60000u

struct trustee_service {
	struct actor *actor;
	struct trustee_round round; /* emergencies before its first block are done with */
	struct periodic *periodic;
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
	if (status == STATUS_OK && round->released) log_info("trustee", "%zu keys released", round->released);
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

void trustee_service_stop(struct trustee_service *service) {
	if (!service) return;
	periodic_stop(service->periodic);
	mem_free(service);
}
