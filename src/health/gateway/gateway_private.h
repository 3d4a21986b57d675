/* Inside health/gateway: what the handlers share. */
#ifndef HEALTH_GATEWAY_GATEWAY_PRIVATE_H
#define HEALTH_GATEWAY_GATEWAY_PRIVATE_H

#include "base/http_conditional.h"
#include "base/http_uri.h"
#include "health/gateway/gateway.h"
#include "health/gateway/keys.h"
#include "health/gateway/organisations.h"
#include "health/records/record.h"

struct gateway {
	struct gateway_options options;
	struct outbox *outbox; /* the actor's */
	struct outcomes *files;
	struct keys *keys;
	struct monitor *tokens_lock; /* of the two tables */
	struct arena tokens_arena, organisations_arena;
	struct token_table tokens;
	struct organisation_table organisations;
	atomic_ullong records_added, records_read, records_refused;
};

/* An operational failure as a problem: causes only, since `err` may speak to somebody at a command line. */
void gateway_answer_failure(struct http_response *response, enum status status, const struct err *err);
/* STATUS_DENIED: 403 with the code of its cause, or of the contract's error. */
void gateway_answer_denial(struct http_response *response, const struct err *err, enum contract_error refused_with);
/* A refusal by a contract: NotAllowedToWrite is 403 with the code not-allowed-to-write. CONTRACT_ERROR_NONE, and what
 * no contract declares, is 403 with the code refused. */
void gateway_answer_refusal(struct http_response *response, enum contract_error error);

/*
 * Begins a request to the chain within the gateway's time; always to be followed by actor_request_end. STATUS_IO: the
 * node is of another chain, which is no fault of the client.
 */
MUST_USE enum status gateway_begin(
    struct gateway *gateway, struct actor_request *request, struct arena *arena, struct err *err);
/* As http_query_parse, but each name once: programs differ in which of two counts. */
MUST_USE enum status gateway_query(
    struct http_query *out, struct arena *arena, const struct http_request *request, struct err *err);

/* What links begin with: `said`, or as this client reaches the server: its Host, over the same scheme, and `path`. */
struct bytes gateway_base(
    struct arena *arena, const struct http_exchange *exchange, const char *said, const char *path);

/*
 * Answers with a range of the pieces, which lie in the arena. A small one is copied into the body. A large one goes out
 * as it lies: the arena's memory is the answer's then, until the client has it, and `arena` is empty.
 */
void gateway_answer_pieces(struct http_response *response, struct arena *arena, const struct record_pieces *pieces,
    const struct http_range *range);

void gateway_post_records(void *context, struct http_exchange *exchange);
void gateway_get_record(void *context, struct http_exchange *exchange);

#endif
