/*
 * What a development chain with a gateway needs besides its accounts, in DATA/gateway: one organisation that is
 * everything (deployer, the only registrar, listed with all roles, controller of one folder into which it may write,
 * and maker of one registered product), a password, and a token for everything. For developers alone: the password lies
 * beside what it opens.
 *
 * Threads: one owner.
 */
#ifndef APP_SERVE_DEV_WORLD_H
#define APP_SERVE_DEV_WORLD_H

#include "eth/types.h"
#include "health/gateway/tokens.h"

struct dev_world {
	char home[256], password_file[256], tokens[256], folder_file[256];
	char cert[256], cert_key[256]; /* of dev_certificate.h, made if they are wanted */
	struct buf password;
	addr20 account;             /* deploys, so the genesis must name it, and needs ether */
	char token[TOKEN_TEXT_MAX]; /* new at each start */
	hash32 folder;
	const char *gtin; /* of a product that is registered for the organisation; NULL: there is none */
};

/* Makes what is missing of home, password and tokens. Before the chain's genesis. */
MUST_USE enum status dev_world_begin(struct dev_world *out, const char *data, struct err *err);
/* Once in the chain's life: contracts, the listing, the product, the folder and its grant, over JSON-RPC at `url`.
 * STATUS_DENIED: the chain was made without a gateway, or an earlier start did not finish this. */
MUST_USE enum status dev_world_populate(struct dev_world *world, const char *url, struct err *err);
/* Also after a failed begin. */
void dev_world_end(struct dev_world *world);

#endif
