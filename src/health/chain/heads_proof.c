/* eth_getProof: its question and its answer. What the answer proves is eth/proof.h's. */
#include "codec/hex.h"
#include "health/chain/heads_private.h"
#include "health/contracts/cause.h"

#define NODES_MAX 65u /* from the root down: a key has 64 nibbles */

enum status heads_not_proved(struct err *err) {
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

enum status heads_refuse_block(struct err *err, uint64_t number, const char *what) {
	err_set(err, STATUS_DENIED, "not proved: %s (block %llu)", what, (unsigned long long)number);
	return heads_not_proved(err);
}

struct bytes heads_proof_params(
    struct arena *arena, const addr20 *contract, const hash32 *slots, size_t count, const hash32 *block) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&out);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(*contract));
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) json_put_hex(&writer, NULL, BYTES_OF(slots[i]));
	json_array_end(&writer);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "blockHash", BYTES_OF(*block));
	json_object_end(&writer);
	json_array_end(&writer);
	struct bytes params = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return params;
}

static enum status refuse(struct err *err, const char *what) {
	err_set(err, STATUS_DENIED, "the node's proof %s", what);
	return heads_not_proved(err);
}

enum status heads_proof_nodes(
    struct bytes **nodes, size_t *count, struct arena *arena, const struct json *list, struct err *err) {
	*count = 0;
	if (!json_is(list, JSON_ARRAY)) return refuse(err, "has no list of nodes");
	if (list->count > NODES_MAX) return refuse(err, "has more nodes than a trie is deep");
	*nodes = arena_zalloc(arena, list->count, sizeof **nodes);
	json_foreach (node, list)
		if (client_answer_data(&(*nodes)[(*count)++], arena, node, "proof's node", err) != STATUS_OK)
			return heads_not_proved(err);
	return STATUS_OK;
}

enum status heads_proof_read(
    struct heads_proof *out, struct arena *arena, const struct json *answer, size_t slots, struct err *err) {
	const struct json *storage = json_get(answer, "storageProof");
	*out = (struct heads_proof){0};
	TRY(heads_proof_nodes(
	    &out->account_nodes, &out->account_node_count, arena, json_get(answer, "accountProof"), err));
	if (!json_is(storage, JSON_ARRAY) || storage->count != slots)
		return refuse(err, "is of another number of slots than was asked for");
	out->slots = arena_zalloc(arena, slots, sizeof *out->slots);
	json_foreach (entry, storage) {
		struct heads_proof_slot *slot = &out->slots[out->slot_count++];
		TRY(heads_proof_nodes(&slot->nodes, &slot->node_count, arena, json_get(entry, "proof"), err));
	}
	return STATUS_OK;
}
