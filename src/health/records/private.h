/* What the files of health/records share. */
#ifndef HEALTH_RECORDS_PRIVATE_H
#define HEALTH_RECORDS_PRIVATE_H

#include "health/records/record.h"

#define EPOCH_RECIPIENTS_MAX 64u /* of an epoch's wraps, as Folders has it */

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
struct epoch_draft {
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
    struct actor_request *request, struct action *action, struct epoch_draft *epoch, struct err *err);
/* The recipients' addresses, in the arena: what a call and a signed message take. */
const addr20 *epoch_addresses(struct arena *arena, const struct epoch_draft *epoch);

/* --- reader.c --- */

/* In whose name this home asks for what belongs to a folder: its controller where it is one of this home's own, else
 * the home's account. */
struct reader {
	struct blob_asker asker;
	hash32 controller_secret;
	struct own_folder own;
	bool is_controller;
	const struct folder_keys *further; /* of record_read; NULL: none */
};
MUST_USE enum status reader_init(
    struct actor_request *request, struct reader *reader, const hash32 *folder, struct err *err);
void reader_fini(struct reader *reader);
/* A part into `out`. `*found` false: the node does not give it, and `*verdict` says why. */
MUST_USE enum status reader_part(const struct reader *reader, struct buf *out, bool *found,
    struct blob_verdict *verdict, const addr20 *gate, const hash32 *item, uint32_t part, struct err *err);

/* This home's encryption key of a version; 0: of the newest that the directory shows, which `*version` then is. */
MUST_USE enum status reader_home_key(struct actor_request *request, struct p256_secret *secret, struct p256_public *key,
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
