/* What FHIR adds to FHIRPath (fhirpath.html#functions). */
#include "health/fhir/fhirpath_functions.h"

#include "health/fhir/narrative.h"
#include "health/fhir/reference.h"

static bool is_primitive_value(const struct fhirpath_value *value) {
	if (value->kind != FHIRPATH_NODE) return true;
	return value->json && value->json->type != JSON_OBJECT && value->json->type != JSON_ARRAY;
}

enum status fhirpath_fn_extension(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes url;
	bool is_there;
	TRY(fhirpath_text_argument(run, call, 0, &is_there, &url));
	for (uint32_t i = 0; is_there && i < call->in->count; i++) {
		struct fhirpath_values extensions = {0};
		TRY(fhirpath_members(run, &call->in->items[i], BYTES_LITERAL("extension"), &extensions));
		for (uint32_t j = 0; j < extensions.count; j++)
			if (bytes_equal(json_string(json_get(extensions.items[j].json, "url")), url))
				fhirpath_push(run, out, extensions.items[j]);
	}
	return STATUS_OK;
}

enum status fhirpath_fn_has_value(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	fhirpath_push_bool(run, out, call->in->count == 1 && is_primitive_value(&call->in->items[0]));
	return STATUS_OK;
}

enum status fhirpath_fn_get_value(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	if (call->in->count == 1 && is_primitive_value(&call->in->items[0]))
		fhirpath_push(run, out, fhirpath_plain(run->defs, &call->in->items[0]));
	return STATUS_OK;
}

/* --- resolve() --- */

static void resolve_one(struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out) {
	struct fhirpath_value plain = fhirpath_plain(run->defs, value);
	const struct json *object = plain.kind == FHIRPATH_NODE ? plain.json : NULL;
	struct bytes text = plain.kind == FHIRPATH_STRING ? plain.text : json_string(json_get(object, "reference"));
	struct fhirpath_value found = {.kind = FHIRPATH_NODE, .type = FHIR_NONE};
	if (text.len && text.data[0] == '#') {
		const struct json *root = run->context->root_resource.json;
		const struct json *json =
		    text.len == 1 ? root : fhir_reference_contained(root, bytes_slice(text, 1, text.len));
		if (json) fhirpath_push(run, out, fhirpath_resource(run->defs, json));
		return;
	}
	if (text.len) found.type = fhir_reference_type(run->defs, text);
	struct bytes type = json_string(json_get(object, "type"));
	if (found.type == FHIR_NONE && type.len) found.type = fhir_definitions_resource(run->defs, type);
	if (found.type != FHIR_NONE) fhirpath_push(run, out, found);
}

enum status fhirpath_fn_resolve(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) resolve_one(run, &call->in->items[i], out);
	return fhirpath_step(run, call->in->count);
}

/* --- codes and types --- */

/* A code, a Coding, or a CodeableConcept of which one coding will do. */
static enum fhir_code_verdict verdict_of(
    const struct fhirpath_run *run, uint16_t set, const struct fhirpath_value *value) {
	struct fhirpath_value plain = fhirpath_plain(run->defs, value);
	if (plain.kind == FHIRPATH_STRING) return fhir_code_set_has(run->defs, set, NULL, plain.text);
	if (plain.kind != FHIRPATH_NODE) return FHIR_CODE_OUT;
	const struct json *codings = json_get(plain.json, "coding");
	enum fhir_code_verdict verdict = FHIR_CODE_OUT;
	for (const struct json *coding = codings ? codings->first : plain.json; coding && verdict == FHIR_CODE_OUT;
	     coding = codings ? coding->next : NULL) {
		struct bytes system = json_string(json_get(coding, "system"));
		verdict = fhir_code_set_has(run->defs, set, &system, json_string(json_get(coding, "code")));
	}
	return verdict;
}

enum status fhirpath_fn_member_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes url;
	bool is_there;
	TRY(fhirpath_text_argument(run, call, 0, &is_there, &url));
	uint16_t set = is_there ? fhir_code_set_find(run->defs, url) : FHIR_NONE;
	if (call->in->count != 1 || set == FHIR_NONE) return STATUS_OK;
	enum fhir_code_verdict verdict = verdict_of(run, set, &call->in->items[0]);
	if (verdict != FHIR_CODE_UNKNOWN) fhirpath_push_bool(run, out, verdict == FHIR_CODE_IN);
	return STATUS_OK;
}

#define CANONICAL "http://hl7.org/fhir/StructureDefinition/"

enum status fhirpath_fn_conforms_to(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes url;
	bool is_there;
	TRY(fhirpath_text_argument(run, call, 0, &is_there, &url));
	if (!is_there || call->in->count != 1) return STATUS_OK;
	bool is_base = url.len > strlen(CANONICAL) && memcmp(url.data, CANONICAL, strlen(CANONICAL)) == 0;
	struct bytes name = bytes_slice(url, is_base ? strlen(CANONICAL) : url.len, url.len);
	if (fhir_definitions_type(run->defs, name) == FHIR_NONE)
		return fhirpath_invalid(run, "conformsTo() knows the base types alone");
	struct fhirpath_tree type = {.name = name, .space = BYTES_LITERAL("FHIR")};
	bool is;
	TRY(fhirpath_is_type(run, &call->in->items[0], &type, &is));
	fhirpath_push_bool(run, out, is);
	return STATUS_OK;
}

enum status fhirpath_fn_type(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		const struct fhirpath_value *value = &call->in->items[i];
		bool is_node = value->kind == FHIRPATH_NODE;
		fhirpath_push(run, out,
		    (struct fhirpath_value){.kind = FHIRPATH_TYPE,
			.type = FHIR_NONE,
			.space = is_node ? "FHIR" : "System",
			.text = bytes_text(fhirpath_type_text(run->defs, value))});
	}
	return fhirpath_step(run, call->in->count);
}

enum status fhirpath_fn_html_checks(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		struct fhirpath_value plain = fhirpath_plain(run->defs, &call->in->items[i]);
		const char *why;
		if (plain.kind == FHIRPATH_STRING) fhirpath_push_bool(run, out, fhir_narrative_check(plain.text, &why));
	}
	return STATUS_OK;
}
