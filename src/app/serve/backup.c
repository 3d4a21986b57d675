#include "app/serve/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/serve/chain_data.h"
#include "app/serve/folders.h"
#include "app/serve/freeze.h"
#include "app/serve/outer_folder.h"
#include "app/serve/signing_guard.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "health/actors/backup_stream.h"

#define NAME_MAX_BYTES 512u
#define LIST_BYTES_MAX ((size_t)256 << 20)
#define KEY_BYTES_MAX ((size_t)64 << 10)
#define CONF_BYTES_MAX ((size_t)1 << 20)
#define FORMAT 2u
#define FORMAT_WITHOUT_SHARES 1u
#define NUMBERED_SHARE_BYTES (8u + VSS_SHARE_BYTES)

static const char *const key_names[] = {
    "node.key", "comet/config/priv_validator_key.json", "comet/config/node_key.json"};
#define KEY_COUNT (sizeof key_names / sizeof *key_names)

/* --- files --- */

static enum status hash_file(hash32 *out, uint64_t *size, const char *path, struct err *err) {
	struct stat info;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0) {
		if (fd >= 0) close(fd);
		return err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
	}
	*size = (uint64_t)info.st_size;
	*out = sha256((struct bytes){NULL, 0});
	void *map = *size ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (map != MAP_FAILED && *size) *out = sha256(bytes_make(map, *size));
	if (map != MAP_FAILED && *size) munmap(map, *size);
	const bool is_synced = map != MAP_FAILED && fsync(fd) == 0;
	close(fd);
	return is_synced ? STATUS_OK : err_set(err, STATUS_IO, "cannot read %s whole: %s", path, strerror(errno));
}

/* Letters, digits and a few signs, "a/b", without "..": below one folder, and of one spelling. */
static bool is_name(struct bytes name) {
	if (!name.len || name.len > NAME_MAX_BYTES || name.data[0] == '/' || name.data[name.len - 1] == '/')
		return false;
	if (memmem(name.data, name.len, "..", 2) || memmem(name.data, name.len, "//", 2)) return false;
	for (size_t i = 0; i < name.len; i++) {
		const uint8_t c = name.data[i];
		const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_letter && !strchr("._-/", c)) return false;
	}
	return true;
}

static enum status sync_folder(void *context, const char *from, const char *to, struct err *err) {
	(void)context, (void)from;
	return files_sync_parent(to, err);
}

/* --- making --- */

struct making {
	struct node_backup_report *report;
	struct json_writer *list;
	size_t root_len; /* of the path of the backup's data/ */
};

static enum status take_file(void *context, const char *from, const char *to, struct err *err) {
	struct making *making = context;
	uint64_t size;
	hash32 hash;
	const char *name = to + making->root_len + 1;
	if (!is_name(bytes_text(name))) return err_set(err, STATUS_INVALID, "a backup has no file named %s", name);
	TRY(folders_copy_file(to, from, err));
	TRY(hash_file(&hash, &size, to, err));
	json_object_begin(making->list, NULL);
	json_put_text(making->list, "name", name);
	json_put_u64(making->list, "bytes", size);
	json_put_hex(making->list, "sha256", BYTES_OF(hash));
	json_object_end(making->list);
	making->report->files++;
	making->report->bytes += size;
	return STATUS_OK;
}

static enum status seal_key(struct backup_stream *stream, const char *data, const char *name, struct err *err) {
	struct folder_path path;
	struct buf content;
	uint8_t length[4];
	buf_init(&content, KEY_BYTES_MAX);
	enum status status = folders_join(&path, data, name, err);
	if (status == STATUS_OK) status = files_read(&content, path.text, err);
	if (status == STATUS_NOTFOUND) status = STATUS_OK; /* a node alone has one key */
	store_be32(length, (uint32_t)content.len);
	if (status == STATUS_OK) status = backup_stream_put(stream, bytes_make(length, sizeof length), err);
	if (status == STATUS_OK) status = backup_stream_put(stream, buf_view(&content), err);
	buf_wipe(&content);
	return status;
}

/* be32(count), then for each be64(number) and the share. */
static enum status seal_shares(struct backup_stream *stream, const char *data, struct err *err) {
	uint64_t numbers[OUTER_FOLDER_SHARES_MAX];
	uint8_t length[4], bytes[NUMBERED_SHARE_BYTES];
	size_t count;
	TRY(outer_folder_numbers(numbers, &count, data, err));
	store_be32(length, (uint32_t)count);
	enum status status = backup_stream_put(stream, bytes_make(length, sizeof length), err);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		struct vss_share share;
		status = outer_folder_share(&share, data, numbers[i], err);
		if (status != STATUS_OK) break;
		store_be64(bytes, numbers[i]);
		vss_share_write(bytes + 8, &share);
		mem_wipe(&share, sizeof share);
		status = backup_stream_put(stream, bytes_make(bytes, sizeof bytes), err);
	}
	mem_wipe(bytes, sizeof bytes);
	return status;
}

