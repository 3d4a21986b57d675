/* xinglin init, node, dev: making and running a node. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/commands/service.h"
#include "app/serve/lifecycle.h"
#include "app/serve/node.h"
#include "app/system.h"
#include "base/http_uri.h"
#include "codec/hex.h"

#define GENESIS_OUT_MAX ((size_t)1 << 20)
/* Room for all that comes in a second: so far apart are blocks where the chain's time is at its bound (solo.h). */
#define BLOCK_GAS_DEFAULT 1000000000u

static void report_node(struct cli *cli, struct node *running, const struct node_options *options) {
	hash32 genesis = node_genesis_hash(running);
	addr20 sealer = node_sealer(running);
	char sealer_text[43];
	struct buf origin;
	buf_init(&origin, 256);
	http_origin_write(
	    &origin, false, options->http_address ? options->http_address : "127.0.0.1", node_port(running));
	const char *url = buf_cstr(&origin);
	address_checksum(sealer_text, &sealer);
	if (cli->json) {
		printf("{\"rpc\":\"%s\",\"sealer\":\"%s\",\"head\":%llu}\n", url, sealer_text,
		    (unsigned long long)node_head_number(running));
	} else {
		printf("xinglin is listening on %s\n  data    %s\n  sealer  %s\n  genesis 0x", url, options->data,
		    sealer_text);
		for (size_t i = 0; i < 32; i++) printf("%02x", genesis.b[i]);
		printf("\n  head    block %llu\nCtrl-C stops it; the next start continues the chain.\n",
		    (unsigned long long)node_head_number(running));
	}
	fflush(stdout);
	buf_fini(&origin);
}

static enum status run(void *node, struct err *err) {
	return node_run(node, err);
}

static void stop(void *node) {
	node_stop(node);
}

static void reload(void *node, const struct settings *fresh) {
	node_reload(node, settings_number(fresh, "min-free-mb") << 20);
}

static bool is_alive(void *node) {
	return node_is_alive(node);
}

static enum status run_node(
    struct cli *cli, const struct node_options *options, const struct settings_source *source, struct err *err) {
	struct node *node = NULL;
	lifecycle_begin();
	TRY(node_open(&node, options, err));
	struct service service = {"node", node, run, stop, reload, is_alive};
	report_node(cli, node, options);
	cli->has_reported = true;
	enum status status = lifecycle_run(&service, &(struct lifecycle_options){source, options->drain_ms}, err);
	node_close(node);
	cli_say(cli, "stopped; every block is on disk");
	return status;
}

static void take_settings(struct node_options *out, struct settings *settings) {
	out->http_port = (uint16_t)settings_number(settings, "http-port");
	out->http_address = settings_text(settings, "http-addr");
	out->cors_origins = settings_list(settings, "http-corsdomain");
	out->vhosts = settings_list(settings, "http-vhosts");
	out->interval_ms = (uint32_t)settings_number(settings, "block-ms");
	out->memory_bytes = settings_number(settings, "memory-mb") << 20;
	out->ping_interval_ms = (uint32_t)settings_number(settings, "ping-ms");
	out->gas_cap = settings_number(settings, "rpc-gascap");
	out->call_timeout_ms = (uint32_t)settings_number(settings, "rpc-evmtimeout");
	out->metrics_address = settings_text(settings, "metrics-addr");
	out->metrics_port = (uint16_t)settings_number(settings, "metrics-port");
	out->min_free_bytes = settings_number(settings, "min-free-mb") << 20;
	out->drain_ms = (uint32_t)settings_number(settings, "drain-ms");
	out->data = settings_text(settings, "data");
}

static enum status run_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct node_options options = {0};
	take_settings(&options, settings);
	if (!options.data) return err_set(err, STATUS_INVALID, "--data is needed; see: xinglin node --help");
	options.test_methods = cli_flag(cli, "test-methods");
	if (options.test_methods && options.interval_ms != 0)
		return err_set(err, STATUS_INVALID, "--test-methods seals nothing: it does not go with --block-ms");
	return run_node(cli, &options, source, err);
}

static enum status cmd_node(struct cli *cli, struct err *err) {
	struct settings settings;
	struct settings_source source = service_source(cli, &node_section);
	enum status status = service_settings(&settings, &source, err);
	if (status == STATUS_OK) status = run_with(cli, &settings, &source, err);
	settings_fini(&settings);
	return status;
}

const struct cli_command command_node = {
    .name = "node",
    .arguments = "",
    .summary = "run a node: JSON-RPC, sealing, blobs",
    .teach = "Runs the chain whose genesis is in DIR/genesis.json (see: xinglin init). One process a folder.\n"
	     "A receipt that was shown survives power loss; a transaction hash that was returned survives kill -9.\n"
	     "Settings also come from a file (--config) and from the environment (XINGLIN_NODE_HTTP_PORT).\n\n"
	     "  xinglin init --data node1 --deployer 0x…\n  xinglin node --data node1",
    .options = {{"test-methods", NULL,
	"for conformance tests: serve testing_buildBlockV1, and seal nothing of what is sent"}},
    .settings = &node_section,
    .run = cmd_node,
};

/* --- dev --- */

static enum status dev_genesis(
    struct buf *out, const struct dev_accounts *accounts, const addr20 *sealer, struct err *err) {
	struct genesis_plan plan = {.chain_id = DEV_CHAIN_ID,
	    .sealer = *sealer,
	    .deployer = accounts->addresses[DEV_DEPLOYER],
	    .gas_limit = BLOCK_GAS_DEFAULT,
	    .funded = accounts->addresses,
	    .funded_count = DEV_ACCOUNT_COUNT};
	genesis_write(out, &plan);
	return buf_status(out, err);
}

