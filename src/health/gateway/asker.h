/*
 * Who asks a gateway: the caller, the person and the organisation behind it, the purpose of use, and what the scopes of
 * its token allow. Where a token came from (the file of tokens, an OAuth 2 issuer) does not show here.
 *
 * Ownership: scopes and patient live in the arena that the asker was made in. Threads: pure.
 */
#ifndef HEALTH_GATEWAY_ASKER_H
#define HEALTH_GATEWAY_ASKER_H

#include "codec/json.h"
#include "health/gateway/smart_scopes.h"
#include "health/index/resource_scope.h"

#define ASKER_TEXT_MAX 255u
#define ASKER_PURPOSE_MAX 31u
#define ASKER_NAME_BYTES (2 * ASKER_TEXT_MAX + 2) /* two texts, a space, and the end */

struct asker {
	/* The caller, as idempotency keys, logs and the audit name it: a token's name, or an OAuth client's id and,
	 * behind a space, its token's subject. Never empty. */
	char name[ASKER_NAME_BYTES];
	char subject[ASKER_TEXT_MAX + 1];      /* the person: fhirUser or sub [empty: a system by itself] */
	char organisation[ASKER_TEXT_MAX + 1]; /* [empty: the gateway's own] */
	char purpose[ASKER_PURPOSE_MAX + 1];   /* a code of HL7's ActReason: "TREAT" */
	struct smart_scopes scopes;
	struct bytes patient; /* the launch's: its logical id [empty] */
	unsigned rights;      /* enum token_right: on the routes beside /fhir, which know no types */
	bool is_of_file;      /* its token stands in the gateway's file, by `name`; else an issuer's */
};

/* As SMART's version 2 has it. READ: read, vread, an instance's history. SEARCH: search, and the history of a type or
 * of the whole system. */
enum asker_right {
	ASKER_CREATE = SMART_SCOPE_CREATE,
	ASKER_READ = SMART_SCOPE_READ,
	ASKER_UPDATE = SMART_SCOPE_UPDATE,
	ASKER_DELETE = SMART_SCOPE_DELETE,
	ASKER_SEARCH = SMART_SCOPE_SEARCH
};

/*
 * What the asker may do of that kind. The rules name all types, so that chains, includes and counts take the same
 * scope. `type`: what is asked for first; FHIR_NONE: the whole system. STATUS_DENIED: no rule admits any resource of
 * it.
 *
 * A patient/ scope is the compartment of the launch's patient, and nothing if the token names none; a scope that names
 * a type which is about no patient (Practitioner, Organization, Location, Medication, …) admits it for READ and SEARCH.
 */
MUST_USE enum status asker_scope(struct resource_scope *out, struct arena *arena, const struct asker *asker,
    enum asker_right right, uint16_t type, struct err *err);

/*
 * To whom a place in pages of answers is bound: the caller, and what its token allows. A token with other scopes, or of
 * another patient, does not page on.
 */
struct bytes asker_place(struct arena *arena, const struct asker *asker);

/* Does the rule's search find the resource, as it is to be? */
typedef bool asker_find(void *context, const struct resource_scope_rule *rule, const struct json *resource);
struct asker_finder {
	asker_find *find;
	void *context;
};
/*
 * Does a scope of asker_scope admit writing this resource, as it is to be, or as it stands before the write? Under a
 * rule of a compartment, every patient whom its compartment paths name has to be the rule's, so that it cannot be put
 * into anybody else's record. A rule with a search admits what `finder` finds. `base`: references below it are as
 * relative ones.
 */
bool asker_may_write(const struct resource_scope *scope, uint16_t type, const struct json *resource, struct bytes base,
    const struct asker_finder *finder);

#endif
