/*
 * A backup of a node: a folder of its own with `backup.json`, the list of its files with their sizes and SHA-256,
 * `data/` with the files, and `keys.sealed` if keys are in it: the node's key, CometBFT's two and the shares of
 * the outer seal's key, sealed under a password as a home's backup is. It is written beside its name,
 * and has it once it is whole and on the disk.
 *
 * A restore takes no file that is not as the list says, and then verifies what the files are: the state against the
 * newest header, every block that is kept, every blob by its name. The folder of the node has its name after that. The
 * key of a member's CometBFT signs nothing that the original may have signed (signing_guard.h).
 *
 * Threads: one at a time a folder.
 */
#ifndef APP_SERVE_BACKUP_H
#define APP_SERVE_BACKUP_H

#include "base/world.h"
#include "envelope/keystore.h"
#include "ledger/blob/blob.h"
#include "ledger/chain/verify.h"

#define BACKUP_LIST "backup.json"
#define BACKUP_DATA "data"
#define BACKUP_KEYS "keys.sealed"
#define BACKUP_FILES_MAX 1000000u

struct node_backup {
	const char *folder;    /* the backup */
	const char *data;      /* the node's folder */
	struct bytes password; /* of the keys; `has_keys` */
	bool has_keys;         /* they are wanted, or given back if the backup has them */
	const struct keystore_cost *cost;
	const struct random_source *random;
};
struct node_backup_report {
	uint64_t files, bytes, head;
	uint64_t format; /* of a restore */
	hash32 head_hash;
	bool has_keys;
	struct chain_verification chain; /* of a restore */
	struct blob_verification blobs;
};

/* Of the frozen copy inside `data` (freeze.h), which stays. STATUS_EXISTS: `folder` is there. */
MUST_USE enum status node_backup_make(
    struct node_backup_report *report, const struct node_backup *backup, struct err *err);
/* STATUS_EXISTS: `data` is there. STATUS_CORRUPT names what differs. STATUS_DENIED: the password is wrong.
 * STATUS_INVALID: the folder is no backup; or it has keys, and no password was given. If it fails, nothing is there. */
MUST_USE enum status node_backup_restore(
    struct node_backup_report *report, const struct node_backup *backup, bool without_keys, struct err *err);

#endif