static enum status seal_keys(const struct node_backup *backup, const char *folder, struct err *err) {
	struct backup_stream stream = {.in = -1, .out.fd = -1};
	struct folder_path path;
	TRY(folders_join(&path, folder, BACKUP_KEYS, err));
	enum status status =
	    backup_stream_begin(&stream, path.text, backup->password, backup->cost, backup->random, err);
	for (size_t i = 0; status == STATUS_OK && i < KEY_COUNT; i++)
		status = seal_key(&stream, backup->data, key_names[i], err);
	if (status == STATUS_OK) status = seal_shares(&stream, backup->data, err);
	if (status == STATUS_OK) status = backup_stream_finish(&stream, err);
	backup_stream_fini(&stream);
	return status;
}

static enum status read_head(struct node_backup_report *report, const char *data, struct err *err) {
	struct chain_data ledger;
	const enum status status = chain_data_open(&ledger, data, (struct bytes){NULL, 0}, err);
	if (status == STATUS_OK) {
		struct chain_head *head = chain_head(ledger.chain);
		report->head = head->header.number;
		report->head_hash = head->hash;
		chain_head_release(head);
	}
	chain_data_close(&ledger);
	return status;
}

static enum status write_list(struct buf *list, struct json_writer *writer, const struct node_backup_report *report,
    const char *folder, struct err *err) {
	struct folder_path path;
	json_array_end(writer);
	json_put_u64(writer, "head", report->head);
	json_put_hex(writer, "headHash", BYTES_OF(report->head_hash));
	json_put_bool(writer, "keys", report->has_keys);
	json_object_end(writer);
	buf_byte(list, '\n');
	TRY(buf_status(list, err));
	TRY(folders_join(&path, folder, BACKUP_LIST, err));
	return files_write(path.text, buf_view(list), err);
}

static enum status fill(
    struct node_backup_report *report, const struct node_backup *backup, const char *folder, struct err *err) {
	struct folder_path frozen, data;
	struct buf list;
	TRY(folders_join(&frozen, backup->data, FREEZE_FROZEN, err));
	TRY(folders_join(&data, folder, BACKUP_DATA, err));
	TRY(files_make_folder(folder, err));
	buf_init(&list, LIST_BYTES_MAX);
	struct json_writer writer = json_writer(&list);
	struct making making = {report, &writer, strlen(data.text)};
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "format", FORMAT);
	json_array_begin(&writer, "files");
	enum status status = folders_walk(data.text, frozen.text, take_file, &making, err);
	report->has_keys = backup->has_keys;
	if (status == STATUS_OK && backup->has_keys) status = seal_keys(backup, folder, err);
	if (status == STATUS_OK) status = read_head(report, frozen.text, err);
	if (status == STATUS_OK) status = folders_walk(data.text, data.text, sync_folder, NULL, err);
	if (status == STATUS_OK) status = write_list(&list, &writer, report, folder, err);
	buf_fini(&list);
	return status;
}

/* The folder that is filled beside `name`, and then renamed to it. */
static enum status begin_beside(struct folder_path *out, const char *name, struct err *err) {
	struct stat info;
	if (lstat(name, &info) == 0) return err_set(err, STATUS_EXISTS, "%s is there already", name);
	if ((size_t)snprintf(out->text, sizeof out->text, "%s.part", name) >= sizeof out->text)
		return err_set(err, STATUS_INVALID, "the path %s is too long", name);
	return folders_remove(out->text, err);
}

static enum status end_beside(const struct folder_path *part, const char *name, enum status status, struct err *err) {
	if (status == STATUS_OK && rename(part->text, name) != 0)
		status = err_set(err, STATUS_IO, "cannot rename %s: %s", part->text, strerror(errno));
	if (status == STATUS_OK) return files_sync_parent(name, err);
	folders_try_remove(part->text);
	return status;
}

enum status node_backup_make(struct node_backup_report *report, const struct node_backup *backup, struct err *err) {
	struct folder_path part;
	*report = (struct node_backup_report){0};
	TRY(begin_beside(&part, backup->folder, err));
	return end_beside(&part, backup->folder, fill(report, backup, part.text, err), err);
}

/* --- restoring --- */

static enum status malformed(struct err *err) {
	return err_set(err, STATUS_INVALID, "the list %s is not one of a backup that this version reads", BACKUP_LIST);
}

/* The folders of a file's name, below `root`. */
static enum status make_folders(const char *root, const char *name, struct err *err) {
	struct folder_path path;
	TRY(folders_join(&path, root, name, err));
	for (char *at = path.text + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = 0;
		TRY(files_make_folder(path.text, err));
		*at = '/';
	}
	return STATUS_OK;
}

