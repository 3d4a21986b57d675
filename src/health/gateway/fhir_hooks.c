#include "health/gateway/fhir_hooks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/log.h"
#include "health/gateway/fhir_hook_private.h"
#include "health/gateway/who.h"

#define STEP_CHANGES 20u    /* that are looked at together */
#define STEPS_MAX 16u       /* before another subscription has its turn */
#define SAVE_EVERY 4096     /* places that are passed over without a word to the disk */
#define PAUSE_FIRST_MS 1000 /* after a first failure; it doubles */
#define PAUSE_MAX_MS 900000 /* 15 minutes */
#define END_AGAIN_MS 60000  /* an end that could not be written */

struct fhir_hooks {
	struct fhir_server *server;
	const struct threads *threads;
	struct monitor *monitor; /* of all that follows */
	uint8_t key[32];
	struct fhir_hook *list;
	atomic_size_t count;
	unsigned senders;
	bool is_loaded;
};

const struct clock_source *fhir_hooks_clock(const struct fhir_hooks *hooks) {
	return hooks->server->gateway->options.clock;
}

const struct client_maker *fhir_hooks_maker(const struct fhir_hooks *hooks) {
	return hooks->server->gateway->options.hooks;
}

static const struct home *home_of(const struct fhir_hooks *hooks) {
	return actor_home(hooks->server->gateway->options.actor);
}

static int64_t now_ms(const struct fhir_hooks *hooks) {
	return (int64_t)clock_now_ms(fhir_hooks_clock(hooks));
}

struct fhir_hooks *fhir_hooks_new(struct fhir_server *server) {
	struct fhir_hooks *hooks = mem_zalloc(1, sizeof *hooks);
	struct err err;
	char path[4096];
	hooks->server = server;
	hooks->threads = server->gateway->options.threads;
	hooks->monitor = hooks->threads->monitor_new(hooks->threads->context);
	fhir_hook_root_key(hooks->key, home_of(hooks));
	snprintf(path, sizeof path, "%s/hooks", home_of(hooks)->directory);
	if (files_make_folder(path, &err) != STATUS_OK) log_warn("gateway", "%s", err.message);
	return hooks;
}

static void start(struct fhir_hooks *hooks);

/* --- the table --- */

static void free_hook(struct fhir_hook *hook) {
	arena_fini(&hook->arena);
	mem_free(hook);
}

void fhir_hooks_free(struct fhir_hooks *hooks) {
	if (!hooks) return;
	while (hooks->list) {
		struct fhir_hook *hook = hooks->list;
		hooks->list = hook->next;
		free_hook(hook);
	}
	hooks->threads->monitor_free(hooks->monitor);
	mem_wipe(hooks->key, sizeof hooks->key);
	mem_free(hooks);
}

/* Under the monitor. A worker that has it frees it. */
static void drop(struct fhir_hooks *hooks, struct bytes id) {
	for (struct fhir_hook **at = &hooks->list; *at; at = &(*at)->next) {
		struct fhir_hook *hook = *at;
		if (!bytes_equal(id, bytes_text(hook->state.id))) continue;
		*at = hook->next;
		hooks->count--;
		hook->is_dropped = true;
		if (!hook->is_busy) free_hook(hook);
		return;
	}
}

static struct fhir_hook *find(struct fhir_hooks *hooks, struct bytes id) {
	for (struct fhir_hook *hook = hooks->list; hook; hook = hook->next)
		if (bytes_equal(id, bytes_text(hook->state.id))) return hook;
	return NULL;
}

static size_t count_of(const struct fhir_hooks *hooks, const char *asker) {
	size_t count = 0;
	for (const struct fhir_hook *hook = hooks->list; hook; hook = hook->next)
		count += strcmp(hook->state.asker.name, asker) == 0;
	return count;
}

static void put(struct fhir_hooks *hooks, struct fhir_hook *hook) {
	hooks->threads->lock(hooks->monitor);
	drop(hooks, bytes_text(hook->state.id));
	hook->next = hooks->list;
	hooks->list = hook;
	hooks->count++;
	hook->is_due = true;
	hooks->threads->unlock(hooks->monitor);
}

