/* xinglin init, node: making and running a node. */
#include <stdio.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "app/commands/node_command.h"
#include "app/system.h"
#include "base/files.h"

static enum status run_with(
    struct cli *cli, struct settings *settings, const struct settings_source *source, struct err *err) {
	struct node_options options = {0};
	node_take_settings(&options, settings);
	if (!options.data) return err_set(err, STATUS_INVALID, "--data is needed; see: xinglin node --help");
	options.test_methods = cli_flag(cli, "test-methods");
	if (options.test_methods && options.interval_ms != 0)
		return err_set(err, STATUS_INVALID, "--test-methods seals nothing: it does not go with --block-ms");
	return node_command_run(cli, &options, source, err);
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
    .teach = "Runs the chain whose genesis is in DIR/genesis.json (see: xinglin init). One process a folder. A\n"
	     "receipt that was shown survives power loss; a transaction hash that was returned survives kill -9.\n"
	     "Settings also come from a file (--config) and from the environment (XINGLIN_NODE_HTTP_PORT).\n\n"
	     "  xinglin init --data node1 --deployer 0x…\n"
	     "  xinglin node --data node1",
    .options = {{"test-methods", NULL,
	"for conformance tests: serve testing_buildBlockV1, and seal nothing of what is sent"}},
    .settings = &node_section,
    .run = cmd_node,
};

/* --- init --- */

static enum status write_genesis(struct cli *cli, const char *data, struct genesis_plan *plan, struct err *err) {
	char path[4096];
	TRY(genesis_path(path, sizeof path, data, err));
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
	const bool is_followed = cli_flag(cli, "for-another");
	addr20 own;
	hash32 secret;
	TRY(cli_need(cli, &data, "data", err));
	TRY(cli_address(cli, &plan.deployer, "deployer", err));
	TRY(cli_u64(cli, &plan.chain_id, "chain-id", 0, err));
	TRY(cli_u64(cli, &plan.gas_limit, "gas-limit", BLOCK_GAS_DEFAULT, err));
	plan.zero_base_fee = !cli_flag(cli, "base-fee");
	plan.listed_only = cli_flag(cli, "listed-only");
	TRY(cli_addresses(cli, &plan.funded, &plan.funded_count, "fund", SIZE_MAX, err));
	while (plan.chain_id == 0) {
		uint8_t random[4];
		random_fill(&world_random, random, sizeof random);
		plan.chain_id = load_be32(random) & 0x7fffffff;
	}
	TRY(files_make_folder(data, err));
	TRY(node_key(&secret, data, &world_random, err));
	TRY(address_of_secret(&own, &secret));
	mem_wipe(&secret, sizeof secret);
	if (!is_followed) plan.sealer = own;
	TRY(write_genesis(cli, data, &plan, err));
	cli_put_u64(cli, "chainId", plan.chain_id);
	cli_put_address(cli, is_followed ? "node" : "sealer", &own);
	return STATUS_OK;
}

const struct cli_command command_init = {
    .name = "init",
    .arguments = "",
    .summary = "make a node's data folder: its key and its chain's genesis",
    .teach = "The deployer is the account that will run `xinglin deploy`: the addresses of its contracts stand in\n"
	     "the genesis, so that the node knows which contracts decide about blobs. With --listed-only the\n"
	     "deployer's first contract also decides whose transactions this chain takes, for ever: nobody can\n"
	     "replace it. If it fails, loops or refuses, the chain is closed to everybody, the deployer too; if\n"
	     "the deployer's first transaction makes no contract, to everybody else. `xinglin deploy` tries the\n"
	     "directory before it sends anything: use nothing else as this account's first transaction.\n\n"
	     "  xinglin init --data node1 --deployer 0x… --chain-id 7697",
    .options = {{"data", "DIR", "the node's data folder"}, {"deployer", "ADDRESS", "who will deploy the contracts"},
	{"chain-id", "N", "the chain's id (a random one)"}, {"gas-limit", "N", "gas of a block (1,000,000,000)"},
	{"base-fee", NULL, "fees as on mainnet; without it the base fee is pinned to zero"},
	{"listed-only", NULL,
	    "take transactions of the directory's active actors, the registrars and the deployer only"},
	{"for-another", NULL,
	    "another node will order transactions, geth for one, and this one follow it (xinglin node --follow)"},
	{"fund", "ADDRESS,…", "accounts that get 10,000 ether each"}},
    .run = cmd_init,
};