/* Keys are in the sealed file alone: an open one is not this backup's. */
static bool is_key(const char *name) {
	const size_t len = strlen(name), end = strlen(".share");
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(name, key_names[i]) == 0) return true;
	return len >= end && strcmp(name + len - end, ".share") == 0;
}

static enum status restore_file(struct node_backup_report *report, const struct node_backup *backup, const char *to,
    const struct json *entry, struct err *err) {
	struct folder_path from, data, target;
	hash32 wanted, hash;
	uint64_t bytes, size;
	char name[NAME_MAX_BYTES + 1];
	const struct bytes given = json_string(json_get(entry, "name"));
	if (!is_name(given) || !json_u64(&bytes, json_get(entry, "bytes")) ||
	    hex_fixed(wanted.b, sizeof wanted.b, json_string(json_get(entry, "sha256"))) != STATUS_OK)
		return malformed(err);
	snprintf(name, sizeof name, "%.*s", (int)given.len, (const char *)given.data);
	if (is_key(name)) return malformed(err);
	TRY(folders_join(&data, backup->folder, BACKUP_DATA, err));
	TRY(folders_join(&from, data.text, name, err));
	TRY(folders_join(&target, to, name, err));
	TRY(make_folders(to, name, err));
	const enum status status = folders_copy_file(target.text, from.text, err);
	if (status == STATUS_NOTFOUND) return err_set(err, STATUS_CORRUPT, "the backup has no file %s", name);
	TRY(status);
	TRY(hash_file(&hash, &size, target.text, err));
	if (size != bytes || !hash32_equal(&hash, &wanted))
		return err_set(err, STATUS_CORRUPT, "the backup's file %s is not what was written", name);
	report->files++;
	report->bytes += size;
	return STATUS_OK;
}

static enum status restore_files(
    struct node_backup_report *report, const struct node_backup *backup, const char *to, struct err *err) {
	struct folder_path path;
	struct arena arena;
	struct buf text;
	const struct json *root = NULL;
	TRY(folders_join(&path, backup->folder, BACKUP_LIST, err));
	arena_init(&arena);
	buf_init(&text, LIST_BYTES_MAX);
	enum status status = files_read(&text, path.text, err);
	const struct json_limits limits = {LIST_BYTES_MAX, 4, 8 * BACKUP_FILES_MAX};
	if (status == STATUS_OK) status = json_parse(&root, &arena, buf_view(&text), &limits, err);
	const struct json *files = json_get(root, "files"), *keys = json_get(root, "keys");
	if (status == STATUS_OK &&
	    (!json_u64(&report->format, json_get(root, "format")) ||
		(report->format != FORMAT && report->format != FORMAT_WITHOUT_SHARES) || !json_is(files, JSON_ARRAY) ||
		!json_u64(&report->head, json_get(root, "head")) ||
		!(json_is(keys, JSON_TRUE) || json_is(keys, JSON_FALSE)) ||
		hex_fixed(report->head_hash.b, 32, json_string(json_get(root, "headHash"))) != STATUS_OK))
		status = malformed(err);
	report->has_keys = json_is(keys, JSON_TRUE);
	json_foreach (entry, files)
		if (status == STATUS_OK) status = restore_file(report, backup, to, entry, err);
	buf_fini(&text);
	arena_fini(&arena);
	return status;
}

static enum status open_key(struct backup_stream *stream, const char *to, const char *name, struct err *err) {
	struct folder_path path;
	uint8_t length[4], content[KEY_BYTES_MAX];
	TRY(backup_stream_get(stream, length, sizeof length, err));
	const uint32_t len = load_be32(length);
	if (len > sizeof content) return err_set(err, STATUS_CORRUPT, "the sealed keys are malformed");
	if (len == 0) return STATUS_OK;
	TRY(folders_join(&path, to, name, err));
	TRY(make_folders(to, name, err));
	enum status status = backup_stream_get(stream, content, len, err);
	if (status == STATUS_OK) status = files_write(path.text, bytes_make(content, len), err);
	mem_wipe(content, sizeof content);
	return status;
}

static enum status open_shares(struct backup_stream *stream, const char *to, struct err *err) {
	uint8_t length[4], bytes[NUMBERED_SHARE_BYTES] = {0};
	struct vss_share share = {0};
	TRY(backup_stream_get(stream, length, sizeof length, err));
	enum status status = STATUS_OK;
	for (uint32_t i = load_be32(length); status == STATUS_OK && i > 0; i--) {
		status = backup_stream_get(stream, bytes, sizeof bytes, err);
		const uint64_t number = load_be64(bytes);
		if (status == STATUS_OK &&
		    (number == 0 || vss_share_read(&share, bytes_make(bytes + 8, VSS_SHARE_BYTES)) != STATUS_OK))
			status = err_set(err, STATUS_CORRUPT, "the sealed shares are malformed");
		if (status == STATUS_OK) status = outer_folder_write_share(to, number, &share, err);
		mem_wipe(&share, sizeof share);
	}
	mem_wipe(bytes, sizeof bytes);
	return status;
}

