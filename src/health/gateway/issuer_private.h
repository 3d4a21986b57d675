/* Inside health/gateway: what issuer.c and issuer_claims.c share. */
#ifndef HEALTH_GATEWAY_ISSUER_PRIVATE_H
#define HEALTH_GATEWAY_ISSUER_PRIVATE_H

#include "envelope/jwt.h"
#include "health/gateway/issuer.h"

/* From the claims of a token that was verified. STATUS_DENIED says which claim does not fit. */
MUST_USE enum status issuer_asker_of(struct asker *out, struct arena *arena, const struct issuer_options *options,
    const struct json *claims, struct err *err);
/* May a token that is bound to a certificate be shown by this peer? A token that is bound to nothing may. */
MUST_USE enum status issuer_check_binding(const struct json *claims, const struct http_peer *peer, struct err *err);

#endif
