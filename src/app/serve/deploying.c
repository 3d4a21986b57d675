#include "app/serve/deploying.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"
#include "contracts/contracts_data.h"
#include "crypto/hash.h"
#include "eth/abi.h"
#include "eth/outer.h"
#include "health/chain/blobs.h"
#include "health/chain/validators.h"
#include "health/contracts/directory.h"
#include "health/contracts/members.h"

#define CODE_MAX ((size_t)1 << 18) /* EIP-170 allows 24,576 bytes */

/* Nonces of the deployer: later contracts are known to earlier ones by the addresses that follow from these. */
enum { DIRECTORY, FOLDERS, RECORDS, CONSENT, PRODUCTS, MEDICINES, CONTRACT_COUNT };
static const char *const contract_names[CONTRACT_COUNT] = {
    "Directory", "Folders", "Records", "Consent", "Products", "Medicines"};

struct contracts {
	const struct deploy_plan *plan;
	const addr20 *deployer;
	hash32 genesis;
	addr20 at[CONTRACT_COUNT];
};

static void put_arguments(struct buf *out, const struct contracts *contracts, int contract) {
	struct abi_row row = abi_row_begin(out);
	if (contract == DIRECTORY) {
		abi_put_hash32(out, &contracts->genesis);
		abi_put_address(out, contracts->deployer);
		size_t registrars = abi_reserve(out);
		abi_put_u64(out, contracts->plan->threshold);
		abi_put_u64(out, contracts->plan->founding_s);
		abi_tail(&row, registrars);
		abi_put_u64(out, contracts->plan->registrar_count);
		for (size_t i = 0; i < contracts->plan->registrar_count; i++)
			abi_put_address(out, &contracts->plan->registrars[i]);
		return;
	}
	abi_put_address(out, &contracts->at[DIRECTORY]);
	if (contract == FOLDERS) abi_put_address(out, &contracts->at[RECORDS]);
	if (contract == RECORDS || contract == CONSENT) abi_put_address(out, &contracts->at[FOLDERS]);
	if (contract == FOLDERS || contract == RECORDS) abi_put_address(out, &contracts->at[CONSENT]);
	if (contract == CONSENT) abi_put_address(out, &contracts->at[RECORDS]);
	if (contract == PRODUCTS) abi_put_address(out, &contracts->at[MEDICINES]);
	if (contract == MEDICINES) abi_put_address(out, &contracts->at[PRODUCTS]);
}

static struct bytes creation_of(struct arena *arena, const struct contracts *contracts, int contract) {
	const struct contract_code *code = contract_code_get(contract_names[contract]);
	BUG_ON(!code);
	struct buf creation;
	buf_init(&creation, code->len + 4096);
	buf_append(&creation, bytes_make(code->bytecode, code->len));
	put_arguments(&creation, contracts, contract);
	BUG_ON(buf_status(&creation, NULL) != STATUS_OK);
	const struct bytes out = arena_dup(arena, buf_view(&creation));
	buf_fini(&creation);
	return out;
}

static enum status deploy_one(
    struct actor_request *request, const struct contracts *contracts, int contract, struct err *err) {
	struct outbox_result result;
	const struct outbox_entry entry = {.data = creation_of(request->arena, contracts, contract)};
	TRY(request_send(request, &result, &entry, err));
	if (result.end != OUTBOX_DONE)
		return err_set(err, STATUS_DENIED, "%s: %s", contract_names[contract], result.verdict.reason);
	const struct client_receipt receipt = result.receipt;
	if (!addr20_equal(&receipt.created, &contracts->at[contract]))
		return err_set(
		    err, STATUS_INTERNAL, "%s stands at another address than was foreseen", contract_names[contract]);
	const struct deploy_plan *plan = contracts->plan;
	if (plan->deployed) plan->deployed(plan->context, contract_names[contract], &receipt);
	return STATUS_OK;
}

/* Nothing may have been sent before: the addresses stand in the genesis. */
static enum status foresee(struct actor_request *request, struct contracts *contracts, struct err *err) {
	uint64_t nonce;
	TRY(client_nonce(request->client, &nonce, &request->home->account, err));
	if (nonce != 0)
		return err_set(err, STATUS_DENIED,
		    "this account has sent %llu transactions already; contracts are deployed by an account's "
		    "first six, because their addresses stand in the genesis",
		    (unsigned long long)nonce);
	for (uint64_t i = 0; i < CONTRACT_COUNT; i++) contracts->at[i] = address_of_create(&request->home->account, i);
	return STATUS_OK;
}

