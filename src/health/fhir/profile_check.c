/* A resource held against a profile. */
#include <ctype.h>
#include <stdio.h>

#include "health/fhir/place.h"
#include "health/fhir/primitives.h"
#include "health/fhir/profile_tree.h"
#include "health/fhir/reference.h"
#include "health/fhir/same.h"

#define OCCURRENCES_MAX 10000u

struct check {
	const struct fhir_profiles *profiles;
	const struct fhir_definitions *defs;
	struct fhir_issues *issues;
	const struct profile *profile;
	struct arena scratch;
	struct fhirpath_context context;
	uint64_t budget;
	unsigned depth; /* of profiles inside profiles */
};

/* A value where an element may stand; json or twin may be NULL, not both. */
struct occurrence {
	const struct json *json, *twin;
	uint16_t type;
	struct bytes name; /* of the member */
	size_t index;
	bool is_item; /* of an array */
};
struct occurrences {
	struct occurrence *items;
	size_t count;
};

static void check_value(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place);

static bool pay(struct check *check) {
	if (check->budget) check->budget--;
	return check->budget > 0;
}

static const struct json *member_named(const struct json *object, struct bytes name) {
	if (!json_is(object, JSON_OBJECT)) return NULL;
	json_foreach (member, object)
		if (bytes_equal(member->name, name)) return member;
	return NULL;
}

/* --- gathering --- */

static uint16_t type_of(const struct check *check, uint16_t declared, const struct json *json) {
	if (declared == FHIR_NONE || check->defs->types[declared].kind != FHIR_KIND_RESOURCE || !json) return declared;
	return fhirpath_resource(check->defs, json).type;
}

static void put(struct check *check, struct occurrences *out, struct occurrence one) {
	if (!pay(check) || out->count == OCCURRENCES_MAX) return;
	if (one.json && one.json->type == JSON_NULL) one.json = NULL;
	if (one.twin && one.twin->type == JSON_NULL) one.twin = NULL;
	if (!one.json && !one.twin) return;
	one.type = type_of(check, one.type, one.json);
	out->items[out->count++] = one;
}

static size_t size_of(const struct json *value) {
	return !value ? 0 : json_is(value, JSON_ARRAY) ? value->count : 1;
}

static void put_member(struct check *check, struct occurrences *out, const struct json *json, const struct json *twin,
    const struct occurrence *like) {
	const bool is_array = json_is(json, JSON_ARRAY) || json_is(twin, JSON_ARRAY);
	struct occurrence one = *like;
	one.is_item = is_array;
	if (!is_array) {
		one.json = json;
		one.twin = twin;
		put(check, out, one);
		return;
	}
	const struct json *a = json_is(json, JSON_ARRAY) ? json->first : NULL;
	const struct json *b = json_is(twin, JSON_ARRAY) ? twin->first : NULL;
	for (; a || b; one.index++) {
		one.json = a;
		one.twin = b;
		put(check, out, one);
		a = a ? a->next : NULL;
		b = b ? b->next : NULL;
	}
}

/* Does the member have the element's name, or that of one of its choices? */
static bool is_named(const struct profile_node *node, struct bytes name) {
	if (!node->is_choice) return bytes_equal(name, node->name);
	return name.len > node->name.len && memcmp(name.data, node->name.data, node->name.len) == 0 &&
	       isupper(name.data[node->name.len]);
}

static struct occurrences gather(
    struct check *check, const struct profile_node *node, const struct occurrence *parent) {
	struct occurrences out = {0};
	const struct json *object = json_is(parent->json, JSON_OBJECT) ? parent->json : parent->twin;
	size_t most = 0;
	json_foreach (member, object) most += size_of(member);
	out.items =
	    arena_zalloc(&check->scratch, (most < OCCURRENCES_MAX ? most : OCCURRENCES_MAX) + 1, sizeof *out.items);
	json_foreach (member, object) {
		struct bytes name = member->name;
		const bool is_twin = name.len && name.data[0] == '_';
		if (is_twin) name = bytes_slice(name, 1, name.len);
		if (!is_named(node, name) || (is_twin && member_named(object, name))) continue;
		const struct occurrence like = {.type = parent->type == FHIR_NONE
							    ? FHIR_NONE
							    : fhir_member_find(check->defs, parent->type, name).type,
		    .name = name};
		put_member(
		    check, &out, is_twin ? NULL : member, is_twin ? member : fhir_primitive_twin(object, name), &like);
	}
	return out;
}

