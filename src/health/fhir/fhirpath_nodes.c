#include "health/fhir/fhirpath_run.h"
#include "health/fhir/primitives.h"

#include <stdio.h>

struct fhirpath_value fhirpath_resource(const struct fhir_definitions *defs, const struct json *resource) {
	struct bytes name = json_string(json_get(resource, "resourceType"));
	uint16_t type = name.data ? fhir_definitions_resource(defs, name) : FHIR_NONE;
	return (struct fhirpath_value){.kind = FHIRPATH_NODE, .type = type, .json = resource};
}

struct fhirpath_context fhirpath_context(
    const struct fhir_definitions *defs, struct arena *arena, const struct json *resource) {
	struct fhirpath_value node = fhirpath_resource(defs, resource);
	return (struct fhirpath_context){.defs = defs, .arena = arena, .resource = node, .root_resource = node};
}

/* --- from node to node --- */

static bool is_scalar(const struct json *json) {
	return json && json->type != JSON_OBJECT && json->type != JSON_ARRAY && json->type != JSON_NULL;
}

/* A resource says its type itself. */
static uint16_t type_within(const struct fhirpath_run *run, uint16_t type, const struct json *json) {
	if (type == FHIR_NONE || run->defs->types[type].kind != FHIR_KIND_RESOURCE) return type;
	uint16_t own = fhir_definitions_resource(run->defs, json_string(json_get(json, "resourceType")));
	return own != FHIR_NONE ? own : type;
}

static enum status push_node(struct fhirpath_run *run, struct fhirpath_values *out, uint16_t type,
    const struct json *json, const struct json *shadow) {
	if (json && json->type == JSON_NULL) json = NULL;
	if (shadow && shadow->type != JSON_OBJECT) shadow = NULL;
	if (!json && !shadow) return STATUS_OK;
	TRY(fhirpath_step(run, 1));
	fhirpath_push(run, out,
	    (struct fhirpath_value){
		.kind = FHIRPATH_NODE, .type = type_within(run, type, json), .json = json, .shadow = shadow});
	return STATUS_OK;
}

/* What one member holds: the items of an array, each with its twin. */
static enum status push_member(struct fhirpath_run *run, struct fhirpath_values *out, uint16_t type,
    const struct json *json, const struct json *shadow) {
	if (!json_is(json, JSON_ARRAY) && !json_is(shadow, JSON_ARRAY)) return push_node(run, out, type, json, shadow);
	const struct json *item = json_is(json, JSON_ARRAY) ? json->first : NULL;
	const struct json *twin = json_is(shadow, JSON_ARRAY) ? shadow->first : NULL;
	while (item || twin) {
		TRY(push_node(run, out, type, item, twin));
		if (item) item = item->next;
		if (twin) twin = twin->next;
	}
	return STATUS_OK;
}

static const struct json *member_named(const struct json *object, struct bytes name) {
	if (!json_is(object, JSON_OBJECT)) return NULL;
	json_foreach (member, object)
		if (bytes_equal(member->name, name)) return member;
	return NULL;
}

static bool is_primitive(const struct fhirpath_run *run, uint16_t type) {
	return type != FHIR_NONE && run->defs->types[type].kind == FHIR_KIND_PRIMITIVE;
}

/* value[x]: whichever of its members is there, or the twin of one that is not. */
static enum status choice_members(struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes name,
    const struct fhir_element_def *element, struct fhirpath_values *out) {
	json_foreach (member, value->json) {
		struct bytes spelled = member->name;
		bool is_twin = spelled.len && spelled.data[0] == '_';
		if (is_twin) spelled = bytes_slice(spelled, 1, spelled.len);
		if (spelled.len <= name.len || memcmp(spelled.data, name.data, name.len) != 0) continue;
		struct fhir_member found = fhir_member_find(run->defs, value->type, spelled);
		if (found.element != element) continue;
		if (!is_twin)
			TRY(push_member(run, out, found.type, member,
			    is_primitive(run, found.type) ? fhir_primitive_twin(value->json, spelled) : NULL));
		else if (!member_named(value->json, spelled))
			TRY(push_member(run, out, found.type, NULL, member));
	}
	return STATUS_OK;
}

enum status fhirpath_members(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes name, struct fhirpath_values *out) {
	if (value->kind == FHIRPATH_TYPE && bytes_equal(name, BYTES_LITERAL("name")))
		fhirpath_push_text(run, out, value->text);
	if (value->kind == FHIRPATH_TYPE && bytes_equal(name, BYTES_LITERAL("namespace")))
		fhirpath_push_text(run, out, bytes_text(value->space));
	if (value->kind != FHIRPATH_NODE) return STATUS_OK;
	const struct json *object = json_is(value->json, JSON_OBJECT) ? value->json : value->shadow;
	if (!object) return STATUS_OK;
	const struct fhir_element_def *element = fhir_element_find(run->defs, value->type, name);
	if (element && element->type == FHIR_NONE) return choice_members(run, value, name, element, out);
	if (!element && value->type != FHIR_NONE) return STATUS_OK; /* "valueQuantity" is no name of FHIRPath */
	uint16_t type = element ? element->type : FHIR_NONE;
	bool may_have_twin = !element || is_primitive(run, type);
	return push_member(
	    run, out, type, member_named(object, name), may_have_twin ? fhir_primitive_twin(object, name) : NULL);
}

