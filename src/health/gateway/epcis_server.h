/*
 * What the EPCIS server keeps between requests: the home's events, and the line in which documents are captured, one
 * after the other. Inside health/gateway. Threads: any, once it was made.
 */
#ifndef HEALTH_GATEWAY_EPCIS_SERVER_H
#define HEALTH_GATEWAY_EPCIS_SERVER_H

#include "health/gateway/gateway.h"
#include "health/index/events.h"
#include "health/index/index.h"

struct epcis_line;
struct epcis_server {
	struct gateway *gateway;
	struct events *events;
	struct epcis_line *line;
};
MUST_USE enum status epcis_server_open(struct epcis_server **out, struct gateway *gateway, struct err *err);
/* No further document is captured. Before the workers stop. */
void epcis_server_stop(struct epcis_server *server);
/* Once no worker runs. NULL is allowed. */
void epcis_server_close(struct epcis_server *server);

/* One step of what the server does by itself: a service calls it every second, from one thread. */
void epcis_server_tend(struct epcis_server *server);

#endif
