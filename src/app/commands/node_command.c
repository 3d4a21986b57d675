#include "app/commands/node_command.h"

#include <stdio.h>

#include "app/serve/lifecycle.h"
#include "app/system.h"
#include "base/http_uri.h"
#include "codec/hex.h"

enum status genesis_path(char *out, size_t size, const char *data, struct err *err) {
	if ((size_t)snprintf(out, size, "%s/genesis.json", data) < size) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
}

void node_report(struct cli *cli, const struct node_report *report) {
	struct node *running = report->node;
	const struct node_options *options = report->options;
	hash32 genesis = node_genesis_hash(running);
	const addr20 self = node_self(running);
	/* A member's node confirms and anchors, and seals nothing alone. */
	const char *role = node_seals(running) ? "sealer" : "member";
	char self_text[43];
	struct buf origin;
	buf_init(&origin, 256);
	http_origin_write(&origin, options->tls.cert != NULL,
	    options->http_address ? options->http_address : "127.0.0.1", node_port(running));
	const char *url = buf_cstr(&origin);
	address_checksum(self_text, &self);
	if (cli->json) {
		printf("{\"rpc\":\"%s\",\"%s\":\"%s\",\"head\":%llu", url, role, self_text,
		    (unsigned long long)node_head_number(running));
		if (report->gateway)
			printf(",\"gateway\":\"%s\",\"fhir\":\"%s/fhir\",\"epcis\":\"%s/epcis\",\"token\":\"%s\","
			       "\"folder\":\"%s\",\"issuer\":\"%s\"",
			    report->gateway, report->gateway, report->gateway, report->token, report->folder,
			    report->issuer);
		if (report->gtin) printf(",\"gtin\":\"%s\"", report->gtin);
		if (report->certificate) printf(",\"certificate\":\"%s\"", report->certificate);
		puts("}");
	} else {
		printf("xinglin is listening on %s\n  data    %s\n  %s  %s\n  genesis 0x", url, options->data, role,
		    self_text);
		for (size_t i = 0; i < 32; i++) printf("%02x", genesis.b[i]);
		printf("\n  head    block %llu\n", (unsigned long long)node_head_number(running));
		if (report->gateway)
			printf(
			    "  gateway %s\n  fhir    %s/fhir\n  epcis   %s/epcis\n  token   %s\n  issuer  %s\n  folder  %s\n",
			    report->gateway, report->gateway, report->gateway, report->token, report->issuer,
			    report->folder);
		if (report->gtin) printf("  gtin    %s\n", report->gtin);
		if (report->certificate) printf("  trust   %s\n", report->certificate);
		puts("Ctrl-C stops it; the next start continues the chain.");
	}
	fflush(stdout);
	buf_fini(&origin);
	cli->has_reported = true;
}

static enum status run(void *node, struct err *err) {
	return node_run(node, err);
}

static void stop(void *node) {
	node_stop(node);
}

static bool reload(void *node, struct settings *fresh) {
	const struct tls_files tls = service_tls_files(fresh);
	struct err err;
	enum status status = node_reload_tls(node, &tls, &err);
	if (status != STATUS_OK)
		log_error("node", "the TLS files are not taken, the old ones serve on: %s", err.message);
	const enum status keys = node_reload_jwt_keys(node, settings_text(fresh, "rpc-jwt-keys"), &err);
	if (keys != STATUS_OK)
		log_error("node", "the keys of JSON-RPC are not taken, the old ones serve on: %s", err.message);
	const enum status peers = node_reload_blob_peers(node, settings_list(fresh, "blob-peers"), &err);
	if (peers != STATUS_OK) log_error("node", "blob-peers are not taken, the old ones stay: %s", err.message);
	node_reload(node, settings_number(fresh, "min-free-mb") << 20);
	return status == STATUS_OK && keys == STATUS_OK && peers == STATUS_OK;
}

static bool is_alive(void *node) {
	return node_is_alive(node);
}

enum status node_command_run(
    struct cli *cli, const struct node_options *options, const struct settings_source *source, struct err *err) {
	struct node *node = NULL;
	lifecycle_begin();
	TRY(node_open(&node, options, err));
	struct service service = {"node", node, run, stop, reload, is_alive, NULL};
	node_report(cli, &(struct node_report){.node = node, .options = options});
	enum status status = lifecycle_run(&service, &(struct lifecycle_options){source, options->drain_ms}, err);
	node_close(node);
	cli_say(cli, "stopped; every block is on disk");
	return status;
}

void node_take_settings(struct node_options *out, struct settings *settings) {
	out->http_port = (uint16_t)settings_number(settings, "http-port");
	out->http_address = settings_text(settings, "http-addr");
	out->cors_origins = settings_list(settings, "http-corsdomain");
	out->tls = service_tls_files(settings);
	out->methods = settings_list(settings, "rpc-methods");
	out->jwt_keys = settings_text(settings, "rpc-jwt-keys");
	out->jwt_issuer = settings_text(settings, "rpc-jwt-issuer");
	out->jwt_audience = settings_text(settings, "rpc-jwt-audience");
	out->caller_requests = settings_number(settings, "rpc-caller-requests");
	out->caller_gas = settings_number(settings, "rpc-caller-gas");
	out->vhosts = settings_list(settings, "http-vhosts");
	out->interval_ms = (uint32_t)settings_number(settings, "block-ms");
	out->anchor_every_ms = (uint32_t)settings_number(settings, "anchor-ms");
	out->memory_bytes = settings_number(settings, "memory-mb") << 20;
	out->ping_interval_ms = (uint32_t)settings_number(settings, "ping-ms");
	out->gas_cap = settings_number(settings, "rpc-gascap");
	out->call_timeout_ms = (uint32_t)settings_number(settings, "rpc-evmtimeout");
	out->metrics_address = settings_text(settings, "metrics-addr");
	out->metrics_port = (uint16_t)settings_number(settings, "metrics-port");
	out->min_free_bytes = settings_number(settings, "min-free-mb") << 20;
	out->drain_ms = (uint32_t)settings_number(settings, "drain-ms");
	out->data = settings_text(settings, "data");
	out->comet_home = settings_text(settings, "comet-home");
	out->comet_program = settings_text(settings, "comet-program");
	out->blob_peers = settings_list(settings, "blob-peers");
	out->object_store = object_store_settings(settings);
	out->follow = settings_text(settings, "follow");
	out->follow_order = settings_number(settings, "follow-order") != 0;
	out->poll_ms = (uint32_t)settings_number(settings, "poll-ms");
	out->followers = settings_list(settings, "followers");
	out->snapshot_blocks = settings_number(settings, "snapshot-blocks");
	out->snapshots_kept = (uint32_t)settings_number(settings, "snapshots-kept");
	out->retention = (struct chain_retention){.blocks = settings_number(settings, "retain-blocks"),
	    .seconds = settings_number(settings, "retain-days") * 86400};
}
