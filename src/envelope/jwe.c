#include "envelope/jwe.h"

#include "codec/hex.h"
#include "crypto/aead.h"
#include "envelope/deflate.h"
#include "envelope/jwe_header.h"

/* The five parts of the compact form, still in base64url. */
struct parts {
	struct bytes header, encrypted_key, iv, ciphertext, tag;
};

static enum status split(struct parts *parts, struct bytes jwe, struct err *err) {
	struct bytes *const part[] = {
	    &parts->header, &parts->encrypted_key, &parts->iv, &parts->ciphertext, &parts->tag};
	for (size_t i = 0; i < 5; i++) {
		const uint8_t *dot = jwe.len ? memchr(jwe.data, '.', jwe.len) : NULL;
		if ((dot == NULL) != (i == 4)) return err_set(err, STATUS_INVALID, "JWE: not of five parts");
		size_t len = dot ? (size_t)(dot - jwe.data) : jwe.len;
		*part[i] = bytes_slice(jwe, 0, len);
		jwe = bytes_slice(jwe, len + 1, jwe.len);
	}
	return STATUS_OK;
}

static enum status read_parts(
    struct parts *parts, struct jwe_header *header, struct arena *arena, struct bytes jwe, struct err *err) {
	TRY(split(parts, jwe, err));
	return jwe_header_parse(header, arena, parts->header, err);
}

enum status jwe_read_header(struct jwe_header *header, struct arena *arena, struct bytes jwe, struct err *err) {
	struct parts parts;
	return read_parts(&parts, header, arena, jwe, err);
}

/* Appends ".iv.ciphertext.tag"; the encoded header is the additional data. */
static void put_content(struct buf *out, struct bytes header, const uint8_t cek[32], struct bytes content,
    const struct random_source *random) {
	uint8_t iv[12], tag[16];
	uint8_t *ciphertext = mem_alloc(content.len);
	random_fill(random, iv, sizeof iv);
	aes256gcm_seal(ciphertext, tag, cek, iv, header, content);
	buf_byte(out, '.');
	base64url_put(out, bytes_make(iv, sizeof iv));
	buf_byte(out, '.');
	base64url_put(out, bytes_make(ciphertext, content.len));
	buf_byte(out, '.');
	base64url_put(out, bytes_make(tag, sizeof tag));
	mem_free(ciphertext);
}

/*
 * Encodes the header and reads it back with the reader's own rules: so a member of the caller that is there twice, or
 * that changes what the form means, is refused.
 */
static enum status make_header(
    struct buf *encoded, struct jwe_header *header, struct arena *arena, struct bytes members, struct err *err) {
	struct jwe_header wanted = *header;
	TRY(jwe_header_put(encoded, &wanted, members, err));
	TRY(buf_status(encoded, err));
	TRY(jwe_header_parse(header, arena, buf_view(encoded), err));
	if (header->alg != wanted.alg || header->deflated != wanted.deflated)
		return err_set(err, STATUS_INVALID, "JWE: alg and zip are not the caller's to set");
	return STATUS_OK;
}

static enum status finish_text(struct buf *out, const struct buf *text, struct err *err) {
	TRY(buf_status(text, err));
	buf_append(out, buf_view(text));
	return buf_status(out, err);
}

static void fresh_key(struct p256_secret *secret, struct p256_public *public_key, const struct random_source *random) {
	unsigned tries = 0;
	do {
		BUG_ON(tries++ == 64); /* one draw in 2^32 is out of range */
		random_fill(random, secret->d, sizeof secret->d);
	} while (p256_public_of(public_key, secret) != STATUS_OK);
}

enum status jwe_ecdh_seal(struct buf *out, const struct p256_public *recipient, struct bytes members,
    struct bytes plaintext, const struct random_source *random, struct err *err) {
	struct jwe_header header = {.alg = JWE_ECDH_ES_A256KW};
	struct p256_secret ephemeral;
	uint8_t kek[32], cek[32], wrapped[40];
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, out->max - out->len);
	fresh_key(&ephemeral, &header.epk, random);
	enum status status = make_header(&text, &header, &arena, members, err);
	if (status == STATUS_OK) status = jwe_header_agree(kek, &header, &ephemeral, recipient, err);
	if (status == STATUS_OK) {
		struct bytes encoded = arena_dup(&arena, buf_view(&text));
		random_fill(random, cek, sizeof cek);
		aes256kw_wrap(wrapped, kek, cek);
		buf_byte(&text, '.');
		base64url_put(&text, bytes_make(wrapped, sizeof wrapped));
		put_content(&text, encoded, cek, plaintext, random);
		status = finish_text(out, &text, err);
	}
	mem_wipe(&ephemeral, sizeof ephemeral);
	mem_wipe(kek, sizeof kek);
	mem_wipe(cek, sizeof cek);
	buf_fini(&text);
	arena_fini(&arena);
	return status;
}

