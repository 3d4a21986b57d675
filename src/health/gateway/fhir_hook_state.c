/* The files of hooks/: JSON, sealed under a key of the home's. */
#include <stdio.h>

#include "codec/json.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "health/gateway/fhir_hook_private.h"

#define FOLDER "hooks"
#define FILE_MAX ((size_t)64 << 10)
#define IV_LEN 12u
#define TAG_LEN 16u
#define PATH_BYTES 128u

void fhir_hook_root_key(uint8_t out[32], const struct home *home) {
	hkdf_sha256(
	    out, 32, (struct bytes){NULL, 0}, BYTES_OF(home->account_secret), BYTES_LITERAL("xinglin hooks v1"));
}

static void path_of(char out[PATH_BYTES], const char *id, uint32_t version) {
	snprintf(out, PATH_BYTES, FOLDER "/%s.%u", id, version);
}

static void write_state(struct buf *out, const struct fhir_hook_state *state) {
	const struct asker *asker = &state->asker;
	struct json_writer w = json_writer(out);
	struct buf scopes;
	buf_init(&scopes, SMART_SCOPES_BYTES_MAX * 2);
	smart_scopes_write(&scopes, &asker->scopes);
	json_object_begin(&w, NULL);
	json_put_text(&w, "id", state->id);
	json_put_u64(&w, "version", state->version);
	json_put_text(&w, "asker", asker->name);
	json_put_text(&w, "subject", asker->subject);
	json_put_text(&w, "organisation", asker->organisation);
	json_put_text(&w, "purpose", asker->purpose);
	json_put_string(&w, "patient", asker->patient);
	json_put_string(&w, "scopes", buf_view(&scopes));
	json_put_u64(&w, "rights", asker->rights);
	json_put_bool(&w, "isOfFile", asker->is_of_file);
	json_put_u64(&w, "until", (uint64_t)state->until_ms);
	json_put_u64(&w, "since", (uint64_t)state->since_ms);
	json_put_u64(&w, "after", (uint64_t)state->after);
	json_put_u64(&w, "attempts", state->attempts);
	json_put_u64(&w, "retryAt", (uint64_t)state->retry_at_ms);
	json_object_end(&w);
	buf_fini(&scopes);
}

/* The IV follows from the content, and with it the name: what differs has another one. */
static void seal(struct buf *out, const uint8_t key[32], const char *path, struct bytes content) {
	const struct bytes parts[] = {bytes_make(key, 32), bytes_text(path), content};
	const hash32 iv = sha256_parts(parts, 3);
	buf_append(out, bytes_make(iv.b, IV_LEN));
	uint8_t *room = buf_extend(out, content.len + TAG_LEN);
	BUG_ON(!room);
	aes256gcm_seal(room, room + content.len, key, iv.b, bytes_text(path), content);
}

enum status fhir_hook_state_write(
    const struct home *home, const uint8_t key[32], const struct fhir_hook_state *state, struct err *err) {
	struct buf text, sealed;
	char path[PATH_BYTES];
	path_of(path, state->id, state->version);
	buf_init(&text, FILE_MAX);
	buf_init(&sealed, FILE_MAX + IV_LEN + TAG_LEN);
	write_state(&text, state);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) {
		seal(&sealed, key, path, buf_view(&text));
		status = home_write(home, path, buf_view(&sealed), err);
	}
	buf_fini(&text);
	buf_fini(&sealed);
	return status;
}

static enum status unseal(struct bytes *out, struct arena *arena, const uint8_t key[32], const char *path,
    struct bytes sealed, struct err *err) {
	if (sealed.len < IV_LEN + TAG_LEN) return err_set(err, STATUS_CORRUPT, "%s is too short", path);
	const size_t len = sealed.len - IV_LEN - TAG_LEN;
	uint8_t *content = arena_alloc(arena, len + 1);
	if (aes256gcm_open(content, sealed.data + IV_LEN + len, key, sealed.data, bytes_text(path),
		bytes_make(sealed.data + IV_LEN, len)) != STATUS_OK)
		return err_set(err, STATUS_CORRUPT, "%s is not a file of this home", path);
	*out = bytes_make(content, len);
	return STATUS_OK;
}

static uint64_t number(const struct json *object, const char *name) {
	uint64_t value;
	return json_u64(&value, json_get(object, name)) ? value : 0;
}

static void take_text(char *out, size_t size, const struct json *object, const char *name) {
	const struct bytes text = json_string(json_get(object, name));
	snprintf(out, size, "%.*s", (int)text.len, text.len ? (const char *)text.data : "");
}

static enum status read_state(
    struct fhir_hook_state *out, struct arena *arena, const struct json *json, struct err *err) {
	struct asker *asker = &out->asker;
	*out = (struct fhir_hook_state){.version = (uint32_t)number(json, "version"),
	    .until_ms = (int64_t)number(json, "until"),
	    .since_ms = (int64_t)number(json, "since"),
	    .after = (int64_t)number(json, "after"),
	    .attempts = number(json, "attempts"),
	    .retry_at_ms = (int64_t)number(json, "retryAt")};
	take_text(out->id, sizeof out->id, json, "id");
	take_text(asker->name, sizeof asker->name, json, "asker");
	take_text(asker->subject, sizeof asker->subject, json, "subject");
	take_text(asker->organisation, sizeof asker->organisation, json, "organisation");
	take_text(asker->purpose, sizeof asker->purpose, json, "purpose");
	asker->patient = arena_dup(arena, json_string(json_get(json, "patient")));
	asker->rights = (unsigned)number(json, "rights");
	asker->is_of_file = json_is(json_get(json, "isOfFile"), JSON_TRUE);
	return smart_scopes_parse(&asker->scopes, arena, json_string(json_get(json, "scopes")), err);
}

enum status fhir_hook_state_read(struct fhir_hook_state *out, struct arena *arena, const struct home *home,
    const uint8_t key[32], const char *name, struct err *err) {
	struct buf sealed;
	struct bytes text;
	const struct json *json;
	char path[PATH_BYTES];
	if ((size_t)snprintf(path, sizeof path, FOLDER "/%s", name) >= sizeof path)
		return err_set(err, STATUS_CORRUPT, "%s is not a name of a hook", name);
	buf_init(&sealed, FILE_MAX + IV_LEN + TAG_LEN);
	enum status status = home_read(home, &sealed, path, err);
	if (status == STATUS_OK) status = unseal(&text, arena, key, path, buf_view(&sealed), err);
	buf_fini(&sealed);
	TRY(status);
	TRY(json_parse(&json, arena, text, NULL, err));
	return read_state(out, arena, json, err);
}

void fhir_hook_state_remove(const struct home *home, const char *id, uint32_t version) {
	char path[PATH_BYTES];
	path_of(path, id, version);
	home_remove(home, path);
}
