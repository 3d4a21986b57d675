/*
 * Content that is written once, read seldom and erased for good: entries in append-only files of one folder,
 * `00000001.seg` and on. An entry is
 *
 *	"XSEG" | length u32 | label 80 | 8 bytes of the content's SHA-256 | 8 of the 96 bytes before | content
 *
 * What a label says is the caller's, and so is the index: an entry's place leads to it. Writing costs one append and a
 * share of one sync: whoever syncs does it for all that were appended by then. A file that is larger than the options
 * say is followed by a new one.
 *
 * A tail that is not whole (kill -9, power loss) was never acknowledged: it is cut when the folder is opened to write.
 * If whole entries stand behind what is damaged, nothing is cut, and a new file is begun. Erasing overwrites the
 * content with zeros, and gives its blocks back where the file system can; the label stays.
 *
 * Threads: any, if it is given `threads`. One process writes to a folder at a time; others may read meanwhile, with
 * segments of their own that are opened to read.
 */
#ifndef ENVELOPE_SEGMENTS_H
#define ENVELOPE_SEGMENTS_H

#include "base/mem.h"
#include "base/threads.h"

#define SEGMENTS_LABEL_BYTES 80u
#define SEGMENTS_FILE_BYTES ((uint64_t)64 << 20)

struct segments_label {
	uint8_t b[SEGMENTS_LABEL_BYTES];
};
/* Of an entry. `segment` 0: none. */
struct segments_place {
	uint32_t segment;
	uint32_t len; /* of the content, bytes */
	uint64_t at;  /* of the entry in its file */
};

struct segments;
struct segments_options {
	const char *directory;
	const struct threads *threads; /* NULL: one thread. Borrowed */
	uint64_t file_bytes;           /* a file is followed by another from this size on; 0: SEGMENTS_FILE_BYTES */
	bool only_reads;
};
/* Makes the folder if it is not there. STATUS_IO. */
MUST_USE enum status segments_open(struct segments **out, const struct segments_options *options, struct err *err);
void segments_close(struct segments *segments); /* NULL is allowed */

/* Appends; durable after segments_sync. STATUS_IO: nothing was appended (a full disk), or an earlier sync failed and
 * nothing is taken any more until the folder is opened again. */
MUST_USE enum status segments_append(struct segments *segments, struct segments_place *out,
    const struct segments_label *label, struct bytes content, struct err *err);
/* All that was appended before is durable. */
MUST_USE enum status segments_sync(struct segments *segments, struct err *err);

/* Appends the content to `out`. STATUS_NOTFOUND: it was erased; STATUS_CORRUPT: it is not what was written. */
MUST_USE enum status segments_read(
    const struct segments *segments, struct buf *out, const struct segments_place *place, struct err *err);
/* The label of the entry at this place, erased or not. STATUS_NOTFOUND: no entry of this length is there. */
MUST_USE enum status segments_label_at(
    const struct segments *segments, struct segments_label *out, const struct segments_place *place, struct err *err);
/* Durable when it returns. Repeating it is allowed. */
MUST_USE enum status segments_erase(struct segments *segments, const struct segments_place *place, struct err *err);

/* Each entry from a place on, oldest first, erased ones too; what is behind damage in a file is passed over. `from`
 * with segment 0: from the first. STATUS_NOTFOUND of `visit` ends it without a failure. */
typedef enum status segments_visit(
    void *context, const struct segments_place *place, const struct segments_label *label, struct err *err);
MUST_USE enum status segments_walk(const struct segments *segments, const struct segments_place *from,
    segments_visit *visit, void *context, struct err *err);
/* The newest entry whose label `is_it`, erased or not. STATUS_NOTFOUND: none. */
MUST_USE enum status segments_find_last(const struct segments *segments, struct segments_place *out,
    bool (*is_it)(const void *context, const struct segments_label *label), const void *context, struct err *err);
/* Where the next entry comes. */
struct segments_place segments_end(struct segments *segments);
/* Removes a file in which nothing is needed any more; the newest one stays. */
void segments_remove(struct segments *segments, uint32_t segment);
/* The numbers of the files, rising, in the arena. */
MUST_USE enum status segments_list(
    const struct segments *segments, uint32_t **numbers, size_t *count, struct arena *arena, struct err *err);

#endif