/* --- values --- */

static bool pattern_fits(struct check *check, const struct json *pattern, const struct json *value) {
	if (!value || !pay(check)) return false;
	if (json_is(pattern, JSON_OBJECT)) {
		if (!json_is(value, JSON_OBJECT)) return false;
		json_foreach (member, pattern)
			if (!pattern_fits(check, member, member_named(value, member->name))) return false;
		return true;
	}
	if (!json_is(pattern, JSON_ARRAY)) return same_json(pattern, value);
	json_foreach (item, pattern) {
		bool fits = false;
		json_foreach (own, value) fits = fits || pattern_fits(check, item, own);
		if (!fits) return false;
	}
	return true;
}

static enum fhir_code_verdict verdict_of(struct check *check, struct bytes set, const struct json *coding) {
	struct bytes system = json_string(json_get(coding, "system"));
	if (!system.data) system = (struct bytes){(const uint8_t *)"", 0};
	const struct profile_code code = {system, json_string(json_get(coding, "code"))};
	return profile_codes_has(check->profiles, set, &code, &check->budget);
}

/* Is the value outside the set, for sure? */
static bool is_outside(struct check *check, struct bytes set, const struct json *value) {
	const struct json *codings = json_get(value, "coding");
	if (json_is(value, JSON_STRING)) {
		const struct profile_code code = {{NULL, 0}, value->text};
		return profile_codes_has(check->profiles, set, &code, &check->budget) == FHIR_CODE_OUT;
	}
	if (!json_is(value, JSON_OBJECT)) return false;
	if (!codings) return json_get(value, "code") && verdict_of(check, set, value) == FHIR_CODE_OUT;
	if (!codings->first) return false;
	json_foreach (coding, codings)
		if (verdict_of(check, set, coding) != FHIR_CODE_OUT) return false;
	return true;
}

static const char *shown(struct check *check, const struct json *value) {
	const struct bytes raw = value->raw;
	return arena_printf(&check->scratch, "%.*s%s", (int)(raw.len < 120 ? raw.len : 120), (const char *)raw.data,
	    raw.len > 120 ? "…" : "");
}

static void check_content(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	if (!of->json) return;
	if (node->fixed && !same_json(node->fixed, of->json))
		place_refuse(
		    check->issues, FHIR_ISSUE_VALUE, place, "the profile fixes it to %s", shown(check, node->fixed));
	if (node->pattern && !pattern_fits(check, node->pattern, of->json))
		place_refuse(check->issues, FHIR_ISSUE_VALUE, place, "the profile wants it to have %s",
		    shown(check, node->pattern));
	if (node->binding.len && is_outside(check, node->binding, of->json))
		place_refuse(check->issues, FHIR_ISSUE_CODE_INVALID, place, "it is not one of the codes of %.*s",
		    (int)node->binding.len, (const char *)node->binding.data);
}

static void check_rules(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	const struct fhirpath_value focus = {
	    .kind = FHIRPATH_NODE, .type = of->type, .json = of->json, .shadow = of->twin};
	const struct arena_mark mark = arena_mark(&check->scratch);
	for (const struct profile_rule *rule = node->rules; rule; rule = rule->next) {
		enum fhirpath_truth truth = FHIRPATH_UNKNOWN;
		struct err err = {0};
		char why[400];
		if (!check->budget) return;
		enum status status = rule->path ? fhirpath_test(&truth, &check->context, rule->path, &focus, &err)
						: err_set(&err, STATUS_UNSUPPORTED, "the expression is not known");
		arena_rewind(&check->scratch, mark);
		if (status == STATUS_OK && truth != FHIRPATH_FALSE) continue;
		if (status == STATUS_OK)
			snprintf(why, sizeof why, "%s: %s", rule->key, rule->human);
		else
			snprintf(why, sizeof why, "%s could not be evaluated: %s", rule->key, err.message);
		place_issue(check->issues, status == STATUS_OK && rule->is_error ? FHIR_ERROR : FHIR_WARNING,
		    FHIR_ISSUE_INVARIANT, place, why);
	}
}