static enum status make_folder(const char *path, struct err *err) {
	if (mkdir(path, 0700) == 0 || errno == EEXIST) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot make %s: %s", path, strerror(errno));
}

static enum status genesis_file(char *out, size_t size, const char *data, struct err *err) {
	if ((size_t)snprintf(out, size, "%s/genesis.json", data) < size) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
}

/* A new folder gets a key and a genesis; one that has them keeps them. */
static enum status prepare_dev(const char *data, const struct dev_accounts *accounts, struct err *err) {
	char path[4096];
	hash32 secret;
	addr20 sealer;
	TRY(make_folder(data, err));
	TRY(genesis_file(path, sizeof path, data, err));
	if (access(path, F_OK) == 0) return STATUS_OK;
	TRY(node_key(&secret, data, &world_random, err));
	enum status status = address_of_secret(&sealer, &secret);
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	struct buf genesis;
	buf_init(&genesis, GENESIS_OUT_MAX);
	status = dev_genesis(&genesis, accounts, &sealer, err);
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

static enum status dev_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct dev_accounts accounts;
	struct node_options options = {0};
	char temporary[] = "/tmp/xinglin-dev-XXXXXX";
	take_settings(&options, settings);
	options.dev_accounts = &accounts;
	options.second_apart = true;
	options.client_version = cli_value(cli, "client-version");
	if (!options.data && !(options.data = mkdtemp(temporary)))
		return err_set(err, STATUS_IO, "cannot make a temporary folder: %s", strerror(errno));
	TRY(dev_accounts_make(&accounts, err));
	TRY(prepare_dev(options.data, &accounts, err));
	print_dev_accounts(cli, &accounts);
	return run_node(cli, &options, source, err);
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
    .teach =
	"For developers: the accounts of the well-known phrase \"test test … junk\", mainnet's gas rules, a block as "
	"soon\n"
	"as a transaction comes. Without --data the chain lives in a new folder under /tmp, whose name is printed.\n\n"
	"  xinglin dev\n  xinglin dev --data mychain --http-port 9545",
    .options = {{"client-version", "TEXT",
	"what web3_clientVersion answers: Hardhat's network helpers want it to begin with anvil or hardhat"}},
    .settings = &node_section,
    .run = cmd_dev,
};

/* --- init --- */

static enum status funded_accounts(struct cli *cli, struct genesis_plan *plan, struct err *err) {
	struct bytes rest = bytes_text(cli_value(cli, "fund") ? cli_value(cli, "fund") : "");
	addr20 *funded = arena_zalloc(&cli->arena, rest.len / 43 + 1, sizeof *funded);
	plan->funded = funded;
	while (rest.len) {
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		if (hex_fixed(funded[plan->funded_count].b, 20, bytes_slice(rest, 0, len)) != STATUS_OK)
			return err_set(err, STATUS_INVALID, "--fund takes addresses with commas between");
		plan->funded_count++;
		rest = bytes_slice(rest, len + 1, rest.len);
	}
	return STATUS_OK;
}

static enum status write_genesis(struct cli *cli, const char *data, struct genesis_plan *plan, struct err *err) {
	char path[4096];
	TRY(genesis_file(path, sizeof path, data, err));
	if (access(path, F_OK) == 0)
		return err_set(err, STATUS_EXISTS, "%s is there already: a chain's genesis never changes", path);
	struct buf genesis;
	buf_init(&genesis, GENESIS_OUT_MAX);
	genesis_write(&genesis, plan);
	enum status status = buf_status(&genesis, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&genesis), err);
	buf_fini(&genesis);
	if (status == STATUS_OK) cli_put_text(cli, "genesis", path);
	return status;
}

static enum status cmd_init(struct cli *cli, struct err *err) {
	const char *data;
	struct genesis_plan plan = {.timestamp = clock_now_ms(&world_clock) / 1000};
	hash32 secret;
	TRY(cli_need(cli, &data, "data", err));
	TRY(cli_address(cli, &plan.deployer, "deployer", err));
	TRY(cli_u64(cli, &plan.chain_id, "chain-id", 0, err));
	TRY(cli_u64(cli, &plan.gas_limit, "gas-limit", BLOCK_GAS_DEFAULT, err));
	plan.zero_base_fee = !cli_flag(cli, "base-fee");
	TRY(funded_accounts(cli, &plan, err));
	while (plan.chain_id == 0) {
		uint8_t random[4];
		random_fill(&world_random, random, sizeof random);
		plan.chain_id = load_be32(random) & 0x7fffffff;
	}
	TRY(make_folder(data, err));
	TRY(node_key(&secret, data, &world_random, err));
	TRY(address_of_secret(&plan.sealer, &secret));
	mem_wipe(&secret, sizeof secret);
	TRY(write_genesis(cli, data, &plan, err));
	cli_put_u64(cli, "chainId", plan.chain_id);
	cli_put_address(cli, "sealer", &plan.sealer);
	return STATUS_OK;
}

const struct cli_command command_init = {
    .name = "init",
    .arguments = "",
    .summary = "make a node's data folder: its key and its chain's genesis",
    .teach = "The deployer is the account that will run `xinglin deploy`: the addresses of its contracts stand in the "
	     "genesis,\n"
	     "so that the node knows which contracts decide about blobs.\n\n"
	     "  xinglin init --data node1 --deployer 0x… --chain-id 7697",
    .options = {{"data", "DIR", "the node's data folder"}, {"deployer", "ADDRESS", "who will deploy the contracts"},
	{"chain-id", "N", "the chain's id (a random one)"}, {"gas-limit", "N", "gas of a block (1,000,000,000)"},
	{"base-fee", NULL, "fees as on mainnet; without it the base fee is pinned to zero"},
	{"fund", "ADDRESS,…", "accounts that get 10,000 ether each"}},
    .run = cmd_init,
};
