#include "health/gateway/fhir_operation.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_export.h"
#include "health/gateway/fhir_hooks.h"
#include "health/gateway/fhir_read.h"
#include "health/gateway/fhir_write.h"

#define BULK(name) "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/" name
#define OWN(name) "urn:xinglin:operation:" name
#define DEFINITION(name) "http://hl7.org/fhir/OperationDefinition/" name

const struct fhir_operation fhir_operations[] = {
    {"validate", NULL, FHIR_OPERATION_TYPE | FHIR_OPERATION_INSTANCE, false, false, DEFINITION("Resource-validate"),
	fhir_operation_validate},
    {"meta", NULL, FHIR_OPERATION_INSTANCE, true, false, DEFINITION("Resource-meta"), fhir_operation_meta},
    {"meta-add", NULL, FHIR_OPERATION_INSTANCE, false, true, DEFINITION("Resource-meta-add"), fhir_operation_meta_add},
    {"meta-delete", NULL, FHIR_OPERATION_INSTANCE, false, true, DEFINITION("Resource-meta-delete"),
	fhir_operation_meta_delete},
    {"everything", "Patient", FHIR_OPERATION_TYPE | FHIR_OPERATION_INSTANCE, true, false,
	DEFINITION("Patient-everything"), fhir_operation_everything},
    {"everything", "Encounter", FHIR_OPERATION_INSTANCE, true, false, DEFINITION("Encounter-everything"),
	fhir_operation_everything},
    {"lastn", "Observation", FHIR_OPERATION_TYPE, true, false, DEFINITION("Observation-lastn"), fhir_operation_lastn},
    {"export", NULL, FHIR_OPERATION_SYSTEM, true, false, BULK("export"), fhir_export_begin},
    {"export", "Patient", FHIR_OPERATION_TYPE, true, false, BULK("patient-export"), fhir_export_begin},
    {"export", "Group", FHIR_OPERATION_INSTANCE, true, false, BULK("group-export"), fhir_export_begin},
    {"export-poll-status", NULL, FHIR_OPERATION_SYSTEM, true, false, NULL, fhir_export_status},
    {"export-file", NULL, FHIR_OPERATION_SYSTEM, true, false, NULL, fhir_export_file},
    {"hook-secret", "Subscription", FHIR_OPERATION_INSTANCE, true, false, NULL, fhir_operation_hook_secret},
    {"shared-folders", NULL, FHIR_OPERATION_SYSTEM, true, false, OWN("shared-folders"), fhir_operation_shared_folders},
    {"open-folder", NULL, FHIR_OPERATION_SYSTEM, false, false, OWN("open-folder"), fhir_operation_open_folder},
    {"close-folder", NULL, FHIR_OPERATION_SYSTEM, false, false, OWN("close-folder"), fhir_operation_close_folder},
    {"match", "Patient", FHIR_OPERATION_TYPE, false, false, DEFINITION("Patient-match"), fhir_operation_match},
};
const size_t fhir_operation_count = sizeof fhir_operations / sizeof *fhir_operations;

/* --- parameters --- */

static const struct json *parameter_named(const struct json *parameters, const char *name) {
	json_foreach (parameter, json_get(parameters, "parameter"))
		if (json_string_is(json_get(parameter, "name"), name)) return parameter;
	return NULL;
}

/* "valueCode", "valueInteger": the one member that begins so. */
static struct bytes value_of(const struct json *parameter) {
	json_foreach (member, parameter) {
		if (member->name.len < 6 || memcmp(member->name.data, "value", 5) != 0) continue;
		return json_is(member, JSON_STRING) ? member->text : member->raw;
	}
	return (struct bytes){NULL, 0};
}

struct bytes fhir_operation_parameter(const struct fhir_call *call, const struct json *parameters, const char *name) {
	const struct bytes of_query = fhir_call_parameter(call, name);
	if (of_query.data) return of_query;
	if (!json_string_is(json_get(parameters, "resourceType"), "Parameters")) return (struct bytes){NULL, 0};
	return value_of(parameter_named(parameters, name));
}