/* --- slices --- */

/* The first segment of "code.coding.where(…)", points inside parentheses left alone. */
static struct bytes take_segment(struct bytes *path) {
	size_t len = 0;
	for (unsigned inside = 0; len < path->len && (inside || path->data[len] != '.'); len++) {
		if (path->data[len] == '(') inside++;
		if (path->data[len] == ')' && inside) inside--;
	}
	const struct bytes segment = bytes_slice(*path, 0, len);
	*path = bytes_slice(*path, len + 1, path->len);
	return segment;
}

/* What a slice says at the end of a discriminator's path, or on the way to it: `rest` is what is left of the path. */
static const struct profile_node *find_said(const struct profile_node *slice, struct bytes path, struct bytes *way) {
	const struct profile_node *said = slice->fixed || slice->pattern || slice->binding.len ? slice : NULL;
	const struct profile_node *at = slice;
	const struct bytes whole = path;
	*way = (struct bytes){whole.data, 0};
	while (path.len && at) {
		const struct bytes segment = take_segment(&path);
		if (bytes_equal(segment, BYTES_LITERAL("$this"))) continue;
		at = profile_tree_child(at, segment);
		if (!at || (!at->fixed && !at->pattern && !at->binding.len)) continue;
		said = at;
		*way = bytes_slice(whole, 0, path.len ? whole.len - path.len - 1 : whole.len);
	}
	return said;
}

/* Does some value at the end of the path please `test`? Names alone: no functions. */
typedef bool value_test(struct check *check, const void *context, const struct json *value);
static bool some_value(
    struct check *check, const struct json *value, struct bytes path, value_test *test, const void *context) {
	if (!value || !pay(check)) return false;
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value)
			if (some_value(check, item, path, test, context)) return true;
		return false;
	}
	if (!path.len) return test(check, context, value);
	const struct bytes segment = take_segment(&path);
	if (bytes_equal(segment, BYTES_LITERAL("$this"))) return some_value(check, value, path, test, context);
	return some_value(check, member_named(value, segment), path, test, context);
}

static bool has_value(struct check *check, const void *context, const struct json *value) {
	(void)check, (void)context, (void)value;
	return true;
}

static bool is_said(struct check *check, const void *context, const struct json *value) {
	const struct profile_node *said = context;
	if (said->fixed) return same_json(said->fixed, value);
	if (said->pattern) return pattern_fits(check, said->pattern, value);
	return !is_outside(check, said->binding, value);
}

static bool is_url(struct check *check, const void *context, const struct json *value) {
	(void)check;
	return bytes_equal(*(const struct bytes *)context, json_string(value));
}

/* The canonical of the extension that a slice takes. */
static struct bytes extension_of(const struct profile_node *slice) {
	json_foreach (type, json_get(slice->definition, "type"))
		if (json_string_is(json_get(type, "code"), "Extension")) {
			const struct json *profile = json_get(type, "profile");
			struct bytes url =
			    profile && profile->first ? json_string(profile->first) : (struct bytes){NULL, 0};
			const uint8_t *bar = url.len ? memchr(url.data, '|', url.len) : NULL;
			return bytes_slice(url, 0, bar ? (size_t)(bar - url.data) : url.len);
		}
	return (struct bytes){NULL, 0};
}

static bool fits_value(
    struct check *check, const struct profile_node *slice, const struct occurrence *of, struct bytes path) {
	struct bytes way;
	const struct profile_node *said = find_said(slice, path, &way);
	if (said) return some_value(check, of->json, way, is_said, said);
	const struct bytes url = extension_of(slice);
	return url.len && bytes_equal(path, BYTES_LITERAL("url")) && some_value(check, of->json, path, is_url, &url);
}

