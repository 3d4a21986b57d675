/* Everybody who was ever listed, from the directory's proved list. */
#include "health/actors/certified_private.h"

#include "eth/abi.h"

#define ACTORS_A_QUESTION 64u

struct enumeration {
	struct arena *arena;
	const struct home *home;
	addr20 *all;
	size_t count, cap;
};

/* --- the list --- */

static enum status read_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	struct directory_actor_listed_event event;
	(void)context;
	TRY(directory_actor_listed_event_read(&event, &log->log, err));
	*is_entry = true;
	out->n = event.n;
	memcpy(out->before, event.before, sizeof out->before);
	out->entry = abi_topic_of_address(&event.actor);
	return STATUS_OK;
}

static enum status note_actor(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct enumeration *e = context;
	(void)log;
	(void)err;
	if (e->count == e->cap) {
		const size_t cap = e->cap ? 2 * e->cap : 64;
		addr20 *all = arena_alloc(e->arena, cap * sizeof *all);
		if (e->count) memcpy(all, e->all, e->count * sizeof *all);
		e->all = all;
		e->cap = cap;
	}
	memcpy(e->all[e->count++].b, entry->entry.b + 12, sizeof e->all->b);
	return STATUS_OK;
}

static enum status read_list(struct verified *verified, struct enumeration *e, struct err *err) {
	const addr20 *directory = &heads_anchor(verified->heads)->directory;
	const struct verified_list list = {.contract = directory,
	    .slot = directory_listed_slot(),
	    .query = {.address = directory, .topics = {{&directory_actor_listed_event_topic, 1}}},
	    .entry = read_entry,
	    .visit = note_actor,
	    .context = e};
	return verified_list(verified, &list, NULL, err);
}

/* --- the actors --- */

/* Many at once, so that each one's question is answered already. */
static enum status prove_page(struct verified *verified, const addr20 *all, size_t count, struct err *err) {
	struct verified_want wants[ACTORS_A_QUESTION * DIRECTORY_STORED_ACTOR_SLOTS];
	hash32 words[ACTORS_A_QUESTION * DIRECTORY_STORED_ACTOR_SLOTS];
	for (size_t i = 0; i < count; i++)
		certified_wants(
		    &wants[i * DIRECTORY_STORED_ACTOR_SLOTS], &heads_anchor(verified->heads)->directory, &all[i]);
	return verified_words(verified, words, wants, count * DIRECTORY_STORED_ACTOR_SLOTS, err);
}

/* An actor that was listed anew is in the list twice. */
static bool is_there(const struct certified_actor *all, size_t count, const addr20 *address) {
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&all[i].said.address, address)) return true;
	return false;
}

static enum status valid_from(uint32_t *out, struct verified *verified, struct err *err) {
	const hash32 slot = directory_valid_from_slot();
	hash32 word;
	TRY(verified_struct(verified, &word, &heads_anchor(verified->heads)->directory, &slot, 1, err));
	return directory_valid_from_load(out, &word, err);
}

/* Oldest first; the list gave the newest first. */
static enum status read_actors(struct verified *verified, const struct enumeration *e, struct certified_actor *out,
    size_t *count, uint32_t roles, struct err *err) {
	struct statement_registrars *registrars;
	uint32_t valid;
	TRY(certified_registrars(verified, e->home, &registrars, err));
	TRY(valid_from(&valid, verified, err));
	*count = 0;
	for (size_t i = e->count; i-- > 0;) {
		struct certified_actor *actor = &out[*count];
		if (is_there(out, *count, &e->all[i])) continue;
		TRY(certified_words(verified, actor, &e->all[i], err));
		if (actor->words.registrar_set < valid || (actor->words.roles & roles) != roles) continue;
		TRY(certified_said(verified, e->home, actor, registrars, &e->all[i], err));
		(*count)++;
	}
	return STATUS_OK;
}

enum status certified_find_all(struct verified *verified, const struct home *home, struct certified_actor **out,
    size_t *count, uint32_t roles, struct err *err) {
	struct enumeration all = {.arena = verified->arena, .home = home};
	TRY(read_list(verified, &all, err));
	for (size_t i = 0; i < all.count; i += ACTORS_A_QUESTION) {
		const size_t left = all.count - i;
		TRY(prove_page(verified, all.all + i, left < ACTORS_A_QUESTION ? left : ACTORS_A_QUESTION, err));
	}
	*out = arena_zalloc(verified->arena, all.count + 1, sizeof **out);
	return read_actors(verified, &all, *out, count, roles, err);
}
