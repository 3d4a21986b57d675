#include "health/gateway/keys.h"

#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"

struct keys {
	const struct outcomes *files;
	const struct threads *threads;
	struct monitor *monitor;
	hash32 active[KEYS_ACTIVE_MAX];
	size_t active_count;
};

struct keys *keys_new(const struct outcomes *files, const struct threads *threads) {
	struct keys *keys = mem_zalloc(1, sizeof *keys);
	keys->files = files;
	keys->threads = threads;
	if (threads) keys->monitor = threads->monitor_new(threads->context);
	return keys;
}

void keys_free(struct keys *keys) {
	if (!keys) return;
	if (keys->threads) keys->threads->monitor_free(keys->monitor);
	mem_free(keys);
}

static void lock(struct keys *keys) {
	if (keys->threads) keys->threads->lock(keys->monitor);
}

static void unlock(struct keys *keys) {
	if (keys->threads) keys->threads->unlock(keys->monitor);
}

hash32 key_name(const char *owner, struct bytes key) {
	const struct bytes parts[] = {bytes_text(owner), BYTES_LITERAL("\n"), key};
	return sha256_parts(parts, 3);
}

/* --- what is written down --- */

static void put_records(struct json_writer *writer, const struct key_record *records, size_t count) {
	json_array_begin(writer, "records");
	for (size_t i = 0; i < count; i++) {
		json_object_begin(writer, NULL);
		json_put_hex(writer, "record", BYTES_OF(records[i].id));
		json_put_hex(writer, "folder", BYTES_OF(records[i].folder));
		json_put_u64(writer, "resources", records[i].resource_count);
		json_object_end(writer);
	}
	json_array_end(writer);
}

/* The records, or the answer if it has a status. */
static enum status write_file(
    const struct keys *keys, const struct key_claim *claim, const struct key_answer *answer, struct err *err) {
	struct buf text;
	buf_init(&text, OUTCOME_FILE_MAX);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "request", BYTES_OF(claim->request));
	if (answer->status) {
		json_put_u64(&writer, "status", (uint64_t)answer->status);
		json_put_string(&writer, "body", answer->body);
	} else {
		put_records(&writer, answer->records, answer->record_count);
	}
	json_object_end(&writer);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = outcome_key_write(keys->files, &claim->name, buf_view(&text), err);
	buf_fini(&text);
	return status;
}

static bool read_records(struct key_answer *out, struct arena *arena, const struct json *list) {
	if (!json_is(list, JSON_ARRAY) || list->count == 0 || list->count > KEY_RECORDS_MAX) return false;
	out->records = arena_zalloc(arena, list->count, sizeof *out->records);
	json_foreach (entry, list) {
		struct key_record *record = &out->records[out->record_count++];
		if (hex_fixed(record->id.b, 32, json_string(json_get(entry, "record"))) != STATUS_OK ||
		    hex_fixed(record->folder.b, 32, json_string(json_get(entry, "folder"))) != STATUS_OK ||
		    !json_u64(&record->resource_count, json_get(entry, "resources")))
			return false;
	}
	return true;
}

/* False: it makes no sense. */
static bool read_answer(enum key_state *state, struct key_answer *answer, struct arena *arena,
    const struct key_claim *claim, const struct json *root) {
	hash32 request;
	uint64_t code;
	*answer = (struct key_answer){.status = 0};
	if (hex_fixed(request.b, 32, json_string(json_get(root, "request"))) != STATUS_OK) return false;
	if (!hash32_equal(&request, &claim->request)) {
		*state = KEY_OTHER;
		return true;
	}
	if (json_u64(&code, json_get(root, "status"))) {
		*state = KEY_ANSWERED;
		answer->status = (int)code;
		answer->body = json_string(json_get(root, "body"));
		return code >= 200 && code <= 599;
	}
	*state = KEY_NAMED;
	return read_records(answer, arena, json_get(root, "records"));
}

/* What an earlier request with this key left. STATUS_NOTFOUND: nothing. */
static enum status read_file(const struct keys *keys, enum key_state *state, const struct key_claim *claim,
    struct key_answer *answer, struct arena *arena, struct err *err) {
	struct buf text;
	const struct json *root;
	buf_init(&text, OUTCOME_FILE_MAX);
	enum status status = outcome_key_read(keys->files, &text, &claim->name, err);
	struct bytes copy = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	TRY(status);
	if (json_parse(&root, arena, copy, NULL, NULL) == STATUS_OK && read_answer(state, answer, arena, claim, root))
		return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "what was written down of an idempotency key is damaged");
}

/* --- claims --- */

/* True: this caller has it. */
static bool activate(struct keys *keys, const hash32 *name, bool *is_full) {
	bool is_free = true;
	lock(keys);
	for (size_t i = 0; i < keys->active_count; i++) is_free = is_free && !hash32_equal(&keys->active[i], name);
	*is_full = is_free && keys->active_count == KEYS_ACTIVE_MAX;
	if (is_free && !*is_full) keys->active[keys->active_count++] = *name;
	unlock(keys);
	return is_free && !*is_full;
}

void keys_release(struct keys *keys, struct key_claim *claim) {
	if (!claim->is_held) return;
	lock(keys);
	for (size_t i = 0; i < keys->active_count; i++)
		if (hash32_equal(&keys->active[i], &claim->name))
			keys->active[i--] = keys->active[--keys->active_count];
	unlock(keys);
	claim->is_held = false;
}

enum status keys_claim(struct keys *keys, enum key_state *state, struct key_claim *claim, struct key_answer *answer,
    struct arena *arena, struct err *err) {
	bool is_full;
	claim->is_held = activate(keys, &claim->name, &is_full);
	if (is_full) return err_set(err, STATUS_BUSY, "too many requests with keys are being carried out");
	*state = KEY_RUNNING;
	if (!claim->is_held) return STATUS_OK;
	enum status status = read_file(keys, state, claim, answer, arena, err);
	if (status == STATUS_NOTFOUND) {
		*state = KEY_NEW;
		return STATUS_OK;
	}
	if (status != STATUS_OK || *state != KEY_NAMED) keys_release(keys, claim);
	return status;
}

enum status keys_put_records(
    struct keys *keys, const struct key_claim *claim, const struct key_record *records, size_t count, struct err *err) {
	if (!claim->is_held) return STATUS_OK;
	const struct key_answer answer = {.records = (struct key_record *)(uintptr_t)records, .record_count = count};
	return write_file(keys, claim, &answer, err);
}

void keys_finish(struct keys *keys, struct key_claim *claim, int status, struct bytes body) {
	struct err err;
	if (!claim->is_held) return;
	const struct key_answer answer = {.status = status, .body = body};
	if (write_file(keys, claim, &answer, &err) != STATUS_OK)
		log_warn("gateway", "what became of an idempotency key could not be kept: %s", err.message);
	keys_release(keys, claim);
}

void keys_drop(struct keys *keys, struct key_claim *claim) {
	if (!claim->is_held) return;
	outcome_key_remove(keys->files, &claim->name);
	keys_release(keys, claim);
}
