#include "health/fhir/validate_walk.h"

/* --- a validator --- */

/* Checked while walking (an element is never empty; an extension has a value or extensions; what is contained is
 * referred to; XHTML is well-formed), or left out. */
static bool is_left_out(const char *key) {
	static const char *const keys[] = {"ele-1", "ext-1", "dom-3", "dom-6", "txt-1", "txt-2"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0) return true;
	return false;
}

struct fhir_validator *fhir_validator_new(const struct fhir_definitions *defs, enum fhir_markdown markdown) {
	struct fhir_validator *v = mem_zalloc(1, sizeof *v);
	v->defs = defs;
	v->tags = markdown == FHIR_MARKDOWN_REFUSES ? FHIR_ERROR : FHIR_WARNING;
	arena_init(&v->compiled);
	arena_init(&v->scratch);
	v->paths = arena_zalloc(&v->compiled, defs->invariant_count, sizeof *v->paths);
	v->rules = arena_zalloc(&v->compiled, validate_rule_count(), sizeof *v->rules);
	v->is_left_out = arena_zalloc(&v->compiled, defs->invariant_count, sizeof *v->is_left_out);
	v->checks = arena_zalloc(&v->compiled, defs->type_count, sizeof *v->checks);
	for (size_t i = 0; i < defs->invariant_count; i++)
		v->is_left_out[i] = is_left_out(fhir_text(defs, defs->invariants[i].key));
	for (size_t i = 0; i < defs->type_count; i++)
		if (defs->types[i].kind == FHIR_KIND_PRIMITIVE)
			v->checks[i] = fhir_primitive_find(bytes_text(fhir_type_name(defs, (uint16_t)i)));
	v->resource = fhir_definitions_type(defs, BYTES_LITERAL("Resource"));
	v->bundle = fhir_definitions_type(defs, BYTES_LITERAL("Bundle"));
	v->reference = fhir_definitions_type(defs, BYTES_LITERAL("Reference"));
	v->extension = fhir_definitions_type(defs, BYTES_LITERAL("Extension"));
	v->attachment = fhir_definitions_type(defs, BYTES_LITERAL("Attachment"));
	v->coding = fhir_definitions_type(defs, BYTES_LITERAL("Coding"));
	v->codeable_concept = fhir_definitions_type(defs, BYTES_LITERAL("CodeableConcept"));
	v->xhtml = fhir_definitions_type(defs, BYTES_LITERAL("xhtml"));
	v->markdown = fhir_definitions_type(defs, BYTES_LITERAL("markdown"));
	return v;
}

void fhir_validator_free(struct fhir_validator *validator) {
	if (!validator) return;
	arena_fini(&validator->compiled);
	arena_fini(&validator->scratch);
	mem_free(validator);
}

/* --- resources --- */

static void validate_resource(
    struct validate_walk *outer, const struct json *json, const struct place *place, bool is_contained) {
	struct validate_walk walk = *outer;
	struct bytes name = json_string(json_get(json, "resourceType"));
	if (!json_is(json, JSON_OBJECT)) {
		place_refuse(walk.issues, FHIR_ISSUE_STRUCTURE, place, "a resource must be a JSON object");
		return;
	}
	if (!name.data) {
		place_refuse(
		    walk.issues, FHIR_ISSUE_REQUIRED, place, "it has no resourceType; put the resource's type there");
		return;
	}
	uint16_t type = fhir_definitions_resource(walk.defs, name);
	if (type == FHIR_NONE) {
		place_refuse(walk.issues, FHIR_ISSUE_VALUE, place, "\"%.*s\" is not a resource type of FHIR R4",
		    name.len < 64 ? (int)name.len : 64, (const char *)name.data);
		return;
	}
	walk.context.resource = fhirpath_resource(walk.defs, json);
	if (!is_contained) walk.context.root_resource = walk.context.resource;
	struct validate_value value = {.type = type, .json = json};
	validate_object(&walk, type, json, place);
	validate_invariants(&walk, &value, place);
}

/* --- members --- */

