#include "health/chain/deployment.h"

#include <stdio.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "health/chain/deployment_private.h"

#define VERSION 2u

/* The contracts, and where their addresses and the hashes of their code stand. */
struct member {
	const char *name;
	size_t address, code;
};
#define MEMBER(name)                                                                                                   \
	{ #name, offsetof(struct deployment, name), offsetof(struct deployment, code.name) }
static const struct member contracts[] = {
    MEMBER(directory), MEMBER(folders), MEMBER(records), MEMBER(consent), MEMBER(products), MEMBER(medicines)};
#undef MEMBER
#define CONTRACT_COUNT (sizeof contracts / sizeof *contracts)

const hash32 *deployment_code_of(const struct deployment *deployment, const addr20 *contract) {
	const uint8_t *base = (const uint8_t *)deployment;
	for (size_t i = 0; i < CONTRACT_COUNT; i++)
		if (memcmp(base + contracts[i].address, contract->b, sizeof contract->b) == 0)
			return (const hash32 *)(base + contracts[i].code);
	return NULL;
}

const addr20 deployment_members = {{[17] = 0xc0, [18] = 0x45, [19] = 0x37}};

struct eip712_domain deployment_domain(const struct deployment *deployment, const addr20 *contract) {
	return (struct eip712_domain){
	    .chain_id = u256_from(deployment->chain_id), .verifying_contract = contract, .salt = &deployment->genesis};
}

/* --- reading --- */

static enum status bad(struct err *err, const char *member, const char *what) {
	return err_set(err, STATUS_INVALID, "deployment: \"%s\" %s", member, what);
}

static enum status read_fixed(uint8_t *out, size_t len, const struct json *object, const char *name, struct err *err) {
	if (hex_fixed(out, len, json_string(json_get(object, name))) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "deployment: \"%s\" is missing or is not 0x and %zu digits", name, 2 * len);
}

static enum status read_url(
    char out[DEPLOYMENT_URL_BYTES], const struct json *value, const char *name, struct err *err) {
	struct bytes url = json_string(value);
	if (url.len == 0 || url.len >= DEPLOYMENT_URL_BYTES || memchr(url.data, 0, url.len))
		return bad(err, name, "is missing, too long or not a URL");
	snprintf(out, DEPLOYMENT_URL_BYTES, "%.*s", (int)url.len, (const char *)url.data);
	return STATUS_OK;
}

static enum status check_members(const struct json *object, size_t known, const char *where, struct err *err) {
	if (json_is(object, JSON_OBJECT) && object->count == known) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "deployment: %s has members that are not known, or too few", where);
}

/* Accounts at `stride` bytes from each other, each one once. */
static enum status read_accounts(uint8_t *out, size_t stride, size_t *count, size_t max, const struct json *list,
    const char *name, struct err *err) {
	*count = 0;
	if (!json_is(list, JSON_ARRAY) || list->count == 0 || list->count > max)
		return err_set(err, STATUS_INVALID, "deployment: \"%s\" is not a list of 1 to %zu accounts", name, max);
	json_foreach (item, list) {
		uint8_t *place = out + stride * *count;
		if (hex_fixed(place, sizeof(addr20), json_string(item)) != STATUS_OK)
			return bad(err, name, "holds what is not an address");
		for (size_t i = 0; i < *count; i++)
			if (memcmp(out + stride * i, place, sizeof(addr20)) == 0)
				return bad(err, name, "names one account twice");
		++*count;
	}
	return STATUS_OK;
}

/* More than half where `is_majority`. */
static enum status read_threshold(
    uint8_t *out, const struct json *value, size_t of, bool is_majority, struct err *err) {
	uint64_t threshold;
	if (!json_u64(&threshold, value) || threshold == 0 || threshold > of)
		return bad(err, "threshold", "is not a number from 1 to that of the accounts");
	if (is_majority && 2 * threshold <= of) return bad(err, "threshold", "is not more than half of the registrars");
	*out = (uint8_t)threshold;
	return STATUS_OK;
}

