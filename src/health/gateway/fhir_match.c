/* Conditional interactions: what a condition finds (http.html#cond). */
#include "health/fhir/search_query.h"
#include "health/gateway/fhir_job.h"

#define TEXT(view) (int)((view).len < 200 ? (view).len : 200), (view).len ? (const char *)(view).data : ""

/* A condition is a question, whatever hangs on its answer: it is asked with the right to search or to read. */
static bool scope_of(struct fhir_job *job, struct resource_scope *out, uint16_t type) {
	static const enum asker_right rights[] = {ASKER_SEARCH, ASKER_READ};
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		if (asker_scope(out, job->arena, &job->call->asker, rights[i], type, NULL) == STATUS_OK) return true;
	return false;
}

/* An unknown parameter would make the condition wider than was meant: it is refused. */
static bool read_condition(
    struct fhir_job *job, size_t index, struct fhir_search **out, uint16_t type, struct bytes condition) {
	struct http_query query;
	struct fhir_issues *issues = arena_zalloc(job->arena, 1, sizeof *issues);
	struct err err;
	const struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = type,
	    .base = (const char *)job->call->base.data,
	    .is_strict = true,
	    .now_ms = (int64_t)clock_now_ms(job->server->gateway->options.clock),
	    .compartment = FHIR_NONE};
	fhir_issues_init(issues, job->arena);
	if (http_query_parse(&query, job->arena, condition, &err) != STATUS_OK) {
		fhir_entry_refuse(&job->plan, index, 400, FHIR_ISSUE_INVALID,
		    "the condition \"%.*s\" cannot be read: %s", TEXT(condition), err.message);
		return false;
	}
	if (fhir_search_read(out, job->arena, &settings, &query, issues) == STATUS_OK) {
		if ((*out)->criteria) return true;
		fhir_entry_refuse(&job->plan, index, 412, FHIR_ISSUE_REQUIRED,
		    "the condition \"%.*s\" has no search parameter, and would find everything", TEXT(condition));
		return false;
	}
	for (size_t i = 0; i < issues->count; i++)
		fhir_entry_refuse(&job->plan, index, 400, issues->list[i].code, "the condition \"%.*s\": %s",
		    TEXT(condition), issues->list[i].diagnostics);
	return false;
}

bool fhir_job_match(struct fhir_job *job, size_t index, uint16_t type, struct bytes condition,
    struct resource_version out[2], size_t *count) {
	struct fhir_search *search;
	struct resource_scope scope;
	struct err err = {0};
	enum fhir_issue_code code;
	*count = 0;
	if (!read_condition(job, index, &search, type, condition)) return false;
	if (!scope_of(job, &scope, type)) {
		fhir_entry_refuse(&job->plan, index, 403, FHIR_ISSUE_FORBIDDEN,
		    "a condition is a search, and no scope of the token allows one of %s: it needs s or r",
		    fhir_type_name(&fhir_r4, type));
		return false;
	}
	const enum status status =
	    resources_match(job->server->resources, out, count, job->arena, &scope, search, &err);
	if (status == STATUS_OK) return true;
	const int http_status = fhir_call_status_of(status, &code);
	fhir_entry_refuse(
	    &job->plan, index, http_status, code, "the condition \"%.*s\": %s", TEXT(condition), err.message);
	return false;
}
