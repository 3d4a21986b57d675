/* eth_getProof with the header and the seal that it stands on. */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/chain/client_private.h"

static enum status read_nodes(
    struct bytes **nodes, size_t *count, struct arena *arena, const struct json *list, struct err *err) {
	if (!json_is(list, JSON_ARRAY)) return client_senseless(err, "the node's answer holds no proof");
	*nodes = arena_zalloc(arena, list->count, sizeof **nodes);
	*count = 0;
	json_foreach (node, list) TRY(client_answer_data(&(*nodes)[(*count)++], arena, node, "proof's node", err));
	return STATUS_OK;
}

/* The newest block that a consortium proves: the very newest has no proof yet. Nothing: it is none. */
static enum status read_decided(
    struct client *client, struct client_proof *out, uint64_t *number, struct arena *arena, struct err *err) {
	static const hash32 challenge = {{1}}; /* nobody signs it */
	const struct json *result;
	enum status status =
	    client_rpc(client, &result, NULL, arena, "xinglin_head", client_hash_param(arena, &challenge), err);
	if (status == STATUS_DENIED) return STATUS_OK;
	TRY(status);
	if (!json_get(result, "commit")) return STATUS_OK;
	if (hex_quantity(number, json_string(json_get(result, "number"))) != STATUS_OK)
		return client_senseless(err, "the node's head has no number");
	TRY(client_answer_data(&out->header_rlp, arena, json_get(result, "header"), "header", err));
	return client_answer_data(&out->commit, arena, json_get(result, "commit"), "light block", err);
}

/* The newest block's number, header and seal; state proofs are then asked at that number. */
static enum status read_header(
    struct client *client, struct client_proof *out, uint64_t *number, struct arena *arena, struct err *err) {
	const struct json *result;
	TRY(client_block_number(client, number, err));
	const char *params = arena_printf(arena, "[\"0x%llx\"]", (unsigned long long)*number);
	TRY(client_rpc(client, &result, NULL, arena, "debug_getRawHeader", bytes_text(params), err));
	TRY(client_answer_data(&out->header_rlp, arena, result, "header", err));
	const hash32 hash = keccak256(out->header_rlp);
	struct client_error error;
	enum status status =
	    client_rpc(client, &result, &error, arena, "xinglin_sealOf", client_hash_param(arena, &hash), err);
	if (status == STATUS_DENIED) return STATUS_OK; /* another kind of node: no seal */
	TRY(status);
	if (!json_get(result, "signature")) return read_decided(client, out, number, arena, err);
	return client_answer_fixed(out->seal, sizeof out->seal, json_get(result, "signature"), "seal", err);
}

static void put_proof_params(
    struct buf *out, const addr20 *address, const hash32 *slots, size_t slot_count, uint64_t number) {
	struct json_writer writer = json_writer(out);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(*address));
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < slot_count; i++) json_put_hex(&writer, NULL, BYTES_OF(slots[i]));
	json_array_end(&writer);
	json_put_quantity(&writer, NULL, number);
	json_array_end(&writer);
}

enum status client_proof(struct client *client, struct client_proof *out, struct arena *arena, const addr20 *address,
    const hash32 *slots, size_t slot_count, struct err *err) {
	uint64_t number;
	*out = (struct client_proof){0};
	TRY(read_header(client, out, &number, arena, err));
	struct buf params;
	buf_init(&params, 1 << 16);
	put_proof_params(&params, address, slots, slot_count, number);
	const struct json *result;
	enum status status = client_rpc(client, &result, NULL, arena, "eth_getProof", buf_view(&params), err);
	buf_fini(&params);
	TRY(status);
	TRY(read_nodes(&out->account_nodes, &out->account_node_count, arena, json_get(result, "accountProof"), err));
	const struct json *storage = json_get(result, "storageProof");
	if (!json_is(storage, JSON_ARRAY) || storage->count != slot_count)
		return client_senseless(
		    err, "the node proves %u slots of %zu", storage ? storage->count : 0, slot_count);
	out->storage = arena_zalloc(arena, slot_count, sizeof *out->storage);
	json_foreach (entry, storage) {
		size_t i = out->storage_count++;
		out->storage[i].key = slots[i];
		TRY(read_nodes(
		    &out->storage[i].nodes, &out->storage[i].node_count, arena, json_get(entry, "proof"), err));
	}
	return STATUS_OK;
}
