/* The index as a keeper of logs: beside the node itself, after kills, with damaged files, and what its files show. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "health/index/index_private.h"
#include "tests/fake_node.h"
#include "tests/unit.h"

#define BLOCKS 600u
#define LOGS_MAX 8192u
#define SECRET "PLANTED-PLAINTEXT"

static const addr20 contract = {{0xc0}};

struct world {
	char directory[64];
	struct home home;
	struct fake_node node;
	struct fake_log logs[LOGS_MAX];
	struct client *client; /* asks the index */
	struct client *plain;  /* asks the node */
	struct index *index;
	struct arena arena;
	struct err err;
};

static hash32 topic_of(uint64_t number) {
	hash32 topic = {{0x70}};
	store_be64(topic.b + 24, number);
	return topic;
}

/* Three logs a block, of different shapes. */
static void fill(struct world *world, uint64_t from, uint64_t to) {
	static const uint8_t data[] = "\0\0\0" SECRET " in the data of a log, longer than a word, and no whole words";
	for (uint64_t block = from; block <= to; block++)
		for (uint32_t i = 0; i < 3; i++) {
			struct fake_log *log = &world->logs[world->node.log_count++];
			*log = (struct fake_log){.block = block, .index = 2 * i};
			log->log = (struct log){.address = contract, .topic_count = (uint8_t)(2 + i)};
			log->log.topics[0] = topic_of(i);
			log->log.topics[1] = topic_of(block % 7);
			if (i > 0) memcpy(log->log.topics[2].b + 3, SECRET, sizeof SECRET - 1);
			log->log.data = bytes_make(data, i == 0 ? 0 : i == 1 ? 64 : sizeof data);
		}
	world->node.head = to;
}

static void open_index(struct world *world) {
	world->index = index_new(&world->home, NULL);
	client_keep_logs(world->client, index_keeper(world->index));
}

static void close_index(struct world *world) {
	client_keep_logs(world->client, NULL);
	index_free(world->index);
	world->index = NULL;
}

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-index-XXXXXX");
	if (!mkdtemp(world->directory)) return -1;
	world->home.directory = world->directory;
	memset(world->home.entropy, 0x5e, sizeof world->home.entropy);
	world->node.logs = world->logs;
	world->node.branch_from = UINT64_MAX;
	world->home.deployment.genesis = fake_hash(&world->node, 0);
	world->home.has_deployment = true;
	fill(world, 1, BLOCKS);
	world->client = fake_client(&world->node);
	world->plain = fake_client(&world->node);
	arena_init(&world->arena);
	open_index(world);
	*state = world;
	return 0;
}

static void free_client(struct client *client) {
	mem_free((void *)client_options_of(client)->http);
	client_close(client);
}

static int teardown(void **state) {
	struct world *world = *state;
	char path[128];
	close_index(world);
	snprintf(path, sizeof path, "%s/index.db", world->directory);
	db_remove(path);
	rmdir(world->directory);
	free_client(world->client);
	free_client(world->plain);
	arena_fini(&world->arena);
	mem_free(world);
	return 0;
}

/* --- the index beside the node --- */

static bool same_log(const struct client_log *a, const struct client_log *b) {
	bool same = logs_compare(a, b) == 0 && a->timestamp == b->timestamp && hash32_equal(&a->tx_hash, &b->tx_hash) &&
		    addr20_equal(&a->log.address, &b->log.address) && a->log.topic_count == b->log.topic_count &&
		    bytes_equal(a->log.data, b->log.data);
	for (unsigned i = 0; i < a->log.topic_count && same; i++)
		same = hash32_equal(&a->log.topics[i], &b->log.topics[i]);
	return same;
}

static size_t expect_same(struct world *world, const struct client_log_filter *filters, size_t filter_count) {
	struct client_log *kept, *shown;
	size_t kept_count, shown_count;
	assert_int_equal(
	    client_logs_kept(world->client, &kept, &kept_count, &world->arena, filters, filter_count, &world->err),
	    STATUS_OK);
	assert_int_equal(
	    client_logs_kept(world->plain, &shown, &shown_count, &world->arena, filters, filter_count, &world->err),
	    STATUS_OK);
	assert_int_equal(kept_count, shown_count);
	for (size_t i = 0; i < kept_count; i++) assert_true(same_log(&kept[i], &shown[i]));
	return kept_count;
}

