/* A StructureDefinition's list of elements, as the tree that their ids span: "Patient.extension:race.url". */
#include "health/fhir/profile_tree.h"

#include <ctype.h>
#include <stdlib.h>

/* --- places --- */

struct profile_node *profile_tree_child(const struct profile_node *node, struct bytes name) {
	for (struct profile_node *child = node->children; child; child = child->next)
		if (bytes_equal(child->name, name)) return child;
	return NULL;
}

static struct profile_node *add(struct fhir_profiles *profiles, struct profile_node **list) {
	while (*list) list = &(*list)->next;
	*list = arena_zalloc(&profiles->arena, 1, sizeof **list);
	(*list)->max = PROFILE_MANY;
	return *list;
}

static struct bytes take_until(struct bytes *rest, char end) {
	const uint8_t *at = rest->len ? memchr(rest->data, end, rest->len) : NULL;
	const struct bytes word = bytes_slice(*rest, 0, at ? (size_t)(at - rest->data) : rest->len);
	*rest = bytes_slice(*rest, word.len + 1, rest->len);
	return word;
}

/* The node of "name", "name[x]" or "name:slice" below another; it is made if it is not there. */
static struct profile_node *step(struct fhir_profiles *profiles, struct profile_node *node, struct bytes segment) {
	struct bytes slice = segment, name = take_until(&slice, ':');
	const struct bytes mark = BYTES_LITERAL("[x]");
	const bool is_choice = name.len > 3 && bytes_equal(bytes_slice(name, name.len - 3, name.len), mark);
	if (is_choice) name.len -= 3;
	struct profile_node *child = profile_tree_child(node, name);
	if (!child) {
		child = add(profiles, &node->children);
		child->name = name;
	}
	child->is_choice |= is_choice;
	if (!slice.len) return child;
	for (struct profile_node *at = child->slices; at; at = at->next)
		if (bytes_equal(at->slice, slice)) return at;
	struct profile_node *made = add(profiles, &child->slices);
	made->name = name;
	made->slice = slice;
	made->is_choice = is_choice;
	return made;
}

/* --- what an element says --- */

const struct json *profile_tree_choice(const struct json *definition, const char *prefix) {
	const size_t len = strlen(prefix);
	json_foreach (member, definition)
		if (member->name.len > len && memcmp(member->name.data, prefix, len) == 0 &&
		    isupper(member->name.data[len]))
			return member;
	return NULL;
}

static uint32_t number_of(const struct json *value, uint32_t otherwise) {
	const struct bytes text = json_is(value, JSON_NUMBER) ? value->raw : json_string(value);
	if (!text.len || text.len > 9 || !isdigit(text.data[0])) return otherwise;
	uint32_t number = 0;
	for (size_t i = 0; i < text.len && isdigit(text.data[i]); i++)
		number = number * 10 + (uint32_t)(text.data[i] - '0');
	return number;
}

static bool is_of_base(const struct fhir_definitions *defs, struct bytes key) {
	for (size_t i = 0; i < defs->invariant_count; i++)
		if (bytes_equal(key, bytes_text(fhir_text(defs, defs->invariants[i].key)))) return true;
	return false;
}

static void take_rules(struct fhir_profiles *profiles, struct profile_node *node, const struct json *element) {
	json_foreach (constraint, json_get(element, "constraint")) {
		const struct bytes key = json_string(json_get(constraint, "key"));
		const struct bytes expression = json_string(json_get(constraint, "expression"));
		if (!expression.len || is_of_base(profiles->defs, key)) continue;
		struct profile_rule *rule = arena_zalloc(&profiles->arena, 1, sizeof *rule);
		*rule = (struct profile_rule){.key = arena_strdup(&profiles->arena, key),
		    .human = arena_strdup(&profiles->arena, json_string(json_get(constraint, "human"))),
		    .is_error = json_string_is(json_get(constraint, "severity"), "error"),
		    .next = node->rules};
		if (fhirpath_compile(&rule->path, &profiles->arena, expression, NULL) != STATUS_OK) rule->path = NULL;
		node->rules = rule;
	}
}

/* What the base specification asks for already is its own check's business. */
static void take_element(struct fhir_profiles *profiles, struct profile_node *node, const struct json *element) {
	const struct json *base = json_get(element, "base"), *binding = json_get(element, "binding");
	const uint32_t base_min = node->slice.len ? 0 : number_of(json_get(base, "min"), 0);
	const uint32_t base_max = node->slice.len ? PROFILE_MANY : number_of(json_get(base, "max"), PROFILE_MANY);
	const uint32_t min = number_of(json_get(element, "min"), 0);
	const uint32_t max = number_of(json_get(element, "max"), PROFILE_MANY);
	node->definition = element;
	node->min = min > base_min ? min : 0;
	node->max = max < base_max ? max : PROFILE_MANY;
	node->fixed = profile_tree_choice(element, "fixed");
	node->pattern = profile_tree_choice(element, "pattern");
	if (json_string_is(json_get(binding, "strength"), "required"))
		node->binding = json_string(json_get(binding, "valueSet"));
	take_rules(profiles, node, element);
}

enum status profile_tree_make(
    struct fhir_profiles *profiles, struct profile *profile, const struct json *definition, struct err *err) {
	const struct json *snapshot = json_get(json_get(definition, "snapshot"), "element");
	const struct json *elements = snapshot ? snapshot : json_get(json_get(definition, "differential"), "element");
	profile->is_whole = snapshot != NULL;
	profile->root.max = PROFILE_MANY;
	json_foreach (element, elements) {
		const struct bytes id = json_string(json_get(element, "id")),
				   path = json_string(json_get(element, "path"));
		const struct bytes slice = json_string(json_get(element, "sliceName"));
		struct profile_node *node = &profile->root;
		struct bytes rest = id.len ? id : path;
		if (!id.len && slice.len)
			rest = bytes_text(arena_printf(&profiles->arena, "%.*s:%.*s", (int)path.len,
			    path.len ? (const char *)path.data : "", (int)slice.len, (const char *)slice.data));
		if (!take_until(&rest, '.').len)
			return err_set(err, STATUS_INVALID, "an element has neither an id nor a path");
		for (unsigned depth = 0; rest.len; depth++) {
			if (depth == PROFILE_DEPTH_MAX)
				return err_set(err, STATUS_LIMIT, "an element's path is too deep");
			node = step(profiles, node, take_until(&rest, '.'));
		}
		take_element(profiles, node, element);
	}
	return STATUS_OK;
}
