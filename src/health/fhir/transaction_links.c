/* Rewriting references: the elements that FHIR's definitions give the types that hold links. */
#include "health/fhir/transaction.h"

#include "base/http_uri.h"
#include "health/fhir/reference.h"

struct rewriting {
	struct fhir_transaction *transaction;
	const struct fhir_definitions *defs;
	struct json_edit *edit;
	const struct fhir_reference_resolver *resolver;
	struct bytes base; /* "http://host/fhir/" of the resource's fullUrl; or empty */
	unsigned bundles;  /* around what is looked at: their own entries may have its links */
	bool is_refused;
};

static void replace(struct rewriting *r, const struct json *value, struct bytes text) {
	struct buf json;
	buf_init(&json, value->raw.len + 6 * text.len + 16);
	struct json_writer writer = json_writer(&json);
	json_put_string(&writer, NULL, text);
	json_edit_replace(r->edit, value, arena_dup(r->edit->arena, buf_view(&json)));
	buf_fini(&json);
}

/* The reference of the entry that has this fullUrl; what stands behind "#" stays. Empty: there is none. */
static struct bytes linked(const struct rewriting *r, struct bytes text) {
	const struct fhir_transaction *transaction = r->transaction;
	size_t found = names_find(&transaction->links, text);
	const uint8_t *mark = text.len ? memchr(text.data, '#', text.len) : NULL;
	if (found < transaction->count) return transaction->entries[found].reference;
	if (!mark || mark == text.data) return (struct bytes){NULL, 0};
	const size_t len = (size_t)(mark - text.data);
	found = names_find(&transaction->links, bytes_slice(text, 0, len));
	if (found >= transaction->count || !transaction->entries[found].reference.len) return (struct bytes){NULL, 0};
	const struct bytes to = transaction->entries[found].reference;
	return bytes_text(arena_printf(
	    r->edit->arena, "%.*s%.*s", (int)to.len, (const char *)to.data, (int)(text.len - len), (const char *)mark));
}

/* "http://host/fhir/" of a fullUrl "http://host/fhir/Patient/1", whatever the resource's own id is. */
static struct bytes base_of(const struct fhir_definitions *defs, struct bytes full_url) {
	size_t slashes[2] = {0, 0}; /* the last two */
	for (size_t i = 0; i < full_url.len; i++)
		if (full_url.data[i] == '/') slashes[0] = slashes[1], slashes[1] = i + 1;
	const struct bytes type = bytes_slice(full_url, slashes[0], slashes[0] ? slashes[1] - slashes[0] - 1 : 0);
	const bool is_http = full_url.len > 4 && memcmp(full_url.data, "http", 4) == 0;
	if (!is_http || fhir_definitions_resource(defs, type) == FHIR_NONE) return (struct bytes){NULL, 0};
	return bytes_slice(full_url, 0, slashes[0]);
}

/* The same of a relative reference, which stands on the base of its resource's fullUrl. */
static struct bytes linked_relative(const struct rewriting *r, struct bytes text) {
	if (!r->base.len || memchr(text.data, ':', text.len) || fhir_reference_type(r->defs, text) == FHIR_NONE)
		return (struct bytes){NULL, 0};
	return linked(r, bytes_text(arena_printf(r->edit->arena, "%.*s%.*s", (int)r->base.len,
			     (const char *)r->base.data, (int)text.len, (const char *)text.data)));
}

static void rewrite_link(struct rewriting *r, const struct json *value) {
	if (!json_is(value, JSON_STRING)) return;
	const struct bytes to = linked(r, value->text);
	if (to.len) replace(r, value, to);
}

/* --- conditional references --- */

/* "Patient?identifier=a%7Cb" without its escapes. */
static struct bytes decoded(const struct rewriting *r, struct bytes text) {
	struct buf out;
	buf_init(&out, text.len + 1);
	const bool is_text = http_percent_decode(&out, text, true);
	const struct bytes view = is_text ? arena_dup(r->edit->arena, buf_view(&out)) : text;
	buf_fini(&out);
	return view;
}

static bool is_condition(const struct rewriting *r, struct bytes text) {
	const uint8_t *mark = text.len ? memchr(text.data, '?', text.len) : NULL;
	if (!mark) return false;
	return fhir_definitions_resource(r->defs, bytes_slice(text, 0, (size_t)(mark - text.data))) != FHIR_NONE;
}

static void rewrite_condition(struct rewriting *r, const struct json *value) {
	const struct fhir_transaction *transaction = r->transaction;
	const size_t found = names_find(&transaction->named, decoded(r, value->text));
	struct bytes to = {NULL, 0};
	if (found < transaction->count)
		to = transaction->entries[found].reference;
	else if (r->resolver)
		to = r->resolver->resolve(r->resolver->context, value->text, found == NAMES_SEVERAL);
	if (to.len)
		replace(r, value, to);
	else
		r->is_refused = true;
}

/* A name of nothing but an entry of its bundle. */
static bool is_urn(struct bytes text) {
	const struct bytes uuid = BYTES_LITERAL("urn:uuid:"), oid = BYTES_LITERAL("urn:oid:");
	return bytes_equal(bytes_slice(text, 0, uuid.len), uuid) || bytes_equal(bytes_slice(text, 0, oid.len), oid);
}