void fhir_operation_values(
    const struct fhir_call *call, const struct json *parameters, const char *name, struct buf *out) {
	for (size_t i = 0; i < call->query.count; i++) {
		if (!bytes_equal(call->query.items[i].name, bytes_text(name))) continue;
		if (out->len) buf_byte(out, ',');
		buf_append(out, call->query.items[i].value);
	}
	if (!json_string_is(json_get(parameters, "resourceType"), "Parameters")) return;
	json_foreach (parameter, json_get(parameters, "parameter")) {
		if (!json_string_is(json_get(parameter, "name"), name)) continue;
		if (out->len) buf_byte(out, ',');
		buf_append(out, value_of(parameter));
	}
}

const struct json *fhir_operation_resource(const struct json *parameters, const char *name) {
	if (!json_string_is(json_get(parameters, "resourceType"), "Parameters")) return parameters;
	return json_get(parameter_named(parameters, name), "resource");
}

/* --- which one --- */

static unsigned level_of(const struct fhir_target *target) {
	if (target->id.len) return FHIR_OPERATION_INSTANCE;
	return target->type == FHIR_NONE ? FHIR_OPERATION_SYSTEM : FHIR_OPERATION_TYPE;
}

static const struct fhir_operation *find(const struct fhir_target *target) {
	for (size_t i = 0; i < fhir_operation_count; i++) {
		const struct fhir_operation *operation = &fhir_operations[i];
		if (!bytes_equal(target->operation, bytes_text(operation->name))) continue;
		if (operation->type &&
		    (target->type == FHIR_NONE || strcmp(operation->type, fhir_type_name(&fhir_r4, target->type)) != 0))
			continue;
		if (operation->levels & level_of(target)) return operation;
	}
	return NULL;
}

bool fhir_operation_serve(struct fhir_call *call) {
	const struct http_request *request = &call->exchange->request;
	const struct fhir_operation *operation = find(&call->target);
	const struct json *parameters = NULL;
	const bool is_get = request->method != HTTP_POST; /* or an export's DELETE */
	if (!operation) {
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_SUPPORTED,
		    "this server has no operation $%.*s at this path; GET [base]/metadata lists those that it has",
		    (int)(call->target.operation.len < 60 ? call->target.operation.len : 60),
		    (const char *)call->target.operation.data);
		return true;
	}
	if (is_get && !operation->changes_nothing && (operation->writes || !call->target.id.len)) {
		http_put_header(&call->exchange->response, "Allow", "POST");
		fhir_call_refuse(call, 405, FHIR_ISSUE_NOT_SUPPORTED, "$%s takes a resource: POST it", operation->name);
		return true;
	}
	if (!is_get && request->body.len) {
		const char *types = "application/fhir+json, application/json, application/json+fhir, text/json";
		if (!fhir_write_takes(call, types, "an operation takes JSON: send application/fhir+json")) return true;
		if (!fhir_call_body(call, &parameters)) return true;
	}
	const bool writes = operation->writes;
	operation->carry_out(call, parameters);
	return !writes;
}

/* --- $hook-secret: what a Subscription's notifications are signed with (docs/fhir.md) --- */

void fhir_operation_hook_secret(struct fhir_call *call, const struct json *parameters) {
	char secret[65], json[68];
	struct resource_version version;
	(void)parameters;
	if (!fhir_read_find(call, &version)) return;
	if (!fhir_hook_secret(call->server->hooks, secret, call->target.id, &call->asker)) {
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND,
		    "the subscription is not active, or somebody else wrote it: its secret is for who wrote it");
		return;
	}
	snprintf(json, sizeof json, "\"%s\"", secret);
	http_put_header(&call->exchange->response, "Cache-Control", "no-store");
	fhir_answer_parameter(call, "secret", "valueString", bytes_text(json));
	mem_wipe(json, sizeof json);
	mem_wipe(secret, sizeof secret);
}
