/* xinglin signer: keeps a validator's key apart from CometBFT. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/serve/lifecycle.h"
#include "app/serve/signer.h"
#include "codec/hex.h"

static enum status run(void *signer, struct err *err) {
	return signer_run(signer, err);
}

static void stop(void *signer) {
	signer_stop(signer);
}

static void report(struct cli *cli, const struct signer *signer, const char *socket) {
	const unsigned long long height = signer_height(signer);
	const hash32 key = signer_validator_key(signer);
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, BYTES_OF(key), true);
	if (cli->json)
		printf("{\"height\":%llu,\"key\":\"%s\"}\n", height, buf_cstr(&text));
	else
		printf("xinglin signer signs above height %llu for %s\nwith the key %s\nCtrl-C stops it.\n", height,
		    socket, buf_cstr(&text));
	fflush(stdout);
	buf_fini(&text);
}

static enum status cmd_signer(struct cli *cli, struct err *err) {
	struct signer_options options = {.key = cli_value(cli, "key")};
	struct signer *signer = NULL;
	uint64_t port;
	TRY(cli_need(cli, &options.home, "home", err));
	TRY(cli_need(cli, &options.socket, "socket", err));
	TRY(cli_u64(cli, &options.above, "above", 0, err));
	TRY(cli_u64(cli, &port, "ops-port", 0, err));
	if (port > UINT16_MAX) return err_set(err, STATUS_INVALID, "--ops-port is at most %u", UINT16_MAX);
	options.ops_port = (uint16_t)port;
	lifecycle_begin();
	TRY(signer_open(&signer, &options, err));
	report(cli, signer, options.socket);
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
	     "goes out. A copy of DIR signs nothing, unless --above says from where on. With --key, a PKCS #11 token\n"
	     "holds the key, and the file has its public half alone. The PIN stands in a file, never in the URI.\n\n"
	     "  xinglin signer --home signer1 --socket /run/xinglin/signer.sock",
    .options = {{"home", "DIR", "config/priv_validator_key.json and data/priv_validator_state.json"},
	{"socket", "PATH", "where CometBFT listens for its signer"},
	{"key", "URI", "pkcs11:token=…;object=…?module-path=/…&pin-source=file:/… (RFC 7512)"},
	{"ops-port", "PORT", "serves /livez, /readyz and /metrics at 127.0.0.1"},
	{"above", "HEIGHT", "DIR is a copy, the original is gone, and the key signs above this height"}},
    .run = cmd_signer,
};
