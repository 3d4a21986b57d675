/*
 * Records on the chain: registering what is sealed, reading back, listing, erasing
 * (contracts/src/interfaces/IRecords.sol). A record is registered (its commitment stands in a block) and available (the
 * node serves its container). Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_RECORD_H
#define HEALTH_RECORDS_RECORD_H

#include "envelope/segments.h"
#include "health/records/folder.h"
#include "health/records/seal.h"

/* As the contract keeps it. */
enum record_state { RECORD_NONE, RECORD_REGISTERED, RECORD_ERASED };

struct record_registration {
	hash32 record;
	hash32 root;
	hash32 facts; /* 0: it has none */
	hash32 folder;
	addr20 author;
	uint32_t epoch;
	uint8_t state;     /* enum record_state */
	uint64_t added_at; /* seconds */
	hash32 blob;
};
/* Proved. STATUS_NOTFOUND: there is none of this id. */
MUST_USE enum status record_find(
    struct actor_request *request, struct record_registration *out, const hash32 *record, struct err *err);
/* All that were ever added to a folder, newest first, in the request's arena. STATUS_DENIED with CAUSE_NOT_PROVED: an
 * entry of the folder's list was not served, or is another than the chain has. */
MUST_USE enum status record_list(struct actor_request *request, struct record_registration **out, size_t *count,
    const hash32 *folder, struct err *err);

#define RECORD_ADDITIONS_MAX 64u /* registered together; as Records has it */
struct record_addition {
	hash32 folder;
	const struct record_resource *resources;
	size_t count;
	uint64_t at_ms; /* as in struct record_draft */
};
struct record_added {
	hash32 record;
	hash32 root;
	hash32 blob;
	size_t resource_count;
	size_t container_bytes;
	struct client_receipt receipt; /* of those registered together: the same */
};
/* Seals all, puts all blobs, keeps the author's copies, registers all in one transaction. Nothing is registered
 * where one folder may not be written into, or one blob was not taken. Where the node fell silent after the transaction
 * was sent, the copies are kept, since it may still be included. `out` has an entry for each addition. STATUS_LIMIT:
 * none, or more than RECORD_ADDITIONS_MAX. */
MUST_USE enum status record_add_many(struct actor_request *request, struct record_added *out,
    const struct record_addition *additions, size_t count, struct err *err);
/* As record_add_many, without waiting: what is accepted is registered, or refused, later, and then `completed` is
 * called as the outbox calls (outbox.h). The request may be gone by then. A record alone may be registered together
 * with others. `StaleEpoch` as the verdict's reason: the folder's key changed meanwhile; submit
 * again. The outbox knows the entry by its records' ids. */
struct record_listener {
	/* Before the outbox gets them: the ids are known and can be written down. A failure ends it, and nothing is
	 * registered. NULL: nobody asks. */
	MUST_USE enum status (*named)(void *context, const struct record_added *added, size_t count, struct err *err);
	outbox_callback *completed;
	void *context;
};
MUST_USE enum status record_submit(struct actor_request *request, struct record_added *out,
    const struct record_addition *additions, size_t count, const struct record_listener *listener, struct err *err);
/* The author's copy of a record that was refused after its listener heard that it goes on, goes. */
void record_drop_refused(const struct home *home, const hash32 *record);

/* Gets and opens; needs a window on the chain (consent/access.h) unless this home is author or controller. Where this
 * home has no key of the folder but a grant of this one record, the grant's wrap (item_of_grant) is the lead itself,
 * sealed to this home: record_lead_open with its encryption key. Every resource is checked against the commitment on
 * the chain, for which the whole is fetched. `part` 0: all; else one (its manifest entry says what it is). */
struct record_opened {
	struct record_registration registration;
	struct record_lead lead;
	struct bytes *resources; /* exact bytes, in the request's arena; for one part only that one is set */
};
MUST_USE enum status record_read(struct actor_request *request, struct record_opened *out, const hash32 *record,
    uint32_t part, const struct folder_keys *further, struct err *err);

/* The same of many records of one folder, whose registrations were proved (record_list): the folder's keys and its
 * authors are looked for once. The request outlives it. */
struct record_reader;
MUST_USE enum status record_reader_open(
    struct record_reader **out, struct actor_request *request, const hash32 *folder, struct err *err);
MUST_USE enum status record_reader_read(struct record_reader *reader, struct record_opened *out,
    const struct record_registration *registration, struct err *err);
void record_reader_close(struct record_reader *reader); /* NULL is allowed; wipes the keys */

/* The author's own copy, which it keeps as the law asks: also of a record that was erased, or whose folder was
 * forgotten. No node is asked for content. STATUS_NOTFOUND: this home is not the author, or its copy is gone;
 * STATUS_CORRUPT: the copy is not what the chain has. */
MUST_USE enum status record_read_own_copy(
    struct actor_request *request, struct record_opened *out, const hash32 *record, uint32_t part, struct err *err);

/* One of the author's copies, and where it stands among them. */
struct record_copy {
	hash32 record;
	struct segments_place place;
};
/* The copies, the oldest first, in the request's arena; `only_newest`: those of the newest two files, among which are
 * all that were on their way when the program last ended. No chain is asked: what was never registered may be among
 * them. For a home whose outbox is open. */
MUST_USE enum status record_own_copies(
    struct actor_request *request, struct record_copy **out, size_t *count, bool only_newest, struct err *err);
/* Does a copy hold versions of FHIR's REST (struct record_version)? Nothing of it is checked against the chain. */
MUST_USE enum status record_copy_has_versions(
    struct actor_request *request, bool *out, const struct record_copy *copy, struct err *err);

/* A FHIR collection Bundle of all resources, whose entries are the exact bytes that were sealed. */
void record_write_bundle(struct buf *out, const struct record_opened *record);
/* The same in pieces, which lie in the arena or are the record's own, so that a large one need not be copied. */
struct record_pieces {
	struct bytes *list;
	size_t count;
	size_t len; /* bytes of all */
};
void record_bundle_pieces(struct record_pieces *out, struct arena *arena, const struct record_opened *record);

/* Does the node serve it to this home? Asks for the lead, a look that is logged: verdict->ok, or 410 erased, 404 not
 * there, 403 refused. */
MUST_USE enum status record_probe(
    struct actor_request *request, struct blob_verdict *verdict, const hash32 *record, struct err *err);

MUST_USE enum status record_erase_action(
    struct actor_request *request, struct action *action, const hash32 *record, struct err *err);

#endif
