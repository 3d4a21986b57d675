/*
 * What a home knows of medicines: the products whose keys it holds, and the packs in the documents that it sent or
 * received. Both lie in the home sealed to itself (docs/wire-formats.md §10); a stock is all of it, opened, in the
 * request's arena.
 *
 * Threads: as the request.
 */
#ifndef HEALTH_TRACE_STOCK_H
#define HEALTH_TRACE_STOCK_H

#include "health/gs1/scan.h"
#include "health/trace/document.h"
#include "health/trace/medicines.h"

/* --- products --- */

struct product {
	char gtin[15];
	hash32 key;
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

/* --- packs --- */

struct stock {
	struct document *documents;
	size_t count;
};
MUST_USE enum status stock_load(struct actor_request *request, struct stock *out, struct err *err);
/* Keeps the document, and adds it to the stock (may be NULL). */
MUST_USE enum status stock_save(
    struct actor_request *request, struct stock *stock, const struct document *document, struct err *err);

struct stock_unit {
	const struct document *document;
	const struct known_unit *unit;
	const struct known_batch *batch;
};
bool stock_find_unit(struct stock_unit *out, const struct stock *stock, const char *gtin, const char *serial);
/* Any unit of this lot, or NULL's worth: false. */
bool stock_find_batch(const struct known_batch **out, const struct stock *stock, const char *gtin, const char *lot);
/* A batch by its id on the chain. */
const struct known_batch *stock_batch_by_id(const struct stock *stock, const hash32 *id);
/* The container's id on the chain; false: no document names it. */
bool stock_find_container(hash32 *out, const struct stock *stock, const char *sscc);
/* The SSCC of an id; NULL: unknown. */
const char *stock_sscc_of(const struct stock *stock, const hash32 *container);
/* Why a scan that is well formed names no unit known here: a serial of the other case, Y and Z swapped, another lot.
 * Empty where nothing similar is known. */
void stock_diagnose(char out[256], const struct stock *stock, const struct scan *scan);

#endif
