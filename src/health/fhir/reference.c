#include "health/fhir/reference.h"

uint16_t fhir_reference_type(const struct fhir_definitions *defs, struct bytes text) {
	uint16_t found = FHIR_NONE;
	size_t from = 0;
	if (text.len && text.data[0] == '#') return FHIR_NONE;
	for (size_t at = 0; at < text.len; at++) {
		if (text.data[at] != '/' && text.data[at] != '?') continue;
		uint16_t type = fhir_definitions_resource(defs, bytes_slice(text, from, at - from));
		if (type != FHIR_NONE && at + 1 < text.len) found = type;
		if (text.data[at] == '?') break;
		from = at + 1;
	}
	return found;
}

static bool begins(struct bytes text, const char *prefix) {
	return bytes_equal(bytes_slice(text, 0, strlen(prefix)), bytes_text(prefix));
}

struct bytes fhir_reference_base(struct bytes full_url, struct bytes type, struct bytes id) {
	struct bytes none = {NULL, 0};
	size_t tail = type.len + 1 + id.len;
	if (!begins(full_url, "http://") && !begins(full_url, "https://")) return none;
	if (!id.len || full_url.len <= tail || full_url.data[full_url.len - tail - 1] != '/') return none;
	struct bytes end = bytes_slice(full_url, full_url.len - tail, tail);
	bool fits = bytes_equal(bytes_slice(end, 0, type.len), type) && end.data[type.len] == '/' &&
		    bytes_equal(bytes_slice(end, type.len + 1, id.len), id);
	return fits ? bytes_slice(full_url, 0, full_url.len - tail) : none;
}

const struct json *fhir_reference_contained(const struct json *resource, struct bytes id) {
	json_foreach (contained, json_get(resource, "contained"))
		if (bytes_equal(json_string(json_get(contained, "id")), id)) return contained;
	return NULL;
}
