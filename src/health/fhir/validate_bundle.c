/*
 * References inside documents and messages (documents.html, messaging.html, bundle.html#references): what a document's
 * Composition or a message's header refers to is in the bundle, once.
 */
#include "health/fhir/names.h"
#include "health/fhir/reference.h"
#include "health/fhir/validate_walk.h"

struct bundle_names {
	struct validate_walk *walk;
	const struct json *entries;
	struct names urls; /* fullUrl, and fullUrl/_history/version: places among the entries */
	struct bytes base; /* of the entry at work (fhir_reference_base) */
};

static const char *joined(struct bundle_names *b, struct bytes left, const char *between, struct bytes right) {
	return arena_printf(&b->walk->validator->scratch, "%.*s%s%.*s", (int)left.len,
	    left.data ? (const char *)left.data : "", between, (int)right.len,
	    right.data ? (const char *)right.data : "");
}

static void name_entries(struct bundle_names *b) {
	size_t index = 0;
	names_init(&b->urls, &b->walk->validator->scratch, 2 * (size_t)b->entries->count);
	json_foreach (entry, b->entries) {
		struct bytes url = json_string(json_get(entry, "fullUrl"));
		const struct json *resource = json_get(entry, "resource");
		struct bytes version = json_string(json_get(json_get(resource, "meta"), "versionId"));
		if (url.len) names_share(&b->urls, url, index);
		if (url.len && version.len)
			names_share(&b->urls, bytes_text(joined(b, url, "/_history/", version)), index);
		index++;
	}
}

static void check_reference(struct bundle_names *b, const struct json *reference, const struct place *place) {
	struct bytes text = json_string(json_get(reference, "reference"));
	bool is_absolute = memmem(text.data ? text.data : (const uint8_t *)"", text.len, ":", 1) != NULL;
	bool is_urn = bytes_equal(bytes_slice(text, 0, 4), BYTES_LITERAL("urn:"));
	if (!text.len || text.data[0] == '#' || (is_absolute && !is_urn)) return; /* elsewhere on the web is fine */
	/* Without a base, a relative reference leads to no fullUrl. */
	if (!is_absolute && b->base.len) text = bytes_text(joined(b, b->base, "", text));
	size_t found = names_find(&b->urls, text);
	if (found == NAMES_NONE)
		place_refuse(b->walk->issues, FHIR_ISSUE_NOT_FOUND, place,
		    "no entry of the bundle has the fullUrl %.*s", text.len < 200 ? (int)text.len : 200,
		    (const char *)text.data);
	else if (found == NAMES_SEVERAL)
		place_refuse(b->walk->issues, FHIR_ISSUE_MULTIPLE_MATCHES, place,
		    "several entries of the bundle have the fullUrl %.*s; refer to a version",
		    text.len < 200 ? (int)text.len : 200, (const char *)text.data);
}

/* How often a resource's narratives have an element of this id. */
static size_t count_anchors(const struct json *value, struct bytes anchor) {
	size_t count = 0;
	if (json_is(value, JSON_STRING) && bytes_equal(value->name, BYTES_LITERAL("div")))
		for (struct bytes rest = value->text; rest.len;) {
			const uint8_t *found = memmem(rest.data, rest.len, anchor.data, anchor.len);
			if (!found) break;
			count++;
			rest = bytes_slice(rest, (size_t)(found - rest.data) + anchor.len, rest.len);
		}
	json_foreach (child, value) count += count_anchors(child, anchor);
	return count;
}

/* The extension narrativeLink: "fullUrl#id" of one element in the narratives of an entry. */
static void check_narrative_link(struct bundle_names *b, const struct json *extension, const struct place *place) {
	const struct json *uri = json_get(extension, "valueUri"), *url = json_get(extension, "valueUrl");
	struct bytes text = json_string(url ? url : uri);
	const uint8_t *hash = text.len ? memchr(text.data, '#', text.len) : NULL;
	if (!hash) return;
	size_t len = (size_t)(hash - text.data), found = names_find(&b->urls, bytes_slice(text, 0, len));
	struct bytes id = bytes_slice(text, len + 1, text.len);
	if (found == NAMES_NONE || found == NAMES_SEVERAL) return;
	const char *anchor =
	    joined(b, BYTES_LITERAL("id=\""), "", bytes_text(joined(b, id, "\"", (struct bytes){NULL, 0})));
	size_t count = count_anchors(json_get(json_at(b->entries, found), "resource"), bytes_text(anchor));
	if (count != 1)
		place_refuse(b->walk->issues, FHIR_ISSUE_NOT_FOUND, place,
		    "the narratives of its entry have %zu elements with the id %.*s, and one is needed", count,
		    id.len < 100 ? (int)id.len : 100, (const char *)id.data);
}

#define NARRATIVE_LINK "http://hl7.org/fhir/StructureDefinition/narrativeLink"

/* Every Reference below a value, if it is asked for, and every narrativeLink; found by their members. */
static void check_below(
    struct bundle_names *b, const struct json *value, bool has_references, const struct place *place) {
	size_t index = 0;
	if (json_is(value, JSON_OBJECT) && json_string_is(json_get(value, "url"), NARRATIVE_LINK))
		check_narrative_link(b, value, place);
	if (has_references && json_is(value, JSON_OBJECT) && json_is(json_get(value, "reference"), JSON_STRING))
		check_reference(b, value, place);
	json_foreach (child, value) {
		struct place inner = {
		    place, json_is(value, JSON_OBJECT) ? child->name : (struct bytes){NULL, 0}, index++};
		check_below(b, child, has_references, &inner);
	}
}

/* What a document's Composition, or a message's header, refers to is in the bundle (documents.html, messaging.html). */
void validate_bundle(struct validate_walk *walk, const struct json *json, const struct place *place) {
	const struct json *type = json_get(json, "type"), *entries = json_get(json, "entry");
	bool is_document = json_string_is(type, "document"), is_message = json_string_is(type, "message");
	if ((!is_document && !is_message) || !json_is(entries, JSON_ARRAY) || !entries->first) return;
	struct arena_mark mark = arena_mark(&walk->validator->scratch);
	struct bundle_names b = {.walk = walk, .entries = entries};
	struct place list = {place, BYTES_LITERAL("entry"), 0};
	size_t index = 0;
	name_entries(&b);
	json_foreach (entry, entries) {
		struct place item = {&list, {NULL, 0}, index++}, inner = {&item, BYTES_LITERAL("resource"), 0};
		const struct json *resource = json_get(entry, "resource"), *focus = json_get(resource, "focus");
		struct place member = {&inner, BYTES_LITERAL("focus"), 0};
		struct bytes full_url = json_string(json_get(entry, "fullUrl"));
		if (!full_url.len) continue;
		b.base = fhir_reference_base(
		    full_url, json_string(json_get(resource, "resourceType")), json_string(json_get(resource, "id")));
		const struct json *kind = json_get(resource, "resourceType");
		if (is_document) check_below(&b, resource, json_string_is(kind, "Composition"), &inner);
		if (is_message && json_string_is(kind, "MessageHeader")) check_below(&b, focus, true, &member);
	}
	arena_rewind(&walk->validator->scratch, mark);
}
