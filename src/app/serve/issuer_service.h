/*
 * A gateway's OAuth 2 issuer while the gateway runs: reads its keys from a file, or fetches what it publishes over
 * https and brings it to health/gateway/issuer.h, which decides what is needed when.
 *
 * Threads: one of its own, for fetching; the functions belong to the gateway service's owner, but issuer_service_check
 * and _metrics may come from any.
 */
#ifndef APP_SERVE_ISSUER_SERVICE_H
#define APP_SERVE_ISSUER_SERVICE_H

#include "app/serve/ops.h"
#include "health/gateway/issuer.h"

/* All borrowed. `issuer.issuer` NULL: no issuer. `keys_url`, `keys_of_file`, threads and clock are set here. */
struct issuer_service_options {
	struct issuer_options issuer;
	const char *keys;    /* an address, or the path of a file [NULL: by discovery] */
	const char *ca_file; /* authorities for https to the issuer [NULL: the system's] */
};
struct issuer_service;
/* A file of keys is read here, and a mistake in it is a failure. */
MUST_USE enum status issuer_service_open(
    struct issuer_service **out, const struct issuer_service_options *options, struct err *err);
/* NULL if there is none; all functions here take NULL. */
struct issuer *issuer_service_issuer(struct issuer_service *service);
MUST_USE enum status issuer_service_start(struct issuer_service *service, struct err *err);
/* A file of keys again; without one nothing is to do. */
MUST_USE enum status issuer_service_reload(struct issuer_service *service, struct err *err);
void issuer_service_check(struct issuer_service *service, struct readiness *out);
void issuer_service_metrics(struct issuer_service *service, struct buf *out);
void issuer_service_close(struct issuer_service *service);

#endif
