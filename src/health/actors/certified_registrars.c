/* Where statements are found, and the sets of registrars. */
#include "health/actors/certified_private.h"

#include "health/actors/kept_statements.h"
#include "health/contracts/cause.h"

static const struct deployment *anchor_of(const struct verified *verified) {
	return heads_anchor(verified->heads);
}

/* --- at the node, as it says --- */

enum status certified_logs(struct verified *verified, struct client_log **logs, size_t *count, uint64_t from_block,
    const struct contract_topics *topics, struct err *err) {
	struct client_log_filter filter = {.from_block = from_block, .address = &anchor_of(verified)->directory};
	memcpy(filter.topics, topics->topics, sizeof filter.topics);
	memcpy(filter.has_topic, topics->has_topic, sizeof filter.has_topic);
	return client_logs(verified->client, logs, count, verified->arena, &filter, err);
}

enum status certified_left_out(struct err *err, const char *what) {
	return err_because(err, CAUSE_NOT_PROVED, err_set(err, STATUS_DENIED, "not proved: %s", what));
}

enum status certified_block(struct verified *verified, const struct contract_topics *topics, uint64_t block,
    const struct calldata_wish *wish, struct err *err) {
	struct calldata_wish at = *wish;
	at.query = calldata_query(&anchor_of(verified)->directory, topics);
	at.block = block;
	return verified_statement(verified, &at, err);
}

/* --- in the home --- */

bool certified_kept_chain(const struct home *home, struct certified_chain *out, struct arena *arena, hash32 newest,
    const hash32 *first, bool (*link)(hash32 *fact, hash32 *before, struct arena *arena, struct bytes input)) {
	out->count = 0;
	if (!home) return false;
	while (!hash32_equal(&newest, first)) {
		hash32 fact, before;
		struct bytes *input = &out->inputs[out->count];
		if (out->count == CERTIFIED_CHAIN_MAX || !kept_statement_get(home, input, arena, &newest)) return false;
		if (!link(&fact, &before, arena, *input) || !hash32_equal(&fact, &newest)) return false;
		newest = before;
		out->count++;
	}
	return true;
}

/* --- the sets of registrars --- */

struct sets_reading {
	struct verified *verified;
	const struct home *home; /* NULL: keeps nothing */
	struct statement_registrars *out;
	hash32 fact; /* proved */
	uint32_t number;
};

static bool link_set(hash32 *fact, hash32 *before, struct arena *arena, struct bytes input) {
	struct directory_change_registrars_args args;
	if (directory_change_registrars_call_read(&args, arena, input, NULL) != STATUS_OK) return false;
	*fact = directory_registrars_typed_hash(&args.statement);
	*before = args.statement.previous;
	return true;
}

static bool read_kept_sets(struct sets_reading *r) {
	struct arena *arena = r->verified->arena;
	struct certified_chain *chain = arena_alloc(arena, sizeof *chain);
	if (!certified_kept_chain(r->home, chain, arena, r->fact, &r->out->sets[0].fact, link_set)) return false;
	for (size_t i = chain->count; i-- > 0;)
		if (statement_registrars_next(r->out, chain->inputs[i], NULL) != STATUS_OK) return false;
	return statement_registrars_are_proved(r->out, r->number, &r->fact, NULL) == STATUS_OK;
}

static enum status read_set(void *context, struct bytes input, struct err *err) {
	struct sets_reading *r = context;
	TRY(statement_registrars_next(r->out, input, err));
	if (r->home) kept_statement_put(r->home, r->verified->arena, &r->out->sets[r->out->count - 1].fact, input);
	return STATUS_OK;
}

/* The block of a set, as the node says: whatever stands there has to follow the set before. */
static enum status next_set(struct sets_reading *r, struct err *err) {
	uint32_t number = (uint32_t)r->out->count;
	struct contract_topics topics = directory_registrars_changed_event_topics(&number);
	const struct calldata_wish wish = {.what = "the registrars", .read = read_set, .context = r};
	struct client_log *logs;
	size_t count;
	TRY(certified_logs(r->verified, &logs, &count, 0, &topics, err));
	if (count == 0) {
		const char *what =
		    arena_printf(r->verified->arena, "the node does not serve set %u of registrars", number);
		return certified_left_out(err, what);
	}
	return certified_block(r->verified, &topics, logs[0].block_number, &wish, err);
}

enum status certified_registrars(
    struct verified *verified, const struct home *home, struct statement_registrars **sets, struct err *err) {
	const struct deployment *deployment = anchor_of(verified);
	struct sets_reading r = {.verified = verified, .home = home};
	hash32 words[2], slot = directory_registrars_slot();
	r.out = arena_zalloc(verified->arena, 1, sizeof *r.out);
	*sets = r.out;
	TRY(verified_struct(verified, words, &deployment->directory, &slot, 2, err));
	TRY(directory_registrars_load(&r.fact, &words[0], err));
	TRY(directory_number_load(&r.number, &words[1], err));
	TRY(statement_registrars_begin(r.out, verified->arena, deployment, err));
	if (read_kept_sets(&r)) return STATUS_OK;
	TRY(statement_registrars_begin(r.out, verified->arena, deployment, err));
	while (r.out->count <= r.number) TRY(next_set(&r, err));
	return statement_registrars_are_proved(r.out, r.number, &r.fact, err);
}
