/* xinglin witness: executes every block of a node, and signs heads for those who believe k of n. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/commands/service.h"
#include "app/serve/lifecycle.h"
#include "app/serve/witness.h"
#include "app/system.h"
#include "base/http_uri.h"
#include "eth/types.h"

static enum status run(void *witness, struct err *err) {
	return witness_run(witness, err);
}

static void stop(void *witness) {
	witness_stop(witness);
}

static bool reload(void *witness, struct settings *fresh) {
	const struct tls_files tls = service_tls_files(fresh);
	struct err err;
	enum status status = witness_reload_tls(witness, &tls, &err);
	if (status != STATUS_OK)
		log_error("witness", "the TLS files are not taken, the old ones serve on: %s", err.message);
	witness_reload(witness, settings_number(fresh, "min-free-mb") << 20);
	return status == STATUS_OK;
}

static bool is_alive(void *witness) {
	return witness_is_alive(witness);
}

static void take_settings(struct witness_options *out, struct settings *settings) {
	*out = (struct witness_options){.data = settings_text(settings, "data"),
	    .node = settings_text(settings, "node"),
	    .genesis = settings_text(settings, "genesis"),
	    .poll_ms = (uint32_t)settings_number(settings, "poll-ms"),
	    .follow_order = settings_number(settings, "follow-order") != 0,
	    .http_address = settings_text(settings, "http-addr"),
	    .http_port = (uint16_t)settings_number(settings, "http-port"),
	    .vhosts = settings_list(settings, "http-vhosts"),
	    .tls = service_tls_files(settings),
	    .drain_ms = (uint32_t)settings_number(settings, "drain-ms"),
	    .metrics_address = settings_text(settings, "metrics-addr"),
	    .metrics_port = (uint16_t)settings_number(settings, "metrics-port"),
	    .min_free_bytes = settings_number(settings, "min-free-mb") << 20};
}

static void report(struct cli *cli, const struct witness *witness, const struct witness_options *options) {
	const addr20 account = witness_account(witness);
	char account_text[43];
	struct buf url;
	buf_init(&url, 256);
	http_origin_write(&url, options->tls.cert != NULL, options->http_address, witness_port(witness));
	address_checksum(account_text, &account);
	if (cli->json)
		printf("{\"rpc\":\"%s\",\"witness\":\"%s\",\"head\":%llu}\n", buf_cstr(&url), account_text,
		    (unsigned long long)witness_head_number(witness));
	else
		printf(
		    "xinglin witness is listening on %s\n  witness %s\n  head    block %llu\nCtrl-C stops it; the next "
		    "start goes on.\n",
		    buf_cstr(&url), account_text, (unsigned long long)witness_head_number(witness));
	fflush(stdout);
	buf_fini(&url);
	cli->has_reported = true;
}

static enum status run_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct witness *witness = NULL;
	struct witness_options options;
	take_settings(&options, settings);
	if (!options.data) return err_set(err, STATUS_INVALID, "--data is needed; see: xinglin witness --help");
	lifecycle_begin();
	TRY(witness_open(&witness, &options, err));
	report(cli, witness, &options);
	struct service service = {"witness", witness, run, stop, reload, is_alive, NULL};
	enum status status = lifecycle_run(&service, &(struct lifecycle_options){source, options.drain_ms}, err);
	witness_close(witness);
	cli_say(cli, "stopped; every block that it signed is on disk");
	return status;
}

static enum status cmd_witness(struct cli *cli, struct err *err) {
	struct settings settings;
	struct settings_source source = service_source(cli, &witness_section);
	enum status status = service_settings(&settings, &source, err);
	if (status == STATUS_OK) status = run_with(cli, &settings, &source, err);
	settings_fini(&settings);
	return status;
}

const struct cli_command command_witness = {
    .name = "witness",
    .arguments = "",
    .summary = "execute every block of a node, and sign heads for those who ask",
    .teach = "Whoever runs it depends on no node: it fetches blocks, checks and executes each in its own folder,\n"
	     "and signs the newest with a key of its own (DIR/node.key). A deployment names witnesses and how many\n"
	     "must sign (xinglin deploy --witnesses); homes that trust it believe no head without them. It never\n"
	     "signs two blocks of one height.\n\n"
	     "  xinglin witness --data witness1 --genesis genesis.json --node http://127.0.0.1:8545",
    .settings = &witness_section,
    .run = cmd_witness,
};
