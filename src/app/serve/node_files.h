/*
 * A node's data folder, and what is made before a node first runs:
 *
 *	data/
 *	  genesis.json   geth's format, with config.xinglin
 *	  node.key       the sealer's secret: 64 hexadecimal digits, mode 0600
 *	  chaindata/     the embedded database
 *	  pool.journal
 *	  blobs/
 */
#ifndef APP_SERVE_NODE_FILES_H
#define APP_SERVE_NODE_FILES_H

#include "base/world.h"
#include "eth/types.h"

#define DEV_CHAIN_ID 31337u
#define DEV_ACCOUNT_COUNT 10u
#define DEV_DEPLOYER 9u /* whose contracts 1 to 3 are the development chain's blob gates */

/* The accounts of the well-known phrase "test test … junk". */
struct dev_accounts {
	hash32 secrets[DEV_ACCOUNT_COUNT];
	addr20 addresses[DEV_ACCOUNT_COUNT];
};
MUST_USE enum status dev_accounts_make(struct dev_accounts *out, struct err *err);

/* data/node.key: read, or made if there is none. */
MUST_USE enum status node_key(hash32 *secret, const char *data, const struct random_source *random, struct err *err);
/* A key file by its path. */
MUST_USE enum status node_key_read(hash32 *secret, const char *path, struct err *err);

/* A first member of a consortium (contracts/src/interfaces/IMembers.sol). */
struct genesis_member {
	addr20 account;
	uint64_t power;
	hash32 key;
	addr20 node;
};

struct genesis_plan {
	uint64_t chain_id;
	addr20 sealer; /* without members; zeros: another node orders transactions, and the rules are mainnet's */
	const struct genesis_member *members;
	size_t member_count; /* 0: the sealer alone makes the blocks */
	hash32 seal;         /* of the first statement about the outer seal (eth/outer.h); zeros: there is none */
	addr20 deployer;     /* its contracts 1, 2 and 3 are the blob gates: folders, records, consent */
	bool zero_base_fee;
	bool listed_only; /* the deployer's contract 0, the directory, says whose transactions are taken */
	uint64_t gas_limit;
	uint64_t timestamp;   /* seconds */
	const addr20 *funded; /* 10,000 ether each */
	size_t funded_count;
};
void genesis_write(struct buf *out, const struct genesis_plan *plan);
/* The hash of the block that a genesis makes. */
MUST_USE enum status genesis_block_hash(hash32 *out, struct bytes json, struct err *err);
/* Where a consortium's genesis lays the contract Members. */
extern const addr20 genesis_members_address;

#endif