static enum status read_witnesses(struct deployment *out, const struct json *witnesses, struct err *err) {
	if (!witnesses) return STATUS_OK;
	const struct json *urls = json_get(witnesses, "urls");
	TRY(check_members(witnesses, 3, "\"witnesses\"", err));
	TRY(read_accounts(out->witnesses[0].account.b, sizeof *out->witnesses, &out->witness_count,
	    DEPLOYMENT_WITNESSES_MAX, json_get(witnesses, "accounts"), "accounts", err));
	TRY(read_threshold(&out->witness_threshold, json_get(witnesses, "threshold"), out->witness_count, false, err));
	if (!json_is(urls, JSON_ARRAY) || urls->count != out->witness_count)
		return bad(err, "urls", "is not a list of one URL for each witness");
	for (size_t i = 0; i < out->witness_count; i++)
		TRY(read_url(out->witnesses[i].url, json_at(urls, i), "urls", err));
	return STATUS_OK;
}

/* [{"account":"0x…","url":"…"},…]; none: the deployment names no other nodes. */
static enum status read_nodes(struct deployment *out, const struct json *nodes, struct err *err) {
	if (!nodes) return STATUS_OK;
	if (!json_is(nodes, JSON_ARRAY) || nodes->count == 0 || nodes->count > DEPLOYMENT_NODES_MAX)
		return bad(err, "nodes", "is not a list of 1 to 64 nodes");
	json_foreach (entry, nodes) {
		struct deployment_node *node = &out->nodes[out->node_count];
		TRY(check_members(entry, 2, "an entry of \"nodes\"", err));
		TRY(read_fixed(node->account.b, sizeof node->account.b, entry, "account", err));
		TRY(read_url(node->url, json_get(entry, "url"), "url", err));
		for (size_t i = 0; i < out->node_count; i++)
			if (addr20_equal(&out->nodes[i].account, &node->account))
				return bad(err, "nodes", "names one account twice");
		out->node_count++;
	}
	return STATUS_OK;
}

/* None: leads have no lock. */
static enum status read_outer(struct deployment *out, const struct json *root, struct err *err) {
	if (!json_get(root, "outerSeal")) return STATUS_OK;
	if (!deployment_is_consortium(out)) return bad(err, "outerSeal", "is of a consortium only");
	TRY(read_fixed(out->outer.xy, sizeof out->outer.xy, root, "outerSeal", err));
	out->has_outer = p256_public_is_valid(&out->outer);
	return out->has_outer ? STATUS_OK : bad(err, "outerSeal", "is not a point of P-256");
}

static enum status read_contracts(struct deployment *out, const struct json *root, struct err *err) {
	for (size_t i = 0; i < CONTRACT_COUNT; i++) {
		const struct json *contract = json_get(root, contracts[i].name);
		TRY(check_members(contract, 2, contracts[i].name, err));
		TRY(read_fixed((uint8_t *)out + contracts[i].address, sizeof(addr20), contract, "address", err));
		TRY(read_fixed((uint8_t *)out + contracts[i].code, sizeof(hash32), contract, "codeHash", err));
	}
	return STATUS_OK;
}

static enum status read_all(struct deployment *out, const struct json *root, struct err *err) {
	uint64_t version;
	if (!json_string_is(json_get(root, "type"), "xinglin-deployment"))
		return err_set(err, STATUS_INVALID, "this is not a deployment: its type is not \"xinglin-deployment\"");
	if (!json_u64(&version, json_get(root, "v")) || version != VERSION)
		return err_set(err, STATUS_UNSUPPORTED,
		    "this deployment is not of version %u: one of version 1 pins neither the contracts' code nor the "
		    "registrars, and cannot be trusted any more",
		    VERSION);
	if (!json_u64(&out->chain_id, json_get(root, "chainId")))
		return bad(err, "chainId", "is missing or is not a number");
	TRY(read_fixed(out->genesis.b, sizeof out->genesis.b, root, "genesis", err));
	const struct json *validators = json_get(root, "validators");
	if (validators)
		TRY(deployment_read_validators(out, validators, err));
	else
		TRY(read_fixed(out->sealer.b, sizeof out->sealer.b, root, "sealer", err));
	TRY(read_url(out->rpc_url, json_get(root, "rpc"), "rpc", err));
	TRY(read_accounts(out->registrars[0].b, sizeof *out->registrars, &out->registrar_count,
	    DEPLOYMENT_REGISTRARS_MAX, json_get(root, "registrars"), "registrars", err));
	TRY(read_threshold(&out->threshold, json_get(root, "threshold"), out->registrar_count, true, err));
	TRY(read_witnesses(out, json_get(root, "witnesses"), err));
	if (addr20_is_zero(&out->sealer) && !validators && !out->witness_count)
		return bad(err, "sealer", "is nobody, and there are no witnesses");
	TRY(read_nodes(out, json_get(root, "nodes"), err));
	TRY(read_outer(out, root, err));
	TRY(read_contracts(out, root, err));
	const size_t optional = (json_get(root, "witnesses") ? 1 : 0) + (json_get(root, "nodes") ? 1 : 0) +
				(json_get(root, "outerSeal") ? 1 : 0);
	return check_members(root, 8 + CONTRACT_COUNT + optional, "it", err);
}

