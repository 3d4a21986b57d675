/* The version of a Subscription by which the server says that it has ended. */
#include <stdio.h>

#include "base/log.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_hook_private.h"

struct work {
	struct fhir_server *server;
	struct arena arena;
	struct fhir_lock_request locks;
	struct fhir_commit commit;
	struct fhir_commit_change change;
	struct json_edit edit;
	struct resource_version before;
	uint32_t version;
	const char *status, *why;
};

static void finish(struct work *work) {
	fhir_locks_give_back(work->server->locks, &work->locks);
	arena_fini(&work->arena);
	mem_free(work);
}

static void done(void *context, enum status status, const struct err *err) {
	struct work *work = context;
	if (status == STATUS_OK)
		fhir_hook_take(work->server->hooks, &work->change);
	else
		log_warn("gateway", "a subscription's end is not written yet: %s", err->message);
	finish(work);
}

static const char *quoted(struct arena *arena, const char *text) {
	struct buf json;
	buf_init(&json, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&json);
	json_put_text(&w, NULL, text);
	const char *out = arena_strdup(arena, buf_view(&json));
	buf_fini(&json);
	return out;
}

static enum status prepare(struct work *work, struct err *err) {
	const struct json *tree;
	TRY(json_parse(&tree, &work->arena, work->before.content, NULL, err));
	json_edit_init(&work->edit, &work->arena, tree);
	json_edit_put(&work->edit, tree, BYTES_LITERAL("status"), bytes_text(quoted(&work->arena, work->status)));
	json_edit_put(&work->edit, tree, BYTES_LITERAL("error"), bytes_text(quoted(&work->arena, work->why)));
	work->change = (struct fhir_commit_change){.key = work->before.key,
	    .method = RESOURCE_PUT,
	    .before = &work->before,
	    .source = tree,
	    .edit = &work->edit};
	work->commit = (struct fhir_commit){.server = work->server,
	    .arena = &work->arena,
	    .changes = &work->change,
	    .count = 1,
	    .done = done,
	    .context = work};
	return fhir_commit_prepare(&work->commit, err);
}

/* Under the lock of the Subscription. */
static void run(void *argument) {
	static const struct resource_scope_rule rule = {.type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN};
	static const struct resource_scope everything = {.rules = &rule, .count = 1};
	struct work *work = argument;
	struct err err = {0};
	const struct resource_key key = work->change.key;
	enum status status =
	    resources_get(work->server->resources, &work->before, &work->arena, &everything, &key, 0, &err);
	const bool is_current =
	    status == STATUS_OK && work->before.version == work->version && work->before.method != RESOURCE_DELETE;
	if (is_current) status = prepare(work, &err);
	if (is_current && status == STATUS_OK)
		fhir_commit_run(&work->commit);
	else
		finish(work);
}

static void granted(void *context) {
	struct work *work = context;
	if (!workers_give(work->server->gateway->options.workers, run, work)) finish(work);
}

void fhir_hook_end(struct fhir_server *server, const struct fhir_hook_ending *ending) {
	struct work *work = mem_zalloc(1, sizeof *work);
	const uint16_t type = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Subscription"));
	work->server = server;
	work->version = ending->version;
	arena_init(&work->arena);
	work->status = ending->status;
	work->why = arena_strdup(&work->arena, bytes_text(ending->why));
	work->change.key = (struct resource_key){type, arena_dup(&work->arena, bytes_text(ending->id))};
	fhir_lock_request_init(&work->locks, &work->arena, 2);
	fhir_lock_request_put(&work->locks, BYTES_LITERAL("Subscription"), false);
	fhir_lock_request_put(&work->locks, fhir_answer_reference(&work->arena, &work->change.key), true);
	work->locks.granted = granted;
	work->locks.context = work;
	if (fhir_locks_take(server->locks, &work->locks)) run(work);
}
