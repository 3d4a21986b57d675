#include "app/serve/own_key.h"

#include <stdatomic.h>
#include <stdio.h>

#include "app/serve/metrics.h"
#include "app/serve/periodic.h"
#include "app/system.h"
#include "health/actors/directory.h"

#define EVERY_MS 60000u
#define LOOK_MS 30000u /* at most */

struct own_key_watch {
	struct actor *actor;
	struct periodic *periodic;
	uint32_t alarmed;             /* the newest version of a key that was reported */
	atomic_uint_fast32_t foreign; /* the version of the directory's key, if it is not of this home; else 0 */
};

static enum status look(struct actor_request *request, uint32_t *foreign, const char **origin, struct err *err) {
	struct directory_listed listed;
	bool is_own;
	*foreign = 0;
	enum status status = directory_own_key(request, &is_own, &listed, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* it is not listed, and has no key to watch */
	TRY(status);
	if (is_own) return STATUS_OK;
	*foreign = listed.key_version;
	*origin = directory_key_origin(request->arena, &listed);
	return STATUS_OK;
}

static void report(struct own_key_watch *watch, uint32_t version, const char *origin) {
	atomic_store(&watch->foreign, version);
	if (version <= watch->alarmed) return;
	watch->alarmed = version;
	log_error("directory",
	    "the newest key of this account is not of this home, version %u%s. If nobody of you asked for it: xinglin "
	    "actor publish-key",
	    version, origin);
}

/* A node that shows nothing that is believed says nothing about the key either. */
static void look_once(void *context) {
	struct own_key_watch *watch = context;
	struct arena arena;
	struct actor_request request = {0};
	struct err err = {0};
	uint32_t foreign;
	const char *origin = "";
	arena_init(&arena);
	const uint64_t deadline_ms = clock_now_ms(&world_clock) + LOOK_MS;
	enum status status = actor_request_begin(watch->actor, &request, &arena, deadline_ms, &err);
	if (status == STATUS_OK) status = look(&request, &foreign, &origin, &err);
	if (status == STATUS_OK)
		report(watch, foreign, origin);
	else
		log_warn("directory", "cannot look at the own entry: %s; trying again", err.message);
	actor_request_end(&request);
	arena_fini(&arena);
}

enum status own_key_watch_start(struct own_key_watch **out, struct actor *actor, struct err *err) {
	struct own_key_watch *watch = mem_zalloc(1, sizeof *watch);
	watch->actor = actor;
	const struct periodic_work work = {"the watch over the own entry", EVERY_MS, look_once, watch};
	enum status status = periodic_start(&watch->periodic, &work, err);
	if (status == STATUS_OK)
		*out = watch;
	else
		mem_free(watch);
	return status;
}

void own_key_watch_metrics(struct own_key_watch *watch, struct buf *out) {
	if (!watch) return;
	metric_put(out, METRIC_GAUGE, "actor_key_is_foreign",
	    "1: the directory's newest key of this account is not of this home: a person must look.",
	    atomic_load(&watch->foreign) ? 1 : 0);
}

void own_key_watch_condition(struct own_key_watch *watch, char out[LIFECYCLE_CONDITION_BYTES]) {
	const uint32_t version = watch ? (uint32_t)atomic_load(&watch->foreign) : 0;
	out[0] = 0;
	if (version)
		snprintf(out, LIFECYCLE_CONDITION_BYTES,
		    "the directory's newest key of this account, version %u, is not of this home: a person must look",
		    version);
}

void own_key_watch_stop(struct own_key_watch *watch) {
	if (!watch) return;
	periodic_stop(watch->periodic);
	watch->periodic = NULL;
}

void own_key_watch_free(struct own_key_watch *watch) {
	own_key_watch_stop(watch);
	mem_free(watch);
}
