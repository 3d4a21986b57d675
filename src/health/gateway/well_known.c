/* What anybody may read: where a SMART app finds the issuer (SMART App Launch 2, "Conformance"). */
#include "base/http_reply.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/who.h"

#define CONFIGURATION "/.well-known/smart-configuration"

static void get_smart_configuration(void *context, struct http_exchange *exchange) {
	struct gateway *gateway = context;
	struct http_response *response = &exchange->response;
	if (!gateway->options.issuer) {
		http_problem(response, 404, "no-issuer", "this gateway takes no tokens of an OAuth 2 issuer");
		return;
	}
	issuer_smart_configuration(gateway->options.issuer, &response->body);
	response->status = 200;
	response->content_type = "application/json";
	http_put_header(response, "Cache-Control", "max-age=60");
}

const struct route gateway_open_routes[GATEWAY_OPEN_ROUTE_COUNT] = {
    ROUTE(HTTP_GET, CONFIGURATION, get_smart_configuration, "where a SMART app finds the issuer of its tokens"),
    ROUTE(HTTP_GET, "/fhir" CONFIGURATION, get_smart_configuration, "the same, below the base of FHIR"),
};

bool who_is_open(struct bytes path) {
	if (bytes_equal(path, BYTES_LITERAL("/fhir/metadata"))) return true;
	for (size_t i = 0; i < GATEWAY_OPEN_ROUTE_COUNT; i++)
		if (bytes_equal(path, bytes_text(gateway_open_routes[i].path))) return true;
	return false;
}
