/* xinglin deploy: the contracts, in their fixed order, from one account (docs/contracts.md). */
#include <stdio.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "app/serve/deploying.h"
#include "codec/hex.h"

#define DEPLOYMENT_MAX ((size_t)1 << 16)
#define FOUNDING_DEFAULT_S 3600u
#define ADDRESS_TEXT 42u

static void put_deployed(void *context, const char *name, const struct client_receipt *receipt) {
	struct cli *cli = context;
	json_object_begin(&cli->writer, name);
	cli_put_address(cli, "address", &receipt->created);
	cli_put_receipt(cli, "deployed", receipt);
	json_object_end(&cli->writer);
}

static enum status read_registrars(struct cli *cli, struct deploy_plan *plan, struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, "registrars", err));
	struct bytes part, rest = bytes_text(text);
	while (cli_next_part(&part, &rest)) {
		if (plan->registrar_count == DEPLOYMENT_REGISTRARS_MAX ||
		    hex_fixed(plan->registrars[plan->registrar_count].b, 20, part) != STATUS_OK)
			return err_set(err, STATUS_INVALID,
			    "--registrars takes at most %u addresses with commas between", DEPLOYMENT_REGISTRARS_MAX);
		plan->registrar_count++;
	}
	TRY(cli_u64(cli, &plan->threshold, "threshold", plan->registrar_count / 2 + 1, err));
	if (2 * plan->threshold <= plan->registrar_count || plan->threshold > plan->registrar_count)
		return err_set(
		    err, STATUS_INVALID, "--threshold takes more than half of the registrars, and at most all");
	return cli_u64(cli, &plan->founding_s, "founding-seconds", FOUNDING_DEFAULT_S, err);
}

/* ADDRESS=URL */
static bool read_place(addr20 *account, char url[DEPLOYMENT_URL_BYTES], struct bytes part) {
	const struct bytes given = bytes_slice(part, ADDRESS_TEXT + 1, part.len);
	if (given.len == 0 || given.len >= DEPLOYMENT_URL_BYTES || part.data[ADDRESS_TEXT] != '=' ||
	    hex_fixed(account->b, 20, bytes_slice(part, 0, ADDRESS_TEXT)) != STATUS_OK)
		return false;
	snprintf(url, DEPLOYMENT_URL_BYTES, "%.*s", (int)given.len, (const char *)given.data);
	return true;
}

static enum status bad_places(const char *option, unsigned max, struct err *err) {
	return err_set(err, STATUS_INVALID, "--%s takes at most %u times ADDRESS=URL with commas between", option, max);
}

static enum status read_nodes(struct cli *cli, struct deploy_plan *plan, struct err *err) {
	struct bytes part, rest = bytes_text(cli_value(cli, "nodes") ? cli_value(cli, "nodes") : "");
	while (cli_next_part(&part, &rest)) {
		struct deployment_node *node = &plan->nodes[plan->node_count];
		if (plan->node_count == DEPLOYMENT_NODES_MAX || !read_place(&node->account, node->url, part))
			return bad_places("nodes", DEPLOYMENT_NODES_MAX, err);
		plan->node_count++;
	}
	return STATUS_OK;
}

static enum status read_witnesses(struct cli *cli, struct deploy_plan *plan, struct err *err) {
	const char *text = cli_value(cli, "witnesses");
	uint64_t threshold;
	struct bytes part, rest = bytes_text(text ? text : "");
	while (cli_next_part(&part, &rest)) {
		struct deployment_witness *witness = &plan->witnesses[plan->witness_count];
		if (plan->witness_count == DEPLOYMENT_WITNESSES_MAX ||
		    !read_place(&witness->account, witness->url, part))
			return bad_places("witnesses", DEPLOYMENT_WITNESSES_MAX, err);
		plan->witness_count++;
	}
	TRY(cli_u64(cli, &threshold, "witness-threshold", plan->witness_count / 2 + 1, err));
	if (!plan->witness_count) return STATUS_OK;
	if (threshold == 0 || threshold > plan->witness_count)
		return err_set(err, STATUS_INVALID, "--witness-threshold takes 1 to the number of witnesses");
	plan->witness_threshold = (uint8_t)threshold;
	return STATUS_OK;
}

static enum status cmd_deploy(struct cli *cli, struct err *err) {
	const char *out_path;
	struct deploy_plan plan = {.deployed = put_deployed, .context = cli};
	struct deployment deployment;
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which chain to deploy to");
	TRY(cli_need(cli, &out_path, "out", err));
	TRY(read_registrars(cli, &plan, err));
	TRY(read_witnesses(cli, &plan, err));
	TRY(read_nodes(cli, &plan, err));
	TRY(deploy_contracts(&cli->request, &deployment, &plan, err));
	struct buf json;
	buf_init(&json, DEPLOYMENT_MAX);
	deployment_write(&json, &deployment);
	enum status status = cli_write_file(out_path, buf_view(&json), err);
	if (status == STATUS_OK) status = home_trust(cli->request.home, buf_view(&json), err);
	buf_fini(&json);
	if (status == STATUS_OK) cli_put_text(cli, "deployment", out_path);
	return status;
}

const struct cli_command command_deploy = {
    .name = "deploy",
    .arguments = "",
    .summary = "deploy the contracts, and write the deployment that all actors trust",
    .teach =
	"Six contracts: directory, folders, records, consent, products, medicines; none has an owner or\n"
	"can be upgraded. Registrars list actors, `threshold` of them together. Actors listed within the founding\n"
	"time may break the glass at once, later ones after 48 hours. The account must be the one that the\n"
	"chain's genesis names (xinglin init --deployer).\n\n"
	"  xinglin deploy --home registrar-1 --rpc http://127.0.0.1:8545 \\\n"
	"    --registrars 0x…,0x… --threshold 2 --out deployment.json",
    .options = {{"registrars", "ADDRESS,…", "who lists actors"},
	{"threshold", "N", "how many of them it takes (more than half)"},
	{"witnesses", "ADDRESS=URL,…", "who executes every block and signs heads (xinglin witness)"},
	{"witness-threshold", "K", "how many of them must sign a head (more than half)"},
	{"nodes", "ADDRESS=URL,…", "where other nodes are, which patients ask what they served"},
	{"founding-seconds", "N", "how long founding actors may be listed (3600)"},
	{"out", "FILE", "where the deployment's description goes"}},
    .needs_home = true,
    .run = cmd_deploy,
};
