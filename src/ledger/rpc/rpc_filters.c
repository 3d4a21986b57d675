/* eth_getLogs and filters. A filter that nobody asks for five minutes ends; at most FILTERS_MAX live at once. */
#include "ledger/rpc/rpc_filters.h"
#include "codec/hex.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#define FILTERS_MAX 1024u
#define FILTER_LIFE_NS ((uint64_t)300 * 1000000000)
#define ID_BYTES 16u
#define RECENT_MAX 65536u /* transaction hashes that pending filters can look back on */
#define ADDRESSES_MAX 1000u
#define TOPICS_MAX 1000u
#define HASHES_A_POLL 4096u
#define REMOVED_BYTES_MAX ((size_t)64 << 20) /* over all filters; a client that polls too rarely loses its filter */

enum filter_kind { FILTER_LOGS, FILTER_BLOCKS, FILTER_TXS };

struct filter {
	u256 id; /* 0: free */
	enum filter_kind kind;
	uint64_t used_ns;
	uint64_t next;       /* the first block, or place among the transactions, not yet reported */
	struct arena *arena; /* of criteria; FILTER_LOGS */
	struct log_filter criteria;
	bool to_newest;
	uint64_t first;     /* no block before it is reported; FILTER_LOGS */
	struct buf removed; /* logs to report as removed, as JSON, commas between; FILTER_LOGS */
};

struct rpc_filters {
	pthread_mutex_t lock;
	struct filter filters[FILTERS_MAX];
	atomic_uint tx_filters;
	hash32 *recent;       /* a ring; made with the first FILTER_TXS */
	uint64_t seen;        /* transactions ever put there */
	size_t removed_bytes; /* of all filters */
};

/* --- criteria --- */

static enum status take_addresses(
    struct rpc_call *call, struct arena *arena, struct log_filter *out, const struct json *value) {
	if (!value) return STATUS_OK;
	const struct json *item = json_is(value, JSON_ARRAY) ? value->first : value;
	const size_t count = json_is(value, JSON_ARRAY) ? value->count : 1;
	if (count > ADDRESSES_MAX) return rpc_bad_param(call, 0, "address: more than %u", ADDRESSES_MAX);
	addr20 *addresses = arena_alloc(arena, count * sizeof *addresses + 1);
	for (size_t i = 0; i < count; i++, item = item->next)
		if (hex_fixed(addresses[i].b, 20, rpc_hex_text(call, json_string(item))) != STATUS_OK)
			return rpc_bad_param(call, 0, "address: expected an address of 20 bytes, or an array of them");
	out->addresses = addresses;
	out->address_count = count;
	return STATUS_OK;
}

static enum status take_topics(
    struct rpc_call *call, struct arena *arena, struct log_filter *out, const struct json *value) {
	if (!value) return STATUS_OK;
	if (!json_is(value, JSON_ARRAY)) return rpc_bad_param(call, 0, "topics: expected an array");
	if (value->count > 4) return rpc_fail(call, RPC_INVALID_PARAMS, "exceed max topics");
	json_foreach (place, value) {
		const struct json *item = json_is(place, JSON_ARRAY) ? place->first : place;
		size_t count = json_is(place, JSON_ARRAY) ? place->count : 1;
		if (json_is(place, JSON_NULL)) count = 0;
		if (count > TOPICS_MAX) return rpc_bad_param(call, 0, "topics: more than %u in one place", TOPICS_MAX);
		hash32 *any_of = arena_alloc(arena, count * sizeof *any_of + 1);
		bool wild = false;
		for (size_t i = 0; i < count; i++, item = item->next) {
			wild |= json_is(item, JSON_NULL);
			const struct bytes topic = rpc_hex_text(call, json_string(item));
			if (!json_is(item, JSON_NULL) && hex_fixed(any_of[i].b, 32, topic) != STATUS_OK)
				return rpc_bad_param(call, 0, "topics: expected 32 bytes, null, or an array of them");
		}
		out->topics[out->topic_count].any_of = any_of;
		out->topics[out->topic_count++].count = wild ? 0 : count;
	}
	return STATUS_OK;
}

static enum status newest_number(struct rpc_call *call, uint64_t *out) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	*out = head->header.number;
	chain_head_release(head);
	return STATUS_OK;
}

