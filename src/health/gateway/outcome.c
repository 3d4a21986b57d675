#include "health/gateway/outcome.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "codec/json.h"

#define FOLDER "requests"
#define PATH_MAX_BYTES 112u

struct outcomes {
	const struct home *home;
	const struct clock_source *clock;
	DIR *listing; /* of the pass that is under way; NULL: none is */
	bool has_passed;
	uint64_t passed_ns; /* when the last pass ended, monotonic */
};

struct outcomes *outcomes_new(const struct home *home, const struct clock_source *clock) {
	struct outcomes *files = mem_zalloc(1, sizeof *files);
	char path[FILES_PATH_BYTES];
	struct err err;
	files->home = home;
	files->clock = clock;
	snprintf(path, sizeof path, "%s/" FOLDER, home->directory);
	if (files_make_folder(path, &err) != STATUS_OK) log_warn("gateway", "%s", err.message);
	return files;
}

void outcomes_free(struct outcomes *files) {
	if (!files) return;
	if (files->listing) closedir(files->listing);
	mem_free(files);
}

static void path_of(char out[PATH_MAX_BYTES], const hash32 *name, const char *end) {
	int used = snprintf(out, PATH_MAX_BYTES, FOLDER "/");
	for (size_t i = 0; i < 32; i++) used += snprintf(out + used, PATH_MAX_BYTES - (size_t)used, "%02x", name->b[i]);
	snprintf(out + used, PATH_MAX_BYTES - (size_t)used, "%s", end);
}

/* --- keys --- */

static void key_path(char out[PATH_MAX_BYTES], const hash32 *name) {
	path_of(out, name, ".json");
}

enum status outcome_key_read(const struct outcomes *files, struct buf *out, const hash32 *name, struct err *err) {
	char path[PATH_MAX_BYTES];
	key_path(path, name);
	return home_read(files->home, out, path, err);
}

enum status outcome_key_write(const struct outcomes *files, const hash32 *name, struct bytes content, struct err *err) {
	char path[PATH_MAX_BYTES];
	key_path(path, name);
	return home_write(files->home, path, content, err);
}

void outcome_key_remove(const struct outcomes *files, const hash32 *name) {
	char path[PATH_MAX_BYTES];
	key_path(path, name);
	home_remove(files->home, path);
}

/* --- refusals --- */

static void refusal_path(char out[PATH_MAX_BYTES], const hash32 *record) {
	path_of(out, record, ".refused.json");
}

enum status outcome_refusal_write(
    const struct outcomes *files, const hash32 *record, enum contract_error error, struct err *err) {
	char path[PATH_MAX_BYTES];
	struct buf text;
	buf_init(&text, OUTCOME_FILE_MAX);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "refused", contract_error_name(error));
	json_object_end(&writer);
	refusal_path(path, record);
	enum status status = home_write(files->home, path, buf_view(&text), err);
	buf_fini(&text);
	return status;
}

/* An error of another version of the contracts is one that this program does not know. */
static enum contract_error error_of_name(struct bytes name) {
	for (int error = 0; error < CONTRACT_ERROR_COUNT; error++)
		if (bytes_equal(name, bytes_text(contract_error_name((enum contract_error)error))))
			return (enum contract_error)error;
	return CONTRACT_ERROR_UNKNOWN;
}

enum status outcome_refusal_read(
    const struct outcomes *files, enum contract_error *error, const hash32 *record, struct err *err) {
	char path[PATH_MAX_BYTES];
	struct buf text;
	struct arena arena;
	const struct json *root;
	refusal_path(path, record);
	buf_init(&text, OUTCOME_FILE_MAX);
	arena_init(&arena);
	enum status status = home_read(files->home, &text, path, err);
	if (status == STATUS_OK && json_parse(&root, &arena, buf_view(&text), NULL, NULL) != STATUS_OK)
		status = err_set(err, STATUS_CORRUPT, "%s is damaged", path);
	if (status == STATUS_OK) *error = error_of_name(json_string(json_get(root, "refused")));
	arena_fini(&arena);
	buf_fini(&text);
	return status;
}

/* --- forgetting --- */

static bool begin_pass(struct outcomes *files) {
	char path[FILES_PATH_BYTES];
	uint64_t passed_s = (clock_monotonic_ns(files->clock) - files->passed_ns) / 1000000000u;
	if (files->has_passed && passed_s < OUTCOME_FORGET_EVERY_SECONDS) return false;
	snprintf(path, sizeof path, "%s/" FOLDER, files->home->directory);
	files->listing = opendir(path);
	return files->listing != NULL;
}

static void end_pass(struct outcomes *files) {
	closedir(files->listing);
	files->listing = NULL;
	files->has_passed = true;
	files->passed_ns = clock_monotonic_ns(files->clock);
}

void outcomes_forget(struct outcomes *files) {
	if (!files->listing && !begin_pass(files)) return;
	const uint64_t now_s = clock_now_ms(files->clock) / 1000;
	for (unsigned i = 0; i < OUTCOME_FORGET_STEP; i++) {
		struct stat info;
		const struct dirent *entry = readdir(files->listing);
		if (!entry) {
			end_pass(files);
			return;
		}
		if (fstatat(dirfd(files->listing), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
		if (!S_ISREG(info.st_mode) || (uint64_t)info.st_mtime + OUTCOME_KEPT_SECONDS >= now_s) continue;
		unlinkat(dirfd(files->listing), entry->d_name, 0);
	}
}
