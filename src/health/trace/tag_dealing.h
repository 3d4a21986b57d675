/*
 * How the key of GTIN tags comes to its holders without anybody ever having it, and later to others: each dealer writes
 * one file with a share for every holder, sealed; each holder gathers the files of all dealers
 * (docs/wire-formats.md §10). If no holders are in force, those who shall hold it deal, all of them; else those in
 * force, as many as their threshold says or more, each its own share, and the key stays as it is.
 *
 * Whoever gathers the same files gets the same commitments. Ownership: the arena of the request. Threads: as the
 * request.
 */
#ifndef HEALTH_TRACE_TAG_DEALING_H
#define HEALTH_TRACE_TAG_DEALING_H

#include "health/contracts/products.h"
#include "health/trace/tag_holders.h"

#define TAG_DEALING_MAX ((size_t)1 << 16) /* bytes of a file */

struct tag_dealing {
	addr20 dealer;
	struct statement_tag_holders to;            /* number, holders, and the commitments of what this dealer deals */
	uint64_t deadline_s;                        /* until then registrars' signatures have to be on the chain */
	struct bytes shares[STATEMENT_HOLDERS_MAX]; /* sealed to the holders, in their order */
};

/* This home deals to `holders`, who are active regulators. */
MUST_USE enum status tag_dealing_write(struct actor_request *request, struct buf *out, const addr20 *holders,
    size_t holder_count, uint8_t threshold, struct err *err);
/* A view into `json`. STATUS_DENIED: the signature is not the dealer's, or it is for another chain. */
MUST_USE enum status tag_dealing_read(
    struct actor_request *request, struct tag_dealing *out, struct bytes json, struct err *err);

/* Opens this home's shares, keeps the sum, and says what registrars have to sign: by the deadline of the dealing that
 * ends first. STATUS_DENIED names a false dealer. */
MUST_USE enum status tag_dealings_gather(struct actor_request *request, struct products_tag_holders *out,
    const struct tag_dealing *dealings, size_t count, struct err *err);

#endif