/* Of the code that stands at an address, as the node shows it: whoever deploys does it on a node of their own. */
static enum status code_hash(
    struct actor_request *request, hash32 *out, const struct contracts *contracts, int contract, struct err *err) {
	const struct json *answer;
	struct buf text;
	buf_init(&text, CODE_MAX);
	struct json_writer writer = json_writer(&text);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(contracts->at[contract]));
	json_put_text(&writer, NULL, "latest");
	json_array_end(&writer);
	enum status status =
	    client_rpc(request->client, &answer, NULL, request->arena, "eth_getCode", buf_view(&text), err);
	buf_clear(&text);
	if (status == STATUS_OK && (hex_data(&text, json_string(answer)) != STATUS_OK || text.len == 0))
		status =
		    err_set(err, STATUS_INTERNAL, "the node does not give the code of %s", contract_names[contract]);
	if (status == STATUS_OK) *out = keccak256(buf_view(&text));
	buf_fini(&text);
	return status;
}

static enum status pin_code(
    struct actor_request *request, struct deployment *out, const struct contracts *contracts, struct err *err) {
	hash32 *const places[CONTRACT_COUNT] = {[DIRECTORY] = &out->code.directory,
	    [FOLDERS] = &out->code.folders,
	    [RECORDS] = &out->code.records,
	    [CONSENT] = &out->code.consent,
	    [PRODUCTS] = &out->code.products,
	    [MEDICINES] = &out->code.medicines};
	for (int contract = 0; contract < CONTRACT_COUNT; contract++)
		TRY(code_hash(request, places[contract], contracts, contract, err));
	return STATUS_OK;
}

/* A consortium's validators, as whoever deploys finds them: the node is believed, as it is about its sealer. */
static enum status name_validators(struct actor_request *request, struct deployment *out, struct err *err) {
	struct comet_light_block *block = arena_alloc(request->arena, sizeof *block);
	/* A challenge is not zero; validators answer none. */
	const char *params = arena_printf(request->arena, "[\"0x%064d\"]", 1);
	const struct json *head;
	TRY(client_rpc(request->client, &head, NULL, request->arena, "xinglin_head", bytes_text(params), err));
	TRY(validators_block_read(block, request->arena, json_string(json_get(head, "commit")), err));
	out->validators = comet_trusted_of(block);
	out->trust_days = DEPLOYMENT_TRUST_DAYS;
	if (hash32_equal(&out->validators.next_validators, &out->validators.validators.hash)) return STATUS_OK;
	return err_set(err, STATUS_BUSY, "the consortium's validators are changing at this moment; try again");
}

/* The key of the consortium's outer seal, if its members share one: the node is believed here, too. */
static enum status name_outer(struct actor_request *request, struct deployment *out, struct err *err) {
	const struct blob_asker asker = {.client = request->client, .random = request->random};
	struct members_seal_of_result said;
	struct outer_statement statement;
	struct blob_verdict verdict;
	struct bytes output;
	struct buf bytes;
	TRY(request_call(request, &output, &deployment_members, members_seal_of_call(request->arena), err));
	TRY(members_seal_of_read(&said, output, err));
	if (said.number == 0) return STATUS_OK;
	buf_init(&bytes, OUTER_STATEMENT_MAX);
	enum status status = blobs_get_statement(&asker, &bytes, &verdict, 0, err);
	const hash32 hash = sha256(buf_view(&bytes));
	if (status == STATUS_OK && (!verdict.ok || !hash32_equal(&hash, &said.statement) ||
				       outer_statement_read(&statement, buf_view(&bytes)) != STATUS_OK))
		status = err_set(err, STATUS_NOTFOUND,
		    "the node does not have the statement about the outer seal that the chain names: ask a member's");
	buf_fini(&bytes);
	TRY(status);
	out->has_outer = true;
	out->outer = statement.commitments.points[0];
	return STATUS_OK;
}

static enum status describe(
    struct actor_request *request, struct deployment *out, const struct contracts *contracts, struct err *err) {
	const struct deploy_plan *plan = contracts->plan;
	const struct json *info;
	*out = (struct deployment){.chain_id = client_chain_id(request->client),
	    .genesis = contracts->genesis,
	    .registrar_count = plan->registrar_count,
	    .threshold = (uint8_t)plan->threshold,
	    .witness_count = plan->witness_count,
	    .witness_threshold = plan->witness_threshold,
	    .node_count = plan->node_count,
	    .directory = contracts->at[DIRECTORY],
	    .folders = contracts->at[FOLDERS],
	    .records = contracts->at[RECORDS],
	    .consent = contracts->at[CONSENT],
	    .products = contracts->at[PRODUCTS],
	    .medicines = contracts->at[MEDICINES]};
	memcpy(out->registrars, plan->registrars, sizeof out->registrars);
	memcpy(out->witnesses, plan->witnesses, sizeof out->witnesses);
	memcpy(out->nodes, plan->nodes, sizeof out->nodes);
	snprintf(out->rpc_url, sizeof out->rpc_url, "%s", client_url(request->client));
	TRY(client_rpc(request->client, &info, NULL, request->arena, "xinglin_chainInfo", BYTES_LITERAL("[]"), err));
	const bool is_consortium = json_is(json_get(info, "members"), JSON_STRING);
	if (is_consortium) TRY(name_validators(request, out, err));
	if (is_consortium) TRY(name_outer(request, out, err));
	if (is_consortium) return pin_code(request, out, contracts, err);
	if (hex_fixed(out->sealer.b, 20, json_string(json_get(info, "sealer"))) != STATUS_OK)
		out->sealer = (addr20){{0}}; /* who_decides has found that there are witnesses */
	return pin_code(request, out, contracts, err);
}

