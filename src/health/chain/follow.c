#include "health/chain/follow.h"

#include <stdio.h>

#include "health/chain/client_private.h"

#define FIRST_DEPTH 64u /* blocks below the head */

struct run {
	struct client *client;
	const struct follow_store *store;
	const hash32 *genesis;
	struct follow_watch *watches;
	size_t count;
	struct follow_block head;
	uint64_t span; /* that the node answered last */
};

bool follow_passes(const struct follow_watch *watch, const struct log *log) {
	if (!addr20_equal(&watch->address, &log->address)) return false;
	for (unsigned i = 0; i < 4; i++) {
		if (!watch->has_topic[i]) continue;
		if (i >= log->topic_count || !hash32_equal(&watch->topics[i], &log->topics[i])) return false;
	}
	return true;
}

/* --- where this chain and the kept blocks part --- */

/* `tag`: a block's number as a quantity, or "latest". *found false: the node has no such block. */
static enum status ask_block(
    struct client *client, struct follow_block *out, bool *found, const char *tag, struct err *err) {
	struct arena arena;
	struct buf params;
	const struct json *block;
	arena_init(&arena);
	buf_init(&params, 64);
	buf_printf(&params, "[\"%s\",false]", tag);
	enum status status = client_rpc(client, &block, NULL, &arena, "eth_getBlockByNumber", buf_view(&params), err);
	*found = status == STATUS_OK && !json_is(block, JSON_NULL);
	if (*found) status = client_answer_quantity(&out->number, json_get(block, "number"), "block's number", err);
	if (*found && status == STATUS_OK)
		status = client_answer_fixed(out->hash.b, 32, json_get(block, "hash"), "block's hash", err);
	buf_fini(&params);
	arena_fini(&arena);
	return status;
}

static enum status ask_numbered(
    struct client *client, struct follow_block *out, bool *found, uint64_t number, struct err *err) {
	char tag[24];
	snprintf(tag, sizeof tag, "0x%llx", (unsigned long long)number);
	TRY(ask_block(client, out, found, tag, err));
	if (*found && out->number != number)
		return client_senseless(err, "the node shows another block than was asked for");
	return STATUS_OK;
}

/* Nothing is kept yet: is it the chain that is meant? Keeps some blocks below its head, to which a first
 * reorganisation can go back. */
static enum status begin(struct run *run, struct err *err) {
	struct follow_page page = {.end = {0}};
	bool found;
	TRY(ask_numbered(run->client, &page.end, &found, 0, err));
	if (!found || !hash32_equal(&page.end.hash, run->genesis))
		return err_set(
		    err, STATUS_DENIED, "the node's chain has another first block: it is not this home's chain");
	for (uint64_t depth = FIRST_DEPTH; depth > 0; depth /= 4) {
		TRY(ask_numbered(
		    run->client, &page.end, &found, run->head.number > depth ? run->head.number - depth : 0, err));
		if (found) TRY(run->store->add(run->store->context, &page, err));
	}
	return STATUS_OK;
}

static enum status unwind(struct run *run, uint64_t last, struct err *err) {
	for (size_t i = 0; i < run->count; i++)
		if (run->watches[i].next_block > last + 1) run->watches[i].next_block = last + 1;
	return run->store->unwind(run->store->context, last, err);
}

/* The newest kept block that the node's chain has too; everything behind it is forgotten. */
static enum status agree(struct run *run, struct err *err) {
	struct follow_block kept, shown;
	bool found;
	for (size_t back = 0;; back++) {
		TRY(run->store->kept(run->store->context, &kept, &found, back, err));
		if (!found && back == 0) return begin(run, err);
		if (!found) break;
		if (kept.number == run->head.number) {
			shown = run->head;
		} else if (kept.number > run->head.number) {
			continue;
		} else {
			TRY(ask_numbered(run->client, &shown, &found, kept.number, err));
			if (!found) continue;
		}
		if (!hash32_equal(&kept.hash, &shown.hash)) continue;
		return back == 0 ? STATUS_OK : unwind(run, kept.number, err);
	}
	return err_set(err, STATUS_CORRUPT,
	    "the node's chain has another past than the one that was followed: none of the blocks up to %llu that are "
	    "remembered is in it",
	    (unsigned long long)run->head.number);
}

/* --- pages --- */

