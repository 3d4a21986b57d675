#include "app/serve/signing_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "codec/json.h"

enum { STATE_BYTES_MAX = 1 << 16, PLACE_BYTES = 96 };
#define NEVER ((uint64_t)1 << 62) /* above every height */

static void path_of(char out[FILES_PATH_BYTES], const char *home, const char *name) {
	snprintf(out, FILES_PATH_BYTES, "%s/data/%s", home, name);
}

/* --- what the key remembers --- */

enum status signing_guard_height(const char *home, uint64_t *height, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct arena arena;
	struct buf text;
	const struct json *state;
	path_of(path, home, "priv_validator_state.json");
	buf_init(&text, STATE_BYTES_MAX);
	arena_init(&arena);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) status = json_parse(&state, &arena, buf_view(&text), NULL, err);
	if (status == STATUS_OK) {
		const struct json spelled = {.type = JSON_NUMBER, .text = json_string(json_get(state, "height"))};
		if (spelled.text.len == 0 || !json_u64(height, &spelled))
			status = err_set(err, STATUS_INVALID, "%s names no height", path);
	}
	arena_fini(&arena);
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

static enum status read_place(char out[PLACE_BYTES], const char *home, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct statx is;
	path_of(path, home, "");
	if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &is) != 0)
		return err_set(err, STATUS_IO, "cannot look at %s: %s", path, strerror(errno));
	const bool has_birth = (is.stx_mask & STATX_BTIME) != 0;
	snprintf(out, PLACE_BYTES, "inode %llu, born %lld.%09u\n", (unsigned long long)is.stx_ino,
	    has_birth ? (long long)is.stx_btime.tv_sec : 0, has_birth ? is.stx_btime.tv_nsec : 0);
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

enum status signing_guard_hold(const char *home, struct err *err) {
	return write_height(home, NEVER, err);
}

enum status signing_guard_release(const char *home, uint64_t height, struct err *err) {
	TRY(write_height(home, height, err));
	return write_place(home, err);
}
