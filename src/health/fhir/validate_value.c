#include "health/fhir/validate_walk.h"

#include "health/fhir/narrative.h"
#include "health/fhir/reference.h"

#include <stdio.h>

/* txt-1 and txt-2 */
static void check_narrative(struct validate_walk *walk, struct bytes div, const struct place *place) {
	const char *why;
	bool is_good = fhir_narrative_check(div, &why);
	if (!why) return;
	char text[200];
	snprintf(text, sizeof text, "txt-%d: %s", is_good ? 2 : 1, why);
	place_issue(walk->issues, is_good ? FHIR_WARNING : FHIR_ERROR, FHIR_ISSUE_INVARIANT, place, text);
}

/* "<b>", "</b>", "<br/>": a name behind a <, and a > somewhere behind it (datatypes.html#markdown). */
static bool has_tag(struct bytes text) {
	for (size_t i = 0; i + 1 < text.len; i++) {
		uint8_t next = text.data[i + 1] == '/' && i + 2 < text.len ? text.data[i + 2] : text.data[i + 1];
		bool is_name = (next | 32) >= 'a' && (next | 32) <= 'z';
		if (text.data[i] == '<' && is_name) return true;
	}
	return false;
}

void validate_primitive(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	uint16_t element = fhir_definitions_type(walk->defs, BYTES_LITERAL("Element"));
	bool has_twin = value->twin && value->twin->type != JSON_NULL;
	bool has_value = value->json && value->json->type != JSON_NULL;
	if (has_twin) validate_object(walk, element, value->twin, place);
	if (!has_value && !has_twin) {
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place, "null is not a value; leave the element out");
		return;
	}
	if (!has_value) return;
	const char *why = walk->validator->checks[value->type](value->json);
	if (why) place_refuse(walk->issues, FHIR_ISSUE_VALUE, place, "it %s", why);
	if (!why && value->type == walk->validator->xhtml) check_narrative(walk, value->json->text, place);
	if (!why && value->type == walk->validator->markdown && has_tag(value->json->text))
		place_issue(walk->issues, walk->validator->tags, FHIR_ISSUE_VALUE, place,
		    "it has an HTML tag, which a reader may show as it stands; escape the <");
}

/* --- bindings --- */

static void refuse_code(
    struct validate_walk *walk, const struct validate_value *value, struct bytes code, const struct place *place) {
	const struct fhir_code_set *set = &walk->defs->code_sets[value->element->code_set];
	place_refuse(walk->issues, FHIR_ISSUE_CODE_INVALID, place, "\"%.*s\" is not one of the codes of %s",
	    code.len < 64 ? (int)code.len : 64, code.data ? (const char *)code.data : "",
	    fhir_text(walk->defs, set->url));
}

static enum fhir_code_verdict coding_verdict(
    struct validate_walk *walk, const struct validate_value *value, const struct json *coding) {
	struct bytes system = json_string(json_get(coding, "system"));
	return fhir_code_set_has(walk->defs, value->element->code_set, &system, json_string(json_get(coding, "code")));
}

/* One coding of a CodeableConcept must be of the set; one without codings says nothing that could be judged. */
static void validate_concept(
    struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	const struct json *codings = json_get(value->json, "coding");
	struct bytes code = {NULL, 0};
	if (!codings || !codings->first) return;
	json_foreach (coding, codings) {
		if (coding_verdict(walk, value, coding) != FHIR_CODE_OUT) return;
		code = json_string(json_get(coding, "code"));
	}
	refuse_code(walk, value, code, place);
}

void validate_binding(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	if (value->element->code_set == FHIR_NONE || !value->json || value->json->type == JSON_NULL) return;
	if (value->type == walk->validator->codeable_concept) {
		validate_concept(walk, value, place);
	} else if (value->type == walk->validator->coding) {
		const struct json *code = json_get(value->json, "code");
		if (code && coding_verdict(walk, value, value->json) == FHIR_CODE_OUT)
			refuse_code(walk, value, json_string(code), place);
	} else if (json_is(value->json, JSON_STRING)) {
		struct bytes code = value->json->text;
		if (fhir_code_set_has(walk->defs, value->element->code_set, NULL, code) == FHIR_CODE_OUT)
			refuse_code(walk, value, code, place);
	}
}

/* --- references --- */

/* Looking among what is contained costs a step each. */
static void pay_contained(struct validate_walk *walk) {
	const struct json *contained = json_get(walk->context.root_resource.json, "contained");
	uint64_t cost = contained ? contained->count : 0, *left = walk->context.budget;
	*left -= cost < *left ? cost : *left;
}

