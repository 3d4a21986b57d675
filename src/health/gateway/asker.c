#include "health/gateway/asker.h"

#include "health/fhir/definitions.h"

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