/* A relative reference stands on the base of the entry's fullUrl; one that no entry has stays. */
static void rewrite_reference(struct rewriting *r, const struct json *value) {
	if (!json_is(value, JSON_STRING)) return;
	if (is_condition(r, value->text)) {
		rewrite_condition(r, value);
		return;
	}
	struct bytes to = linked(r, value->text);
	if (!to.len && value->text.len) to = linked_relative(r, value->text);
	if (to.len)
		replace(r, value, to);
	else if (is_urn(value->text) && !r->bundles && r->resolver)
		r->is_refused |= !r->resolver->resolve(r->resolver->context, value->text, false).len;
}

/* --- narratives --- */

/* The value of the next href or src attribute from `at` on; data == NULL: there is none. */
static struct bytes next_link(struct bytes text, size_t *at) {
	while (*at < text.len) {
		const struct bytes rest = bytes_slice(text, *at, text.len);
		const uint8_t *equals = memchr(rest.data, '=', rest.len);
		if (!equals) break;
		const size_t place = (size_t)(equals - text.data);
		*at = place + 1;
		const bool is_href = place >= 4 && memcmp(equals - 4, "href", 4) == 0;
		const bool is_src = place >= 3 && memcmp(equals - 3, "src", 3) == 0;
		if ((!is_href && !is_src) || place + 1 >= text.len) continue;
		const uint8_t quote = equals[1];
		if (quote != '"' && quote != '\'') continue;
		const uint8_t *end = memchr(equals + 2, quote, text.len - place - 2);
		if (!end) break;
		*at = (size_t)(end - text.data);
		return bytes_make(equals + 2, (size_t)(end - equals) - 2);
	}
	return (struct bytes){NULL, 0};
}

static void rewrite_narrative(struct rewriting *r, const struct json *value) {
	struct buf out;
	size_t at = 0, copied = 0;
	if (!json_is(value, JSON_STRING)) return;
	const struct bytes text = value->text;
	buf_init(&out, 4 * text.len + 65536);
	for (;;) {
		const struct bytes link = next_link(text, &at);
		if (!link.data) break;
		const struct bytes to = linked(r, link);
		const size_t begin = (size_t)(link.data - text.data);
		if (!to.len) continue;
		buf_append(&out, bytes_slice(text, copied, begin - copied));
		buf_append(&out, to);
		copied = begin + link.len;
	}
	if (copied) {
		buf_append(&out, bytes_slice(text, copied, text.len));
		replace(r, value, buf_view(&out));
	}
	buf_fini(&out);
}

/* --- the walk --- */

static void walk_object(struct rewriting *r, uint16_t type, const struct json *object);

static bool is_type(const struct rewriting *r, uint16_t type, const char *name) {
	return strcmp(fhir_type_name(r->defs, type), name) == 0;
}

static void walk_value(struct rewriting *r, uint16_t type, const struct json *value) {
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) walk_value(r, type, item);
		return;
	}
	if (r->defs->types[type].kind != FHIR_KIND_PRIMITIVE) {
		walk_object(r, type, value);
		return;
	}
	if (is_type(r, type, "uri") || is_type(r, type, "url") || is_type(r, type, "oid") || is_type(r, type, "uuid"))
		rewrite_link(r, value);
	else if (is_type(r, type, "xhtml"))
		rewrite_narrative(r, value);
}

static void walk_object(struct rewriting *r, uint16_t type, const struct json *object) {
	if (r->defs->types[type].kind == FHIR_KIND_RESOURCE)
		type = fhir_definitions_resource(r->defs, json_string(json_get(object, "resourceType")));
	if (type == FHIR_NONE || !json_is(object, JSON_OBJECT)) return;
	const bool is_reference = is_type(r, type, "Reference"), is_bundle = is_type(r, type, "Bundle");
	r->bundles += is_bundle;
	json_foreach (member, object) {
		struct bytes name = member->name;
		const bool is_twin = name.len && name.data[0] == '_';
		if (is_twin) name = bytes_slice(name, 1, name.len);
		if (is_reference && bytes_equal(member->name, BYTES_LITERAL("reference"))) {
			rewrite_reference(r, member);
			continue;
		}
		const struct fhir_member found = fhir_member_find(r->defs, type, name);
		if (!found.element) continue;
		if (is_twin) {
			const uint16_t element = fhir_definitions_type(r->defs, BYTES_LITERAL("Element"));
			if (json_is(member, JSON_OBJECT)) walk_object(r, element, member);
			json_foreach (item, member)
				if (json_is(member, JSON_ARRAY)) walk_object(r, element, item);
		} else {
			walk_value(r, found.type, member);
		}
	}
	r->bundles -= is_bundle;
}

bool fhir_transaction_rewrite(struct fhir_transaction *transaction, struct json_edit *edit, const struct json *resource,
    struct bytes full_url, const struct fhir_reference_resolver *resolver) {
	struct rewriting r = {.transaction = transaction,
	    .defs = transaction->defs,
	    .edit = edit,
	    .resolver = resolver,
	    .base = base_of(transaction->defs, full_url)};
	const uint16_t type = fhir_definitions_resource(r.defs, json_string(json_get(resource, "resourceType")));
	if (type != FHIR_NONE) walk_object(&r, type, resource);
	return !r.is_refused;
}
