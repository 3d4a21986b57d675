#include "health/gateway/epcis_routes.h"

#include "base/http_reply.h"
#include "health/epcis/epcis.h"
#include "health/gateway/epcis_capture.h"
#include "health/gateway/epcis_events.h"
#include "health/gateway/epcis_queries.h"

#define FILE_LIMIT "16777216"
#define EVENT_LIMIT "10000"

/* --- the root, and what is there (OPTIONS) --- */

static void root(struct epcis_call *call) {
	static const struct bytes members[] = {BYTES_LITERAL("queries"), BYTES_LITERAL("capture"),
	    BYTES_LITERAL("events"), BYTES_LITERAL("eventTypes"), BYTES_LITERAL("epcs"), BYTES_LITERAL("readPoints"),
	    BYTES_LITERAL("bizLocations"), BYTES_LITERAL("dispositions"), BYTES_LITERAL("bizSteps")};
	epcis_events_answer_collection(call, members, sizeof members / sizeof *members);
}

static bool is_below(struct bytes path, const char *head) {
	return bytes_equal(bytes_slice(path, 0, strlen(head)), bytes_text(head));
}

/* Allow is the router's: it knows the rows. */
static void discover(struct epcis_call *call) {
	struct http_response *response = &call->exchange->response;
	const struct bytes path = call->exchange->request.path;
	response->status = 204;
	http_put_header(response, "GS1-EPCIS-Min", "2.0.0");
	http_put_header(response, "GS1-EPCIS-Max", "2.0.0");
	http_put_header(response, "GS1-CBV-Min", "2.0.0");
	http_put_header(response, "GS1-CBV-Max", "2.0.0");
	http_put_header(response, "GS1-EPC-Format", "Always_GS1_Digital_Link, No_Preference, Never_Translates");
	http_put_header(response, "GS1-CBV-XML-Format", "Never_Translates");
	http_put_header(response, "GS1-Vendor-Version", "xinglin");
	http_put_header(response, "GS1-Extensions", "cbvmda=urn:epcglobal:cbv:mda:");
	if (!is_below(path, "/epcis/capture")) return;
	http_put_header(response, "GS1-Capture-Error-Behaviour", "rollback, proceed");
	http_put_header(response, "GS1-EPCIS-Capture-Limit", EVENT_LIMIT);
	http_put_header(response, "GS1-EPCIS-Capture-File-Size-Limit", FILE_LIMIT);
}

/* Pages' tokens are no rows that could be removed: they end by themselves. */
static void refuse_token_end(struct epcis_call *call) {
	epcis_call_refuse(call, EPCIS_NOT_IMPLEMENTED, "a page's token ends by itself, an hour after it was given");
}

/* --- serving --- */

#define SERVE(name, right, work)                                                                                       \
	static void name(void *context, struct http_exchange *exchange) {                                              \
		epcis_call_serve(context, exchange, right, work);                                                      \
	}
SERVE(serve_root, TOKEN_READ, root)
SERVE(serve_capture, TOKEN_WRITE, epcis_capture)
SERVE(serve_jobs, TOKEN_WRITE, epcis_capture_jobs)
SERVE(serve_job, TOKEN_WRITE, epcis_capture_job)
SERVE(serve_events, TOKEN_READ, epcis_events_search)
SERVE(serve_capture_event, TOKEN_WRITE, epcis_capture_event)
SERVE(serve_event, TOKEN_READ, epcis_events_read)
SERVE(serve_list, TOKEN_READ, epcis_events_resources)
SERVE(serve_value, TOKEN_READ, epcis_events_resource)
SERVE(serve_value_events, TOKEN_READ, epcis_events_of_resource)
SERVE(serve_queries, TOKEN_READ, epcis_queries_list)
SERVE(serve_new_query, TOKEN_READ, epcis_queries_create)
SERVE(serve_query, TOKEN_READ, epcis_queries_read)
SERVE(serve_query_end, TOKEN_READ, epcis_queries_remove)
SERVE(serve_query_events, TOKEN_READ, epcis_queries_run)
SERVE(serve_token_end, TOKEN_READ, refuse_token_end)
SERVE(serve_options, 0, discover)

#define EPCIS_BODIES "application/json, application/ld+json, application/xml, text/xml"
#define EPCIS_LARGE                                                                                                    \
	.gzip = HTTP_GZIP_BOTH, .waits = true, .limits = {.large_body_max = EPCIS_BYTES_MAX, .large_at_once = 4}
#define EPCIS_READ .gzip = HTTP_GZIP_ANSWERS, .waits = true
#define EPCIS_OPTIONS(path) ROUTE(HTTP_OPTIONS, path, serve_options, "EPCIS: versions, formats and limits")
#define EPCIS_RESOURCE(name, doc)                                                                                      \
	ROUTE(HTTP_GET, "/epcis/" name, serve_list, "EPCIS: " doc, EPCIS_READ), EPCIS_OPTIONS("/epcis/" name),         \
	    ROUTE(HTTP_GET, "/epcis/" name "/{value}", serve_value, "EPCIS: what is below one of them", EPCIS_READ),   \
	    EPCIS_OPTIONS("/epcis/" name "/{value}"),                                                                  \
	    ROUTE(HTTP_GET, "/epcis/" name "/{value}/events", serve_value_events, "EPCIS: the events that have it",    \
		EPCIS_READ),                                                                                           \
	    EPCIS_OPTIONS("/epcis/" name "/{value}/events")

