/* Giving versions their content, and sealing them. */
#include "health/gateway/fhir_commit.h"

#include <stdio.h>

#include "base/log.h"
#include "health/contracts/cause.h"
#include "health/fhir/patients.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_hooks.h"

/* --- content --- */

static size_t place_behind(const struct json *object, const char *name) {
	size_t index = 0;
	json_foreach (member, object) {
		index++;
		if (bytes_equal(member->name, bytes_text(name))) return index;
	}
	return 0;
}

static struct bytes quoted(struct arena *arena, struct bytes text) {
	return bytes_text(arena_printf(arena, "\"%.*s\"", (int)text.len, (const char *)text.data));
}

/* What the server sets (resource.html#metadata); every other byte stays. */
static void set_meta(struct json_edit *edit, const struct json *source, const struct resource_version *after) {
	struct arena *arena = edit->arena;
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	const struct json *meta = json_get(source, "meta");
	const size_t behind_type = place_behind(source, "resourceType"), behind_id = place_behind(source, "id");
	fhir_answer_instant(instant, after->at_ms);
	const char *number = arena_printf(arena, "\"%u\"", after->version);
	const char *moment = arena_printf(arena, "\"%s\"", instant);
	json_edit_put_at(edit, source, behind_type, BYTES_LITERAL("id"), quoted(arena, after->key.id));
	if (json_is(meta, JSON_OBJECT)) {
		json_edit_put_at(edit, meta, 0, BYTES_LITERAL("versionId"), bytes_text(number));
		json_edit_put_at(edit, meta, 0, BYTES_LITERAL("lastUpdated"), bytes_text(moment));
		return;
	}
	const char *whole = arena_printf(arena, "{\"versionId\":%s,\"lastUpdated\":%s}", number, moment);
	json_edit_put_at(edit, source, behind_id ? behind_id : behind_type, BYTES_LITERAL("meta"), bytes_text(whole));
}

static enum status write_tombstone(struct fhir_commit *commit, struct fhir_commit_change *change) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	const struct resource_version *after = &change->after;
	fhir_answer_instant(instant, after->at_ms);
	change->after.content = bytes_text(arena_printf(commit->arena,
	    "{\"resourceType\":\"%s\",\"id\":\"%.*s\",\"meta\":{\"versionId\":\"%u\",\"lastUpdated\":\"%s\"}}",
	    fhir_type_name(&fhir_r4, after->key.type), (int)after->key.id.len, (const char *)after->key.id.data,
	    after->version, instant));
	return STATUS_OK;
}

static enum status write_content(struct fhir_commit *commit, struct fhir_commit_change *change, struct err *err) {
	struct json_edit own;
	struct json_edit *edit = change->edit;
	struct buf out;
	if (change->method == RESOURCE_DELETE) return write_tombstone(commit, change);
	if (!edit) {
		edit = &own;
		json_edit_init(edit, commit->arena, change->source);
	}
	set_meta(edit, change->source, &change->after);
	if (json_string_is(json_get(change->source, "resourceType"), "Subscription"))
		fhir_hook_activate(edit, change->source);
	buf_init(&out, CONTAINER_PART_MAX * 2);
	enum status status = json_edit_write(edit, &out, err);
	if (status == STATUS_OK) change->after.content = arena_dup(commit->arena, buf_view(&out));
	buf_fini(&out);
	return status;
}

/* --- dividing --- */

/* A reference to a patient of this server by an absolute URL is the same as a relative one. */
static struct bytes relative(const struct fhir_commit *commit, struct bytes key) {
	const size_t len = commit->base.len;
	if (len && key.len > len && memcmp(key.data, commit->base.data, len) == 0 && key.data[len] == '/')
		return bytes_slice(key, len + 1, key.len);
	return key;
}

static enum status refuse_patients(struct err *err) {
	return err_set(err, STATUS_LIMIT,
	    "it is about more than %u patients, and that many are registered together: divide it",
	    RECORD_ADDITIONS_MAX);
}

