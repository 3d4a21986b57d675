/* $meta, $meta-add and $meta-delete (resource-operation-meta.html): profiles, tags and security labels of a resource.
 */
#include <stdio.h>

#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_job.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_read.h"

static const char *const lists[] = {"profile", "security", "tag"};

static void answer_meta(struct fhir_call *call, const struct json *resource) {
	const struct json *meta = json_get(resource, "meta");
	fhir_answer_parameter(call, "return", "valueMeta", meta ? meta->raw : BYTES_LITERAL("{}"));
}

void fhir_operation_meta(struct fhir_call *call, const struct json *parameters) {
	const struct json *resource;
	(void)parameters;
	if (fhir_read_tree(call, &resource)) answer_meta(call, resource);
}

/* --- changing it --- */

/* A profile by its URL, a coding by its system and code. */
static bool is_same(const struct json *a, const struct json *b) {
	if (json_is(a, JSON_STRING) || json_is(b, JSON_STRING)) return bytes_equal(json_string(a), json_string(b));
	return bytes_equal(json_string(json_get(a, "system")), json_string(json_get(b, "system"))) &&
	       bytes_equal(json_string(json_get(a, "code")), json_string(json_get(b, "code")));
}

static bool has(const struct json *list, const struct json *item) {
	json_foreach (own, list)
		if (is_same(own, item)) return true;
	return false;
}

static void put_item(struct json_writer *w, const char *name, bool *is_open, const struct json *item) {
	if (!*is_open) json_array_begin(w, name);
	*is_open = true;
	json_put_raw(w, NULL, item->raw);
}

static void put_list(
    struct json_writer *w, const char *name, const struct json *before, const struct json *given, bool adds) {
	bool is_open = false;
	json_foreach (item, before)
		if (adds || !has(given, item)) put_item(w, name, &is_open, item);
	if (adds)
		json_foreach (item, given)
			if (!has(before, item)) put_item(w, name, &is_open, item);
	if (is_open) json_array_end(w);
}

static bool is_list(struct bytes name) {
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (bytes_equal(name, bytes_text(lists[i]))) return true;
	return false;
}

/* Other members of the resource's meta stay. */
static struct bytes merge(struct arena *arena, const struct json *before, const struct json *given, bool adds) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&text);
	json_object_begin(&w, NULL);
	json_foreach (member, before)
		if (!is_list(member->name)) json_put_raw(&w, arena_strdup(arena, member->name), member->raw);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		put_list(&w, lists[i], json_get(before, lists[i]), json_get(given, lists[i]), adds);
	json_object_end(&w);
	const struct bytes out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* The meta that is given, whose lists are lists; NULL: there is none. */
static const struct json *given_of(const struct json *parameters) {
	const struct json *found = NULL;
	json_foreach (parameter, json_get(parameters, "parameter"))
		if (json_string_is(json_get(parameter, "name"), "meta")) found = json_get(parameter, "valueMeta");
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct json *list = json_get(found, lists[i]);
		if (list && !json_is(list, JSON_ARRAY)) return NULL;
	}
	return json_is(found, JSON_OBJECT) ? found : NULL;
}

static enum status change(struct fhir_call *call, const struct resource_version *version, const struct json **out,
    const struct json *given, bool adds, struct err *err) {
	const struct json *tree;
	struct json_edit edit;
	struct buf text;
	TRY(json_parse(&tree, &call->arena, version->content, NULL, err));
	json_edit_init(&edit, &call->arena, tree);
	json_edit_put(&edit, tree, BYTES_LITERAL("meta"), merge(&call->arena, json_get(tree, "meta"), given, adds));
	buf_init(&text, BUF_MAX_DEFAULT);
	enum status status = json_edit_write(&edit, &text, err);
	const struct bytes changed = arena_dup(&call->arena, buf_view(&text));
	buf_fini(&text);
	TRY(status);
	return json_parse(out, &call->arena, changed, NULL, err);
}

static void answer(struct fhir_job *job) {
	if (job->is_done)
		answer_meta(job->call, job->results->change->tree);
	else if (job->status)
		fhir_call_answer_issues(job->call, job->status);
	fhir_call_end(job->call);
}

/* As an update of the version that was read. */
static void write_changed(struct fhir_call *call, const struct resource_version *version, const struct json *resource) {
	struct fhir_job *job = fhir_job_of_one(call, answer);
	struct fhir_entry *entry = job->plan.entries;
	entry->method = FHIR_ENTRY_PUT;
	entry->target = (struct fhir_target){
	    .kind = FHIR_TARGET_INSTANCE, .type = call->target.type, .id = call->target.id, .within = FHIR_NONE};
	entry->if_match = bytes_text(arena_printf(&call->arena, "W/\"%u\"", version->version));
	entry->resource = resource;
	fhir_job_run(job);
}

static void change_meta(struct fhir_call *call, const struct json *parameters, bool adds) {
	struct resource_version version;
	const struct json *given = given_of(parameters), *changed;
	struct err err = {0};
	if (!given) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_REQUIRED,
		    "it needs Parameters with a parameter \"meta\", whose valueMeta has lists profile, security or tag");
	} else if (fhir_read_find(call, &version)) {
		const enum status status = change(call, &version, &changed, given, adds, &err);
		if (status == STATUS_OK) {
			write_changed(call, &version, changed);
			return;
		}
		fhir_call_fail(call, status, &err);
	}
	fhir_call_end(call);
}

void fhir_operation_meta_add(struct fhir_call *call, const struct json *parameters) {
	change_meta(call, parameters, true);
}

void fhir_operation_meta_delete(struct fhir_call *call, const struct json *parameters) {
	change_meta(call, parameters, false);
}
