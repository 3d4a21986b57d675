#include "health/actors/certified_private.h"

#include "crypto/hash.h"
#include "eth/types.h"
#include "health/actors/kept_statements.h"

#define KEY_TIMES_MAX 512u /* of one question */

struct reading {
	struct verified *verified;
	const struct home *home; /* NULL: keeps nothing */
	struct certified_actor *out;
	const struct statement_registrars *registrars;
	const addr20 *address;
	uint32_t version; /* of the entry's key */
};

static const addr20 *directory_of(const struct verified *verified) {
	return &heads_anchor(verified->heads)->directory;
}

/* --- what was signed: from the node --- */

static void keep(const struct reading *r, const hash32 *fact, struct bytes input) {
	if (r->home) kept_statement_put(r->home, r->verified->arena, fact, input);
}

static enum status check_entry(const struct reading *r, struct bytes input, struct err *err) {
	TRY(statement_actor_read(&r->out->said, r->registrars, r->version, input, err));
	if (!addr20_equal(&r->out->said.address, r->address))
		return err_set(err, STATUS_DENIED, "it is of another actor");
	return statement_is_proved(&r->out->said.keys[0].fact, &r->out->words.entry, "the entry", err);
}

static enum status read_entry(void *context, struct bytes input, struct err *err) {
	const struct reading *r = context;
	TRY(check_entry(r, input, err));
	keep(r, &r->out->words.entry, input);
	return STATUS_OK;
}

static enum status read_key(void *context, struct bytes input, struct err *err) {
	const struct reading *r = context;
	TRY(statement_actor_next_key(&r->out->said, input, err));
	keep(r, &statement_actor_newest_key(&r->out->said)->fact, input);
	return STATUS_OK;
}

static enum status check_newest_key(const struct reading *r, struct err *err) {
	const struct statement_key *newest = statement_actor_newest_key(&r->out->said);
	if (newest->version != r->out->words.key_version)
		return certified_left_out(err, "the node leaves out keys of the actor");
	return statement_is_proved(&newest->fact, &r->out->words.key, "the newest key", err);
}

static enum status read_served(struct reading *r, struct err *err) {
	struct contract_topics listed = directory_actor_listed_event_topics(r->address);
	struct contract_topics published = directory_key_published_event_topics(r->address);
	const struct calldata_wish entry = {.what = "an entry", .read = read_entry, .context = r};
	const struct calldata_wish key = {.what = "a key", .read = read_key, .context = r};
	struct directory_key_published_event first;
	struct client_log *logs;
	size_t count;
	TRY(certified_logs(r->verified, &logs, &count, r->out->words.entry_at, &published, err));
	if (count == 0) return certified_left_out(err, "the node serves no key of the actor");
	TRY(directory_key_published_event_read(&first, &logs[0].log, err));
	r->version = first.version;
	TRY(certified_block(r->verified, &listed, r->out->words.entry_at, &entry, err));
	/* The entry published a key too, the first of the events. */
	for (size_t i = 1; i < count; i++)
		TRY(certified_block(r->verified, &published, logs[i].block_number, &key, err));
	return check_newest_key(r, err);
}

/* --- what was signed: from the home --- */

static bool link_key(hash32 *fact, hash32 *before, struct arena *arena, struct bytes input) {
	struct directory_change_key_args args;
	if (directory_change_key_call_read(&args, arena, input, NULL) != STATUS_OK) return false;
	*fact = directory_key_change_typed_hash(&args.statement);
	*before = args.statement.previous;
	return true;
}

/* Everything is checked as if the node had served it. */
static bool read_kept(struct reading *r) {
	const struct directory_actor *words = &r->out->words;
	struct arena *arena = r->verified->arena;
	struct certified_chain *chain = arena_alloc(arena, sizeof *chain);
	struct bytes entry;
	if (!certified_kept_chain(r->home, chain, arena, words->key, &words->entry, link_key)) return false;
	if (!kept_statement_get(r->home, &entry, arena, &words->entry)) return false;
	r->version = words->key_version - (uint32_t)chain->count;
	if (check_entry(r, entry, NULL) != STATUS_OK) return false;
	for (size_t i = chain->count; i-- > 0;)
		if (statement_actor_next_key(&r->out->said, chain->inputs[i], NULL) != STATUS_OK) return false;
	return check_newest_key(r, NULL) == STATUS_OK;
}

