#include "app/serve/comet_door.h"

#include "base/http_reply.h"
#include "codec/json.h"

enum { REQUEST_MAX = 4096, ANSWER_MAX = 4 << 20 };

static bool is_passed_on(struct bytes body) {
	static const char *const methods[] = {"commit", "validators", "consensus_params", "status", "net_info"};
	const struct json *request;
	struct arena arena;
	bool is_known = false;
	arena_init(&arena);
	if (json_parse(&request, &arena, body, NULL, NULL) == STATUS_OK)
		for (size_t i = 0; i < sizeof methods / sizeof *methods && !is_known; i++)
			is_known = json_string_is(json_get(request, "method"), methods[i]);
	arena_fini(&arena);
	return is_known;
}

static void handle(void *context, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct err err;
	if (!is_passed_on(exchange->request.body)) {
		http_problem(response, 403, "not-passed-on",
		    "commit, validators, consensus_params, status and net_info are passed on, one at a time");
		return;
	}
	response->content_type = "application/json";
	if (consortium_ask(context, &response->body, exchange->request.body, &err) == STATUS_OK) return;
	buf_clear(&response->body);
	http_problem(response, 503, "comet", "this node's CometBFT does not answer");
}

const struct route comet_door_routes[COMET_DOOR_ROUTES] = {
    ROUTE(HTTP_POST, "/comet", handle, "a question of CometBFT's light client, or where its peers are",
	.limits = {.body_max = REQUEST_MAX, .answer_max = ANSWER_MAX}, .accepts = "application/json"),
};
