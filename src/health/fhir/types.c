#include "health/fhir/types.h"

#include "health/fhir/bundle.h"
#include "health/fhir/types_table.h"

#define TYPE_ROW(name, shared, paths) {name, shared, paths},
static const struct fhir_type types[] = {FHIR_TYPES(TYPE_ROW)};
#undef TYPE_ROW

const struct fhir_type *fhir_type_find(struct bytes name) {
	size_t low = 0, high = sizeof types / sizeof *types;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, bytes_text(types[middle].name));
		if (order == 0) return &types[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool fhir_type_is_known(struct bytes type) {
	return fhir_type_find(type) != NULL;
}

bool fhir_type_is_shared(struct bytes type) {
	const struct fhir_type *found = fhir_type_find(type);
	return found && found->is_shared;
}

/* Follows one path; an element that repeats is followed through each of its values. */
static bool follow(const struct json *value, struct bytes path, fhir_reference_visit *visit, void *context) {
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) {
			if (follow(item, path, visit, context)) return true;
		}
		return false;
	}
	if (!path.len) return value && visit(context, value);
	char name[32];
	size_t len = 0;
	while (len < path.len && path.data[len] != '.') len++;
	BUG_ON(len >= sizeof name);
	memcpy(name, path.data, len);
	name[len] = 0;
	return follow(json_get(value, name), bytes_slice(path, len + 1, path.len), visit, context);
}

bool fhir_type_references(
    const struct fhir_type *type, const struct json *resource, fhir_reference_visit *visit, void *context) {
	struct bytes rest = bytes_text(type->paths);
	while (rest.len) {
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ' ') len++;
		if (follow(resource, bytes_slice(rest, 0, len), visit, context)) return true;
		rest = bytes_slice(rest, len + 1, rest.len);
	}
	return false;
}
