/*
 * Inside app/: the chain of a data folder, without the node around it: for commands that read, check, import and export
 * it. One process a folder: STATUS_BUSY if a node runs on it.
 */
#ifndef APP_SERVE_CHAIN_DATA_H
#define APP_SERVE_CHAIN_DATA_H

#include "ledger/chain/chain.h"

struct chain_data {
	struct store *store;
	struct chain *chain;
};
/* `genesis_json` empty: as stored; then the folder must hold a chain already, and STATUS_NOTFOUND says that it does
 * not. */
MUST_USE enum status chain_data_open(
    struct chain_data *out, const char *data, struct bytes genesis_json, struct err *err);
/* Also after a failed open. */
void chain_data_close(struct chain_data *data);

#endif
