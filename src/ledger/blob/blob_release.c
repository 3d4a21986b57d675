/*
 * Parts of the outer seal's key (eth/outer.h): what a reader may read at this moment, this member gives its part for.
 * It asks the gate and writes the audit as for a read of the item, and looks whether the lock was made for that item,
 * so a lock that was copied under another record opens nothing.
 *
 * Each part is locked to the reader's key, which the reader signed with the rest of its wish; so the member that
 * collects them for it learns nothing.
 */
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/hex.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_request.h"

#define HEADER_MAX ((size_t)2 << 10)
#define PATH_MAX_BYTES 170u

struct released {
	uint64_t number; /* of the statement */
	uint8_t count;
	uint8_t parts[OUTER_HOLDERS_MAX][OUTER_PART_BYTES];
};

static void write_answer(struct http_response *response, const struct released *released) {
	uint8_t head[OUTER_PARTS_HEAD_BYTES];
	store_be64(head, released->number);
	head[8] = released->count;
	response->content_type = "application/octet-stream";
	buf_append(&response->body, bytes_make(head, sizeof head));
	for (size_t i = 0; i < released->count; i++)
		buf_append(&response->body, bytes_make(released->parts[i], sizeof released->parts[i]));
}

/* --- this member's part --- */

static bool find_share(
    struct blob_room *room, struct vss_share *share, const struct outer_wish *wish, struct http_response *response) {
	struct err err = {0};
	uint64_t number = 0;
	const enum status status = blob_peers_share(room, share, &number, &err);
	if (status == STATUS_OK && number == wish->number) return true;
	mem_wipe(share, sizeof *share);
	if (status == STATUS_OK || (status == STATUS_NOTFOUND && number != wish->number)) {
		http_problem(
		    response, 409, "other-seal", "the chain has another statement about the outer seal by now");
	} else if (status == STATUS_NOTFOUND) {
		http_problem(response, 409, "no-share",
		    "this node holds no share of the outer seal's key: it follows, or the key was dealt without it");
	} else {
		log_error("blob", "%s", err.message);
		blob_request_problem(response, STATUS_INTERNAL, &err);
	}
	return false;
}

/* The wish and its label, as far as they make sense. */
static bool read_wish(struct blob_room *room, struct outer_wish *wish, uint8_t label[OUTER_LABEL_BYTES],
    const struct blob_request *request, struct http_exchange *exchange) {
	if (outer_wish_read(wish, exchange->request.body) != STATUS_OK) {
		http_problem(&exchange->response, 400, "malformed", "this is not a wish for parts of a lock");
		return false;
	}
	outer_label(label, chain_genesis_hash(room->chain), &request->gate, &request->name);
	if (tdh2_is_for(&wish->head, bytes_make(label, OUTER_LABEL_BYTES))) return true;
	http_problem(&exchange->response, 422, "other-lock", "the lock was not made for this item");
	return false;
}

/* Parts cost more than other answers, at several members. */
static bool may_wish(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	if (blob_account_wishes(room, &request->who)) return true;
	http_problem(response, 429, "too-many-requests", "this account's share of releases in two minutes is used up");
	http_put_header(response, "Retry-After", "%u", BLOB_EXPIRY_AHEAD_S);
	return false;
}

/* True: the part is made, and the trace is written. */
static bool give(struct blob_room *room, struct released *released, const struct blob_request *request,
    struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct outer_wish wish;
	struct vss_share share;
	struct blob_item item;
	uint8_t label[OUTER_LABEL_BYTES];
	bool may;
	if (!blob_peers_is_current(room)) {
		http_problem(response, 503, "catching-up", "this node does not know yet what was erased meanwhile");
		http_put_header(response, "Retry-After", "1");
		return false;
	}
	if (!blob_request_judge(room, &may, request, response) || !blob_request_use(room, request, response) ||
	    !may_wish(room, request, response))
		return false;
	if (!blob_request_item(room, &item, request, response)) return false;
	if (may && (!read_wish(room, &wish, label, request, exchange) || !find_share(room, &share, &wish, response)))
		return false;
	bool is_given = blob_request_log(room, may, request, response) && may;
	if (is_given) {
		released->number = wish.number;
		is_given = outer_part_make(released->parts[0], &wish, label, &share, room->options.random) == STATUS_OK;
		released->count = is_given;
		if (!is_given) blob_request_problem(response, STATUS_INTERNAL, NULL);
	} else if (!may && response->status == 200) {
		http_problem(response, 403, "get-refused", "the contract does not let this account read this item now");
	}
	if (may) mem_wipe(&share, sizeof share);
	return is_given;
}

