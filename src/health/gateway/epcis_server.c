#include "health/gateway/epcis_server.h"

#include "health/gateway/epcis_line.h"
#include "health/gateway/gateway_private.h"

enum status epcis_server_open(struct epcis_server **out, struct gateway *gateway, struct err *err) {
	struct epcis_server *server = mem_zalloc(1, sizeof *server);
	server->gateway = gateway;
	server->line = epcis_line_new(server);
	const enum status status =
	    events_open(&server->events, actor_home(gateway->options.actor), gateway->options.threads, err);
	if (status != STATUS_OK) {
		epcis_server_close(server);
		return status;
	}
	*out = server;
	return STATUS_OK;
}

void epcis_server_stop(struct epcis_server *server) {
	epcis_line_stop(server->line);
}

void epcis_server_close(struct epcis_server *server) {
	if (!server) return;
	epcis_line_free(server->line);
	events_close(server->events);
	mem_free(server);
}

void epcis_server_tend(struct epcis_server *server) {
	epcis_line_wake(server->line);
}
