/*
 * An OAuth 2 issuer for developers, beside the gateway of `xinglin dev` and nowhere else: whoever opens its page is
 * whom he says, so it must never guard anything. It speaks what SMART App Launch 2 needs: OpenID discovery, JWK set,
 * authorization code with PKCE (S256) and a page that asks for the patient, refresh tokens, backend services
 * (client_credentials with private_key_jwt), registration of such clients, introspection.
 *
 * Its key is new at each start, and nothing it knows is kept. Threads: one of its own; the functions belong to their
 * caller.
 */
#ifndef APP_SERVE_DEV_ISSUER_H
#define APP_SERVE_DEV_ISSUER_H

#include "base/mem.h"

#define DEV_ISSUER_AUDIENCE "xinglin-dev" /* of its access tokens */

struct dev_issuer;
/* Listens on 127.0.0.1, at any free port. */
MUST_USE enum status dev_issuer_open(struct dev_issuer **out, struct err *err);
/* "http://127.0.0.1:1234": its claim iss. */
const char *dev_issuer_url(const struct dev_issuer *issuer);
void dev_issuer_close(struct dev_issuer *issuer); /* NULL is allowed */

#endif
