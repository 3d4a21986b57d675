/* Inside app/: the commands that the cmd_*.c files define; commands.c lists them in the order of help. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "app/cli.h"

extern const struct cli_command command_init, command_node, command_dev;

#endif