static struct client_log_filter filter_of(int first, int second) {
	struct client_log_filter filter = {.address = &contract, .has_topic = {first >= 0, second >= 0}};
	if (first >= 0) filter.topics[0] = topic_of((uint64_t)first);
	if (second >= 0) filter.topics[1] = topic_of((uint64_t)second);
	return filter;
}

static void the_index_answers_as_the_node_does(void **state) {
	struct world *world = *state;
	struct client_log_filter filters[4] = {filter_of(-1, 3), filter_of(1, -1), filter_of(2, 5), filter_of(0, 3)};
	for (size_t i = 0; i < 4; i++) expect_same(world, &filters[i], 1);
	expect_same(world, filters, 4);
	filters[1].from_block = 580;
	assert_int_equal(expect_same(world, &filters[1], 1), BLOCKS - 579);
	fill(world, BLOCKS + 1, BLOCKS + 20);
	expect_same(world, filters, 4);
	close_index(world);
	open_index(world);
	expect_same(world, filters, 4);
}

static void a_filter_that_first_began_late_reads_what_came_before(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	filter.from_block = 500;
	expect_same(world, &filter, 1);
	filter.from_block = 0;
	assert_int_equal(expect_same(world, &filter, 1), BLOCKS);
}

/* Another program asks with the same file, by its own node: one with another head, or one that breaks off. */
static enum status ask_elsewhere(struct fake_node *node, uint64_t head, unsigned fails_after) {
	struct world *world = (struct world *)((char *)node - offsetof(struct world, node));
	struct fake_node other = *node;
	struct client_log_filter filter = filter_of(1, -1);
	struct client_log *logs;
	size_t count;
	other.head = head;
	other.fails_after = fails_after ? other.requests + fails_after : 0;
	struct index *index = index_new(&world->home, NULL);
	struct client *client = fake_client(&other);
	client_keep_logs(client, index_keeper(index));
	enum status status = client_logs_kept(client, &logs, &count, &world->arena, &filter, 1, NULL);
	free_client(client);
	index_free(index);
	return status;
}

static void begins_earlier_and_breaks_off(struct fake_node *node) {
	assert_int_equal(ask_elsewhere(node, node->head, 1), STATUS_IO);
}

static void unwinds(struct fake_node *node) {
	assert_int_equal(ask_elsewhere(node, 500, 0), STATUS_OK);
}

static void blocks_before_a_filters_first_are_not_passed_over(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	filter.from_block = 400;
	world->node.head = 500;
	expect_same(world, &filter, 1);
	world->node.head = BLOCKS;
	world->node.before_logs = begins_earlier_and_breaks_off;
	expect_same(world, &filter, 1);
	filter.from_block = 0;
	assert_int_equal(expect_same(world, &filter, 1), BLOCKS);
}

static void what_another_program_unwound_is_read_again(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	world->node.head = 500;
	expect_same(world, &filter, 1);
	world->node.head = BLOCKS;
	expect_same(world, &filter, 1);
	world->node.before_head = unwinds;
	assert_int_equal(expect_same(world, &filter, 1), BLOCKS);
}

static void what_was_read_once_is_not_asked_again(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(0, -1);
	struct client_log *logs;
	size_t count;
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(
		    client_logs_kept(world->client, &logs, &count, &world->arena, &filter, 1, &world->err), STATUS_OK);
		assert_int_equal(count, BLOCKS);
		assert_int_equal(world->node.log_requests, 1);
		close_index(world);
		open_index(world);
	}
}