/* Before anything is sent: somebody must say which block is the newest. */
static enum status who_decides(const struct json *info, const struct deploy_plan *plan, struct err *err) {
	const bool is_known =
	    json_is(json_get(info, "members"), JSON_STRING) || json_is(json_get(info, "sealer"), JSON_STRING);
	if (is_known || plan->witness_count) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "nobody seals this chain's blocks, so witnesses must say which is the newest: give --witnesses");
}

/* Its genesis; and was it made for these contracts? */
static enum status know_chain(struct actor_request *request, struct contracts *contracts, struct err *err) {
	const struct json *info;
	TRY(client_rpc(request->client, &info, NULL, request->arena, "xinglin_chainInfo", BYTES_LITERAL("[]"), err));
	if (hex_fixed(contracts->genesis.b, 32, json_string(json_get(info, "genesisHash"))) != STATUS_OK)
		return err_set(err, STATUS_INTERNAL, "the node does not say its genesis");
	TRY(who_decides(info, contracts->plan, err));
	addr20 first;
	const struct json *gates = json_get(info, "blobGates");
	if (hex_fixed(first.b, 20, json_string(json_at(gates, 0))) == STATUS_OK &&
	    addr20_equal(&first, &contracts->at[FOLDERS]))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "this chain's genesis names other blob gates than this account's contracts; it was made for "
	    "another deployer (xinglin init --deployer)");
}

/* --- tried before anything is sent --- */

/* `runs`: code that stands at `to`, which is NULL for a creation. */
static enum status try_call(struct actor_request *request, struct bytes *output, const addr20 *to, struct bytes data,
    struct bytes runs, struct err *err) {
	const struct json *answer;
	struct buf params;
	char address[43];
	buf_init(&params, 2 * CODE_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "from", BYTES_OF(request->home->account));
	if (to) json_put_hex(&writer, "to", BYTES_OF(*to));
	json_put_hex(&writer, "data", data);
	json_object_end(&writer);
	json_put_text(&writer, NULL, "latest");
	if (to) {
		address_checksum(address, to);
		json_object_begin(&writer, NULL);
		json_object_begin(&writer, address);
		json_put_hex(&writer, "code", runs);
		json_object_end(&writer);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	enum status status =
	    client_rpc(request->client, &answer, NULL, request->arena, "eth_call", buf_view(&params), err);
	buf_clear(&params);
	if (status == STATUS_OK && hex_data(&params, json_string(answer)) != STATUS_OK)
		status = err_set(err, STATUS_INTERNAL, "the node's answer to a call is no data");
	*output = arena_dup(request->arena, buf_view(&params));
	buf_fini(&params);
	return status;
}

/* The directory is the account's first contract. If its creation failed on the chain, its address would be used up, and
 * a chain whose genesis lets it say who is admitted would take nobody's transactions but the deployer's, for ever. */
static enum status try_directory(struct actor_request *request, const struct contracts *contracts, struct err *err) {
	const addr20 *at = &contracts->at[DIRECTORY];
	struct bytes code, answer;
	bool admits;
	enum status status =
	    try_call(request, &code, NULL, creation_of(request->arena, contracts, DIRECTORY), bytes_text(""), err);
	if (status == STATUS_DENIED)
		return err_set(
		    err, status, "nothing was sent: the directory refuses these registrars or this threshold");
	TRY(status);
	TRY(try_call(request, &answer, at, directory_admits_call(request->arena, contracts->deployer), code, err));
	TRY(directory_admits_read(&admits, answer, err));
	if (admits) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "nothing was sent: the directory would not admit its own deployer");
}

static int compare_addresses(const void *a, const void *b) {
	return memcmp(((const addr20 *)a)->b, ((const addr20 *)b)->b, sizeof(addr20));
}

enum status deploy_contracts(
    struct actor_request *request, struct deployment *out, const struct deploy_plan *plan, struct err *err) {
	struct deploy_plan sorted = *plan; /* Directory wants registrars in ascending order */
	struct contracts contracts = {.plan = &sorted, .deployer = &request->home->account};
	qsort(sorted.registrars, sorted.registrar_count, sizeof *sorted.registrars, compare_addresses);
	TRY(foresee(request, &contracts, err));
	TRY(know_chain(request, &contracts, err));
	TRY(try_directory(request, &contracts, err));
	for (int contract = 0; contract < CONTRACT_COUNT; contract++)
		TRY(deploy_one(request, &contracts, contract, err));
	return describe(request, out, &contracts, err);
}
