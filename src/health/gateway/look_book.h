/*
 * The book of looks: what becomes of the trail. Each look at a folder is a line of that folder's list
 * (health/index/look_lists.h), sealed to its controller when he asks for it; the lists' root is anchored on the chain
 * in the name of the organisation (Consent.anchorAudit), so that no line can be left out, changed or moved later
 * (docs/decisions/0090-looks-are-anchored.md).
 *
 * Threads: look_book_step and look_book_anchor from one thread each; the rest any.
 */
#ifndef HEALTH_GATEWAY_LOOK_BOOK_H
#define HEALTH_GATEWAY_LOOK_BOOK_H

#include "health/gateway/gateway.h"
#include "health/index/look_lists.h"

struct look_book;
/* Its gateway has a trail; all are borrowed. `anchor_ms`: looks are anchored this often, if there were any. */
MUST_USE enum status look_book_open(
    struct look_book **out, struct gateway *gateway, uint32_t anchor_ms, struct err *err);
void look_book_close(struct look_book *book); /* NULL is allowed */

/* Takes in what the trail has, in bounded steps, and makes it durable. A service calls it ever so often. */
void look_book_step(struct look_book *book);
/* Asks the chain what is anchored, and anchors what is new. It may wait for the chain. */
void look_book_anchor(struct look_book *book);
/* Everything that was answered before this call is in the lists after it. STATUS_BUSY: it is more than can be taken in
 * at once. */
MUST_USE enum status look_book_settle(struct look_book *book, struct err *err);
struct look_lists *look_book_lists(struct look_book *book);
struct gateway *look_book_gateway(struct look_book *book);

/* NULL: all is well. Static text. */
const char *look_book_fault(struct look_book *book);
struct look_book_counts {
	uint64_t listed;   /* entries of the trail that are in lists */
	uint64_t anchored; /* of these, under what the chain shows */
	uint64_t anchored_at_s;
};
struct look_book_counts look_book_counts(struct look_book *book);

/* GET /blobs/{gate}/{name}/audit: a page of a folder's looks for its controller; the context is the book. */
extern const struct route look_book_routes[1];

#endif
