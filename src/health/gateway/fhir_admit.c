/* May the asker write that? The scopes of its token are held against the resource as it is, and as it shall be. */
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_job.h"

static enum asker_right right_of(enum resource_method method) {
	switch (method) {
	case RESOURCE_POST: return ASKER_CREATE;
	case RESOURCE_PUT:
	case RESOURCE_PATCH: return ASKER_UPDATE;
	case RESOURCE_DELETE: return ASKER_DELETE;
	}
	return ASKER_DELETE;
}

static bool names_type(const struct resource_scope_rule *rule, uint16_t type) {
	return (rule->type == FHIR_NONE || rule->type == type) && (rule->folders & RESOURCE_SCOPE_OWN);
}

/* One that admits whatever is written of the type. */
static bool is_open(const struct resource_scope_rule *rule) {
	return !rule->in_compartment && !rule->search.len;
}

static bool find(void *context, const struct resource_scope_rule *rule, const struct json *resource) {
	struct fhir_job *job = context;
	struct err err;
	bool is_found = false;
	return resources_would_find(job->server->resources, &is_found, job->arena, rule, NULL, resource, &err) ==
		   STATUS_OK &&
	       is_found;
}

struct asker_finder fhir_job_finder(struct fhir_job *job) {
	return (struct asker_finder){find, job};
}

/* New content is in the compartment of the patient whose folder it goes into. */
static bool admits_after(
    struct fhir_job *job, const struct resource_scope_rule *rule, const struct fhir_commit_change *change) {
	const struct bytes prefix = BYTES_LITERAL("Patient/"), patient = change->patient;
	if (rule->in_compartment && (!bytes_equal(bytes_slice(patient, 0, prefix.len), prefix) ||
					!bytes_equal(bytes_slice(patient, prefix.len, patient.len), rule->patient)))
		return false;
	return !rule->search.len || find(job, rule, change->tree);
}

static bool admits_before(
    struct fhir_job *job, const struct resource_scope *scope, const struct resource_version *before) {
	struct resource_version seen;
	return resources_get(job->server->resources, &seen, job->arena, scope, &before->key, 0, NULL) == STATUS_OK;
}

bool fhir_job_admits(struct fhir_job *job, const struct fhir_commit_change *change) {
	struct resource_scope scope;
	const uint16_t type = change->key.type;
	bool admits = change->method == RESOURCE_DELETE;
	if (asker_scope(&scope, job->arena, &job->call->asker, right_of(change->method), type, NULL) != STATUS_OK)
		return false;
	for (size_t i = 0; i < scope.count; i++) {
		const struct resource_scope_rule *rule = &scope.rules[i];
		if (!names_type(rule, type)) continue;
		if (is_open(rule)) return true;
		admits = admits || admits_after(job, rule, change);
	}
	const bool is_there = change->before && change->before->method != RESOURCE_DELETE;
	return admits && (!is_there || admits_before(job, &scope, change->before));
}
