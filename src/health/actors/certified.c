#include "health/actors/certified_private.h"

#include "eth/types.h"
#include "health/chain/calldata.h"

/* --- where statements stand, as the node says --- */

static const struct deployment *anchor_of(const struct verified *verified) {
	return heads_anchor(verified->heads);
}

static enum status find_logs(struct verified *verified, struct client_log **logs, size_t *count, uint64_t from_block,
    const struct contract_topics *topics, struct err *err) {
	struct client_log_filter filter = {.from_block = from_block, .address = &anchor_of(verified)->directory};
	memcpy(filter.topics, topics->topics, sizeof filter.topics);
	memcpy(filter.has_topic, topics->has_topic, sizeof filter.has_topic);
	return client_logs(verified->client, logs, count, verified->arena, &filter, err);
}

/* The calldata of this block's event, read by `read` until one is what was looked for. */
static enum status read_block(struct verified *verified, const struct contract_topics *topics, uint64_t block,
    const struct calldata_wish *wish, struct err *err) {
	struct calldata_wish at = *wish;
	at.query.address = &anchor_of(verified)->directory;
	at.block = block;
	for (size_t i = 0; i < 4; i++)
		if (topics->has_topic[i]) at.query.topics[i] = (struct logs_topic){&topics->topics[i], 1};
	return verified_statement(verified, &at, err);
}

/* --- the sets of registrars --- */

static enum status read_set(void *context, struct bytes input, struct err *err) {
	return statement_registrars_next(context, input, err);
}

/* The block of a set, as the node says: whatever stands there has to follow the set before. */
static enum status next_set(struct verified *verified, struct statement_registrars *registrars, struct err *err) {
	uint32_t number = (uint32_t)registrars->count;
	struct contract_topics topics = directory_registrars_changed_event_topics(&number);
	const struct calldata_wish wish = {.what = "the registrars", .read = read_set, .context = registrars};
	struct client_log *logs;
	size_t count;
	TRY(find_logs(verified, &logs, &count, 0, &topics, err));
	if (count == 0)
		return err_set(err, STATUS_DENIED, "not proved: the node does not serve set %u of registrars", number);
	return read_block(verified, &topics, logs[0].block_number, &wish, err);
}

enum status certified_registrars(struct verified *verified, struct statement_registrars **sets, struct err *err) {
	const struct deployment *deployment = anchor_of(verified);
	struct statement_registrars *out = arena_zalloc(verified->arena, 1, sizeof *out);
	hash32 words[2], slot = directory_registrars_slot(), fact;
	uint32_t number;
	TRY(verified_struct(verified, words, &deployment->directory, &slot, 2, err));
	TRY(directory_registrars_load(&fact, &words[0], err));
	TRY(directory_number_load(&number, &words[1], err));
	TRY(statement_registrars_begin(out, verified->arena, deployment, err));
	while (out->count <= number) TRY(next_set(verified, out, err));
	*sets = out;
	return statement_registrars_are_proved(out, number, &fact, err);
}

/* --- the actor --- */

struct reading {
	struct certified_actor *out;
	const struct statement_registrars *registrars;
	const addr20 *address;
	uint32_t version; /* of the entry's key */
};

static enum status read_entry(void *context, struct bytes input, struct err *err) {
	const struct reading *r = context;
	TRY(statement_actor_read(&r->out->said, r->registrars, r->version, input, err));
	if (!addr20_equal(&r->out->said.address, r->address))
		return err_set(err, STATUS_DENIED, "it is of another actor");
	return statement_is_proved(&r->out->said.keys[0].fact, &r->out->words.entry, "the entry", err);
}

static enum status read_key(void *context, struct bytes input, struct err *err) {
	return statement_actor_next_key(context, input, err);
}

/* The entry published a key too, the first of the events. */
static enum status read_keys(struct verified *verified, const struct reading *r, const struct client_log *logs,
    size_t count, const struct contract_topics *topics, struct err *err) {
	struct certified_actor *out = r->out;
	const struct calldata_wish wish = {.what = "a key", .read = read_key, .context = &out->said};
	for (size_t i = 1; i < count; i++) TRY(read_block(verified, topics, logs[i].block_number, &wish, err));
	struct statement_key *newest = &out->said.keys[out->said.key_count - 1];
	out->said.keys[0].in_force_s = out->words.listed_at;
	newest->in_force_s = out->words.key_from;
	if (newest->version != out->words.key_version)
		return err_set(err, STATUS_DENIED, "not proved: the node leaves out keys of the actor");
	return statement_is_proved(&newest->fact, &out->words.key, "the newest key", err);
}

static enum status read_actor(struct verified *verified, struct reading *r, struct err *err) {
	struct directory_actor *words = &r->out->words;
	struct contract_topics listed = directory_actor_listed_event_topics(r->address);
	struct contract_topics published = directory_key_published_event_topics(r->address);
	const struct calldata_wish wish = {.what = "an entry", .read = read_entry, .context = r};
	struct directory_key_published_event first;
	struct client_log *logs;
	size_t count;
	TRY(find_logs(verified, &logs, &count, words->entry_at, &published, err));
	if (count == 0) return err_set(err, STATUS_DENIED, "not proved: the node serves no key of the actor");
	TRY(directory_key_published_event_read(&first, &logs[0].log, err));
	r->version = first.version;
	TRY(read_block(verified, &listed, words->entry_at, &wish, err));
	return read_keys(verified, r, logs, count, &published, err);
}

/* The actor's slots, and with them, in one question, the registrars' two. */
static enum status prove(
    struct verified *verified, hash32 words[DIRECTORY_STORED_ACTOR_SLOTS + 2], const addr20 *address, struct err *err) {
	const addr20 *directory = &anchor_of(verified)->directory;
	const hash32 registrars = directory_registrars_slot();
	struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS + 2];
	certified_wants(wants, directory, address);
	for (uint64_t i = 0; i < 2; i++)
		wants[DIRECTORY_STORED_ACTOR_SLOTS + i] =
		    (struct verified_want){directory, contract_slot_after(&registrars, i)};
	return verified_words(verified, words, wants, DIRECTORY_STORED_ACTOR_SLOTS + 2, err);
}

void certified_wants(
    struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS], const addr20 *directory, const addr20 *address) {
	const hash32 actor = directory_actors_slot(address);
	for (uint64_t i = 0; i < DIRECTORY_STORED_ACTOR_SLOTS; i++)
		wants[i] = (struct verified_want){directory, contract_slot_after(&actor, i)};
}

enum status certified_words(
    struct verified *verified, struct certified_actor *out, const addr20 *address, struct err *err) {
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS + 2];
	TRY(prove(verified, words, address, err));
	*out = (struct certified_actor){.now_s = verified_now_s(verified)};
	TRY(directory_stored_actor_load(&out->words, words, err));
	if (out->words.status != DIRECTORY_STATUS_NONE) return STATUS_OK;
	char text[43];
	address_checksum(text, address);
	return err_set(err, STATUS_NOTFOUND, "%s is not in the directory", text);
}

enum status certified_said(struct verified *verified, struct certified_actor *out,
    const struct statement_registrars *registrars, const addr20 *address, struct err *err) {
	struct reading reading = {.out = out, .registrars = registrars, .address = address};
	return read_actor(verified, &reading, err);
}

enum status certified_find(
    struct verified *verified, struct certified_actor *out, const addr20 *address, struct err *err) {
	struct statement_registrars *registrars;
	TRY(certified_words(verified, out, address, err));
	TRY(certified_registrars(verified, &registrars, err));
	return certified_said(verified, out, registrars, address, err);
}
