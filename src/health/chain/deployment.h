/*
 * The anchor: what a home is given by a way that its owner trusts, and what it therefore believes without proof
 * (docs/wire-formats.md §7): which chain, who decides its blocks, which contracts with which code, who lists actors.
 * Of a consortium it names the validators to begin from; who decides later blocks follows from their votes
 * (validators.h).
 *
 * Ownership: plain values. Threads: pure.
 */
#ifndef HEALTH_CHAIN_DEPLOYMENT_H
#define HEALTH_CHAIN_DEPLOYMENT_H

#include "comet/light.h"
#include "crypto/p256.h"
#include "eth/eip712.h"

#define DEPLOYMENT_REGISTRARS_MAX 32u
#define DEPLOYMENT_WITNESSES_MAX 16u
#define DEPLOYMENT_URL_BYTES 256u
#define DEPLOYMENT_TRUST_DAYS 14u /* of a consortium's validators, unless an anchor says otherwise */
#define DEPLOYMENT_TRUST_DAYS_MAX 3650u

#define DEPLOYMENT_NODES_MAX 64u

/* Where a node is. The directory proves which nodes there are, and what each answers is held to what it anchored: a
 * URL is no fact, and a false one costs an answer. */
struct deployment_node {
	addr20 account;
	char url[DEPLOYMENT_URL_BYTES];
};
struct deployment_witness {
	addr20 account;
	char url[DEPLOYMENT_URL_BYTES]; /* of its `xinglin witness` */
};

struct deployment {
	uint64_t chain_id;
	hash32 genesis;
	/* Who decides blocks: a sealer, or a consortium's validators. Neither: the chain is somebody else's, and its
	 * witnesses alone say which head is the newest. */
	addr20 sealer;
	struct comet_trusted validators; /* no validators in its set: no consortium */
	uint32_t trust_days;             /* the validators count for so long after their time */
	bool has_outer;           /* leads of records are locked with a key that the members share (eth/outer.h): */
	struct p256_public outer; /* this one, whoever holds its shares */
	char rpc_url[DEPLOYMENT_URL_BYTES];
	addr20 registrars[DEPLOYMENT_REGISTRARS_MAX]; /* the first set; later ones are statements */
	size_t registrar_count;                       /* from 1 */
	uint8_t threshold;                            /* more than half of them */
	/* A head counts with so many witnesses' signatures beside the sealer's; 0: there are none. */
	struct deployment_witness witnesses[DEPLOYMENT_WITNESSES_MAX];
	size_t witness_count;
	uint8_t witness_threshold; /* of them; at least 1 if there are any */
	struct deployment_node nodes[DEPLOYMENT_NODES_MAX];
	size_t node_count;
	addr20 directory, folders, records, consent, products, medicines;
	/* keccak256 of each contract's code. */
	struct {
		hash32 directory, folders, records, consent, products, medicines;
	} code;
};

/* STATUS_INVALID names the member that is wrong; STATUS_UNSUPPORTED: another version than 2. A member that nobody
 * reads is refused, since what is shown and not believed misleads. */
MUST_USE enum status deployment_parse(struct deployment *out, struct bytes json, struct err *err);
void deployment_write(struct buf *out, const struct deployment *deployment);
/* Do both pin the same? Where nodes and witnesses are may differ, and from which height a consortium is followed. */
bool deployment_is_same(const struct deployment *a, const struct deployment *b);

/* Where a consortium has its list of members. The genesis, which is pinned, has the contract's code. */
extern const addr20 deployment_members;
bool deployment_is_consortium(const struct deployment *deployment);
/* Does this account's signature alone say that a block is of the chain? The sealer's; of somebody else's chain, where
 * one witness is enough, a witness's. */
bool deployment_is_sealed_by(const struct deployment *deployment, const addr20 *signer);
/* What a consortium's light blocks are judged by at this time. `chain_id` is written and pointed into. */
struct comet_rules deployment_rules(
    const struct deployment *deployment, char chain_id[COMET_CHAIN_ID_SIZE], uint64_t now_ms, uint64_t ahead_s);

/* Where signatures for one of its contracts count (the bindings know its name). Points into both arguments. */
struct eip712_domain deployment_domain(const struct deployment *deployment, const addr20 *contract);
/* The code hash that the anchor gives for a contract; NULL: it is none of its contracts. */
const hash32 *deployment_code_of(const struct deployment *deployment, const addr20 *contract);

#endif
