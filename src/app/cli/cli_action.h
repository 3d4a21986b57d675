/* Inside app/: what a command does with an action that it has signed: written to a file, for any listed actor to relay,
 * or sent at once as this home's account. */
#ifndef APP_CLI_CLI_ACTION_H
#define APP_CLI_CLI_ACTION_H

#include "app/cli/cli.h"
#include "health/actors/action.h"

#define ACTION_OPTIONS                                                                                                 \
	{"out", "FILE", "write the signed action here; any listed actor sends it: xinglin relay FILE"}, {              \
		"send", NULL, "send it at once, as this home's account (a listed actor, or the folder's controller)"   \
	}

/* Exactly one of --out and --send. */
MUST_USE enum status cli_action_options(const struct cli *cli, struct err *err);
MUST_USE enum status cli_action_write(
    struct cli *cli, const char *name, const struct action *action, const char *path, struct err *err);
/* Asks the person at the terminal, unless --yes was given; without a terminal there is nobody to ask. STATUS_DENIED:
 * the answer is not "yes". */
MUST_USE enum status cli_action_confirm(const struct cli *cli, const struct statement_call *call, struct err *err);
/* The receipt goes into the report under `name`. */
MUST_USE enum status cli_action_send(struct cli *cli, const char *name, const struct action *action, struct err *err);
/* The one that the options ask for. */
MUST_USE enum status cli_action_finish(struct cli *cli, const char *name, const struct action *action, struct err *err);

#endif
