/* Looking actors up, and pinning the keys that were seen. Listing is in listing.c. */
#include "health/actors/directory.h"

#include <stdio.h>
#include <time.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/actors/certified_private.h"
#include "health/contracts/cause.h"

/* --- pins: {"0x<actor>":{"version":N,"key":"0x<xy>"},…} --- */

static const struct json *pinned(struct actor_request *request, const addr20 *address, const struct json **all) {
	struct buf text;
	buf_init(&text, (size_t)16 << 20);
	*all = NULL;
	if (home_read(request->home, &text, "pins.json", NULL) == STATUS_OK) {
		struct bytes copy = arena_dup(request->arena, buf_view(&text));
		if (json_parse(all, request->arena, copy, NULL, NULL) != STATUS_OK) *all = NULL;
	}
	buf_fini(&text);
	buf_init(&text, 64);
	hex_put(&text, BYTES_OF(*address), true);
	const struct json *found = json_get(*all, buf_cstr(&text));
	buf_fini(&text);
	return found;
}

/* With the files' lock held since `all` was read. */
static enum status write_pins(
    struct actor_request *request, const struct json *all, const struct directory_listed *actor, struct err *err) {
	struct buf text, name;
	buf_init(&text, (size_t)16 << 20);
	buf_init(&name, 64);
	hex_put(&name, BYTES_OF(actor->address), true);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_foreach (pin, all) {
		if (bytes_equal(pin->name, buf_view(&name))) continue;
		json_put_raw(&writer, arena_strdup(request->arena, pin->name), pin->raw);
	}
	json_object_begin(&writer, buf_cstr(&name));
	json_put_u64(&writer, "version", actor->key_version);
	json_put_hex(&writer, "key", bytes_make(actor->key.xy, 64));
	json_object_end(&writer);
	json_object_end(&writer);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = home_put(request->home, "pins.json", buf_view(&text), err);
	buf_fini(&text);
	buf_fini(&name);
	return status;
}

enum status directory_accept_key(struct actor_request *request, struct directory_listed *actor, struct err *err) {
	const struct json *all;
	int lock;
	TRY(home_change_begin(request->home, &lock, err));
	pinned(request, &actor->address, &all);
	enum status status = write_pins(request, all, actor, err);
	home_change_end(lock);
	if (status == STATUS_OK) actor->key_changed = false;
	return status;
}

/* --- a key that a person has to confirm --- */

static void time_text(char out[32], uint64_t at_s) {
	const time_t at = (time_t)at_s;
	struct tm utc;
	if (!gmtime_r(&at, &utc) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc))
		snprintf(out, 32, "second %llu", (unsigned long long)at_s);
}

const char *directory_key_origin(struct arena *arena, const struct directory_listed *actor) {
	char given[32], from[32];
	if (!actor->key_by_registrars) return "";
	time_text(given, actor->key_from - STATEMENT_KEY_WAIT_S);
	time_text(from, actor->key_from);
	return arena_printf(arena,
	    "; registrars alone gave this key, on %s, and the account did not sign it: it is in force from %s on, "
	    "unless the account replaces it",
	    given, from);
}

enum status directory_refuse_changed_key(struct arena *arena, const struct directory_listed *actor, struct err *err) {
	char text[43];
	if (!actor->key_changed) return STATUS_OK;
	address_checksum(text, &actor->address);
	enum status status =
	    err_set(err, STATUS_DENIED, "%s has another key than this home has seen: ask them whether it is theirs%s",
		text, directory_key_origin(arena, actor));
	return err_because(err, CAUSE_KEY_CHANGED, status);
}

/* The first key that is seen is pinned; a newer one is reported until it is accepted. A key that changed under the same
 * version was never published by the contract, so somebody is lying. */
static enum status compare_pin(struct directory_listed *actor, bool *is_new, const struct json *pin, struct err *err) {
	uint64_t version = 0;
	uint8_t key[64];
	*is_new = !pin || !json_u64(&version, json_get(pin, "version")) ||
		  hex_fixed(key, sizeof key, json_string(json_get(pin, "key"))) != STATUS_OK;
	actor->key_changed = !*is_new && memcmp(key, actor->key.xy, 64) != 0;
	if (actor->key_changed && actor->key_version <= version)
		return err_set(err, STATUS_DENIED,
		    "the directory shows another key of the same version than this home has seen: do not use it");
	return STATUS_OK;
}

/* A home that never saw the actor confirms a key that is younger than 48 hours as well. */
static enum status check_pin(
    struct actor_request *request, struct directory_listed *actor, bool must_confirm, struct err *err) {
	const struct json *all;
	bool is_new;
	int lock;
	TRY(compare_pin(actor, &is_new, pinned(request, &actor->address, &all), err));
	if (!is_new) return STATUS_OK;
	actor->key_changed = must_confirm;
	if (must_confirm) return STATUS_OK;
	TRY(home_change_begin(request->home, &lock, err));
	enum status status = compare_pin(actor, &is_new, pinned(request, &actor->address, &all), err);
	if (status == STATUS_OK && is_new) status = write_pins(request, all, actor, err);
	home_change_end(lock);
	return status;
}

