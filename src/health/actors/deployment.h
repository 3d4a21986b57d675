/* The trust anchor and the contracts' addresses, as a file: docs/wire-formats.md §7. Threads: pure. */
#ifndef HEALTH_ACTORS_DEPLOYMENT_H
#define HEALTH_ACTORS_DEPLOYMENT_H

#include "base/mem.h"
#include "base/status.h"

struct deployment {
	uint64_t chain_id;
	hash32 genesis;
	addr20 sealer;
	char rpc_url[256];
	addr20 directory, folders, records, consent, medicines;
};
MUST_USE enum status deployment_parse(struct deployment *out, struct bytes json, struct err *err);
void deployment_write(struct buf *out, const struct deployment *deployment);

#endif