enum status fhirpath_children(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out) {
	if (value->kind != FHIRPATH_NODE) return STATUS_OK;
	const struct json *object = json_is(value->json, JSON_OBJECT) ? value->json : value->shadow;
	json_foreach (member, object) {
		struct bytes name = member->name;
		bool is_twin = name.len && name.data[0] == '_';
		if (is_twin) name = bytes_slice(name, 1, name.len);
		struct fhir_member found = fhir_member_find(run->defs, value->type, name);
		if (!found.element) continue; /* resourceType, and what no definition knows */
		if (is_twin && member_named(object, name)) continue;
		const struct json *json = is_twin ? NULL : member;
		const struct json *twin = is_twin                         ? member
					  : is_primitive(run, found.type) ? fhir_primitive_twin(object, name)
									  : NULL;
		TRY(push_member(run, out, found.type, json, twin));
	}
	return STATUS_OK;
}

/* Breadth first: each value that was found is asked for its own children in turn. */
enum status fhirpath_descendants(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out) {
	uint32_t next = out->count;
	TRY(fhirpath_children(run, value, out));
	for (; next < out->count; next++) {
		struct fhirpath_value item = out->items[next]; /* the list may move */
		TRY(fhirpath_children(run, &item, out));
	}
	return STATUS_OK;
}

/* --- types --- */

static const char *system_name(const struct fhirpath_value *value) {
	switch (value->kind) {
	case FHIRPATH_BOOLEAN: return "Boolean";
	case FHIRPATH_INTEGER: return "Integer";
	case FHIRPATH_DECIMAL: return "Decimal";
	case FHIRPATH_STRING: return "String";
	case FHIRPATH_TEMPORAL:
		return value->temporal.kind == FHIR_TIME   ? "Time"
		       : value->temporal.kind == FHIR_DATE ? "Date"
							   : "DateTime";
	case FHIRPATH_QUANTITY: return "Quantity";
	case FHIRPATH_TYPE: return "TypeInfo";
	case FHIRPATH_NODE: break;
	}
	return "Any";
}

/* What a node is for FHIRPath: nested types are their bases ("BackboneElement"). */
static uint16_t shown_type(const struct fhir_definitions *defs, uint16_t type) {
	while (type != FHIR_NONE && defs->types[type].kind == FHIR_KIND_NESTED) type = defs->types[type].base;
	return type;
}

static bool is_system_name(struct bytes name) {
	static const char *const names[] = {
	    "Any", "Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity", "TypeInfo"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal(name, bytes_text(names[i]))) return true;
	return false;
}

enum status fhirpath_is_type(
    struct fhirpath_run *run, const struct fhirpath_value *value, const struct fhirpath_tree *tree, bool *out) {
	bool is_fhir = bytes_equal(tree->space, BYTES_LITERAL("FHIR"));
	bool is_system = bytes_equal(tree->space, BYTES_LITERAL("System"));
	uint16_t type = is_system ? FHIR_NONE : fhir_definitions_type(run->defs, tree->name);
	if (type == FHIR_NONE && !is_system && (is_fhir || !is_system_name(tree->name)))
		return fhirpath_invalid(run, "there is no type %.*s", tree->name.len < 64 ? (int)tree->name.len : 64,
		    (const char *)tree->name.data);
	if (value->kind == FHIRPATH_NODE)
		*out = type != FHIR_NONE && fhir_type_derives(run->defs, value->type, type);
	else
		*out = !is_fhir && bytes_equal(tree->name, bytes_text(system_name(value)));
	return STATUS_OK;
}

enum status fhirpath_as_type(
    struct fhirpath_run *run, const struct fhirpath_value *value, const struct fhirpath_tree *tree, bool *out) {
	TRY(fhirpath_is_type(run, value, tree, out));
	if (value->kind == FHIRPATH_NODE && is_primitive(run, value->type))
		*out = *out && bytes_equal(tree->name, bytes_text(fhir_type_name(run->defs, value->type)));
	return STATUS_OK;
}

const char *fhirpath_type_text(const struct fhir_definitions *defs, const struct fhirpath_value *value) {
	if (value->kind != FHIRPATH_NODE) return system_name(value);
	uint16_t type = shown_type(defs, value->type);
	return type == FHIR_NONE ? "(unknown)" : fhir_type_name(defs, type);
}