static bool fits_existence(
    struct check *check, const struct profile_node *slice, const struct occurrence *of, struct bytes path) {
	const struct profile_node *at = slice;
	const struct bytes whole = path;
	while (path.len && at) at = profile_tree_child(at, take_segment(&path));
	return at && some_value(check, of->json, whole, has_value, NULL) == (at->max != 0);
}

/* By the type of the value itself, or of what a reference leads to. */
static bool fits_type(
    struct check *check, const struct profile_node *slice, const struct occurrence *of, struct bytes path) {
	const bool is_reference = bytes_equal(path, BYTES_LITERAL("resolve()"));
	const uint16_t type =
	    is_reference ? fhir_reference_type(check->defs, json_string(json_get(of->json, "reference"))) : of->type;
	if (type == FHIR_NONE || (!is_reference && !bytes_equal(path, BYTES_LITERAL("$this")))) return false;
	const struct bytes name = bytes_text(fhir_type_name(check->defs, type));
	json_foreach (one, json_get(slice->definition, "type")) {
		if (!is_reference && bytes_equal(json_string(json_get(one, "code")), name)) return true;
		json_foreach (target, json_get(one, "targetProfile")) {
			const struct bytes url = json_string(target);
			const struct profile *profile = profiles_find(check->profiles, url);
			const bool ends = url.len > name.len && url.data[url.len - name.len - 1] == '/' &&
					  memcmp(url.data + url.len - name.len, name.data, name.len) == 0;
			if (is_reference && (ends || (profile && profile->type == type))) return true;
		}
	}
	return false;
}

static bool is_in_slice(struct check *check, const struct profile_node *slice, const struct json *discriminators,
    const struct occurrence *of) {
	json_foreach (discriminator, discriminators) {
		const struct bytes path = json_string(json_get(discriminator, "path"));
		const struct json *type = json_get(discriminator, "type");
		bool fits = false;
		if (json_string_is(type, "value") || json_string_is(type, "pattern"))
			fits = fits_value(check, slice, of, path);
		else if (json_string_is(type, "exists"))
			fits = fits_existence(check, slice, of, path);
		else if (json_string_is(type, "type"))
			fits = fits_type(check, slice, of, path);
		if (!fits) return false;
	}
	return true;
}

/* Slices by profile are not told apart here. */
static bool can_be_told(const struct json *discriminators) {
	if (!discriminators || !discriminators->first) return false;
	json_foreach (discriminator, discriminators)
		if (json_string_is(json_get(discriminator, "type"), "profile")) return false;
	return true;
}

/* --- elements --- */

static void check_count(struct check *check, const struct profile_node *node, size_t count, const struct place *place) {
	const char *name = arena_printf(&check->scratch, "%.*s%s%.*s", (int)node->name.len,
	    node->name.len ? (const char *)node->name.data : "", node->slice.len ? ":" : "", (int)node->slice.len,
	    node->slice.len ? (const char *)node->slice.data : "");
	if (count < node->min)
		place_refuse(check->issues, FHIR_ISSUE_REQUIRED, place,
		    "the profile wants %s at least %u times, not %zu", name, node->min, count);
	if (count > node->max)
		place_refuse(check->issues, FHIR_ISSUE_STRUCTURE, place,
		    "the profile wants %s at most %u times, not %zu", name, node->max, count);
}

static void check_one(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	const struct place member = {place, of->name, 0}, item = {&member, {NULL, 0}, of->index};
	check_value(check, node, of, of->is_item ? &item : &member);
}