/* Whose each new content is. What is deleted says nothing: it stays in the folder where it was. */
static enum status divide(struct fhir_commit *commit, struct err *err) {
	struct fhir_document document = {0};
	struct fhir_issues issues;
	struct names none;
	size_t *of = arena_zalloc(commit->arena, commit->count + 1, sizeof *of);
	fhir_issues_init(&issues, commit->arena);
	names_init(&none, commit->arena, 0);
	document.resources = arena_zalloc(commit->arena, commit->count + 1, sizeof *document.resources);
	for (size_t i = 0; i < commit->count; i++) {
		const struct fhir_commit_change *change = &commit->changes[i];
		if (change->method == RESOURCE_DELETE) continue;
		of[document.resource_count] = i;
		document.resources[document.resource_count++] =
		    (struct fhir_resource){.type = bytes_text(fhir_type_name(&fhir_r4, change->key.type)),
			.id = change->key.id,
			.raw = change->after.content,
			.json = change->tree,
			.patient = SIZE_MAX};
	}
	fhir_divide(&document, &issues, &none);
	if (document.patient_count > RECORD_ADDITIONS_MAX) return refuse_patients(err); /* before a folder is opened */
	for (size_t i = 0; i < document.resource_count; i++) {
		const size_t patient = document.resources[i].patient;
		if (patient != SIZE_MAX)
			commit->changes[of[i]].patient = relative(commit, document.patients[patient].key);
	}
	return fhir_issues_status(&issues, err);
}

enum status fhir_commit_prepare(struct fhir_commit *commit, struct err *err) {
	const int64_t at_ms = fhir_server_now_ms(commit->server);
	for (size_t i = 0; i < commit->count; i++) {
		struct fhir_commit_change *change = &commit->changes[i];
		change->after = (struct resource_version){.key = change->key,
		    .version = change->before ? change->before->version + 1 : 1,
		    .method = change->method,
		    .at_ms = at_ms};
		TRY(write_content(commit, change, err));
		TRY(json_parse(&change->tree, commit->arena, change->after.content, NULL, err));
	}
	return divide(commit, err);
}

/* --- folders --- */

static enum status find_addition(struct fhir_commit *commit, size_t *out, const hash32 *folder, struct err *err) {
	for (*out = 0; *out < commit->addition_count; ++*out)
		if (hash32_equal(&commit->folders[*out], folder)) return STATUS_OK;
	if (*out == RECORD_ADDITIONS_MAX) return refuse_patients(err);
	commit->folders[commit->addition_count++] = *folder;
	return STATUS_OK;
}

static enum status place_change(struct fhir_commit *commit, struct actor_request *request,
    struct fhir_commit_change *change, const struct fhir_commit_change *last, struct err *err) {
	const struct resource_version *before = change->before;
	if (before && !change->patient.len)
		change->after.folder = before->folder;
	else if (last && bytes_equal(last->patient, change->patient))
		change->after.folder = last->after.folder;
	else
		TRY(fhir_folders_find(commit->server->folders, request, &change->after.folder, change->patient, err));
	return find_addition(commit, &change->addition, &change->after.folder, err);
}

static void add_resource(struct fhir_commit *commit, struct record_resource *list, struct fhir_commit_change *change) {
	struct record_addition *addition = &commit->additions[change->addition];
	const struct resource_version *before = change->before;
	list[addition->count++] =
	    (struct record_resource){.type = bytes_text(fhir_type_name(&fhir_r4, change->key.type)),
		.id = change->key.id,
		.raw = change->after.content,
		.version = {.number = change->after.version,
		    .method = (enum record_method)change->method,
		    .has_previous = before != NULL}};
	if (before) list[addition->count - 1].version.previous = before->record;
	change->after.part = (uint32_t)addition->count;
}

static enum status make_additions(struct fhir_commit *commit, struct actor_request *request, struct err *err) {
	struct record_resource *lists[RECORD_ADDITIONS_MAX] = {NULL};
	const struct fhir_commit_change *last = NULL;
	size_t counts[RECORD_ADDITIONS_MAX] = {0};
	for (size_t i = 0; i < commit->count; i++) {
		struct fhir_commit_change *change = &commit->changes[i];
		TRY(place_change(commit, request, change, last, err));
		counts[change->addition]++;
		if (!change->before || change->patient.len) last = change;
	}
	for (size_t i = 0; i < commit->addition_count; i++) {
		lists[i] = arena_zalloc(commit->arena, counts[i], sizeof *lists[i]);
		commit->additions[i] = (struct record_addition){.folder = commit->folders[i],
		    .resources = lists[i],
		    .at_ms = (uint64_t)commit->changes->after.at_ms};
	}
	for (size_t i = 0; i < commit->count; i++)
		add_resource(commit, lists[commit->changes[i].addition], &commit->changes[i]);
	return STATUS_OK;
}

/* --- registering --- */