enum status deployment_parse(struct deployment *out, struct bytes json, struct err *err) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	*out = (struct deployment){0};
	enum status status = json_parse(&root, &arena, json, NULL, err);
	if (status == STATUS_OK) status = read_all(out, root, err);
	arena_fini(&arena);
	return status;
}

/* --- writing --- */

static void put_witnesses(struct json_writer *writer, const struct deployment *deployment) {
	json_object_begin(writer, "witnesses");
	json_array_begin(writer, "accounts");
	for (size_t i = 0; i < deployment->witness_count; i++)
		json_put_hex(writer, NULL, BYTES_OF(deployment->witnesses[i].account));
	json_array_end(writer);
	json_array_begin(writer, "urls");
	for (size_t i = 0; i < deployment->witness_count; i++)
		json_put_text(writer, NULL, deployment->witnesses[i].url);
	json_array_end(writer);
	json_put_u64(writer, "threshold", deployment->witness_threshold);
	json_object_end(writer);
}

static void put_nodes(struct json_writer *writer, const struct deployment *deployment) {
	json_array_begin(writer, "nodes");
	for (size_t i = 0; i < deployment->node_count; i++) {
		json_object_begin(writer, NULL);
		json_put_hex(writer, "account", BYTES_OF(deployment->nodes[i].account));
		json_put_text(writer, "url", deployment->nodes[i].url);
		json_object_end(writer);
	}
	json_array_end(writer);
}

void deployment_write(struct buf *out, const struct deployment *deployment) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-deployment");
	json_put_u64(&writer, "v", VERSION);
	json_put_u64(&writer, "chainId", deployment->chain_id);
	json_put_hex(&writer, "genesis", BYTES_OF(deployment->genesis));
	if (deployment_is_consortium(deployment))
		deployment_put_validators(&writer, deployment);
	else
		json_put_hex(&writer, "sealer", BYTES_OF(deployment->sealer));
	json_put_text(&writer, "rpc", deployment->rpc_url);
	json_array_begin(&writer, "registrars");
	for (size_t i = 0; i < deployment->registrar_count; i++)
		json_put_hex(&writer, NULL, BYTES_OF(deployment->registrars[i]));
	json_array_end(&writer);
	json_put_u64(&writer, "threshold", deployment->threshold);
	if (deployment->witness_count) put_witnesses(&writer, deployment);
	if (deployment->node_count) put_nodes(&writer, deployment);
	if (deployment->has_outer)
		json_put_hex(&writer, "outerSeal", bytes_make(deployment->outer.xy, sizeof deployment->outer.xy));
	for (size_t i = 0; i < CONTRACT_COUNT; i++) {
		const uint8_t *base = (const uint8_t *)deployment;
		json_object_begin(&writer, contracts[i].name);
		json_put_hex(&writer, "address", bytes_make(base + contracts[i].address, sizeof(addr20)));
		json_put_hex(&writer, "codeHash", bytes_make(base + contracts[i].code, sizeof(hash32)));
		json_object_end(&writer);
	}
	json_object_end(&writer);
}

/* --- comparing --- */

static void put_pinned(struct buf *out, const struct deployment *deployment) {
	struct deployment *pinned = mem_alloc(sizeof *pinned);
	*pinned = *deployment;
	pinned->rpc_url[0] = 0;
	pinned->node_count = 0;
	pinned->validators = (struct comet_trusted){0};
	for (size_t i = 0; i < pinned->witness_count; i++) pinned->witnesses[i].url[0] = 0;
	buf_init(out, BUF_MAX_DEFAULT);
	deployment_write(out, pinned);
	mem_free(pinned);
}

bool deployment_is_same(const struct deployment *a, const struct deployment *b) {
	struct buf one, other;
	if (deployment_is_consortium(a) != deployment_is_consortium(b)) return false;
	put_pinned(&one, a);
	put_pinned(&other, b);
	const bool is_same = bytes_equal(buf_view(&one), buf_view(&other));
	buf_fini(&one);
	buf_fini(&other);
	return is_same;
}
