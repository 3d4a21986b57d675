/*
 * Rules that the specification's text states and no invariant of the definitions. As expressions where they can be one.
 */
#include "health/fhir/validate_walk.h"

#include "health/fhir/names.h"

#include <stdio.h>

struct validate_rule {
	const char *type, *key, *expression, *human;
};

/* Where it is said: bundle.html#bundle-types and #searchset, codesystem.html, resource.html#canonical. */
static const struct validate_rule rules[] = {
    {"Bundle", "bundle.html#links", "link.relation.isDistinct()", "Each relation stands in one link"},
    {"Bundle", "search.html#return",
	"type = 'searchset' implies entry.where(resource.exists() and (search.mode = 'outcome').not()).all(resource.id.exists())",
	"What a search found has an id"},
    {"CodeSystem", "codesystem.html#properties", "property.code.isDistinct()", "Each property is defined once"},
    {"Coding", "datatypes.html#Coding", "system.hasValue().not() or system.matches('^([A-Za-z][A-Za-z0-9+.-]*:|#)')",
	"The system of a code is an absolute URI"},
    {"DomainResource", "resource.html#canonical",
	"url.is(uri) implies (url.hasValue().not() or url.matches('^([A-Za-z][A-Za-z0-9+.-]*:|#)'))",
	"A canonical URL is absolute"},
};
#define RULE_COUNT (sizeof rules / sizeof *rules)

size_t validate_rule_count(void) {
	return RULE_COUNT;
}

static void check_rules(struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place) {
	struct fhirpath_value focus = {.kind = FHIRPATH_NODE, .type = type, .json = json};
	for (size_t i = 0; i < RULE_COUNT; i++) {
		uint16_t of = fhir_definitions_type(walk->defs, bytes_text(rules[i].type));
		if (!fhir_type_derives(walk->defs, type, of)) continue;
		struct validate_assertion assertion = {rules[i].key, rules[i].expression, rules[i].human, FHIR_ERROR};
		validate_assert(walk, &assertion, &walk->validator->rules[i], &focus, place);
	}
}

/* --- attachments, extensions --- */

static void check_attachment(struct validate_walk *walk, const struct json *json, const struct place *place) {
	uint64_t size;
	size_t bytes;
	if (!json_u64(&size, json_get(json, "size")) || !json_get(json, "data")) return;
	if (fhir_primitive_base64(json_string(json_get(json, "data")), &bytes) && bytes != size)
		place_refuse(walk->issues, FHIR_ISSUE_VALUE, place, "size says %llu bytes, and data has %zu",
		    (unsigned long long)size, bytes);
}

/* ext-1: extensions, or a value, and never both. */
static void check_extension(struct validate_walk *walk, const struct json *json, const struct place *place) {
	bool has_extension = false, has_value = false;
	json_foreach (member, json) {
		struct bytes name = member->name;
		if (name.len && name.data[0] == '_') name = bytes_slice(name, 1, name.len);
		has_extension |= bytes_equal(name, BYTES_LITERAL("extension"));
		has_value |= bytes_equal(bytes_slice(name, 0, 5), BYTES_LITERAL("value"));
	}
	if (has_extension == has_value)
		place_refuse(walk->issues, FHIR_ISSUE_INVARIANT, place,
		    "ext-1: an extension has extensions or a value, and not both");
}

/* --- what is contained (dom-3) --- */

static void gather_local(struct names *names, const struct json *value, uint32_t *room) {
	if (json_is(value, JSON_STRING) && value->text.len && value->text.data[0] == '#' && *room) {
		--*room;
		names_put(names, value->text, 1);
	}
	json_foreach (child, value) gather_local(names, child, room);
}

static uint32_t count_local(const struct json *value) {
	uint32_t count = json_is(value, JSON_STRING) && value->text.len && value->text.data[0] == '#';
	json_foreach (child, value) count += count_local(child);
	return count;
}

/* Each contained resource is referred to, or refers to the one that contains it. */
static void check_contained(struct validate_walk *walk, const struct json *json, const struct place *place) {
	const struct json *contained = json_get(json, "contained");
	struct fhir_validator *v = walk->validator;
	if (!contained) return;
	struct arena_mark mark = arena_mark(&v->scratch);
	struct place member = {place, BYTES_LITERAL("contained"), 0};
	uint32_t room = count_local(json);
	struct names names;
	size_t index = 0;
	names_init(&names, &v->scratch, room);
	gather_local(&names, json, &room);
	json_foreach (resource, contained) {
		struct place item = {&member, {NULL, 0}, index++};
		struct bytes id = json_string(json_get(resource, "id"));
		const char *local =
		    arena_printf(&v->scratch, "#%.*s", (int)id.len, id.data ? (const char *)id.data : "");
		if (!id.len)
			place_refuse(walk->issues, FHIR_ISSUE_REQUIRED, &item,
			    "a contained resource needs an id to be referred to");
		else if (names_find(&names, bytes_text(local)) == NAMES_NONE && count_local(resource) == 0)
			place_refuse(walk->issues, FHIR_ISSUE_INVARIANT, &item,
			    "dom-3: nothing in the resource refers to %s", local);
	}
	arena_rewind(&v->scratch, mark);
}

void validate_rules(struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place) {
	const struct fhir_validator *v = walk->validator;
	if (type == v->extension) check_extension(walk, json, place);
	if (type == v->attachment) check_attachment(walk, json, place);
	if (type == v->bundle) validate_bundle(walk, json, place);
	if (walk->defs->types[type].kind == FHIR_KIND_RESOURCE) check_contained(walk, json, place);
	if (walk->defs->types[type].kind == FHIR_KIND_RESOURCE || type == v->coding)
		check_rules(walk, type, json, place);
}
