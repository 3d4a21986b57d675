/* Inside app/: what --help prints, and what is said about a command or an option that does not exist. All of it comes
 * from the table of commands, from which tools/make-man makes the man page too. */
#ifndef APP_CLI_HELP_H
#define APP_CLI_HELP_H

#include <stdio.h>

#include "app/cli/cli.h"

/* The words at the front of a command line that may name a command: at most three, up to the first option. */
#define HELP_WORDS_MAX 3
#define HELP_NAME_MAX 96u

extern const struct cli_option help_home_options[]; /* of each command that needs a home */
#define HELP_HOME_OPTION_COUNT 3

/* All commands, by the people who need them. */
void help_all(FILE *out);
/* The commands whose names begin with the word `name`; false: there are none, and nothing is printed. */
bool help_group(FILE *out, const char *name);
void help_command(const struct cli_command *command);
/* To stderr: the commands that begin with `name`, or that there is none, with what may have been meant. */
void help_unknown_command(const char *name);
/* The option whose name is nearest to `name`, without "--"; NULL: no name is near. */
const char *help_nearest_option(const struct cli_command *command, const char *name);

#endif
