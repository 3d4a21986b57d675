#include "health/gateway/fhir_capability.h"

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"

#define SEARCH_PARAMETER_URL "http://hl7.org/fhir/SearchParameter/"

static void put_code(struct json_writer *w, const char *code) {
	json_object_begin(w, NULL);
	json_put_text(w, "code", code);
	json_object_end(w);
}

static void put_interactions(struct json_writer *w) {
	static const char *const codes[] = {"read", "vread", "update", "patch", "delete", "create"};
	json_array_begin(w, "interaction");
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) put_code(w, codes[i]);
	json_array_end(w);
}

static void put_type(struct json_writer *w, uint16_t type) {
	const char *name = fhir_type_name(&fhir_r4, type);
	struct arena arena;
	arena_init(&arena);
	json_object_begin(w, NULL);
	json_put_text(w, "type", name);
	json_put_text(w, "profile", arena_printf(&arena, "http://hl7.org/fhir/StructureDefinition/%s", name));
	put_interactions(w);
	json_put_text(w, "versioning", "versioned-update");
	json_put_bool(w, "readHistory", true);
	json_put_bool(w, "updateCreate", true);
	json_object_end(w);
	arena_fini(&arena);
}

static void put_types(struct json_writer *w) {
	json_array_begin(w, "resource");
	for (size_t type = 0; type < fhir_r4.type_count; type++) {
		const struct fhir_type_def *def = &fhir_r4.types[type];
		if (def->kind == FHIR_KIND_RESOURCE && !def->is_abstract) put_type(w, (uint16_t)type);
	}
	json_array_end(w);
}

static void put_rest(struct json_writer *w, struct issuer *issuer) {
	json_array_begin(w, "rest");
	json_object_begin(w, NULL);
	json_put_text(w, "mode", "server");
	issuer_security(issuer, w);
	put_types(w);
	json_object_end(w);
	json_array_end(w);
}

static void write_statement(struct buf *out, struct bytes base, struct issuer *issuer) {
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "CapabilityStatement");
	json_put_text(&w, "status", "active");
	json_put_text(&w, "date", "2026-11-30");
	json_put_text(&w, "kind", "instance");
	json_object_begin(&w, "software");
	json_put_text(&w, "name", "xinglin");
	json_object_end(&w);
	json_object_begin(&w, "implementation");
	json_put_text(&w, "description", "a gateway of a health-data ledger: every write is sealed and registered");
	json_put_string(&w, "url", base);
	json_object_end(&w);
	json_put_text(&w, "fhirVersion", "4.0.1");
	json_array_begin(&w, "format");
	json_put_text(&w, NULL, "application/fhir+json");
	json_put_text(&w, NULL, "json");
	json_array_end(&w);
	json_array_begin(&w, "patchFormat");
	json_put_text(&w, NULL, "application/json-patch+json");
	json_put_text(&w, NULL, "application/fhir+json");
	json_array_end(&w);
	put_rest(&w, issuer);
	json_object_end(&w);
}

void fhir_capability(struct fhir_call *call) {
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	write_statement(&body, call->base, call->server->gateway->options.issuer);
	fhir_answer_json(call, 200, buf_view(&body));
	buf_fini(&body);
}
