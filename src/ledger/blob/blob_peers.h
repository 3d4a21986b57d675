/* The members that keep the same blobs, inside this room: who they are, how they are doing, and asking them. Nobody
 * else includes it. Threads: any. */
#ifndef LEDGER_BLOB_BLOB_PEERS_H
#define LEDGER_BLOB_BLOB_PEERS_H

#include "eth/held.h"
#include "eth/outer.h"
#include "ledger/blob/blob_room.h"

struct blob_peer;

/* NULL where options.members is. */
MUST_USE enum status blob_peers_open(struct blob_room *room, struct err *err);
void blob_peers_close(struct blob_room *room);
addr20 blob_peers_self(const struct blob_room *room);
const struct ed25519_secret *blob_peers_secret(const struct blob_room *room);
/* As options.members->power. */
MUST_USE enum status blob_peers_power(
    struct blob_room *room, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err);
/* As options.members->is_guest. */
bool blob_peers_is_guest(const struct blob_room *room, const addr20 *node);
/* As options.members->share and ->statement. */
MUST_USE enum status blob_peers_share(struct blob_room *room, struct vss_share *out, uint64_t *number, struct err *err);
MUST_USE enum status blob_peers_statement(struct blob_room *room, struct buf *out, struct err *err);
/* May this node serve what others may have erased? True if it keeps blobs alone. */
bool blob_peers_is_current(struct blob_room *room);
/* Of the other members. */
size_t blob_peers_count(const struct blob_room *room);
/* In another order each time, so that all are asked alike. */
size_t blob_peers_turn(struct blob_room *room);
/* Whom to ask until enough answered, and how many these are: in turn, with those that failed last at the end. Who rests
 * is not among them. */
size_t blob_peers_in_turn(struct blob_room *room, struct blob_peer *out[BLOB_PEERS_MAX]);
/* NULL: it failed of late, and rests. */
struct blob_peer *blob_peers_at(struct blob_room *room, size_t index);
addr20 blob_peer_node(const struct blob_peer *peer);

struct blob_peer_request {
	enum http_method method;
	const char *path;
	const char *authorization; /* a whole header line; NULL: signed by this node, for this member */
	struct bytes body;
	uint32_t within_ms; /* 0: as long as any exchange may last */
};
/* One exchange. STATUS_OK: an answer of whatever HTTP status, for the caller to judge. None is a failure of the member.
 */
MUST_USE enum status blob_peer_ask(struct blob_room *room, struct blob_peer *peer, struct http_response *response,
    const struct blob_peer_request *request, struct err *err);
/* What came of the answers. A failure is named once in the log, and lets the member rest, longer each time. */
void blob_peer_answered(struct blob_room *room, struct blob_peer *peer);
void blob_peer_failed(struct blob_room *room, struct blob_peer *peer, const char *why);
void blob_peer_gave(struct blob_room *room, struct blob_peer *peer);
void blob_peer_lacked(struct blob_room *room, struct blob_peer *peer);
/* It answered what it must not: this is named in the log, and it rests. */
void blob_peer_lied(struct blob_room *room, struct blob_peer *peer, const hash32 *item, const char *how);

/* --- parts of the outer seal's key (blob_parts.c) --- */

struct blob_parts_wish {
	const char *path;
	const char *authorization; /* the reader's, a whole header line */
	struct bytes body;
	uint64_t number; /* of the statement about the seal */
};
/* Up to `wanted` parts of other members, as they come; returns how many. They are of the right form, and nothing more
 * is known of them here. */
uint8_t blob_parts_ask(
    struct blob_room *room, uint8_t (*out)[OUTER_PART_BYTES], uint8_t wanted, const struct blob_parts_wish *wish);
/* False: as many threads ask as may. Closing awaits those that began. */
bool blob_peers_thread_begins(struct blob_room *room);
void blob_peers_thread_ends(struct blob_room *room);

/* --- receipts (blob_held.c) --- */

struct blob_held {
	struct held_blob blob;
	struct held_receipt receipts[HELD_RECEIPTS_MAX];
	size_t count;
	uint64_t power, all; /* of the members that signed; of all */
};
/* This node's own receipt, if it is a member. */
MUST_USE enum status blob_held_begin(struct blob_room *room, struct blob_held *held, struct err *err);
/* Gives the container to others until so many hold it that one of them is honest: a third of the power. */
void blob_held_spread(
    struct blob_room *room, struct blob_held *held, struct bytes authorization, struct bytes container);
/* `"held": […]`, into an object. */
struct json_writer;
void blob_held_write(struct json_writer *writer, const struct blob_held *held);

/* --- following them after a start (blob_current.c) --- */

MUST_USE enum status blob_current_look(struct blob_room *room, struct err *err);
void blob_member_head(void *context, struct http_exchange *exchange);

/* --- what members ask (blob_member.c) --- */

void blob_member_wanted(void *context, struct http_exchange *exchange);
void blob_member_names(void *context, struct http_exchange *exchange);

#endif