/* A bound; the newest block if it is absent or a tag for it. */
static enum status take_bound(struct rpc_call *call, uint64_t *out, bool *newest, const struct json *value) {
	struct rpc_block_id id;
	TRY(rpc_block_id_of(call, &id, value, 0));
	if (id.kind == RPC_BLOCK_HASH) return rpc_bad_param(call, 0, "expected a block number or tag as a bound");
	*newest = id.kind != RPC_BLOCK_NUMBER;
	*out = id.number;
	return *newest ? newest_number(call, out) : STATUS_OK;
}

struct logs_query {
	struct log_filter criteria;
	bool by_hash, from_newest, to_newest;
	hash32 hash;
};

static enum status take_query(struct rpc_call *call, struct arena *arena, struct logs_query *out) {
	const struct json *object = rpc_param(call, 0);
	*out = (struct logs_query){0};
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, 0, "expected a filter object");
	const struct json *from = json_get(object, "fromBlock"), *to = json_get(object, "toBlock");
	TRY(rpc_member_hash(call, &out->hash, &out->by_hash, object, "blockHash", 0));
	if (out->by_hash && (from || to))
		return rpc_bad_param(
		    call, 0, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
	TRY(take_bound(call, &out->criteria.from, &out->from_newest, from));
	TRY(take_bound(call, &out->criteria.to, &out->to_newest, to));
	TRY(take_addresses(call, arena, &out->criteria, json_get(object, "address")));
	return take_topics(call, arena, &out->criteria, json_get(object, "topics"));
}

enum status rpc_filters_criteria(struct rpc_call *call, struct log_filter *out, struct arena *arena, size_t index) {
	const struct json *object = rpc_param(call, index);
	*out = (struct log_filter){.from = 0};
	if (!object) return STATUS_OK;
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, index, "expected a filter object");
	TRY(take_addresses(call, arena, out, json_get(object, "address")));
	return take_topics(call, arena, out, json_get(object, "topics"));
}

/* --- logs --- */

static void put_found(void *context, const struct found_log *found) {
	rpc_write_log(context, found, false);
}

/* Behind `removed`, which is JSON of logs, or empty. */
static enum status put_logs(struct rpc_call *call, const struct log_filter *criteria, struct bytes removed) {
	const uint32_t most = call->rpc->options.logs_max;
	json_array_begin(&call->out, NULL);
	if (removed.len > 0) {
		json_put_name(&call->out, NULL);
		buf_append(call->out.out, removed);
	}
	enum status status = chain_logs(call->rpc->options.chain, criteria, most, put_found, &call->out, &call->err);
	json_array_end(&call->out);
	if (status == STATUS_LIMIT)
		return rpc_fail(
		    call, RPC_SERVER_ERROR, "query returned more than %u logs; narrow its range or topics", most);
	return status;
}

enum status rpc_eth_get_logs(struct rpc_call *call) {
	struct logs_query query;
	uint64_t newest = 0;
	TRY(take_query(call, call->arena, &query));
	TRY(newest_number(call, &newest));
	if (query.by_hash) {
		struct rpc_found_block block;
		bool found;
		const struct rpc_block_id id = {.kind = RPC_BLOCK_HASH, .hash = query.hash};
		TRY(rpc_find_block(call, &block, &found, &id));
		if (!found) return rpc_fail(call, RPC_SERVER_ERROR, "unknown block");
		query.criteria.from = query.criteria.to = block.header.number;
	}
	if (query.criteria.from > query.criteria.to)
		return rpc_fail(call, RPC_INVALID_PARAMS, "invalid block range params");
	if (query.criteria.to > newest)
		return rpc_fail(call, RPC_INVALID_PARAMS, "block range extends beyond current head block");
	return put_logs(call, &query.criteria, (struct bytes){0});
}

/* --- the table of filters --- */

struct rpc_filters *rpc_filters_new(void) {
	struct rpc_filters *filters = mem_zalloc(1, sizeof *filters);
	BUG_ON(pthread_mutex_init(&filters->lock, NULL) != 0);
	return filters;
}

static bool is_taken(const struct filter *filter) {
	return !u256_is_zero(&filter->id);
}

u256 rpc_new_id(const struct rpc *rpc) {
	u256 id = u256_from(0);
	while (u256_is_zero(&id)) random_fill(rpc->options.random, id.w, ID_BYTES);
	return id;
}

enum status rpc_param_id(struct rpc_call *call, u256 *out, size_t index) {
	const struct json *value = rpc_param(call, index);
	uint8_t big_endian[32] = {0};
	if (!json_is(value, JSON_STRING)) return rpc_bad_param(call, index, "expected an id as a string");
	if (hex_quantity256(big_endian, json_string(value)) != STATUS_OK) memset(big_endian, 0, sizeof big_endian);
	*out = u256_load_be(big_endian);
	return STATUS_OK;
}

