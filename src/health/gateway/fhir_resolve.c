/* What an entry does: which resource it is about, whether its preconditions hold, and what is to be written. */
#include <stdio.h>

#include "health/fhir/foreign.h"
#include "health/fhir/patch.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_binary.h"
#include "health/gateway/fhir_job.h"

#define TEXT(view) (int)((view).len < 200 ? (view).len : 200), (const char *)(view).data

static const struct resource_scope_rule everything_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const struct resource_scope everything = {.rules = &everything_rule, .count = 1};

/* What one entry is at. */
struct resolution {
	struct fhir_job *job;
	size_t index;
	struct fhir_entry *entry;
	struct fhir_job_result *result;
};

static void refuse(struct resolution *r, int status, enum fhir_issue_code code, const char *why) {
	fhir_entry_refuse(&r->job->plan, r->index, status, code, "%s", why);
}

static const char *name_of(const struct resolution *r, const struct resource_key *key) {
	return (const char *)fhir_answer_reference(r->job->arena, key).data;
}

/* The current version, whoever may see it: identities are one for all. False: it was refused. */
static bool load(struct resolution *r, const struct resource_key *key) {
	struct err err = {0};
	enum fhir_issue_code code;
	struct resource_version *found = arena_zalloc(r->job->arena, 1, sizeof *found);
	if (fhir_foreign_is(key->id)) {
		refuse(r, 403, FHIR_ISSUE_FORBIDDEN,
		    "ids that begin with " FHIR_FOREIGN_PREFIX " are of what others wrote: it is read here, and "
		    "changed by its author");
		return false;
	}
	const enum status status =
	    resources_get(r->job->server->resources, found, r->job->arena, &everything, key, 0, &err);
	r->result->before = status == STATUS_OK ? found : NULL;
	if (status == STATUS_OK || status == STATUS_NOTFOUND) return true;
	const int http_status = fhir_call_status_of(status, &code);
	refuse(r, http_status, code, "the index of this server cannot be read");
	return false;
}

static bool is_there(const struct resource_version *version) {
	return version && version->method != RESOURCE_DELETE;
}

/* Before anything of what is there shapes an answer (its version, what a patch finds in it): may the asker write it? */
static bool check_replaced(struct resolution *r) {
	if (fhir_job_may_replace(r->job, r->entry, r->result->before)) return true;
	refuse(r, 403, FHIR_ISSUE_FORBIDDEN, FHIR_JOB_NO_SCOPE);
	return false;
}

/* If-Match: the version that the client has seen is still the current one. */
static bool check_match(struct resolution *r) {
	char etag[24];
	const struct bytes wanted = r->entry->if_match;
	const struct resource_version *before = r->result->before;
	if (!check_replaced(r)) return false;
	if (!wanted.data) return true;
	if (is_there(before)) {
		/* Weakly: versions are what FHIR compares. A bare number is what some clients send. */
		snprintf(etag, sizeof etag, "W/\"%u\"", before->version);
		if (http_etag_listed(wanted, etag, false)) return true;
		if (fhir_version_number(wanted) == before->version) return true;
	}
	fhir_entry_refuse(&r->job->plan, r->index, 412, FHIR_ISSUE_CONFLICT,
	    "If-Match is %.*s, and the current version is %s%u%s: read the resource again, and repeat the change on it",
	    TEXT(wanted), is_there(before) ? "W/\"" : "none (", is_there(before) ? before->version : 0,
	    is_there(before) ? "\"" : ")");
	return false;
}

static void write_change(
    struct resolution *r, const struct resource_key *key, enum resource_method method, const struct json *source) {
	struct fhir_commit_change *change = arena_zalloc(r->job->arena, 1, sizeof *change);
	*change =
	    (struct fhir_commit_change){.key = *key, .method = method, .before = r->result->before, .source = source};
	r->result->source = source;
	r->result->change = change;
	r->entry->reference = fhir_answer_reference(r->job->arena, key);
}

/* --- create --- */

static struct bytes new_id(struct resolution *r) {
	uint8_t b[16];
	random_fill(r->job->server->gateway->options.random, b, sizeof b);
	b[6] = (uint8_t)(0x40 | (b[6] & 0x0f)); /* RFC 9562 §5.4 */
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	return bytes_text(
	    arena_printf(r->job->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]));
}