static void validate_one(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	const struct fhir_type_def *def = &walk->defs->types[value->type];
	if (def->kind == FHIR_KIND_PRIMITIVE) {
		validate_primitive(walk, value, place);
	} else if (def->kind == FHIR_KIND_RESOURCE) {
		bool is_contained = strcmp(fhir_text(walk->defs, value->element->name), "contained") == 0;
		validate_resource(walk, value->json, place, is_contained);
		return;
	} else {
		validate_object(walk, value->type, value->json, place);
		if (!json_is(value->json, JSON_OBJECT)) return;
	}
	validate_binding(walk, value, place);
	validate_target(walk, value, place);
	validate_invariants(walk, value, place);
}

static bool is_primitive(const struct validate_walk *walk, uint16_t type) {
	return walk->defs->types[type].kind == FHIR_KIND_PRIMITIVE;
}

/* An element that repeats: each item, with its twin at the same place of the other array. */
static void validate_array(struct validate_walk *walk, struct validate_value value, const struct place *place) {
	const struct json *item = value.json ? value.json->first : NULL, *twin = value.twin ? value.twin->first : NULL;
	bool may_be_null = is_primitive(walk, value.type) && value.json && value.twin;
	if (value.json && !item)
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place, "an empty array; leave the element out");
	if (may_be_null && value.json->count != value.twin->count)
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place, "it and its \"_\" twin have different lengths");
	for (size_t index = 0; item || twin; index++) {
		struct place inner = {place, {NULL, 0}, index};
		value.json = item;
		value.twin = twin;
		validate_one(walk, &value, &inner);
		if (item) item = item->next;
		if (twin) twin = twin->next;
	}
}

static void validate_member(struct validate_walk *walk, const struct validate_value *value, const struct place *place) {
	bool repeats = value->element->max == FHIR_MANY;
	const struct json *parts[] = {value->json, value->twin};
	for (size_t i = 0; i < 2; i++) {
		if (!parts[i] || json_is(parts[i], JSON_ARRAY) == repeats) continue;
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place,
		    repeats ? "it repeats, so it must be an array" : "it does not repeat, so it must not be an array");
		return;
	}
	if (repeats)
		validate_array(walk, *value, place);
	else
		validate_one(walk, value, place);
}

static const struct json *member_named(const struct json *object, struct bytes name, bool is_twin) {
	json_foreach (member, object) {
		struct bytes own = member->name;
		if (is_twin && own.len && own.data[0] == '_')
			own = bytes_slice(own, 1, own.len);
		else if (is_twin)
			continue;
		if (bytes_equal(own, name)) return member;
	}
	return NULL;
}

static void refuse_unknown(struct validate_walk *walk, uint16_t type, struct bytes name, const struct place *place) {
	const struct fhir_element_def *element = fhir_element_find(walk->defs, type, name);
	const char *of = fhir_type_name(walk->defs, type);
	if (element && element->type != FHIR_NONE)
		place_refuse(
		    walk->issues, FHIR_ISSUE_STRUCTURE, place, "only a primitive element has a twin with \"_\"");
	else if (element)
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place,
		    "%s.%.*s[x] is a choice: its name ends with the type of its value", of, (int)name.len,
		    (const char *)name.data);
	else
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place,
		    "%s has no such element; use an extension for what FHIR does not define", of);
}

/* Two members of one choice, "valueString" beside "valueInteger". */
static void refuse_second_choice(struct validate_walk *walk, uint16_t type, const struct json *object,
    const struct json *member, const struct fhir_element_def *element, const struct place *place) {
	for (const struct json *later = member->next; later; later = later->next) {
		struct bytes name = later->name;
		if (name.len && name.data[0] == '_') continue;
		if (fhir_member_find(walk->defs, type, name).element == element)
			place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place,
			    "%s[x] has two values; only one may stand", fhir_text(walk->defs, element->name));
	}
	(void)object;
}

