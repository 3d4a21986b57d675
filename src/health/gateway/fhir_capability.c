#include "health/gateway/fhir_capability.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/fhir/profiles.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_operation.h"

#define DESCRIPTION "a gateway of a health-data ledger: every write is sealed for its patient's folder and registered"

/* --- small things --- */

static void put_codes(struct json_writer *w, const char *name, const char *const *codes) {
	json_array_begin(w, name);
	for (; *codes; codes++) {
		json_object_begin(w, NULL);
		json_put_text(w, "code", *codes);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_texts(struct json_writer *w, const char *name, const char *const *texts) {
	json_array_begin(w, name);
	for (; *texts; texts++) json_put_text(w, NULL, *texts);
	json_array_end(w);
}

/* --- search parameters --- */

static const char *type_text(uint8_t type) {
	static const char *const texts[] = {[FHIR_SEARCH_NUMBER] = "number",
	    [FHIR_SEARCH_DATE] = "date",
	    [FHIR_SEARCH_STRING] = "string",
	    [FHIR_SEARCH_TOKEN] = "token",
	    [FHIR_SEARCH_REFERENCE] = "reference",
	    [FHIR_SEARCH_COMPOSITE] = "composite",
	    [FHIR_SEARCH_QUANTITY] = "quantity",
	    [FHIR_SEARCH_URI] = "uri",
	    [FHIR_SEARCH_SPECIAL] = "special"};
	return texts[type];
}

/* Those that the definitions give no expression, and Location.near, are found in another way or not at all. */
static bool is_served(const struct fhir_search_def *search) {
	return search->type != FHIR_SEARCH_SPECIAL && *fhir_text(&fhir_r4, search->expression);
}

/* Of the type itself, or of Resource and DomainResource. */
static bool is_of(const struct fhir_search_def *search, uint16_t type) {
	return fhir_type_derives(&fhir_r4, type, search->base);
}

static void put_parameters(struct json_writer *w, uint16_t type) {
	char url[200];
	json_array_begin(w, "searchParam");
	for (size_t i = 0; i < fhir_r4.search_count; i++) {
		const struct fhir_search_def *search = &fhir_r4.searches[i];
		if (!is_of(search, type) || !is_served(search)) continue;
		snprintf(url, sizeof url, "http://hl7.org/fhir/SearchParameter/%s", fhir_text(&fhir_r4, search->url));
		json_object_begin(w, NULL);
		json_put_text(w, "name", fhir_text(&fhir_r4, search->code));
		json_put_text(w, "definition", url);
		json_put_text(w, "type", type_text(search->type));
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_include(struct json_writer *w, const struct fhir_search_def *search) {
	char text[160];
	snprintf(text, sizeof text, "%s:%s", fhir_type_name(&fhir_r4, search->base), fhir_text(&fhir_r4, search->code));
	json_put_text(w, NULL, text);
}

static void put_includes(struct json_writer *w, uint16_t type) {
	json_array_begin(w, "searchInclude");
	json_put_text(w, NULL, "*");
	for (size_t i = 0; i < fhir_r4.search_count; i++)
		if (fhir_r4.searches[i].type == FHIR_SEARCH_REFERENCE && fhir_r4.searches[i].base == type)
			put_include(w, &fhir_r4.searches[i]);
	json_array_end(w);
}

static bool has_target(const struct fhir_search_def *search, uint16_t type) {
	const struct fhir_list targets = fhir_list(&fhir_r4, search->targets);
	for (size_t i = 0; i < targets.count; i++)
		if (targets.items[i] == type) return true;
	return false;
}

/* An array of JSON is never empty in FHIR. */
static void put_reverse_includes(struct json_writer *w, uint16_t type) {
	bool is_open = false;
	for (size_t i = 0; i < fhir_r4.search_count; i++) {
		const struct fhir_search_def *search = &fhir_r4.searches[i];
		if (search->type != FHIR_SEARCH_REFERENCE || !has_target(search, type)) continue;
		if (fhir_r4.types[search->base].is_abstract) continue;
		if (!is_open) json_array_begin(w, "searchRevInclude");
		is_open = true;
		put_include(w, search);
	}
	if (is_open) json_array_end(w);
}

/* --- operations --- */

static void put_operations(struct json_writer *w, const char *type) {
	bool is_open = false;
	for (size_t i = 0; i < fhir_operation_count; i++) {
		const struct fhir_operation *operation = &fhir_operations[i];
		const bool fits = type ? !operation->type || strcmp(operation->type, type) == 0
				       : operation->levels & FHIR_OPERATION_SYSTEM;
		if (!fits || !operation->definition || (type && operation->levels == FHIR_OPERATION_SYSTEM)) continue;
		if (!is_open) json_array_begin(w, "operation");
		is_open = true;
		json_object_begin(w, NULL);
		json_put_text(w, "name", operation->name);
		json_put_text(w, "definition", operation->definition);
		json_object_end(w);
	}
	if (is_open) json_array_end(w);
}

/* --- types --- */

static void put_profiles(struct json_writer *w, const struct fhir_profiles *profiles, uint16_t type) {
	bool is_open = false;
	for (size_t i = 0; profiles && i < fhir_profiles_count(profiles); i++) {
		if (fhir_profiles_type(profiles, i) != type) continue;
		if (!is_open) json_array_begin(w, "supportedProfile");
		is_open = true;
		json_put_text(w, NULL, fhir_profiles_url(profiles, i));
	}
	if (is_open) json_array_end(w);
}

static void put_type(struct json_writer *w, const struct fhir_profiles *profiles, uint16_t type) {
	static const char *const interactions[] = {"read", "vread", "update", "patch", "delete", "history-instance",
	    "history-type", "create", "search-type", NULL};
	static const char *const policies[] = {"literal", "logical", "local", NULL};
	const char *name = fhir_type_name(&fhir_r4, type);
	char profile[120];
	snprintf(profile, sizeof profile, "http://hl7.org/fhir/StructureDefinition/%s", name);
	json_object_begin(w, NULL);
	json_put_text(w, "type", name);
	json_put_text(w, "profile", profile);
	put_profiles(w, profiles, type);
	put_codes(w, "interaction", interactions);
	json_put_text(w, "versioning", "versioned-update");
	json_put_bool(w, "readHistory", true);
	json_put_bool(w, "updateCreate", true);
	json_put_bool(w, "conditionalCreate", true);
	json_put_text(w, "conditionalRead", "full-support");
	json_put_bool(w, "conditionalUpdate", true);
	json_put_text(w, "conditionalDelete", "single");
	put_texts(w, "referencePolicy", policies);
	put_includes(w, type);
	put_reverse_includes(w, type);
	put_parameters(w, type);
	put_operations(w, name);
	json_object_end(w);
}

static void put_types(struct json_writer *w, const struct fhir_profiles *profiles) {
	json_array_begin(w, "resource");
	for (size_t type = 0; type < fhir_r4.type_count; type++) {
		const struct fhir_type_def *def = &fhir_r4.types[type];
		if (def->kind == FHIR_KIND_RESOURCE && !def->is_abstract) put_type(w, profiles, (uint16_t)type);
	}
	json_array_end(w);
}

/* --- the whole --- */

static void put_compartments(struct json_writer *w) {
	static const char *const urls[] = {"http://hl7.org/fhir/CompartmentDefinition/patient",
	    "http://hl7.org/fhir/CompartmentDefinition/encounter",
	    "http://hl7.org/fhir/CompartmentDefinition/practitioner",
	    "http://hl7.org/fhir/CompartmentDefinition/relatedPerson",
	    "http://hl7.org/fhir/CompartmentDefinition/device", NULL};
	put_texts(w, "compartment", urls);
}

/* Parameters of every search that are no values of a resource. */
static void put_general_parameters(struct json_writer *w) {
	static const char *const names[][3] = {{"_text", "string", "DomainResource-text"},
	    {"_content", "string", "Resource-content"}, {"_filter", "special", "filter"}, {"_list", "special", NULL},
	    {"_has", "special", NULL}, {"_type", "special", NULL}};
	json_array_begin(w, "searchParam");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char url[120];
		json_object_begin(w, NULL);
		json_put_text(w, "name", names[i][0]);
		snprintf(url, sizeof url, "http://hl7.org/fhir/SearchParameter/%s", names[i][2] ? names[i][2] : "");
		if (names[i][2]) json_put_text(w, "definition", url);
		json_put_text(w, "type", names[i][1]);
		json_object_end(w);
	}
	json_array_end(w);
}

/* But for its end, where its security stands. */
static void put_rest(struct json_writer *w, const struct fhir_profiles *profiles) {
	static const char *const interactions[] = {"transaction", "batch", "search-system", "history-system", NULL};
	json_array_begin(w, "rest");
	json_object_begin(w, NULL);
	json_put_text(w, "mode", "server");
	put_types(w, profiles);
	put_codes(w, "interaction", interactions);
	put_general_parameters(w);
	put_operations(w, NULL);
	put_compartments(w);
}

void fhir_capability_write(struct buf *out, const struct fhir_profiles *profiles) {
	static const char *const guides[] = {"http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data", NULL};
	static const char *const formats[] = {"application/fhir+json", "json", NULL};
	static const char *const patches[] = {"application/json-patch+json", "application/fhir+json", NULL};
	struct json_writer w = json_writer(out);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "CapabilityStatement");
	json_put_text(&w, "name", "Xinglin");
	json_put_text(&w, "status", "active");
	json_put_text(&w, "date", "2026-11-30");
	json_put_text(&w, "kind", "instance");
	put_texts(&w, "instantiates", guides);
	json_object_begin(&w, "software");
	json_put_text(&w, "name", "xinglin");
	json_object_end(&w);
	json_put_text(&w, "fhirVersion", "4.0.1");
	put_texts(&w, "format", formats);
	put_texts(&w, "patchFormat", patches);
	put_rest(&w, profiles);
}

void fhir_capability(struct fhir_call *call) {
	struct buf body;
	const struct bytes mode = fhir_call_parameter(call, "mode");
	if (bytes_equal(mode, BYTES_LITERAL("terminology"))) {
		fhir_call_refuse(call, 501, FHIR_ISSUE_NOT_SUPPORTED, "this is no terminology server; leave mode out");
		return;
	}
	buf_init(&body, BUF_MAX_DEFAULT);
	buf_append(&body, buf_view(&call->server->capability));
	struct json_writer w = {&body, true};
	issuer_security(call->server->gateway->options.issuer, &w);
	json_object_end(&w);
	json_array_end(&w);
	json_object_begin(&w, "implementation");
	json_put_text(&w, "description", DESCRIPTION);
	json_put_string(&w, "url", call->base);
	json_object_end(&w);
	json_object_end(&w);
	fhir_answer_json(call, 200, buf_view(&body));
	buf_fini(&body);
}
