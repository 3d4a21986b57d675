/*
 * The folder of a member of a consortium, and what all members share:
 *
 *	member1/              the node's data folder (node_files.h), and beside it
 *	  xinglin.conf        of `xinglin node`
 *	  home/               the wallet whose account votes on members
 *	  comet/              CometBFT's folder (comet_home.h)
 *	network/              nothing secret: whoever joins is given a copy
 *	  genesis.json        Ethereum's
 *	  comet-genesis.json  CometBFT's
 *	  peers               "id@host:port,…" of the first members
 *	  blob-peers          "0xid@http://host:port,…" of their HTTP ports
 *
 * Threads: pure but for the disk.
 */
#ifndef APP_SERVE_MEMBER_FOLDER_H
#define APP_SERVE_MEMBER_FOLDER_H

#include "app/serve/comet_home.h"
#include "base/files.h"

#define MEMBER_HOST_BYTES 254u
#define MEMBER_PEERS_MAX ((size_t)16 << 10)

struct member_folder {
	char path[FILES_PATH_BYTES]; /* absolute, once it is made */
	char name[32];
	char host[MEMBER_HOST_BYTES]; /* where the others reach it */
	uint16_t p2p_port, http_port;
	bool is_follower; /* no member: it has no wallet, and never votes */
	addr20 account;
	struct comet_key validator, node;
};

struct member_wallet {
	struct bytes password;
	bool light_kdf; /* a quick key derivation: for tests and demonstrations */
};
/* Makes the folder, its wallet and its keys, and sets `account` and the keys: wipe the whole. STATUS_EXISTS: there is
 * something at its path. */
MUST_USE enum status member_folder_make(struct member_folder *member, const struct member_wallet *wallet,
    const struct random_source *random, struct err *err);
/* "id@host:port" */
void member_folder_put_peer(struct buf *out, const struct member_folder *member);
/* "0xid@http://host:port" */
void member_folder_put_blob_peer(struct buf *out, const struct member_folder *member);

struct member_network {
	struct bytes genesis, comet_genesis;
	const char *peers, *blob_peers;
	const char *program;                       /* CometBFT itself; NULL: by its name on the PATH */
	const struct comet_state_sync *state_sync; /* as of comet_home */
};
/* Writes the rest of a folder that was made. */
MUST_USE enum status member_folder_join(
    const struct member_folder *member, const struct member_network *network, struct err *err);

/* Is this a name or an address that may stand in a configuration? */
bool member_host_is_valid(const char *host);
bool member_host_is_loopback(const char *host);
/* Ports of 127.0.0.1 that nobody listens on, all different, and below those of outgoing connections. */
MUST_USE enum status member_free_ports(uint16_t *out, size_t count, struct err *err);

#endif