/* What a node hid is asked again, unless the caller takes what is kept. */
static void one_filter_alone_is_asked_of_the_node_each_time(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(0, -1);
	struct client_log *logs;
	size_t count;
	const size_t all = world->node.log_count;
	world->node.log_count = 0;
	assert_int_equal(
	    client_logs_kept(world->client, &logs, &count, &world->arena, &filter, 1, &world->err), STATUS_OK);
	assert_int_equal(count, 0);
	world->node.log_count = all;
	assert_int_equal(
	    client_logs_kept(world->client, &logs, &count, &world->arena, &filter, 1, &world->err), STATUS_OK);
	assert_int_equal(count, 0);
	assert_int_equal(client_logs(world->client, &logs, &count, &world->arena, &filter, &world->err), STATUS_OK);
	assert_int_equal(count, BLOCKS);
}

static void a_reorganisation_takes_rows_away_and_reads_the_new_ones(void **state) {
	struct world *world = *state;
	struct client_log_filter filters[2] = {filter_of(0, -1), filter_of(-1, 2)};
	for (uint64_t head = BLOCKS - 10; head <= BLOCKS; head++) {
		world->node.head = head;
		expect_same(world, filters, 2);
	}
	world->node.branch_from = BLOCKS - 4;
	world->node.branch = 1;
	world->node.head = BLOCKS - 2;
	for (size_t i = 0; i < world->node.log_count; i++)
		if (world->logs[i].block >= BLOCKS - 4) world->logs[i].log.data = BYTES_LITERAL("another branch");
	while (world->logs[world->node.log_count - 1].block > BLOCKS - 2) world->node.log_count--;
	expect_same(world, filters, 2);
	filters[0] = filter_of(1, 1); /* one that is new */
	expect_same(world, filters, 2);
}

static void two_programs_may_follow_with_one_file(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(0, -1);
	struct client *other = fake_client(&world->node);
	struct index *second = index_new(&world->home, NULL);
	struct client_log *logs;
	size_t count;
	client_keep_logs(other, index_keeper(second));
	for (unsigned round = 0; round < 5; round++) {
		expect_same(world, &filter, 1);
		world->node.branch_from = world->node.head - 1;
		world->node.branch++;
		assert_int_equal(
		    client_logs_kept(other, &logs, &count, &world->arena, &filter, 1, &world->err), STATUS_OK);
		assert_int_equal(count, world->node.head);
		fill(world, world->node.head + 1, world->node.head + 2);
	}
	index_free(second);
	free_client(other);
}

static void following_in_the_background_brings_all_watches_to_the_head(void **state) {
	struct world *world = *state;
	struct client_log_filter filters[2] = {filter_of(0, -1), filter_of(-1, 2)};
	expect_same(world, filters, 2);
	fill(world, BLOCKS + 1, BLOCKS + 50);
	assert_int_equal(index_follow(world->index, world->client, &world->err), STATUS_OK);
	unsigned asked = world->node.log_requests;
	struct client_log *logs;
	size_t count;
	assert_int_equal(
	    client_logs_kept(world->client, &logs, &count, &world->arena, filters, 2, &world->err), STATUS_OK);
	assert_int_equal(world->node.log_requests, asked);
}

/* --- threads --- */

struct monitor {
	pthread_mutex_t mutex;
};

static struct monitor *new_monitor(void *context) {
	struct monitor *monitor = mem_zalloc(1, sizeof *monitor);
	(void)context;
	pthread_mutex_init(&monitor->mutex, NULL);
	return monitor;
}

static void free_monitor(struct monitor *monitor) {
	pthread_mutex_destroy(&monitor->mutex);
	mem_free(monitor);
}

static void lock(struct monitor *monitor) {
	pthread_mutex_lock(&monitor->mutex);
}

static void unlock(struct monitor *monitor) {
	pthread_mutex_unlock(&monitor->mutex);
}

static const struct threads threads = {
    .monitor_new = new_monitor, .monitor_free = free_monitor, .lock = lock, .unlock = unlock};

struct reader {
	struct fake_node node; /* a copy: its counters are this thread's */
	struct index *index;
	unsigned number;
	bool failed;
};

