#include "health/chain/logs.h"

#include <stdlib.h>

#include "health/chain/client_private.h"

/* JSON-RPC 2.0, §5.1: what no smaller range mends. */
#define ERROR_PARSE (-32700)
#define ERROR_REQUEST (-32600)
#define ERROR_METHOD (-32601)

static bool takes(const struct logs_topic *place, const hash32 *value) {
	for (size_t i = 0; i < place->count; i++)
		if (hash32_equal(&place->any_of[i], value)) return true;
	return place->count == 0;
}

bool logs_match(const struct logs_query *query, const struct log *log) {
	if (query->address && !addr20_equal(query->address, &log->address)) return false;
	for (unsigned i = 0; i < 4; i++) {
		if (query->topics[i].count == 0) continue;
		if (i >= log->topic_count || !takes(&query->topics[i], &log->topics[i])) return false;
	}
	return true;
}

int logs_compare(const struct client_log *a, const struct client_log *b) {
	if (a->block_number != b->block_number) return a->block_number < b->block_number ? -1 : 1;
	return a->log_index == b->log_index ? 0 : a->log_index < b->log_index ? -1 : 1;
}

static int compare(const void *a, const void *b) {
	return logs_compare(a, b);
}

void logs_settle(struct client_log *logs, size_t *count) {
	size_t kept = 0;
	bool is_ordered = true;
	for (size_t i = 1; i < *count && is_ordered; i++) is_ordered = logs_compare(&logs[i - 1], &logs[i]) < 0;
	if (is_ordered) return;
	qsort(logs, *count, sizeof *logs, compare);
	for (size_t i = 0; i < *count; i++)
		if (kept == 0 || logs_compare(&logs[kept - 1], &logs[i]) != 0) logs[kept++] = logs[i];
	*count = kept;
}

/* --- one question --- */

static void put_topics(struct json_writer *writer, const struct logs_query *query) {
	int last = 3;
	while (last >= 0 && query->topics[last].count == 0) last--;
	json_array_begin(writer, "topics");
	for (int i = 0; i <= last; i++) {
		const struct logs_topic *place = &query->topics[i];
		if (place->count == 0) {
			json_put_null(writer, NULL);
			continue;
		}
		json_array_begin(writer, NULL);
		for (size_t n = 0; n < place->count; n++) json_put_hex(writer, NULL, BYTES_OF(place->any_of[n]));
		json_array_end(writer);
	}
	json_array_end(writer);
}

static void put_query(struct buf *out, const struct logs_query *query, uint64_t from, uint64_t to) {
	struct json_writer writer = json_writer(out);
	json_array_begin(&writer, NULL);
	json_object_begin(&writer, NULL);
	json_put_quantity(&writer, "fromBlock", from);
	json_put_quantity(&writer, "toBlock", to);
	if (query->address) json_put_hex(&writer, "address", BYTES_OF(*query->address));
	put_topics(&writer, query);
	json_object_end(&writer);
	json_array_end(&writer);
}

enum status client_read_log(struct log *out, struct arena *arena, const struct json *entry, struct err *err) {
	const struct json *topics = json_get(entry, "topics");
	*out = (struct log){0};
	TRY(client_answer_fixed(out->address.b, 20, json_get(entry, "address"), "log's address", err));
	if (!json_is(topics, JSON_ARRAY) || topics->count > 4)
		return client_senseless(err, "the node's answer holds a log without topics");
	json_foreach (topic, topics)
		TRY(client_answer_fixed(out->topics[out->topic_count++].b, 32, topic, "log's topic", err));
	return client_answer_data(&out->data, arena, json_get(entry, "data"), "log's data", err);
}

static enum status read_found(struct client_log *out, struct arena *arena, const struct json *entry, struct err *err) {
	uint64_t index;
	const struct json *timestamp = json_get(entry, "blockTimestamp");
	TRY(client_read_log(&out->log, arena, entry, err));
	TRY(client_answer_quantity(&out->block_number, json_get(entry, "blockNumber"), "log's block number", err));
	TRY(client_answer_quantity(&index, json_get(entry, "logIndex"), "log's index", err));
	TRY(client_answer_fixed(out->tx_hash.b, 32, json_get(entry, "transactionHash"), "log's transaction hash", err));
	if (timestamp) TRY(client_answer_quantity(&out->timestamp, timestamp, "log's timestamp", err));
	if (index > UINT32_MAX) return client_senseless(err, "the node shows a log of an impossible index");
	out->log_index = (uint32_t)index;
	return STATUS_OK;
}

static enum status read_answer(struct client_log **logs, size_t *count, struct arena *arena, const struct json *answer,
    const struct logs_query *query, const uint64_t range[2], struct err *err) {
	if (!json_is(answer, JSON_ARRAY)) return client_senseless(err, "the node's answer holds no list of logs");
	*logs = arena_zalloc(arena, answer->count + 1, sizeof **logs);
	*count = 0;
	json_foreach (entry, answer) {
		struct client_log *log = &(*logs)[*count];
		TRY(read_found(log, arena, entry, err));
		if (log->block_number < range[0] || log->block_number > range[1] || !logs_match(query, &log->log))
			return client_senseless(err, "the node shows a log that was not asked for");
		++*count;
	}
	logs_settle(*logs, count);
	return STATUS_OK;
}

