/*
 * Our envelopes for other programs' tests: envelope_tool ecdh-seal|ecdh-open|dir-seal|dir-open KEY.jwk [MEMBERS
 * [BUCKET]], from standard input to standard output. Exits with 1 and a message where sealing or opening is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "codec/hex.h"
#include "envelope/jwe.h"
#include "envelope/keystore.h"

#define INPUT_BYTES_MAX ((size_t)64 << 20)

static void kernel_random(void *context, uint8_t *out, size_t len) {
	(void)context;
	for (ssize_t got; len; out += got, len -= (size_t)got) {
		got = getrandom(out, len, 0);
		BUG_ON(got <= 0);
	}
}

static void read_all(struct buf *out, FILE *file) {
	uint8_t part[4096];
	for (size_t got; (got = fread(part, 1, sizeof part, file)) != 0;) buf_append(out, bytes_make(part, got));
	BUG_ON(ferror(file) || out->overflow);
}

/* A member of the key: 32 bytes in base64url. */
static enum status key_part(uint8_t out[32], const struct json *jwk, const char *name, struct err *err) {
	struct buf decoded;
	buf_init(&decoded, 64);
	enum status status = base64url_data(&decoded, json_string(json_get(jwk, name)));
	if (status == STATUS_OK && decoded.len == 32)
		memcpy(out, decoded.data, 32);
	else
		status = err_set(err, STATUS_INVALID, "the key's %s is not 32 bytes in base64url", name);
	buf_fini(&decoded);
	return status;
}

static const struct random_source kernel = {kernel_random, NULL};

static enum status run_jwe(struct buf *out, const char *verb, const struct json *jwk, struct bytes input,
    struct bytes members, size_t bucket_bytes, struct err *err) {
	struct arena arena;
	struct p256_public point;
	struct p256_secret secret;
	uint8_t key[32];
	enum status status;
	arena_init(&arena);
	if (strcmp(verb, "ecdh-seal") == 0) {
		status = key_part(point.xy, jwk, "x", err);
		if (status == STATUS_OK) status = key_part(point.xy + 32, jwk, "y", err);
		if (status == STATUS_OK) status = jwe_ecdh_seal(out, &point, members, input, &kernel, err);
	} else if (strcmp(verb, "ecdh-open") == 0) {
		status = key_part(secret.d, jwk, "d", err);
		if (status == STATUS_OK) status = jwe_ecdh_open(out, NULL, &arena, input, &secret, err);
	} else if (strcmp(verb, "dir-seal") == 0) {
		status = key_part(key, jwk, "k", err);
		if (status == STATUS_OK) status = jwe_dir_seal(out, key, members, input, bucket_bytes, &kernel, err);
	} else if (strcmp(verb, "dir-open") == 0) {
		status = key_part(key, jwk, "k", err);
		if (status == STATUS_OK) status = jwe_dir_open(out, NULL, &arena, input, key, err);
	} else {
		status = err_set(err, STATUS_INVALID, "no such verb: %s", verb);
	}
	arena_fini(&arena);
	return status;
}

static enum status run_keystore(
    struct buf *out, const char *verb, const char *password, struct bytes input, struct err *err) {
	hash32 secret;
	if (strcmp(verb, "keystore-seal") == 0) {
		if (input.len != sizeof secret.b) return err_set(err, STATUS_INVALID, "a secret is 32 bytes");
		memcpy(secret.b, input.data, sizeof secret.b);
		return keystore_seal(out, &secret, bytes_text(password), &keystore_cost_light, &kernel, err);
	}
	if (strcmp(verb, "keystore-open") != 0) return err_set(err, STATUS_INVALID, "no such verb: %s", verb);
	TRY(keystore_open(&secret, input, bytes_text(password), err));
	buf_append(out, BYTES_OF(secret));
	return STATUS_OK;
}

static enum status run(struct buf *out, int argc, char **argv, struct bytes input, struct err *err) {
	if (strncmp(argv[1], "keystore-", 9) == 0) return run_keystore(out, argv[1], argv[2], input, err);
	struct arena arena;
	struct buf key_text;
	const struct json *jwk;
	FILE *file = fopen(argv[2], "rb");
	if (!file) return err_set(err, STATUS_IO, "cannot open %s", argv[2]);
	arena_init(&arena);
	buf_init(&key_text, INPUT_BYTES_MAX);
	read_all(&key_text, file);
	fclose(file);
	struct bytes members = bytes_text(argc > 3 ? argv[3] : "");
	size_t bucket_bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	enum status status = json_parse(&jwk, &arena, buf_view(&key_text), &json_limits_default, err);
	if (status == STATUS_OK) status = run_jwe(out, argv[1], jwk, input, members, bucket_bytes, err);
	buf_fini(&key_text);
	arena_fini(&arena);
	return status;
}

int main(int argc, char **argv) {
	if (argc < 3) {
		fputs("usage: envelope_tool VERB KEY.jwk [MEMBERS [BUCKET]] | keystore-VERB PASSWORD\n", stderr);
		return 2;
	}
	struct err err;
	struct buf input, out;
	buf_init(&input, INPUT_BYTES_MAX);
	buf_init(&out, 2 * INPUT_BYTES_MAX);
	read_all(&input, stdin);
	enum status status = run(&out, argc, argv, buf_view(&input), &err);
	if (status == STATUS_OK)
		fwrite(out.data, 1, out.len, stdout);
	else
		fprintf(stderr, "envelope_tool: %s\n", err.message);
	buf_fini(&out);
	buf_fini(&input);
	return status == STATUS_OK ? 0 : 1;
}