enum status jwe_dir_seal(struct buf *out, const uint8_t key[32], struct bytes members, struct bytes plaintext,
    size_t bucket_bytes, const struct random_source *random, struct err *err) {
	struct jwe_header header = {.alg = JWE_DIR, .deflated = true};
	struct arena arena;
	struct buf text, deflated;
	arena_init(&arena);
	buf_init(&text, out->max - out->len);
	buf_init(&deflated, BUF_MAX_DEFAULT);
	enum status status = make_header(&text, &header, &arena, members, err);
	if (status == STATUS_OK) {
		deflate_raw(&deflated, plaintext, bucket_bytes);
		status = buf_status(&deflated, err);
	}
	if (status == STATUS_OK) {
		struct bytes encoded = arena_dup(&arena, buf_view(&text));
		buf_byte(&text, '.'); /* no encrypted key */
		put_content(&text, encoded, key, buf_view(&deflated), random);
		status = finish_text(out, &text, err);
	}
	buf_wipe(&deflated);
	buf_fini(&text);
	arena_fini(&arena);
	return status;
}

/* Decrypts `ciphertext`, then inflates it where the header says so. */
static enum status open_decoded(struct buf *plaintext, const struct jwe_header *header, const struct parts *parts,
    const uint8_t cek[32], struct bytes ciphertext, struct err *err) {
	uint8_t iv[12], tag[16];
	if (jwe_base64url_fixed(iv, sizeof iv, parts->iv) != STATUS_OK ||
	    jwe_base64url_fixed(tag, sizeof tag, parts->tag) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "JWE: iv or tag is not of its length, or no base64url");
	if (!header->deflated && ciphertext.len > plaintext->max - plaintext->len)
		return err_set(err, STATUS_LIMIT, "JWE: the content is larger than %zu bytes", plaintext->max);
	uint8_t *content = mem_alloc(ciphertext.len);
	enum status status = aes256gcm_open(content, tag, cek, iv, parts->header, ciphertext);
	struct bytes opened = bytes_make(content, ciphertext.len);
	if (status != STATUS_OK)
		status = err_set(err, STATUS_DENIED, "JWE: not sealed under this key, or changed since");
	else if (header->deflated)
		status = inflate_raw(plaintext, opened, err);
	else
		buf_append(plaintext, opened);
	mem_wipe(content, ciphertext.len);
	mem_free(content);
	return status;
}

static enum status open_content(struct buf *plaintext, const struct jwe_header *header, const struct parts *parts,
    const uint8_t cek[32], struct err *err) {
	struct buf ciphertext;
	buf_init(&ciphertext, parts->ciphertext.len);
	enum status status = base64url_data(&ciphertext, parts->ciphertext);
	if (status == STATUS_OK)
		status = open_decoded(plaintext, header, parts, cek, buf_view(&ciphertext), err);
	else
		status = err_set(err, STATUS_INVALID, "JWE: the ciphertext is no base64url");
	buf_fini(&ciphertext);
	return status;
}

enum status jwe_ecdh_open(struct buf *plaintext, struct jwe_header *header, struct arena *arena, struct bytes jwe,
    const struct p256_secret *recipient, struct err *err) {
	struct jwe_header own;
	struct parts parts;
	uint8_t wrapped[40], kek[32], cek[32];
	if (!header) header = &own;
	TRY(read_parts(&parts, header, arena, jwe, err));
	if (header->alg != JWE_ECDH_ES_A256KW)
		return err_set(err, STATUS_UNSUPPORTED, "JWE: not sealed to a public key");
	if (jwe_base64url_fixed(wrapped, sizeof wrapped, parts.encrypted_key) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "JWE: the encrypted key is not of its length, or no base64url");
	TRY(jwe_header_agree(kek, header, recipient, &header->epk, err));
	enum status status = aes256kw_unwrap(cek, kek, wrapped);
	if (status == STATUS_OK)
		status = open_content(plaintext, header, &parts, cek, err);
	else
		status = err_set(err, STATUS_DENIED, "JWE: sealed to another key, or changed since");
	mem_wipe(kek, sizeof kek);
	mem_wipe(cek, sizeof cek);
	return status;
}

enum status jwe_dir_open(struct buf *plaintext, struct jwe_header *header, struct arena *arena, struct bytes jwe,
    const uint8_t key[32], struct err *err) {
	struct jwe_header own;
	struct parts parts;
	if (!header) header = &own;
	TRY(read_parts(&parts, header, arena, jwe, err));
	if (header->alg != JWE_DIR) return err_set(err, STATUS_UNSUPPORTED, "JWE: not sealed under a shared key");
	if (parts.encrypted_key.len) return err_set(err, STATUS_INVALID, "JWE: dir has no encrypted key");
	return open_content(plaintext, header, &parts, key, err);
}
