/* xinglin dev: a development chain, and beside it a gateway with an organisation of its own. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/commands/node_command.h"
#include "app/serve/dev_certificate.h"
#include "app/serve/dev_issuer.h"
#include "app/serve/dev_world.h"
#include "app/serve/gateway_service.h"
#include "app/serve/lifecycle.h"
#include "app/system.h"
#include "base/files.h"
#include "base/http_uri.h"
#include "codec/hex.h"

#define DEV_WORKERS 16u
#define DEV_REQUEST_MS 30000u
#define DEV_DRAIN_MS 5000u

/* With a gateway, its organisation deploys, and has ether too. */
static enum status dev_genesis(struct buf *out, const struct dev_accounts *accounts, const addr20 *sealer,
    const addr20 *organisation, struct err *err) {
	addr20 funded[DEV_ACCOUNT_COUNT + 1];
	memcpy(funded, accounts->addresses, sizeof accounts->addresses);
	if (organisation) funded[DEV_ACCOUNT_COUNT] = *organisation;
	struct genesis_plan plan = {.chain_id = DEV_CHAIN_ID,
	    .sealer = *sealer,
	    .deployer = organisation ? *organisation : accounts->addresses[DEV_DEPLOYER],
	    .gas_limit = BLOCK_GAS_DEFAULT,
	    .funded = funded,
	    .funded_count = organisation ? DEV_ACCOUNT_COUNT + 1 : DEV_ACCOUNT_COUNT};
	genesis_write(out, &plan);
	return buf_status(out, err);
}

/* A new folder gets a key and a genesis; one that has them keeps them. */
static enum status prepare_dev(
    const char *data, const struct dev_accounts *accounts, const addr20 *organisation, struct err *err) {
	char path[4096];
	hash32 secret;
	addr20 sealer;
	TRY(genesis_path(path, sizeof path, data, err));
	if (access(path, F_OK) == 0) return STATUS_OK;
	TRY(node_key(&secret, data, &world_random, err));
	enum status status = address_of_secret(&sealer, &secret);
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	struct buf genesis;
	buf_init(&genesis, GENESIS_OUT_MAX);
	status = dev_genesis(&genesis, accounts, &sealer, organisation, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&genesis), err);
	buf_fini(&genesis);
	return status;
}

static void print_dev_accounts(struct cli *cli, const struct dev_accounts *accounts) {
	cli_say(cli,
	    "development chain %u: ten accounts of \"test test … junk\" with 10,000 ether each; never use these keys "
	    "elsewhere",
	    DEV_CHAIN_ID);
	for (uint32_t i = 0; i < DEV_ACCOUNT_COUNT; i++) {
		char text[43];
		address_checksum(text, &accounts->addresses[i]);
		cli_say(cli, "  (%u) %s", i, text);
	}
}

/* --- with a gateway --- */

/* Two services, one life. */
struct dev_pair {
	struct node *node;
	struct gateway_service *gateway;
	struct dev_issuer *issuer;
	struct dev_world world;
	struct tls_files tls; /* the gateway's; cert NULL: plain HTTP */
	uint16_t port;        /* the same */
	pthread_t node_thread;
	enum status node_status; /* read after it was joined */
	struct err node_err;
};

static void *run_dev_node(void *context) {
	struct dev_pair *pair = context;
	pair->node_status = node_run(pair->node, &pair->node_err);
	if (pair->gateway) gateway_service_stop(pair->gateway);
	return NULL;
}

/* The gateway ends first: what it has in flight still needs the node. */
static enum status run_pair(void *context, struct err *err) {
	struct dev_pair *pair = context;
	return gateway_service_run(pair->gateway, err);
}

static void stop_pair(void *context) {
	struct dev_pair *pair = context;
	gateway_service_stop(pair->gateway);
}

