/*
 * An OAuth 2 issuer whose tokens a gateway takes: its keys, and from a token to an asker (RFC 9068, RFC 6750, SMART App
 * Launch 2). A token is checked by envelope/jwt.h; then it has to be for this audience, of this time, and, if it is
 * bound to a client's certificate (RFC 8705), shown over a connection with that certificate.
 *
 * Keys come from a file, or from the issuer's address: the owner fetches what issuer_wants names, at its own pace, and
 * brings it. Keys that a new set does not have are over at once; a set that nobody could renew is over after a day. A
 * token with a key that is not known makes the set wanted, at most once in ISSUER_RETRY_SECONDS.
 *
 * Threads: any.
 */
#ifndef HEALTH_GATEWAY_ISSUER_H
#define HEALTH_GATEWAY_ISSUER_H

#include "base/http.h"
#include "base/threads.h"
#include "base/world.h"
#include "codec/json.h"
#include "health/gateway/asker.h"

#define ISSUER_FRESH_SECONDS 300u  /* after that the keys are asked for again */
#define ISSUER_RETRY_SECONDS 20u   /* between two questions, whoever wants them */
#define ISSUER_KEPT_SECONDS 86400u /* keys that cannot be renewed end then */
#define ISSUER_URL_MAX 2048u
#define ISSUER_ANSWER_MAX ((size_t)256 << 10)

struct issuer_options {
	const char *issuer;   /* the claim iss; discovery is at its /.well-known/openid-configuration */
	const char *audience; /* one of the claim aud */
	const char *keys_url; /* [NULL: discovery names it] */
	bool keys_of_file;    /* nothing is fetched: issuer_set_keys brings them */
	/* For the SMART configuration [NULL: discovery names them]. */
	const char *authorize_url, *token_url;
	/* Names of claims, with commas between; the first that a token has counts. A name that begins with '/' is a
	 * JSON pointer (RFC 6901) into the claims. */
	const char *subject_claims, *organisation_claims, *purpose_claims, *patient_claims;
	const char *purpose;           /* of tokens that name none [NULL: they are refused] */
	const struct threads *threads; /* [NULL: one thread] */
	const struct clock_source *clock;
};
/* The defaults of the four lists of claims: those of SMART, IHE IUA and UDAP. */
#define ISSUER_SUBJECT_CLAIMS "fhirUser,sub"
#define ISSUER_ORGANISATION_CLAIMS                                                                                     \
	"organization,/extensions/ihe_iua/subject_organization_id,/extensions/ihe_iua/subject_organization,"           \
	"/extensions/hl7-b2b/organization_id"
#define ISSUER_PURPOSE_CLAIMS "purpose_of_use,/extensions/ihe_iua/purpose_of_use,/extensions/hl7-b2b/purpose_of_use"
#define ISSUER_PATIENT_CLAIMS "patient"

struct issuer;
/* `options` is copied; what it points to is borrowed. */
struct issuer *issuer_new(const struct issuer_options *options);
void issuer_free(struct issuer *issuer); /* NULL is allowed */

/* --- keys --- */

/* A JWK set, in place of the one before. If it is none, the old one stays. */
MUST_USE enum status issuer_set_keys(struct issuer *issuer, struct bytes text, struct err *err);
/* What the issuer says of itself (OpenID Connect Discovery). STATUS_DENIED: it is another one's. */
MUST_USE enum status issuer_set_discovery(struct issuer *issuer, struct bytes text, struct err *err);
enum issuer_want { ISSUER_WANTS_NOTHING, ISSUER_WANTS_DISCOVERY, ISSUER_WANTS_KEYS };
/* What to fetch now, and from where. Asking counts as an attempt. */
enum issuer_want issuer_wants(struct issuer *issuer, char url[ISSUER_URL_MAX]);
/* Has it keys that are not over? */
bool issuer_is_ready(struct issuer *issuer);

/* --- tokens --- */

/*
 * STATUS_DENIED: the token is not taken, and `err` says why in words that are for its holder too. STATUS_BUSY: its key
 * is not known yet, and is being asked for. `peer` may be NULL.
 */
MUST_USE enum status issuer_ask(struct issuer *issuer, struct asker *out, struct arena *arena, struct bytes token,
    const struct http_peer *peer, struct err *err);

/* How CapabilityStatement.rest describes it: the member `security`. `issuer` NULL: tokens of the file alone. */
void issuer_security(struct issuer *issuer, struct json_writer *writer);
/* The document /.well-known/smart-configuration. */
void issuer_smart_configuration(struct issuer *issuer, struct buf *out);

#endif
