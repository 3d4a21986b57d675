/*
 * The anchor: what a home is given by a way that its owner trusts, and what it therefore believes without proof
 * (docs/wire-formats.md §7): which chain, who decides its blocks, which contracts with which code, who lists actors.
 *
 * Ownership: plain values. Threads: pure.
 */
#ifndef HEALTH_CHAIN_DEPLOYMENT_H
#define HEALTH_CHAIN_DEPLOYMENT_H

#include "eth/eip712.h"

#define DEPLOYMENT_REGISTRARS_MAX 32u
#define DEPLOYMENT_WITNESSES_MAX 16u
#define DEPLOYMENT_URL_BYTES 256u

struct deployment_witness {
	addr20 account;
	char url[DEPLOYMENT_URL_BYTES]; /* of its `xinglin witness` */
};

struct deployment {
	uint64_t chain_id;
	hash32 genesis;
	addr20 sealer; /* zeros: the chain is somebody else's, and its witnesses alone say which head is the newest */
	char rpc_url[DEPLOYMENT_URL_BYTES];
	addr20 registrars[DEPLOYMENT_REGISTRARS_MAX]; /* the first set; later ones are statements */
	size_t registrar_count;                       /* from 1 */
	uint8_t threshold;                            /* more than half of them */
	/* A head counts with so many witnesses' signatures beside the sealer's; 0: there are none. */
	struct deployment_witness witnesses[DEPLOYMENT_WITNESSES_MAX];
	size_t witness_count;
	uint8_t witness_threshold; /* of them; at least 1 if there are any */
	addr20 directory, folders, records, consent, medicines;
	/* keccak256 of each contract's code. */
	struct {
		hash32 directory, folders, records, consent, medicines;
	} code;
};

/* STATUS_INVALID names the member that is wrong; STATUS_UNSUPPORTED: another version than 2. A member that nobody
 * reads is refused, since what is shown and not believed misleads. */
MUST_USE enum status deployment_parse(struct deployment *out, struct bytes json, struct err *err);
void deployment_write(struct buf *out, const struct deployment *deployment);

/* Where signatures for one of its contracts count (the bindings know its name). Points into both arguments. */
struct eip712_domain deployment_domain(const struct deployment *deployment, const addr20 *contract);
/* The code hash that the anchor gives for a contract; NULL: it is none of its contracts. */
const hash32 *deployment_code_of(const struct deployment *deployment, const addr20 *contract);

#endif
