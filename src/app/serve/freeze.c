#include "app/serve/freeze.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/serve/folders.h"
#include "base/files.h"
#include "base/log.h"

/* Of blobs and of CometBFT's database: they are only appended to, or never written again. */
static bool may_link(const char *name) {
	const char *dot = strrchr(name, '.');
	return dot && (strcmp(dot, ".seg") == 0 || strcmp(dot, ".ldb") == 0);
}

static bool is_left_out(const char *name) {
	static const char *const names[] = {"node_key.json", "priv_validator_key.json", "LOCK"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0) return true;
	return dot && strcmp(dot, ".share") == 0; /* of the outer seal's key */
}

static enum status freeze_file(void *context, const char *from, const char *to, struct err *err) {
	const char *name = strrchr(from, '/') + 1;
	(void)context;
	if (is_left_out(name)) return STATUS_OK;
	if (may_link(name) && link(from, to) == 0) return STATUS_OK;
	const enum status status = folders_copy_file(to, from, err);
	return status == STATUS_NOTFOUND ? STATUS_OK : status; /* it was removed meanwhile: nobody needs it */
}

static enum status freeze_part(const char *from, const char *frozen, const char *name, struct err *err) {
	struct folder_path source, target;
	struct stat info;
	TRY(folders_join(&source, from, name, err));
	TRY(folders_join(&target, frozen, name, err));
	if (lstat(source.text, &info) != 0) return STATUS_OK;
	if (!S_ISDIR(info.st_mode)) return freeze_file(NULL, source.text, target.text, err);
	return folders_walk(target.text, source.text, freeze_file, NULL, err);
}

/* While CometBFT stands still. */
static enum status freeze_comet(const struct freeze_source *source, const char *frozen, struct err *err) {
	struct folder_path comet;
	TRY(folders_join(&comet, frozen, "comet", err));
	TRY(files_make_folder(comet.text, err));
	TRY(freeze_part(source->comet_home, comet.text, "config", err));
	return freeze_part(source->comet_home, comet.text, "data", err);
}

static enum status freeze_database(const struct freeze_source *source, const char *frozen, struct err *err) {
	struct folder_path path;
	enum status status = STATUS_OK;
	/* CometBFT first: it may know of a height that the node has not committed, and repeats it; never the other way
	 * round. */
	if (source->consortium) consortium_pause(source->consortium, true);
	if (source->comet_home) status = freeze_comet(source, frozen, err);
	if (status == STATUS_OK) status = folders_join(&path, frozen, "chaindata", err);
	if (status == STATUS_OK) status = store_checkpoint(source->store, path.text, err);
	if (source->consortium) consortium_pause(source->consortium, false);
	return status;
}

static enum status fill(const struct freeze_source *source, const char *frozen, struct err *err) {
	static const char *const parts[] = {
	    "blobs", "pool.journal", "pool.sidecars", "genesis.json", "xinglin.conf", "seal"};
	TRY(files_make_folder(frozen, err));
	TRY(freeze_database(source, frozen, err));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) TRY(freeze_part(source->data, frozen, parts[i], err));
	return STATUS_OK;
}

enum status freeze_make(const struct freeze_source *source, struct err *err) {
	struct folder_path frozen, unfinished;
	TRY(folders_join(&frozen, source->data, FREEZE_FROZEN, err));
	TRY(folders_join(&unfinished, source->data, FREEZE_FROZEN ".part", err));
	TRY(folders_remove(frozen.text, err));
	TRY(folders_remove(unfinished.text, err));
	const enum status status = fill(source, unfinished.text, err);
	if (status != STATUS_OK) {
		folders_try_remove(unfinished.text);
		return status;
	}
	if (rename(unfinished.text, frozen.text) == 0) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot rename %s: %s", unfinished.text, strerror(errno));
}

void freeze_serve(const struct freeze_source *source) {
	struct folder_path wanted, failed;
	struct err err = {0};
	if (folders_join(&wanted, source->data, FREEZE_WANTED, NULL) != STATUS_OK || access(wanted.text, F_OK) != 0)
		return;
	if (freeze_make(source, &err) == STATUS_OK) {
		log_info("backup", "the folder was frozen for a backup");
	} else {
		log_error("backup", "the folder cannot be frozen for a backup: %s", err.message);
		if (folders_join(&failed, source->data, FREEZE_FAILED, NULL) == STATUS_OK &&
		    files_write(failed.text, bytes_text(err.message), &err) != STATUS_OK)
			log_error("backup", "%s", err.message);
	}
	unlink(wanted.text);
}
