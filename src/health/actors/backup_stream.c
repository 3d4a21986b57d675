/*
 * header: "XLHOME1\n", be32 n, be32 r, be32 p of scrypt, salt 16, check 16, the first 8 bytes of SHA-256 over all
 * before. scrypt gives 64 bytes: the chunks' key, and the key of the check, HMAC-SHA-256 over magic, cost and salt: a
 * wrong password is reported before anything is opened. Chunk i: iv = be64(i) || be32(1 if it is the last), aad =
 * header.
 */
#include "health/actors/backup_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/hash.h"

static const char magic[8] = {'X', 'L', 'H', 'O', 'M', 'E', '1', '\n'};

enum { COST_AT = 8, SALT_AT = 20, CHECK_AT = 36, SUM_AT = 52 };

static void put_sum(uint8_t out[8], const uint8_t header[BACKUP_HEADER_BYTES]) {
	hash32 sum = sha256(bytes_make(header, SUM_AT));
	memcpy(out, sum.b, 8);
}

/* The key, and what the header's check has to be. */
static enum status derive(uint8_t key[32], uint8_t check[16], const uint8_t header[BACKUP_HEADER_BYTES],
    struct bytes password, struct err *err) {
	uint8_t derived[64];
	TRY(scrypt(derived, sizeof derived, password, bytes_make(header + SALT_AT, 16), load_be32(header + COST_AT),
	    load_be32(header + COST_AT + 4), load_be32(header + COST_AT + 8), err));
	hash32 mac = hmac_sha256(bytes_make(derived + 32, 32), bytes_make(header, CHECK_AT));
	memcpy(key, derived, 32);
	memcpy(check, mac.b, 16);
	mem_wipe(derived, sizeof derived);
	return STATUS_OK;
}

static void prepare(struct backup_stream *stream) {
	*stream = (struct backup_stream){.in = -1, .out = {.fd = -1}};
	stream->plain = mem_alloc(BACKUP_CHUNK_BYTES);
	stream->sealed = mem_alloc(BACKUP_CHUNK_BYTES + BACKUP_TAG_BYTES);
}

static void iv_of(uint8_t iv[12], uint64_t chunk, bool is_last) {
	store_be64(iv, chunk);
	store_be32(iv + 8, is_last);
}

void backup_stream_fini(struct backup_stream *stream) {
	files_abandon(&stream->out);
	if (stream->in >= 0) close(stream->in);
	stream->in = -1;
	if (stream->plain) mem_wipe(stream->plain, BACKUP_CHUNK_BYTES);
	mem_free(stream->plain);
	mem_free(stream->sealed);
	stream->plain = stream->sealed = NULL;
	mem_wipe(stream->key, sizeof stream->key);
}

/* --- writing --- */

enum status backup_stream_begin(struct backup_stream *stream, const char *path, struct bytes password,
    const struct keystore_cost *cost, const struct random_source *random, struct err *err) {
	prepare(stream);
	memcpy(stream->header, magic, sizeof magic);
	store_be32(stream->header + COST_AT, (uint32_t)cost->n);
	store_be32(stream->header + COST_AT + 4, cost->r);
	store_be32(stream->header + COST_AT + 8, cost->p);
	random_fill(random, stream->header + SALT_AT, 16);
	TRY(derive(stream->key, stream->header + CHECK_AT, stream->header, password, err));
	put_sum(stream->header + SUM_AT, stream->header);
	TRY(files_begin(&stream->out, path, err));
	return files_append(&stream->out, bytes_make(stream->header, BACKUP_HEADER_BYTES), err);
}

static enum status seal_chunk(struct backup_stream *stream, bool is_last, struct err *err) {
	uint8_t iv[12];
	iv_of(iv, stream->chunk++, is_last);
	aes256gcm_seal(stream->sealed, stream->sealed + stream->len, stream->key, iv,
	    bytes_make(stream->header, BACKUP_HEADER_BYTES), bytes_make(stream->plain, stream->len));
	const size_t sealed_len = stream->len + BACKUP_TAG_BYTES;
	stream->len = 0;
	return files_append(&stream->out, bytes_make(stream->sealed, sealed_len), err);
}

enum status backup_stream_put(struct backup_stream *stream, struct bytes content, struct err *err) {
	while (content.len) {
		if (stream->len == BACKUP_CHUNK_BYTES) TRY(seal_chunk(stream, false, err));
		size_t some = BACKUP_CHUNK_BYTES - stream->len;
		if (some > content.len) some = content.len;
		memcpy(stream->plain + stream->len, content.data, some);
		stream->len += some;
		content = bytes_slice(content, some, content.len);
	}
	return STATUS_OK;
}

