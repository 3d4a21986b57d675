/* An opened record as a FHIR collection Bundle. */
#include "codec/json.h"
#include "health/records/record.h"

#define TEXT_MAX ((size_t)1024) /* between two resources */

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

/* What was written since the last piece. */
static void put_piece(struct record_pieces *out, struct arena *arena, struct buf *text) {
	out->list[out->count++] = arena_dup(arena, buf_view(text));
	out->len += text->len;
	buf_clear(text);
}

void record_bundle_pieces(struct record_pieces *out, struct arena *arena, const struct record_opened *record) {
	struct buf text;
	struct json_writer writer = json_writer(&text);
	buf_init(&text, TEXT_MAX);
	*out = (struct record_pieces){.list = arena_zalloc(arena, 2 * record->lead.count + 1, sizeof *out->list)};
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "resourceType", "Bundle");
	json_put_text(&writer, "type", "collection");
	json_array_begin(&writer, "entry");
	for (size_t i = 0; i < record->lead.count; i++) {
		struct bytes id = record->lead.resources[i].id;
		json_object_begin(&writer, NULL);
		if (is_uuid(id)) {
			json_put_name(&writer, "fullUrl");
			buf_printf(&text, "\"urn:uuid:%.*s\"", (int)id.len, (const char *)id.data);
		}
		json_put_name(&writer, "resource");
		put_piece(out, arena, &text);
		out->list[out->count++] = record->resources[i];
		out->len += record->resources[i].len;
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	BUG_ON(text.overflow);
	put_piece(out, arena, &text);
	buf_fini(&text);
}

void record_write_bundle(struct buf *out, const struct record_opened *record) {
	struct arena arena;
	struct record_pieces pieces;
	arena_init(&arena);
	record_bundle_pieces(&pieces, &arena, record);
	for (size_t i = 0; i < pieces.count; i++) buf_append(out, pieces.list[i]);
	arena_fini(&arena);
}