static void *read_often(void *context) {
	struct reader *reader = context;
	struct client *client = fake_client(&reader->node);
	client_keep_logs(client, index_keeper(reader->index));
	for (unsigned round = 0; round < 12 && !reader->failed; round++) {
		struct client_log_filter filter = filter_of((int)(round % 3), (int)((round + reader->number) % 7));
		struct client_log *logs;
		struct arena arena;
		size_t count;
		arena_init(&arena);
		reader->node.head = BLOCKS / 2 + 20 * round;
		enum status status = client_logs_kept(client, &logs, &count, &arena, &filter, 1, NULL);
		for (size_t i = 1; i < count && status == STATUS_OK; i++)
			if (logs[i].block_number != logs[i - 1].block_number + 7) status = STATUS_CORRUPT;
		reader->failed = status != STATUS_OK || count == 0;
		arena_fini(&arena);
	}
	free_client(client);
	return NULL;
}

static void several_threads_share_an_index(void **state) {
	struct world *world = *state;
	struct reader readers[4];
	pthread_t ids[4];
	struct index *index = index_new(&world->home, &threads);
	for (unsigned i = 0; i < 4; i++) {
		readers[i] = (struct reader){.node = world->node, .index = index, .number = i};
		assert_int_equal(pthread_create(&ids[i], NULL, read_often, &readers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(ids[i], NULL);
		assert_false(readers[i].failed);
	}
	index_free(index);
}

/* --- kills --- */

/* Follows page by page in a child that is killed at some moment; then the index must be whole and go on. */
static void killed_at_any_moment_the_index_is_whole(void **state) {
	struct world *world = *state;
	struct client_log_filter filters[2] = {filter_of(0, -1), filter_of(-1, 2)};
	close_index(world);
	world->node.blocks_max = 3;
	for (unsigned round = 0; round < 25; round++) {
		pid_t child = fork();
		if (child == 0) {
			struct client_log *logs;
			size_t count;
			open_index(world);
			_exit(client_logs_kept(world->client, &logs, &count, &world->arena, filters, 2, NULL));
		}
		assert_true(child > 0);
		usleep(200 + 700 * round);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	open_index(world);
	assert_int_equal(index_open(world->index, &world->err), STATUS_OK);
	int64_t bad;
	/* a cursor never stands behind a row, and each row that was seen is there */
	assert_int_equal(
	    db_number(world->index->db, &bad,
		"SELECT count(*) FROM seen s JOIN watch w ON w.id = s.watch WHERE s.block >= w.next", &world->err),
	    STATUS_OK);
	assert_int_equal(bad, 0);
	assert_int_equal(db_number(world->index->db, &bad,
			     "SELECT count(*) FROM seen s LEFT JOIN log l ON l.block = s.block AND l.place = s.place"
			     " WHERE l.block IS NULL",
			     &world->err),
	    STATUS_OK);
	assert_int_equal(bad, 0);
	expect_same(world, filters, 2);
}

/* --- files --- */

static struct bytes file_of(struct world *world, const char *suffix) {
	char path[128];
	struct stat info;
	snprintf(path, sizeof path, "%s/index.db%s", world->directory, suffix);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &info) != 0) return (struct bytes){NULL, 0};
	uint8_t *data = arena_alloc(&world->arena, (size_t)info.st_size);
	assert_int_equal(read(fd, data, (size_t)info.st_size), info.st_size);
	close(fd);
	return bytes_make(data, (size_t)info.st_size);
}

static void no_file_of_the_index_shows_what_is_in_it(void **state) {
	struct world *world = *state;
	static const char *const words[] = {SECRET, "SQLite format 3", "CREATE TABLE", "generation", "identity"};
	struct client_log_filter filters[2] = {filter_of(1, -1), filter_of(2, -1)};
	expect_same(world, filters, 2);
	struct bytes shown[] = {file_of(world, ""), file_of(world, "-wal"), file_of(world, "-shm")};
	assert_true(shown[1].len > 100000); /* the rows are in the log of writes now */
	for (unsigned round = 0; round < 2; round++) {
		for (size_t f = 0; f < 3; f++) {
			for (size_t w = 0; w < sizeof words / sizeof *words && shown[f].len; w++)
				assert_null(memmem(shown[f].data, shown[f].len, words[w], strlen(words[w])));
			if (shown[f].len) assert_null(memmem(shown[f].data, shown[f].len, topic_of(3).b, 32));
		}
		close_index(world);
		open_index(world);
		shown[0] = file_of(world, ""); /* closing moved them into the file */
		shown[1] = shown[2] = (struct bytes){NULL, 0};
		assert_true(round == 1 || shown[0].len > 50000);
	}
	struct stat info;
	char path[128];
	snprintf(path, sizeof path, "%s/index.db", world->directory);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_wrong_key_opens_nothing_and_the_index_is_made_anew(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	uint8_t wrong[32] = {1};
	struct db *db;
	char path[128];
	expect_same(world, &filter, 1);
	close_index(world);
	snprintf(path, sizeof path, "%s/index.db", world->directory);
	assert_int_equal(db_open(&db, path, wrong, &world->err), STATUS_CORRUPT);
	open_index(world);
	unsigned asked = world->node.log_requests;
	expect_same(world, &filter, 1);
	assert_int_equal(world->node.log_requests, asked + 1); /* of the plain client: the file was not harmed */
	close_index(world);
	world->home.entropy[0] ^= 1;
	open_index(world);
	expect_same(world, &filter, 1);
}

static void damage_anywhere_is_found_and_the_index_is_made_anew(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	char path[128];
	expect_same(world, &filter, 1);
	snprintf(path, sizeof path, "%s/index.db", world->directory);
	close_index(world);
	size_t len = file_of(world, "").len;
	for (size_t at = 5; at < len; at += 4096 * 3 + 517) {
		int fd = open(path, O_RDWR);
		uint8_t byte;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		open_index(world);
		expect_same(world, &filter, 1);
		close_index(world);
	}
	assert_int_equal(truncate(path, 5000), 0);
	open_index(world);
	expect_same(world, &filter, 1);
	close_index(world);
	db_remove(path);
	open_index(world);
	expect_same(world, &filter, 1);
}

static void another_deployment_or_schema_begins_anew(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	struct index_counts counts;
	expect_same(world, &filter, 1);
	assert_int_equal(index_count(world->index, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.logs, BLOCKS);
	close_index(world);
	world->home.deployment.consent.b[0] ^= 1;
	open_index(world);
	assert_int_equal(index_count(world->index, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.logs, 0);
	assert_int_equal(db_run(world->index->db, "PRAGMA user_version=99", &world->err), STATUS_OK);
	close_index(world);
	open_index(world);
	expect_same(world, &filter, 1);
}

static void a_home_that_cannot_be_written_is_an_error(void **state) {
	struct world *world = *state;
	struct client_log_filter filter = filter_of(1, -1);
	struct client_log *logs;
	size_t count;
	char *directory = world->home.directory;
	close_index(world);
	world->home.directory = "/proc/none";
	open_index(world);
	assert_int_equal(
	    client_logs_kept(world->client, &logs, &count, &world->arena, &filter, 1, &world->err), STATUS_IO);
	assert_non_null(strstr(world->err.message, "index"));
	world->home.directory = directory;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_index_answers_as_the_node_does),
	    TEST(a_filter_that_first_began_late_reads_what_came_before),
	    TEST(blocks_before_a_filters_first_are_not_passed_over),
	    TEST(what_another_program_unwound_is_read_again),
	    TEST(what_was_read_once_is_not_asked_again),
	    TEST(one_filter_alone_is_asked_of_the_node_each_time),
	    TEST(a_reorganisation_takes_rows_away_and_reads_the_new_ones),
	    TEST(two_programs_may_follow_with_one_file),
	    TEST(following_in_the_background_brings_all_watches_to_the_head),
	    TEST(several_threads_share_an_index),
	    TEST(killed_at_any_moment_the_index_is_whole),
	    TEST(no_file_of_the_index_shows_what_is_in_it),
	    TEST(a_wrong_key_opens_nothing_and_the_index_is_made_anew),
	    TEST(damage_anywhere_is_found_and_the_index_is_made_anew),
	    TEST(another_deployment_or_schema_begins_anew),
	    TEST(a_home_that_cannot_be_written_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