static uint16_t referred_type(struct validate_walk *walk, const struct json *reference) {
	struct bytes text = json_string(json_get(reference, "reference"));
	if (text.len > 1 && text.data[0] == '#') {
		pay_contained(walk);
		if (!*walk->context.budget) return FHIR_NONE;
		const struct json *contained =
		    fhir_reference_contained(walk->context.root_resource.json, bytes_slice(text, 1, text.len));
		return fhirpath_resource(walk->defs, contained).type;
	}
	if (text.len == 1 && text.data[0] == '#') return walk->context.root_resource.type;
	uint16_t type = fhir_reference_type(walk->defs, text);
	struct bytes said = json_string(json_get(reference, "type"));
	return type == FHIR_NONE && said.len ? fhir_definitions_resource(walk->defs, said) : type;
}

void validate_target(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	struct fhir_list targets = fhir_list(walk->defs, value->element->targets);
	if (value->type != walk->validator->reference || !targets.count) return;
	uint16_t type = referred_type(walk, value->json);
	if (type == FHIR_NONE) return;
	for (size_t i = 0; i < targets.count; i++)
		if (fhir_type_derives(walk->defs, type, targets.items[i])) return;
	struct buf allowed;
	buf_init(&allowed, 240);
	for (size_t i = 0; i < targets.count; i++)
		buf_printf(&allowed, "%s%s", i ? ", " : "", fhir_type_name(walk->defs, targets.items[i]));
	place_refuse(walk->issues, FHIR_ISSUE_VALUE, place, "it refers to a %s, and may refer to %s",
	    fhir_type_name(walk->defs, type), buf_cstr(&allowed));
	buf_fini(&allowed);
}

/* --- invariants --- */

void validate_assert(struct validate_walk *walk, const struct validate_assertion *assertion,
    const struct fhirpath **cache, const struct fhirpath_value *focus, const struct place *place) {
	struct fhir_validator *v = walk->validator;
	enum fhirpath_truth truth = FHIRPATH_UNKNOWN;
	struct err err = {0};
	char why[400];
	if (!*cache && fhirpath_compile(cache, &v->compiled, bytes_text(assertion->expression), &err) != STATUS_OK)
		return;
	if (!*walk->context.budget) return; /* what is refused as too costly in the end */
	struct arena_mark mark = arena_mark(&v->scratch);
	enum status status = fhirpath_test(&truth, &walk->context, *cache, focus, &err);
	arena_rewind(&v->scratch, mark);
	if (status == STATUS_OK && truth != FHIRPATH_FALSE) return;
	if (status == STATUS_OK)
		snprintf(why, sizeof why, "%s: %s", assertion->key, assertion->human);
	else
		snprintf(why, sizeof why, "%s could not be evaluated: %s", assertion->key, err.message);
	place_issue(
	    walk->issues, status == STATUS_OK ? assertion->severity : FHIR_WARNING, FHIR_ISSUE_INVARIANT, place, why);
}

static void check_list(
    struct validate_walk *walk, uint16_t list, const struct fhirpath_value *focus, const struct place *place) {
	struct fhir_list invariants = fhir_list(walk->defs, list);
	for (size_t i = 0; i < invariants.count; i++) {
		uint16_t number = invariants.items[i];
		const struct fhir_invariant_def *def = &walk->defs->invariants[number];
		if (walk->validator->is_left_out[number] || !*fhir_text(walk->defs, def->expression)) continue;
		struct validate_assertion assertion = {fhir_text(walk->defs, def->key),
		    fhir_text(walk->defs, def->expression), fhir_text(walk->defs, def->human),
		    def->is_error ? FHIR_ERROR : FHIR_WARNING};
		validate_assert(walk, &assertion, &walk->validator->paths[number], focus, place);
	}
}

/* Those of the element, and of its type and the type's bases. */
void validate_invariants(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	struct fhirpath_value focus = {
	    .kind = FHIRPATH_NODE, .type = value->type, .json = value->json, .shadow = value->twin};
	if (value->json && value->json->type == JSON_NULL) focus.json = NULL;
	if (value->twin && value->twin->type == JSON_NULL) focus.shadow = NULL;
	if (!focus.json && !focus.shadow) return;
	if (value->element) check_list(walk, value->element->invariants, &focus, place);
	for (uint16_t type = value->type; type != FHIR_NONE; type = walk->defs->types[type].base)
		check_list(walk, walk->defs->types[type].invariants, &focus, place);
}
