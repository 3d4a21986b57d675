/*
 * A gateway's routes: what an organisation's own systems ask over HTTP, in the name of its one actor. A client is
 * known by its bearer token; without one it gets no data. What it knows is the actor, not the server: app/ wires both.
 *
 * Errors are problem+json (RFC 9457) with a stable `code`. Causes only: what to type is nobody's business here.
 *
 * Threads: the handlers any, once gateway_new returned; gateway_set_tokens any.
 */
#ifndef HEALTH_GATEWAY_GATEWAY_H
#define HEALTH_GATEWAY_GATEWAY_H

#include "base/route.h"
#include "health/actors/actor.h"
#include "health/gateway/asker.h"
#include "health/gateway/issuer.h"
#include "health/gateway/tokens.h"
#include "health/gateway/trail.h"

struct fhir_looks;
struct fhir_profiles;
struct gateway;

struct gateway_options {
	struct actor *actor; /* its outbox is open */
	const struct workers *workers;
	const struct threads *threads;
	const struct clock_source *clock;
	const struct random_source *random;
	uint32_t request_ms;   /* how long a request waits for its receipt */
	struct issuer *issuer; /* whose OAuth 2 tokens are taken too; borrowed [NULL: none] */
	struct trail *trail;   /* of who asked for what; borrowed [NULL: none] */
	/* Makes clients for subscribers' endpoints, which connect to no address that is not allowed; borrowed [NULL:
	 * nothing is sent to subscribers] */
	const struct client_maker *hooks;
	bool hooks_are_plain;    /* endpoints may be http */
	uint32_t hooks_attempts; /* before a subscription ends with an error */
	/* Beside the base specification; borrowed [NULL: none] */
	const struct fhir_profiles *profiles;
	/* "https://host/path" that stands for /fhir in links; borrowed [NULL: by the host that each request names] */
	const char *fhir_url;
	const char *epcis_url; /* the same of /epcis */
};
/* `options` is copied; what it points to is borrowed. Before outbox_run. */
struct gateway *gateway_new(const struct gateway_options *options);
/* After the last exchange was answered, and the actor is closed. NULL is allowed. */
void gateway_free(struct gateway *gateway);
/* One bounded step of forgetting what became of old requests: a service calls it every second, from one thread. */
void gateway_forget(struct gateway *gateway);

/* New tokens from the text of their file; the old ones hold if it has a mistake. */
MUST_USE enum status gateway_set_tokens(struct gateway *gateway, struct bytes text, struct err *err);
size_t gateway_token_count(struct gateway *gateway);
/* Which organisations show which client certificates (organisations.h), from the text of their file; the old ones hold
 * if it has a mistake. */
MUST_USE enum status gateway_set_organisations(struct gateway *gateway, struct bytes text, struct err *err);

/* The routes; their context is a struct gateway. */
extern const struct route gateway_routes[];
extern const size_t gateway_route_count;
/* The same for what needs no token (who.h says which paths those are). */
#define GATEWAY_OPEN_ROUTE_COUNT 2u
extern const struct route gateway_open_routes[GATEWAY_OPEN_ROUTE_COUNT];

/*
 * Before a body is read: gives the request an id (X-Request-Id, the client's if it is a short word) and refuses with
 * 401 what has no token. `is_open`: a path that needs none, beside those of who_is_open.
 */
void gateway_admit(struct gateway *gateway, struct http_exchange *exchange, bool is_open);
/* May the token of this request do that? If not, the answer is 401 or 403. `name` may be NULL, and gets the asker's. */
bool gateway_allows(
    struct gateway *gateway, struct http_exchange *exchange, unsigned right, char name[ASKER_NAME_BYTES]);
/* An answer is about to leave: adds it to the trail if it was about data. `name` gets the asker's, for the log; empty:
 * nobody who is known. */
void gateway_note(struct gateway *gateway, const struct http_exchange *exchange, char name[ASKER_NAME_BYTES]);
/* The id that gateway_admit gave: a view into the answer's header. */
struct bytes gateway_request_id(const struct http_exchange *exchange);

/* A part of a request that has a status of its own: an entry of a Bundle. */
struct gateway_part {
	const char *method;
	struct bytes url;  /* "Patient/1", "Observation?code=…", or below the base */
	struct bytes made; /* "Patient/1/_history/2" [empty] */
	int status;
	const struct fhir_looks *looks; /* [NULL: at no folder] */
};
/* Adds it to the trail, beside the whole request's own entry. */
void gateway_note_part(struct gateway *gateway, const struct http_exchange *exchange, const struct asker *asker,
    const struct gateway_part *part);

/* An answer that is written, and what it shows: adds it to the trail. */
void gateway_note_looks(struct gateway *gateway, const struct http_exchange *exchange, const struct asker *asker,
    const struct fhir_looks *looks);

struct gateway_counts {
	uint64_t records_added, records_read, records_refused;
};
struct gateway_counts gateway_counts(const struct gateway *gateway);

#endif
