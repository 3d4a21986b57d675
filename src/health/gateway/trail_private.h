/* Inside health/gateway: the trail's files, as trail.c writes them and trail_read.c reads them. */
#ifndef HEALTH_GATEWAY_TRAIL_PRIVATE_H
#define HEALTH_GATEWAY_TRAIL_PRIVATE_H

#include "base/files.h"
#include "health/gateway/trail.h"

#define TRAIL_FOLDER "trail"
#define TRAIL_HEADER_BYTES 88u /* magic 8, file 4, zeros 4, entries before 8, salt 32, head before 32 */
#define TRAIL_FRAME_HEAD 16u   /* length 4, iv 12 */
#define TRAIL_FRAME_TAIL 48u   /* tag 16, head 32 */

struct trail_file {
	uint32_t number;
	uint64_t before; /* entries in the files before it */
	hash32 salt, head_before;
};

/* Neither changes while the trail is open. `root`: 32 bytes of trail_root_key. */
const char *trail_home(const struct trail *trail);
const uint8_t *trail_root(const struct trail *trail);

void trail_path(char out[FILES_PATH_BYTES], const char *home, uint32_t number);
/* The numbers of the files that are there, ascending, in the arena. */
MUST_USE enum status trail_list(
    uint32_t **numbers, size_t *count, struct arena *arena, const struct home *home, struct err *err);

void trail_header_write(uint8_t out[TRAIL_HEADER_BYTES], const struct trail_file *file);
/* STATUS_CORRUPT: it is no such header. */
MUST_USE enum status trail_header_read(struct trail_file *out, struct bytes text, struct err *err);
/* What a home's keys of files are made of, and the key of one file; wipe them. */
MUST_USE enum status trail_root_key(uint8_t out[32], const struct home *home, struct err *err);
void trail_file_key(uint8_t out[32], const uint8_t root[32], const struct trail_file *file);
/* The chain's head behind a header, or behind a frame. */
hash32 trail_head_of_header(const uint8_t header[TRAIL_HEADER_BYTES]);
hash32 trail_head_next(const hash32 *head, struct bytes frame);

/* The frame at the start of `rest`: its bytes without the head, or empty if there is no whole frame whose head is the
 * next one. */
struct bytes trail_frame_at(const hash32 *head, struct bytes rest);
/* What the frame seals, in `out`. STATUS_DENIED: it was not sealed under this key, as entry `n` of this file. */
MUST_USE enum status trail_frame_open(
    struct buf *out, const uint8_t key[32], const struct trail_file *file, uint64_t n, struct bytes frame);
void trail_frame_seal(struct buf *out, const uint8_t key[32], const struct trail_file *file, uint64_t n,
    const uint8_t iv[12], struct bytes plaintext);

#endif