const struct route epcis_routes[] = {
    ROUTE(HTTP_GET, "/epcis", serve_root, "EPCIS: the top-level resources", EPCIS_READ),
    EPCIS_OPTIONS("/epcis"),
    ROUTE(HTTP_GET, "/epcis/", serve_root, "EPCIS: the same", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/"),
    ROUTE(HTTP_POST, "/epcis/capture", serve_capture,
	"EPCIS: capture a document; 202, and Location names the job that says how it ends", .accepts = EPCIS_BODIES,
	EPCIS_LARGE),
    ROUTE(HTTP_GET, "/epcis/capture", serve_jobs, "EPCIS: the token's capture jobs, the newest first", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/capture"),
    ROUTE(HTTP_GET, "/epcis/capture/{id}", serve_job, "EPCIS: a capture job", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/capture/{id}"),
    ROUTE(HTTP_GET, "/epcis/events", serve_events, "EPCIS: query events", EPCIS_READ),
    ROUTE(HTTP_POST, "/epcis/events", serve_capture_event, "EPCIS: capture one event, and wait for it",
	.accepts = "application/json, application/ld+json", EPCIS_LARGE),
    EPCIS_OPTIONS("/epcis/events"),
    ROUTE(HTTP_GET, "/epcis/events/{id}", serve_event, "EPCIS: an event, and the declaration of its error", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/events/{id}"),
    ROUTE(HTTP_GET, "/epcis/queries", serve_queries, "EPCIS: the named queries", EPCIS_READ),
    ROUTE(HTTP_POST, "/epcis/queries", serve_new_query, "EPCIS: name a query",
	.accepts = "application/json, application/ld+json", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/queries"),
    ROUTE(HTTP_GET, "/epcis/queries/{name}", serve_query, "EPCIS: a named query", EPCIS_READ),
    ROUTE(HTTP_DELETE, "/epcis/queries/{name}", serve_query_end, "EPCIS: forget a named query", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/queries/{name}"),
    ROUTE(HTTP_GET, "/epcis/queries/{name}/events", serve_query_events, "EPCIS: what a named query finds", EPCIS_READ),
    EPCIS_OPTIONS("/epcis/queries/{name}/events"),
    ROUTE(HTTP_DELETE, "/epcis/nextPageToken/{token}", serve_token_end, "EPCIS: 501, since tokens end by themselves",
	EPCIS_READ),
    EPCIS_RESOURCE("eventTypes", "types of events that there are"),
    EPCIS_RESOURCE("epcs", "EPCs and classes of EPCs"),
    EPCIS_RESOURCE("bizSteps", "business steps"),
    EPCIS_RESOURCE("bizLocations", "business locations"),
    EPCIS_RESOURCE("readPoints", "read points"),
    EPCIS_RESOURCE("dispositions", "dispositions"),
};
const size_t epcis_route_count = sizeof epcis_routes / sizeof *epcis_routes;

/* --- refusals made elsewhere --- */

static bool is_epcis_path(struct bytes path) {
	return is_below(path, "/epcis") && (path.len == 6 || path.data[6] == '/');
}

static enum epcis_exception exception_of(int status) {
	switch (status) {
	case 400: return EPCIS_VALIDATION;
	case 401: return EPCIS_UNAUTHENTICATED;
	case 403: return EPCIS_SECURITY;
	case 404: return EPCIS_NO_SUCH_RESOURCE;
	case 405: return EPCIS_METHOD;
	case 406: return EPCIS_NOT_ACCEPTABLE;
	case 413: return EPCIS_CAPTURE_LIMIT;
	case 414: return EPCIS_URI_TOO_LONG;
	case 415: return EPCIS_UNSUPPORTED_MEDIA_TYPE;
	case 501: return EPCIS_NOT_IMPLEMENTED;
	case 429:
	case 503:
	case 504: return EPCIS_BUSY;
	default: return status < 500 ? EPCIS_VALIDATION : EPCIS_FAILURE;
	}
}

void epcis_routes_translate(struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct arena arena;
	const struct json *problem;
	if (response->status < 400 || !is_epcis_path(exchange->request.path)) return;
	if (!response->content_type || strcmp(response->content_type, "application/problem+json") != 0) return;
	arena_init(&arena);
	const struct bytes body = arena_dup(&arena, buf_view(&response->body));
	if (json_parse(&problem, &arena, body, NULL, NULL) == STATUS_OK &&
	    bytes_equal(json_string(json_get(problem, "type")), BYTES_LITERAL("about:blank"))) {
		buf_clear(&response->body);
		epcis_problem_write_as(&response->body, exception_of(response->status), response->status,
		    arena_strdup(&arena, json_string(json_get(problem, "detail"))));
		if (response->status == 413) {
			http_put_header(response, "GS1-EPCIS-Capture-Limit", EVENT_LIMIT);
			http_put_header(response, "GS1-EPCIS-Capture-File-Size-Limit", FILE_LIMIT);
		}
	}
	arena_fini(&arena);
}