void blob_release_here(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_RELEASE};
	struct released *released = mem_zalloc(1, sizeof *released);
	if (room->peers == NULL)
		http_problem(
		    &exchange->response, 404, "no-members", "this node keeps blobs alone: it has no outer seal");
	else if (blob_request_open(room, &request, exchange) && give(room, released, &request, exchange))
		write_answer(&exchange->response, released);
	mem_free(released);
}

/* --- other members' parts --- */

static void ask_others(struct blob_room *room, struct released *released, const struct blob_request *request,
    const struct outer_wish *wish, const struct http_exchange *exchange) {
	struct buf header, path;
	buf_init(&header, HEADER_MAX);
	buf_init(&path, PATH_MAX_BYTES);
	buf_text(&header, "Authorization: ");
	buf_append(&header, http_header_get(&exchange->request, "authorization"));
	buf_text(&path, "/blobs/");
	hex_put(&path, BYTES_OF(request->gate), true);
	buf_byte(&path, '/');
	hex_put(&path, BYTES_OF(request->name), true);
	buf_text(&path, "/release/here");
	const struct blob_parts_wish passed = {
	    buf_cstr(&path), buf_cstr(&header), exchange->request.body, wish->number};
	const uint8_t wanted = wish->needed > released->count ? (uint8_t)(wish->needed - released->count) : 0;
	released->count += blob_parts_ask(room, &released->parts[released->count], wanted, &passed);
	buf_fini(&path);
	buf_fini(&header);
}

/* Whom the contract refuses here, others refuse too. Whether this node has a share, or has caught up, is its own. */
static bool may_others_give(const struct http_response *response) {
	return response->status == 200 || response->status == 404 || response->status == 409 || response->status == 503;
}

/* One account's wishes never take all workers. */
static void refuse_collecting(struct http_response *response) {
	buf_clear(&response->body);
	http_problem(response, 429, "too-many-requests", "this account waits for as many releases as it may at once");
	http_put_header(response, "Retry-After", "1");
}

static void answer_all(struct http_response *response, struct released *released, uint64_t number) {
	if (released->count == 0) return;
	released->number = number;
	response->status = 200;
	buf_clear(&response->body);
	write_answer(response, released);
}

/* A member that has no part of its own asks the others all the same. */
void blob_release(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct http_response *response = &exchange->response;
	struct blob_request request = {.action = ACTION_RELEASE};
	struct outer_wish wish;
	if (room->peers == NULL)
		return http_problem(response, 404, "no-members", "this node keeps blobs alone: it has no outer seal");
	if (!blob_request_open(room, &request, exchange)) return;
	struct released *released = mem_zalloc(1, sizeof *released);
	give(room, released, &request, exchange);
	if (may_others_give(response) && outer_wish_read(&wish, exchange->request.body) == STATUS_OK) {
		if (!blob_account_collects(room, &request.who)) {
			refuse_collecting(response);
		} else {
			ask_others(room, released, &request, &wish, exchange);
			blob_account_collected(room, &request.who);
			answer_all(response, released, wish.number);
		}
	}
	mem_free(released);
}

void blob_member_seal(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct http_response *response = &exchange->response;
	struct err err = {0};
	if (room->peers == NULL)
		return http_problem(response, 404, "no-members", "this node keeps blobs alone: it has no outer seal");
	const enum status status = blob_peers_statement(room, &response->body, &err);
	response->content_type = "application/octet-stream";
	if (status == STATUS_NOTFOUND)
		return http_problem(
		    response, 404, "no-seal", "the chain has no outer seal, or this node not its statement");
	if (status != STATUS_OK) log_error("blob", "%s", err.message);
	if (status != STATUS_OK) blob_request_problem(response, STATUS_INTERNAL, &err);
}
