/* xinglin home unlock, home lock: a home whose commands need no password for a while. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/serve/unlocked.h"
#include "app/system.h"
#include "net/http_client.h"

#define PASSWORD_MAX 1024u
#define MINUTES_DEFAULT 480u /* a working day */
#define MINUTES_MAX 10080u   /* a week */
_Static_assert(CLI_NOT_RUN == UNLOCKED_NOT_MINE, "one says it to the other");

static enum status open_home(struct cli *cli, struct home **out, struct err *err) {
	struct buf password;
	const char *directory;
	char whole[PATH_MAX];
	TRY(cli_home_directory(cli, &directory, err));
	if (!realpath(directory, whole))
		return err_set(err, STATUS_NOTFOUND, "cannot open %s: %s", directory, strerror(errno));
	buf_init(&password, PASSWORD_MAX);
	enum status status = cli_password(&password, cli_value(cli, "password-file"), err);
	if (status == STATUS_OK) status = home_open(out, whole, buf_view(&password), err);
	buf_wipe(&password);
	return status;
}

/* Away from the terminal and the folder where it was started. */
static enum status leave(struct err *err) {
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++) BUG_ON(nothing < 0 || dup2(nothing, i) != i);
	if (setsid() >= 0 && chdir("/") == 0) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot leave the terminal: %s", strerror(errno));
}

static enum status serve(struct cli *cli, int listener, int ready, uint64_t minutes, struct err *err) {
	http_client_global_init(); /* once, for the processes of all commands */
	return unlocked_serve(listener, ready, cli->request.home, (uint32_t)minutes * 60, cli_run_unlocked, err);
}

/* In a process that stays, once it listens; this one goes on to its report. */
static enum status serve_behind(struct cli *cli, int listener, uint64_t minutes, struct err *err) {
	char byte;
	int ready[2];
	fflush(NULL);
	if (pipe2(ready, O_CLOEXEC) != 0) return err_set(err, STATUS_IO, "cannot make a pipe: %s", strerror(errno));
	const pid_t child = fork();
	if (child < 0) return err_set(err, STATUS_IO, "cannot start a process: %s", strerror(errno));
	if (child == 0) {
		cli->has_reported = true;
		TRY(leave(err));
		return serve(cli, listener, ready[1], minutes, err);
	}
	close(listener);
	close(ready[1]);
	const bool is_ready = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return is_ready ? STATUS_OK : err_set(err, STATUS_IO, "the process that was to keep the wallet open ended");
}

static enum status cmd_home_unlock(struct cli *cli, struct err *err) {
	uint64_t minutes;
	int listener;
	TRY(cli_u64(cli, &minutes, "minutes", MINUTES_DEFAULT, err));
	if (minutes == 0 || minutes > MINUTES_MAX)
		return err_set(err, STATUS_INVALID, "--minutes takes 1 to %u", MINUTES_MAX);
	TRY(open_home(cli, &cli->request.home, err));
	TRY(unlocked_bind(&listener, cli->request.home, err));
	cli_put_text(cli, "home", cli->request.home->directory);
	cli_put_address(cli, "account", &cli->request.home->account);
	cli_put_time(cli, "until", clock_now_ms(&world_clock) / 1000 + minutes * 60);
	if (!cli_flag(cli, "foreground")) return serve_behind(cli, listener, minutes, err);
	cli->has_reported = true;
	return serve(cli, listener, -1, minutes, err);
}

const struct cli_command command_home_unlock = {
    .name = "home unlock",
    .arguments = "",
    .summary = "open the wallet once, for all commands of the next hours",
    .teach = "A process keeps the wallet open. Commands of the same user on this home go through it: they need no\n"
	     "password, and begin at once. Whoever can act as this user can then act as the home. What shows the\n"
	     "wallet itself (wallet phrase, home backup) asks for the password still.\n\n"
	     "  xinglin home unlock --home pharmacy --minutes 480\n"
	     "  xinglin pack verify \"]d201040123456789012112345\" --home pharmacy\n"
	     "  xinglin home lock --home pharmacy",
    .options = {{"home", "DIR", "the actor's data folder (or XINGLIN_HOME)"},
	{"password-file", "FILE", "whose first line opens the wallet (or XINGLIN_PASSWORD)"},
	{"minutes", "N", "locks itself after so long: 480 if not given, at most 10080"},
	{"foreground", NULL, "do not leave the terminal: for a service manager"}},
    .run = cmd_home_unlock,
};

static enum status cmd_home_lock(struct cli *cli, struct err *err) {
	const char *directory;
	TRY(cli_home_directory(cli, &directory, err));
	TRY(unlocked_end(directory, err));
	cli_put_text(cli, "locked", directory);
	return STATUS_OK;
}

const struct cli_command command_home_lock = {
    .name = "home lock",
    .arguments = "",
    .summary = "end what home unlock began: commands need the password again",
    .teach = "Commands that run go on to their end.\n\n"
	     "  xinglin home lock --home pharmacy",
    .options = {{"home", "DIR", "the actor's data folder (or XINGLIN_HOME)"}},
    .run = cmd_home_lock,
};
