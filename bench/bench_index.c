/*
 * The home's index: events a second from an empty home, bytes a resource, opening with a million, one folder's
 * question; packs a second, bytes a pack, finding one. The node is a scripted one in this process (tests/fake_node.h),
 * which gives 10,000 logs an answer as xinglin's own does; the time inside it is not counted.
 *
 *	bench_index DIRECTORY [EVENTS] [FOLDERS]
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "health/index/index.h"
#include "tests/fake_node.h"

#define LOGS_OF_AN_ANSWER 10000u
#define EVENTS_OF_A_BLOCK 50u
#define OPENINGS 20

static double node_seconds;

static double now(void) {
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static enum status timed_exchange(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	double begin = now();
	enum status status = fake_exchange(context, response, method, url, headers, body, err);
	node_seconds += now() - begin;
	return status;
}

/* As RecordAdded: folder, record and author indexed, four words of data. */
static void fill(struct fake_node *node, size_t events, size_t folders) {
	uint8_t *data = mem_zalloc(events, 128);
	uint64_t random = 88172645463325252ull;
	node->logs = mem_zalloc(events, sizeof *node->logs);
	node->log_count = events;
	node->head = 1 + events / EVENTS_OF_A_BLOCK;
	for (size_t i = 0; i < events; i++) {
		struct fake_log *log = &node->logs[i];
		*log =
		    (struct fake_log){.block = 1 + i / EVENTS_OF_A_BLOCK, .index = (uint32_t)(i % EVENTS_OF_A_BLOCK)};
		log->log = (struct log){.address = {{0xc0}}, .topic_count = 4};
		memset(log->log.topics[0].b, 0xad, 32);
		memset(log->log.topics[1].b, 0xf0, 32);
		store_be64(log->log.topics[1].b, i % folders);
		for (size_t word = 0; word < 4; word++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			store_be64(log->log.topics[2].b + 8 * word, random);
			store_be64(data + 128 * i + 32 + 8 * word, random * 3);
			store_be64(data + 128 * i + 64 + 8 * word, random * 5);
		}
		memset(log->log.topics[3].b + 12, 0xa0, 20);
		data[128 * i + 31] = 1;
		store_be64(data + 128 * i + 120, 4096);
		log->log.data = bytes_make(data + 128 * i, 128);
	}
}

static struct client_log_filter of_author(const struct fake_node *node) {
	struct client_log_filter filter = {.address = &node->logs[0].log.address, .has_topic = {true, [3] = true}};
	filter.topics[0] = node->logs[0].log.topics[0];
	filter.topics[3] = node->logs[0].log.topics[3];
	return filter;
}

static struct client_log_filter of_folder(const struct fake_node *node, size_t folder) {
	struct client_log_filter filter = {.address = &node->logs[0].log.address, .has_topic = {true, true}};
	filter.topics[0] = node->logs[0].log.topics[0];
	filter.topics[1] = node->logs[folder].log.topics[1];
	return filter;
}

/* Seconds of our own that a question took; the index is opened for it, as a command does. */
static double ask(const struct home *home, struct client *client, const struct client_log_filter *filter, size_t *count,
    struct err *err) {
	struct arena arena;
	struct client_log *logs;
	double begin = now();
	node_seconds = 0;
	arena_init(&arena);
	struct index *index = index_new(home, NULL);
	client_keep_logs(client, index_keeper(index));
	if (client_logs(client, &logs, count, &arena, filter, err) != STATUS_OK) {
		fprintf(stderr, "bench_index: %s\n", err->message);
		exit(1);
	}
	client_keep_logs(client, NULL);
	index_free(index);
	arena_fini(&arena);
	return now() - begin - node_seconds;
}

/* --- packs --- */

#define PACKS_OF_A_DOCUMENT 10000u
#define PATH_LEN 14u /* of a lot of 10,000 */
#define LOOKUPS 10000u