/* --- when keys came in force --- */

/* Those between the entry's and the newest; of more than a question's only the newest ones. */
static enum status prove_times(const struct reading *r, struct err *err) {
	struct statement_actor *said = &r->out->said;
	struct verified_want wants[KEY_TIMES_MAX];
	hash32 words[KEY_TIMES_MAX];
	size_t first = 1, count = 0;
	if (said->key_count > KEY_TIMES_MAX + 2) first = said->key_count - 1 - KEY_TIMES_MAX;
	for (size_t i = first; i + 1 < said->key_count; i++)
		wants[count++] = (struct verified_want){
		    directory_of(r->verified), directory_key_times_slot(r->address, said->keys[i].version)};
	if (count) TRY(verified_words(r->verified, words, wants, count, err));
	for (size_t i = 0; i < count; i++)
		TRY(directory_key_times_load(&said->keys[first + i].in_force_s, &words[i], err));
	said->keys[0].in_force_s = r->out->words.listed_at;
	said->keys[said->key_count - 1].in_force_s = r->out->words.key_from;
	return STATUS_OK;
}

enum status certified_said(struct verified *verified, const struct home *home, struct certified_actor *out,
    const struct statement_registrars *registrars, const addr20 *address, struct err *err) {
	struct reading reading = {
	    .verified = verified, .home = home, .out = out, .registrars = registrars, .address = address};
	if (!read_kept(&reading)) TRY(read_served(&reading, err));
	return prove_times(&reading, err);
}

/* --- what is proved --- */

void certified_wants(
    struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS], const addr20 *directory, const addr20 *address) {
	const hash32 actor = directory_actors_slot(address);
	for (uint64_t i = 0; i < DIRECTORY_STORED_ACTOR_SLOTS; i++)
		wants[i] = (struct verified_want){directory, contract_slot_after(&actor, i)};
}

/* The actor's slots, and with them, in one question, the registrars' two. */
static enum status prove(
    struct verified *verified, hash32 words[DIRECTORY_STORED_ACTOR_SLOTS + 2], const addr20 *address, struct err *err) {
	const addr20 *directory = directory_of(verified);
	const hash32 registrars = directory_registrars_slot();
	struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS + 2];
	certified_wants(wants, directory, address);
	for (uint64_t i = 0; i < 2; i++)
		wants[DIRECTORY_STORED_ACTOR_SLOTS + i] =
		    (struct verified_want){directory, contract_slot_after(&registrars, i)};
	return verified_words(verified, words, wants, DIRECTORY_STORED_ACTOR_SLOTS + 2, err);
}

enum status certified_words(
    struct verified *verified, struct certified_actor *out, const addr20 *address, struct err *err) {
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS + 2];
	TRY(prove(verified, words, address, err));
	*out = (struct certified_actor){
	    .now_s = verified_now_s(verified), .words_hash = keccak256(bytes_make(words, sizeof words))};
	TRY(directory_stored_actor_load(&out->words, words, err));
	if (out->words.status != DIRECTORY_STATUS_NONE) return STATUS_OK;
	char text[43];
	address_checksum(text, address);
	return err_set(err, STATUS_NOTFOUND, "%s is not in the directory", text);
}

enum status certified_find(struct verified *verified, const struct home *home, struct certified_actor *out,
    const addr20 *address, struct err *err) {
	struct statement_registrars *registrars;
	TRY(certified_words(verified, out, address, err));
	TRY(certified_registrars(verified, home, &registrars, err));
	return certified_said(verified, home, out, registrars, address, err);
}
