#include "health/gateway/fhir_job.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_hooks.h"

/* --- making one --- */

struct fhir_job *fhir_job_of_plan(
    struct fhir_call *call, const struct fhir_transaction *plan, void (*answer)(struct fhir_job *job)) {
	struct fhir_job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	job->call = call;
	job->server = call->server;
	job->arena = &call->arena;
	job->plan = *plan;
	job->is_bundle = true;
	job->answer = answer;
	job->results = arena_zalloc(job->arena, plan->count + 1, sizeof *job->results);
	return job;
}

struct fhir_job *fhir_job_of_one(struct fhir_call *call, void (*answer)(struct fhir_job *job)) {
	struct fhir_transaction plan = {
	    .is_atomic = true, .count = 1, .arena = &call->arena, .defs = &fhir_r4, .base = call->base};
	plan.entries = arena_zalloc(&call->arena, 1, sizeof *plan.entries);
	plan.order = arena_zalloc(&call->arena, 1, sizeof *plan.order);
	names_init(&plan.links, &call->arena, 0);
	names_init(&plan.named, &call->arena, 0);
	struct fhir_job *job = fhir_job_of_plan(call, &plan, answer);
	job->is_bundle = false;
	return job;
}

/* --- ending --- */

static void end(struct fhir_job *job) {
	if (job->has_locks) fhir_locks_give_back(job->server->locks, &job->locks);
	job->has_locks = false;
	job->answer(job);
}

static void end_refused(struct fhir_job *job, int status) {
	job->is_done = false;
	job->status = status;
	end(job);
}

static void end_failed(struct fhir_job *job, enum status status, const struct err *err) {
	job->is_done = false;
	job->status = 0;
	fhir_call_fail(job->call, status, err);
	end(job);
}

/* A transaction that has a refused entry does nothing: what is wrong becomes the whole's. */
static bool refuses_all(struct fhir_job *job) {
	int status = 0;
	for (size_t i = 0; job->plan.is_atomic && i < job->plan.count; i++) {
		const struct fhir_entry *entry = &job->plan.entries[i];
		if (!entry->issues) continue;
		if (!status) status = entry->status;
		for (size_t k = 0; k < entry->issues->count; k++) {
			const struct fhir_issue *issue = &entry->issues->list[k];
			const bool is_alone = !job->is_bundle && strcmp(issue->expression, "Bundle.entry[0]") == 0;
			fhir_issues_add(&job->call->issues, issue->severity, issue->code,
			    is_alone ? "" : issue->expression, issue->diagnostics);
		}
	}
	if (!status) return false;
	end_refused(job, status);
	return true;
}

/* --- checking --- */

/* "Patient.name[0]" of an entry is "Bundle.entry[3].resource.name[0]". */
static const char *expression_of(const struct fhir_job *job, size_t index, const char *expression) {
	if (!job->is_bundle) return expression;
	const char *rest = strpbrk(expression, ".[");
	return arena_printf(job->arena, "Bundle.entry[%zu].resource%s", index, rest ? rest : "");
}

static void take_issues(struct fhir_job *job, size_t index, const struct fhir_issues *found) {
	struct fhir_entry *entry = &job->plan.entries[index];
	if (!entry->issues) {
		entry->issues = arena_zalloc(job->arena, 1, sizeof *entry->issues);
		fhir_issues_init(entry->issues, job->arena);
	}
	for (size_t i = 0; i < found->count; i++)
		fhir_issues_add(entry->issues, found->list[i].severity, found->list[i].code,
		    expression_of(job, index, found->list[i].expression), found->list[i].diagnostics);
	if (entry->status < 400) entry->status = 422;
}

bool fhir_job_check(
    struct fhir_job *job, struct fhir_validator *validator, struct fhir_issues *issues, const struct json *resource) {
	if (!fhir_server_validate(job->server, validator, issues, resource)) return false;
	return !json_string_is(json_get(resource, "resourceType"), "Subscription") ||
	       fhir_hook_check(job->server, issues, &job->call->asker, resource);
}

static void check_entry(struct fhir_job *job, struct fhir_validator *validator, struct fhir_issues *found, size_t i) {
	const struct fhir_entry *entry = &job->plan.entries[i];
	const bool is_write = entry->method == FHIR_ENTRY_POST || entry->method == FHIR_ENTRY_PUT;
	if (!is_write || entry->issues || entry->target.kind == FHIR_TARGET_OPERATION) return;
	fhir_issues_init(found, job->arena);
	if (!fhir_job_check(job, validator, found, entry->resource)) take_issues(job, i, found);
}

