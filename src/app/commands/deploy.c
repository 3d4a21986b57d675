/* xinglin deploy: the contracts, in their fixed order, from one account (docs/contracts.md). */
#include <stdio.h>

#include "app/cli/cli_request.h"
#include "app/commands/commands.h"
#include "codec/hex.h"
#include "contracts/contracts_data.h"
#include "eth/abi.h"

#define DEPLOYMENT_MAX ((size_t)1 << 16)
#define FOUNDING_DEFAULT_S 3600u
#define REGISTRARS_MAX 32u

/* Nonces of the deployer: later contracts are known to earlier ones by the addresses that follow from these. */
enum { DIRECTORY, FOLDERS, RECORDS, CONSENT, MEDICINES, CONTRACT_COUNT };
static const char *const contract_names[CONTRACT_COUNT] = {"Directory", "Folders", "Records", "Consent", "Medicines"};

struct plan {
	addr20 at[CONTRACT_COUNT];
	addr20 registrars[REGISTRARS_MAX];
	size_t registrar_count;
	uint64_t threshold;
	uint64_t founding_s;
};

static void put_arguments(struct buf *out, const struct plan *plan, int contract) {
	struct abi_row row = abi_row_begin(out);
	if (contract == DIRECTORY) {
		size_t registrars = abi_reserve(out);
		abi_put_u64(out, plan->threshold);
		abi_put_u64(out, plan->founding_s);
		abi_tail(&row, registrars);
		abi_put_u64(out, plan->registrar_count);
		for (size_t i = 0; i < plan->registrar_count; i++) abi_put_address(out, &plan->registrars[i]);
		return;
	}
	abi_put_address(out, &plan->at[DIRECTORY]);
	if (contract == FOLDERS) abi_put_address(out, &plan->at[RECORDS]);
	if (contract == RECORDS || contract == CONSENT) abi_put_address(out, &plan->at[FOLDERS]);
	if (contract == FOLDERS || contract == RECORDS) abi_put_address(out, &plan->at[CONSENT]);
	if (contract == CONSENT) abi_put_address(out, &plan->at[RECORDS]);
}

static enum status deploy_one(struct cli *cli, const struct plan *plan, int contract, struct err *err) {
	const struct contract_code *code = contract_code_get(contract_names[contract]);
	BUG_ON(!code);
	struct buf creation;
	struct outbox_result result;
	buf_init(&creation, code->len + 4096);
	buf_append(&creation, bytes_make(code->bytecode, code->len));
	put_arguments(&creation, plan, contract);
	enum status status = buf_status(&creation, err);
	if (status == STATUS_OK)
		status = request_send(&cli->request, &result, &(struct outbox_entry){.data = buf_view(&creation)}, err);
	buf_fini(&creation);
	TRY(status);
	if (result.end != OUTBOX_DONE)
		return err_set(err, STATUS_DENIED, "%s: %s", contract_names[contract], result.verdict.reason);
	const struct client_receipt receipt = result.receipt;
	if (!addr20_equal(&receipt.created, &plan->at[contract]))
		return err_set(
		    err, STATUS_INTERNAL, "%s stands at another address than was foreseen", contract_names[contract]);
	json_object_begin(&cli->writer, contract_names[contract]);
	cli_put_address(cli, "address", &receipt.created);
	cli_put_receipt(cli, "deployed", &receipt);
	json_object_end(&cli->writer);
	return STATUS_OK;
}

static enum status read_registrars(struct cli *cli, struct plan *plan, struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, "registrars", err));
	for (struct bytes rest = bytes_text(text); rest.len;) {
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		if (plan->registrar_count == REGISTRARS_MAX ||
		    hex_fixed(plan->registrars[plan->registrar_count].b, 20, bytes_slice(rest, 0, len)) != STATUS_OK)
			return err_set(err, STATUS_INVALID,
			    "--registrars takes at most %u addresses with commas between", REGISTRARS_MAX);
		plan->registrar_count++;
		rest = bytes_slice(rest, len + 1, rest.len);
	}
	TRY(cli_u64(cli, &plan->threshold, "threshold", plan->registrar_count / 2 + 1, err));
	if (plan->threshold == 0 || plan->threshold > plan->registrar_count)
		return err_set(err, STATUS_INVALID, "--threshold takes 1 to the number of registrars");
	return cli_u64(cli, &plan->founding_s, "founding-seconds", FOUNDING_DEFAULT_S, err);
}

