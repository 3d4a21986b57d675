#include "health/fhir/foreign.h"

#include <stdio.h>

#include "codec/json_edit.h"
#include "crypto/hash.h"

#define DIGITS 32u
#define HISTORY "/_history/"

struct showing {
	struct arena *arena;
	const struct fhir_definitions *defs;
	const addr20 *author;
	struct json_edit edit;
};

bool fhir_foreign_is(struct bytes id) {
	const struct bytes prefix = BYTES_LITERAL(FHIR_FOREIGN_PREFIX);
	return bytes_equal(bytes_slice(id, 0, prefix.len), prefix);
}

struct bytes fhir_foreign_id(struct arena *arena, const addr20 *author, struct bytes type, struct bytes id) {
	static const char label[] = "xinglin/foreign/1";
	static const char digits[] = "0123456789abcdef";
	struct buf all;
	buf_init(&all, sizeof label + sizeof *author + type.len + id.len + 2);
	buf_append(&all, bytes_make(label, sizeof label));
	buf_append(&all, BYTES_OF(*author));
	buf_append(&all, type);
	buf_byte(&all, '/');
	buf_append(&all, id);
	const hash32 hash = sha256(buf_view(&all));
	buf_fini(&all);
	const size_t prefix = sizeof FHIR_FOREIGN_PREFIX - 1;
	uint8_t *out = arena_alloc(arena, prefix + DIGITS);
	memcpy(out, FHIR_FOREIGN_PREFIX, prefix);
	for (size_t i = 0; i < DIGITS; i++)
		out[prefix + i] = (uint8_t)digits[i % 2 ? hash.b[i / 2] & 15 : hash.b[i / 2] >> 4];
	return bytes_make(out, prefix + DIGITS);
}

/* --- references --- */

static bool is_id(struct bytes id) {
	for (size_t i = 0; i < id.len; i++) {
		const uint8_t c = id.data[i];
		const bool is_fine =
		    (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
		if (!is_fine) return false;
	}
	return id.len >= 1 && id.len <= 64;
}

/* "Patient/1" or "Patient/1/_history/2", taken apart. False: it is nothing like that. */
static bool take_apart(
    const struct fhir_definitions *defs, struct bytes text, struct bytes *type, struct bytes *id, struct bytes *rest) {
	const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	if (!slash) return false;
	*type = bytes_slice(text, 0, (size_t)(slash - text.data));
	const struct bytes behind = bytes_slice(text, type->len + 1, text.len);
	const uint8_t *end = behind.len ? memchr(behind.data, '/', behind.len) : NULL;
	*id = end ? bytes_slice(behind, 0, (size_t)(end - behind.data)) : behind;
	*rest = bytes_slice(behind, id->len, behind.len);
	const struct bytes history = BYTES_LITERAL(HISTORY);
	if (rest->len && !bytes_equal(bytes_slice(*rest, 0, history.len), history)) return false;
	return fhir_definitions_resource(defs, *type) != FHIR_NONE && is_id(*id);
}

static void put_reference(struct showing *s, const struct json *value) {
	struct bytes type, id, rest;
	if (!json_is(value, JSON_STRING) || !take_apart(s->defs, value->text, &type, &id, &rest)) return;
	const struct bytes to = fhir_foreign_id(s->arena, s->author, type, id);
	struct buf json;
	buf_init(&json, value->raw.len + 6 * (to.len + rest.len) + 16);
	struct json_writer writer = json_writer(&json);
	json_put_string(&writer, NULL,
	    bytes_text(arena_printf(s->arena, "%.*s/%.*s%.*s", (int)type.len, (const char *)type.data, (int)to.len,
		(const char *)to.data, (int)rest.len, rest.len ? (const char *)rest.data : "")));
	json_edit_replace(&s->edit, value, arena_dup(s->arena, buf_view(&json)));
	buf_fini(&json);
}

/* As deep as the parser lets a tree be. */
static void walk(struct showing *s, const struct json *value) {
	json_foreach (member, value) {
		const bool is_link =
		    json_is(value, JSON_OBJECT) && (bytes_equal(member->name, BYTES_LITERAL("reference")) ||
						       bytes_equal(member->name, BYTES_LITERAL("url")));
		if (is_link) put_reference(s, member);
		if (json_is(member, JSON_OBJECT) || json_is(member, JSON_ARRAY)) walk(s, member);
	}
}

/* --- meta --- */

static void put_tags(struct showing *s, const struct json *resource, struct bytes type, struct bytes id) {
	char author[2 * sizeof *s->author + 1];
	for (size_t i = 0; i < sizeof *s->author; i++) snprintf(author + 2 * i, 3, "%02x", s->author->b[i]);
	const char *tags = arena_printf(s->arena,
	    "{\"system\":\"" FHIR_FOREIGN_AUTHOR "\",\"code\":\"0x%s\"},"
	    "{\"system\":\"" FHIR_FOREIGN_NAME "\",\"code\":\"%.*s/%.*s\"}",
	    author, (int)type.len, (const char *)type.data, (int)id.len, (const char *)id.data);
	const struct json *meta = json_get(resource, "meta"), *tag = json_get(meta, "tag");
	const struct bytes list = bytes_text(arena_printf(s->arena, "[%s]", tags));
	if (json_is(tag, JSON_ARRAY))
		json_edit_insert(&s->edit, tag, tag->count, bytes_text(tags));
	else if (json_is(meta, JSON_OBJECT))
		json_edit_put(&s->edit, meta, BYTES_LITERAL("tag"), list);
	else
		json_edit_put(&s->edit, resource, BYTES_LITERAL("meta"),
		    bytes_text(arena_printf(s->arena, "{\"tag\":%.*s}", (int)list.len, (const char *)list.data)));
}

enum status fhir_foreign_write(struct bytes *out, struct arena *arena, const struct fhir_definitions *defs,
    const addr20 *author, struct bytes content, struct err *err) {
	const struct json *resource;
	struct showing s = {.arena = arena, .defs = defs, .author = author};
	TRY(json_parse(&resource, arena, content, NULL, err));
	const struct json *own = json_get(resource, "id");
	const struct bytes type = json_string(json_get(resource, "resourceType")), id = json_string(own);
	if (fhir_definitions_resource(defs, type) == FHIR_NONE || !is_id(id))
		return err_set(err, STATUS_INVALID, "it is no resource of FHIR R4 that has an id");
	json_edit_init(&s.edit, arena, resource);
	const struct bytes to = fhir_foreign_id(arena, author, type, id);
	json_edit_replace(
	    &s.edit, own, bytes_text(arena_printf(arena, "\"%.*s\"", (int)to.len, (const char *)to.data)));
	put_tags(&s, resource, type, id);
	walk(&s, resource);
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	enum status status = json_edit_write(&s.edit, &text, err);
	if (status == STATUS_OK) *out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return status;
}
