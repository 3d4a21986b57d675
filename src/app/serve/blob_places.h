/*
 * What the blob room of a consortium's member needs of its surroundings (ledger/blob/blob.h): where the other members'
 * nodes are, by the setting blob-peers; the key of this node, which is CometBFT's own; and who is a member at the head.
 *
 * Threads: the callbacks any; the rest belongs to the thread that owns the node.
 */
#ifndef APP_SERVE_BLOB_PLACES_H
#define APP_SERVE_BLOB_PLACES_H

#include "ledger/blob/blob.h"

struct blob_places_options {
	const char *data; /* the node's folder, with its share of the outer seal's key */
	const char *comet_home;
	const char *const *peers;    /* "0xNODE@URL" each, NULL-terminated; NULL: none */
	struct chain *chain;         /* of a consortium */
	const struct engine *engine; /* of that chain: knows its followers */
};
struct blob_places;
/* STATUS_INVALID says which peer is malformed; STATUS_NOTFOUND, STATUS_CORRUPT: CometBFT's node key. */
MUST_USE enum status blob_places_open(
    struct blob_places **out, const struct blob_places_options *options, struct err *err);
/* Takes the peers as they are named by now, for the room that was opened with the places. STATUS_INVALID: one is
 * malformed, and nothing changed; STATUS_LIMIT as blob_members_move. `places` NULL: nothing is to be done. Any thread.
 */
MUST_USE enum status blob_places_move(
    const struct blob_places *places, struct blob_room *room, const char *const *peers, struct err *err);
/* After the room is closed. NULL is allowed. */
void blob_places_close(struct blob_places *places);
/* For blob_options; lives as long as the places. NULL gives NULL. */
const struct blob_members *blob_places_members(const struct blob_places *places);

#endif
