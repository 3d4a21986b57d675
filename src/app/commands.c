#include "app/commands.h"

const struct cli_command *const cli_commands[] = {
    &command_init,
    &command_node,
    &command_dev,
    &command_deploy,
    &command_wallet_new,
    &command_wallet_show,
    &command_wallet_phrase,
    &command_trust,
    &command_actor_request,
    &command_actor_endorse,
    &command_actor_list,
    &command_actor_show,
    &command_actor_publish_key,
    NULL,
};