/* --- looking up --- */

static struct directory_listed listed_of(struct arena *arena, const struct certified_actor *actor) {
	const struct directory_actor *words = &actor->words;
	const struct statement_key *newest = statement_actor_newest_key(&actor->said);
	return (struct directory_listed){.address = actor->said.address,
	    .roles = actor->said.roles,
	    .status = (uint8_t)words->status,
	    .key_version = words->key_version,
	    .listed_at = words->listed_at,
	    .emergency_from = words->emergency_from,
	    .key = newest->key,
	    .key_by_registrars = newest->signers == STATEMENT_KEY_BY_REGISTRARS,
	    .key_from = words->key_from,
	    .name = arena_strdup(arena, actor->said.name)};
}

/* At a head that answers a challenge of this request. */
static enum status certified(
    struct actor_request *request, struct certified_actor *out, const addr20 *address, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return certified_find(verified, request->home, out, address, err);
}

enum status directory_find(
    struct actor_request *request, struct directory_listed *out, const addr20 *address, struct err *err) {
	struct certified_actor actor;
	TRY(certified(request, &actor, address, err));
	*out = listed_of(request->arena, &actor);
	return check_pin(request, out, statement_actor_must_confirm(&actor.said, NULL, actor.now_s), err);
}

enum status directory_own_key(
    struct actor_request *request, bool *is_own, struct directory_listed *listed, struct err *err) {
	struct certified_actor actor;
	struct p256_secret secret;
	struct p256_public own;
	TRY(certified(request, &actor, &request->home->account, err));
	*listed = listed_of(request->arena, &actor);
	TRY(home_encryption_key(request->home, &secret, &own, listed->key_version, err));
	mem_wipe(&secret, sizeof secret);
	*is_own = memcmp(own.xy, listed->key.xy, sizeof own.xy) == 0;
	return STATUS_OK;
}

/* The slow way: statements are read, and the key is derived. */
static enum status find_own(struct actor_request *request, struct p256_public *key, struct err *err) {
	struct directory_listed self;
	struct p256_secret secret;
	TRY(directory_find(request, &self, &request->home->account, err));
	TRY(home_encryption_key(request->home, &secret, key, self.key_version, err));
	mem_wipe(&secret, sizeof secret);
	if (memcmp(key->xy, self.key.xy, sizeof key->xy) == 0) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the directory shows another encryption key for this home's account");
}

enum status directory_own(struct actor_request *request, struct directory_own *out, struct err *err) {
	struct verified *verified;
	struct certified_actor actor;
	const addr20 *account = &request->home->account;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(certified_words(verified, &actor, account, err));
	out->key_version = actor.words.key_version;
	out->is_active = actor.words.status == DIRECTORY_STATUS_ACTIVE;
	const struct bytes parts[] = {BYTES_LITERAL("own key"), BYTES_OF(*account), BYTES_OF(actor.words_hash)};
	const hash32 memo = sha256_parts(parts, 3);
	if (verified_memo_get(verified, &out->key, sizeof out->key, &memo)) return STATUS_OK;
	TRY(find_own(request, &out->key, err));
	verified_memo_put(verified, &out->key, sizeof out->key, &memo);
	return STATUS_OK;
}

enum status directory_find_unattended(
    struct actor_request *request, struct directory_listed *out, const addr20 *address, struct err *err) {
	struct certified_actor actor;
	const struct statement_key *key;
	TRY(certified(request, &actor, address, err));
	TRY(statement_actor_unattended_key(&key, &actor.said, actor.now_s, err));
	*out = listed_of(request->arena, &actor);
	out->key = key->key;
	out->key_version = key->version;
	return STATUS_OK;
}

enum status directory_find_all(
    struct actor_request *request, struct directory_listed **out, size_t *count, uint32_t roles, struct err *err) {
	struct verified *verified;
	struct certified_actor *all;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(certified_find_all(verified, request->home, &all, count, roles, err));
	*out = arena_zalloc(request->arena, *count + 1, sizeof **out);
	for (size_t i = 0; i < *count; i++) (*out)[i] = listed_of(request->arena, &all[i]);
	return STATUS_OK;
}

/* --- names --- */

struct directory_known {
	struct directory_known *next;
	addr20 address;
	const char *name;
};

enum status directory_name(struct actor_request *request, const char **name, const addr20 *address, struct err *err) {
	struct verified *verified;
	struct certified_actor actor;
	const struct directory_known *known = request->names;
	while (known && !addr20_equal(&known->address, address)) known = known->next;
	*name = known ? known->name : "";
	if (known) return STATUS_OK;
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	enum status status = certified_find(verified, request->home, &actor, address, err);
	if (status == STATUS_OK) *name = arena_strdup(request->arena, actor.said.name);
	const bool is_nameless = status == STATUS_NOTFOUND || status == STATUS_DENIED;
	if (status != STATUS_OK && !is_nameless) return status;
	struct directory_known *kept = arena_alloc(request->arena, sizeof *kept);
	*kept = (struct directory_known){request->names, *address, *name};
	request->names = kept;
	return STATUS_OK;
}
