/* Inside app/commands: what the commands that run a node share. */
#ifndef APP_COMMANDS_NODE_COMMAND_H
#define APP_COMMANDS_NODE_COMMAND_H

#include "app/commands/service.h"
#include "app/serve/node.h"

#define GENESIS_OUT_MAX ((size_t)1 << 20)
/* Room for all that comes in a second: so far apart are blocks where the chain's time is at its bound (solo.h). */
#define BLOCK_GAS_DEFAULT 1000000000u

/* DATA/genesis.json. */
MUST_USE enum status genesis_path(char *out, size_t size, const char *data, struct err *err);
/* Borrows texts of the settings. */
void node_take_settings(struct node_options *out, struct settings *settings);
/* The ready line: for a person, or one JSON object. */
struct node_report {
	struct node *node;
	const struct node_options *options;
	const char *gateway, *token, *folder; /* NULL: there is no gateway beside it */
	const char *gtin;                     /* NULL: there is no product */
	const char *issuer;                   /* of tokens for the gateway, beside it */
	const char *certificate;              /* of the gateway, to be trusted by its clients; NULL: none was made */
};
void node_report(struct cli *cli, const struct node_report *report);
/* Opens it, reports, and serves until a signal. */
MUST_USE enum status node_command_run(
    struct cli *cli, const struct node_options *options, const struct settings_source *source, struct err *err);

#endif
