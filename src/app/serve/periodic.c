#include "app/serve/periodic.h"

#include <pthread.h>
#include <stdatomic.h>

#include "app/system.h"

#define STEP_MS 50u /* a stop waits for at most this long */

struct periodic {
	struct periodic_work work;
	pthread_t thread;
	atomic_bool is_stopping;
};

static void *run(void *context) {
	struct periodic *periodic = context;
	while (!atomic_load(&periodic->is_stopping)) {
		periodic->work.once(periodic->work.context);
		for (uint32_t waited_ms = 0; waited_ms < periodic->work.every_ms; waited_ms += STEP_MS) {
			if (atomic_load(&periodic->is_stopping)) break;
			world_sleep_ms(NULL, STEP_MS);
		}
	}
	return NULL;
}

enum status periodic_start(struct periodic **out, const struct periodic_work *work, struct err *err) {
	struct periodic *periodic = mem_zalloc(1, sizeof *periodic);
	periodic->work = *work;
	if (pthread_create(&periodic->thread, NULL, run, periodic) != 0) {
		mem_free(periodic);
		return err_set(err, STATUS_INTERNAL, "cannot start the thread of %s", work->name);
	}
	*out = periodic;
	return STATUS_OK;
}

void periodic_stop(struct periodic *periodic) {
	if (!periodic) return;
	atomic_store(&periodic->is_stopping, true);
	pthread_join(periodic->thread, NULL);
	mem_free(periodic);
}