static void check(struct fhir_job *job) {
	struct fhir_validator *validator = fhir_server_take_validator(job->server);
	struct fhir_issues *found = arena_zalloc(job->arena, 1, sizeof *found);
	for (size_t i = 0; i < job->plan.count; i++) check_entry(job, validator, found, i);
	fhir_server_give_validator(job->server, validator);
}

static const enum asker_right rights[] = {[FHIR_ENTRY_DELETE] = ASKER_DELETE,
    [FHIR_ENTRY_POST] = ASKER_CREATE,
    [FHIR_ENTRY_PUT] = ASKER_UPDATE,
    [FHIR_ENTRY_PATCH] = ASKER_UPDATE};

/* May the asker do that to resources of the type at all? */
static void check_right(struct fhir_job *job, size_t index) {
	const struct fhir_entry *entry = &job->plan.entries[index];
	struct resource_scope scope;
	struct err err;
	if (entry->issues || entry->method == FHIR_ENTRY_GET || entry->target.type == FHIR_NONE) return;
	if (asker_scope(&scope, job->arena, &job->call->asker, rights[entry->method], entry->target.type, &err) !=
	    STATUS_OK)
		fhir_entry_refuse(&job->plan, index, 403, FHIR_ISSUE_FORBIDDEN, "%s", err.message);
}

/* --- locks --- */

static void put_locks(struct fhir_job *job, const struct fhir_entry *entry) {
	const char *type = fhir_type_name(&fhir_r4, entry->target.type);
	const bool has_condition = entry->condition.data != NULL;
	if (entry->issues || entry->method == FHIR_ENTRY_GET || entry->target.kind == FHIR_TARGET_OPERATION) return;
	fhir_lock_request_put(&job->locks, bytes_text(type), has_condition);
	if (!entry->target.id.len) return;
	fhir_lock_request_put(&job->locks,
	    fhir_answer_reference(job->arena, &(struct resource_key){entry->target.type, entry->target.id}), true);
}

/* --- resolving and writing --- */

static bool is_subscription(const struct fhir_commit_change *change) {
	return strcmp(fhir_type_name(&fhir_r4, change->key.type), "Subscription") == 0;
}

static void written(void *context, enum status status, const struct err *err) {
	struct fhir_job *job = context;
	if (status != STATUS_OK) {
		end_failed(job, status, err);
		return;
	}
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct fhir_commit_change *change = job->results[i].change;
		if (!change) continue;
		job->results[i].after = &change->after;
		if (is_subscription(change)) fhir_hook_take(job->server->hooks, change);
	}
	job->is_done = true;
	end(job);
}

/* A conditional reference is resolved as the search that it is. */
struct resolving {
	struct fhir_job *job;
	size_t index;
};

/* By itself, and in a batch, it may be a name that others know: of a transaction it would be a link that is lost. */
static struct bytes refuse_urn(const struct resolving *resolving, struct bytes text) {
	struct fhir_job *job = resolving->job;
	if (!job->is_bundle || !job->plan.is_atomic) return text;
	fhir_entry_refuse(&job->plan, resolving->index, 400, FHIR_ISSUE_NOT_FOUND,
	    "the reference \"%.*s\" leads nowhere: no entry that writes a resource has this fullUrl",
	    (int)(text.len < 200 ? text.len : 200), (const char *)text.data);
	return (struct bytes){NULL, 0};
}

static struct bytes resolve_reference(void *context, struct bytes text, bool several) {
	struct resolving *resolving = context;
	struct fhir_job *job = resolving->job;
	struct fhir_target target;
	struct resource_version found[2];
	size_t count = several ? 2 : 0;
	if (bytes_equal(bytes_slice(text, 0, 4), BYTES_LITERAL("urn:"))) return refuse_urn(resolving, text);
	if (fhir_target_parse(&target, &fhir_r4, text) != FHIR_TARGET_FOUND || !target.query.len) return text;
	if (!several && !fhir_job_match(job, resolving->index, target.type, target.query, found, &count))
		return (struct bytes){NULL, 0};
	if (count == 1) {
		const struct bytes reference = fhir_answer_reference(job->arena, &found[0].key);
		if (names_find(&job->deleted, reference) == NAMES_NONE) return reference;
		count = 0;
	}
	fhir_entry_refuse(&job->plan, resolving->index, count ? 412 : 400,
	    count ? FHIR_ISSUE_MULTIPLE_MATCHES : FHIR_ISSUE_NOT_FOUND,
	    "the conditional reference \"%.*s\" finds %s resource, and must find exactly one",
	    (int)(text.len < 200 ? text.len : 200), (const char *)text.data, count ? "more than one" : "no");
	return (struct bytes){NULL, 0};
}