/* Finds by the entry's condition: NULL with *is_refused false: none. */
static const struct resource_version *find(struct resolution *r, bool *is_refused) {
	struct resource_version *found = arena_zalloc(r->job->arena, 2, sizeof *found);
	size_t count = 0;
	*is_refused = !fhir_job_match(r->job, r->index, r->entry->target.type, r->entry->condition, found, &count);
	if (*is_refused || count == 0) return NULL;
	if (count == 1) return &found[0];
	*is_refused = true;
	fhir_entry_refuse(&r->job->plan, r->index, 412, FHIR_ISSUE_MULTIPLE_MATCHES,
	    "\"%.*s\" finds more than one %s; make the condition narrower", TEXT(r->entry->condition),
	    fhir_type_name(&fhir_r4, r->entry->target.type));
	return NULL;
}

static void create(struct resolution *r) {
	bool is_refused = false;
	const struct resource_version *found = r->entry->condition.data ? find(r, &is_refused) : NULL;
	if (is_refused) return;
	if (found) {
		r->result->before = r->result->after = found;
		r->entry->reference = fhir_answer_reference(r->job->arena, &found->key);
		r->entry->status = 200;
		return;
	}
	const struct resource_key key = {r->entry->target.type, new_id(r)};
	write_change(r, &key, RESOURCE_POST, r->entry->resource);
	r->entry->status = 201;
}

/* --- update --- */

/* What no condition found is created: another resource that has its id already is not overwritten. */
static bool check_new(struct resolution *r, const struct resource_key *key) {
	if (!is_there(r->result->before)) return true;
	if (!check_replaced(r)) return false;
	fhir_entry_refuse(&r->job->plan, r->index, 409, FHIR_ISSUE_CONFLICT,
	    "\"%.*s\" finds nothing, and %s is there already: leave the id out, or update it by its id",
	    TEXT(r->entry->condition), name_of(r, key));
	return false;
}

/* The identity of an update. False: it was refused. */
static bool find_updated(struct resolution *r, struct resource_key *key) {
	const struct bytes own = json_string(json_get(r->entry->resource, "id"));
	bool is_refused = false;
	*key = (struct resource_key){r->entry->target.type, r->entry->target.id};
	if (key->id.len) return load(r, key);
	const struct resource_version *found = find(r, &is_refused);
	if (is_refused) return false;
	if (found && own.len && !bytes_equal(own, found->key.id)) {
		fhir_entry_refuse(&r->job->plan, r->index, 400, FHIR_ISSUE_INVALID,
		    "the condition finds %s, and the resource has the id \"%.*s\": leave the id out, or give that one",
		    name_of(r, &found->key), TEXT(own));
		return false;
	}
	key->id = found ? found->key.id : own.len ? own : new_id(r);
	return load(r, key) && (found || check_new(r, key));
}

static void update(struct resolution *r) {
	struct resource_key key;
	if (!find_updated(r, &key) || !check_match(r)) return;
	const bool exists = is_there(r->result->before);
	if (exists && bytes_equal(r->entry->if_none_match, BYTES_LITERAL("*"))) {
		refuse(r, 412, FHIR_ISSUE_CONFLICT, "If-None-Match is *, and the resource is there already");
		return;
	}
	write_change(r, &key, RESOURCE_PUT, r->entry->resource);
	r->entry->status = exists ? 200 : 201;
}

/* --- what is there already --- */

/* The resource that a patch or a delete is about: r->result->before, NULL if there is none. False: it was refused. */
static bool find_existing(struct resolution *r) {
	bool is_refused = false;
	const struct resource_key key = {r->entry->target.type, r->entry->target.id};
	if (key.id.len) return load(r, &key);
	r->result->before = find(r, &is_refused);
	return !is_refused;
}

static void remove_resource(struct resolution *r) {
	if (!find_existing(r)) return;
	r->entry->status = 204;
	if (r->entry->target.id.len)
		r->entry->reference = fhir_answer_reference(
		    r->job->arena, &(struct resource_key){r->entry->target.type, r->entry->target.id});
	if (!is_there(r->result->before) && !r->entry->if_match.data) return;
	if (!check_match(r)) return;
	write_change(r, &r->result->before->key, RESOURCE_DELETE, NULL);
}

/* --- patch --- */

