#include "net/http_gzip.h"

#include <limits.h>
#include <zlib.h>

/* So that running out of memory stops the process here too. */
static void *zlib_alloc(void *context, unsigned count, unsigned size) {
	(void)context;
	return mem_zalloc(count, size);
}

static void zlib_free(void *context, void *pointer) {
	(void)context;
	mem_free(pointer);
}

#define WITH_GZIP 16 /* zlib: added to the window's bits, the gzip format */

/* --- bodies --- */

#define PLAIN_BYTES ((size_t)16 << 10)

struct gunzip {
	z_stream stream;
	size_t in_bytes, out_bytes;
	bool is_whole;
};

struct gunzip *gunzip_new(void) {
	struct gunzip *gunzip = mem_zalloc(1, sizeof *gunzip);
	gunzip->stream = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
	BUG_ON(inflateInit2(&gunzip->stream, WITH_GZIP + MAX_WBITS) != Z_OK);
	return gunzip;
}

void gunzip_free(struct gunzip *gunzip) {
	if (!gunzip) return;
	inflateEnd(&gunzip->stream);
	mem_free(gunzip);
}

bool gunzip_is_whole(const struct gunzip *gunzip) {
	return gunzip->is_whole;
}

enum gunzip_result gunzip_put(struct gunzip *gunzip, struct bytes piece, gunzip_taker *take, void *context) {
	uint8_t plain[PLAIN_BYTES];
	z_stream *stream = &gunzip->stream;
	BUG_ON(piece.len > UINT_MAX);
	stream->next_in = (Bytef *)(uintptr_t)piece.data;
	stream->avail_in = (uInt)piece.len;
	gunzip->in_bytes += piece.len;
	while (stream->avail_in > 0 || (stream->avail_out == 0 && !gunzip->is_whole)) {
		if (gunzip->is_whole) BUG_ON(inflateReset(stream) != Z_OK); /* another member */
		stream->next_out = plain;
		stream->avail_out = sizeof plain;
		const int result = inflate(stream, Z_NO_FLUSH);
		const size_t made = sizeof plain - stream->avail_out;
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return GUNZIP_MALFORMED;
		gunzip->is_whole = result == Z_STREAM_END;
		gunzip->out_bytes += made;
		if (gunzip->out_bytes > GUNZIP_FREE_BYTES && gunzip->out_bytes / GUNZIP_RATIO_MAX > gunzip->in_bytes)
			return GUNZIP_TOO_FAR;
		if (made && !take(context, bytes_make(plain, made))) return GUNZIP_STOPPED;
	}
	return GUNZIP_OK;
}

/* --- answers --- */

#define PIECE_BYTES ((size_t)32 << 10)
#define LEVEL Z_BEST_SPEED /* level 6 makes FHIR and logs an eighth smaller, at half the speed */
#define WINDOW_BITS_MIN 10

/* A window no larger than the text needs: clearing 256 KiB would cost more than compressing a short one. */
static int window_bits(size_t len) {
	int bits = WINDOW_BITS_MIN;
	while (bits < MAX_WBITS && (size_t)1 << bits < len + 262) bits++;
	return bits;
}

static void deflate_begin(z_stream *stream, int bits) {
	*stream = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
	BUG_ON(deflateInit2(stream, LEVEL, Z_DEFLATED, WITH_GZIP + bits, bits - 7, Z_DEFAULT_STRATEGY) != Z_OK);
}

void gzip_bytes(struct buf *out, struct bytes plain) {
	z_stream stream;
	BUG_ON(plain.len > UINT_MAX / 2);
	deflate_begin(&stream, window_bits(plain.len));
	const size_t bound = deflateBound(&stream, plain.len);
	stream.next_in = (Bytef *)(uintptr_t)plain.data;
	stream.avail_in = (uInt)plain.len;
	stream.next_out = buf_extend(out, bound);
	stream.avail_out = (uInt)bound;
	if (stream.next_out) {
		BUG_ON(deflate(&stream, Z_FINISH) != Z_STREAM_END);
		out->len -= stream.avail_out;
	}
	deflateEnd(&stream);
}

struct gzip {
	z_stream stream;
	int flush;     /* what becomes of the piece at hand */
	bool is_dirty; /* something went in that was not flushed */
	bool is_over;
	uint8_t piece[PIECE_BYTES];
};

struct gzip *gzip_new(void) {
	struct gzip *gzip = mem_alloc(sizeof *gzip);
	gzip->flush = Z_NO_FLUSH;
	gzip->is_dirty = gzip->is_over = false;
	deflate_begin(&gzip->stream, MAX_WBITS);
	return gzip;
}

void gzip_free(struct gzip *gzip) {
	if (!gzip) return;
	deflateEnd(&gzip->stream);
	mem_free(gzip);
}

/* The next piece of the plain text; there is none at hand. */
static enum http_source_state fill(struct gzip *gzip, const struct http_source *inner) {
	size_t len = 0;
	const enum http_source_state state = inner->read(inner->context, &len, gzip->piece, sizeof gzip->piece);
	if (state == HTTP_SOURCE_MORE) {
		gzip->stream.next_in = gzip->piece;
		gzip->stream.avail_in = (uInt)len;
		gzip->is_dirty = true;
	} else if (state == HTTP_SOURCE_END) {
		gzip->flush = Z_FINISH;
	} else if (state == HTTP_SOURCE_WAIT && gzip->is_dirty) {
		gzip->flush = Z_SYNC_FLUSH;
		gzip->is_dirty = false;
	}
	return state;
}

enum http_source_state gzip_read(
    struct gzip *gzip, const struct http_source *inner, size_t *len, uint8_t *out, size_t size) {
	z_stream *stream = &gzip->stream;
	enum http_source_state state = HTTP_SOURCE_MORE;
	BUG_ON(size > UINT_MAX);
	stream->next_out = out;
	stream->avail_out = (uInt)size;
	while (stream->avail_out > 0 && !gzip->is_over && state == HTTP_SOURCE_MORE) {
		if (stream->avail_in == 0 && gzip->flush == Z_NO_FLUSH) state = fill(gzip, inner);
		if (state == HTTP_SOURCE_FAILED) return state;
		const int result = deflate(stream, gzip->flush);
		BUG_ON(result == Z_STREAM_ERROR);
		gzip->is_over = result == Z_STREAM_END;
		if (gzip->flush == Z_SYNC_FLUSH && stream->avail_out > 0) gzip->flush = Z_NO_FLUSH;
	}
	*len = size - stream->avail_out;
	if (*len > 0) return HTTP_SOURCE_MORE;
	return gzip->is_over ? HTTP_SOURCE_END : HTTP_SOURCE_WAIT;
}
