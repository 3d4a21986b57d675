/* xinglin db backup, db restore: a node's folder, while the node runs, and back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/serve/backup.h"
#include "app/serve/folders.h"
#include "app/serve/freeze.h"
#include "app/system.h"
#include "base/files.h"

#define PASSWORD_MAX 1024u
#define DATABASE_MEMORY_BYTES ((size_t)64 << 20)
#define LOOK_MS 50u
#define PATIENCE_MS 120000u /* until the node has frozen its folder */

/* --- freezing --- */

static enum status freeze_stopped(const char *data, struct store *store, struct err *err) {
	struct folder_path comet;
	TRY(folders_join(&comet, data, "comet", err));
	const bool has_comet = access(comet.text, F_OK) == 0;
	return freeze_make(
	    &(struct freeze_source){.data = data, .store = store, .comet_home = has_comet ? comet.text : NULL}, err);
}

static enum status read_failure(const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, sizeof err->message);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK)
		status = err_set(err, STATUS_IO, "the node cannot freeze its folder: %s", buf_cstr(&text));
	buf_fini(&text);
	unlink(path);
	return status;
}

/* The node that has the folder does it. */
static enum status freeze_running(const char *data, struct err *err) {
	struct folder_path wanted, frozen, failed;
	TRY(folders_join(&wanted, data, FREEZE_WANTED, err));
	TRY(folders_join(&frozen, data, FREEZE_FROZEN, err));
	TRY(folders_join(&failed, data, FREEZE_FAILED, err));
	TRY(folders_remove(frozen.text, err));
	unlink(failed.text);
	TRY(files_write(wanted.text, bytes_text("a backup is wanted\n"), err));
	for (uint32_t waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
		if (access(frozen.text, F_OK) == 0) return STATUS_OK;
		if (access(failed.text, F_OK) == 0) return read_failure(failed.text, err);
		world_sleep_ms(NULL, LOOK_MS);
	}
	unlink(wanted.text);
	return err_set(
	    err, STATUS_TIMEOUT, "the program that has %s does not answer: it is no node, or it hangs", data);
}

static enum status freeze(const char *data, struct err *err) {
	struct folder_path path;
	struct store *store = NULL;
	TRY(folders_join(&path, data, "chaindata", err));
	const struct store_options options = {.memory_bytes = DATABASE_MEMORY_BYTES};
	enum status status = store_open(&store, path.text, &options, err);
	if (status == STATUS_BUSY) return freeze_running(data, err);
	if (status == STATUS_OK) status = freeze_stopped(data, store, err);
	store_close(store);
	return status;
}

/* One backup of a folder at a time. */
static enum status lock_folder(int *lock, const char *data, struct err *err) {
	struct folder_path path;
	TRY(folders_join(&path, data, "backup.lock", err));
	*lock = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0) return err_set(err, STATUS_IO, "cannot make %s: %s", path.text, strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
	close(*lock);
	return err_set(err, STATUS_BUSY, "another backup of %s is being made", data);
}

/* --- reports --- */

static void put_report(struct cli *cli, const struct node_backup_report *report) {
	cli_put_u64(cli, "head", report->head);
	cli_put_hex(cli, "headHash", BYTES_OF(report->head_hash));
	cli_put_u64(cli, "files", report->files);
	cli_put_u64(cli, "bytes", report->bytes);
	cli_put_bool(cli, "keys", report->has_keys);
}

static enum status make(struct node_backup_report *report, const struct node_backup *backup, struct err *err) {
	struct folder_path frozen, chain;
	int lock;
	TRY(folders_join(&frozen, backup->data, FREEZE_FROZEN, err));
	TRY(folders_join(&chain, backup->data, "chaindata", err));
	if (access(chain.text, F_OK) != 0) return err_set(err, STATUS_NOTFOUND, "%s holds no chain", backup->data);
	if (access(backup->folder, F_OK) == 0)
		return err_set(err, STATUS_EXISTS, "%s is there already", backup->folder);
	TRY(lock_folder(&lock, backup->data, err));
	enum status status = freeze(backup->data, err);
	if (status == STATUS_OK) status = node_backup_make(report, backup, err);
	const enum status removed = folders_remove(frozen.text, status == STATUS_OK ? err : NULL);
	close(lock);
	return status == STATUS_OK ? removed : status;
}