/* Under the lock. */
static void end_filter(struct rpc_filters *filters, struct filter *filter) {
	if (filter->kind == FILTER_TXS) filters->tx_filters--;
	if (filter->arena) {
		arena_fini(filter->arena);
		mem_free(filter->arena);
	}
	filters->removed_bytes -= filter->removed.len;
	buf_fini(&filter->removed);
	*filter = (struct filter){0};
}

void rpc_filters_free(struct rpc_filters *filters) {
	for (size_t i = 0; i < FILTERS_MAX; i++)
		if (is_taken(&filters->filters[i])) end_filter(filters, &filters->filters[i]);
	pthread_mutex_destroy(&filters->lock);
	mem_free(filters->recent);
	mem_free(filters);
}

void rpc_filters_tx_added(struct rpc_filters *filters, const hash32 *hash) {
	if (filters->tx_filters == 0) return;
	pthread_mutex_lock(&filters->lock);
	if (filters->recent) filters->recent[filters->seen++ % RECENT_MAX] = *hash;
	pthread_mutex_unlock(&filters->lock);
}

uint64_t rpc_filters_watch_txs(struct rpc_filters *filters, bool watch) {
	pthread_mutex_lock(&filters->lock);
	if (watch) {
		if (!filters->recent) filters->recent = mem_alloc(RECENT_MAX * sizeof *filters->recent);
		filters->tx_filters++;
	} else {
		filters->tx_filters--;
	}
	const uint64_t seen = filters->seen;
	pthread_mutex_unlock(&filters->lock);
	return seen;
}

size_t rpc_filters_txs(struct rpc_filters *filters, hash32 *out, uint64_t *place, size_t max) {
	size_t count = 0;
	pthread_mutex_lock(&filters->lock);
	if (filters->seen - *place > RECENT_MAX) *place = filters->seen - RECENT_MAX;
	while (count < max && *place < filters->seen) out[count++] = filters->recent[(*place)++ % RECENT_MAX];
	pthread_mutex_unlock(&filters->lock);
	return count;
}

static uint64_t now_ns(const struct rpc_call *call) {
	return clock_monotonic_ns(call->rpc->options.clock);
}

/* Takes a free place, or one whose filter nobody asked for; copies `made` there. Owns made->arena in any case. */
static enum status add_filter(struct rpc_call *call, struct filter made) {
	struct rpc_filters *filters = call->rpc->filters;
	const uint64_t now = now_ns(call);
	struct filter *place = NULL;
	pthread_mutex_lock(&filters->lock);
	for (size_t i = 0; i < FILTERS_MAX; i++) {
		struct filter *filter = &filters->filters[i];
		if (is_taken(filter) && now - filter->used_ns > FILTER_LIFE_NS) end_filter(filters, filter);
		if (!is_taken(filter) && !place) place = filter;
	}
	if (place) {
		made.id = rpc_new_id(call->rpc);
		made.used_ns = now;
		if (made.kind == FILTER_TXS) {
			if (!filters->recent) filters->recent = mem_alloc(RECENT_MAX * sizeof *filters->recent);
			made.next = filters->seen;
			filters->tx_filters++;
		}
		*place = made;
	}
	pthread_mutex_unlock(&filters->lock);
	if (place) {
		rpc_put_u256(&call->out, NULL, &made.id);
		return STATUS_OK;
	}
	if (made.arena) {
		arena_fini(made.arena);
		mem_free(made.arena);
	}
	return rpc_fail(call, RPC_SERVER_ERROR, "too many filters (%u)", FILTERS_MAX);
}

enum status rpc_eth_new_filter(struct rpc_call *call) {
	struct filter made = {.kind = FILTER_LOGS, .arena = mem_alloc(sizeof *made.arena)};
	struct logs_query query;
	uint64_t newest = 0;
	arena_init(made.arena);
	enum status status = take_query(call, made.arena, &query);
	if (status == STATUS_OK && query.by_hash)
		status = rpc_bad_param(call, 0, "blockHash: a filter watches for new blocks");
	if (status == STATUS_OK && !query.to_newest && query.criteria.from > query.criteria.to)
		status = rpc_fail(call, RPC_INVALID_PARAMS, "invalid block range params");
	if (status == STATUS_OK) status = newest_number(call, &newest);
	if (status != STATUS_OK) {
		arena_fini(made.arena);
		mem_free(made.arena);
		return status;
	}
	made.criteria = query.criteria;
	made.to_newest = query.to_newest;
	made.next = newest + 1;
	made.first = query.from_newest ? 0 : query.criteria.from;
	if (made.first > made.next) made.next = made.first;
	buf_init(&made.removed, REMOVED_BYTES_MAX);
	return add_filter(call, made);
}

