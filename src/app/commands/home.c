/* xinglin home backup, home restore: a data folder in one sealed file, and back. */
#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/system.h"
#include "health/actors/backup.h"

#define PASSWORD_MAX 1024u

static void put_report(struct cli *cli, const struct backup_report *report) {
	cli_put_u64(cli, "files", report->files);
	cli_put_u64(cli, "bytes", report->bytes);
}

static enum status cmd_home_backup(struct cli *cli, struct err *err) {
	const struct keystore_cost *cost = cli_flag(cli, "light-kdf") ? &keystore_cost_light : &keystore_cost_standard;
	struct backup_report report;
	struct buf password;
	buf_init(&password, PASSWORD_MAX);
	enum status status = cli_password(&password, cli_value(cli, "password-file"), err);
	struct home *home = NULL;
	const char *directory;
	if (status == STATUS_OK) status = cli_home_directory(cli, &directory, err);
	/* A backup that the password does not open would be none. */
	if (status == STATUS_OK) status = home_open(&home, directory, buf_view(&password), err);
	if (status == STATUS_OK)
		status = backup_make(&report, home, cli->arguments[0], buf_view(&password), cost, &world_random, err);
	buf_wipe(&password);
	home_close(home);
	TRY(status);
	cli_put_text(cli, "backup", cli->arguments[0]);
	put_report(cli, &report);
	return STATUS_OK;
}

const struct cli_command command_home_backup = {
    .name = "home backup",
    .arguments = "OUT",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "write the whole data folder into one sealed file",
    .teach = "The file is sealed under the wallet's password, and any change of it is noticed. Other programs may\n"
	     "use the home meanwhile. What can be made anew from the chain is left out.\n\n"
	     "  xinglin home backup hospital-a.backup --home hospital-a",
    .options = {{"home", "DIR", "the actor's data folder (or XINGLIN_HOME)"},
	{"password-file", "FILE", "whose first line opens the wallet (or XINGLIN_PASSWORD)"},
	{"light-kdf", NULL, "a quick key derivation: for tests and demonstrations"}},
    .run = cmd_home_backup,
};

static enum status cmd_home_restore(struct cli *cli, struct err *err) {
	struct backup_report report;
	struct buf password;
	const char *directory;
	TRY(cli_home_directory(cli, &directory, err));
	buf_init(&password, PASSWORD_MAX);
	enum status status = cli_password(&password, cli_value(cli, "password-file"), err);
	if (status == STATUS_OK)
		status = backup_restore(&report, directory, cli->arguments[0], buf_view(&password), &world_random, err);
	if (status == STATUS_OK) status = home_open(&cli->request.home, directory, buf_view(&password), err);
	buf_wipe(&password);
	TRY(status);
	cli_put_text(cli, "home", directory);
	cli_put_address(cli, "account", &cli->request.home->account);
	put_report(cli, &report);
	cli_put_u64(cli, "transactionsThatGoOn", report.outbox_kept);
	cli_put_u64(cli, "transactionsDropped", report.outbox_dropped);
	if (report.outbox_dropped)
		cli_say(cli,
		    "%zu transactions waited unsigned when the backup was made. They are dropped, because the "
		    "original home may have sent them: look whether the chain has them.",
		    report.outbox_dropped);
	return STATUS_OK;
}

const struct cli_command command_home_restore = {
    .name = "home restore",
    .arguments = "BACKUP",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "make a data folder from a backup",
    .teach = "The folder must not exist, or be empty. Stop using the original home first: two homes with one\n"
	     "account hinder each other. The restored home asks the chain what happened since the backup before it\n"
	     "signs anything.\n\n"
	     "  xinglin home restore hospital-a.backup --home hospital-a",
    .options = {{"home", "DIR", "the folder to make (or XINGLIN_HOME)"},
	{"password-file", "FILE", "whose first line opened the wallet (or XINGLIN_PASSWORD)"}},
    .run = cmd_home_restore,
};
