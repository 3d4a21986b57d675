/* What the files of fhir_hooks.h share. */
#ifndef HEALTH_GATEWAY_FHIR_HOOK_PRIVATE_H
#define HEALTH_GATEWAY_FHIR_HOOK_PRIVATE_H

#include "health/gateway/fhir_hooks.h"

#define FHIR_HOOK_HEADERS_MAX 16u
#define FHIR_HOOK_HEADERS_BYTES 4096u
#define FHIR_HOOK_ENDPOINT_MAX 1024u
#define FHIR_HOOK_ID_BYTES 65u

/* How far a subscription is, and in whose name. Texts live in the hook's arena. */
struct fhir_hook_state {
	char id[FHIR_HOOK_ID_BYTES];
	uint32_t version;
	struct asker asker;
	int64_t until_ms;    /* of the asker's rights; INT64_MAX: as long as the file of tokens has them */
	int64_t since_ms;    /* versions before it are not sent */
	int64_t after;       /* place in the index */
	uint64_t attempts;   /* that failed for the next one */
	int64_t retry_at_ms; /* not before */
};
/* What its resource says; views into `arena`. */
struct fhir_hook_terms {
	uint16_t type;
	struct bytes search; /* of the criteria [empty: all of the type] */
	const char *endpoint;
	bool has_payload;
	const char *headers[FHIR_HOOK_HEADERS_MAX + 1]; /* lines, NULL behind the last */
	int64_t end_ms;                                 /* INT64_MAX: none */
};
struct fhir_hook {
	struct fhir_hooks *hooks;
	struct arena arena;
	struct fhir_hook_state state;
	struct fhir_hook_terms terms;
	const char *ending;     /* why it ends; NULL: it does not */
	const char *end_status; /* "error" or "off" */
	bool is_due, is_busy, is_dropped;
	int64_t saved_after;
	struct fhir_hook *next;
};

const struct clock_source *fhir_hooks_clock(const struct fhir_hooks *hooks);
const struct client_maker *fhir_hooks_maker(const struct fhir_hooks *hooks);

/* fhir_hook_terms.c. False: the resource is not one of ours; `issues` may be NULL. */
bool fhir_hook_terms_read(struct fhir_hook_terms *out, struct arena *arena, struct fhir_issues *issues,
    const struct json *subscription, bool may_be_plain);

/* fhir_hook_state.c */
void fhir_hook_root_key(uint8_t out[32], const struct home *home);
MUST_USE enum status fhir_hook_state_write(
    const struct home *home, const uint8_t key[32], const struct fhir_hook_state *state, struct err *err);
/* STATUS_NOTFOUND, STATUS_CORRUPT. */
MUST_USE enum status fhir_hook_state_read(struct fhir_hook_state *out, struct arena *arena, const struct home *home,
    const uint8_t key[32], const char *name, struct err *err);
void fhir_hook_state_remove(const struct home *home, const char *id, uint32_t version);

/* fhir_hook_send.c: one notification. False: it was not taken, and `why` says it; `is_final`: it never will be. */
struct fhir_hook_sent {
	char why[160];
	bool is_final;
};
bool fhir_hook_send(
    struct fhir_hook *hook, const uint8_t key[32], const struct resource_change *change, struct fhir_hook_sent *sent);
/* Whoever writes a Subscription anew under the same id has another one. */
void fhir_hook_secret_of(char out[65], const uint8_t key[32], const struct fhir_hook_state *state);

/* fhir_hook_end.c: begins to write the version that ends the Subscription, if `version` is still the current one. */
struct fhir_hook_ending {
	const char *id;
	uint32_t version;
	const char *status, *why;
};
void fhir_hook_end(struct fhir_server *server, const struct fhir_hook_ending *ending);

#endif
