#include "app/serve/outer_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static enum status path_of(
    char out[FILES_PATH_BYTES], const char *data, uint64_t number, const char *kind, struct err *err) {
	const int len = number
			    ? snprintf(out, FILES_PATH_BYTES, "%s/seal/%llu.%s", data, (unsigned long long)number, kind)
			    : snprintf(out, FILES_PATH_BYTES, "%s/seal", data);
	return (size_t)len < FILES_PATH_BYTES ? STATUS_OK
					      : err_set(err, STATUS_INVALID, "%s: the path is too long", data);
}

enum status outer_folder_share(struct vss_share *out, const char *data, uint64_t number, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct buf bytes;
	TRY(path_of(path, data, number, "share", err));
	buf_init(&bytes, VSS_SHARE_BYTES);
	enum status status = files_read(&bytes, path, err);
	if (status == STATUS_LIMIT || (status == STATUS_OK && vss_share_read(out, buf_view(&bytes)) != STATUS_OK))
		status = err_set(err, STATUS_CORRUPT, "%s is no share of the outer seal's key", path);
	buf_wipe(&bytes);
	return status;
}

enum status outer_folder_statement(struct buf *out, const char *data, uint64_t number, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct outer_statement statement;
	struct buf bytes;
	TRY(path_of(path, data, number, "statement", err));
	buf_init(&bytes, OUTER_STATEMENT_MAX);
	enum status status = files_read(&bytes, path, err);
	if (status == STATUS_LIMIT ||
	    (status == STATUS_OK &&
		(outer_statement_read(&statement, buf_view(&bytes)) != STATUS_OK || statement.number != number)))
		status = err_set(err, STATUS_CORRUPT, "%s is not that statement about the outer seal", path);
	if (status == STATUS_OK) buf_append(out, buf_view(&bytes));
	buf_fini(&bytes);
	return status;
}

static int by_number(const void *a, const void *b) {
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* "N.share", as it is written here. 0: another name. */
static uint64_t share_number(const char *name) {
	char again[40];
	const uint64_t number = strtoull(name, NULL, 10);
	snprintf(again, sizeof again, "%" PRIu64 ".share", number);
	return strcmp(again, name) == 0 ? number : 0;
}

enum status outer_folder_numbers(
    uint64_t out[OUTER_FOLDER_SHARES_MAX], size_t *count, const char *data, struct err *err) {
	char path[FILES_PATH_BYTES];
	enum status status = STATUS_OK;
	*count = 0;
	TRY(path_of(path, data, 0, "", err));
	DIR *folder = opendir(path);
	if (!folder && errno == ENOENT) return STATUS_OK;
	if (!folder) return err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
	for (const struct dirent *entry; status == STATUS_OK && (entry = readdir(folder));) {
		const uint64_t number = share_number(entry->d_name);
		if (number == 0) continue;
		if (*count < OUTER_FOLDER_SHARES_MAX)
			out[(*count)++] = number;
		else
			status =
			    err_set(err, STATUS_LIMIT, "%s has more than %u shares", path, OUTER_FOLDER_SHARES_MAX);
	}
	closedir(folder);
	qsort(out, *count, sizeof *out, by_number);
	return status;
}

enum status outer_folder_write_share(
    const char *data, uint64_t number, const struct vss_share *share, struct err *err) {
	char path[FILES_PATH_BYTES];
	uint8_t bytes[VSS_SHARE_BYTES];
	TRY(path_of(path, data, 0, "", err));
	TRY(files_make_folder(path, err));
	TRY(path_of(path, data, number, "share", err));
	vss_share_write(bytes, share);
	const enum status status = files_write(path, bytes_make(bytes, sizeof bytes), err);
	mem_wipe(bytes, sizeof bytes);
	return status;
}

enum status outer_folder_write(
    const char *data, const struct outer_statement *statement, const struct vss_share *share, struct err *err) {
	char path[FILES_PATH_BYTES];
	struct buf text;
	TRY(outer_folder_write_share(data, statement->number, share, err));
	TRY(path_of(path, data, statement->number, "statement", err));
	buf_init(&text, OUTER_STATEMENT_MAX);
	outer_statement_write(&text, statement);
	const enum status written = files_write(path, buf_view(&text), err);
	buf_fini(&text);
	return written;
}
