#include "app/serve/follower.h"

#include "app/serve/periodic.h"
#include "app/system.h"
#include "base/log.h"

#define EVERY_MS 1000u
/* A round ends after this long, so that a long catch-up shows how far it is. If that was too short for one page, the
 * next round may last twice as long. */
#define ROUND_FIRST_MS 5000u
#define ROUND_MAX_MS 40000u

struct follower {
	struct actor *actor;
	struct index *index;
	const struct nodes *nodes;
	struct periodic *periodic;
	uint32_t round_ms;
	uint64_t next_block; /* after the last round that did not reach the newest one */
	atomic_ullong behind;
	atomic_bool fails;
};

/* From the file: what earlier runs read counts. */
static void measure(struct follower *follower, uint64_t *next_block) {
	struct err err;
	uint64_t head = nodes_head(follower->nodes);
	*next_block = UINT64_MAX;
	if (index_next_block(follower->index, next_block, &err) != STATUS_OK) log_warn("index", "%s", err.message);
	atomic_store(&follower->behind, *next_block <= head ? head + 1 - *next_block : 0);
}

struct follower *follower_new(struct actor *actor, struct index *index, const struct nodes *nodes) {
	struct follower *follower = mem_zalloc(1, sizeof *follower);
	follower->actor = actor;
	follower->index = index;
	follower->nodes = nodes;
	follower->round_ms = ROUND_FIRST_MS;
	measure(follower, &follower->next_block);
	return follower;
}

void follower_free(struct follower *follower) {
	mem_free(follower);
}

/* --- a round --- */

static enum status follow(struct follower *follower, struct err *err) {
	struct arena arena;
	struct actor_request request = {0};
	arena_init(&arena);
	uint64_t deadline_ms = clock_now_ms(&world_clock) + follower->round_ms;
	enum status status = actor_request_begin(follower->actor, &request, &arena, deadline_ms, err);
	if (status == STATUS_OK) status = index_follow(follower->index, request.client, err);
	actor_request_end(&request);
	arena_fini(&arena);
	return status;
}

/* The time was over: how far did it come? */
static void note_progress(struct follower *follower) {
	uint64_t before = follower->next_block;
	measure(follower, &follower->next_block);
	if (follower->next_block != before)
		follower->round_ms = ROUND_FIRST_MS;
	else if (follower->round_ms < ROUND_MAX_MS)
		follower->round_ms *= 2;
}

static void set_fails(struct follower *follower, bool fails, const char *why) {
	if (atomic_exchange(&follower->fails, fails) == fails) return;
	if (fails)
		log_warn("index", "the index of this home does not follow the chain: %s", why);
	else
		log_info("index", "the index of this home follows the chain again");
}

static void follow_once(void *context) {
	struct follower *follower = context;
	struct err err = {0};
	if (!nodes_any_is_up(follower->nodes)) return;
	enum status status = follow(follower, &err);
	if (status == STATUS_OK) {
		follower->round_ms = ROUND_FIRST_MS;
		atomic_store(&follower->behind, 0);
	} else {
		note_progress(follower);
	}
	/* What passes by itself; a node that is away is shown by the nodes' own check. */
	bool is_passing = status == STATUS_IO || status == STATUS_TIMEOUT || status == STATUS_BUSY;
	if (!is_passing) set_fails(follower, status != STATUS_OK, err.message);
}

enum status follower_start(struct follower *follower, struct err *err) {
	const struct periodic_work work = {"the index's follower", EVERY_MS, follow_once, follower};
	return periodic_start(&follower->periodic, &work, err);
}

void follower_stop(struct follower *follower) {
	if (!follower) return;
	periodic_stop(follower->periodic);
	follower->periodic = NULL;
}

/* --- what operators see --- */

void follower_check(const struct follower *follower, struct readiness *out) {
	uint64_t behind = atomic_load(&follower->behind);
	bool fails = atomic_load(&follower->fails);
	readiness_add(out, "index", !fails && behind <= FOLLOWER_BEHIND_MAX, "%llu blocks behind the node%s",
	    (unsigned long long)behind, fails ? "; it does not go on, and the log says why" : "");
}

void follower_metrics(const struct follower *follower, struct buf *out) {
	metric_put(out, METRIC_GAUGE, "index_behind_blocks",
	    "Blocks that the node has and the home's index has not read.", atomic_load(&follower->behind));
}
