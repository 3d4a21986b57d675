#include "app/serve/signing_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "codec/hex.h"
#include "codec/json.h"

enum { FILE_BYTES_MAX = 1 << 16, PLACE_BYTES = 160 };
#define NEVER ((uint64_t)1 << 62) /* above every height */

static void path_of(char out[FILES_PATH_BYTES], const char *home, const char *name) {
	snprintf(out, FILES_PATH_BYTES, "%s/data/%s", home, name);
}

/* --- what the key remembers --- */

/* A member that is a string, copied into the buffer. */
static enum status read_member(struct buf *out, const char *path, const char *name, struct err *err) {
	struct arena arena;
	struct buf text;
	const struct json *file;
	buf_init(&text, FILE_BYTES_MAX);
	arena_init(&arena);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) status = json_parse(&file, &arena, buf_view(&text), NULL, err);
	if (status == STATUS_OK) {
		buf_append(out, json_string(json_get(file, name)));
		if (out->len == 0) status = err_set(err, STATUS_INVALID, "%s has no %s", path, name);
	}
	arena_fini(&arena);
	mem_wipe(text.data, text.len); /* of the two files one holds a secret */
	buf_fini(&text);
	return status;
}

enum status signing_guard_height(const char *home, uint64_t *height, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct buf text;
	path_of(path, home, "priv_validator_state.json");
	buf_init(&text, FILE_BYTES_MAX);
	enum status status = read_member(&text, path, "height", err);
	const struct json spelled = {.type = JSON_NUMBER, .text = buf_view(&text)};
	if (status == STATUS_OK && !json_u64(height, &spelled))
		status = err_set(err, STATUS_INVALID, "%s names no height", path);
	buf_fini(&text);
	return status;
}

enum status signing_guard_validator(const char *home, addr20 *address, struct err *err) {
	char path[FILES_PATH_BYTES], hex[2 + 2 * sizeof address->b + 1];
	struct buf text;
	snprintf(path, sizeof path, "%s/config/priv_validator_key.json", home);
	buf_init(&text, FILE_BYTES_MAX);
	enum status status = read_member(&text, path, "address", err);
	if (status == STATUS_OK) {
		snprintf(hex, sizeof hex, "0x%s", buf_cstr(&text));
		if (text.len != 2 * sizeof address->b ||
		    hex_fixed(address->b, sizeof address->b, bytes_text(hex)) != STATUS_OK)
			status = err_set(err, STATUS_INVALID, "%s names no address", path);
	}
	buf_fini(&text);
	return status;
}

/* CometBFT signs for no height below this one, and in no round of it. */
static enum status write_height(const char *home, uint64_t height, struct err *err) {
	char path[FILES_PATH_BYTES], text[128];
	path_of(path, home, "priv_validator_state.json");
	snprintf(text, sizeof text, "{\n  \"height\": \"%llu\",\n  \"round\": %d,\n  \"step\": 3\n}",
	    (unsigned long long)height, INT32_MAX);
	return files_write(path, bytes_text(text), err);
}

/* --- where it is --- */

static enum status look(struct statx *out, const char *path, struct err *err) {
	if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME | STATX_CTIME, out) == 0) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot look at %s: %s", path, strerror(errno));
}

/* The folder by inode and birth, which no copy has; and the key's file by its last change, which whoever writes it
 * again cannot choose. */
static enum status read_place(char out[PLACE_BYTES], const char *home, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct statx folder, key;
	path_of(path, home, "");
	TRY(look(&folder, path, err));
	snprintf(path, sizeof path, "%s/config/priv_validator_key.json", home);
	TRY(look(&key, path, err));
	const bool has_birth = (folder.stx_mask & STATX_BTIME) != 0;
	snprintf(out, PLACE_BYTES, "inode %llu, born %lld.%09u; key of %lld.%09u\n", (unsigned long long)folder.stx_ino,
	    has_birth ? (long long)folder.stx_btime.tv_sec : 0, has_birth ? folder.stx_btime.tv_nsec : 0,
	    (long long)key.stx_ctime.tv_sec, key.stx_ctime.tv_nsec);
	return STATUS_OK;
}

static enum status write_place(const char *home, struct err *err) {
	char path[FILES_PATH_BYTES], place[PLACE_BYTES];
	path_of(path, home, "place");
	TRY(read_place(place, home, err));
	return files_write(path, bytes_text(place), err);
}

enum status signing_guard_check(const char *home, bool *is_copy, struct err *err) {
	char path[FILES_PATH_BYTES], place[PLACE_BYTES];
	uint64_t height;
	struct buf noted;
	*is_copy = false;
	TRY(signing_guard_height(home, &height, err));
	path_of(path, home, "place");
	if (height == 0 || !files_exists(path)) return write_place(home, err);
	TRY(read_place(place, home, err));
	buf_init(&noted, PLACE_BYTES);
	const enum status status = files_read(&noted, path, err);
	*is_copy = status == STATUS_OK && !bytes_equal(buf_view(&noted), bytes_text(place));
	buf_fini(&noted);
	return status;
}

enum status signing_guard_disown(const char *home, struct err *err) {
	char path[FILES_PATH_BYTES];
	path_of(path, home, "place");
	return files_write(path, bytes_text("an older state of the key was put back here\n"), err);
}

enum status signing_guard_hold(const char *home, struct err *err) {
	return write_height(home, NEVER, err);
}

enum status signing_guard_release(const char *home, uint64_t height, struct err *err) {
	TRY(write_height(home, height, err));
	return write_place(home, err);
}
