#include "health/gateway/fhir_looks.h"

#include <stdlib.h>

void fhir_looks_see(struct fhir_call *call, const hash32 *folder) {
	if (call->seen_count && hash32_equal(&call->seen[call->seen_count - 1], folder)) return;
	if (call->seen_count == call->seen_capacity) {
		call->seen_capacity = call->seen_capacity ? 2 * call->seen_capacity : 8;
		hash32 *larger = arena_zalloc(&call->arena, call->seen_capacity, sizeof *larger);
		if (call->seen_count) memcpy(larger, call->seen, call->seen_count * sizeof *larger);
		call->seen = larger;
	}
	call->seen[call->seen_count++] = *folder;
}

void fhir_looks_see_page(struct fhir_call *call, const struct resource_page *page) {
	for (size_t i = 0; i < page->count; i++) fhir_looks_see(call, &page->hits[i].version.folder);
}

/* --- what was asked for --- */

/* The folder of this organisation in which a resource stands, whoever asks for it. */
static bool find_folder(struct fhir_call *call, hash32 *out, uint16_t type, struct bytes id) {
	const struct resource_scope_rule any = {.type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN};
	const struct resource_scope scope = {.rules = &any, .count = 1};
	const struct resource_key key = {type, id};
	struct resource_version found;
	if (!id.len || resources_get(call->server->resources, &found, &call->arena, &scope, &key, 0, NULL) != STATUS_OK)
		return false;
	*out = found.folder;
	return true;
}

/* "Patient/1", "https://…/Patient/1" and "1" name the same patient. */
static struct bytes last_segment(struct bytes reference) {
	for (size_t i = reference.len; i > 0; i--)
		if (reference.data[i - 1] == '/') return bytes_slice(reference, i, reference.len);
	return reference;
}

static bool find_patient(struct fhir_call *call, hash32 *out) {
	static const char *const names[] = {"patient", "subject", "_id"};
	const uint16_t patient = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Patient"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct bytes value = fhir_call_parameter(call, names[i]);
		const uint16_t type = i < 2 ? patient : call->target.type;
		if (value.len && type != FHIR_NONE && find_folder(call, out, type, last_segment(value))) return true;
	}
	return false;
}

/* --- together --- */

static int compare(const void *a, const void *b) {
	return memcmp(a, b, sizeof(hash32));
}

static size_t unite(hash32 *folders, size_t count) {
	size_t kept = 0;
	if (count) qsort(folders, count, sizeof *folders, compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || !hash32_equal(&folders[kept - 1], &folders[i])) folders[kept++] = folders[i];
	return kept;
}

static void put_first(struct fhir_looks *looks, struct arena *arena, const hash32 *folder) {
	hash32 *folders = arena_zalloc(arena, looks->count + 1, sizeof *folders);
	size_t count = 0;
	folders[count++] = *folder;
	for (size_t i = 0; i < looks->count; i++)
		if (!hash32_equal(&looks->folders[i], folder)) folders[count++] = looks->folders[i];
	*looks = (struct fhir_looks){folders, count, true};
}

/* Is what the path names perhaps elsewhere than what is shown? */
static bool names_another(const struct fhir_target *target) {
	return target->id.len && (target->kind == FHIR_TARGET_COMPARTMENT || target->kind == FHIR_TARGET_SEARCH ||
				     target->kind == FHIR_TARGET_OPERATION);
}

struct fhir_looks fhir_looks_of(struct fhir_call *call) {
	struct fhir_looks looks = {call->seen, unite(call->seen, call->seen_count), false};
	hash32 named;
	looks.names_first = looks.count == 1 && !names_another(&call->target);
	if ((looks.count == 0 || names_another(&call->target)) &&
	    (find_folder(call, &named, call->target.type, call->target.id) ||
		(looks.count == 0 && find_patient(call, &named))))
		put_first(&looks, &call->arena, &named);
	return looks;
}

void fhir_looks_note(struct fhir_call *call) {
	const struct fhir_looks looks = fhir_looks_of(call);
	gateway_note_looks(call->server->gateway, call->exchange, &call->asker, &looks);
	call->exchange->is_noted = true;
	call->seen_count = 0;
}