static enum status open_dev_gateway(struct dev_pair *pair, const char *url, struct err *err) {
	static const char *const any_page[] = {"*", NULL};
	const char *const nodes[] = {url, NULL};
	TRY(dev_world_populate(&pair->world, url, err));
	TRY(dev_issuer_open(&pair->issuer, err));
	const struct gateway_service_options options = {.home = pair->world.home,
	    .password = buf_view(&pair->world.password),
	    .nodes = nodes,
	    .tokens = pair->world.tokens,
	    .oauth.issuer = {.issuer = dev_issuer_url(pair->issuer),
		.audience = DEV_ISSUER_AUDIENCE,
		.subject_claims = ISSUER_SUBJECT_CLAIMS,
		.organisation_claims = ISSUER_ORGANISATION_CLAIMS,
		.purpose_claims = ISSUER_PURPOSE_CLAIMS,
		.patient_claims = ISSUER_PATIENT_CLAIMS,
		.purpose = "TREAT"},
	    .hooks.reach = HTTP_REACH_LOOPBACK,
	    .cors_origins = any_page,
	    .http_address = "127.0.0.1",
	    .http_port = pair->port,
	    .tls = pair->tls,
	    .workers = DEV_WORKERS,
	    .request_ms = DEV_REQUEST_MS,
	    .drain_ms = DEV_DRAIN_MS};
	return gateway_service_open(&pair->gateway, &options, err);
}

static enum status serve_pair(
    struct cli *cli, struct dev_pair *pair, const struct node_options *options, struct err *err) {
	struct buf url, gateway, folder;
	const struct service service = {.name = "dev", .context = pair, .run = run_pair, .stop = stop_pair};
	buf_init(&url, 256);
	buf_init(&gateway, 256);
	buf_init(&folder, 128);
	http_origin_write(
	    &url, false, options->http_address ? options->http_address : "127.0.0.1", node_port(pair->node));
	enum status status = open_dev_gateway(pair, buf_cstr(&url), err);
	if (status == STATUS_OK) {
		http_origin_write(&gateway, pair->tls.cert != NULL, "127.0.0.1", gateway_service_port(pair->gateway));
		hex_put(&folder, BYTES_OF(pair->world.folder), true);
		node_report(cli, &(struct node_report){.node = pair->node,
				     .options = options,
				     .gateway = buf_cstr(&gateway),
				     .token = pair->world.token,
				     .issuer = dev_issuer_url(pair->issuer),
				     .folder = buf_cstr(&folder),
				     .gtin = pair->world.gtin,
				     .certificate = pair->tls.cert == pair->world.cert ? pair->world.cert : NULL});
		status = lifecycle_run(&service, &(struct lifecycle_options){.drain_ms = DEV_DRAIN_MS}, err);
	}
	buf_fini(&url);
	buf_wipe(&gateway);
	buf_fini(&folder);
	return status;
}

static enum status run_both(
    struct cli *cli, struct dev_pair *pair, const struct node_options *options, struct err *err) {
	lifecycle_begin();
	TRY(node_open(&pair->node, options, err));
	if (pthread_create(&pair->node_thread, NULL, run_dev_node, pair) != 0) {
		node_close(pair->node);
		return err_set(err, STATUS_INTERNAL, "cannot start the node's thread");
	}
	enum status status = serve_pair(cli, pair, options, err);
	node_stop(pair->node);
	pthread_join(pair->node_thread, NULL);
	gateway_service_close(pair->gateway);
	dev_issuer_close(pair->issuer);
	node_close(pair->node);
	if (pair->node_status == STATUS_OK) return status;
	if (err) *err = pair->node_err;
	return pair->node_status;
}

/* --- dev --- */

/* The TLS settings are the gateway's: it asks its node over plain HTTP, on this machine. */
static enum status take_tls(struct cli *cli, struct dev_pair *pair, struct node_options *options, struct err *err) {
	bool is_wanted =
	    cli_flag(cli, "gateway-tls") || options->tls.cert || options->tls.key || options->tls.client_ca;
	pair->tls = options->tls;
	options->tls = (struct tls_files){0};
	if (!is_wanted || pair->tls.cert) return STATUS_OK;
	if (pair->tls.key) return err_set(err, STATUS_INVALID, "--tls-key is of a certificate: --tls-cert is needed");
	pair->tls.cert = pair->world.cert;
	pair->tls.key = pair->world.cert_key;
	return dev_certificate_write(pair->world.cert, pair->world.cert_key, &world_random, &world_clock, err);
}