/* Alike but for one topic, at the same block: they can be asked together. */
static bool rides(const struct follow_watch *first, const struct follow_watch *other, unsigned place) {
	if (first->next_block != other->next_block || !addr20_equal(&first->address, &other->address)) return false;
	for (unsigned i = 0; i < 4; i++) {
		if (first->has_topic[i] != other->has_topic[i]) return false;
		if (i != place && first->has_topic[i] && !hash32_equal(&first->topics[i], &other->topics[i]))
			return false;
	}
	return true;
}

struct group {
	struct follow_watch *watches[LOGS_SUBJECTS_MAX];
	size_t count;
	unsigned place; /* of the topic in which they differ */
};

static void gather(struct group *out, const struct run *run, struct follow_watch *first, unsigned place) {
	out->count = 0;
	out->place = place;
	for (size_t i = 0; i < run->count && out->count < LOGS_SUBJECTS_MAX; i++)
		if (rides(first, &run->watches[i], place)) out->watches[out->count++] = &run->watches[i];
}

/* The largest group of the watch that is farthest behind. False: all are at the head. */
static bool next_group(struct group *out, struct group *scratch, const struct run *run) {
	struct follow_watch *first = NULL;
	for (size_t i = 0; i < run->count; i++)
		if (!first || run->watches[i].next_block < first->next_block) first = &run->watches[i];
	if (!first || first->next_block > run->head.number) return false;
	out->count = 0;
	for (unsigned place = 0; place < 4; place++) {
		if (!first->has_topic[place] && out->count) continue;
		gather(scratch, run, first, place);
		if (scratch->count > out->count) *out = *scratch;
	}
	return true;
}

static struct logs_query query_of(const struct group *group, struct arena *arena) {
	const struct follow_watch *first = group->watches[0];
	struct logs_query query = {.address = &first->address};
	for (unsigned i = 0; i < 4; i++)
		if (first->has_topic[i]) query.topics[i] = (struct logs_topic){&first->topics[i], 1};
	if (!first->has_topic[group->place]) return query;
	hash32 *values = arena_alloc(arena, group->count * sizeof *values);
	for (size_t i = 0; i < group->count; i++) values[i] = group->watches[i]->topics[group->place];
	query.topics[group->place] = (struct logs_topic){values, group->count};
	return query;
}

static enum status end_block(struct run *run, struct follow_block *end, uint64_t number, struct err *err) {
	bool found;
	*end = run->head;
	if (number == run->head.number) return STATUS_OK;
	TRY(ask_numbered(run->client, end, &found, number, err));
	return found ? STATUS_OK : err_set(err, STATUS_BUSY, "the node's chain became shorter while it was read");
}

/* One question for one group; what was answered goes into the store. */
static enum status read_page(struct run *run, const struct group *group, struct arena *arena, struct err *err) {
	uint64_t first = group->watches[0]->next_block;
	struct logs_walk walk = {.next_block = first, .last_block = run->head.number, .span = run->span};
	struct logs_query query = query_of(group, arena);
	struct follow_page page = {.watches = group->watches, .watch_count = group->count};
	struct client_log *logs;
	TRY(end_block(run, &page.end, logs_page_end(&walk), err)); /* before its logs: see follow.h */
	TRY(logs_page(&walk, run->client, &logs, &page.log_count, arena, &query, err));
	run->span = walk.span;
	if (walk.next_block == first) return STATUS_OK; /* refused: a shorter page next */
	page.logs = logs;
	TRY(run->store->add(run->store->context, &page, err));
	for (size_t i = 0; i < group->count; i++) group->watches[i]->next_block = walk.next_block;
	progress_at(run->store->progress, "reading the chain's events", walk.next_block - 1, run->head.number);
	return STATUS_OK;
}

static enum status read_groups(struct run *run, struct err *err) {
	struct group *group = mem_zalloc(2, sizeof *group);
	enum status status = STATUS_OK;
	while (status == STATUS_OK && next_group(&group[0], &group[1], run)) {
		struct arena arena;
		arena_init(&arena);
		status = read_page(run, &group[0], &arena, err);
		arena_fini(&arena);
	}
	mem_free(group);
	return status;
}

enum status follow_run(struct client *client, const struct follow_store *store, const hash32 *genesis,
    struct follow_watch *watches, size_t count, struct err *err) {
	struct run run = {.client = client, .store = store, .genesis = genesis, .watches = watches, .count = count};
	bool found;
	TRY(ask_block(client, &run.head, &found, "latest", err));
	if (!found) return client_senseless(err, "the node has no newest block");
	TRY(agree(&run, err));
	return read_groups(&run, err);
}
