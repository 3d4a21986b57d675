#include "app/serve/chain_data.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_MEMORY_BYTES ((size_t)256 << 20)

enum status chain_data_open(struct chain_data *out, const char *data, struct bytes genesis_json, struct err *err) {
	char path[4096];
	const bool make = genesis_json.len > 0;
	*out = (struct chain_data){0};
	if ((size_t)snprintf(path, sizeof path, "%s/chaindata", data) >= sizeof path)
		return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
	if (make && mkdir(data, 0700) != 0 && errno != EEXIST)
		return err_set(err, STATUS_IO, "cannot make %s: %s", data, strerror(errno));
	if (!make && access(path, F_OK) != 0)
		return err_set(err, STATUS_NOTFOUND, "%s holds no chain: %s", data, strerror(errno));
	const struct store_options store = {.memory_bytes = DATABASE_MEMORY_BYTES, .create_if_missing = make};
	const struct chain_options chain = {.genesis_json = genesis_json};
	TRY(store_open(&out->store, path, &store, err));
	return chain_open(&out->chain, out->store, &chain, err);
}

void chain_data_close(struct chain_data *data) {
	chain_close(data->chain);
	store_close(data->store);
	*data = (struct chain_data){0};
}
