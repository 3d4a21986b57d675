/* What a controller keeps of its folders: HOME/folders/<id>.json, without any key. */
#include "health/records/own_folder.h"

#include <stdio.h>

#include "codec/hex.h"
#include "health/contracts/cause.h"
#include "health/contracts/folders.h"

#define FILE_MAX ((size_t)1 << 16)

const char *own_folder_path(struct actor_request *request, const hash32 *id, const char *ending) {
	struct buf path;
	buf_init(&path, 128);
	buf_text(&path, "folders/");
	hex_put(&path, BYTES_OF(*id), true);
	buf_text(&path, ending);
	const char *text = arena_strdup(request->arena, buf_view(&path));
	buf_fini(&path);
	return text;
}

static enum status read_own(struct own_folder *out, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *root;
	uint64_t version, index;
	TRY(json_parse(&root, arena, text, NULL, err));
	struct bytes label = json_string(json_get(root, "label"));
	bool fits = json_u64(&version, json_get(root, "v")) && version == 1 &&
		    hex_fixed(out->id.b, 32, json_string(json_get(root, "id"))) == STATUS_OK &&
		    hex_fixed(out->salt.b, 32, json_string(json_get(root, "salt"))) == STATUS_OK &&
		    json_u64(&index, json_get(root, "index")) && index < UINT32_C(0x80000000) && label.data &&
		    label.len < sizeof out->label && json_u64(&out->number, json_get(root, "number"));
	if (!fits) return err_set(err, STATUS_CORRUPT, "it is no folder's description");
	out->controller_index = (uint32_t)index;
	memset(out->label, 0, sizeof out->label);
	memcpy(out->label, label.data, label.len);
	return STATUS_OK;
}

static enum status load_file(struct actor_request *request, struct own_folder *out, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = home_read(request->home, &text, path, err);
	if (status == STATUS_OK) {
		status = read_own(out, request->arena, arena_dup(request->arena, buf_view(&text)), err);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s/%s", request->home->directory, path);
	}
	buf_fini(&text);
	return status;
}

enum status own_folder_load(struct actor_request *request, struct own_folder *out, const hash32 *id, struct err *err) {
	enum status status = load_file(request, out, own_folder_path(request, id, ".json"), err);
	if (status == STATUS_NOTFOUND)
		return err_because(
		    err, CAUSE_NOT_CONTROLLER, err_set(err, status, "this home is not the folder's controller"));
	if (status == STATUS_OK && !hash32_equal(&out->id, id))
		return err_set(err, STATUS_CORRUPT, "the file of this folder names another");
	return status;
}

enum status own_folders(struct actor_request *request, struct own_folder **out, size_t *count, struct err *err) {
	char **names;
	size_t names_count;
	*count = 0;
	TRY(home_list(request->home, &names, &names_count, request->arena, "folders", err));
	*out = arena_zalloc(request->arena, names_count, sizeof **out);
	for (size_t i = 0; i < names_count; i++) {
		size_t len = strlen(names[i]);
		if (len < 5 || strcmp(names[i] + len - 5, ".json") != 0) continue;
		const char *path = arena_printf(request->arena, "folders/%s", names[i]);
		TRY(load_file(request, &(*out)[(*count)++], path, err));
	}
	return STATUS_OK;
}

/* --- indexes of controller keys: each is given once --- */

/* {"v":2,"folders":N}: the next index, beyond those of all folders that are here. In version 1 a folder that was
 * recovered may be beyond it. */
#define COUNTS_FILE "counts.json"
#define COUNTS_VERSION 2u
#define UNUSED_ENOUGH 64u /* indexes in a row that the chain shows no folder of */
#define RESTORED_GAP 16u  /* for openings that were signed after the backup and are on no chain yet */
#define INDEX_MAX UINT32_C(0x7fffffff)

/* *covers: it is beyond all folders that are here. */
static enum status read_count(struct actor_request *request, uint32_t *next, bool *covers, struct err *err) {
	struct buf text;
	const struct json *root;
	uint64_t folders, version;
	*next = 0;
	*covers = false;
	buf_init(&text, FILE_MAX);
	enum status status = home_read(request->home, &text, COUNTS_FILE, err);
	if (status == STATUS_OK)
		status = json_parse(&root, request->arena, arena_dup(request->arena, buf_view(&text)), NULL, err);
	buf_fini(&text);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	if (status == STATUS_OK &&
	    (!json_u64(&version, json_get(root, "v")) || version < 1 || version > COUNTS_VERSION ||
		!json_u64(&folders, json_get(root, "folders")) || folders > INDEX_MAX))
		status = err_set(err, STATUS_CORRUPT, "%s/%s makes no sense", request->home->directory, COUNTS_FILE);
	if (status == STATUS_OK) *next = (uint32_t)folders;
	*covers = status == STATUS_OK && version == COUNTS_VERSION;
	return status;
}

