/*
 * What the FHIR server keeps between requests: the index of resources, the locks of identities that are written, the
 * folders of patients, validators that are not in use. Inside health/gateway.
 *
 * Threads: any, once it was made.
 */
#ifndef HEALTH_GATEWAY_FHIR_SERVER_H
#define HEALTH_GATEWAY_FHIR_SERVER_H

#include "health/fhir/validate.h"
#include "health/gateway/fhir_catch_up.h"
#include "health/gateway/fhir_folders.h"
#include "health/gateway/fhir_foreign.h"
#include "health/gateway/fhir_locks.h"
#include "health/gateway/gateway.h"
#include "health/index/resources.h"

#define FHIR_SERVER_VALIDATORS_MAX 64u

struct fhir_exports;
struct fhir_hooks;
struct fhir_server {
	struct gateway *gateway;
	struct resources *resources;
	struct fhir_locks *locks;
	struct fhir_folders *folders;
	struct fhir_catch_up *catch_up;
	struct fhir_foreign *foreign;
	struct fhir_exports *exports;
	struct fhir_hooks *hooks;
	struct monitor *validators_lock;
	struct fhir_validator *validators[FHIR_SERVER_VALIDATORS_MAX];
	size_t validator_count;
	_Atomic int64_t last_ms; /* the newest version's time: the next one is never earlier */
	struct buf capability;   /* the CapabilityStatement, without its URL */
};
MUST_USE enum status fhir_server_open(struct fhir_server **out, struct gateway *gateway, struct err *err);
/* NULL is allowed. */
void fhir_server_close(struct fhir_server *server);

/* One bounded step of what the server does by itself: a service calls it every second, from one thread. */
void fhir_server_tend(struct fhir_server *server);

/* Is the resource valid by the base specification, and by those profiles of its meta.profile that this server has? Adds
 * what is wrong. */
bool fhir_server_validate(struct fhir_server *server, struct fhir_validator *validator, struct fhir_issues *issues,
    const struct json *resource);
/* A validator that nobody else uses, to be given back. */
struct fhir_validator *fhir_server_take_validator(struct fhir_server *server);
void fhir_server_give_validator(struct fhir_server *server, struct fhir_validator *validator);
/* Now, in milliseconds since 1970, and never before a time that it gave. */
int64_t fhir_server_now_ms(struct fhir_server *server);

#endif