/* STATUS_LIMIT: a smaller range may be answered. */
static enum status ask(struct client *client, const struct json **answer, struct arena *arena,
    const struct logs_query *query, const uint64_t range[2], struct err *err) {
	struct buf params;
	struct client_error error = {0};
	buf_init(&params, CLIENT_ANSWER_MAX);
	put_query(&params, query, range[0], range[1]);
	enum status status = client_rpc(client, answer, &error, arena, "eth_getLogs", buf_view(&params), err);
	buf_fini(&params);
	if (status == STATUS_LIMIT) return status; /* an answer larger than this client takes */
	if (status != STATUS_DENIED) return status;
	bool is_final = error.code == ERROR_PARSE || error.code == ERROR_REQUEST || error.code == ERROR_METHOD;
	return is_final ? STATUS_DENIED : STATUS_LIMIT;
}

uint64_t logs_page_end(const struct logs_walk *walk) {
	uint64_t span = walk->span ? walk->span : LOGS_SPAN_MAX, left = walk->last_block - walk->next_block + 1;
	return walk->next_block + (span < left ? span : left) - 1;
}

enum status logs_page(struct logs_walk *walk, struct client *client, struct client_log **logs, size_t *count,
    struct arena *arena, const struct logs_query *query, struct err *err) {
	const struct json *answer;
	uint64_t range[2] = {walk->next_block, logs_page_end(walk)}, blocks = range[1] - range[0] + 1;
	enum status status = ask(client, &answer, arena, query, range, err);
	*logs = NULL;
	*count = 0;
	if (status == STATUS_LIMIT && blocks > 1) {
		walk->span = blocks / 2;
		return STATUS_OK;
	}
	if (status == STATUS_LIMIT)
		return err_prefix(
		    err, STATUS_DENIED, "the node does not give the logs of block %llu", (unsigned long long)range[0]);
	TRY(status);
	TRY(read_answer(logs, count, arena, answer, query, range, err));
	walk->next_block = range[1] + 1;
	if (walk->span && walk->span < LOGS_SPAN_MAX) walk->span *= 2;
	return STATUS_OK;
}

/* --- filters --- */

static struct logs_query query_of(const struct client_log_filter *filter) {
	struct logs_query query = {.address = filter->address};
	for (unsigned i = 0; i < 4; i++)
		if (filter->has_topic[i]) query.topics[i] = (struct logs_topic){&filter->topics[i], 1};
	return query;
}

struct found {
	struct client_log *logs;
	size_t count, room;
};

static void add(struct found *found, struct arena *arena, const struct client_log *logs, size_t count) {
	if (found->count + count > found->room) {
		found->room = 2 * found->room + count;
		struct client_log *larger = arena_zalloc(arena, found->room + 1, sizeof *larger);
		if (found->count) memcpy(larger, found->logs, found->count * sizeof *larger);
		found->logs = larger;
	}
	if (count) memcpy(found->logs + found->count, logs, count * sizeof *logs);
	found->count += count;
}

static enum status ask_all(struct found *found, struct client *client, struct arena *arena,
    const struct client_log_filter *filter, uint64_t newest, struct err *err) {
	struct logs_walk walk = {.next_block = filter->from_block, .last_block = newest};
	struct logs_query query = query_of(filter);
	while (walk.next_block <= walk.last_block) {
		struct client_log *logs;
		size_t count;
		TRY(logs_page(&walk, client, &logs, &count, arena, &query, err));
		add(found, arena, logs, count);
	}
	return STATUS_OK;
}

static enum status ask_node(struct client *client, struct client_log **logs, size_t *count, struct arena *arena,
    const struct client_log_filter *filters, size_t filter_count, struct err *err) {
	struct found found = {0};
	uint64_t newest;
	TRY(client_block_number(client, &newest, err));
	for (size_t i = 0; i < filter_count; i++) TRY(ask_all(&found, client, arena, &filters[i], newest, err));
	logs_settle(found.logs, &found.count);
	*logs = found.logs ? found.logs : arena_zalloc(arena, 1, sizeof **logs);
	*count = found.count;
	return STATUS_OK;
}

enum status client_logs_kept(struct client *client, struct client_log **logs, size_t *count, struct arena *arena,
    const struct client_log_filter *filters, size_t filter_count, struct err *err) {
	const struct client_log_keeper *keeper = client->keeper;
	if (keeper) return keeper->logs(keeper->context, client, logs, count, arena, filters, filter_count, err);
	return ask_node(client, logs, count, arena, filters, filter_count, err);
}

enum status client_logs(struct client *client, struct client_log **logs, size_t *count, struct arena *arena,
    const struct client_log_filter *filter, struct err *err) {
	return ask_node(client, logs, count, arena, filter, 1, err);
}
