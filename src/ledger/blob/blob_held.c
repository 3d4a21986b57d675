/* Receipts: a put is answered once so many members hold the container that one of them is honest. */
#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "ledger/blob/blob_peers.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define HEADER_MAX ((size_t)2 << 10)
#define PATH_MAX_BYTES 160u
/* Another member has this long to keep a container, and a second more for so many bytes: the putter waits for all who
 * are asked, and gives up after a minute. */
#define ANSWER_WITHIN_MS 4000u
#define BYTES_A_SECOND ((size_t)2621440)

/* Members that lie have less than a third of the power together. */
static bool is_enough(const struct blob_held *held) {
	return 3 * held->power >= held->all;
}

enum status blob_held_begin(struct blob_room *room, struct blob_held *held, struct err *err) {
	uint64_t power;
	const addr20 self = blob_peers_self(room);
	held->count = 0;
	TRY(blob_peers_power(room, &power, &held->all, &self, err));
	held->power = power;
	if (power == 0) return STATUS_OK; /* not yet, or no longer */
	TRY(held_sign(
	    &held->receipts[0], &held->blob, blob_peers_secret(room), clock_now_ms(room->options.clock) / 1000));
	held->count = 1;
	return STATUS_OK;
}

/* The first of `"held": [{"key":"0x…","time":N,"signature":"0x…"}]`. */
static bool read_receipt(struct held_receipt *out, struct bytes body) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	bool is_read = json_parse(&root, &arena, body, NULL, NULL) == STATUS_OK;
	if (is_read) {
		const struct json *first = json_at(json_get(root, "held"), 0);
		is_read = hex_fixed(out->key.b, sizeof out->key.b, json_string(json_get(first, "key"))) == STATUS_OK &&
			  json_u64(&out->time_s, json_get(first, "time")) &&
			  hex_fixed(out->signature, sizeof out->signature, json_string(json_get(first, "signature"))) ==
			      STATUS_OK;
	}
	arena_fini(&arena);
	return is_read;
}

/* Its receipt counts if the member itself made it, for this container. */
static void count_receipt(
    struct blob_room *room, struct blob_held *held, struct blob_peer *peer, const struct http_response *response) {
	const addr20 node = blob_peer_node(peer);
	struct held_receipt *receipt = &held->receipts[held->count];
	uint64_t power, all;
	if (response->status != 201) return; /* its gate, or its quota, says otherwise: that is the putter's affair */
	const bool is_read = read_receipt(receipt, buf_view(&response->body));
	const addr20 signer = is_read ? held_node_of(&receipt->key) : (addr20){{0}};
	if (!is_read || !addr20_equal(&signer, &node) || !held_verify(receipt, &held->blob))
		return blob_peer_failed(room, peer, "its receipt for a container is not valid");
	if (blob_peers_power(room, &power, &all, &node, NULL) != STATUS_OK || power == 0) return;
	held->power += power;
	held->count++;
}

static void put_path(char out[PATH_MAX_BYTES], const struct held_blob *blob) {
	struct buf path;
	buf_init(&path, PATH_MAX_BYTES - 1);
	buf_text(&path, "/blobs/");
	hex_put(&path, BYTES_OF(blob->gate), true);
	buf_byte(&path, '/');
	hex_put(&path, BYTES_OF(blob->blob), true);
	buf_text(&path, "/here");
	BUG_ON(path.overflow);
	memcpy(out, buf_cstr(&path), path.len + 1);
	buf_fini(&path);
}

static void give_to(
    struct blob_room *room, struct blob_held *held, struct blob_peer *peer, const struct blob_peer_request *request) {
	struct http_response response;
	http_response_init(&response, ANSWER_MAX);
	if (blob_peer_ask(room, peer, &response, request, NULL) == STATUS_OK) {
		blob_peer_answered(room, peer);
		count_receipt(room, held, peer, &response);
	}
	http_response_fini(&response);
}

void blob_held_spread(
    struct blob_room *room, struct blob_held *held, struct bytes authorization, struct bytes container) {
	struct blob_peer *peers[BLOB_PEERS_MAX];
	const size_t count = blob_peers_in_turn(room, peers);
	char path[PATH_MAX_BYTES];
	struct buf header;
	buf_init(&header, HEADER_MAX);
	buf_text(&header, "Authorization: ");
	buf_append(&header, authorization);
	put_path(path, &held->blob);
	const uint32_t within_ms = ANSWER_WITHIN_MS + (uint32_t)(container.len * 1000 / BYTES_A_SECOND);
	const struct blob_peer_request request = {HTTP_PUT, path, buf_cstr(&header), container, within_ms};
	for (size_t i = 0; i < count && !is_enough(held) && held->count < HELD_RECEIPTS_MAX; i++)
		give_to(room, held, peers[i], &request);
	buf_fini(&header);
	if (!is_enough(held)) log_warn("blob", "a container is held by fewer members than one of which is honest");
}

void blob_held_write(struct json_writer *writer, const struct blob_held *held) {
	json_array_begin(writer, "held");
	for (size_t i = 0; i < held->count; i++) {
		json_object_begin(writer, NULL);
		json_put_hex(writer, "key", BYTES_OF(held->receipts[i].key));
		json_put_u64(writer, "time", held->receipts[i].time_s);
		json_put_hex(
		    writer, "signature", bytes_make(held->receipts[i].signature, sizeof held->receipts[i].signature));
		json_object_end(writer);
	}
	json_array_end(writer);
}
