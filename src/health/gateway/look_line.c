#include "health/gateway/look_line.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"

#define SALT_BYTES 16u

/* What somebody who knows the rest of a line would have to guess to recognise its hash. */
static void put_salt(struct json_writer *writer, const struct trail_seen *seen, const hash32 *folder) {
	uint8_t place[8 + 32], salt[SALT_BYTES];
	store_be64(place, seen->n);
	memcpy(place + 8, folder->b, 32);
	hkdf_sha256(
	    salt, sizeof salt, bytes_make(place, sizeof place), bytes_make(seen->key, 32), BYTES_LITERAL("line"));
	json_put_hex(writer, "salt", bytes_make(salt, sizeof salt));
}

/* "/fhir/Patient/1/_history?_count" to "/fhir/Patient?_count": it may be another patient's name. */
static void put_general(struct json_writer *writer, struct arena *arena, struct bytes what) {
	size_t slashes = 0, path = 0, end = 0;
	while (end < what.len && what.data[end] != '?') end++;
	while (path < end && slashes < 3)
		if (what.data[path++] == '/') slashes++;
	if (slashes == 3) path--;
	const struct bytes first = bytes_slice(what, 0, path), rest = bytes_slice(what, end, what.len);
	json_put_text(writer, "what",
	    arena_printf(arena, "%.*s%.*s", (int)first.len, (const char *)first.data, (int)rest.len,
		rest.len ? (const char *)rest.data : ""));
}

static void put_text(struct json_writer *writer, const struct json *entry, const char *name) {
	const struct json *value = json_get(entry, name);
	if (value) json_put_string(writer, name, json_string(value));
}

static struct bytes write_line(
    struct arena *arena, const struct trail_seen *seen, const struct json *entry, const hash32 *folder, bool is_named) {
	static const char *const texts[] = {"who", "person", "organisation", "purpose", "request", "method"};
	uint64_t at_ms = 0, status = 0;
	struct buf text;
	buf_init(&text, TRAIL_ENTRY_MAX);
	struct json_writer writer = json_writer(&text);
	(void)json_u64(&at_ms, json_get(entry, "at"));
	(void)json_u64(&status, json_get(entry, "status"));
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 3);
	json_put_u64(&writer, "at", at_ms);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put_text(&writer, entry, texts[i]);
	if (is_named) {
		put_text(&writer, entry, "what");
		put_text(&writer, entry, "made");
	} else {
		put_general(&writer, arena, json_string(json_get(entry, "what")));
	}
	json_put_u64(&writer, "status", status);
	put_salt(&writer, seen, folder);
	json_object_end(&writer);
	const struct bytes out = arena_dup(arena, buf_view(&text));
	buf_wipe(&text);
	return out;
}

void look_lines_of(struct look_lists_line **out, size_t *count, struct arena *arena, const struct trail_seen *seen) {
	const struct json *entry;
	uint64_t at_ms = 0;
	*count = 0;
	if (json_parse(&entry, arena, seen->entry, NULL, NULL) != STATUS_OK) return;
	const struct json *folders = json_get(entry, "folders");
	if (!json_is(folders, JSON_ARRAY) || !json_u64(&at_ms, json_get(entry, "at"))) return;
	const bool names = json_is(json_get(entry, "names"), JSON_TRUE);
	*out = arena_zalloc(arena, folders->count, sizeof **out);
	json_foreach (folder, folders) {
		struct look_lists_line *line = &(*out)[*count];
		if (hex_fixed(line->folder.b, 32, json_string(folder)) != STATUS_OK) continue;
		line->time_s = at_ms / 1000;
		line->text = write_line(arena, seen, entry, &line->folder, names && *count == 0);
		++*count;
	}
}
