/* Which nodes are asked for their audit, and where they are. Inside health/consent. Threads: one owner a request. */
#ifndef HEALTH_CONSENT_AUDIT_NODES_H
#define HEALTH_CONSENT_AUDIT_NODES_H

#include "health/consent/audit.h"

/* Fills in out->nodes: the deployment's sealer, and every node that the directory proves. */
MUST_USE enum status audit_nodes(struct actor_request *request, struct verified *verified, struct audit_log *out,
    const struct audit_wish *wish, struct err *err);

#endif
