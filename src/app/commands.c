#include "app/commands.h"

const struct cli_command *const cli_commands[] = {
    &command_init,
    &command_node,
    &command_dev,
    NULL,
};