static enum status cmd_db_backup(struct cli *cli, struct err *err) {
	struct node_backup_report report;
	struct buf password;
	struct node_backup backup = {.random = &world_random, .has_keys = cli_flag(cli, "keys")};
	backup.cost = cli_flag(cli, "light-kdf") ? &keystore_cost_light : &keystore_cost_standard;
	TRY(cli_need(cli, &backup.data, "data", err));
	TRY(cli_need(cli, &backup.folder, "out", err));
	buf_init(&password, PASSWORD_MAX);
	enum status status = STATUS_OK;
	if (backup.has_keys) status = cli_password(&password, cli_value(cli, "password-file"), err);
	if (status == STATUS_OK && backup.has_keys && !password.len)
		status = err_set(err, STATUS_INVALID, "keys are not sealed under an empty password");
	backup.password = buf_view(&password);
	if (status == STATUS_OK) status = make(&report, &backup, err);
	buf_wipe(&password);
	TRY(status);
	cli_put_text(cli, "backup", backup.folder);
	put_report(cli, &report);
	return STATUS_OK;
}

const struct cli_command command_db_backup = {
    .name = "db backup",
    .arguments = "",
    .summary = "copy a node's folder, also while the node runs",
    .teach = "The copy is of one moment: a block is in it whole or not at all. A member's CometBFT stands still for\n"
	     "as long as its own files are copied. Keys are in the copy only with --keys, sealed under a password\n"
	     "(XINGLIN_PASSWORD or --password-file). A list in it has each file's SHA-256; keep the head's hash.\n\n"
	     "  xinglin db backup --data node1 --out /backup/node1-monday",
    .options = {{"data", "DIR", "the node's data folder"}, {"out", "DIR", "a folder that is not there yet"},
	{"keys", NULL, "with the node's key, CometBFT's two and its shares of the outer seal's key, sealed"},
	{"password-file", "FILE", "whose first line seals them (or XINGLIN_PASSWORD)"},
	{"light-kdf", NULL, "a quick key derivation: for tests and demonstrations"}},
    .run = cmd_db_backup,
};

/* Where the node's settings will find it. */
static enum status absolute(struct folder_path *out, const char *path, struct err *err) {
	char here[PATH_MAX];
	if (*path == '/') {
		snprintf(out->text, sizeof out->text, "%s", path);
		return strlen(path) < sizeof out->text ? STATUS_OK
						       : err_set(err, STATUS_INVALID, "the path is too long");
	}
	if (!getcwd(here, sizeof here)) return err_set(err, STATUS_IO, "where is this? %s", strerror(errno));
	return folders_join(out, here, path, err);
}

static enum status cmd_db_restore(struct cli *cli, struct err *err) {
	struct node_backup_report report;
	struct folder_path data;
	struct buf password;
	struct node_backup backup = {.folder = cli->arguments[0]};
	const char *given;
	TRY(cli_need(cli, &given, "data", err));
	TRY(absolute(&data, given, err));
	backup.data = data.text;
	backup.has_keys = cli_value(cli, "password-file") != NULL ||
			  (getenv("XINGLIN_PASSWORD") != NULL && !cli_flag(cli, "without-keys"));
	if (cli_flag(cli, "without-keys") && cli_value(cli, "password-file"))
		return err_set(err, STATUS_INVALID, "--without-keys and --password-file exclude each other");
	buf_init(&password, PASSWORD_MAX);
	enum status status = STATUS_OK;
	if (backup.has_keys) status = cli_password(&password, cli_value(cli, "password-file"), err);
	backup.password = buf_view(&password);
	if (status == STATUS_OK) status = node_backup_restore(&report, &backup, cli_flag(cli, "without-keys"), err);
	buf_wipe(&password);
	TRY(status);
	cli_put_text(cli, "data", backup.data);
	put_report(cli, &report);
	cli_put_u64(cli, "blocks", report.chain.blocks);
	cli_put_u64(cli, "items", report.blobs.items);
	cli_put_u64(cli, "erased", report.blobs.erased);
	return STATUS_OK;
}

const struct cli_command command_db_restore = {
    .name = "db restore",
    .arguments = "BACKUP",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "make a node's folder of a backup, and verify it first",
    .teach = "Each file must be what the backup's list says, and then what it holds is made again: the state's root,\n"
	     "every block that is kept, every blob's name. If anything differs, nothing is there afterwards.\n"
	     "Compare headHash with what others have at that block. Never run the original too.\n\n"
	     "  xinglin db restore /backup/node1-monday --data node1",
    .options = {{"data", "DIR", "a folder that is not there yet"},
	{"password-file", "FILE", "whose first line opens the keys in it (or XINGLIN_PASSWORD)"},
	{"without-keys", NULL, "leave the keys out: put them in before the node starts"}},
    .run = cmd_db_restore,
};