static void make_document(struct document *document, struct arena *arena, uint64_t number) {
	struct document_batch batch = {.gtin = "04012345678901", .expiry_s = 1900000000};
	struct document_part part = {.count = PACKS_OF_A_DOCUMENT};
	batch.lot = arena_printf(arena, "L%llu", (unsigned long long)number);
	store_be64(batch.id.b, number + 1);
	store_be64(document->hash.b, number + 1);
	part.batch = document_add_batch(document, arena, &batch);
	const uint32_t first_part = document_add_part(document, arena, &part);
	for (uint32_t i = 0; i < PACKS_OF_A_DOCUMENT; i++) {
		hash32 *path = arena_alloc(arena, PATH_LEN * sizeof *path);
		memset(path, (int)i, PATH_LEN * sizeof *path);
		struct document_unit unit = {.batch = part.batch,
		    .part = first_part,
		    .index = i,
		    .container = DOCUMENT_NO_CONTAINER,
		    .path = path,
		    .path_len = PATH_LEN};
		unit.serial = arena_printf(arena, "%llu%05u", (unsigned long long)number, i);
		memset(unit.tag.b, (int)i, sizeof unit.tag.b);
		document_add_unit(document, arena, &unit);
	}
}

static void packs(const struct home *home, uint64_t documents, struct err *err) {
	struct arena arena;
	struct stock stock;
	struct stock_unit unit;
	struct index_counts before, after;
	struct index *index = index_new(home, NULL);
	double taking = 0, begin;
	bool found;
	arena_init(&arena);
	struct actor_request request = {.home = (struct home *)home, .arena = &arena};
	if (index_stock(index, &stock, &request, err) != STATUS_OK) exit(1);
	if (index_count(index, &before, err) != STATUS_OK) exit(1);
	for (uint64_t i = 0; i < documents; i++) {
		struct arena_mark mark = arena_mark(&arena);
		struct document document = {.unit_count = 0};
		make_document(&document, &arena, i);
		begin = now();
		if (stock.source->take(stock.context, &document, err) != STATUS_OK) exit(1);
		taking += now() - begin;
		arena_rewind(&arena, mark);
	}
	if (index_count(index, &after, err) != STATUS_OK) exit(1);
	uint64_t units = after.units - before.units;
	printf("%llu packs taken in: %.0f a second; %.0f bytes a pack\n", (unsigned long long)units,
	    (double)units / taking, (double)(after.bytes - before.bytes) / (double)units);
	begin = now();
	for (uint64_t i = 0; i < LOOKUPS; i++) {
		struct arena_mark mark = arena_mark(&arena);
		const char *serial = arena_printf(&arena, "%llu%05llu", (unsigned long long)(i * 7919 % documents),
		    (unsigned long long)(i * 104729 % PACKS_OF_A_DOCUMENT));
		if (stock_unit(&stock, &unit, &found, "04012345678901", serial, err) != STATUS_OK || !found) exit(1);
		arena_rewind(&arena, mark);
	}
	printf("a pack by its serial: %.1f us\n", 1e6 * (now() - begin) / LOOKUPS);
	index_free(index);
	arena_fini(&arena);
}

int main(int argc, char **argv) {
	size_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	size_t folders = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000, count;
	struct fake_node node = {.branch_from = UINT64_MAX, .logs_max = LOGS_OF_AN_ANSWER};
	struct home home = {.directory = argv[1], .has_deployment = true};
	struct err err;
	char path[4096];
	struct stat info;
	if (argc < 2 || events == 0 || folders == 0 || folders > events) return 2;
	fill(&node, events, folders);
	home.deployment.genesis = fake_hash(&node, 0);
	struct client *client = fake_client(&node);
	((struct http_client *)client_options_of(client)->http)->exchange = timed_exchange;

	struct client_log_filter one = of_folder(&node, 7), all = of_author(&node);
	double seconds = ask(&home, client, &one, &count, &err);
	printf("a folder of %zu events among %zu, read for the first time: %.1f ms\n", count, events, 1e3 * seconds);
	seconds = ask(&home, client, &all, &count, &err);
	snprintf(path, sizeof path, "%s/index.db", argv[1]);
	if (stat(path, &info) != 0) return 1;
	printf("followed and read back %zu events: %.1f s, %.0f events/s; %.0f bytes an event\n", count, seconds,
	    (double)count / seconds, (double)info.st_size / (double)count);
	node.log_requests = 0;
	seconds = 0;
	for (int i = 0; i < OPENINGS; i++) seconds += ask(&home, client, &one, &count, &err);
	printf("opened with a million, and the folder's %zu events again: %.2f ms, %u questions for logs\n", count,
	    1e3 * seconds / OPENINGS, node.log_requests);
	packs(&home, events / PACKS_OF_A_DOCUMENT, &err);
	return 0;
}
