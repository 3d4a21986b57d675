/*
 * The product of a developers' organisation, which is regulator and manufacturer at once: it founds the key of GTIN
 * tags as its only holder, and registers one GTIN, so that packs can be commissioned at once.
 */
#ifndef APP_SERVE_DEV_PRODUCT_H
#define APP_SERVE_DEV_PRODUCT_H

#include "health/actors/request.h"

#define DEV_PRODUCT_GTIN "09506000134352" /* of the prefix 950, which GS1 keeps for examples */

/* The organisation is listed with all roles, and nobody holds the key of tags yet. */
MUST_USE enum status dev_product_register(struct actor_request *request, struct err *err);

#endif
