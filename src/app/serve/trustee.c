#include "app/serve/trustee.h"

#include <pthread.h>
#include <stdatomic.h>

#include "app/system.h"
#include "health/consent/trustee.h"

#define STEP_MS 50u
#define ROUND_MS 60000u

struct trustee_service {
	struct actor *actor;
	uint32_t every_ms;
	struct trustee_round round; /* emergencies before its first block are done with */
	pthread_t thread;
	atomic_bool stopping;
};

/* A node that does not answer for a while is no reason to stop serving emergencies. */
static void serve_once(struct trustee_service *service) {
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

static void *run(void *context) {
	struct trustee_service *service = context;
	while (!atomic_load(&service->stopping)) {
		serve_once(service);
		for (uint32_t waited = 0; waited < service->every_ms && !atomic_load(&service->stopping);
		     waited += STEP_MS)
			world_sleep_ms(NULL, STEP_MS);
	}
	return NULL;
}

enum status trustee_service_start(
    struct trustee_service **out, struct actor *actor, uint32_t every_ms, struct err *err) {
	struct trustee_service *service = mem_zalloc(1, sizeof *service);
	service->actor = actor;
	service->every_ms = every_ms;
	if (pthread_create(&service->thread, NULL, run, service) != 0) {
		mem_free(service);
		return err_set(err, STATUS_INTERNAL, "cannot start the trustee's thread");
	}
	*out = service;
	return STATUS_OK;
}

void trustee_service_stop(struct trustee_service *service) {
	if (!service) return;
	atomic_store(&service->stopping, true);
	pthread_join(service->thread, NULL);
	mem_free(service);
}