static void name_deleted(struct fhir_job *job) {
	names_init(&job->deleted, job->arena, job->plan.count);
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct fhir_entry *entry = &job->plan.entries[i];
		if (entry->method == FHIR_ENTRY_DELETE && entry->reference.len)
			names_share(&job->deleted, entry->reference, i);
	}
}

static void rewrite(struct fhir_job *job, size_t index) {
	struct fhir_job_result *result = &job->results[index];
	struct resolving resolving = {job, index};
	const struct fhir_reference_resolver resolver = {resolve_reference, &resolving};
	if (!result->change || !result->source) return;
	struct json_edit *edit = arena_zalloc(job->arena, 1, sizeof *edit);
	json_edit_init(edit, job->arena, result->source);
	const struct bytes full_url = job->plan.entries[index].full_url;
	if (fhir_transaction_rewrite(&job->plan, edit, result->source, full_url, &resolver)) {
		result->change->edit = edit;
		result->change->source = result->source;
	} else if (!job->plan.entries[index].issues) {
		fhir_entry_refuse(&job->plan, index, 400, FHIR_ISSUE_INVALID, "a reference in it cannot be resolved");
	}
}

static bool may_write_version(
    struct fhir_job *job, const struct resource_scope *scope, const struct resource_version *version) {
	const struct json *tree;
	if (!version || version->method == RESOURCE_DELETE) return true;
	if (json_parse(&tree, job->arena, version->content, NULL, NULL) != STATUS_OK) return false;
	const struct asker_finder finder = fhir_job_finder(job);
	return asker_may_write(scope, version->key.type, tree, job->call->base, &finder);
}

bool fhir_job_may_replace(
    struct fhir_job *job, const struct fhir_entry *entry, const struct resource_version *version) {
	struct resource_scope scope;
	if (!version || version->method == RESOURCE_DELETE) return true;
	return asker_scope(&scope, job->arena, &job->call->asker, rights[entry->method], entry->target.type, NULL) ==
		   STATUS_OK &&
	       may_write_version(job, &scope, version);
}

bool fhir_job_may_show(struct fhir_job *job, const struct fhir_entry *entry, const struct resource_version *version) {
	struct resource_scope scope;
	struct resource_version seen;
	const uint16_t type = version->key.type;
	if (entry->method != FHIR_ENTRY_PATCH) return true;
	return asker_scope(&scope, job->arena, &job->call->asker, ASKER_READ, type, NULL) == STATUS_OK &&
	       resources_get(job->server->resources, &seen, job->arena, &scope, &version->key, 0, NULL) == STATUS_OK;
}

/* May the asker write this resource, in place of what is there? So nothing is taken from another patient's record, and
 * nothing is put into it. A condition that found what is there is a read. */
static void check_scope(struct fhir_job *job, size_t index) {
	const struct fhir_entry *entry = &job->plan.entries[index];
	const struct fhir_job_result *result = &job->results[index];
	struct resource_scope scope;
	const struct asker_finder finder = fhir_job_finder(job);
	if (entry->issues || entry->method == FHIR_ENTRY_GET || entry->target.type == FHIR_NONE) return;
	const enum asker_right right = result->change ? rights[entry->method] : ASKER_READ;
	bool is_allowed = !result->change && !result->before;
	if (!is_allowed &&
	    asker_scope(&scope, job->arena, &job->call->asker, right, entry->target.type, NULL) == STATUS_OK)
		is_allowed = may_write_version(job, &scope, result->before) &&
			     (!result->source ||
				 asker_may_write(&scope, entry->target.type, result->source, job->call->base, &finder));
	if (!is_allowed) fhir_entry_refuse(&job->plan, index, 403, FHIR_ISSUE_FORBIDDEN, FHIR_JOB_NO_SCOPE);
}

