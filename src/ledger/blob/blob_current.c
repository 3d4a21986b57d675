/*
 * Has this node followed what the others had decided when it started? Until then it may not know what was erased, and
 * serves nothing. It compares its block with those that the other members name: a lower one is no news, and a higher
 * one is what it waits for, unless only few name it, who may lie, and this node has stood still for a while.
 */
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/json.h"
#include "ledger/blob/blob_peers.h"

#define HEAD_PATH "/members/head"
#define ANSWER_MAX 1024u
#define LOOK_EVERY_MS 200u
#define STANDS_STILL_MS (30u * 1000)

void blob_member_head(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct chain_head *head = chain_head(room->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	exchange->response.content_type = "application/json";
	struct json_writer writer = json_writer(&exchange->response.body);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "number", number);
	json_object_end(&writer);
}

static bool ask(struct blob_room *room, struct blob_peer *peer, uint64_t *number) {
	struct http_response response;
	struct arena arena;
	const struct json *root;
	const struct blob_peer_request request = {HTTP_GET, HEAD_PATH, NULL, {NULL, 0}, 0};
	http_response_init(&response, ANSWER_MAX);
	arena_init(&arena);
	const bool is_said = blob_peer_ask(room, peer, &response, &request, NULL) == STATUS_OK &&
			     response.status == 200 &&
			     json_parse(&root, &arena, buf_view(&response.body), NULL, NULL) == STATUS_OK &&
			     json_u64(number, json_get(root, "number"));
	if (is_said) blob_peer_answered(room, peer);
	arena_fini(&arena);
	http_response_fini(&response);
	return is_said;
}

/* Of the members' power. */
struct view {
	uint64_t all, heard,
	    above; /* `heard`: this node and those that answered; `above`: those that name a later block */
};

static enum status look_around(struct blob_room *room, struct view *view, uint64_t own, struct err *err) {
	const addr20 self = blob_peers_self(room);
	*view = (struct view){0};
	TRY(blob_peers_power(room, &view->heard, &view->all, &self, err));
	for (size_t i = 0; i < blob_peers_count(room); i++) {
		struct blob_peer *peer = blob_peers_at(room, i);
		uint64_t number, power, all;
		if (peer == NULL || !ask(room, peer, &number)) continue;
		const addr20 node = blob_peer_node(peer);
		TRY(blob_peers_power(room, &power, &all, &node, err));
		view->heard += power;
		if (number > own) view->above += power;
	}
	return STATUS_OK;
}

enum status blob_current_look(struct blob_room *room, struct err *err) {
	struct blob_current *current = &room->current;
	const uint64_t now_ms = clock_now_ms(room->options.clock), own = room->followed;
	struct view view;
	if (atomic_load(&current->is_current) || now_ms < current->look_at_ms) return STATUS_OK;
	current->look_at_ms = now_ms + LOOK_EVERY_MS;
	if (current->number != own || current->since_ms == 0) current->since_ms = now_ms;
	current->number = own;
	TRY(look_around(room, &view, own, err));
	const bool stands_still = now_ms >= current->since_ms + STANDS_STILL_MS;
	const bool is_current =
	    blob_peers_count(room) == 0 ||
	    (3 * view.heard > 2 * view.all && (view.above == 0 || (3 * view.above < view.all && stands_still)));
	if (!is_current) return STATUS_OK;
	log_info("blob", "this node has followed the others to block %llu, and serves blobs", (unsigned long long)own);
	atomic_store(&current->is_current, true);
	return STATUS_OK;
}