static enum status open_keys(const struct node_backup *backup, const char *to, uint64_t format, struct err *err) {
	struct backup_stream stream = {.in = -1, .out.fd = -1};
	struct folder_path path;
	TRY(folders_join(&path, backup->folder, BACKUP_KEYS, err));
	enum status status = backup_stream_open(&stream, path.text, backup->password, err);
	for (size_t i = 0; status == STATUS_OK && i < KEY_COUNT; i++) status = open_key(&stream, to, key_names[i], err);
	if (status == STATUS_OK && format != FORMAT_WITHOUT_SHARES) status = open_shares(&stream, to, err);
	if (status == STATUS_OK) status = backup_stream_end(&stream, err);
	backup_stream_fini(&stream);
	return status;
}

static enum status verify(struct node_backup_report *report, const char *to, struct err *err) {
	struct chain_data ledger;
	struct folder_path blobs;
	hash32 head_hash = {{0}};
	TRY(folders_join(&blobs, to, "blobs", err));
	enum status status = chain_data_open(&ledger, to, (struct bytes){NULL, 0}, err);
	if (status == STATUS_OK) {
		struct chain_head *head = chain_head(ledger.chain);
		head_hash = head->hash;
		chain_head_release(head);
	}
	if (status == STATUS_OK && !hash32_equal(&head_hash, &report->head_hash))
		status = err_set(err, STATUS_CORRUPT, "the backup's head is another one than its list says");
	if (status == STATUS_OK) status = chain_verify(ledger.chain, &report->chain, UINT64_MAX, err);
	if (status == STATUS_OK) status = blob_verify(ledger.store, blobs.text, NULL, &report->blobs, err);
	chain_data_close(&ledger);
	return status;
}

/* Paths of the place where it was. */
static enum status move_settings(const char *to, const char *data, struct err *err) {
	static const char *const names[][2] = {{"data = ", ""}, {"comet-home = ", "/comet"}};
	struct folder_path path;
	struct buf old, text;
	TRY(folders_join(&path, to, "xinglin.conf", err));
	if (!files_exists(path.text)) return STATUS_OK;
	buf_init(&old, CONF_BYTES_MAX);
	buf_init(&text, CONF_BYTES_MAX + 2 * FILES_PATH_BYTES);
	enum status status = files_read(&old, path.text, err);
	const char *line = status == STATUS_OK ? buf_cstr(&old) : "";
	while (*line) {
		const size_t len = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
		size_t moved = 0;
		while (moved < 2 && strncmp(line, names[moved][0], strlen(names[moved][0])) != 0) moved++;
		if (moved < 2)
			buf_printf(&text, "%s%s%s\n", names[moved][0], data, names[moved][1]);
		else
			buf_append(&text, bytes_make(line, len));
		line += len;
	}
	if (status == STATUS_OK) status = buf_status(&text, err);
	if (status == STATUS_OK) status = files_write(path.text, buf_view(&text), err);
	buf_fini(&old);
	buf_fini(&text);
	return status;
}

/* Its key has signed since, perhaps, also if it had signed nothing then, or its state is not in the list. */
static enum status hold_key(const char *to, struct err *err) {
	struct folder_path comet;
	TRY(folders_join(&comet, to, "comet", err));
	if (!files_exists(comet.text)) return STATUS_OK;
	TRY(make_folders(to, "comet/data/priv_validator_state.json", err));
	TRY(signing_guard_hold(comet.text, err));
	return signing_guard_disown(comet.text, err);
}

static enum status restore(struct node_backup_report *report, const struct node_backup *backup, const char *to,
    bool without_keys, struct err *err) {
	TRY(files_make_folder(to, err));
	TRY(restore_files(report, backup, to, err));
	if (report->has_keys && !backup->has_keys && !without_keys)
		return err_set(err, STATUS_INVALID,
		    "the backup has keys: --password-file opens them, or --without-keys leaves them out");
	report->has_keys = report->has_keys && backup->has_keys;
	if (report->has_keys) TRY(open_keys(backup, to, report->format, err));
	TRY(verify(report, to, err));
	TRY(move_settings(to, backup->data, err));
	TRY(hold_key(to, err));
	return folders_walk(to, to, sync_folder, NULL, err);
}

enum status node_backup_restore(
    struct node_backup_report *report, const struct node_backup *backup, bool without_keys, struct err *err) {
	struct folder_path part;
	*report = (struct node_backup_report){0};
	TRY(begin_beside(&part, backup->data, err));
	return end_beside(&part, backup->data, restore(report, backup, part.text, without_keys, err), err);
}