static void check_slices(
    struct check *check, const struct profile_node *node, const struct occurrences *all, const struct place *place) {
	const struct json *slicing = json_get(node->definition, "slicing");
	const struct json *discriminators = json_get(slicing, "discriminator");
	bool *is_taken = arena_zalloc(&check->scratch, all->count + 1, sizeof *is_taken);
	if (!can_be_told(discriminators)) return;
	for (const struct profile_node *slice = node->slices; slice; slice = slice->next) {
		size_t count = 0;
		for (size_t i = 0; i < all->count && pay(check); i++) {
			if (!is_in_slice(check, slice, discriminators, &all->items[i])) continue;
			is_taken[i] = true;
			count++;
			check_one(check, slice, &all->items[i], place);
		}
		check_count(check, slice, count, place);
	}
	for (size_t i = 0; i < all->count && json_string_is(json_get(slicing, "rules"), "closed"); i++)
		if (!is_taken[i])
			place_refuse(check->issues, FHIR_ISSUE_STRUCTURE, place,
			    "%.*s[%zu] is in none of the profile's slices, and others are not allowed",
			    (int)node->name.len, (const char *)node->name.data, i);
}

static void check_children(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	const struct arena_mark mark = arena_mark(&check->scratch);
	for (const struct profile_node *child = node->children; child && check->budget; child = child->next) {
		const struct occurrences found = gather(check, child, of);
		check_count(check, child, found.count, place);
		for (size_t i = 0; i < found.count; i++) check_one(check, child, &found.items[i], place);
		if (child->slices) check_slices(check, child, &found, place);
		arena_rewind(&check->scratch, mark);
	}
}

static void check_profile(
    struct check *check, const struct profile *profile, const struct occurrence *of, const struct place *place) {
	if (check->depth == PROFILE_DEPTH_MAX || !pay(check)) return;
	check->depth++;
	check_value(check, &profile->root, of, place);
	const struct profile *base = profile->is_whole ? NULL : profiles_find(check->profiles, profile->base);
	if (base) check_profile(check, base, of, place);
	check->depth--;
}

/* If the element's type has profiles, one of those that are known has to fit: with one alone, it says what is wrong. */
static void check_types(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	json_foreach (type, json_get(node->definition, "type")) {
		const struct json *profiles = json_get(type, "profile");
		if (!profiles || profiles->count != 1) continue;
		const struct profile *profile = profiles_find(check->profiles, json_string(profiles->first));
		if (profile && of->type != FHIR_NONE && fhir_type_derives(check->defs, of->type, profile->type))
			check_profile(check, profile, of, place);
	}
}

static void check_value(
    struct check *check, const struct profile_node *node, const struct occurrence *of, const struct place *place) {
	check_content(check, node, of, place);
	check_rules(check, node, of, place);
	check_types(check, node, of, place);
	if (node->children) check_children(check, node, of, place);
}

uint64_t fhir_profiles_steps(const struct json *resource) {
	return FHIR_PROFILE_STEPS + (uint64_t)FHIR_PROFILE_STEPS_A_BYTE * resource->raw.len;
}

bool fhir_profiles_check(const struct fhir_profiles *profiles, struct fhir_issues *issues, const struct json *resource,
    struct bytes url, uint64_t *steps) {
	struct check check = {.profiles = profiles,
	    .defs = profiles->defs,
	    .issues = issues,
	    .profile = profiles_find(profiles, url),
	    .budget = *steps};
	const struct bytes type = json_string(json_get(resource, "resourceType"));
	const struct place place = {.name = type.len ? type : BYTES_LITERAL("(resource)")};
	const bool had_error = issues->has_error;
	if (!check.profile) return true;
	issues->has_error = false;
	arena_init(&check.scratch);
	check.context = fhirpath_context(profiles->defs, &check.scratch, resource);
	check.context.budget = &check.budget;
	const struct occurrence root = {.json = resource, .type = fhirpath_resource(profiles->defs, resource).type};
	if (root.type == check.profile->type)
		check_profile(&check, check.profile, &root, &place);
	else
		place_refuse(issues, FHIR_ISSUE_INVALID, &place, "the profile %.*s is of %s", (int)url.len,
		    (const char *)url.data, fhir_type_name(profiles->defs, check.profile->type));
	if (!check.budget)
		place_refuse(
		    issues, FHIR_ISSUE_TOO_COSTLY, &place, "it takes more steps to check than its size allows");
	arena_fini(&check.scratch);
	*steps = check.budget;
	const bool is_good = !issues->has_error;
	issues->has_error |= had_error;
	return is_good;
}
