#include "health/fhir/bundle.h"

#include <stdio.h>

#include "codec/json_input.h"
#include "health/fhir/names.h"
#include "health/fhir/patients.h"
#include "health/fhir/place.h"
#include "health/fhir/types.h"

#define TEXT(view) (int)(view).len, (const char *)(view).data

/* What a check gathers. */
static void refuse(struct fhir_issues *issues, enum fhir_issue_code code, const struct place *place, const char *why) {
	place_issue(issues, FHIR_ERROR, code, place, why);
}

/* datatypes.html#string: no control characters but tab, line feed and carriage return. */
static bool has_control(struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (c < 32 && c != '\t' && c != '\n' && c != '\r') return true;
	}
	return false;
}

/* json.html: objects and arrays are never empty, strings neither; null stands in arrays only, to align two of them. */
static void check_filled(struct fhir_issues *issues, const struct json *value, const struct place *place) {
	bool is_object = json_is(value, JSON_OBJECT), is_array = json_is(value, JSON_ARRAY);
	if (is_object && !value->first) refuse(issues, FHIR_ISSUE_STRUCTURE, place, "an empty object");
	if (is_array && !value->first) refuse(issues, FHIR_ISSUE_STRUCTURE, place, "an empty array");
	if (json_is(value, JSON_STRING) && !value->text.len) refuse(issues, FHIR_ISSUE_VALUE, place, "an empty string");
	if (has_control(value->text)) refuse(issues, FHIR_ISSUE_VALUE, place, "a control character in a string");
	if (json_is(value, JSON_NULL) && place->name.data)
		refuse(issues, FHIR_ISSUE_STRUCTURE, place, "null is not a value here");
	size_t index = 0;
	json_foreach (child, value) {
		struct place inner = {place, is_object ? child->name : (struct bytes){NULL, 0}, index++};
		if (is_object && (!child->name.len || has_control(child->name))) {
			refuse(issues, FHIR_ISSUE_STRUCTURE, place,
			    "a member whose name is empty or has a control character");
			continue; /* its place has no name that could be shown */
		}
		check_filled(issues, child, &inner);
	}
}

/* resource.html#id: [A-Za-z0-9\-\.]{1,64} */
static bool is_id(struct bytes text) {
	if (text.len < 1 || text.len > 64) return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool fits = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.';
		if (!fits) return false;
	}
	return true;
}

/* False if there is no type by which the rest could be judged. */
static bool check_type(
    struct fhir_issues *issues, struct bytes *type, const struct json *json, const struct place *place) {
	*type = (struct bytes){NULL, 0};
	if (!json_is(json, JSON_OBJECT)) {
		refuse(issues, FHIR_ISSUE_STRUCTURE, place, "a resource must be a JSON object");
		return false;
	}
	*type = json_string(json_get(json, "resourceType"));
	if (!type->data) {
		refuse(issues, FHIR_ISSUE_REQUIRED, place, "no resourceType");
		return false;
	}
	if (fhir_type_is_known(*type)) return true;
	char why[128];
	snprintf(why, sizeof why, "\"%.*s\" is not a resource type of FHIR R4", type->len < 64 ? (int)type->len : 64,
	    (const char *)type->data);
	refuse(issues, FHIR_ISSUE_VALUE, place, why);
	return false;
}

static void check_id(struct fhir_issues *issues, const struct json *json, const struct place *place) {
	const struct json *id = json_get(json, "id");
	if (id && !is_id(json_string(id)))
		refuse(issues, FHIR_ISSUE_VALUE, place, "its id is not a FHIR id ([A-Za-z0-9-.], 1 to 64)");
}

static void check_contained(struct fhir_issues *issues, const struct json *json, const struct place *place) {
	const struct json *contained = json_get(json, "contained");
	struct place member = {place, BYTES_LITERAL("contained"), 0};
	if (contained && !json_is(contained, JSON_ARRAY)) {
		refuse(issues, FHIR_ISSUE_STRUCTURE, &member, "contained must be an array");
		return;
	}
	size_t index = 0;
	json_foreach (inner, contained) {
		struct bytes type;
		struct place item = {&member, {NULL, 0}, index++};
		if (!check_type(issues, &type, inner, &item)) continue;
		check_id(issues, inner, &item);
		if (json_get(inner, "contained"))
			refuse(issues, FHIR_ISSUE_INVARIANT, &item,
			    "a contained resource must not contain another (dom-2)");
	}
}

/* Type, id, and the types and ids of what it contains. */
static bool read_resource(
    struct fhir_issues *issues, struct fhir_resource *out, const struct json *json, const struct place *place) {
	*out = (struct fhir_resource){.raw = json ? json->raw : (struct bytes){NULL, 0}, .json = json};
	if (!check_type(issues, &out->type, json, place)) return false;
	out->id = json_string(json_get(json, "id"));
	check_id(issues, json, place);
	check_contained(issues, json, place);
	return true;
}

/* --- bundles --- */