static enum status write_count(struct actor_request *request, uint32_t next, struct err *err) {
	const char *text = arena_printf(request->arena, "{\"v\":%u,\"folders\":%u}\n", COUNTS_VERSION, next);
	return home_put(request->home, COUNTS_FILE, bytes_text(text), err);
}

/* Did the controller of this index ever open a folder, or take one over? Its list is proved. */
static enum status is_on_chain(struct actor_request *request, bool *found, uint32_t index, struct err *err) {
	hash32 secret, word;
	addr20 controller;
	struct verified *verified;
	TRY(home_controller(request->home, &secret, &controller, index, err));
	mem_wipe(&secret, sizeof secret);
	const struct verified_want want = {&request->home->deployment.folders, folders_opened_slot(&controller)};
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_words(verified, &word, &want, 1, err));
	*found = list_load(&word).count > 0;
	return STATUS_OK;
}

/* The home came from a backup: the chain knows of folders that it does not. */
static enum status ask_chain(struct actor_request *request, uint32_t *next, struct err *err) {
	uint32_t last = *next;
	for (uint32_t index = *next; index < last + UNUSED_ENOUGH; index++) {
		bool found;
		TRY(is_on_chain(request, &found, index, err));
		if (found) last = index + 1;
	}
	*next = last + RESTORED_GAP;
	return STATUS_OK;
}

/* Beyond the indexes of all folders that are here. */
static enum status pass_own_folders(struct actor_request *request, uint32_t *next, struct err *err) {
	struct own_folder *folders;
	size_t count;
	TRY(own_folders(request, &folders, &count, err));
	for (size_t i = 0; i < count; i++)
		if (folders[i].controller_index >= *next) *next = folders[i].controller_index + 1;
	return STATUS_OK;
}

/* The count is written before the folder that has the index. So folders are read only if the count is not there, or
 * came from a backup: a hospital opens one for each patient. */
static enum status take_index(struct actor_request *request, uint32_t *index, struct err *err) {
	const bool is_restored = home_is_restored(request->home);
	bool covers;
	TRY(read_count(request, index, &covers, err));
	if (!covers || is_restored) TRY(pass_own_folders(request, index, err));
	if (is_restored) TRY(ask_chain(request, index, err));
	if (*index >= INDEX_MAX) return err_set(err, STATUS_LIMIT, "this wallet has given out all its folder keys");
	TRY(write_count(request, *index + 1, err));
	return is_restored ? home_restored_done(request->home, err) : STATUS_OK;
}

enum status own_folder_take_index(struct actor_request *request, uint32_t *index, struct err *err) {
	int lock;
	TRY(home_change_begin(request->home, &lock, err));
	enum status status = take_index(request, index, err);
	home_change_end(lock);
	return status;
}

static enum status pass_index(struct actor_request *request, uint32_t index, struct err *err) {
	uint32_t next;
	bool covers;
	TRY(read_count(request, &next, &covers, err));
	if (!covers || next > index)
		return STATUS_OK; /* if it does not cover, the folders are read before it is used */
	return write_count(request, index + 1, err);
}

enum status own_folder_pass_index(struct actor_request *request, uint32_t index, struct err *err) {
	int lock;
	TRY(home_change_begin(request->home, &lock, err));
	enum status status = pass_index(request, index, err);
	home_change_end(lock);
	return status;
}

static enum status describe(struct buf *text, const struct own_folder *folder, struct err *err) {
	struct json_writer writer = json_writer(text);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_hex(&writer, "id", BYTES_OF(folder->id));
	json_put_u64(&writer, "index", folder->controller_index);
	json_put_hex(&writer, "salt", BYTES_OF(folder->salt));
	json_put_text(&writer, "label", folder->label);
	json_put_u64(&writer, "number", folder->number);
	json_object_end(&writer);
	return buf_status(text, err);
}

enum status own_folder_store(struct actor_request *request, const struct own_folder *folder, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = describe(&text, folder, err);
	if (status == STATUS_OK)
		status =
		    home_write(request->home, own_folder_path(request, &folder->id, ".json"), buf_view(&text), err);
	buf_fini(&text);
	return status;
}

static enum status take_number(
    struct actor_request *request, uint64_t *number, const hash32 *id, uint64_t on_chain, struct err *err) {
	struct own_folder own;
	struct buf text;
	TRY(own_folder_load(request, &own, id, err));
	own.number = *number = (own.number > on_chain ? own.number : on_chain) + 1;
	buf_init(&text, FILE_MAX);
	enum status status = describe(&text, &own, err);
	if (status == STATUS_OK)
		status = home_put(request->home, own_folder_path(request, id, ".json"), buf_view(&text), err);
	buf_fini(&text);
	return status;
}

enum status own_folder_take_number(
    struct actor_request *request, uint64_t *number, const hash32 *id, uint64_t on_chain, struct err *err) {
	int lock;
	TRY(home_change_begin(request->home, &lock, err));
	enum status status = take_number(request, number, id, on_chain, err);
	home_change_end(lock);
	return status;
}