enum status rpc_eth_new_block_filter(struct rpc_call *call) {
	struct filter made = {.kind = FILTER_BLOCKS};
	TRY(newest_number(call, &made.next));
	made.next++;
	return add_filter(call, made);
}

enum status rpc_eth_new_pending_filter(struct rpc_call *call) {
	return add_filter(call, (struct filter){.kind = FILTER_TXS});
}

/* Under the lock. NULL if there is none. */
static struct filter *find_filter(struct rpc_call *call, const u256 *id) {
	struct rpc_filters *filters = call->rpc->filters;
	const uint64_t now = now_ns(call);
	for (size_t i = 0; i < FILTERS_MAX; i++) {
		struct filter *filter = &filters->filters[i];
		if (!is_taken(filter) || !u256_equal(&filter->id, id)) continue;
		if (now - filter->used_ns > FILTER_LIFE_NS) {
			end_filter(filters, filter);
			return NULL;
		}
		filter->used_ns = now;
		return filter;
	}
	return NULL;
}

enum status rpc_eth_uninstall_filter(struct rpc_call *call) {
	struct rpc_filters *filters = call->rpc->filters;
	u256 id;
	TRY(rpc_param_id(call, &id, 0));
	pthread_mutex_lock(&filters->lock);
	struct filter *filter = find_filter(call, &id);
	if (filter) end_filter(filters, filter);
	pthread_mutex_unlock(&filters->lock);
	json_put_bool(&call->out, NULL, filter != NULL);
	return STATUS_OK;
}

/* --- blocks taken back --- */

static void keep_removed(struct rpc_filters *filters, struct filter *filter, const struct rpc_removed_block *block) {
	for (size_t i = 0; i < block->count; i++) {
		if (!log_filter_matches(&filter->criteria, block->logs[i].log)) continue;
		const size_t before = filter->removed.len;
		if (before > 0) buf_byte(&filter->removed, ',');
		struct json_writer out = json_writer(&filter->removed);
		rpc_write_log(&out, &block->logs[i], true);
		filters->removed_bytes += filter->removed.len - before;
		if (filters->removed_bytes <= REMOVED_BYTES_MAX && !filter->removed.overflow) continue;
		end_filter(filters, filter);
		return;
	}
}

/* Logs that the filter has already passed are reported as removed; what takes their place is reported anew. */
void rpc_filters_removed(struct rpc_filters *filters, const struct rpc_removed_block *block) {
	pthread_mutex_lock(&filters->lock);
	for (size_t i = 0; i < FILTERS_MAX; i++) {
		struct filter *filter = &filters->filters[i];
		if (!is_taken(filter) || filter->kind == FILTER_TXS || block->number >= filter->next) continue;
		if (filter->kind == FILTER_LOGS) {
			const bool is_told = filter->to_newest || block->number <= filter->criteria.to;
			if (block->number < filter->first) continue;
			filter->next = block->number;
			if (is_told) keep_removed(filters, filter, block);
		} else {
			filter->next = block->number;
		}
	}
	pthread_mutex_unlock(&filters->lock);
}

/* --- asking a filter --- */

/* What a poll works on, copied out so that no lock is held meanwhile. */
struct poll {
	enum filter_kind kind;
	struct log_filter criteria;
	uint64_t from, to; /* blocks */
	bool to_newest;
	hash32 *hashes;
	size_t hash_count;
	struct bytes removed; /* JSON */
};

static void copy_criteria(struct arena *arena, struct log_filter *criteria) {
	criteria->addresses = (const addr20 *)(const void *)arena_dup(
	    arena, bytes_make(criteria->addresses, criteria->address_count * sizeof(addr20)))
				  .data;
	for (size_t i = 0; i < criteria->topic_count; i++)
		criteria->topics[i].any_of = (const hash32 *)(const void *)arena_dup(
		    arena, bytes_make(criteria->topics[i].any_of, criteria->topics[i].count * sizeof(hash32)))
						 .data;
}

