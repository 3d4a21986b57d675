/* The paths of the EPCIS server (base path /epcis), all of EPCIS 2.0's OpenAPI. Threads: any. */
#ifndef HEALTH_GATEWAY_EPCIS_ROUTES_H
#define HEALTH_GATEWAY_EPCIS_ROUTES_H

#include "base/route.h"

/* Their context is a struct epcis_server. */
extern const struct route epcis_routes[];
extern const size_t epcis_route_count;

/* A refusal that was made elsewhere (no token, no such path, a body that is too large), on a path below /epcis: as a
 * problem of EPCIS. */
void epcis_routes_translate(struct http_exchange *exchange);

#endif
