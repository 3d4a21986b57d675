#include "base/log.h"
#include "codec/hex.h"
#include "health/gateway/fhir_foreign_private.h"

#define FILE_NAME "fhir-open.json"
#define FILE_MAX ((size_t)1 << 22)
#define ROOMS_MAX 10000u

/* --- writing --- */

struct keeping {
	const struct fhir_foreign_room *rooms;
	size_t count;
};

static void put_hash(struct json_writer *w, const char *name, const hash32 *hash) {
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, BYTES_OF(*hash), true);
	json_put_string(w, name, buf_view(&text));
	buf_fini(&text);
}

static enum status put_rooms(void *context, struct buf *text, bool *changed, struct err *err) {
	const struct keeping *keeping = context;
	buf_clear(text);
	struct json_writer w = json_writer(text);
	json_object_begin(&w, NULL);
	json_array_begin(&w, "open");
	for (size_t i = 0; i < keeping->count; i++) {
		json_object_begin(&w, NULL);
		put_hash(&w, "folder", &keeping->rooms[i].folder);
		put_hash(&w, "record", &keeping->rooms[i].record);
		json_object_end(&w);
	}
	json_array_end(&w);
	json_object_end(&w);
	*changed = true;
	return buf_status(text, err);
}

void fhir_foreign_keep(struct fhir_foreign *foreign) {
	struct arena arena;
	struct fhir_foreign_room *rooms;
	struct heads *heads;
	struct err err = {0};
	arena_init(&arena);
	const size_t count = fhir_foreign_rooms(foreign, &arena, &rooms);
	struct keeping keeping = {rooms, count < ROOMS_MAX ? count : ROOMS_MAX};
	enum status status = actor_heads(foreign->options.actor, &heads, &err);
	if (status == STATUS_OK) {
		const struct head_store *store = heads_store(heads);
		status = store->update(store->context, FILE_NAME, put_rooms, &keeping, &err);
	}
	if (status != STATUS_OK) log_warn("gateway", "which folders are open is not written down: %s", err.message);
	arena_fini(&arena);
}

/* --- reading --- */

static bool read_room(struct fhir_foreign_room *out, const struct json *entry) {
	*out = (struct fhir_foreign_room){.is_ready = false};
	if (hex_fixed(out->folder.b, sizeof out->folder.b, json_string(json_get(entry, "folder"))) != STATUS_OK ||
	    hex_fixed(out->record.b, sizeof out->record.b, json_string(json_get(entry, "record"))) != STATUS_OK)
		return false;
	out->id = hash32_is_zero(&out->record) ? out->folder : out->record;
	return true;
}

/* What cannot be read is nothing: then a window has to be asked for again. */
static void read_rooms(struct arena *arena, struct fhir_foreign_room **out, size_t *count, struct bytes text) {
	const struct json *root;
	if (json_parse(&root, arena, arena_dup(arena, text), NULL, NULL) != STATUS_OK) return;
	const struct json *list = json_get(root, "open");
	if (!json_is(list, JSON_ARRAY) || list->count > ROOMS_MAX) return;
	*out = arena_zalloc(arena, list->count + 1, sizeof **out);
	json_foreach (entry, list)
		if (read_room(&(*out)[*count], entry)) ++*count;
}

enum status fhir_foreign_kept(
    struct heads *heads, struct arena *arena, struct fhir_foreign_room **out, size_t *count, struct err *err) {
	const struct head_store *store = heads_store(heads);
	struct buf text;
	buf_init(&text, FILE_MAX);
	*count = 0;
	*out = NULL;
	const enum status status = store->get(store->context, &text, FILE_NAME, err);
	if (status == STATUS_OK) read_rooms(arena, out, count, buf_view(&text));
	buf_fini(&text);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}
