/*
 * The products whose keys a home holds, and the request to have one registered. Both are sealed
 * (docs/wire-formats.md §10). Threads: as the request.
 */
#ifndef HEALTH_TRACE_PRODUCTS_H
#define HEALTH_TRACE_PRODUCTS_H

#include "health/actors/request.h"

struct product {
	char gtin[15];
	hash32 key;
	hash32 tag; /* what the chain calls the product */
	addr20 owner, regulator;
};
/* STATUS_NOTFOUND: this home holds no key of that product. Wipe it. */
MUST_USE enum status product_load(
    struct actor_request *request, struct product *out, const char *gtin, struct err *err);
MUST_USE enum status product_save(struct actor_request *request, const struct product *product, struct err *err);

/* The manufacturer's request to have a product registered, with the key escrowed to the regulator. */
struct product_request {
	addr20 owner;
	uint32_t capacity;
	hash32 product, commitment;
	struct product secret; /* where the regulator opened it */
};
MUST_USE enum status product_request_write(
    struct actor_request *request, struct buf *out, const struct product *product, uint32_t capacity, struct err *err);
/* Opens the escrow and recomputes tag and commitment. */
MUST_USE enum status product_request_open(
    struct actor_request *request, struct product_request *out, struct bytes json, struct err *err);

#endif
