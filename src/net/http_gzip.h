/*
 * Inside net/: gzip (RFC 1952) as a content coding (RFC 9110 §8.4.1.3), through zlib. Bodies come and answers go in
 * pieces, so that neither form is in memory as a whole, but for small answers.
 *
 * Threads: one owner at a time.
 */
#ifndef NET_HTTP_GZIP_H
#define NET_HTTP_GZIP_H

#include "base/http.h"

/* --- bodies --- */

/* A body may inflate to so much whatever its size, and beyond it to GUNZIP_RATIO_MAX times its size. JSON of a thousand
 * alike resources reaches 100; zlib's own bound is 1,032. */
#define GUNZIP_FREE_BYTES ((size_t)1 << 20)
#define GUNZIP_RATIO_MAX 256u
/* What one holds, about. */
#define GUNZIP_BYTES ((size_t)44 << 10)

enum gunzip_result {
	GUNZIP_OK,
	GUNZIP_STOPPED,   /* by the taker */
	GUNZIP_MALFORMED, /* not gzip, or its checksum does not match */
	GUNZIP_TOO_FAR    /* over the ratio */
};

struct gunzip;
struct gunzip *gunzip_new(void);
/* NULL is allowed. */
void gunzip_free(struct gunzip *gunzip);
/* Takes plain bytes, at most 16 KiB; false: no more of them are wanted. */
typedef bool gunzip_taker(void *context, struct bytes plain);
/* The body's next piece; several members one after the other are one text. After all but OK it may only be freed. */
MUST_USE enum gunzip_result gunzip_put(struct gunzip *gunzip, struct bytes piece, gunzip_taker *take, void *context);
/* Is what came so far whole? */
bool gunzip_is_whole(const struct gunzip *gunzip);

/* --- answers --- */

/* What one holds, about. */
#define GZIP_BYTES ((size_t)304 << 10)

/* Appends the compressed form of a text. */
void gzip_bytes(struct buf *out, struct bytes plain);

struct gzip;
struct gzip *gzip_new(void);
/* NULL is allowed. */
void gzip_free(struct gzip *gzip);
/* As http_source.read, of what `inner` gives, compressed. If `inner` has nothing yet, what it gave before goes out. */
enum http_source_state gzip_read(
    struct gzip *gzip, const struct http_source *inner, size_t *len, uint8_t *out, size_t size);

#endif
