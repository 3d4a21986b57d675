#include "health/epcis/namespaces.h"

static const char *const own_names[][2] = {{"gs1", "https://gs1.org/voc/"}, {"cbv", "https://ref.gs1.org/cbv/"},
    {"cbvmda", "urn:epcglobal:cbv:mda:"}, {"epcis", "https://ref.gs1.org/epcis/"},
    {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"}, {"xsd", "http://www.w3.org/2001/XMLSchema#"},
    {"owl", "http://www.w3.org/2002/07/owl#"}};

/* What stands later in a list of contexts wins. */
static struct bytes defined(const struct json *context, struct bytes prefix) {
	struct bytes found = {NULL, 0};
	if (json_is(context, JSON_ARRAY)) {
		json_foreach (item, context) {
			const struct bytes later = defined(item, prefix);
			if (later.data) found = later;
		}
	} else if (json_is(context, JSON_OBJECT)) {
		json_foreach (member, context)
			if (bytes_equal(member->name, prefix))
				found = json_is(member, JSON_OBJECT) ? json_string(json_get(member, "@id"))
								     : json_string(member);
	}
	return found;
}

static struct bytes known(struct bytes prefix) {
	for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++)
		if (bytes_equal(prefix, bytes_text(own_names[i][0]))) return bytes_text(own_names[i][1]);
	return (struct bytes){NULL, 0};
}

struct bytes epcis_namespace_of(const struct json *context, struct bytes *local) {
	const uint8_t *colon = local->len ? memchr(local->data, ':', local->len) : NULL;
	if (!colon) return (struct bytes){NULL, 0};
	const struct bytes prefix = bytes_slice(*local, 0, (size_t)(colon - local->data));
	struct bytes found = defined(context, prefix);
	if (!found.data) found = known(prefix);
	if (found.data) *local = bytes_slice(*local, prefix.len + 1, local->len);
	return found;
}
