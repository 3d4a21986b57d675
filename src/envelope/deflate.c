#include "envelope/deflate.h"

#include <limits.h>
#include <zlib.h>

/* zlib's own memory holds what passes through it: each block is wiped as it goes. */
static void *zlib_alloc(void *context, unsigned count, unsigned size) {
	(void)context;
	size_t bytes = (size_t)count * size;
	size_t *block = mem_zalloc(1, bytes + 16);
	*block = bytes;
	return (uint8_t *)block + 16;
}

static void zlib_free(void *context, void *pointer) {
	(void)context;
	size_t *block = (size_t *)((uint8_t *)pointer - 16);
	mem_wipe(pointer, *block);
	mem_free(block);
}

static z_stream stream_over(struct bytes input) {
	BUG_ON(input.len > UINT_MAX);
	return (z_stream){
	    .next_in = (Bytef *)input.data, .avail_in = (uInt)input.len, .zalloc = zlib_alloc, .zfree = zlib_free};
}

/*
 * Empty blocks (RFC 1951 §3.2.3) from a byte boundary: a stored one has 5 bytes; a fixed-Huffman one of 10 bits and a
 * stored one behind it have 6 together. 5a + 6b reaches every size from 20 on.
 */
#define STORED "\x00\x00\x00\xff\xff"
#define FIXED_AND_STORED "\x02\x00\x00\x00\xff\xff"
#define FIXED_FINAL "\x03\x00"

static void put_empty_blocks(struct buf *out, size_t bucket_bytes) {
	size_t over = (out->len + sizeof FIXED_FINAL - 1) % bucket_bytes;
	size_t fill = over ? bucket_bytes - over : 0;
	while (fill && fill < 6 * (fill % 5)) fill += bucket_bytes;
	for (size_t i = 0; i < fill % 5; i++) buf_append(out, BYTES_LITERAL(FIXED_AND_STORED));
	for (size_t left = fill - 6 * (fill % 5); left; left -= 5) buf_append(out, BYTES_LITERAL(STORED));
}

/* A window no larger than the text needs: short texts are the rule, and clearing 256 KiB for each would cost more than
 * them. */
static int window_bits(size_t len) {
	int bits = 9;
	while (bits < MAX_WBITS && (size_t)1 << bits < len + 262) bits++;
	return bits;
}

void deflate_raw(struct buf *out, struct bytes plain, size_t bucket_bytes) {
	z_stream stream = stream_over(plain);
	int bits = window_bits(plain.len);
	BUG_ON(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits, bits - 7, Z_DEFAULT_STRATEGY) != Z_OK);
	struct buf deflated;
	size_t bound = deflateBound(&stream, plain.len) + 16;
	/* Filling takes less than 24 bytes and two buckets. */
	buf_init(&deflated, bound + 64 + 2 * bucket_bytes);
	stream.next_out = buf_extend(&deflated, bound);
	stream.avail_out = (uInt)bound;
	bool filled = bucket_bytes > 1;
	/* A flush ends on a byte boundary and leaves the stream open. */
	int result = deflate(&stream, filled ? Z_SYNC_FLUSH : Z_FINISH);
	BUG_ON(result != (filled ? Z_OK : Z_STREAM_END) || stream.avail_in != 0 || stream.avail_out == 0);
	deflated.len -= stream.avail_out;
	deflateEnd(&stream);
	if (filled) {
		put_empty_blocks(&deflated, bucket_bytes);
		buf_append(&deflated, BYTES_LITERAL(FIXED_FINAL));
	}
	buf_append(out, buf_view(&deflated));
	buf_wipe(&deflated);
}

/* A buffer of twice the size; the old one is wiped, which realloc would not do. */
static uint8_t *grow(uint8_t *old, size_t *cap, size_t max) {
	size_t bigger = *cap > max / 2 ? max : *cap * 2;
	uint8_t *data = mem_alloc(bigger);
	memcpy(data, old, *cap);
	mem_wipe(old, *cap);
	mem_free(old);
	*cap = bigger;
	return data;
}

static enum status inflate_all(struct buf *out, z_stream *stream, struct err *err) {
	size_t max = out->max - out->len, first = (size_t)stream->avail_in * 4 + 256;
	size_t cap = first < max ? first : max, len = 0;
	uint8_t *data = mem_alloc(cap);
	enum status status = STATUS_OK;
	int result = Z_OK;
	uint8_t beyond; /* room for one byte too many, to distinguish "just full" from "too long" */
	while (status == STATUS_OK && result != Z_STREAM_END) {
		if (len == cap && cap < max) data = grow(data, &cap, max);
		size_t room = cap - len < UINT_MAX ? cap - len : UINT_MAX;
		stream->next_out = room ? data + len : &beyond;
		stream->avail_out = room ? (uInt)room : 1;
		result = inflate(stream, Z_NO_FLUSH);
		size_t made = (room ? room : 1) - stream->avail_out;
		if (!room && made)
			status = err_set(err, STATUS_LIMIT, "inflates to more than %zu bytes", max);
		else if (result != Z_STREAM_END && (result != Z_OK || (stream->avail_in == 0 && stream->avail_out)))
			status = err_set(err, STATUS_INVALID, "damaged or truncated deflate stream");
		len += room ? made : 0;
	}
	if (status == STATUS_OK && stream->avail_in)
		status = err_set(err, STATUS_INVALID, "something follows the deflate stream");
	if (status == STATUS_OK) buf_append(out, bytes_make(data, len));
	mem_wipe(data, cap);
	mem_free(data);
	return status;
}

enum status inflate_raw(struct buf *out, struct bytes deflated, struct err *err) {
	z_stream stream = stream_over(deflated);
	BUG_ON(inflateInit2(&stream, -MAX_WBITS) != Z_OK);
	enum status status = inflate_all(out, &stream, err);
	inflateEnd(&stream);
	return status;
}
