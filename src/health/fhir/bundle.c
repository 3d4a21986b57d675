#include "health/fhir/bundle.h"

#include <stdio.h>

#include "health/fhir/names.h"
#include "health/fhir/patients.h"
#include "health/fhir/types.h"

/* Where a value stands: links from it up to the root, on the stack. */
struct place {
	const struct place *parent;
	struct bytes name; /* of a member, or empty: the index */
	size_t index;
};

#define TEXT(view) (int)(view).len, (const char *)(view).data

/* "Bundle.entry[3].resource.name[0]" */
static void put_place(struct buf *out, const struct place *place) {
	if (place->parent) put_place(out, place->parent);
	if (place->name.data)
		buf_printf(out, "%s%.*s", place->parent ? "." : "", TEXT(place->name));
	else
		buf_printf(out, "[%zu]", place->index);
}

static enum status refuse(struct err *err, const struct place *place, const char *why) {
	struct buf path;
	buf_init(&path, 240);
	put_place(&path, place);
	enum status status = err_set(err, STATUS_INVALID, "%s: %s", buf_cstr(&path), why);
	buf_fini(&path);
	return status;
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
static enum status check_filled(const struct json *value, const struct place *place, struct err *err) {
	bool is_object = json_is(value, JSON_OBJECT), is_array = json_is(value, JSON_ARRAY);
	if (is_object && !value->first) return refuse(err, place, "an empty object");
	if (is_array && !value->first) return refuse(err, place, "an empty array");
	if (json_is(value, JSON_STRING) && !value->text.len) return refuse(err, place, "an empty string");
	if (has_control(value->text)) return refuse(err, place, "a control character in a string");
	if (json_is(value, JSON_NULL) && place->name.data) return refuse(err, place, "null is no value");
	size_t index = 0;
	json_foreach (child, value) {
		struct place inner = {place, is_object ? child->name : (struct bytes){NULL, 0}, index++};
		if (is_object && (!child->name.len || has_control(child->name)))
			return refuse(err, place, "a member whose name is empty or has a control character");
		TRY(check_filled(child, &inner, err));
	}
	return STATUS_OK;
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

static enum status check_type(struct bytes *type, const struct json *json, const struct place *place, struct err *err) {
	if (!json_is(json, JSON_OBJECT)) return refuse(err, place, "a resource must be a JSON object");
	*type = json_string(json_get(json, "resourceType"));
	if (!type->data) return refuse(err, place, "no resourceType");
	if (fhir_type_is_known(*type)) return STATUS_OK;
	char why[128];
	snprintf(why, sizeof why, "\"%.*s\" is no resource type of FHIR R4", type->len < 64 ? (int)type->len : 64,
	    (const char *)type->data);
	return refuse(err, place, why);
}

/* Type, id, and the types of what it contains. */
static enum status read_resource(
    struct fhir_resource *out, const struct json *json, const struct place *place, struct err *err) {
	*out = (struct fhir_resource){.raw = json ? json->raw : (struct bytes){NULL, 0}, .json = json};
	TRY(check_type(&out->type, json, place, err));
	const struct json *id = json_get(json, "id"), *contained = json_get(json, "contained");
	out->id = json_string(id);
	if (id && !is_id(out->id)) return refuse(err, place, "its id is no FHIR id ([A-Za-z0-9-.], 1 to 64)");
	if (contained && !json_is(contained, JSON_ARRAY)) return refuse(err, place, "contained must be an array");
	size_t index = 0;
	json_foreach (inner, contained) {
		struct bytes type;
		struct place member = {place, BYTES_LITERAL("contained"), 0}, item = {&member, {NULL, 0}, index++};
		TRY(check_type(&type, inner, &item, err));
		if (json_get(inner, "contained")) return refuse(err, &item, "contained resources contain none (dom-2)");
	}
	return STATUS_OK;
}

/* --- bundles --- */

static enum status check_bundle_type(const struct json *bundle, const struct place *place, struct err *err) {
	static const char *const accepted[] = {"transaction", "batch", "collection", "document", "searchset"};
	const struct json *type = json_get(bundle, "type");
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
		if (json_string_is(type, accepted[i])) return STATUS_OK;
	return refuse(err, place, "a Bundle of type transaction, batch, collection, document or searchset is needed");
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

static enum status read_entry(struct fhir_document *out, struct arena *arena, struct names *full_urls,
    const struct json *entry, const struct place *place, struct err *err) {
	struct fhir_resource *resource = &out->resources[out->resource_count];
	const struct json *json = json_get(entry, "resource"), *full_url = json_get(entry, "fullUrl");
	struct place inner = {place, BYTES_LITERAL("resource"), 0};
	if (!json_is(entry, JSON_OBJECT)) return refuse(err, place, "an entry must be a JSON object");
	if (!json) return refuse(err, place, "an entry without resource");
	TRY(read_resource(resource, json, &inner, err));
	if (bytes_equal(resource->type, BYTES_LITERAL("Bundle")))
		return refuse(err, &inner, "a Bundle inside a Bundle: add it as a document of its own");
	if (full_url && !json_is(full_url, JSON_STRING)) return refuse(err, place, "fullUrl must be a string");
	resource->full_url = json_string(full_url);
	if (full_url && !is_new_version(arena, full_urls, resource, out->resource_count))
		return refuse(err, place, "another entry has the same fullUrl (bdl-7)");
	out->resource_count++;
	return STATUS_OK;
}

static enum status read_bundle(struct fhir_document *out, struct arena *arena, struct names *full_urls,
    const struct json *bundle, const struct place *place, struct err *err) {
	const struct json *entries = json_get(bundle, "entry");
	struct place member = {place, BYTES_LITERAL("entry"), 0};
	TRY(check_bundle_type(bundle, place, err));
	if (!json_is(entries, JSON_ARRAY)) return refuse(err, place, "a Bundle without entries");
	out->resources = arena_zalloc(arena, entries->count, sizeof *out->resources);
	names_init(full_urls, arena, 2 * (size_t)entries->count);
	size_t index = 0;
	json_foreach (entry, entries) {
		struct place item = {&member, {NULL, 0}, index++};
		TRY(read_entry(out, arena, full_urls, entry, &item, err));
	}
	return STATUS_OK;
}

enum status fhir_document_parse(struct fhir_document *out, struct arena *arena, struct bytes text, struct err *err) {
	struct json_limits limits = json_limits_default;
	const struct json *root;
	struct fhir_resource whole;
	struct names full_urls;
	limits.bytes_max = FHIR_DOCUMENT_MAX;
	*out = (struct fhir_document){0};
	TRY(json_parse(&root, arena, text, &limits, err));
	struct bytes type = json_string(json_get(root, "resourceType"));
	struct place place = {.name = type.len ? type : BYTES_LITERAL("(document)")};
	TRY(read_resource(&whole, root, &place, err));
	TRY(check_filled(root, &place, err));
	if (bytes_equal(whole.type, BYTES_LITERAL("Bundle"))) {
		TRY(read_bundle(out, arena, &full_urls, root, &place, err));
	} else {
		out->resources = arena_zalloc(arena, 1, sizeof whole);
		out->resources[0] = whole;
		out->resource_count = 1;
		names_init(&full_urls, arena, 0);
	}
	return fhir_divide(out, arena, &full_urls, err);
}

void fhir_operation_outcome(struct buf *out, const char *code, const char *diagnostics, const char *expression) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "resourceType", "OperationOutcome");
	json_array_begin(&writer, "issue");
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "severity", "error");
	json_put_text(&writer, "code", code);
	if (diagnostics && *diagnostics) json_put_text(&writer, "diagnostics", diagnostics);
	if (expression && *expression) {
		json_array_begin(&writer, "expression");
		json_put_text(&writer, NULL, expression);
		json_array_end(&writer);
	}
	json_object_end(&writer);
	json_array_end(&writer);
	json_object_end(&writer);
}
