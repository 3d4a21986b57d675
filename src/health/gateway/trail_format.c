/* The bytes of a trail's files (docs/wire-formats.md §12). */
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "health/gateway/trail_private.h"

#define MAGIC "xltrail1"
#define INFO BYTES_LITERAL("xinglin gateway trail v1")

void trail_path(char out[FILES_PATH_BYTES], const char *home, uint32_t number) {
	snprintf(out, FILES_PATH_BYTES, "%s/" TRAIL_FOLDER "/%08u.log", home, number);
}

static uint32_t number_of(const char *name) {
	char again[32];
	unsigned long number = strtoul(name, NULL, 10);
	snprintf(again, sizeof again, "%08lu.log", number);
	return number <= UINT32_MAX && strcmp(again, name) == 0 ? (uint32_t)number : 0;
}

/* Names are sorted, and of one width up to 99,999,999 files. */
enum status trail_list(
    uint32_t **numbers, size_t *count, struct arena *arena, const struct home *home, struct err *err) {
	char **names;
	size_t name_count;
	char path[FILES_PATH_BYTES];
	*count = 0;
	snprintf(path, sizeof path, "%s/" TRAIL_FOLDER, home->directory);
	if (!files_exists(path)) return STATUS_OK;
	TRY(home_list(home, &names, &name_count, arena, TRAIL_FOLDER, err));
	*numbers = arena_zalloc(arena, name_count + 1, sizeof **numbers);
	for (size_t i = 0; i < name_count; i++) {
		uint32_t number = number_of(names[i]);
		if (number) (*numbers)[(*count)++] = number;
	}
	return STATUS_OK;
}

/* --- header --- */

void trail_header_write(uint8_t out[TRAIL_HEADER_BYTES], const struct trail_file *file) {
	memset(out, 0, TRAIL_HEADER_BYTES);
	memcpy(out, MAGIC, 8);
	store_be32(out + 8, file->number);
	store_be64(out + 16, file->before);
	memcpy(out + 24, file->salt.b, 32);
	memcpy(out + 56, file->head_before.b, 32);
}

enum status trail_header_read(struct trail_file *out, struct bytes text, struct err *err) {
	if (text.len < TRAIL_HEADER_BYTES || memcmp(text.data, MAGIC, 8) != 0 || load_be32(text.data + 12) != 0)
		return err_set(err, STATUS_CORRUPT, "it does not begin as a file of the trail does");
	out->number = load_be32(text.data + 8);
	out->before = load_be64(text.data + 16);
	memcpy(out->salt.b, text.data + 24, 32);
	memcpy(out->head_before.b, text.data + 56, 32);
	return STATUS_OK;
}

/* Of the wallet's first encryption key, which no change of keys takes away. */
enum status trail_root_key(uint8_t out[32], const struct home *home, struct err *err) {
	struct p256_secret secret;
	struct p256_public public_key;
	TRY(home_encryption_key(home, &secret, &public_key, 1, err));
	hkdf_sha256(out, 32, (struct bytes){NULL, 0}, bytes_make(secret.d, sizeof secret.d), INFO);
	mem_wipe(&secret, sizeof secret);
	return STATUS_OK;
}

void trail_file_key(uint8_t out[32], const uint8_t root[32], const struct trail_file *file) {
	hkdf_sha256(out, 32, BYTES_OF(file->salt), bytes_make(root, 32), BYTES_LITERAL("file"));
}

hash32 trail_head_of_header(const uint8_t header[TRAIL_HEADER_BYTES]) {
	return sha256(bytes_make(header, TRAIL_HEADER_BYTES));
}

hash32 trail_head_next(const hash32 *head, struct bytes frame) {
	const struct bytes parts[] = {BYTES_OF(*head), frame};
	return sha256_parts(parts, 2);
}

/* --- frames --- */

/* Binds a frame to its place. */
static void make_aad(uint8_t out[12], const struct trail_file *file, uint64_t n) {
	store_be32(out, file->number);
	store_be64(out + 4, n);
}

struct bytes trail_frame_at(const hash32 *head, struct bytes rest) {
	const struct bytes none = {NULL, 0};
	if (rest.len < TRAIL_FRAME_HEAD + TRAIL_FRAME_TAIL) return none;
	const size_t len = load_be32(rest.data);
	if (!len || len > TRAIL_ENTRY_MAX || rest.len < TRAIL_FRAME_HEAD + len + TRAIL_FRAME_TAIL) return none;
	const struct bytes frame = bytes_slice(rest, 0, TRAIL_FRAME_HEAD + len + 16);
	const hash32 next = trail_head_next(head, frame);
	return memcmp(next.b, rest.data + frame.len, 32) == 0 ? frame : none;
}

enum status trail_frame_open(
    struct buf *out, const uint8_t key[32], const struct trail_file *file, uint64_t n, struct bytes frame) {
	uint8_t aad[12];
	const size_t len = frame.len - TRAIL_FRAME_HEAD - 16;
	make_aad(aad, file, n);
	buf_clear(out);
	uint8_t *room = buf_extend(out, len);
	if (!room) return STATUS_LIMIT;
	return aes256gcm_open(room, frame.data + TRAIL_FRAME_HEAD + len, key, frame.data + 4,
	    bytes_make(aad, sizeof aad), bytes_slice(frame, TRAIL_FRAME_HEAD, len));
}

void trail_frame_seal(struct buf *out, const uint8_t key[32], const struct trail_file *file, uint64_t n,
    const uint8_t iv[12], struct bytes plaintext) {
	uint8_t aad[12], head[TRAIL_FRAME_HEAD];
	make_aad(aad, file, n);
	store_be32(head, (uint32_t)plaintext.len);
	memcpy(head + 4, iv, 12);
	buf_append(out, bytes_make(head, sizeof head));
	uint8_t *room = buf_extend(out, plaintext.len + 16);
	BUG_ON(!room);
	aes256gcm_seal(room, room + plaintext.len, key, iv, bytes_make(aad, sizeof aad), plaintext);
}
