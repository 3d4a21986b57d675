/* Taking definitions in, and finding them. */
#include "health/fhir/profiles.h"

#include "health/fhir/profile_tree.h"

#define BLOCK 512u
#define FILE_MAX ((size_t)64 << 20)

struct fhir_profiles *fhir_profiles_new(const struct fhir_definitions *defs) {
	struct fhir_profiles *profiles = mem_zalloc(1, sizeof *profiles);
	profiles->defs = defs;
	profiles->last = &profiles->first;
	arena_init(&profiles->arena);
	return profiles;
}

void fhir_profiles_free(struct fhir_profiles *profiles) {
	if (!profiles) return;
	arena_fini(&profiles->arena);
	mem_free(profiles);
}

/* --- one resource --- */

static enum status take_profile(struct fhir_profiles *profiles, const struct json *json, struct err *err) {
	const struct bytes url = json_string(json_get(json, "url")), type = json_string(json_get(json, "type"));
	if (!json_string_is(json_get(json, "derivation"), "constraint"))
		return STATUS_OK; /* a type, or a logical model */
	struct profile *profile = arena_zalloc(&profiles->arena, 1, sizeof *profile);
	*profile = (struct profile){.url = bytes_text(arena_strdup(&profiles->arena, url)),
	    .version = json_string(json_get(json, "version")),
	    .base = json_string(json_get(json, "baseDefinition")),
	    .type = fhir_definitions_type(profiles->defs, type)};
	if (!url.len || profile->type == FHIR_NONE)
		return err_set(err, STATUS_INVALID, "the profile \"%.*s\" is of \"%.*s\", which R4 does not have",
		    (int)(url.len < 200 ? url.len : 200), url.len ? (const char *)url.data : "",
		    (int)(type.len < 60 ? type.len : 60), type.len ? (const char *)type.data : "");
	TRY(profile_tree_make(profiles, profile, json, err));
	*profiles->last = profile;
	profiles->last = &profile->next;
	profiles->count++;
	return STATUS_OK;
}

static void take_codes(struct fhir_profiles *profiles, const struct json *json, bool is_system) {
	struct profile_codes *codes = arena_zalloc(&profiles->arena, 1, sizeof *codes);
	*codes = (struct profile_codes){json_string(json_get(json, "url")), json, is_system, profiles->codes};
	profiles->codes = codes;
	profiles->count++;
}

enum status fhir_profiles_take(struct fhir_profiles *profiles, struct bytes text, struct err *err) {
	const struct json *json;
	TRY(json_parse(&json, &profiles->arena, arena_dup(&profiles->arena, text), NULL, err));
	const struct json *type = json_get(json, "resourceType");
	if (profiles->count >= FHIR_PROFILES_MAX)
		return err_set(err, STATUS_LIMIT, "there are more than %u definitions", FHIR_PROFILES_MAX);
	if (json_string_is(type, "StructureDefinition")) return take_profile(profiles, json, err);
	if (json_string_is(type, "ValueSet") || json_string_is(type, "CodeSystem"))
		take_codes(profiles, json, json_string_is(type, "CodeSystem"));
	return STATUS_OK;
}

/* --- a package (POSIX.1-1988 ustar) --- */

static bool read_octal(uint64_t *out, struct bytes field) {
	*out = 0;
	size_t i = 0;
	while (i < field.len && field.data[i] == ' ') i++;
	if (i == field.len || field.data[i] < '0' || field.data[i] > '7') return false;
	for (; i < field.len && field.data[i] >= '0' && field.data[i] <= '7'; i++)
		*out = *out * 8 + (field.data[i] - '0');
	return i == field.len || field.data[i] == 0 || field.data[i] == ' ';
}

static bool is_definition(struct bytes name) {
	static const char *const kinds[] = {"package/StructureDefinition-", "package/ValueSet-", "package/CodeSystem-"};
	const struct bytes end = BYTES_LITERAL(".json");
	if (name.len < end.len || !bytes_equal(bytes_slice(name, name.len - end.len, name.len), end)) return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (bytes_equal(bytes_slice(name, 0, strlen(kinds[i])), bytes_text(kinds[i]))) return true;
	return false;
}

static struct bytes text_field(struct bytes field) {
	const uint8_t *end = memchr(field.data, 0, field.len);
	return bytes_slice(field, 0, end ? (size_t)(end - field.data) : field.len);
}

static enum status take_file(struct fhir_profiles *profiles, struct bytes name, struct bytes content, struct err *err) {
	const enum status status = fhir_profiles_take(profiles, content, err);
	return status == STATUS_OK
		   ? STATUS_OK
		   : err_prefix(err, status, "%.*s", (int)(name.len < 120 ? name.len : 120), (const char *)name.data);
}

enum status fhir_profiles_take_package(struct fhir_profiles *profiles, struct bytes tar, struct err *err) {
	size_t found = 0;
	while (tar.len >= BLOCK && tar.data[0]) {
		uint64_t size;
		const struct bytes name = text_field(bytes_slice(tar, 0, 100));
		const uint8_t kind = tar.data[156];
		if (memcmp(tar.data + 257, "ustar", 5) != 0 || !read_octal(&size, bytes_slice(tar, 124, 12)) ||
		    size > FILE_MAX || size > tar.len - BLOCK)
			return err_set(err, STATUS_INVALID, "the package is no tar archive, or is cut short");
		if ((kind == '0' || kind == 0) && is_definition(name)) {
			TRY(take_file(profiles, name, bytes_slice(tar, BLOCK, size), err));
			found++;
		}
		const size_t padded = (size_t)((size + BLOCK - 1) / BLOCK * BLOCK);
		tar = bytes_slice(tar, BLOCK + padded, tar.len);
	}
	return found
		   ? STATUS_OK
		   : err_set(err, STATUS_INVALID, "the package has no definition (package/StructureDefinition-….json)");
}

/* --- finding --- */

const struct profile *profiles_find(const struct fhir_profiles *profiles, struct bytes url) {
	const uint8_t *bar = url.len ? memchr(url.data, '|', url.len) : NULL;
	const size_t len = bar ? (size_t)(bar - url.data) : url.len;
	const struct bytes version = bytes_slice(url, len + 1, url.len);
	for (const struct profile *at = profiles->first; at; at = at->next)
		if (bytes_equal(at->url, bytes_slice(url, 0, len)) &&
		    (!version.len || bytes_equal(version, at->version)))
			return at;
	return NULL;
}

static const struct profile *resource_at(const struct fhir_profiles *profiles, size_t index) {
	for (const struct profile *at = profiles->first; at; at = at->next)
		if (profiles->defs->types[at->type].kind == FHIR_KIND_RESOURCE && index-- == 0) return at;
	return NULL;
}

size_t fhir_profiles_count(const struct fhir_profiles *profiles) {
	size_t count = 0;
	for (const struct profile *at = profiles->first; at; at = at->next)
		count += profiles->defs->types[at->type].kind == FHIR_KIND_RESOURCE;
	return count;
}

const char *fhir_profiles_url(const struct fhir_profiles *profiles, size_t index) {
	return (const char *)resource_at(profiles, index)->url.data;
}

uint16_t fhir_profiles_type(const struct fhir_profiles *profiles, size_t index) {
	return resource_at(profiles, index)->type;
}

bool fhir_profiles_has(const struct fhir_profiles *profiles, struct bytes url) {
	return profiles_find(profiles, url) != NULL;
}
