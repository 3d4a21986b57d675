/* Scopes: which rule admits what. */
#include "health/index/resources_private.h"

enum status resource_gate_open(struct resource_reader *reader, struct resource_gate *out, struct arena *arena,
    const struct resource_scope *scope, struct err *err) {
	uint16_t patient = fhir_definitions_type(&fhir_r4, BYTES_LITERAL("Patient"));
	*out = (struct resource_gate){scope, arena_zalloc(arena, scope->count + 1, sizeof *out->patients)};
	for (size_t i = 0; i < scope->count; i++) {
		struct resource_key key = {patient, scope->rules[i].patient};
		int64_t row = 0;
		if (scope->rules[i].in_compartment && key.id.len) TRY(resource_find(reader, &row, &key, err));
		out->patients[i] = (uint32_t)row;
	}
	return STATUS_OK;
}

static bool is_among(struct bytes patients, uint32_t patient) {
	for (size_t at = 0; at + 4 <= patients.len; at += 4)
		if (load_be32(patients.data + at) == patient) return true;
	return false;
}

bool resource_gate_admits(const struct resource_gate *gate, const struct resource_seen *seen) {
	for (size_t i = 0; i < gate->scope->count; i++) {
		const struct resource_scope_rule *rule = &gate->scope->rules[i];
		unsigned folder = seen->is_foreign ? RESOURCE_SCOPE_OPEN : RESOURCE_SCOPE_OWN;
		if (rule->type != FHIR_NONE && rule->type != seen->type) continue;
		if (!(rule->folders & folder) || rule->search.len) continue;
		if (!rule->in_compartment || (gate->patients[i] && is_among(seen->patients, gate->patients[i])))
			return true;
	}
	return false;
}
