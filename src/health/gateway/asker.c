#include "health/gateway/asker.h"

#include "health/fhir/definitions.h"
#include "health/fhir/reference.h"
#include "health/fhir/types.h"

/* What an app needs beside a patient's compartment to show it, and what says nothing of anybody's health. */
static bool is_about_no_patient(uint16_t type) {
	static const char *const names[] = {"Endpoint", "HealthcareService", "Location", "Medication", "Organization",
	    "Practitioner", "PractitionerRole"};
	for (size_t i = 0; type != FHIR_NONE && i < sizeof names / sizeof *names; i++)
		if (strcmp(fhir_type_name(&fhir_r4, type), names[i]) == 0) return true;
	return false;
}

/* False: the scope gives nothing of this kind. */
static bool make_rule(struct resource_scope_rule *out, const struct asker *asker, const struct smart_scope *scope,
    enum asker_right right) {
	if (!(scope->rights & right)) return false;
	*out = (struct resource_scope_rule){
	    .type = scope->type, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN, .search = scope->search};
	if (scope->context != SMART_SCOPE_PATIENT) return true;
	if ((right & (ASKER_READ | ASKER_SEARCH)) && is_about_no_patient(scope->type)) return true;
	out->in_compartment = true;
	out->patient = asker->patient;
	return asker->patient.len > 0;
}

enum status asker_scope(struct resource_scope *out, struct arena *arena, const struct asker *asker,
    enum asker_right right, uint16_t type, struct err *err) {
	struct resource_scope_rule *rules = arena_zalloc(arena, asker->scopes.count + 1, sizeof *rules);
	bool is_admitted = false;
	*out = (struct resource_scope){.rules = rules};
	for (size_t i = 0; i < asker->scopes.count; i++) {
		struct resource_scope_rule *rule = &rules[out->count];
		if (!make_rule(rule, asker, &asker->scopes.list[i], right)) continue;
		out->count++;
		if (type == FHIR_NONE || rule->type == FHIR_NONE || rule->type == type) is_admitted = true;
	}
	if (is_admitted) return STATUS_OK;
	out->count = 0;
	return err_set(err, STATUS_DENIED, "no scope of the token allows this for %s",
	    type == FHIR_NONE ? "the whole system" : fhir_type_name(&fhir_r4, type));
}

struct bytes asker_place(struct arena *arena, const struct asker *asker) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	buf_printf(&text, "%s\n%.*s\n", asker->name, (int)asker->patient.len,
	    asker->patient.len ? (const char *)asker->patient.data : "");
	for (size_t i = 0; i < asker->scopes.count; i++) {
		const struct smart_scope *scope = &asker->scopes.list[i];
		buf_printf(&text, "%u %u %u ", (unsigned)scope->context, (unsigned)scope->type, scope->rights);
		buf_append(&text, scope->search);
		buf_byte(&text, '\n');
	}
	const struct bytes out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* --- writing --- */

struct patients {
	const struct json *resource;
	struct bytes id, base;
	bool has_own, has_other;
};

/* "Patient/1", also below the base. */
static bool is_patient(const struct patients *patients, struct bytes reference) {
	const struct bytes prefix = BYTES_LITERAL("Patient/"), base = patients->base;
	if (base.len && bytes_equal(bytes_slice(reference, 0, base.len), base) && reference.len > base.len &&
	    reference.data[base.len] == '/')
		reference = bytes_slice(reference, base.len + 1, reference.len);
	if (!bytes_equal(bytes_slice(reference, 0, prefix.len), prefix)) return false;
	return bytes_equal(bytes_slice(reference, prefix.len, reference.len), patients->id);
}

/* What may be a patient, and is not this one, is another: a urn, or a contained resource that is not there. */
static bool may_be_patient(const struct patients *patients, struct bytes reference) {
	const struct bytes patient = BYTES_LITERAL("Patient");
	const uint16_t type = fhir_reference_type(&fhir_r4, reference);
	if (type != FHIR_NONE) return bytes_equal(bytes_text(fhir_type_name(&fhir_r4, type)), patient);
	if (reference.data[0] != '#') return true;
	const struct json *contained =
	    fhir_reference_contained(patients->resource, bytes_slice(reference, 1, reference.len));
	return !contained || bytes_equal(json_string(json_get(contained, "resourceType")), patient);
}

/* A reference that has a text or an identifier alone leads to no record. */
static bool visit_reference(void *context, const struct json *value) {
	struct patients *patients = context;
	const struct bytes reference = json_string(json_get(value, "reference"));
	if (!reference.len) return false;
	if (is_patient(patients, reference))
		patients->has_own = true;
	else if (may_be_patient(patients, reference))
		patients->has_other = true;
	return false;
}

static bool is_in_compartment(
    const struct resource_scope_rule *rule, uint16_t type, const struct json *resource, struct bytes base) {
	const char *name = fhir_type_name(&fhir_r4, type);
	struct patients patients = {.resource = resource, .id = rule->patient, .base = base};
	if (strcmp(name, "Patient") == 0) return bytes_equal(json_string(json_get(resource, "id")), rule->patient);
	const struct fhir_type *def = fhir_type_find(bytes_text(name));
	if (def) (void)fhir_type_references(def, resource, visit_reference, &patients);
	return patients.has_own && !patients.has_other;
}

bool asker_may_write(const struct resource_scope *scope, uint16_t type, const struct json *resource, struct bytes base,
    const struct asker_finder *finder) {
	for (size_t i = 0; i < scope->count; i++) {
		const struct resource_scope_rule *rule = &scope->rules[i];
		if (rule->type != FHIR_NONE && rule->type != type) continue;
		if (rule->in_compartment && !is_in_compartment(rule, type, resource, base)) continue;
		if (!rule->search.len || finder->find(finder->context, rule, resource)) return true;
	}
	return false;
}