static bool is_accepted_bundle(const struct json *bundle) {
	static const char *const accepted[] = {"transaction", "batch", "collection", "document", "searchset"};
	const struct json *type = json_get(bundle, "type");
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
		if (json_string_is(type, accepted[i])) return true;
	return false;
}

/* bdl-7: two entries of one fullUrl are two versions of a resource. References find the first. */
static bool is_new_version(
    struct arena *arena, struct names *full_urls, const struct fhir_resource *resource, size_t index) {
	struct bytes url = resource->full_url;
	struct bytes version = json_string(json_get(json_get(resource->json, "meta"), "versionId"));
	bool is_first = names_put(full_urls, url, index);
	if (!version.len) return is_first;
	const char *both = arena_printf(arena, "%.*s/_history/%.*s", TEXT(url), TEXT(version));
	return names_put(full_urls, bytes_text(both), index);
}

static void read_entry(struct fhir_issues *issues, struct fhir_document *out, struct names *full_urls,
    const struct json *entry, const struct place *place) {
	struct fhir_resource *resource = &out->resources[out->resource_count];
	const struct json *json = json_get(entry, "resource"), *full_url = json_get(entry, "fullUrl");
	struct place inner = {place, BYTES_LITERAL("resource"), 0};
	if (!json_is(entry, JSON_OBJECT)) {
		refuse(issues, FHIR_ISSUE_STRUCTURE, place, "an entry must be a JSON object");
		return;
	}
	if (!json) {
		refuse(issues, FHIR_ISSUE_REQUIRED, place, "an entry without resource");
		return;
	}
	if (!read_resource(issues, resource, json, &inner)) return;
	if (bytes_equal(resource->type, BYTES_LITERAL("Bundle")))
		refuse(issues, FHIR_ISSUE_NOT_SUPPORTED, &inner,
		    "a Bundle inside a Bundle; add it as a document of its own");
	if (full_url && !json_is(full_url, JSON_STRING))
		refuse(issues, FHIR_ISSUE_STRUCTURE, place, "fullUrl must be a string");
	resource->full_url = json_string(full_url);
	if (resource->full_url.data && !is_new_version(issues->arena, full_urls, resource, out->resource_count))
		refuse(issues, FHIR_ISSUE_DUPLICATE, place, "another entry has the same fullUrl (bdl-7)");
	out->resource_count++;
}

static void read_bundle(struct fhir_issues *issues, struct fhir_document *out, struct names *full_urls,
    const struct json *bundle, const struct place *place) {
	const struct json *entries = json_get(bundle, "entry");
	struct place member = {place, BYTES_LITERAL("entry"), 0};
	names_init(full_urls, issues->arena, entries ? 2 * (size_t)entries->count : 0);
	if (!is_accepted_bundle(bundle))
		refuse(issues, FHIR_ISSUE_NOT_SUPPORTED, place,
		    "a Bundle of type transaction, batch, collection, document or searchset is needed");
	if (!json_is(entries, JSON_ARRAY)) {
		refuse(issues, FHIR_ISSUE_REQUIRED, place, "a Bundle without entries");
		return;
	}
	out->resources = arena_zalloc(issues->arena, entries->count, sizeof *out->resources);
	size_t index = 0;
	json_foreach (entry, entries) {
		struct place item = {&member, {NULL, 0}, index++};
		read_entry(issues, out, full_urls, entry, &item);
	}
}

static void read_root(
    struct fhir_issues *issues, struct fhir_document *out, struct names *full_urls, const struct json *root) {
	struct bytes type = json_string(json_get(root, "resourceType"));
	struct place place = {.name = type.len ? type : BYTES_LITERAL("(document)")};
	struct fhir_resource whole;
	if (!read_resource(issues, &whole, root, &place)) return;
	check_filled(issues, root, &place);
	if (bytes_equal(whole.type, BYTES_LITERAL("Bundle"))) {
		read_bundle(issues, out, full_urls, root, &place);
		return;
	}
	out->resources = arena_zalloc(issues->arena, 1, sizeof whole);
	out->resources[0] = whole;
	out->resource_count = 1;
	names_init(full_urls, issues->arena, 0);
}

bool fhir_document_read(struct fhir_document *out, struct fhir_issues *issues, struct bytes text) {
	struct json_limits limits = json_limits_default;
	const struct json *root;
	struct names full_urls;
	struct err err = {0};
	limits.bytes_max = FHIR_DOCUMENT_MAX;
	*out = (struct fhir_document){0};
	enum status status = json_input(&text, &err);
	if (status == STATUS_OK) status = json_parse(&root, issues->arena, text, &limits, &err);
	if (status != STATUS_OK) {
		enum fhir_issue_code code = status == STATUS_LIMIT ? FHIR_ISSUE_TOO_LONG : FHIR_ISSUE_STRUCTURE;
		fhir_issues_add(issues, FHIR_FATAL, code, "", err.message);
		return false;
	}
	read_root(issues, out, &full_urls, root);
	if (!issues->has_error) fhir_divide(out, issues, &full_urls);
	return !issues->has_error;
}
