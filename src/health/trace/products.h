/*
 * The products whose keys a home holds, sealed (docs/wire-formats.md §10). How one is registered: product_request.h.
 * Threads: as the request.
 */
#ifndef HEALTH_TRACE_PRODUCTS_H
#define HEALTH_TRACE_PRODUCTS_H

#include "health/actors/request.h"

struct product {
	char gtin[15];
	hash32 key;              /* of lots' and serials' tags; it never changes */
	hash32 tag;              /* what the chain calls the product; zeros until its holders have answered */
	addr20 owner, regulator; /* documents about it go to this regulator */
};
/* STATUS_NOTFOUND: this home holds no key of that product. Wipe it. */
MUST_USE enum status product_load(
    struct actor_request *request, struct product *out, const char *gtin, struct err *err);
MUST_USE enum status product_save(struct actor_request *request, const struct product *product, struct err *err);

/* GTIN and key alone, as they are sealed to regulators: {"v":1,"gtin":…,"key":…}. */
void product_write_key(struct buf *out, const struct product *product);
MUST_USE enum status product_read_key(struct product *out, struct arena *arena, struct bytes json, struct err *err);

#endif
