/* Handing a connection over to WebSocket. */
#include "net/http_connection.h"

static void on_upgraded(void *context, struct MHD_Connection *mhd, void *own, const char *early, size_t early_size,
    MHD_socket socket, struct MHD_UpgradeResponseHandle *handle) {
	struct http_connection *connection = context;
	(void)mhd, (void)own;
	connection->phase = PHASE_UPGRADED;
	connection->holds_place = false;
	ws_server_adopt(http_server_policy(connection->server)->websockets, socket, handle,
	    bytes_make(early, early_size), buf_view(&connection->exchange->shown.response.body));
}

static enum MHD_Result switch_protocols(
    struct http_connection *connection, struct MHD_Connection *mhd, const char *accept) {
	struct MHD_Response *answer = MHD_create_response_for_upgrade(on_upgraded, connection);
	BUG_ON(!answer);
	MHD_add_response_header(answer, "Upgrade", "websocket");
	MHD_add_response_header(answer, "Sec-WebSocket-Accept", accept);
	const enum MHD_Result queued = MHD_queue_response(mhd, MHD_HTTP_SWITCHING_PROTOCOLS, answer);
	MHD_destroy_response(answer);
	return queued;
}

/* False: the handler refuses it, and the response says why. */
static bool is_admitted(const struct http_policy *policy, struct http_exchange *exchange) {
	const struct ws_handler *handler = ws_server_handler(policy->websockets);
	exchange->response.status = 0;
	if (handler->admit) handler->admit(handler->context, exchange);
	return exchange->response.status == 0;
}

/* Pages may only come from where CORS lets them: browsers do not ask before they open a WebSocket. */
enum MHD_Result http_connection_upgrade(struct http_connection *connection, struct MHD_Connection *mhd) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct http_exchange *exchange = &connection->exchange->shown;
	const struct bytes origin = http_header_get(&exchange->request, "origin");
	char accept[WS_ACCEPT_BYTES];
	if (origin.data && http_cors_allow(origin, policy->cors_origins).len == 0)
		return http_connection_refuse(connection, mhd, MHD_HTTP_FORBIDDEN, "this origin is not allowed");
	const int status = ws_check_handshake(accept, &exchange->request);
	if (status == MHD_HTTP_UPGRADE_REQUIRED) {
		buf_text(&exchange->response.headers, "Sec-WebSocket-Version: 13\r\n");
		buf_text(&exchange->response.body, "only version 13 of the WebSocket protocol is spoken\n");
		exchange->response.status = status;
		return http_connection_send(connection, mhd);
	}
	if (status) return http_connection_refuse(connection, mhd, status, "not a WebSocket handshake");
	if (!is_admitted(policy, exchange)) return http_connection_send(connection, mhd);
	connection->holds_place = ws_server_reserve(policy->websockets);
	if (!connection->holds_place)
		return http_connection_refuse(
		    connection, mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "too many WebSocket connections");
	return switch_protocols(connection, mhd, accept);
}
