#include "app/serve/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "app/serve/chain_data.h"
#include "app/serve/folders.h"

#define DATABASE_MEMORY_BYTES ((size_t)128 << 20)
#define GENESIS_FILE_MAX ((size_t)64 << 20)
#define ALL_BLOCKS UINT64_MAX

struct places {
	struct folder_path chain, fresh, damaged, blobs, genesis;
};

static enum status find_places(struct places *out, const char *data, struct err *err) {
	TRY(folders_join(&out->chain, data, "chaindata", err));
	TRY(folders_join(&out->fresh, data, "chaindata.repairing", err));
	TRY(folders_join(&out->damaged, data, "chaindata.damaged", err));
	TRY(folders_join(&out->genesis, data, "genesis.json", err));
	return folders_join(&out->blobs, data, "blobs", err);
}

/* --- what is damaged --- */

/* A damage is no failure here. */
static enum status note(struct err *damage, enum status status, const struct err *found, struct err *err) {
	if (status == STATUS_OK) return STATUS_OK;
	if (status != STATUS_CORRUPT && status != STATUS_NOTFOUND && status != STATUS_INVALID)
		return err_set(err, status, "%s", found->message);
	*damage = *found;
	return STATUS_OK;
}

static enum status look(struct node_repair *out, struct chain_data *ledger, const char *blobs, struct err *err) {
	struct chain_verification verified;
	struct blob_verification held;
	struct err found = {0};
	TRY(note(&out->chain_damage, chain_verify(ledger->chain, &verified, ALL_BLOCKS, &found), &found, err));
	if (!files_exists(blobs)) return STATUS_OK;
	return note(&out->blob_damage, blob_verify(ledger->store, blobs, NULL, &held, &found), &found, err);
}

/* --- making it again --- */

static enum status verify_fresh(struct store *store, struct err *err) {
	struct chain *chain = NULL;
	struct chain_verification verified;
	const struct chain_options as_stored = {.cache_bytes = 0};
	TRY(chain_open(&chain, store, &as_stored, err));
	const enum status status = chain_verify(chain, &verified, ALL_BLOCKS, err);
	chain_close(chain);
	return status;
}

static enum status rebuild(
    struct node_repair *out, struct chain_data *ledger, const struct places *places, struct err *err) {
	struct store *store = NULL;
	struct buf genesis; /* the folder's, whose rules are the node's; if there is none, the stored one */
	const struct store_options options = {.memory_bytes = DATABASE_MEMORY_BYTES, .create_if_missing = true};
	TRY(files_make_folder(places->fresh.text, err));
	buf_init(&genesis, GENESIS_FILE_MAX);
	enum status status = files_read(&genesis, places->genesis.text, err);
	if (status == STATUS_OK || status == STATUS_NOTFOUND)
		status = store_open(&store, places->fresh.text, &options, err);
	if (status == STATUS_OK) status = chain_rebuild(&out->chain, store, ledger->chain, buf_view(&genesis), err);
	if (status == STATUS_OK) status = verify_fresh(store, err);
	store_close(store);
	buf_fini(&genesis);
	return status;
}

/* One step: the name `chaindata` is the damaged database, or the whole one. */
static enum status exchange(const struct places *places, struct err *err) {
	if (renameat2(AT_FDCWD, places->fresh.text, AT_FDCWD, places->chain.text, RENAME_EXCHANGE) != 0)
		return err_set(err, STATUS_IO, "cannot put the new database in place: %s", strerror(errno));
	if (rename(places->fresh.text, places->damaged.text) != 0)
		return err_set(err, STATUS_IO, "cannot rename %s: %s", places->fresh.text, strerror(errno));
	return files_sync_parent(places->chain.text, err);
}

/* --- words --- */

static enum status no_way(struct err *err, enum status status) {
	struct err why = *err;
	return err_set(err, status,
	    "%.200s. Nothing was changed. Restore a backup (xinglin db restore); a consortium's member gets its data "
	    "from the others (docs/operations.md, Runbooks)",
	    why.message);
}

static bool is_hopeless(enum status status) {
	return status == STATUS_CORRUPT || status == STATUS_PRUNED || status == STATUS_UNSUPPORTED ||
	       status == STATUS_INVALID;
}

static enum status repair(
    struct node_repair *out, struct chain_data *ledger, const struct places *places, struct err *err) {
	TRY(look(out, ledger, places->blobs.text, err));
	if (!out->chain_damage.message[0]) return STATUS_OK;
	const enum status status = rebuild(out, ledger, places, err);
	return is_hopeless(status) ? no_way(err, status) : status;
}

enum status node_repair(struct node_repair *out, const char *data, bool is_dry, struct err *err) {
	struct places places;
	struct chain_data ledger;
	struct err error = {0};
	*out = (struct node_repair){.is_rebuilt = false};
	TRY(find_places(&places, data, err));
	if (files_exists(places.damaged.text))
		return err_set(err, STATUS_EXISTS,
		    "%s is what an earlier repair found: once the node runs well, remove it", places.damaged.text);
	enum status status = chain_data_open(&ledger, data, (struct bytes){0}, &error);
	const bool is_open = ledger.chain != NULL;
	if (status == STATUS_OK) status = folders_remove(places.fresh.text, &error);
	if (status == STATUS_OK) status = repair(out, &ledger, &places, &error);
	/* What holds no chain is no damage; a chain whose rows are missing is. */
	const bool is_damaged = status == STATUS_CORRUPT || (status == STATUS_NOTFOUND && ledger.store);
	if (!is_open && is_damaged) status = no_way(&error, STATUS_CORRUPT);
	chain_data_close(&ledger);
	const bool is_whole = status == STATUS_OK && out->chain_damage.message[0];
	if (is_whole && !is_dry) {
		status = exchange(&places, &error);
		out->is_rebuilt = status == STATUS_OK;
	} else if (status != STATUS_BUSY) {
		folders_try_remove(places.fresh.text);
	}
	if (status != STATUS_OK && err) *err = error;
	return status;
}