static enum status take_in(struct fhir_commit *commit, struct err *err) {
	struct resource_write *writes = arena_zalloc(commit->arena, commit->count, sizeof *writes);
	for (size_t i = 0; i < commit->count; i++) {
		const struct fhir_commit_change *change = &commit->changes[i];
		const struct resource_version *after = &change->after;
		writes[i] = (struct resource_write){.key = after->key,
		    .version = after->version,
		    .method = after->method,
		    .at_ms = after->at_ms,
		    .folder = after->folder,
		    .record = after->record,
		    .part = after->part,
		    .content = after->content,
		    .tree = change->tree};
	}
	return resources_put(commit->server->resources, writes, commit->count, err);
}

/* It is registered: what the index did not take now, it takes in from the author's copy. */
static enum status take_in_or_later(struct fhir_commit *commit, struct err *err) {
	const enum status status = take_in(commit, err);
	if (status != STATUS_OK) fhir_catch_up_add(commit->server->catch_up);
	return status;
}

static enum status end_status(struct fhir_commit *commit, struct err *err) {
	switch (commit->end) {
	case OUTBOX_DONE: return take_in_or_later(commit, err);
	case OUTBOX_KEPT:
	case OUTBOX_UNPROVED:
		fhir_catch_up_add(commit->server->catch_up);
		return err_set(err, STATUS_TIMEOUT, "it is in no block that is proved yet, and goes on");
	case OUTBOX_REVERTED:
	case OUTBOX_REFUSED: break;
	}
	return err_set(err, STATUS_DENIED, "the contract refuses it: %s", contract_error_text(commit->refused_with));
}

static void finish(void *argument) {
	struct fhir_commit *commit = argument;
	struct err err = {0};
	const enum status status = end_status(commit, &err);
	if (status == STATUS_OK)
		atomic_fetch_add(&commit->server->gateway->records_added, commit->addition_count);
	else
		atomic_fetch_add(&commit->server->gateway->records_refused, commit->addition_count);
	struct fhir_hooks *hooks = commit->server->hooks;
	const uint64_t types = fhir_hooks_types(commit);
	commit->done(commit->context, status, &err); /* which gives the commit's memory back */
	if (status == STATUS_OK) fhir_hooks_wake(hooks, types);
}

/* Both have to be there: the receipt, and the ids of the records. */
static void arrive(struct fhir_commit *commit) {
	if (atomic_fetch_add(&commit->arrivals, 1) == 0) return;
	if (!workers_give(commit->server->gateway->options.workers, finish, commit)) finish(commit);
}

static void completed(void *context, const struct outbox_result *result) {
	struct fhir_commit *commit = context;
	commit->end = result->end;
	commit->refused_with = result->verdict.refusal.error;
	arrive(commit);
}

/* Beside the requests: nobody waits for it. */
static void refill(void *argument) {
	struct fhir_server *server = argument;
	struct actor_request request = {0};
	struct arena arena;
	struct err err;
	arena_init(&arena);
	if (gateway_begin(server->gateway, &request, &arena, &err) == STATUS_OK)
		fhir_folders_refill(server->folders, &request);
	actor_request_end(&request);
	arena_fini(&arena);
}

static enum status submit(struct fhir_commit *commit, struct actor_request *request, struct err *err) {
	const struct record_listener listener = {NULL, completed, commit};
	TRY(make_additions(commit, request, err));
	if (fhir_folders_are_few(commit->server->folders) &&
	    !workers_give(commit->server->gateway->options.workers, refill, commit->server))
		log_warn("gateway", "no worker is free to open folders for patients to come");
	request->deadline_ms = 0; /* however late its block is, it is heard of */
	TRY(record_submit(request, commit->added, commit->additions, commit->addition_count, &listener, err));
	for (size_t i = 0; i < commit->count; i++)
		commit->changes[i].after.record = commit->added[commit->changes[i].addition].record;
	return STATUS_OK;
}

void fhir_commit_run(struct fhir_commit *commit) {
	struct actor_request request = {0};
	struct err err = {0};
	commit->addition_count = 0;
	atomic_store(&commit->arrivals, 0);
	enum status status = gateway_begin(commit->server->gateway, &request, commit->arena, &err);
	if (status == STATUS_OK) status = submit(commit, &request, &err);
	actor_request_end(&request);
	if (status == STATUS_OK)
		arrive(commit);
	else
		commit->done(commit->context, status, &err);
}
