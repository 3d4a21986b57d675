/*
 * One request to the EPCIS server (base path /epcis): who asks, which versions and forms are wanted, where its pages go
 * on. Every answer that is a failure is a problem of EPCIS (health/epcis/problem.h).
 *
 * Ownership: what is read from a request lives in the call's arena. Threads: one owner at a time.
 * Source: EPCIS 2.0 §12, its OpenAPI.
 */
#ifndef HEALTH_GATEWAY_EPCIS_CALL_H
#define HEALTH_GATEWAY_EPCIS_CALL_H

#include "base/http_uri.h"
#include "codec/json.h"
#include "health/epcis/event_form.h"
#include "health/epcis/problem.h"
#include "health/epcis/times.h"
#include "health/gateway/asker.h"
#include "health/gateway/epcis_server.h"
#include "health/gateway/gateway_private.h"

#define EPCIS_CALL_PER_PAGE 30u

struct epcis_call {
	struct epcis_server *server;
	struct http_exchange *exchange;
	struct arena arena;
	struct asker asker;
	struct bytes party; /* whose events the asker sees, in one spelling; empty: all of this home's */
	struct bytes base;  /* "https://host/epcis", as this client reaches it */
	struct http_query query;
	const struct json *context; /* of GS1-Extensions; NULL: none */
	enum event_form form;
	uint32_t per_page;
	struct bytes token; /* of the page before; empty: the first */
};
typedef void epcis_call_work(struct epcis_call *call);

/* Begins a call, works on it, and ends it; on a worker, if the route waits. `right`: enum token_right. */
void epcis_call_serve(
    struct epcis_server *server, struct http_exchange *exchange, unsigned right, epcis_call_work *work);

/* --- answering --- */

void epcis_call_refuse(struct epcis_call *call, enum epcis_exception exception, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* An operational failure: what a client did is said, all else stands in the log. */
void epcis_call_fail(struct epcis_call *call, enum status status, const struct err *err);
/* `json`: the whole body. */
void epcis_call_answer(struct epcis_call *call, int status, struct bytes json);
/* Link and its like, if another page is behind: `cursor` empty: there is none. */
void epcis_call_put_next(struct epcis_call *call, struct bytes cursor);

/* --- reading --- */

/* What binds a page: the asker and what it may see. */
struct bytes epcis_call_place(struct epcis_call *call);
/* The path and the query without what names a page: what a page belongs to. */
struct bytes epcis_call_question(struct epcis_call *call);

#endif