/* Nothing may have been sent before: the addresses stand in the genesis. */
static enum status foresee(struct cli *cli, struct plan *plan, struct err *err) {
	uint64_t nonce;
	TRY(client_nonce(cli->request.client, &nonce, &cli->request.home->account, err));
	if (nonce != 0)
		return err_set(err, STATUS_DENIED,
		    "this account has sent %llu transactions already; contracts are deployed by an account's "
		    "first five, because their addresses stand in the genesis",
		    (unsigned long long)nonce);
	for (uint64_t i = 0; i < CONTRACT_COUNT; i++) plan->at[i] = address_of_create(&cli->request.home->account, i);
	return STATUS_OK;
}

static enum status describe(struct cli *cli, struct deployment *out, const struct plan *plan, struct err *err) {
	const struct json *info;
	*out = (struct deployment){.chain_id = client_chain_id(cli->request.client),
	    .directory = plan->at[DIRECTORY],
	    .folders = plan->at[FOLDERS],
	    .records = plan->at[RECORDS],
	    .consent = plan->at[CONSENT],
	    .medicines = plan->at[MEDICINES]};
	snprintf(out->rpc_url, sizeof out->rpc_url, "%s", client_url(cli->request.client));
	TRY(client_rpc(cli->request.client, &info, NULL, &cli->arena, "xinglin_chainInfo", BYTES_LITERAL("[]"), err));
	if (hex_fixed(out->genesis.b, 32, json_string(json_get(info, "genesisHash"))) != STATUS_OK ||
	    hex_fixed(out->sealer.b, 20, json_string(json_get(info, "sealer"))) != STATUS_OK)
		return err_set(err, STATUS_INTERNAL, "the node does not say its genesis and sealer");
	return STATUS_OK;
}

static enum status warn_of_gates(struct cli *cli, const struct plan *plan, struct err *err) {
	const struct json *info;
	TRY(client_rpc(cli->request.client, &info, NULL, &cli->arena, "xinglin_chainInfo", BYTES_LITERAL("[]"), err));
	addr20 first;
	const struct json *gates = json_get(info, "blobGates");
	if (hex_fixed(first.b, 20, json_string(json_at(gates, 0))) == STATUS_OK &&
	    addr20_equal(&first, &plan->at[FOLDERS]))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "this chain's genesis names other blob gates than this account's contracts; it was made for "
	    "another deployer (xinglin init --deployer)");
}

static enum status cmd_deploy(struct cli *cli, struct err *err) {
	const char *out_path;
	struct plan plan = {.threshold = 0};
	struct deployment deployment;
	if (!cli->request.client) return err_set(err, STATUS_INVALID, "--rpc URL says which chain to deploy to");
	TRY(cli_need(cli, &out_path, "out", err));
	TRY(read_registrars(cli, &plan, err));
	TRY(foresee(cli, &plan, err));
	TRY(warn_of_gates(cli, &plan, err));
	for (int contract = 0; contract < CONTRACT_COUNT; contract++) TRY(deploy_one(cli, &plan, contract, err));
	TRY(describe(cli, &deployment, &plan, err));
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
    .teach = "Five contracts: directory, folders, records, consent, medicines; none has an owner or can be upgraded. "
	     "Registrars list\n"
	     "actors, `threshold` of them together. Actors listed within the founding time may break the glass at "
	     "once, later ones\n"
	     "after 48 hours. The account must be the one that the chain's genesis names (xinglin init --deployer).\n\n"
	     "  xinglin deploy --home registrar-1 --rpc http://127.0.0.1:8545 --registrars 0x…,0x… --threshold 2 --out "
	     "deployment.json",
    .options = {{"registrars", "ADDRESS,…", "who lists actors"},
	{"threshold", "N", "how many of them it takes (more than half)"},
	{"founding-seconds", "N", "how long founding actors may be listed (3600)"},
	{"out", "FILE", "where the deployment's description goes"}},
    .needs_home = true,
    .run = cmd_deploy,
};
