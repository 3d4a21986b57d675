/*
 * Who holds the key of GTIN tags, proved, and this home's own share of it. A product's tag is
 *	SHA-256("xinglin/product/2" || genesis || f(GTIN, 14 digits))
 * with f of crypto/threshold/voprf.h: one GTIN, one tag, whoever asks. Threads: as the request.
 */
#ifndef HEALTH_TRACE_TAG_HOLDERS_H
#define HEALTH_TRACE_TAG_HOLDERS_H

#include "crypto/threshold/voprf.h"
#include "health/actors/request.h"
#include "health/statements/tags_key.h"

/* The holders in force, in the request's arena. STATUS_NOTFOUND: there are none yet. */
MUST_USE enum status tag_holders_find(
    struct actor_request *request, struct statement_tag_holders *out, struct err *err);
/* Those whom the chain has, even if registrars signed them whose word counts no more, because of a theft. For dealing
 * the key again, which needs nobody's word: shares are of the commitments or not. */
MUST_USE enum status tag_holders_find_stated(
    struct actor_request *request, struct statement_tag_holders *out, struct err *err);

hash32 tag_of_product(const struct deployment *deployment, const hash32 *output);

/* This home's share of the key, by the number of the holders. Wipe it. STATUS_NOTFOUND: it holds none. */
MUST_USE enum status tag_share_load(
    struct actor_request *request, struct vss_share *out, uint32_t number, struct err *err);
MUST_USE enum status tag_share_save(
    struct actor_request *request, const struct vss_share *share, uint32_t number, struct err *err);

#endif
