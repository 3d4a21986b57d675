/* What the files of health/records share. */
#ifndef HEALTH_RECORDS_PRIVATE_H
#define HEALTH_RECORDS_PRIVATE_H

#include "eth/abi.h"
#include "eth/eip712.h"
#include "health/records/record.h"

#define CALLDATA_MAX ((size_t)1 << 14)
#define ACTION_LIFE_SECONDS 86400u /* a relay has a day */
#define RECIPIENTS_MAX 64u         /* of an epoch's wraps, as Folders has it */
#define TRUSTEES_MAX 8u

#define EPOCH_STARTED_EVENT "EpochStarted(bytes32,uint32,bytes32,bytes32,bytes32,address[])"
#define GRANTED_EVENT "Granted(bytes32,bytes32,address,uint8,uint16,uint40,uint40,uint32)"
#define GLASS_BROKEN_EVENT "GlassBroken(bytes32,address,uint64,bytes32,uint40)"
#define SHARE_RELEASED_EVENT "ShareReleased(uint64,address)"
#define RECORD_ADDED_EVENT "RecordAdded(bytes32,bytes32,address,uint32,bytes32,bytes32,uint64)"
#define ERASURE_CONFIRMED_EVENT "ErasureConfirmed(bytes32,address)"

/* --- chain_calls.c --- */

/* A view that must succeed; the answer lives in the arena. `data` is the calldata, which is freed. */
MUST_USE enum status view_call(
    struct actor_request *request, struct abi_reader *answer, const addr20 *to, struct buf *data, struct err *err);
/* Logs of one event from the first block on; topic i (1 … 3) where topics[i - 1] is not NULL. */
MUST_USE enum status event_logs(struct actor_request *request, struct client_log **logs, size_t *count,
    const addr20 *contract, const char *event, const hash32 *const topics[3], struct err *err);
/* STATUS_INTERNAL where a node shows a log of another form than was asked for. */
MUST_USE enum status log_is(const struct client_log *log, unsigned topic_count, struct err *err);
/* Seconds, by the later of this machine's clock and the chain's. */
MUST_USE enum status now_seconds(struct actor_request *request, uint64_t *now, struct err *err);

/* --- folder_action.c --- */

/* Signs a struct in the domain "xinglin <name>" of a contract with the folder's controller key. */
MUST_USE enum status folder_sign_struct(struct actor_request *request, uint8_t signature[65],
    const struct own_folder *folder, const char *name, const addr20 *contract, struct eip712_struct *fields,
    struct err *err);
/* `data` goes into the action and is freed. */
MUST_USE enum status action_take_data(
    struct actor_request *request, struct action *action, struct buf *data, struct err *err);

/* --- own_folder.c --- */

MUST_USE enum status own_folder_store(struct actor_request *request, const struct own_folder *folder, struct err *err);
/* An index that no other folder gets: it is written down before it is used. A restored home asks the chain first. */
MUST_USE enum status own_folder_take_index(struct actor_request *request, uint32_t *index, struct err *err);

/* --- epoch.c --- */

/* A new epoch's key and its wraps. */
struct epoch_recipient {
	addr20 address;
	struct p256_public key;
};
struct new_epoch {
	const hash32 *folder;
	uint32_t epoch;
	uint32_t controller_index;
	const struct epoch_recipient *recipients;
	size_t recipient_count;
	const struct p256_secret *previous; /* NULL for the first epoch */
	struct p256_public key;             /* out */
	hash32 wraps;                       /* out: the blob's name */
	size_t wraps_bytes;                 /* out */
};
/* The wraps' container goes into the action, for Folders' gate. */
MUST_USE enum status epoch_make(
    struct actor_request *request, struct action *action, struct new_epoch *epoch, struct err *err);
/* IFolders tells of an epoch keyX, keyY, wraps and wrapsSize: as signed, and as called with. */
void epoch_put_signed(struct eip712_struct *fields, const struct new_epoch *epoch);
void epoch_put(struct buf *data, const struct new_epoch *epoch);
/* The recipients' addresses: an address[] tail, and its EIP-712 hash. */
void epoch_put_recipients(struct buf *data, const struct new_epoch *epoch);
hash32 epoch_recipients_hash(const struct new_epoch *epoch);

/* --- reader.c --- */

/* In whose name this home asks for what belongs to a folder: its controller where it is one of this home's own, else
 * the home's account. */
struct reader {
	struct blob_asker asker;
	hash32 controller_secret;
	struct own_folder own;
	bool is_controller;
};
MUST_USE enum status reader_init(
    struct actor_request *request, struct reader *reader, const hash32 *folder, struct err *err);
void reader_fini(struct reader *reader);
/* A part into `out`. `*found` false: the node does not give it, and `*verdict` says why. */
MUST_USE enum status reader_part(const struct reader *reader, struct buf *out, bool *found,
    struct blob_verdict *verdict, const addr20 *gate, const hash32 *item, uint32_t part, struct err *err);

/* This home's encryption key of a version; 0: of the newest that the directory shows, which `*version` then is. */
MUST_USE enum status home_key(struct actor_request *request, struct p256_secret *secret, struct p256_public *key,
    uint32_t *version, struct err *err);

/* --- legal_copy.c --- */

/* The author's legal record: the lead's plaintext, sealed to its own encryption key, in records/<id>.jwe. */
MUST_USE enum status legal_copy_store(
    struct actor_request *request, const hash32 *record, struct bytes lead, struct err *err);
/* Of a record that was not registered after all; best effort. */
void legal_copy_remove(const struct home *home, const hash32 *record);
/* STATUS_NOTFOUND: this home is not the author. */
MUST_USE enum status legal_copy_load(
    struct actor_request *request, struct record_lead *lead, const hash32 *record, struct err *err);

#endif