static void poll_txs(struct rpc_call *call, struct poll *poll, struct filter *filter) {
	struct rpc_filters *filters = call->rpc->filters;
	if (filters->seen - filter->next > RECENT_MAX) filter->next = filters->seen - RECENT_MAX;
	poll->hash_count = filters->seen - filter->next;
	poll->hashes = arena_alloc(call->arena, poll->hash_count * sizeof *poll->hashes + 1);
	for (size_t i = 0; i < poll->hash_count; i++) poll->hashes[i] = filters->recent[filter->next++ % RECENT_MAX];
}

static void poll_removed(struct rpc_call *call, struct poll *poll, struct filter *filter) {
	poll->removed = arena_dup(call->arena, buf_view(&filter->removed));
	call->rpc->filters->removed_bytes -= filter->removed.len;
	buf_fini(&filter->removed);
	buf_init(&filter->removed, REMOVED_BYTES_MAX);
}

/* The blocks [from, to] that the filter has not reported. */
static void poll_blocks(struct poll *poll, struct filter *filter) {
	poll->from = filter->next;
	if (filter->kind == FILTER_BLOCKS && poll->to >= poll->from + HASHES_A_POLL)
		poll->to = poll->from + HASHES_A_POLL - 1;
	if (poll->to >= poll->from) filter->next = poll->to + 1;
}

/* Copies what a poll needs, and moves the filter on. */
static enum status take_poll(struct rpc_call *call, struct poll *poll, bool changes) {
	struct rpc_filters *filters = call->rpc->filters;
	u256 id;
	uint64_t newest = 0;
	TRY(rpc_param_id(call, &id, 0));
	TRY(newest_number(call, &newest));
	pthread_mutex_lock(&filters->lock);
	struct filter *filter = find_filter(call, &id);
	if (filter) {
		*poll = (struct poll){.kind = filter->kind, .to_newest = filter->to_newest, .to = newest};
		if (filter->kind == FILTER_LOGS) {
			poll->criteria = filter->criteria;
			copy_criteria(call->arena, &poll->criteria);
		}
		if (changes && filter->kind == FILTER_LOGS) poll_removed(call, poll, filter);
		if (changes && filter->kind == FILTER_TXS) poll_txs(call, poll, filter);
		if (changes && filter->kind != FILTER_TXS) poll_blocks(poll, filter);
	}
	pthread_mutex_unlock(&filters->lock);
	return filter ? STATUS_OK : rpc_fail(call, RPC_SERVER_ERROR, "filter not found");
}

static enum status put_block_hashes(struct rpc_call *call, const struct poll *poll) {
	json_array_begin(&call->out, NULL);
	for (uint64_t number = poll->from; number <= poll->to; number++) {
		struct header header;
		hash32 hash;
		enum status status =
		    chain_header_by_number(call->rpc->options.chain, &header, &hash, number, &call->err);
		if (status == STATUS_NOTFOUND) break; /* unwound meanwhile */
		TRY(status);
		json_put_hex(&call->out, NULL, BYTES_OF(hash));
	}
	json_array_end(&call->out);
	return STATUS_OK;
}

static enum status put_nothing(struct rpc_call *call) {
	json_array_begin(&call->out, NULL);
	json_array_end(&call->out);
	return STATUS_OK;
}

static enum status put_hashes(struct rpc_call *call, const struct poll *poll) {
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < poll->hash_count; i++) json_put_hex(&call->out, NULL, BYTES_OF(poll->hashes[i]));
	json_array_end(&call->out);
	return STATUS_OK;
}

enum status rpc_eth_get_filter_changes(struct rpc_call *call) {
	struct poll poll;
	TRY(take_poll(call, &poll, true));
	if (poll.kind == FILTER_TXS) return put_hashes(call, &poll);
	if (poll.kind == FILTER_BLOCKS) return put_block_hashes(call, &poll);
	if (!poll.to_newest && poll.criteria.to < poll.to) poll.to = poll.criteria.to;
	poll.criteria.from = poll.from;
	poll.criteria.to = poll.to;
	return put_logs(call, &poll.criteria, poll.removed);
}

enum status rpc_eth_get_filter_logs(struct rpc_call *call) {
	struct poll poll;
	TRY(take_poll(call, &poll, false));
	if (poll.kind != FILTER_LOGS) return rpc_fail(call, RPC_SERVER_ERROR, "filter not found");
	if (poll.to_newest || poll.criteria.to > poll.to) poll.criteria.to = poll.to;
	if (poll.criteria.from > poll.criteria.to) return put_nothing(call);
	return put_logs(call, &poll.criteria, (struct bytes){0});
}
