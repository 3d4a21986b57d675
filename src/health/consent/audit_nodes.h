/* Which nodes are asked for their audit, and where they are. Inside health/consent. Threads: one owner a request. */
#ifndef HEALTH_CONSENT_AUDIT_NODES_H
#define HEALTH_CONSENT_AUDIT_NODES_H

#include "health/consent/audit.h"

/* Fills in out->nodes: the deployment's sealer, and every node that the directory proves, whatever its status.
 * STATUS_DENIED: the node does not show all of them. */
MUST_USE enum status audit_nodes(
    struct actor_request *request, struct audit_log *out, const struct audit_wish *wish, struct err *err);

#endif
