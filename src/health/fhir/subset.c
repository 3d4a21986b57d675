#include "health/fhir/subset.h"

#include "base/mem.h"

bool fhir_subset_read_summary(struct fhir_subset *out, struct bytes text) {
	static const struct {
		const char *name;
		enum fhir_subset_kind kind;
	} kinds[] = {{"false", FHIR_SUBSET_ALL}, {"true", FHIR_SUBSET_SUMMARY}, {"text", FHIR_SUBSET_TEXT},
	    {"data", FHIR_SUBSET_DATA}, {"count", FHIR_SUBSET_COUNT}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!bytes_equal(text, bytes_text(kinds[i].name))) continue;
		out->kind = kinds[i].kind;
		return true;
	}
	return false;
}

bool fhir_subset_read_elements(struct fhir_subset *out, struct bytes text) {
	while (text.len) {
		const uint8_t *comma = memchr(text.data, ',', text.len);
		const size_t len = comma ? (size_t)(comma - text.data) : text.len;
		if (len && out->element_count == FHIR_SUBSET_ELEMENTS_MAX) return false;
		if (len) out->elements[out->element_count++] = bytes_slice(text, 0, len);
		text = bytes_slice(text, len + 1, text.len);
	}
	return true;
}

bool fhir_subset_is_whole(const struct fhir_subset *subset) {
	const bool shows_all = subset->kind == FHIR_SUBSET_ALL || subset->kind == FHIR_SUBSET_COUNT;
	return shows_all && subset->element_count == 0;
}

struct writing {
	const struct fhir_definitions *defs;
	const struct fhir_subset *subset;
	struct json_writer writer;
	struct bytes type; /* the resource's, as it says */
};

static struct bytes without_mark(struct bytes name) {
	return name.len && name.data[0] == '_' ? bytes_slice(name, 1, name.len) : name;
}

static bool is_named(const struct writing *w, struct bytes name, const struct fhir_element_def *element) {
	const struct bytes own = bytes_text(fhir_text(w->defs, element->name));
	for (size_t i = 0; i < w->subset->element_count; i++) {
		struct bytes wanted = w->subset->elements[i];
		const uint8_t *dot = memchr(wanted.data, '.', wanted.len);
		if (dot) {
			const size_t len = (size_t)(dot - wanted.data);
			const bool is_of_type = bytes_equal(bytes_slice(wanted, 0, len), w->type);
			if (is_of_type) wanted = bytes_slice(wanted, len + 1, wanted.len);
			dot = wanted.len ? memchr(wanted.data, '.', wanted.len) : NULL;
			if (dot) wanted.len = (size_t)(dot - wanted.data); /* what lies deeper comes with its element */
		}
		if (bytes_equal(wanted, own) || bytes_equal(wanted, name)) return true;
	}
	return false;
}

/* Of the resource's own members. */
static bool is_kept(const struct writing *w, struct bytes name, const struct fhir_element_def *element) {
	if (bytes_equal(name, BYTES_LITERAL("id"))) return true;
	if (element->min > 0 || (element->flags & FHIR_IS_MODIFIER)) return true;
	const bool is_text = bytes_equal(name, BYTES_LITERAL("text"));
	if (w->subset->element_count) return is_named(w, name, element);
	switch (w->subset->kind) {
	case FHIR_SUBSET_SUMMARY: return element->flags & FHIR_IN_SUMMARY;
	case FHIR_SUBSET_TEXT: return is_text;
	case FHIR_SUBSET_DATA: return !is_text;
	case FHIR_SUBSET_ALL:
	case FHIR_SUBSET_COUNT: return true;
	}
	return true;
}

/* The meta with the tag that says that something is missing. */
static void write_meta(struct writing *w, const struct json *meta) {
	const char *tag =
	    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\",\"code\":\"SUBSETTED\"}";
	json_object_begin(&w->writer, "meta");
	json_foreach (member, meta) {
		char name[64];
		if (member->name.len >= sizeof name || bytes_equal(member->name, BYTES_LITERAL("tag"))) continue;
		memcpy(name, member->name.data, member->name.len);
		name[member->name.len] = 0;
		json_put_raw(&w->writer, name, member->raw);
	}
	json_array_begin(&w->writer, "tag");
	json_foreach (old, json_get(meta, "tag")) json_put_raw(&w->writer, NULL, old->raw);
	json_put_raw(&w->writer, NULL, bytes_text(tag));
	json_array_end(&w->writer);
	json_object_end(&w->writer);
}

static void write_nested(struct writing *w, uint16_t type, const char *name, const struct json *value);

/* In a summary, what is nested in the resource is held to its own marks; a datatype comes whole. */
static void write_members(struct writing *w, uint16_t type, const struct json *object) {
	json_foreach (member, object) {
		char name[128];
		const struct bytes plain = without_mark(member->name);
		const struct fhir_member found = fhir_member_find(w->defs, type, plain);
		if (!found.element || member->name.len >= sizeof name) continue;
		if (!(found.element->flags & FHIR_IN_SUMMARY) && found.element->min == 0) continue;
		memcpy(name, member->name.data, member->name.len);
		name[member->name.len] = 0;
		write_nested(w, found.type, name, member);
	}
}

static void write_nested(struct writing *w, uint16_t type, const char *name, const struct json *value) {
	const bool is_nested = w->defs->types[type].kind == FHIR_KIND_NESTED;
	if (!is_nested || w->subset->kind != FHIR_SUBSET_SUMMARY || w->subset->element_count) {
		json_put_raw(&w->writer, name, value->raw);
	} else if (json_is(value, JSON_ARRAY)) {
		json_array_begin(&w->writer, name);
		json_foreach (item, value) write_nested(w, type, NULL, item);
		json_array_end(&w->writer);
	} else {
		json_object_begin(&w->writer, name);
		write_members(w, type, value);
		json_object_end(&w->writer);
	}
}

static void write_own(struct writing *w, uint16_t type, const struct json *resource) {
	json_foreach (member, resource) {
		char name[128];
		const struct bytes plain = without_mark(member->name);
		const struct fhir_member found = fhir_member_find(w->defs, type, plain);
		if (!found.element || member->name.len >= sizeof name) continue;
		if (bytes_equal(plain, BYTES_LITERAL("meta")) || !is_kept(w, plain, found.element)) continue;
		memcpy(name, member->name.data, member->name.len);
		name[member->name.len] = 0;
		write_nested(w, found.type, name, member);
	}
}

void fhir_subset_write(struct buf *out, const struct fhir_definitions *defs, const struct fhir_subset *subset,
    const struct json *resource) {
	const struct bytes name = json_string(json_get(resource, "resourceType"));
	const uint16_t type = fhir_definitions_resource(defs, name);
	struct writing w = {.defs = defs, .subset = subset, .writer = json_writer(out), .type = name};
	if (type == FHIR_NONE || fhir_subset_is_whole(subset)) {
		buf_append(out, resource->raw);
		return;
	}
	json_object_begin(&w.writer, NULL);
	json_put_string(&w.writer, "resourceType", name);
	write_meta(&w, json_get(resource, "meta"));
	write_own(&w, type, resource);
	json_object_end(&w.writer);
}