/* NULL: its file or its resource cannot be read. */
static struct fhir_hook *load(struct fhir_hooks *hooks, const char *name, struct bytes content) {
	struct fhir_hook *hook = mem_zalloc(1, sizeof *hook);
	const struct json *tree;
	struct err err = {0};
	hook->hooks = hooks;
	arena_init(&hook->arena);
	enum status status = fhir_hook_state_read(&hook->state, &hook->arena, home_of(hooks), hooks->key, name, &err);
	if (status == STATUS_OK) status = json_parse(&tree, &hook->arena, arena_dup(&hook->arena, content), NULL, &err);
	if (status == STATUS_OK && json_string_is(json_get(tree, "status"), "active") &&
	    fhir_hook_terms_read(&hook->terms, &hook->arena, NULL, tree, true)) {
		hook->saved_after = hook->state.after;
		return hook;
	}
	if (status != STATUS_OK) log_warn("gateway", "a subscription is not served: %s", err.message);
	free_hook(hook);
	return NULL;
}

/* --- at the start --- */

static enum status current_of(
    struct fhir_hooks *hooks, struct arena *arena, struct resource_version *out, struct bytes id, struct err *err) {
	static const struct resource_scope_rule rule = {.type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN};
	static const struct resource_scope everything = {.rules = &rule, .count = 1};
	const struct resource_key key = {fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Subscription")), id};
	return resources_get(hooks->server->resources, out, arena, &everything, &key, 0, err);
}

/* A file of a version that is not current is of a write that did not come about, or of one that was followed. */
static void load_file(struct fhir_hooks *hooks, struct arena *arena, const char *name) {
	struct resource_version version;
	struct err err = {0};
	const char *dot = strrchr(name, '.');
	if (!dot) return;
	const char *id = arena_strdup(arena, bytes_make(name, (size_t)(dot - name)));
	const uint32_t number = (uint32_t)strtoul(dot + 1, NULL, 10);
	const enum status status = current_of(hooks, arena, &version, bytes_text(id), &err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return;
	const bool is_current = status == STATUS_OK && version.version == number && version.method != RESOURCE_DELETE;
	struct fhir_hook *hook = is_current ? load(hooks, name, version.content) : NULL;
	if (hook)
		put(hooks, hook);
	else
		fhir_hook_state_remove(home_of(hooks), id, number);
}

/* Once what was written before is in the index: the files are held against it. */
static void load_all(struct fhir_hooks *hooks) {
	struct arena arena;
	char **names;
	size_t count;
	struct err err = {0};
	arena_init(&arena);
	if (home_list(home_of(hooks), &names, &count, &arena, "hooks", &err) == STATUS_OK)
		for (size_t i = 0; i < count; i++) load_file(hooks, &arena, names[i]);
	hooks->is_loaded = true;
	arena_fini(&arena);
}

/* --- writing one --- */

enum status fhir_hook_prepare(struct fhir_hooks *hooks, struct arena *arena, const struct asker *asker,
    const struct fhir_commit_change *change, struct err *err) {
	struct resource_changes newest;
	struct fhir_hook_terms terms;
	struct fhir_hook_state state = {.version = change->after.version, .asker = *asker, .until_ms = INT64_MAX};
	const struct bytes id = change->key.id;
	if (!json_string_is(json_get(change->tree, "status"), "active")) return STATUS_OK;
	if (!fhir_hook_terms_read(&terms, arena, NULL, change->tree, true)) return STATUS_OK;
	TRY(resources_changes(hooks->server->resources, &newest, arena, &(struct resource_changes_query){0}, err));
	snprintf(state.id, sizeof state.id, "%.*s", (int)id.len, (const char *)id.data);
	state.since_ms = change->after.at_ms;
	state.after = newest.newest;
	if (!asker->is_of_file && terms.end_ms == INT64_MAX) state.until_ms = state.since_ms + FHIR_HOOK_LEASE_MS;
	hooks->threads->lock(hooks->monitor);
	const struct fhir_hook *old = find(hooks, id);
	const bool is_full =
	    !old && (hooks->count >= FHIR_HOOKS_MAX || count_of(hooks, asker->name) >= FHIR_HOOKS_OF_ONE_MAX);
	if (old) { /* what it waits for goes on under the new terms */
		state.after = old->state.after;
		state.since_ms = old->state.since_ms;
	}
	hooks->threads->unlock(hooks->monitor);
	if (is_full)
		return err_set(err, STATUS_LIMIT, "%u subscriptions of one client are served, and %u of all: end one",
		    FHIR_HOOKS_OF_ONE_MAX, FHIR_HOOKS_MAX);
	return fhir_hook_state_write(home_of(hooks), hooks->key, &state, err);
}

void fhir_hook_take(struct fhir_hooks *hooks, const struct fhir_commit_change *change) {
	char name[96], id[FHIR_HOOK_ID_BYTES];
	snprintf(id, sizeof id, "%.*s", (int)change->key.id.len, (const char *)change->key.id.data);
	snprintf(name, sizeof name, "%s.%u", id, change->after.version);
	const bool is_active =
	    change->method != RESOURCE_DELETE && json_string_is(json_get(change->tree, "status"), "active");
	struct fhir_hook *hook = is_active ? load(hooks, name, change->after.content) : NULL;
	if (hook) {
		put(hooks, hook);
	} else {
		hooks->threads->lock(hooks->monitor);
		drop(hooks, change->key.id);
		hooks->threads->unlock(hooks->monitor);
	}
	if (change->before) fhir_hook_state_remove(home_of(hooks), id, change->before->version);
	start(hooks);
}

bool fhir_hook_secret(struct fhir_hooks *hooks, char out[65], struct bytes id, const struct asker *asker) {
	hooks->threads->lock(hooks->monitor);
	const struct fhir_hook *hook = find(hooks, id);
	const bool is_his = hook && strcmp(hook->state.asker.name, asker->name) == 0;
	if (is_his) fhir_hook_secret_of(out, hooks->key, &hook->state);
	hooks->threads->unlock(hooks->monitor);
	return is_his;
}

/* --- serving one: by the worker that made it busy --- */

static void save(struct fhir_hook *hook) {
	struct err err = {0};
	if (hook->is_dropped) return;
	hook->saved_after = hook->state.after;
	if (fhir_hook_state_write(home_of(hook->hooks), hook->hooks->key, &hook->state, &err) != STATUS_OK)
		log_warn("gateway", "a subscription's place is not kept: %s", err.message);
}

/* May the subscriber see it now? Not what was deleted meanwhile. */
static bool may_see(struct fhir_hook *hook, struct arena *arena, const struct resource_version *version) {
	struct resource_scope scope;
	struct resource_version current, seen;
	struct resources *resources = hook->hooks->server->resources;
	if (asker_scope(&scope, arena, &hook->state.asker, ASKER_READ, version->key.type, NULL) != STATUS_OK)
		return false;
	if (resources_get(resources, &current, arena, &scope, &version->key, 0, NULL) != STATUS_OK) return false;
	if (current.method == RESOURCE_DELETE) return false;
	return resources_get(resources, &seen, arena, &scope, &version->key, version->version, NULL) == STATUS_OK;
}

static bool is_wanted(struct fhir_hook *hook, struct arena *arena, const struct resource_version *version) {
	const struct resource_scope_rule criteria = {.type = hook->terms.type, .search = hook->terms.search};
	struct resource_scope scope;
	const struct json *tree;
	bool is_found = true;
	struct err err = {0};
	if (version->at_ms < hook->state.since_ms || !may_see(hook, arena, version)) return false;
	if (!criteria.search.len) return true;
	if (json_parse(&tree, arena, version->content, NULL, &err) != STATUS_OK) return false;
	if (asker_scope(&scope, arena, &hook->state.asker, ASKER_SEARCH, FHIR_NONE, &err) != STATUS_OK)
		scope = (struct resource_scope){0}; /* without a right to search, chains lead nowhere */
	const enum status status =
	    resources_would_find(hook->hooks->server->resources, &is_found, arena, &criteria, &scope, tree, &err);
	if (status != STATUS_OK) log_warn("gateway", "a subscription's criteria cannot be asked: %s", err.message);
	return status == STATUS_OK && is_found;
}

/* Each look at a resource is in the trail. */
static void note(struct fhir_hook *hook, struct arena *arena, const struct resource_version *version) {
	struct trail *trail = hook->hooks->server->gateway->options.trail;
	if (!trail) return;
	const char *what = arena_printf(arena, "/fhir/%s/%.*s/_history/%u", fhir_type_name(&fhir_r4, version->key.type),
	    (int)version->key.id.len, (const char *)version->key.id.data, version->version);
	trail_add(trail, &(struct trail_entry){.at_ms = (uint64_t)now_ms(hook->hooks),
			     .asker = &hook->state.asker,
			     .request = bytes_text(arena_printf(arena, "subscription-%s", hook->state.id)),
			     .method = "NOTIFY",
			     .what = bytes_text(what),
			     .status = 200});
}

static void fail(struct fhir_hook *hook, const struct fhir_hook_sent *sent) {
	struct fhir_hook_state *state = &hook->state;
	const uint64_t max = hook->hooks->server->gateway->options.hooks_attempts;
	int64_t pause = PAUSE_FIRST_MS;
	for (uint64_t i = 0; i < state->attempts && pause < PAUSE_MAX_MS; i++) pause *= 2;
	state->attempts++;
	state->retry_at_ms = now_ms(hook->hooks) + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
	if (sent->is_final || state->attempts >= max) {
		hook->end_status = "error";
		hook->ending = arena_printf(
		    &hook->arena, "%s; %llu attempts were made", sent->why, (unsigned long long)state->attempts);
	}
	save(hook);
}

/* False: it was not taken. */
static bool serve(struct fhir_hook *hook, const struct resource_change *change) {
	struct arena arena;
	struct fhir_hook_sent sent = {0};
	bool is_served = true, is_sent = false;
	arena_init(&arena);
	if (is_wanted(hook, &arena, &change->version)) {
		note(hook, &arena, &change->version);
		is_sent = is_served = fhir_hook_send(hook, hook->hooks->key, change, &sent);
		if (!is_served) fail(hook, &sent);
	}
	arena_fini(&arena);
	if (!is_served) return false;
	hook->state.after = change->sequence;
	hook->state.attempts = 0;
	hook->state.retry_at_ms = 0;
	if (is_sent) save(hook);
	return true;
}

/* Why it may not go on; NULL: it may. */
static bool has_ended(struct fhir_hook *hook) {
	const int64_t now = now_ms(hook->hooks);
	if (now > hook->terms.end_ms) {
		hook->end_status = "off";
		hook->ending = "its end is over";
	} else if (now > hook->state.until_ms || !who_is_still(hook->hooks->server->gateway, &hook->state.asker)) {
		hook->end_status = "error";
		hook->ending = "the rights of the token by which it was written have ended: write it again";
	}
	return hook->ending != NULL;
}

/* False: it is up to date, or has to wait. */
static bool advance(struct fhir_hook *hook) {
	struct arena arena;
	struct resource_changes changes;
	struct err err = {0};
	const struct resource_changes_query query = {hook->terms.type, hook->state.after, STEP_CHANGES};
	bool goes_on = true;
	arena_init(&arena);
	const enum status status = resources_changes(hook->hooks->server->resources, &changes, &arena, &query, &err);
	if (status != STATUS_OK) log_warn("gateway", "a subscription waits: %s", err.message);
	goes_on = status == STATUS_OK;
	for (size_t i = 0; goes_on && i < changes.count && !hook->is_dropped; i++)
		goes_on = serve(hook, &changes.list[i]);
	/* A smaller one is of a file that was made anew. */
	if (goes_on) hook->state.after = changes.newest;
	const bool has_more = goes_on && changes.count == STEP_CHANGES;
	if (goes_on && (hook->state.after - hook->saved_after > SAVE_EVERY || hook->state.after < hook->saved_after))
		save(hook);
	arena_fini(&arena);
	return has_more && !hook->is_dropped;
}

static void end(struct fhir_hook *hook) {
	const struct fhir_hook_ending ending = {
	    .id = hook->state.id, .version = hook->state.version, .status = hook->end_status, .why = hook->ending};
	hook->state.retry_at_ms = now_ms(hook->hooks) + END_AGAIN_MS;
	fhir_hook_end(hook->hooks->server, &ending);
}

static void run(void *argument) {
	struct fhir_hook *hook = argument;
	struct fhir_hooks *hooks = hook->hooks;
	bool has_more = true;
	for (unsigned i = 0; i < STEPS_MAX && has_more; i++)
		has_more = !hook->ending && !has_ended(hook) && advance(hook);
	if (hook->ending && !hook->is_dropped) end(hook);
	hooks->threads->lock(hooks->monitor);
	hooks->senders--;
	hook->is_busy = false;
	hook->is_due |= has_more;
	if (hook->is_dropped) free_hook(hook);
	hooks->threads->unlock(hooks->monitor);
	start(hooks);
}

/* --- whose turn it is --- */

/* One that failed waits until no sender is busy: endpoints that do not answer leave one to those that do. */
static bool has_turn(const struct fhir_hooks *hooks, const struct fhir_hook *hook, int64_t now) {
	if (!hook->is_due || hook->is_busy || hook->state.retry_at_ms > now) return false;
	return hook->state.attempts == 0 || hooks->senders == 0;
}

/* Under the monitor: the first that is due, which stands last from now on. */
static struct fhir_hook *take_due(struct fhir_hooks *hooks) {
	const int64_t now = now_ms(hooks);
	for (struct fhir_hook **at = &hooks->list; *at; at = &(*at)->next) {
		struct fhir_hook *hook = *at;
		if (!has_turn(hooks, hook, now)) continue;
		*at = hook->next;
		while (*at) at = &(*at)->next;
		*at = hook;
		hook->next = NULL;
		hook->is_busy = true;
		hook->is_due = false;
		hooks->senders++;
		return hook;
	}
	return NULL;
}

static void start(struct fhir_hooks *hooks) {
	struct fhir_hook *hook = NULL;
	do {
		hooks->threads->lock(hooks->monitor);
		hook = hooks->senders < FHIR_HOOKS_SENDERS ? take_due(hooks) : NULL;
		hooks->threads->unlock(hooks->monitor);
		if (!hook || workers_give(hooks->server->gateway->options.workers, run, hook)) continue;
		hooks->threads->lock(hooks->monitor);
		hooks->senders--;
		hook->is_busy = false;
		if (hook->is_dropped)
			free_hook(hook);
		else
			hook->is_due = true; /* at the next step */
		hook = NULL;
		hooks->threads->unlock(hooks->monitor);
	} while (hook);
}

static uint64_t bit_of(uint16_t type) {
	return (uint64_t)1 << type % 64;
}

uint64_t fhir_hooks_types(const struct fhir_commit *commit) {
	uint64_t types = 0;
	for (size_t i = 0; i < commit->count; i++) types |= bit_of(commit->changes[i].key.type);
	return types;
}

void fhir_hooks_wake(struct fhir_hooks *hooks, uint64_t types) {
	if (!atomic_load(&hooks->count)) return;
	hooks->threads->lock(hooks->monitor);
	for (struct fhir_hook *hook = hooks->list; hook; hook = hook->next)
		hook->is_due |= (types & bit_of(hook->terms.type)) != 0;
	hooks->threads->unlock(hooks->monitor);
	start(hooks);
}

void fhir_hooks_step(struct fhir_hooks *hooks) {
	if (!hooks->is_loaded && fhir_catch_up_is_done(hooks->server->catch_up)) load_all(hooks);
	fhir_hooks_wake(hooks, FHIR_HOOKS_ALL_TYPES);
}
