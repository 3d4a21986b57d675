/* $validate (resource-operation-validate.html): a resource by itself, or as a create, an update or a delete would find
 * it. Nothing is kept. */
#include "health/fhir/profiles.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_read.h"

#define TEXT(view) (int)((view).len < 200 ? (view).len : 200), (view).len ? (const char *)(view).data : ""

enum mode { MODE_NONE, MODE_CREATE, MODE_UPDATE, MODE_DELETE, MODE_PROFILE, MODE_UNKNOWN };

static enum mode read_mode(struct bytes text) {
	static const char *const names[] = {"", "create", "update", "delete", "profile"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal(text, bytes_text(names[i]))) return (enum mode)i;
	return MODE_UNKNOWN;
}

/* What is validated. */
struct validation {
	struct fhir_call *call;
	enum mode mode;
	const struct json *resource; /* NULL: the stored one */
	struct bytes profile;        /* [empty] */
};

/* "If a profile is nominated, and the server cannot validate against the nominated profile, it SHALL return an error".
 */
static bool is_base_profile(struct fhir_call *call, struct bytes profile) {
	const char *own = arena_printf(
	    &call->arena, "http://hl7.org/fhir/StructureDefinition/%s", fhir_type_name(&fhir_r4, call->target.type));
	return bytes_equal(profile, bytes_text(own));
}

static bool check_profile(struct fhir_call *call, struct bytes profile) {
	const struct fhir_profiles *profiles = call->server->gateway->options.profiles;
	if (!profile.len || is_base_profile(call, profile)) return true;
	if (profiles && fhir_profiles_has(profiles, profile)) return true;
	fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED,
	    "this server does not have the profile \"%.*s\": leave it out, to validate by the base specification; "
	    "its operator can load the profile's package",
	    TEXT(profile));
	return false;
}

/* A mode that the request cannot mean: NULL, or why. */
static const char *misuse_of(const struct validation *v) {
	const bool has_id = v->call->target.id.len > 0;
	switch (v->mode) {
	case MODE_NONE:
		return v->resource || has_id ? NULL
					     : "$validate needs a resource: post it, or Parameters with a parameter "
					       "\"resource\"";
	case MODE_CREATE:
		if (has_id) return "mode=create is asked of a type, as POST [base]/Patient/$validate";
		return v->resource ? NULL : "mode=create needs the resource that would be created";
	case MODE_UPDATE:
		if (!has_id) return "mode=update is asked of a resource, as POST [base]/Patient/1/$validate";
		return v->resource ? NULL : "mode=update needs the resource as it would be written";
	case MODE_DELETE:
		return has_id ? NULL : "mode=delete is asked of a resource, as POST [base]/Patient/1/$validate";
	case MODE_PROFILE:
		if (!has_id)
			return "mode=profile is asked of a resource that is there, as GET [base]/Patient/1/$validate";
		if (v->resource) return "mode=profile validates what is there: leave the resource out";
		return v->profile.len ? NULL : "mode=profile needs the parameter profile";
	case MODE_UNKNOWN: break;
	}
	return "mode takes create, update, delete or profile";
}

/* May the asker do what the mode names? */
static void check_right(const struct validation *v) {
	static const enum asker_right rights[] = {
	    [MODE_CREATE] = ASKER_CREATE, [MODE_UPDATE] = ASKER_UPDATE, [MODE_DELETE] = ASKER_DELETE};
	struct resource_scope scope;
	struct err err;
	if (v->mode != MODE_CREATE && v->mode != MODE_UPDATE && v->mode != MODE_DELETE) return;
	if (asker_scope(&scope, &v->call->arena, &v->call->asker, rights[v->mode], v->call->target.type, &err) !=
	    STATUS_OK)
		fhir_call_issue(v->call, FHIR_ISSUE_FORBIDDEN, "", "%s", err.message);
}

static void check_identity(const struct validation *v) {
	struct fhir_call *call = v->call;
	const struct bytes type = json_string(json_get(v->resource, "resourceType"));
	const struct bytes id = json_string(json_get(v->resource, "id"));
	const char *wanted = fhir_type_name(&fhir_r4, call->target.type);
	if (type.data && !bytes_equal(type, bytes_text(wanted)))
		fhir_call_issue(call, FHIR_ISSUE_INVALID, "", "the resource is of type \"%.*s\", and the path is of %s",
		    TEXT(type), wanted);
	else if (v->mode == MODE_UPDATE && !bytes_equal(id, call->target.id))
		fhir_call_issue(call, FHIR_ISSUE_INVALID, "",
		    "the resource has the id \"%.*s\", and the path \"%.*s\": an update's resource has the path's",
		    TEXT(id), TEXT(call->target.id));
}

/* What it claims is checked already. */
static bool claims(const struct json *resource, struct bytes profile) {
	json_foreach (claim, json_get(json_get(resource, "meta"), "profile"))
		if (bytes_equal(json_string(claim), profile)) return true;
	return false;
}

static void answer(const struct validation *v) {
	struct fhir_call *call = v->call;
	const struct fhir_profiles *profiles = call->server->gateway->options.profiles;
	if (v->resource) {
		struct fhir_validator *validator = fhir_server_take_validator(call->server);
		(void)fhir_server_validate(call->server, validator, &call->issues, v->resource);
		fhir_server_give_validator(call->server, validator);
		uint64_t steps = fhir_profiles_steps(v->resource);
		if (profiles && fhir_profiles_has(profiles, v->profile) && !claims(v->resource, v->profile))
			(void)fhir_profiles_check(profiles, &call->issues, v->resource, v->profile, &steps);
		check_identity(v);
	}
	check_right(v);
	if (!call->issues.count)
		fhir_issues_add(&call->issues, FHIR_INFORMATION, FHIR_ISSUE_INFORMATIONAL, "",
		    v->mode == MODE_DELETE ? "the resource may be deleted" : "the resource is valid");
	fhir_call_answer_issues(call, 200);
}

void fhir_operation_validate(struct fhir_call *call, const struct json *parameters) {
	struct resource_version version;
	struct validation v = {.call = call,
	    .mode = read_mode(fhir_operation_parameter(call, parameters, "mode")),
	    .resource = fhir_operation_resource(parameters, "resource"),
	    .profile = fhir_operation_parameter(call, parameters, "profile")};
	const char *misuse = misuse_of(&v);
	if (misuse) {
		const bool lacks = v.mode == MODE_NONE;
		fhir_call_refuse(call, 400, lacks ? FHIR_ISSUE_REQUIRED : FHIR_ISSUE_INVALID, "%s", misuse);
		return;
	}
	if (!check_profile(call, v.profile)) return;
	if (v.mode == MODE_DELETE) {
		v.resource = NULL;
		if (fhir_read_find(call, &version)) answer(&v);
		return;
	}
	if (!v.resource && !fhir_read_tree(call, &v.resource)) return;
	answer(&v);
}
