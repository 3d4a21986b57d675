/*
 * One request to the FHIR server (base path /fhir) from its first line to its answer: who asks, what the path names,
 * which form of answer is wanted. Every answer that is a failure is an OperationOutcome.
 *
 * A call is worked on by one thread at a time. Work that blocks goes to a worker (fhir_call_give); the call is then
 * deferred, and whoever works on it last ends it.
 *
 * Ownership: everything that is read from a request lives in the call's arena. Threads: one owner at a time.
 */
#ifndef HEALTH_GATEWAY_FHIR_CALL_H
#define HEALTH_GATEWAY_FHIR_CALL_H

#include "base/http_uri.h"
#include "health/fhir/subset.h"
#include "health/fhir/target.h"
#include "health/gateway/fhir_server.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/who.h"

/* Prefer: return=… (http.html#ops) */
enum fhir_call_return { FHIR_CALL_REPRESENTATION, FHIR_CALL_MINIMAL, FHIR_CALL_OUTCOME };

struct fhir_call {
	struct fhir_server *server;
	struct http_exchange *exchange;
	struct arena arena;
	struct asker asker;
	struct fhir_target target;
	struct bytes base;       /* "https://host/fhir", as this client reaches it */
	struct http_query query; /* decoded */
	struct fhir_issues issues;
	enum fhir_call_return wanted;
	struct fhir_subset subset; /* _summary and _elements */
	bool has_preference;       /* Prefer: return=… was given */
	bool is_strict;            /* Prefer: handling=strict */
	bool wants_async;          /* Prefer: respond-async */
	bool is_pretty;
	bool is_deferred;
	bool is_kept;   /* by a source of its answer, which frees it */
	bool is_inside; /* of a Bundle, whose entry is noted by whoever answers it */
	hash32 *seen;   /* folders that the answer shows something of (fhir_looks.h) */
	size_t seen_count, seen_capacity;
};

typedef void fhir_call_work(struct fhir_call *call);

/* NULL: it was refused, and the answer is written. */
struct fhir_call *fhir_call_new(struct fhir_server *server, struct http_exchange *exchange);
/* A call for a GET inside a Bundle, in the name of who asks for the whole; NULL: it was refused. */
struct fhir_call *fhir_call_inside(struct fhir_call *outer, struct http_exchange *exchange);
/* Begins a call and works on it, on this thread or on a worker's. The work ends the call. */
void fhir_call_serve(struct fhir_server *server, struct http_exchange *exchange, fhir_call_work *work);
void fhir_call_serve_later(struct fhir_server *server, struct http_exchange *exchange, fhir_call_work *work);
/* Goes on on a worker with a call that was begun here; the work ends it. */
void fhir_call_go_on_later(struct fhir_call *call, fhir_call_work *work);
/* Hands a deferred call to a worker. False: there is no room, and a 503 is written; the caller ends the call. */
MUST_USE bool fhir_call_give(struct fhir_call *call, fhir_call_work *work);
/* Sends the answer, and frees the call unless it is kept. */
void fhir_call_end(struct fhir_call *call);
/* Of one that was kept, after its answer. */
void fhir_call_free(struct fhir_call *call);

/* --- refusing --- */

/* Adds an error. */
void fhir_call_issue(struct fhir_call *call, enum fhir_issue_code code, const char *expression, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Answers with the issues as they are. */
void fhir_call_answer_issues(struct fhir_call *call, int status);
/* Adds an error and answers with it. */
void fhir_call_refuse(struct fhir_call *call, int status, enum fhir_issue_code code, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* An operational failure: its status as HTTP has it, its cause as an issue. Also as a pair for whoever writes an entry
 * of a Bundle. */
void fhir_call_fail(struct fhir_call *call, enum status status, const struct err *err);
int fhir_call_status_of(enum status status, enum fhir_issue_code *code);

/* What the asker may see. False: 403 is written. */
MUST_USE bool fhir_call_scope(
    struct fhir_call *call, struct resource_scope *out, enum asker_right right, uint16_t type);

/* --- reading the request --- */

/* The first value of a query's parameter; data == NULL: it is not there. */
struct bytes fhir_call_parameter(const struct fhir_call *call, const char *name);
/* Other parameters in place of the query's, as a form has them. False: they are refused, and a 4xx is written. */
MUST_USE bool fhir_call_take_query(struct fhir_call *call, const struct http_query *query);
/* The tree of the body. False: it is no JSON, and a 400 is written. */
MUST_USE bool fhir_call_body(struct fhir_call *call, const struct json **out);

#endif
