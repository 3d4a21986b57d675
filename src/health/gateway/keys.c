#include "health/gateway/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"

#define FOLDER "requests"
#define FILE_MAX ((size_t)64 << 10)

struct keys {
	const struct home *home;
	const struct threads *threads;
	const struct clock_source *clock;
	struct monitor *monitor;
	hash32 active[KEYS_ACTIVE_MAX];
	size_t active_count;
};

static void path_of(char out[96], const hash32 *name) {
	int used = snprintf(out, 96, FOLDER "/");
	for (size_t i = 0; i < 32; i++) used += snprintf(out + used, 96 - (size_t)used, "%02x", name->b[i]);
	snprintf(out + used, 96 - (size_t)used, ".json");
}

/* Files over their time. */
static void forget_old(struct keys *keys) {
	struct arena arena;
	char **names;
	size_t count;
	struct err err;
	arena_init(&arena);
	uint64_t now_s = clock_now_ms(keys->clock) / 1000;
	if (home_list(keys->home, &names, &count, &arena, FOLDER, &err) != STATUS_OK) count = 0;
	for (size_t i = 0; i < count; i++) {
		struct buf content;
		const struct json *root;
		uint64_t at_s = 0;
		const char *path = arena_printf(&arena, FOLDER "/%s", names[i]);
		buf_init(&content, FILE_MAX);
		bool is_read = home_read(keys->home, &content, path, NULL) == STATUS_OK &&
			       json_parse(&root, &arena, buf_view(&content), NULL, NULL) == STATUS_OK &&
			       json_u64(&at_s, json_get(root, "at"));
		buf_fini(&content);
		if (!is_read || at_s + KEY_KEPT_SECONDS < now_s) home_remove(keys->home, path);
	}
	arena_fini(&arena);
}

struct keys *keys_new(const struct home *home, const struct threads *threads, const struct clock_source *clock) {
	struct keys *keys = mem_zalloc(1, sizeof *keys);
	keys->home = home;
	keys->threads = threads;
	keys->clock = clock;
	if (threads) keys->monitor = threads->monitor_new(threads->context);
	char path[FILES_PATH_BYTES];
	snprintf(path, sizeof path, "%s/" FOLDER, home->directory);
	struct err err;
	if (files_make_folder(path, &err) != STATUS_OK) log_warn("gateway", "%s", err.message);
	forget_old(keys);
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

static void release(struct keys *keys, struct key_claim *claim) {
	lock(keys);
	for (size_t i = 0; i < keys->active_count; i++)
		if (hash32_equal(&keys->active[i], &claim->name))
			keys->active[i--] = keys->active[--keys->active_count];
	unlock(keys);
	claim->is_held = false;
}

static enum status write_file(
    const struct keys *keys, const struct key_claim *claim, const struct key_answer *answer, struct err *err) {
	struct buf text;
	char path[96];
	buf_init(&text, FILE_MAX);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "at", clock_now_ms(keys->clock) / 1000);
	json_put_hex(&writer, "request", BYTES_OF(claim->request));
	if (answer) {
		json_put_u64(&writer, "status", (uint64_t)answer->status);
		json_put_string(&writer, "body", answer->body);
	}
	json_object_end(&writer);
	path_of(path, &claim->name);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = home_write(keys->home, path, buf_view(&text), err);
	buf_fini(&text);
	return status;
}

/* What an earlier request with this key left. STATUS_NOTFOUND: nothing. */
static enum status read_file(const struct keys *keys, enum key_state *state, const struct key_claim *claim,
    struct key_answer *answer, struct arena *arena, struct err *err) {
	struct buf text;
	char path[96];
	const struct json *root;
	hash32 request;
	uint64_t code;
	path_of(path, &claim->name);
	buf_init(&text, FILE_MAX);
	enum status status = home_read(keys->home, &text, path, err);
	struct bytes copy = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	TRY(status);
	if (json_parse(&root, arena, copy, NULL, NULL) != STATUS_OK ||
	    hex_fixed(request.b, 32, json_string(json_get(root, "request"))) != STATUS_OK)
		return err_set(err, STATUS_CORRUPT, "%s is damaged", path);
	*state = KEY_UNKNOWN;
	if (!hash32_equal(&request, &claim->request)) {
		*state = KEY_OTHER;
	} else if (json_u64(&code, json_get(root, "status"))) {
		*state = KEY_ANSWERED;
		*answer = (struct key_answer){(int)code, json_string(json_get(root, "body"))};
	}
	return STATUS_OK;
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
		status = write_file(keys, claim, NULL, err);
	}
	if (status != STATUS_OK || *state != KEY_NEW) release(keys, claim);
	return status;
}

void keys_finish(struct keys *keys, struct key_claim *claim, int status, struct bytes body) {
	struct err err;
	if (!claim->is_held) return;
	struct key_answer answer = {status, body};
	if (write_file(keys, claim, &answer, &err) != STATUS_OK)
		log_warn("gateway", "what became of an idempotency key could not be kept: %s", err.message);
	release(keys, claim);
}

void keys_drop(struct keys *keys, struct key_claim *claim) {
	if (!claim->is_held) return;
	char path[96];
	path_of(path, &claim->name);
	home_remove(keys->home, path);
	release(keys, claim);
}