static void validate_members(
    struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place) {
	bool is_resource = walk->defs->types[type].kind == FHIR_KIND_RESOURCE;
	json_foreach (member, json) {
		struct bytes name = member->name;
		bool is_twin = name.len && name.data[0] == '_';
		struct place inner = {place, name, 0};
		if (is_resource && bytes_equal(name, BYTES_LITERAL("resourceType"))) continue;
		if (is_twin) name = bytes_slice(name, 1, name.len);
		struct fhir_member found = fhir_member_find(walk->defs, type, name);
		if (!found.element || (is_twin && !is_primitive(walk, found.type))) {
			refuse_unknown(walk, type, name, &inner);
			continue;
		}
		if (is_twin && member_named(json, name, false)) continue; /* it comes with the other one */
		struct validate_value value = {
		    found.element, found.type, is_twin ? NULL : member, is_twin ? member : NULL};
		if (!is_twin && is_primitive(walk, found.type)) value.twin = member_named(json, name, true);
		if (found.element->type == FHIR_NONE)
			refuse_second_choice(walk, type, json, member, found.element, place);
		inner.name = name;
		validate_member(walk, &value, &inner);
	}
}

/* Is the element there, under its name, as one of a choice, or as a twin alone? */
static bool is_present(
    const struct validate_walk *walk, uint16_t type, const struct json *json, const struct fhir_element_def *element) {
	struct bytes wanted = bytes_text(fhir_text(walk->defs, element->name));
	json_foreach (member, json) {
		struct bytes name = member->name;
		if (name.len && name.data[0] == '_') name = bytes_slice(name, 1, name.len);
		if (name.len < wanted.len || memcmp(name.data, wanted.data, wanted.len) != 0) continue;
		if (fhir_member_find(walk->defs, type, name).element == element) return true;
	}
	return false;
}

static void require_members(
    struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place) {
	for (uint16_t base = type; base != FHIR_NONE; base = walk->defs->types[base].base) {
		const struct fhir_type_def *def = &walk->defs->types[base];
		for (size_t i = 0; i < def->element_count; i++) {
			const struct fhir_element_def *element = &walk->defs->elements[def->element_first + i];
			if (element->min == 0 || is_present(walk, type, json, element)) continue;
			place_refuse(walk->issues, FHIR_ISSUE_REQUIRED, place, "%s%s is missing; %s must have it",
			    fhir_text(walk->defs, element->name), element->type == FHIR_NONE ? "[x]" : "",
			    fhir_type_name(walk->defs, type));
		}
	}
}

/* As deep as JSON is nested, which its parser bounds. */
void validate_object(struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place) {
	if (!json_is(json, JSON_OBJECT)) {
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place, "a %s must be a JSON object",
		    fhir_type_name(walk->defs, type));
		return;
	}
	if (!json->first) {
		place_refuse(walk->issues, FHIR_ISSUE_STRUCTURE, place, "an empty object; leave the element out");
		return;
	}
	validate_members(walk, type, json, place);
	require_members(walk, type, json, place);
	validate_rules(walk, type, json, place);
}

bool fhir_validate(struct fhir_validator *validator, struct fhir_issues *issues, const struct json *resource) {
	struct validate_walk walk = {.validator = validator,
	    .defs = validator->defs,
	    .issues = issues,
	    .context = fhirpath_context(validator->defs, &validator->scratch, resource)};
	uint64_t budget = FHIR_VALIDATE_STEPS + (uint64_t)FHIR_VALIDATE_STEPS_A_BYTE * resource->raw.len;
	struct bytes type = json_string(json_get(resource, "resourceType"));
	walk.context.budget = &budget;
	struct place place = {.name = type.len ? type : BYTES_LITERAL("(resource)")};
	bool had_error = issues->has_error;
	issues->has_error = false;
	validate_resource(&walk, resource, &place, false);
	if (!budget)
		place_refuse(
		    issues, FHIR_ISSUE_TOO_COSTLY, &place, "it takes more steps to validate than its size allows");
	bool is_valid = !issues->has_error;
	issues->has_error |= had_error;
	arena_reset(&validator->scratch);
	return is_valid;
}
