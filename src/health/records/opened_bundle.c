/* An opened record as a FHIR collection Bundle. */
#include "codec/json.h"
#include "health/records/record.h"

/* "urn:uuid:…" if an id is a UUID, so that references between the record's resources resolve. */
static bool is_uuid(struct bytes id) {
	if (id.len != 36) return false;
	for (size_t i = 0; i < id.len; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		uint8_t c = id.data[i];
		if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
	}
	return true;
}

void record_write_bundle(struct buf *out, const struct record_opened *record) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "resourceType", "Bundle");
	json_put_text(&writer, "type", "collection");
	json_array_begin(&writer, "entry");
	for (size_t i = 0; i < record->lead.count; i++) {
		struct bytes id = record->lead.resources[i].id;
		json_object_begin(&writer, NULL);
		if (is_uuid(id)) {
			json_put_name(&writer, "fullUrl");
			buf_printf(out, "\"urn:uuid:%.*s\"", (int)id.len, (const char *)id.data);
		}
		json_put_raw(&writer, "resource", record->resources[i]);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
}
