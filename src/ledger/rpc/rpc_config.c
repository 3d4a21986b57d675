/* eth_config (EIP-7910) and eth_capabilities: what this node runs and has. */
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#include "ledger/chain/alloc.h"
#include "ledger/evm/precompiles.h"

#include <stdlib.h>
#include <zlib.h>

#define POINTS_MAX 64u

/* Where rules change, as EIP-2124 and 6122 count: blocks, then times after genesis, each once and rising. */
struct fork_points {
	uint64_t blocks[POINTS_MAX], times[POINTS_MAX];
	size_t block_count, time_count;
};

static bool ends(struct bytes name, const char *tail) {
	const size_t len = strlen(tail);
	return name.len > len && memcmp(name.data + name.len - len, tail, len) == 0;
}

static int compare(const void *a, const void *b) {
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Rising, each once, and none up to `floor`. */
static size_t tidy(uint64_t *points, size_t count, uint64_t floor) {
	size_t kept = 0;
	qsort(points, count, sizeof *points, compare);
	for (size_t i = 0; i < count; i++)
		if (points[i] > floor && (kept == 0 || points[kept - 1] != points[i])) points[kept++] = points[i];
	return kept;
}

static enum status take_points(struct rpc_call *call, struct fork_points *out) {
	const struct genesis *genesis = chain_genesis(call->rpc->options.chain);
	const struct json *root;
	*out = (struct fork_points){.block_count = 0};
	TRY(json_parse(&root, call->arena, genesis_json(genesis), NULL, &call->err));
	json_foreach (item, json_get(root, "config")) {
		uint64_t at;
		if (!loose_u64(&at, item)) continue;
		if (ends(item->name, "Block") && out->block_count < POINTS_MAX) out->blocks[out->block_count++] = at;
		if (ends(item->name, "Time") && out->time_count < POINTS_MAX) out->times[out->time_count++] = at;
	}
	out->block_count = tidy(out->blocks, out->block_count, 0);
	out->time_count = tidy(out->times, out->time_count, genesis_header(genesis).timestamp);
	return STATUS_OK;
}

static uint32_t add_point(uint32_t sum, uint64_t point) {
	uint8_t bytes[8];
	store_be64(bytes, point);
	return (uint32_t)crc32(sum, bytes, sizeof bytes);
}

static void put_fork_id(
    struct json_writer *out, const struct rpc *rpc, const struct fork_points *points, uint64_t time) {
	const hash32 *genesis = chain_genesis_hash(rpc->options.chain);
	uint8_t bytes[4];
	uint32_t sum = (uint32_t)crc32(0, genesis->b, sizeof genesis->b);
	for (size_t i = 0; i < points->block_count; i++) sum = add_point(sum, points->blocks[i]);
	for (size_t i = 0; i < points->time_count && points->times[i] <= time; i++)
		sum = add_point(sum, points->times[i]);
	store_be32(bytes, sum);
	json_put_hex(out, "forkId", bytes_make(bytes, sizeof bytes));
}

static void put_precompiles(struct json_writer *out, enum fork fork) {
	static const struct {
		const char *name;
		uint16_t number;
	} named[] = {{"BLAKE2F", 9}, {"BLS12_G1ADD", 11}, {"BLS12_G1MSM", 12}, {"BLS12_G2ADD", 13}, {"BLS12_G2MSM", 14},
	    {"BLS12_MAP_FP2_TO_G2", 17}, {"BLS12_MAP_FP_TO_G1", 16}, {"BLS12_PAIRING_CHECK", 15}, {"BN254_ADD", 6},
	    {"BN254_MUL", 7}, {"BN254_PAIRING", 8}, {"ECREC", 1}, {"ID", 4}, {"KZG_POINT_EVALUATION", 10},
	    {"MODEXP", 5}, {"P256VERIFY", 0x100}, {"RIPEMD160", 3}, {"SHA256", 2}};
	json_object_begin(out, "precompiles");
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		const addr20 address = {
		    {[18] = (uint8_t)(named[i].number >> 8), [19] = (uint8_t)(named[i].number & 0xff)}};
		if (precompile_find(fork, &address)) json_put_hex(out, named[i].name, BYTES_OF(address));
	}
	json_object_end(out);
}

static void put_system_contracts(struct json_writer *out, const struct exec_rules *rules) {
	json_object_begin(out, "systemContracts");
	for (size_t i = 0; i < EXEC_SYSTEM_CONTRACTS; i++)
		if (exec_system_contracts[i].since <= rules->fork)
			json_put_hex(out, exec_system_contracts[i].name, BYTES_OF(*exec_system_contracts[i].address));
	if (rules->fork >= FORK_PRAGUE)
		json_put_hex(out, "DEPOSIT_CONTRACT_ADDRESS", BYTES_OF(rules->deposit_contract));
	json_object_end(out);
}

static void put_config(struct rpc_call *call, const char *name, const struct fork_points *points, uint64_t time) {
	struct json_writer *out = &call->out;
	struct rpc_block_id newest = {.kind = RPC_BLOCK_LATEST};
	struct rpc_found_block head;
	bool found;
	if (rpc_find_block(call, &head, &found, &newest) != STATUS_OK || !found) return;
	head.header.timestamp = time;
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, &head.header);
	json_object_begin(out, name);
	json_put_u64(out, "activationTime", time);
	if (rules.fork >= FORK_CANCUN) {
		json_object_begin(out, "blobSchedule");
		json_put_u64(out, "target", rules.blob.target);
		json_put_u64(out, "max", rules.blob.max);
		json_put_u64(out, "baseFeeUpdateFraction", rules.blob.base_fee_update_fraction);
		json_object_end(out);
	} else {
		json_put_null(out, "blobSchedule");
	}
	rpc_put_u256(out, "chainId", &rules.chain_id);
	put_fork_id(out, call->rpc, points, time);
	put_precompiles(out, rules.fork);
	put_system_contracts(out, &rules);
	json_object_end(out);
}

enum status rpc_eth_config(struct rpc_call *call) {
	struct json_writer *out = &call->out;
	struct fork_points points;
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const uint64_t now = head->header.timestamp;
	chain_head_release(head);
	TRY(take_points(call, &points));
	size_t past = 0;
	while (past < points.time_count && points.times[past] <= now) past++;
	json_object_begin(out, NULL);
	put_config(call, "current", &points, past ? points.times[past - 1] : 0);
	if (past < points.time_count) {
		put_config(call, "next", &points, points.times[past]);
		put_config(call, "last", &points, points.times[points.time_count - 1]);
	} else {
		json_put_null(out, "next");
		json_put_null(out, "last");
	}
	json_object_end(out);
	return STATUS_OK;
}

/* All of everything, from block 0: nothing is ever pruned. */
enum status rpc_eth_capabilities(struct rpc_call *call) {
	static const char *const resources[] = {"state", "tx", "logs", "receipts", "blocks", "stateproofs"};
	struct json_writer *out = &call->out;
	struct chain_head *head = chain_head(call->rpc->options.chain);
	json_object_begin(out, NULL);
	json_object_begin(out, "head");
	json_put_quantity(out, "number", head->header.number);
	json_put_hex(out, "hash", BYTES_OF(head->hash));
	json_object_end(out);
	chain_head_release(head);
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		json_object_begin(out, resources[i]);
		json_put_bool(out, "disabled", false);
		json_put_quantity(out, "oldestBlock", 0);
		json_object_end(out);
	}
	json_object_end(out);
	return STATUS_OK;
}