static void gather_changes(struct fhir_job *job) {
	struct fhir_commit *commit = &job->commit;
	*commit = (struct fhir_commit){
	    .server = job->server, .arena = job->arena, .base = job->call->base, .done = written, .context = job};
	commit->changes = arena_zalloc(job->arena, job->plan.count + 1, sizeof *commit->changes);
	for (size_t i = 0; i < job->plan.count; i++) {
		struct fhir_job_result *result = &job->results[i];
		if (!result->change || job->plan.entries[i].issues) {
			result->change = NULL;
			continue;
		}
		commit->changes[commit->count] = *result->change;
		result->change = &commit->changes[commit->count++];
	}
}

/* False: the asker may not write some of it, and the job has ended. */
static bool check_admitted(struct fhir_job *job) {
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct fhir_commit_change *change = job->results[i].change;
		if (!change || fhir_job_admits(job, change)) continue;
		fhir_call_issue(job->call, FHIR_ISSUE_FORBIDDEN,
		    job->is_bundle ? arena_printf(job->arena, "Bundle.entry[%zu]", i) : "",
		    "this token's scopes do not reach %.*s", (int)job->plan.entries[i].reference.len,
		    (const char *)job->plan.entries[i].reference.data);
		end_refused(job, 403);
		return false;
	}
	return true;
}

static enum status prepare_hooks(struct fhir_job *job, struct err *err) {
	for (size_t i = 0; i < job->commit.count; i++)
		if (is_subscription(&job->commit.changes[i]))
			TRY(fhir_hook_prepare(
			    job->server->hooks, job->arena, &job->call->asker, &job->commit.changes[i], err));
	return STATUS_OK;
}

static void write_all(struct fhir_job *job) {
	struct err err = {0};
	gather_changes(job);
	if (job->commit.count == 0) {
		job->is_done = true;
		end(job);
		return;
	}
	enum status status = fhir_commit_prepare(&job->commit, &err);
	if (status == STATUS_OK && !check_admitted(job)) return;
	if (status == STATUS_OK) status = prepare_hooks(job, &err);
	if (status == STATUS_OK)
		fhir_commit_run(&job->commit);
	else
		end_failed(job, status, &err);
}

static void work_under_locks(struct fhir_job *job) {
	job->has_locks = true;
	if (!fhir_catch_up_is_done(job->server->catch_up)) {
		http_put_header(&job->call->exchange->response, "Retry-After", "1");
		fhir_call_issue(job->call, FHIR_ISSUE_TRANSIENT, "",
		    "what was written before is still being taken in; try again in a second");
		end_refused(job, 503);
		return;
	}
	for (size_t i = 0; i < job->plan.count; i++) fhir_job_resolve(job, job->plan.order[i]);
	(void)fhir_transaction_check_overlap(&job->plan);
	if (refuses_all(job)) return;
	name_deleted(job);
	for (size_t i = 0; i < job->plan.count; i++) rewrite(job, i);
	if (refuses_all(job)) return;
	for (size_t i = 0; i < job->plan.count; i++) check_scope(job, i);
	if (refuses_all(job)) return;
	write_all(job);
}

/* --- the steps --- */

static void go_on(void *argument) {
	work_under_locks(argument);
}

/* On the thread of whoever gave the locks back. */
static void granted(void *context) {
	struct fhir_job *job = context;
	if (workers_give(job->server->gateway->options.workers, go_on, job)) return;
	job->has_locks = true;
	fhir_call_issue(
	    job->call, FHIR_ISSUE_THROTTLED, "", "too many requests are being answered; try again in a second");
	end_refused(job, 503);
}

void fhir_job_run(struct fhir_job *job) {
	for (size_t i = 0; i < job->plan.count; i++) check_right(job, i);
	if (refuses_all(job)) return;
	check(job);
	if (refuses_all(job)) return;
	fhir_lock_request_init(&job->locks, job->arena, 2 * job->plan.count);
	for (size_t i = 0; i < job->plan.count; i++) put_locks(job, &job->plan.entries[i]);
	job->locks.granted = granted;
	job->locks.context = job;
	if (fhir_locks_take(job->server->locks, &job->locks)) work_under_locks(job);
}
