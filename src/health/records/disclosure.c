/* Making a disclosure proof. Checking one is in disclosure_verify.c. */
#include "health/records/disclosure.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/actors/actor.h"
#include "health/chain/validators.h"
#include "health/contracts/cause.h"
#include "health/records/registration_slots.h"

#define ANCHOR_MAX ((size_t)64 << 10)

static void put_hex_list(struct json_writer *writer, const char *name, const struct bytes *items, size_t count) {
	json_array_begin(writer, name);
	for (size_t i = 0; i < count; i++) json_put_hex(writer, NULL, items[i]);
	json_array_end(writer);
}

static void put_resource(struct json_writer *writer, struct bytes resource) {
	json_put_name(writer, "resource");
	buf_byte(writer->out, '"');
	base64url_put(writer->out, resource);
	buf_byte(writer->out, '"');
}

/* The resource's leaf: salt, place, path to the root. */
static void put_inclusion(
    struct json_writer *writer, struct arena *arena, const struct record_opened *record, size_t index) {
	size_t count = record->lead.count;
	hash32 *leaves = arena_zalloc(arena, count, sizeof *leaves), salt, of_this = {{0}};
	hash32 path[MERKLE_DEPTH_MAX];
	struct bytes views[MERKLE_DEPTH_MAX];
	for (size_t i = 0; i < count; i++) {
		leaves[i] = record_leaf(&salt, record->lead.seed, (uint32_t)i + 1, record->resources[i]);
		if (i == index) of_this = salt;
	}
	size_t path_len = merkle_path(path, leaves, count, index);
	for (size_t i = 0; i < path_len; i++) views[i] = BYTES_OF(path[i]);
	put_resource(writer, record->resources[index]);
	json_put_hex(writer, "salt", BYTES_OF(of_this));
	json_put_u64(writer, "index", index);
	json_put_u64(writer, "count", count);
	put_hex_list(writer, "path", views, path_len);
}

/* `decided`: of a consortium's chain, in the place of a seal. */
static void put_chain_proof(
    struct json_writer *writer, const struct client_proof *proof, const struct validators_proof *decided) {
	json_put_hex(writer, "header", proof->header_rlp);
	if (decided->count) {
		json_put_hex(writer, "commit", decided->blocks[decided->count - 1]);
		put_hex_list(writer, "between", decided->blocks, decided->count - 1);
	} else {
		json_put_hex(writer, "seal", bytes_make(proof->seal, sizeof proof->seal));
	}
	put_hex_list(writer, "accountProof", proof->account_nodes, proof->account_node_count);
	json_array_begin(writer, "storageProof");
	for (size_t i = 0; i < proof->storage_count; i++) {
		json_object_begin(writer, NULL);
		json_put_hex(writer, "key", BYTES_OF(proof->storage[i].key));
		put_hex_list(writer, "proof", proof->storage[i].nodes, proof->storage[i].node_count);
		json_object_end(writer);
	}
	json_array_end(writer);
}

/* Who decided the block: its sealer, or a consortium's validators. */
static enum status prove_decided(
    struct actor_request *request, struct validators_proof *out, const struct client_proof *proof, struct err *err) {
	static const uint8_t no_seal[sizeof proof->seal];
	const struct deployment *anchor = &request->home->deployment;
	*out = (struct validators_proof){0};
	if (proof->commit.len && deployment_is_consortium(anchor))
		return validators_proof_make(
		    request->client, out, request->arena, anchor, proof->commit, clock_now_ms(request->clock), err);
	if (memcmp(proof->seal, no_seal, sizeof no_seal) != 0) return STATUS_OK;
	return err_set(err, STATUS_UNSUPPORTED, "the node gives no proof that its newest block was decided");
}

/* The node's part was believed by nobody yet: a file that proves nothing is not handed out. */
static enum status check_made(struct actor_request *request, struct bytes file, struct err *err) {
	struct deployment *trusted = arena_alloc(request->arena, sizeof *trusted);
	struct disclosure disclosure;
	struct heads *heads;
	struct buf anchor;
	TRY(actor_heads(request->actor, &heads, err));
	heads_refresh_anchor(heads, trusted);
	buf_init(&anchor, ANCHOR_MAX);
	deployment_write(&anchor, trusted);
	enum status status =
	    disclosure_verify(&disclosure, request->arena, file, buf_view(&anchor), clock_now_ms(request->clock), err);
	buf_fini(&anchor);
	if (status == STATUS_OK) return status;
	return err_because(err, CAUSE_NOT_PROVED, err_prefix(err, STATUS_DENIED, "the node gave no proof that holds"));
}

enum status disclosure_make(struct actor_request *request, struct buf *out, const hash32 *record, uint32_t index,
    const struct folder_keys *further, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	struct validators_proof decided;
	struct record_opened opened;
	struct client_proof proof;
	hash32 slots[2];
	TRY(record_read(request, &opened, record, 0, further, err));
	if (index < 1 || index > opened.lead.count)
		return err_set(err, STATUS_NOTFOUND, "the record has resources 1 to %zu", opened.lead.count);
	registration_slots(slots, record);
	TRY(client_proof(request->client, &proof, request->arena, &deployment->records, slots, 2, err));
	TRY(prove_decided(request, &decided, &proof, err));
	const size_t begun = out->len;
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-disclosure");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", deployment->chain_id);
	json_put_hex(&writer, "genesis", BYTES_OF(deployment->genesis));
	json_put_hex(&writer, "records", BYTES_OF(deployment->records));
	json_put_hex(&writer, "record", BYTES_OF(*record));
	put_inclusion(&writer, request->arena, &opened, index - 1);
	put_chain_proof(&writer, &proof, &decided);
	json_object_end(&writer);
	mem_wipe(&opened.lead, sizeof opened.lead);
	TRY(buf_status(out, err));
	return check_made(request, bytes_slice(buf_view(out), begun, out->len), err);
}
