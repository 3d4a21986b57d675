#include "health/actors/action.h"

#include "codec/hex.h"
#include "envelope/container.h"

#define ACTION_KEY_MAX 8192u /* a JWE of a key has some hundred bytes */

enum status action_deadline(struct actor_request *request, uint64_t *deadline_s, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	*deadline_s = verified_now_s(verified) + ACTION_LIFE_SECONDS;
	return STATUS_OK;
}

enum status action_write(struct buf *out, const struct action *action, uint64_t chain_id, struct err *err) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-action");
	json_put_u64(&writer, "v", 2);
	json_put_u64(&writer, "chainId", chain_id);
	json_put_hex(&writer, "to", BYTES_OF(action->to));
	json_put_hex(&writer, "data", action->data);
	json_array_begin(&writer, "blobs");
	for (size_t i = 0; i < action->blob_count; i++) {
		struct buf text;
		buf_init(&text, 2 * CONTAINER_BYTES_MAX);
		base64url_put(&text, action->blobs[i].container);
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "gate", BYTES_OF(action->blobs[i].gate));
		json_put_hex(&writer, "blob", BYTES_OF(action->blobs[i].blob));
		json_put_string(&writer, "container", buf_view(&text));
		json_object_end(&writer);
		buf_fini(&text);
	}
	json_array_end(&writer);
	if (action->key.len) json_put_string(&writer, "key", action->key);
	json_object_end(&writer);
	return buf_status(out, err);
}

static enum status bad(struct err *err, const char *member) {
	return err_set(err, STATUS_INVALID, "action: \"%s\" is missing or malformed", member);
}

static enum status read_blob(struct action *out, struct arena *arena, const struct json *entry, struct err *err) {
	size_t i = out->blob_count;
	if (i == ACTION_BLOBS_MAX) return err_set(err, STATUS_LIMIT, "action: more than %d blobs", ACTION_BLOBS_MAX);
	if (hex_fixed(out->blobs[i].gate.b, 20, json_string(json_get(entry, "gate"))) != STATUS_OK)
		return bad(err, "gate");
	if (hex_fixed(out->blobs[i].blob.b, 32, json_string(json_get(entry, "blob"))) != STATUS_OK)
		return bad(err, "blob");
	struct bytes text = json_string(json_get(entry, "container"));
	struct buf frame;
	buf_init(&frame, CONTAINER_BYTES_MAX);
	enum status status = text.data ? base64url_data(&frame, text) : STATUS_INVALID;
	out->blobs[i].container = arena_dup(arena, buf_view(&frame));
	buf_fini(&frame);
	if (status != STATUS_OK) return bad(err, "container");
	struct container container;
	TRY(container_decode(&container, out->blobs[i].container, err));
	hash32 name = container_name(&container);
	if (!hash32_equal(&name, &out->blobs[i].blob))
		return err_set(err, STATUS_INVALID, "action: a container has another name than \"blob\" says");
	out->blob_count++;
	return STATUS_OK;
}

enum status action_parse(
    struct action *out, struct arena *arena, struct bytes json, uint64_t chain_id, struct err *err) {
	const struct json *root;
	uint64_t version, of_chain;
	*out = (struct action){0};
	TRY(json_parse(&root, arena, json, NULL, err));
	if (!json_string_is(json_get(root, "type"), "xinglin-action"))
		return err_set(err, STATUS_INVALID, "this is no signed action: its type is not \"xinglin-action\"");
	if (!json_u64(&version, json_get(root, "v"))) return bad(err, "v");
	if (version != 2) return err_set(err, STATUS_UNSUPPORTED, "action of another version than 2");
	if (!json_u64(&of_chain, json_get(root, "chainId"))) return bad(err, "chainId");
	if (of_chain != chain_id)
		return err_set(err, STATUS_INVALID, "the action is for chain %llu, the node runs %llu",
		    (unsigned long long)of_chain, (unsigned long long)chain_id);
	if (hex_fixed(out->to.b, 20, json_string(json_get(root, "to"))) != STATUS_OK) return bad(err, "to");
	struct bytes data = json_string(json_get(root, "data"));
	struct buf calldata;
	buf_init(&calldata, (size_t)1 << 20);
	enum status status = data.data ? hex_data(&calldata, data) : STATUS_INVALID;
	out->data = arena_dup(arena, buf_view(&calldata));
	buf_fini(&calldata);
	if (status != STATUS_OK) return bad(err, "data");
	const struct json *blobs = json_get(root, "blobs");
	if (!json_is(blobs, JSON_ARRAY)) return bad(err, "blobs");
	json_foreach (entry, blobs) TRY(read_blob(out, arena, entry, err));
	const struct json *key = json_get(root, "key");
	if (key && (!json_is(key, JSON_STRING) || json_string(key).len > ACTION_KEY_MAX)) return bad(err, "key");
	if (key) out->key = json_string(key);
	return STATUS_OK;
}

static enum status put_blobs(
    struct actor_request *request, struct outbox_blob *out, const struct action *action, struct err *err) {
	for (size_t i = 0; i < action->blob_count; i++) {
		hash32 blob;
		out[i] = (struct outbox_blob){action->blobs[i].gate, action->blobs[i].container};
		TRY(request_put(request, &blob, &out[i].gate, out[i].container, "a blob", err));
	}
	return STATUS_OK;
}

/* --- for somebody else --- */

static enum status check_blobs(const struct action *action, const struct statement_call *call, struct err *err) {
	for (size_t i = 0; i < action->blob_count; i++) {
		bool is_named = addr20_equal(&action->blobs[i].gate, &action->to) &&
				hash32_equal(&action->blobs[i].blob, &call->blob) &&
				action->blobs[i].container.len == call->blob_bytes;
		if (!is_named)
			return err_set(err, STATUS_DENIED, "the action brings a blob that its call does not name");
	}
	return STATUS_OK;
}

enum status action_check(
    const struct actor_request *request, struct statement_call *out, const struct action *action, struct err *err) {
	const struct home *home = request->home;
	TRY(statement_call_read(out, request->arena, &home->deployment, &action->to, action->data, err));
	if (addr20_equal(&out->by, &home->account))
		return err_set(err, STATUS_DENIED,
		    "this home's own account signed the action: a relay carries what others signed");
	if (!addr20_is_zero(&out->relay) && !addr20_equal(&out->relay, &home->account))
		return err_set(err, STATUS_DENIED, "the action names another account than this home's as its relay");
	return check_blobs(action, out, err);
}

enum status action_relay(
    struct actor_request *request, struct client_receipt *receipt, const struct action *action, struct err *err) {
	struct statement_call call;
	TRY(action_check(request, &call, action, err));
	return action_send(request, receipt, action, err);
}

enum status action_send(
    struct actor_request *request, struct client_receipt *receipt, const struct action *action, struct err *err) {
	struct outbox_blob blobs[ACTION_BLOBS_MAX];
	struct outbox_result result;
	TRY(put_blobs(request, blobs, action, err));
	const struct outbox_entry entry = {
	    .to = &action->to, .data = action->data, .blobs = blobs, .blob_count = action->blob_count};
	TRY(request_send(request, &result, &entry, err));
	*receipt = result.receipt;
	if (result.end == OUTBOX_DONE) return STATUS_OK;
	return request_refused(request, &result.verdict, err);
}