/* --- nodes as values --- */

static struct fhirpath_value plain_text(const struct fhir_definitions *defs, const struct fhirpath_value *node) {
	struct fhirpath_value out = {.kind = FHIRPATH_STRING, .type = FHIR_NONE, .text = node->json->text};
	const char *name = node->type == FHIR_NONE ? "string" : fhir_type_name(defs, node->type);
	bool is_time = strcmp(name, "time") == 0;
	if (!is_time && strcmp(name, "date") != 0 && strcmp(name, "dateTime") != 0 && strcmp(name, "instant") != 0)
		return out;
	struct fhir_temporal temporal;
	if (!fhir_temporal_read(&temporal, node->json->text, is_time)) return out;
	if (strcmp(name, "date") != 0 && !is_time) temporal.kind = FHIR_DATE_TIME;
	out.kind = FHIRPATH_TEMPORAL;
	out.temporal = temporal;
	return out;
}

static struct fhirpath_value plain_number(const struct fhir_definitions *defs, const struct fhirpath_value *node) {
	struct fhirpath_value out = {.kind = FHIRPATH_DECIMAL, .type = FHIR_NONE};
	struct fhir_decimal decimal;
	if (!fhir_decimal_read(&decimal, node->json->text)) return *node;
	bool is_decimal = node->type != FHIR_NONE && strcmp(fhir_type_name(defs, node->type), "decimal") == 0;
	out.kind = is_decimal || decimal.scale ? FHIRPATH_DECIMAL : FHIRPATH_INTEGER;
	if (out.kind == FHIRPATH_DECIMAL)
		out.decimal = decimal;
	else if (!fhir_decimal_integer(&out.integer, decimal))
		return *node;
	return out;
}

/* A Quantity with a value and no comparator; its code if it has one, else its unit. */
static struct fhirpath_value plain_quantity(const struct fhirpath_value *node) {
	const struct json *value = json_get(node->json, "value"), *code = json_get(node->json, "code");
	struct fhirpath_value out = {.kind = FHIRPATH_QUANTITY, .type = FHIR_NONE, .text = BYTES_LITERAL("1")};
	if (!json_is(value, JSON_NUMBER) || json_get(node->json, "comparator")) return *node;
	if (!fhir_decimal_read(&out.decimal, value->text)) return *node;
	struct bytes unit = json_string(code ? code : json_get(node->json, "unit"));
	if (unit.len) out.text = unit;
	return out;
}

struct fhirpath_value fhirpath_plain(const struct fhir_definitions *defs, const struct fhirpath_value *value) {
	if (value->kind != FHIRPATH_NODE || !value->json) return *value;
	if (value->json->type == JSON_STRING) return plain_text(defs, value);
	if (value->json->type == JSON_NUMBER) return plain_number(defs, value);
	if (json_is(value->json, JSON_TRUE) || json_is(value->json, JSON_FALSE))
		return (struct fhirpath_value){
		    .kind = FHIRPATH_BOOLEAN, .type = FHIR_NONE, .boolean = value->json->type == JSON_TRUE};
	uint16_t quantity = fhir_definitions_type(defs, BYTES_LITERAL("Quantity"));
	if (value->type != FHIR_NONE && fhir_type_derives(defs, value->type, quantity)) return plain_quantity(value);
	return *value;
}

void fhirpath_write(struct buf *out, const struct fhir_definitions *defs, const struct fhirpath_value *value) {
	struct fhirpath_value plain = fhirpath_plain(defs, value);
	switch (plain.kind) {
	case FHIRPATH_NODE:
		if (plain.json) buf_append(out, is_scalar(plain.json) ? plain.json->text : plain.json->raw);
		return;
	case FHIRPATH_BOOLEAN: buf_text(out, plain.boolean ? "true" : "false"); return;
	case FHIRPATH_INTEGER: buf_printf(out, "%lld", (long long)plain.integer); return;
	case FHIRPATH_DECIMAL: fhir_decimal_write(out, plain.decimal); return;
	case FHIRPATH_STRING: buf_append(out, plain.text); return;
	case FHIRPATH_TEMPORAL: fhir_temporal_write(out, &plain.temporal); return;
	case FHIRPATH_QUANTITY: {
		enum fhir_precision precision;
		int times;
		bool is_calendar = fhirpath_calendar_unit(plain.text, &precision, &times);
		fhir_decimal_write(out, plain.decimal);
		buf_printf(out, is_calendar ? " %.*s" : " '%.*s'", (int)plain.text.len, (const char *)plain.text.data);
		return;
	}
	case FHIRPATH_TYPE:
		buf_printf(out, "%s.%.*s", plain.space, (int)plain.text.len, (const char *)plain.text.data);
		return;
	}
}