/* An entry's patch is a Binary that holds a JSON Patch, or Parameters (fhirpatch.html). */
static enum fhir_patch_verdict apply(
    struct resolution *r, struct bytes *out, struct fhir_issues *issues, const struct json *patch) {
	const struct bytes document = r->result->before->content;
	struct buf text;
	if (json_string_is(json_get(patch, "resourceType"), "Binary")) {
		buf_init(&text, BUF_MAX_DEFAULT);
		fhir_binary_write(&text, patch);
		const struct bytes inner = arena_dup(r->job->arena, buf_view(&text));
		buf_fini(&text);
		if (json_parse(&patch, r->job->arena, inner, NULL, NULL) != STATUS_OK) {
			fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "", "the Binary holds no JSON Patch");
			return FHIR_PATCH_MALFORMED;
		}
	}
	if (json_is(patch, JSON_ARRAY)) return fhir_patch_json(out, issues, document, patch);
	return fhir_patch_fhirpath(out, issues, &fhir_r4, document, patch);
}

static void take_patch_issues(struct resolution *r, const struct fhir_issues *issues, int status) {
	for (size_t i = 0; i < issues->count; i++)
		fhir_entry_refuse(&r->job->plan, r->index, status, issues->list[i].code, "%s%s%s",
		    issues->list[i].expression, *issues->list[i].expression ? ": " : "", issues->list[i].diagnostics);
	if (!issues->count) refuse(r, status, FHIR_ISSUE_PROCESSING, "the patch cannot be applied");
}

/* Is the result a valid resource, and still the same one? */
static bool check_patched(struct resolution *r, const struct json *patched) {
	const struct resource_key *key = &r->result->before->key;
	const struct bytes type = json_string(json_get(patched, "resourceType"));
	if (!bytes_equal(type, bytes_text(fhir_type_name(&fhir_r4, key->type))) ||
	    !bytes_equal(json_string(json_get(patched, "id")), key->id)) {
		refuse(r, 422, FHIR_ISSUE_PROCESSING, "a patch cannot change a resource's type or id");
		return false;
	}
	struct fhir_issues *issues = arena_zalloc(r->job->arena, 1, sizeof *issues);
	struct fhir_validator *validator = fhir_server_take_validator(r->job->server);
	fhir_issues_init(issues, r->job->arena);
	const bool is_valid = fhir_job_check(r->job, validator, issues, patched);
	fhir_server_give_validator(r->job->server, validator);
	if (!is_valid) take_patch_issues(r, issues, 422);
	return is_valid;
}

static void patch(struct resolution *r) {
	struct bytes text;
	const struct json *patched;
	struct err err;
	if (!find_existing(r)) return;
	if (!r->result->before) {
		refuse(r, 404, FHIR_ISSUE_NOT_FOUND, "there is no such resource to patch");
		return;
	}
	if (!is_there(r->result->before)) {
		refuse(r, 410, FHIR_ISSUE_DELETED, "the resource was deleted; an update (PUT) brings it back");
		return;
	}
	if (!check_match(r)) return;
	struct fhir_issues *issues = arena_zalloc(r->job->arena, 1, sizeof *issues);
	fhir_issues_init(issues, r->job->arena);
	const enum fhir_patch_verdict verdict = apply(r, &text, issues, r->entry->resource);
	if (verdict != FHIR_PATCH_DONE) {
		take_patch_issues(r, issues, verdict == FHIR_PATCH_MALFORMED ? 400 : 422);
		return;
	}
	if (json_parse(&patched, r->job->arena, text, NULL, &err) != STATUS_OK) {
		refuse(r, 422, FHIR_ISSUE_PROCESSING, err.message);
		return;
	}
	if (!check_patched(r, patched)) return;
	write_change(r, &r->result->before->key, RESOURCE_PATCH, patched);
	r->entry->status = 200;
}

void fhir_job_resolve(struct fhir_job *job, size_t index) {
	struct resolution r = {job, index, &job->plan.entries[index], &job->results[index]};
	if (r.entry->issues || r.entry->target.kind == FHIR_TARGET_OPERATION) return;
	switch (r.entry->method) {
	case FHIR_ENTRY_DELETE: remove_resource(&r); break;
	case FHIR_ENTRY_POST: create(&r); break;
	case FHIR_ENTRY_PUT: update(&r); break;
	case FHIR_ENTRY_PATCH: patch(&r); break;
	case FHIR_ENTRY_GET: break;
	}
}
