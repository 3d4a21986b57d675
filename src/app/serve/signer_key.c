#include "app/serve/signer_key.h"

#include <string.h>

#include "app/serve/folders.h"
#include "base/files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"

#define FILE_BYTES_MAX ((size_t)64 << 10)
#define ADDRESS_BYTES 20u
#define PUBLIC_TYPE "tendermint/PubKeyEd25519"
#define SECRET_TYPE "tendermint/PrivKeyEd25519"

hash32 signer_key_public(const struct signer_key *key) {
	hash32 point;
	memcpy(point.b, key->key.public_key, sizeof point.b);
	return point;
}

/* --- the file --- */

/* A value of this type and length: {"type": …, "value": base64}. */
static bool take_typed(uint8_t *out, size_t len, const struct json *typed, const char *type) {
	struct buf value;
	buf_init(&value, FILE_BYTES_MAX);
	const bool is_one = json_string_is(json_get(typed, "type"), type) &&
			    base64_data(&value, json_string(json_get(typed, "value"))) == STATUS_OK && value.len == len;
	if (is_one) memcpy(out, value.data, len);
	buf_wipe(&value);
	return is_one;
}

static enum status of_file(struct signer_key *out, const struct json *root, const char *path, struct err *err) {
	uint8_t halves[64];
	if (!json_get(root, "priv_key"))
		return err_set(err, STATUS_INVALID, "%s holds no secret: --key says which token does", path);
	if (!take_typed(halves, sizeof halves, json_get(root, "priv_key"), SECRET_TYPE))
		return err_set(err, STATUS_INVALID, "%s holds no Ed25519 key of CometBFT's", path);
	memcpy(out->secret.seed, halves, sizeof out->secret.seed);
	enum status status = signing_key_of_ed25519(&out->key, &out->secret);
	if (status == STATUS_OK && memcmp(out->key.public_key, halves + 32, 32) != 0)
		status = err_set(err, STATUS_INVALID, "the two halves of the key in %s do not fit", path);
	mem_wipe(halves, sizeof halves);
	return status;
}

static enum status is_tokens(const struct signer_key *key, const struct json *root, const char *path, struct err *err) {
	uint8_t point[32];
	if (json_get(root, "priv_key"))
		return err_set(err, STATUS_INVALID,
		    "%s still holds a secret: once the token has the key, take priv_key out of it, or the file away",
		    path);
	if (!take_typed(point, sizeof point, json_get(root, "pub_key"), PUBLIC_TYPE))
		return err_set(err, STATUS_INVALID, "%s holds no Ed25519 key of CometBFT's", path);
	if (memcmp(point, key->key.public_key, sizeof point) == 0) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the token's key is not the one that %s names", path);
}

static enum status write_public(const struct signer_key *key, const char *path, struct err *err) {
	const hash32 point = signer_key_public(key), digest = sha256(BYTES_OF(point));
	struct buf text, value;
	buf_init(&text, FILE_BYTES_MAX);
	buf_init(&value, FILE_BYTES_MAX);
	hex_put(&value, bytes_make(digest.b, ADDRESS_BYTES), false);
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] >= 'a') value.data[i] = (uint8_t)(value.data[i] - 'a' + 'A');
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_string(&writer, "address", buf_view(&value));
	json_object_begin(&writer, "pub_key");
	json_put_text(&writer, "type", PUBLIC_TYPE);
	buf_clear(&value);
	base64_put(&value, BYTES_OF(point));
	json_put_string(&writer, "value", buf_view(&value));
	json_object_end(&writer);
	json_object_end(&writer);
	buf_byte(&text, '\n');
	const enum status status = files_write(path, buf_view(&text), err);
	buf_fini(&value);
	buf_fini(&text);
	return status;
}

/* --- either --- */

static enum status take(struct signer_key *out, const char *path, bool is_of_token, struct err *err) {
	struct arena arena;
	struct buf text;
	const struct json *root = NULL;
	arena_init(&arena);
	buf_init(&text, FILE_BYTES_MAX);
	enum status status = files_read(&text, path, err);
	const bool is_first = status == STATUS_NOTFOUND && is_of_token;
	if (is_first) status = write_public(out, path, err);
	if (status == STATUS_OK && !is_first) {
		status = json_parse(&root, &arena, buf_view(&text), NULL, err);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", path);
	}
	if (status == STATUS_OK && !is_first)
		status = is_of_token ? is_tokens(out, root, path, err) : of_file(out, root, path, err);
	buf_wipe(&text);
	arena_fini(&arena);
	return status;
}

enum status signer_key_open(struct signer_key *out, const char *home, const char *uri, struct err *err) {
	struct folder_path path;
	*out = (struct signer_key){.token = NULL};
	TRY(folders_join(&path, home, "config/priv_validator_key.json", err));
	if (uri && !token_is_uri(uri))
		return err_set(
		    err, STATUS_INVALID, "--key is a PKCS #11 URI: " TOKEN_SCHEME "token=…;object=…?module-path=…");
	if (uri) {
		TRY(token_open(&out->token, uri, TOKEN_ED25519, err));
		out->key = token_signing_key(out->token);
	}
	const enum status status = take(out, path.text, uri != NULL, err);
	if (status != STATUS_OK) signer_key_close(out);
	return status;
}

void signer_key_close(struct signer_key *key) {
	token_close(key->token);
	mem_wipe(key, sizeof *key);
}
