/*
 * A running gateway: one actor's home, the nodes that it asks, an HTTP server with the routes of health/gateway,
 * workers for what blocks, and the trustee's service if it is wanted.
 *
 * Threads: the caller's (waits), the server's, the workers, one each for the outbox, for watching the nodes, for
 * following the chain, for its own duties, and for the trustee. gateway_service_stop and _reload may come from any.
 */
#ifndef APP_SERVE_GATEWAY_SERVICE_H
#define APP_SERVE_GATEWAY_SERVICE_H

#include "app/serve/issuer_service.h"
#include "app/serve/trustee.h"
#include "base/mem.h"
#include "net/http_reach.h"
#include "net/http_server.h"

/* How Subscriptions are served. */
struct gateway_hooks {
	bool is_off;
	enum http_reach reach;
	uint32_t attempts; /* before one ends with an error; 0: 20 */
	const char *ca_file;
};
struct gateway_service_options {
	const char *home;
	struct bytes password;
	const char *const *nodes;  /* URLs, NULL-terminated; NULL: the deployment's */
	const char *node_token;    /* path, of what the nodes ask for [NULL: they ask for nothing] */
	const char *tokens;        /* path */
	const char *organisations; /* path, of client certificates' organisations [NULL: none] */
	struct issuer_service_options oauth;
	struct gateway_hooks hooks;
	const char *const *profiles; /* paths of packages, NULL-terminated [NULL: none] */
	const char *fhir_url;        /* of /fhir, as clients reach it [NULL: by the host that each request names] */
	const char *epcis_url;       /* the same of /epcis */
	const char *http_address;
	uint16_t http_port;
	struct tls_files tls; /* all NULL: plain HTTP */
	const char *const *vhosts, *const *cors_origins;
	uint32_t workers, request_ms, drain_ms;
	uint32_t anchor_ms; /* of looks, if there were any; 0: a minute */
	const char *metrics_address;
	uint16_t metrics_port; /* 0: on the main port alone, with a token */
	uint64_t min_free_bytes;
	uint32_t trustee_every_ms; /* 0: it is not a trustee */
};
struct gateway_service;
/* Opens the home and its outbox, binds the port. It does not wait for a node: until one answers it is not ready.
 * STATUS_DENIED: the password is wrong, or the nodes that answer are of another chain. STATUS_BUSY: another program has
 * the home or the port. */
MUST_USE enum status gateway_service_open(
    struct gateway_service **out, const struct gateway_service_options *options, struct err *err);
uint16_t gateway_service_port(const struct gateway_service *service);
MUST_USE enum status gateway_service_run(struct gateway_service *service, struct err *err);
void gateway_service_stop(struct gateway_service *service);
/* What a reload reads again. */
struct gateway_service_files {
	const char *tokens, *organisations;
	struct tls_files tls;
	uint64_t min_free_bytes;
};
/* Tokens, organisations, the issuer's keys and certificates from their files again; a mistake keeps the old ones and is
 * logged. False: there was one. */
bool gateway_service_reload(struct gateway_service *service, const struct gateway_service_files *files);
/* Does the outbox's thread run? */
bool gateway_service_is_alive(struct gateway_service *service);
/* What its operator should read of it now; "" if there is nothing. */
void gateway_service_condition(struct gateway_service *service, char out[TRUSTEE_CONDITION_BYTES]);
void gateway_service_close(struct gateway_service *service); /* NULL is allowed */

#endif
