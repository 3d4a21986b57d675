/* Fetching what is missing from other members, inside this room; nobody else includes it. */
#ifndef LEDGER_BLOB_BLOB_FETCH_H
#define LEDGER_BLOB_BLOB_FETCH_H

#include "ledger/blob/blob_room.h"

#define BLOB_MEMBERS_PATH "/members/blobs"
#define BLOB_NAMES_PATH "/members/names"
/* Contents of one answer between members, as soon as there is one: a single one may be larger. */
#define BLOB_ANSWER_BYTES ((size_t)8 << 20)
#define BLOB_ANSWER_MAX (CONTAINER_BYTES_MAX + ((size_t)1 << 20))

struct blob_fetch *blob_fetch_new(void);
void blob_fetch_free(struct blob_fetch *fetch); /* NULL is allowed */

/* One step of learning what was named before this node's snapshot; nothing if that is known. */
MUST_USE enum status blob_names_learn(struct blob_room *room, bool *more, struct err *err);
/* Answers another member's question for names. */
void blob_names_wanted(struct blob_room *room, struct http_exchange *exchange);

/* Is this what the chain names? */
bool blob_is_content_of(const struct blob_item *item, struct bytes content);
/* The content of an item that has some was found lost or changed: it is fetched again, if there are members. */
MUST_USE enum status blob_damaged(struct blob_room *room, const struct blob_item *item, struct err *err);

#endif
