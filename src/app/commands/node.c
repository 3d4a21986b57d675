/* xinglin init, node, dev: making and running a node. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/serve/node.h"
#include "app/system.h"
#include "base/http_uri.h"
#include "codec/hex.h"

#define GENESIS_OUT_MAX ((size_t)1 << 20)
/* Room for all that comes in a second: so far apart are blocks where the chain's time is at its bound (solo.h). */
#define BLOCK_GAS_DEFAULT 1000000000u

/* The one node of the process, for the signal handler. */
static struct node *running;

static void on_signal(int signal_number) {
	(void)signal_number;
	node_stop(running);
}

static void listen_to_signals(void) {
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void report_node(struct cli *cli, const struct node_options *options) {
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

static enum status run_node(struct cli *cli, const struct node_options *options, struct err *err) {
	TRY(node_open(&running, options, err));
	listen_to_signals();
	report_node(cli, options);
	cli->has_reported = true;
	enum status status = node_run(running, err);
	node_close(running);
	running = NULL;
	cli_say(cli, "stopped; every block is on disk");
	return status;
}

/* "a,b": its parts, with NULL at the end; NULL where the option is absent. */
static const char *const *list_option(struct cli *cli, const char *name) {
	const char *text = cli_value(cli, name);
	if (!text) return NULL;
	char *rest = arena_strdup(&cli->arena, bytes_text(text));
	const char **list = arena_zalloc(&cli->arena, strlen(rest) + 2, sizeof *list);
	for (size_t i = 0; (list[i] = strsep(&rest, ",")) != NULL; i++) continue;
	return list;
}

static enum status rpc_options(struct cli *cli, struct node_options *out, struct err *err) {
	uint64_t timeout_ms;
	TRY(cli_u64(cli, &out->gas_cap, "rpc-gascap", 50000000, err));
	TRY(cli_u64(cli, &timeout_ms, "rpc-evmtimeout", 5000, err));
	if (out->gas_cap < 21000) return err_set(err, STATUS_INVALID, "--rpc-gascap takes at least 21000");
	if (timeout_ms == 0 || timeout_ms > 3600000)
		return err_set(err, STATUS_INVALID, "--rpc-evmtimeout takes 1 to 3600000, an hour");
	out->call_timeout_ms = (uint32_t)timeout_ms;
	return STATUS_OK;
}

static enum status common_options(struct cli *cli, struct node_options *out, struct err *err) {
	uint64_t port, interval, memory, ping;
	TRY(cli_u64(cli, &port, "http-port", 8545, err));
	TRY(cli_u64(cli, &interval, "block-ms", 0, err));
	TRY(cli_u64(cli, &memory, "memory-mb", 256, err));
	TRY(cli_u64(cli, &ping, "ping-ms", 30000, err));
	if (port > UINT16_MAX) return err_set(err, STATUS_INVALID, "--http-port takes 0 (any free port) to 65535");
	if (interval > 3600000) return err_set(err, STATUS_INVALID, "--block-ms takes at most 3600000, an hour");
	if (memory < 16 || memory > 1048576) return err_set(err, STATUS_INVALID, "--memory-mb takes 16 to 1048576");
	if (ping < 100 || ping > 3600000) return err_set(err, STATUS_INVALID, "--ping-ms takes 100 to 3600000");
	out->ping_interval_ms = (uint32_t)ping;
	out->http_port = (uint16_t)port;
	out->interval_ms = (uint32_t)interval;
	out->memory_bytes = memory << 20;
	out->http_address = cli_value(cli, "http-addr");
	out->cors_origins = list_option(cli, "http-corsdomain");
	out->vhosts = list_option(cli, "http-vhosts");
	return rpc_options(cli, out, err);
}

#define COMMON_OPTIONS                                                                                                 \
	{"http-port", "N", "JSON-RPC and blobs over HTTP (8545; 0: any free port)"},                                   \
	    {"http-addr", "ADDRESS", "numeric address to listen on (127.0.0.1)"},                                      \
	    {"http-vhosts", "NAME,…",                                                                                  \
		"host names that requests may carry, besides numeric addresses (localhost; \"*\": any)"},              \
	    {"http-corsdomain", "ORIGIN,…", "web pages' origins that may ask (none; \"*\": any)"},                     \
	    {"rpc-gascap", "N", "gas of eth_call and estimates at most (50,000,000)"},                                 \
	    {"rpc-evmtimeout", "MS", "time that one call may run (5000)"},                                             \
	    {"ping-ms", "MS", "a WebSocket that is silent this long is pinged, and dropped after twice that (30000)"}, \
	    {"block-ms", "MS", "a block every so many milliseconds (0: as soon as there is something to seal)"}, {     \
		"memory-mb", "N", "memory for the database (256)"                                                      \
	}

static enum status cmd_node(struct cli *cli, struct err *err) {
	struct node_options options = {0};
	TRY(cli_need(cli, &options.data, "data", err));
	TRY(common_options(cli, &options, err));
	options.test_methods = cli_flag(cli, "test-methods");
	if (options.test_methods && options.interval_ms != 0)
		return err_set(err, STATUS_INVALID, "--test-methods seals nothing: it does not go with --block-ms");
	return run_node(cli, &options, err);
}

const struct cli_command command_node = {
    .name = "node",
    .arguments = "",
    .summary = "run a node: JSON-RPC, sealing, blobs",
    .teach = "Runs the chain whose genesis is in DIR/genesis.json (see: xinglin init). One process a folder.\n"
	     "A receipt that was shown survives power loss; a transaction hash that was returned survives kill -9.\n\n"
	     "  xinglin init --data node1 --deployer 0x…\n  xinglin node --data node1",
    .options = {{"data", "DIR", "the node's data folder"},
	{"test-methods", NULL, "for conformance tests: serve testing_buildBlockV1, and seal nothing of what is sent"},
	COMMON_OPTIONS},
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

static enum status cmd_dev(struct cli *cli, struct err *err) {
	struct dev_accounts accounts;
	struct node_options options = {.dev_accounts = &accounts, .second_apart = true};
	char temporary[] = "/tmp/xinglin-dev-XXXXXX";
	options.data = cli_value(cli, "data");
	options.client_version = cli_value(cli, "client-version");
	TRY(common_options(cli, &options, err));
	if (!options.data && !(options.data = mkdtemp(temporary)))
		return err_set(err, STATUS_IO, "cannot make a temporary folder: %s", strerror(errno));
	TRY(dev_accounts_make(&accounts, err));
	TRY(prepare_dev(options.data, &accounts, err));
	print_dev_accounts(cli, &accounts);
	return run_node(cli, &options, err);
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
    .options = {{"data", "DIR", "keep the chain here, and continue it next time"},
	{"client-version", "TEXT",
	    "what web3_clientVersion answers: Hardhat's network helpers want it to begin with anvil or hardhat"},
	COMMON_OPTIONS},
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
