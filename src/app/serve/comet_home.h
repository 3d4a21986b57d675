/*
 * The folder of a CometBFT, as `xinglin consortium` makes it before a member first runs:
 *
 *	comet/
 *	  config/genesis.json              the same for all members
 *	  config/config.toml               the profile of docs/decisions/0041, and who the other members are
 *	  config/node_key.json             Ed25519, names this node among its peers; mode 0600, as all of these
 *	  config/priv_validator_key.json   Ed25519, signs its votes
 *	  data/priv_validator_state.json   what it signed last: whoever loses it may sign twice
 *
 * Source: CometBFT v0.38, config/config.go, privval/file.go, p2p/key.go, types/genesis.go. Threads: pure but for the
 * disk.
 */
#ifndef APP_SERVE_COMET_HOME_H
#define APP_SERVE_COMET_HOME_H

#include "base/world.h"
#include "crypto/ed25519.h"
#include "eth/types.h"

struct comet_key {
	struct ed25519_secret secret;
	hash32 key;     /* public */
	addr20 address; /* the first 20 bytes of its SHA-256: a validator's address, a node's identifier */
};
/* Wipe it. */
MUST_USE enum status comet_key_make(struct comet_key *out, const struct random_source *random, struct err *err);

struct comet_genesis_validator {
	const char *name;
	hash32 key;
	uint64_t power;
};
struct comet_genesis {
	hash32 block; /* of the Ethereum genesis: the first application hash, and the chain's name follows from it */
	uint64_t timestamp; /* seconds */
	const struct comet_genesis_validator *validators;
	size_t validator_count;
};
void comet_genesis_write(struct buf *out, const struct comet_genesis *genesis);

/* How a node that has nothing comes to a state: by a snapshot, which CometBFT's light client proves from this block. */
struct comet_state_sync {
	const char *servers; /* "http://HOST:PORT/comet,…": at least two, also if they are the same */
	uint64_t height;
	hash32 hash;
	uint64_t trust_s;
};
struct comet_home {
	const char *name; /* of the member; ASCII */
	const struct comet_key *validator, *node;
	const char *listen; /* "127.0.0.1:26656" */
	const char *peers;  /* "id@host:port,…" */
	bool is_local;      /* several members on one machine: addresses are not routable, and occur twice */
	struct bytes genesis;
	const struct comet_state_sync *state_sync; /* NULL: by all blocks from the first on */
};
/* The key of the node in the folder of a CometBFT: wipe it. STATUS_NOTFOUND, STATUS_CORRUPT: there is none. */
MUST_USE enum status comet_home_node_key(struct comet_key *out, const char *path, struct err *err);
/* `path` is made; STATUS_EXISTS: there is a CometBFT in it, whose keys stay. */
MUST_USE enum status comet_home_write(const char *path, const struct comet_home *home, struct err *err);

#endif
