/*
 * How a manufacturer has a product registered: one file goes from the owner to the holders of the tags' key, from one
 * to the next, and back (docs/wire-formats.md §10). It holds the product's key, sealed to every regulator; the blinded
 * GTIN; the holders' parts of its tag; and, from holders who found the tag once enough parts were there, their
 * signatures over the registration. Nobody who carries it learns GTIN, key or tag.
 *
 * The blind follows from the product's key: whoever opens the key checks the whole computation by himself.
 * Ownership: the arena of the request. Threads: as the request.
 */
#ifndef HEALTH_TRACE_PRODUCT_REQUEST_H
#define HEALTH_TRACE_PRODUCT_REQUEST_H

#include "eth/sign.h"
#include "health/trace/products.h"
#include "health/trace/tag_holders.h"

#define PRODUCT_REQUEST_MAX ((size_t)1 << 18) /* bytes of a file */
#define PRODUCT_REGULATORS_MAX 64u            /* to whom the key is sealed */

struct product_escrow {
	addr20 regulator;
	struct bytes jwe;
};
struct product_signature {
	addr20 holder;
	struct eth_signature signature;
};
struct product_request {
	addr20 owner;
	hash32 key_commitment;
	uint32_t holders; /* number of the TagHolders who answer it */
	uint64_t deadline_s;
	struct p256_public blinded;
	struct product_escrow escrows[PRODUCT_REGULATORS_MAX];
	size_t escrow_count;
	struct voprf_part parts[STATEMENT_HOLDERS_MAX];
	size_t part_count;
	struct product_signature signatures[STATEMENT_HOLDERS_MAX];
	size_t signature_count;
};

/* Of this home's product. STATUS_NOTFOUND: nobody holds the tags' key. */
MUST_USE enum status product_request_make(
    struct actor_request *request, struct product_request *out, const struct product *product, struct err *err);
void product_request_write(struct buf *out, const struct deployment *deployment, const struct product_request *asked);
/* For this chain; nothing of it is checked but its form. */
MUST_USE enum status product_request_read(
    struct actor_request *request, struct product_request *out, struct bytes json, struct err *err);

/* As a regulator: the product's key, opened and compared with what the request says in clear. Wipe it. */
MUST_USE enum status product_request_open(
    struct actor_request *request, struct product *out, const struct product_request *asked, struct err *err);
/*
 * As a holder: adds this home's part; and if parts are enough, finds the tag (in `product`, which product_request_open
 * gave) and adds this home's signature. *signed_now false: other holders answer first. STATUS_DENIED: this home holds
 * no share, a part in it is false, or the GTIN is registered with another owner or key.
 */
MUST_USE enum status product_request_answer(struct actor_request *request, struct product_request *asked,
    struct product *product, bool *signed_now, struct err *err);
/* As the owner: the tag, into `product`, and the calldata of the registration. STATUS_DENIED: too few have answered. */
MUST_USE enum status product_request_finish(struct actor_request *request, struct bytes *calldata,
    const struct product_request *asked, struct product *product, struct err *err);
/*
 * As a regulator, from a request that product_request_open opened and enough holders answered: the tag, into `product`,
 * whose owner and key are those that the chain has. STATUS_DENIED: it is not registered, or not so. What is not
 * registered is never kept: another's request for the same GTIN would take the place of the true key.
 */
MUST_USE enum status product_request_keep(
    struct actor_request *request, const struct product_request *asked, struct product *product, struct err *err);

#endif
