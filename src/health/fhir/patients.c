/*
 * Whose compartment each resource is in (compartmentdefinition-patient.html), found through the document's own names
 * (bundle.html#references): a reference resolves by fullUrl, by the base of the referring entry's fullUrl, or, where
 * the entry has no such base, by Type/id.
 */
#include "health/fhir/patients.h"

#include "health/fhir/reference.h"
#include "health/fhir/types.h"

struct division {
	struct fhir_document *document;
	struct arena *arena;
	const struct names *full_urls;
	struct names type_ids; /* "Patient/1" → resource */
	struct names named;    /* keys of patients that only references name → patient */
	const struct fhir_resource *current;
	size_t found; /* the current one's patient */
	struct bytes ambiguous;
};

static struct bytes join(struct arena *arena, struct bytes a, const char *between, struct bytes b) {
	return bytes_text(arena_printf(
	    arena, "%.*s%s%.*s", (int)a.len, (const char *)a.data, between, (int)b.len, (const char *)b.data));
}

static bool begins(struct bytes text, const char *prefix) {
	size_t len = strlen(prefix);
	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static bool contains(struct bytes text, const char *part) {
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* A reference without its version. */
static struct bytes unversioned(struct bytes reference) {
	const uint8_t *history = memmem(reference.data, reference.len, "/_history/", 10);
	return history ? bytes_slice(reference, 0, (size_t)(history - reference.data)) : reference;
}

static size_t resolve(struct division *d, struct bytes reference) {
	size_t found = names_find(d->full_urls, reference);
	if (found != NAMES_NONE || contains(reference, ":")) return found;
	struct bytes base = fhir_reference_base(d->current->full_url, d->current->type, d->current->id);
	if (base.len) return names_find(d->full_urls, join(d->arena, base, "", reference));
	return names_find(&d->type_ids, reference);
}

/* Does the text of a reference that the document does not resolve say that it names a Patient? */
static bool says_patient(const struct json *reference, struct bytes text) {
	if (json_string_is(json_get(reference, "type"), "Patient")) return true;
	if (begins(text, "Patient/") || begins(text, "Patient?")) return true;
	return (begins(text, "http://") || begins(text, "https://")) && contains(text, "/Patient/");
}

static size_t patient_named(struct division *d, struct bytes key) {
	size_t known = names_find(&d->named, key);
	if (known != NAMES_NONE) return known;
	size_t patient = d->document->patient_count++;
	d->document->patients[patient] = (struct fhir_patient){.resource = SIZE_MAX, .key = key};
	names_put(&d->named, key, patient);
	return patient;
}

static bool visit_reference(void *context, const struct json *reference) {
	struct division *d = context;
	struct bytes text = json_string(json_get(reference, "reference"));
	if (!text.len || text.data[0] == '#') return false; /* contained: no patient of the document */
	text = unversioned(text);
	size_t resource = resolve(d, text);
	if (resource == NAMES_SEVERAL) {
		d->ambiguous = text;
		return true;
	}
	if (resource != NAMES_NONE) {
		d->found = bytes_equal(d->document->resources[resource].type, BYTES_LITERAL("Patient"))
			       ? d->document->resources[resource].patient
			       : SIZE_MAX;
		return d->found != SIZE_MAX;
	}
	if (!says_patient(reference, text)) return false;
	d->found = patient_named(d, text);
	return true;
}

/* "José María Casares" of the first name that has parts. */
static struct bytes display_of(struct arena *arena, const struct json *patient) {
	const struct json *name = json_at(json_get(patient, "name"), 0);
	struct bytes whole = json_string(json_get(name, "text")), family = json_string(json_get(name, "family"));
	if (whole.len) return whole;
	struct bytes out = {NULL, 0};
	json_foreach (given, json_get(name, "given")) {
		struct bytes part = json_string(given);
		if (part.len) out = out.len ? join(arena, out, " ", part) : part;
	}
	if (!family.len) return out;
	return out.len ? join(arena, out, " ", family) : family;
}

/* Patients that the document holds come first, in its order. */
static void add_patients(struct division *d) {
	struct fhir_document *document = d->document;
	for (size_t i = 0; i < document->resource_count; i++) {
		struct fhir_resource *resource = &document->resources[i];
		struct bytes type_id = {NULL, 0};
		resource->patient = SIZE_MAX;
		if (resource->id.len) type_id = join(d->arena, resource->type, "/", resource->id);
		if (type_id.len) names_share(&d->type_ids, type_id, i);
		if (!bytes_equal(resource->type, BYTES_LITERAL("Patient"))) continue;
		resource->patient = document->patient_count++;
		document->patients[resource->patient] = (struct fhir_patient){.resource = i,
		    .key = resource->full_url.len ? resource->full_url : type_id,
		    .display = display_of(d->arena, resource->json)};
	}
}

static void report_ambiguous(struct fhir_issues *issues, const struct fhir_resource *resource, struct bytes reference) {
	const char *why = arena_printf(issues->arena, "the reference %.*s fits several resources of the document",
	    (int)reference.len, (const char *)reference.data);
	const char *type = arena_strdup(issues->arena, resource->type);
	fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_MULTIPLE_MATCHES, type, why);
}

void fhir_divide(struct fhir_document *document, struct fhir_issues *issues, const struct names *full_urls) {
	struct arena *arena = issues->arena;
	struct division d = {.document = document, .arena = arena, .full_urls = full_urls};
	size_t count = document->resource_count;
	document->patient_count = 0;
	document->patients = arena_zalloc(arena, count + 1, sizeof *document->patients); /* one a resource at most */
	names_init(&d.type_ids, arena, count);
	names_init(&d.named, arena, count);
	add_patients(&d);
	for (size_t i = 0; i < count; i++) {
		struct fhir_resource *resource = &document->resources[i];
		if (resource->patient != SIZE_MAX) continue;
		d.current = resource;
		d.found = SIZE_MAX;
		fhir_type_references(fhir_type_find(resource->type), resource->json, visit_reference, &d);
		if (d.ambiguous.len) report_ambiguous(issues, resource, d.ambiguous);
		d.ambiguous = (struct bytes){NULL, 0};
		resource->patient = d.found;
	}
	/* With one patient there is nobody else whom an unspoken subject could be. */
	for (size_t i = 0; document->patient_count == 1 && i < count; i++)
		if (!fhir_type_is_shared(document->resources[i].type)) document->resources[i].patient = 0;
}