enum status backup_stream_finish(struct backup_stream *stream, struct err *err) {
	TRY(seal_chunk(stream, true, err));
	return files_finish(&stream->out, err);
}

/* --- reading --- */

static enum status read_some(struct backup_stream *stream, size_t *len, uint8_t *out, size_t most, struct err *err) {
	*len = 0;
	while (*len < most) {
		ssize_t got = read(stream->in, out + *len, most - *len);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return err_set(err, STATUS_IO, "cannot read the backup: %s", strerror(errno));
		if (got == 0) break;
		*len += (size_t)got;
	}
	return STATUS_OK;
}

static enum status read_header(struct backup_stream *stream, struct bytes password, struct err *err) {
	uint8_t check[16], sum[8];
	size_t len;
	TRY(read_some(stream, &len, stream->header, sizeof stream->header, err));
	if (len < sizeof magic || memcmp(stream->header, magic, sizeof magic) != 0)
		return err_set(err, STATUS_INVALID, "this is not a backup of a home");
	put_sum(sum, stream->header);
	if (len < sizeof stream->header || memcmp(sum, stream->header + SUM_AT, sizeof sum) != 0)
		return err_set(err, STATUS_CORRUPT, "the backup's beginning is damaged or cut short");
	TRY(derive(stream->key, check, stream->header, password, err));
	if (!constant_time_equal(bytes_make(check, 16), bytes_make(stream->header + CHECK_AT, 16)))
		return err_set(err, STATUS_DENIED, "wrong password");
	return STATUS_OK;
}

enum status backup_stream_open(struct backup_stream *stream, const char *path, struct bytes password, struct err *err) {
	prepare(stream);
	stream->in = open(path, O_RDONLY | O_CLOEXEC);
	if (stream->in < 0)
		return err_set(
		    err, errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO, "cannot read %s: %s", path, strerror(errno));
	return read_header(stream, password, err);
}

static bool opens(struct backup_stream *stream, size_t len, bool is_last) {
	uint8_t iv[12];
	iv_of(iv, stream->chunk, is_last);
	return aes256gcm_open(stream->plain, stream->sealed + len - BACKUP_TAG_BYTES, stream->key, iv,
		   bytes_make(stream->header, BACKUP_HEADER_BYTES),
		   bytes_make(stream->sealed, len - BACKUP_TAG_BYTES)) == STATUS_OK;
}

/* A full chunk is tried as one in the middle first, then as the last. */
static enum status next_chunk(struct backup_stream *stream, struct err *err) {
	const size_t full = BACKUP_CHUNK_BYTES + BACKUP_TAG_BYTES;
	size_t len;
	if (stream->is_last) return err_set(err, STATUS_CORRUPT, "the backup ends within a file");
	TRY(read_some(stream, &len, stream->sealed, full, err));
	if (len < BACKUP_TAG_BYTES) return err_set(err, STATUS_CORRUPT, "the backup is cut short");
	if (len < full || !opens(stream, len, false)) {
		if (!opens(stream, len, true))
			return err_set(err, STATUS_CORRUPT, "the backup is damaged or cut short in its part %llu",
			    (unsigned long long)stream->chunk + 1);
		stream->is_last = true;
	}
	stream->chunk++;
	stream->len = len - BACKUP_TAG_BYTES;
	stream->at = 0;
	return STATUS_OK;
}

enum status backup_stream_get(struct backup_stream *stream, uint8_t *out, size_t len, struct err *err) {
	while (len) {
		if (stream->at == stream->len) {
			TRY(next_chunk(stream, err));
			continue;
		}
		size_t some = stream->len - stream->at;
		if (some > len) some = len;
		memcpy(out, stream->plain + stream->at, some);
		stream->at += some;
		out += some;
		len -= some;
	}
	return STATUS_OK;
}

enum status backup_stream_end(struct backup_stream *stream, struct err *err) {
	uint8_t more;
	size_t len;
	if (stream->at == stream->len && !stream->is_last) TRY(next_chunk(stream, err));
	TRY(read_some(stream, &len, &more, 1, err));
	if (stream->at == stream->len && stream->is_last && len == 0) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "something stands behind the end of the backup");
}