static enum status dev_with_gateway(
    struct cli *cli, struct node_options *options, const struct dev_accounts *accounts, struct err *err) {
	struct dev_pair pair = {.node = NULL};
	uint64_t port;
	TRY(cli_u64(cli, &port, "gateway-port", 0, err));
	if (port > UINT16_MAX) return err_set(err, STATUS_INVALID, "--gateway-port takes 0 to 65535");
	pair.port = (uint16_t)port;
	enum status status = dev_world_begin(&pair.world, options->data, err);
	options->unhurried = &pair.world.account;
	if (status == STATUS_OK) status = prepare_dev(options->data, accounts, &pair.world.account, err);
	if (status == STATUS_OK) status = take_tls(cli, &pair, options, err);
	print_dev_accounts(cli, accounts);
	if (status == STATUS_OK) status = run_both(cli, &pair, options, err);
	dev_world_end(&pair.world);
	return status;
}

/* Without a word about it, there is a gateway: but not on a chain that was made without one, nor if blocks are slow to
 * come, nor if TLS settings or keys of JSON-RPC are meant for the node. */
static bool wants_gateway(struct cli *cli, const struct node_options *options) {
	char genesis[4096], gateway[4096];
	if (cli_flag(cli, "gateway")) return true;
	if (cli_flag(cli, "bare") || options->interval_ms || options->jwt_keys || options->tls.cert ||
	    options->tls.key || options->tls.client_ca)
		return false;
	if (genesis_path(genesis, sizeof genesis, options->data, NULL) != STATUS_OK) return false;
	snprintf(gateway, sizeof gateway, "%s/gateway", options->data);
	return access(genesis, F_OK) != 0 || access(gateway, F_OK) == 0;
}

static enum status dev_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct dev_accounts accounts;
	struct node_options options = {0};
	char temporary[] = "/tmp/xinglin-dev-XXXXXX";
	node_take_settings(&options, settings);
	options.dev_accounts = &accounts;
	options.client_version = cli_value(cli, "client-version");
	if (!options.data && !(options.data = mkdtemp(temporary)))
		return err_set(err, STATUS_IO, "cannot make a temporary folder: %s", strerror(errno));
	TRY(files_make_folder(options.data, err));
	TRY(dev_accounts_make(&accounts, err));
	if (cli_flag(cli, "gateway") && cli_flag(cli, "bare"))
		return err_set(err, STATUS_INVALID, "--gateway and --bare exclude each other");
	if (cli_flag(cli, "gateway") && options.jwt_keys)
		return err_set(err, STATUS_INVALID, "a development chain's gateway has no token for rpc-jwt-keys");
	if (wants_gateway(cli, &options)) return dev_with_gateway(cli, &options, &accounts, err);
	if (cli_flag(cli, "gateway-tls"))
		return err_set(err, STATUS_INVALID, "--gateway-tls is of a gateway, and there is none here");
	TRY(prepare_dev(options.data, &accounts, NULL, err));
	print_dev_accounts(cli, &accounts);
	return node_command_run(cli, &options, source, err);
}

static enum status cmd_dev(struct cli *cli, struct err *err) {
	struct settings settings;
	struct settings_source source = service_source(cli, &node_section);
	enum status status = service_settings(&settings, &source, err);
	if (status == STATUS_OK) status = dev_with(cli, &settings, &source, err);
	settings_fini(&settings);
	return status;
}

const struct cli_command command_dev = {
    .name = "dev",
    .arguments = "",
    .summary = "run a development chain with ten funded accounts (chain id 31337)",
    .teach = "For developers: the accounts of the well-known phrase \"test test … junk\", mainnet's gas rules, a\n"
	     "block as soon as a transaction comes. Beside the chain runs a gateway (FHIR and records), whose\n"
	     "organisation is listed and may do everything: the report names its URLs and a token. Without --data\n"
	     "the chain lives in a new folder under /tmp, whose name is printed.\n\n"
	     "  xinglin dev\n"
	     "  xinglin dev --data mychain --http-port 9545\n"
	     "  xinglin dev --bare",
    .options = {{"bare", NULL, "the chain alone: empty at its start, without a gateway"},
	{"gateway", NULL,
	    "with a gateway, also with --block-ms or --tls-cert; refused on a chain that began without one"},
	{"gateway-port", "N", "the gateway's port; 0: any free one (default 0)"},
	{"gateway-tls", NULL,
	    "serve the gateway over HTTPS, with --tls-cert or else a certificate that is made for localhost"},
	{"client-version", "TEXT",
	    "what web3_clientVersion answers: Hardhat's network helpers want it to begin with anvil or hardhat"}},
    .settings = &node_section,
    .run = cmd_dev,
};
