/* xinglin signer: keeps a validator's key apart from CometBFT. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/serve/lifecycle.h"
#include "app/serve/signer.h"

static enum status run(void *signer, struct err *err) {
	return signer_run(signer, err);
}

static void stop(void *signer) {
	signer_stop(signer);
}

static enum status cmd_signer(struct cli *cli, struct err *err) {
	const char *home, *socket;
	uint64_t above;
	struct signer *signer = NULL;
	TRY(cli_need(cli, &home, "home", err));
	TRY(cli_need(cli, &socket, "socket", err));
	TRY(cli_u64(cli, &above, "above", 0, err));
	lifecycle_begin();
	TRY(signer_open(&signer, home, socket, above, err));
	const unsigned long long height = signer_height(signer);
	if (cli->json)
		printf("{\"height\":%llu}\n", height);
	else
		printf("xinglin signer signs above height %llu for %s\nCtrl-C stops it.\n", height, socket);
	fflush(stdout);
	cli->has_reported = true;
	const struct service service = {.name = "signer", .context = signer, .run = run, .stop = stop};
	const enum status status = lifecycle_run(&service, &(struct lifecycle_options){NULL, 0}, err);
	signer_close(signer);
	return status;
}

const struct cli_command command_signer = {
    .name = "signer",
    .arguments = "",
    .summary = "hold a validator's key for CometBFT, and never sign twice",
    .teach = "Dials the unix socket that CometBFT's priv_validator_laddr names (config.toml), and signs what it asks\n"
	     "with the key in DIR/config/priv_validator_key.json. What was signed is on the disk before the answer\n"
	     "goes out. A copy of DIR signs nothing, unless --above says from where on.\n\n"
	     "  xinglin signer --home signer1 --socket /run/xinglin/signer.sock",
    .options = {{"home", "DIR", "config/priv_validator_key.json and data/priv_validator_state.json"},
	{"socket", "PATH", "where CometBFT listens for its signer"},
	{"above", "HEIGHT", "DIR is a copy, the original is gone, and the key signs above this height"}},
    .run = cmd_signer,
};
