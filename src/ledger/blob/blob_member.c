/*
 * What other members ask this node for: contents of items, by a request that their node's key signed. A request can be
 * played again until it expires: whoever does so gets sealed bytes that it has heard already.
 */
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/hex.h"
#include "ledger/blob/blob_fetch.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_wire.h"

static bool refuse(struct http_response *response, const char *detail) {
	http_problem(response, 401, "not-authenticated", detail);
	return false;
}

static bool read_signature(
    uint8_t signature[ED25519_SIGNATURE_BYTES], hash32 *key, uint64_t *expiry_s, const struct http_exchange *exchange) {
	struct bytes header = http_header_get(&exchange->request, "authorization");
	const struct bytes scheme = BYTES_LITERAL("Xinglin-Member ");
	if (!bytes_equal(bytes_slice(header, 0, scheme.len), scheme)) return false;
	header = bytes_slice(header, scheme.len, header.len);
	return hex_fixed(key->b, sizeof key->b, blob_credential(header, "key")) == STATUS_OK &&
	       blob_decimal(expiry_s, blob_credential(header, "expiry")) &&
	       hex_fixed(signature, ED25519_SIGNATURE_BYTES, blob_credential(header, "signature")) == STATUS_OK;
}

/* True: a member of this moment, or a follower of this node, asks this node for this very thing. */
static bool is_member(struct blob_room *room, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct held_request said = {.genesis = chain_genesis_hash(room->chain),
	    .asked = blob_peers_self(room),
	    .path = exchange->request.path,
	    .body = exchange->request.body};
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	hash32 key;
	struct err err = {0};
	if (!read_signature(signature, &key, &said.expiry_s, exchange))
		return refuse(response, "an Authorization header of scheme Xinglin-Member is needed");
	const uint64_t now_s = clock_now_ms(room->options.clock) / 1000;
	if (said.expiry_s < now_s || said.expiry_s > now_s + BLOB_EXPIRY_AHEAD_S)
		return refuse(response, "the request has expired, or the two members' clocks differ");
	uint64_t power, all;
	const addr20 node = held_node_of(&key);
	if (blob_peers_power(room, &power, &all, &node, &err) != STATUS_OK) {
		log_error("blob", "%s", err.message);
		http_problem(response, 500, "internal", "the node failed; its log says why");
		return false;
	}
	if (power == 0 && !blob_peers_is_guest(room, &node))
		return refuse(response, "the key is not a member's, and not a follower's of this node");
	struct buf text;
	buf_init(&text, 256);
	held_request_text(&text, &said);
	const bool is_valid = ed25519_verify(signature, &key, buf_view(&text));
	buf_fini(&text);
	return is_valid || refuse(response, "the signature is not this member's over this request, to this node");
}

/* --- contents --- */

/* Contents of an answer, one behind the other, and where each ends. */
struct giving {
	struct blob_answer answers[BLOB_WISHES_MAX];
	size_t ends[BLOB_WISHES_MAX];
	struct buf contents;
};

/* What is damaged is not given, and fetched again. */
static enum blob_found read_content(struct blob_room *room, struct buf *out, const struct blob_item *item) {
	struct err err = {0};
	const size_t before = out->len;
	enum status status = blob_content_read(room, out, &item->gate, &item->item, true, 0, &err);
	if (status == STATUS_OK && blob_is_content_of(item, bytes_slice(buf_view(out), before, out->len)))
		return BLOB_GIVEN;
	out->len = before;
	if (status != STATUS_IO) status = blob_damaged(room, item, &err);
	if (status != STATUS_OK) log_error("blob", "%s", err.message);
	return BLOB_ABSENT;
}

static enum blob_found find(struct blob_room *room, struct buf *contents, const struct blob_wish *wish) {
	struct blob_item item;
	if (blob_index_find(room, &item, &wish->gate, &wish->item, NULL) != STATUS_OK || item.state != BLOB_NAMED ||
	    !hash32_equal(&item.blob, &wish->blob))
		return BLOB_ABSENT;
	if (contents->len > 0 && contents->len + item.size_bytes > BLOB_ANSWER_BYTES) return BLOB_LATER;
	return read_content(room, contents, &item);
}

static void give(struct blob_room *room, struct buf *out, const struct blob_wish *wishes, size_t count) {
	struct giving *giving = mem_zalloc(1, sizeof *giving);
	buf_init(&giving->contents, BLOB_ANSWER_MAX);
	for (size_t i = 0; i < count; i++) {
		giving->answers[i].found = find(room, &giving->contents, &wishes[i]);
		giving->ends[i] = giving->contents.len;
	}
	for (size_t i = 0, from = 0; i < count; from = giving->ends[i++])
		if (giving->answers[i].found == BLOB_GIVEN)
			giving->answers[i].content =
			    bytes_slice(buf_view(&giving->contents), from, giving->ends[i] - from);
	blob_answers_encode(out, giving->answers, count);
	buf_fini(&giving->contents);
	mem_free(giving);
}

void blob_member_wanted(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_wish wishes[BLOB_WISHES_MAX];
	size_t count;
	struct err err = {0};
	if (room->peers == NULL)
		return http_problem(&exchange->response, 404, "no-members", "this node keeps blobs alone");
	if (!is_member(room, exchange)) return;
	if (blob_wishes_decode(wishes, &count, exchange->request.body, &err) != STATUS_OK)
		return http_problem(&exchange->response, 400, "malformed", err.message);
	exchange->response.content_type = "application/octet-stream";
	give(room, &exchange->response.body, wishes, count);
}

void blob_member_names(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	if (room->peers == NULL)
		return http_problem(&exchange->response, 404, "no-members", "this node keeps blobs alone");
	if (is_member(room, exchange)) blob_names_wanted(room, exchange);
}
