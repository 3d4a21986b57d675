/*
 * Deploying the contracts, in their fixed order, from one account that has sent nothing before (docs/contracts.md):
 * their addresses stand in the genesis. Threads: as the request.
 */
#ifndef APP_SERVE_DEPLOYING_H
#define APP_SERVE_DEPLOYING_H

#include "health/actors/request.h"

struct deploy_plan {
	addr20 registrars[DEPLOYMENT_REGISTRARS_MAX];
	size_t registrar_count;
	uint64_t threshold;
	uint64_t founding_s;
	struct deployment_witness witnesses[DEPLOYMENT_WITNESSES_MAX];
	size_t witness_count;
	uint8_t witness_threshold;
	struct deployment_node nodes[DEPLOYMENT_NODES_MAX];
	size_t node_count;
	/* After each; NULL: nobody wants to know. */
	void (*deployed)(void *context, const char *name, const struct client_receipt *receipt);
	void *context;
};
/* As the request's account. STATUS_DENIED: it has sent something already, or the chain was made for another deployer.
 */
MUST_USE enum status deploy_contracts(
    struct actor_request *request, struct deployment *out, const struct deploy_plan *plan, struct err *err);

#endif
