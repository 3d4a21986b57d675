/* Inside health/records: this home as a reader of a folder's blobs. Threads: one owner a request. */
#ifndef HEALTH_RECORDS_READER_H
#define HEALTH_RECORDS_READER_H

#include "health/records/folder.h"
#include "health/records/share.h"

struct record_keys;
/* In whose name this home asks for what belongs to a folder: its controller, which is proved, if that is one of this
 * home's own; else the home's account. */
struct reader {
	struct blob_asker asker;
	hash32 controller_secret;
	struct own_folder own;
	bool is_controller;
	const struct folder_keys *further; /* of record_read; NULL: none */
	struct record_keys *keys;          /* of record_reader: found already; NULL: none are kept */
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

/* A share that was sealed to this home's account, under whichever version of its key; a release names the version, so
 * that of `place` is not looked at. `*opened` false: no key opens it, or it is no share of that place. A failure is not
 * the share's: whoever sealed it is accused of nothing. */
MUST_USE enum status reader_open_share(struct actor_request *request, struct vss_share *share, bool *opened,
    const struct share_place *place, struct bytes sealed, struct err *err);

#endif
