/* The file of resources: versions in and out, histories, scopes, threads, kills, other keys. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "health/index/resources_private.h"
#include "tests/unit.h"

struct world {
	char directory[64];
	struct home home;
	struct resources *resources;
	struct arena arena;
	struct err err;
};

static const struct resource_scope_rule every_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const struct resource_scope everything = {.rules = &every_rule, .count = 1}, nothing = {.count = 0};

static void open_with(struct world *world, const struct threads *threads) {
	struct resource_settings settings = {.threads = threads};
	if (resources_open(&world->resources, &world->home, &settings, &world->err)) fail_msg("%s", world->err.message);
}

static void reopen(struct world *world) {
	resources_close(world->resources);
	open_with(world, NULL);
}

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-resources-XXXXXX");
	if (!mkdtemp(world->directory)) return -1;
	world->home.directory = world->directory;
	memset(world->home.entropy, 0x5e, sizeof world->home.entropy);
	arena_init(&world->arena);
	open_with(world, NULL);
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	char path[128];
	resources_close(world->resources);
	arena_fini(&world->arena);
	snprintf(path, sizeof path, "%s/" RESOURCE_FILE, world->directory);
	db_remove(path);
	rmdir(world->directory);
	mem_free(world);
	return 0;
}

static hash32 hash_of(uint64_t number) {
	hash32 hash = {{0}};
	store_be64(hash.b, number);
	return hash;
}

static uint16_t type_of(const char *name) {
	return fhir_definitions_resource(&fhir_r4, bytes_text(name));
}

static struct resource_write write_of(struct world *world, const char *type, const char *id, uint32_t version) {
	const char *text = arena_printf(&world->arena,
	    "{\"resourceType\":\"%s\", \"id\":\"%s\",\"meta\":{\"versionId\":\"%u\"},\"language\":\"\\u00e9\"}", type,
	    id, version);
	return (struct resource_write){.key = {type_of(type), bytes_text(id)},
	    .version = version,
	    .method = version == 1 ? RESOURCE_POST : RESOURCE_PUT,
	    .at_ms = 1000 * version,
	    .folder = hash_of(1),
	    .record = hash_of(100 + version),
	    .part = 1,
	    .content = bytes_text(text)};
}

static void put(struct world *world, const struct resource_write *writes, size_t count) {
	if (resources_put(world->resources, writes, count, &world->err)) fail_msg("%s", world->err.message);
}

static enum status get(struct world *world, struct resource_version *out, const char *type, const char *id,
    uint32_t version, const struct resource_scope *scope) {
	struct resource_key key = {type_of(type), bytes_text(id)};
	return resources_get(world->resources, out, &world->arena, scope, &key, version, &world->err);
}

static void expect(struct world *world, const struct resource_write *write, uint32_t version) {
	struct resource_version found;
	assert_int_equal(
	    resources_get(world->resources, &found, &world->arena, &everything, &write->key, version, &world->err),
	    STATUS_OK);
	assert_true(bytes_equal(found.content, write->content));
	assert_true(found.key.type == write->key.type && bytes_equal(found.key.id, write->key.id));
	assert_int_equal(found.version, write->version);
	assert_int_equal(found.method, write->method);
	assert_int_equal(found.at_ms, write->at_ms);
	assert_int_equal(found.part, write->part);
	assert_true(hash32_equal(&found.folder, &write->folder) && hash32_equal(&found.record, &write->record));
}

static void what_was_put_is_got_byte_for_byte(void **state) {
	struct world *world = *state;
	struct resource_version found;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 1),
	    write_of(world, "Observation", "01234567-89ab-cdef-0123-456789abcdef", 1),
	    write_of(world, "Observation", "01234567-89AB-cdef-0123-456789abcdef", 1),
	    write_of(world, "Patient", "a", 2)};
	writes[3].folder = hash_of(2);
	writes[3].part = 7;
	put(world, writes, 4);
	for (unsigned round = 0; round < 2; round++) {
		expect(world, &writes[0], 1);
		expect(world, &writes[1], 0);
		expect(world, &writes[2], 0);
		expect(world, &writes[3], 0);
		expect(world, &writes[3], 2);
		assert_int_equal(get(world, &found, "Patient", "a", 3, &everything), STATUS_NOTFOUND);
		assert_int_equal(get(world, &found, "Patient", "b", 0, &everything), STATUS_NOTFOUND);
		assert_int_equal(get(world, &found, "Observation", "a", 0, &everything), STATUS_NOTFOUND);
		reopen(world);
	}
}

static void a_version_put_twice_is_there_once(void **state) {
	struct world *world = *state;
	struct resource_counts counts;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 2), write_of(world, "Patient", "a", 1)};
	bool has;
	put(world, writes, 2); /* in any order: records come back as they were found */
	put(world, writes, 2);
	expect(world, &writes[0], 0);
	expect(world, &writes[1], 1);
	assert_int_equal(resources_count(world->resources, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.resources, 1);
	assert_int_equal(counts.versions, 2);
	assert_int_equal(resources_has_record(world->resources, &has, &writes[0].record, &world->err), STATUS_OK);
	assert_true(has);
	struct resource_write both[] = {write_of(world, "Patient", "b", 1), writes[1]};
	both[1].record = hash_of(5);
	assert_int_equal(resources_put(world->resources, both, 2, &world->err), STATUS_EXISTS);
	struct resource_version found; /* nothing of it */
	assert_int_equal(get(world, &found, "Patient", "b", 0, &everything), STATUS_NOTFOUND);
	assert_int_equal(resources_has_record(world->resources, &has, &both[1].record, &world->err), STATUS_OK);
	assert_false(has);
}

static void what_is_no_json_is_not_taken(void **state) {
	struct world *world = *state;
	struct resource_write write = write_of(world, "Patient", "a", 1);
	write.content = BYTES_LITERAL("{\"resourceType\":");
	assert_int_equal(resources_put(world->resources, &write, 1, &world->err), STATUS_INVALID);
	write.key.id = (struct bytes){NULL, 0};
	assert_int_equal(resources_put(world->resources, &write, 1, &world->err), STATUS_INVALID);
}

static void a_deleted_resource_says_so_and_keeps_its_versions(void **state) {
	struct world *world = *state;
	struct resource_version found;
	struct resource_write writes[] = {
	    write_of(world, "Patient", "a", 1), write_of(world, "Patient", "a", 2), write_of(world, "Patient", "a", 3)};
	writes[1].method = RESOURCE_DELETE;
	put(world, writes, 2);
	assert_int_equal(get(world, &found, "Patient", "a", 0, &everything), STATUS_OK);
	assert_int_equal(found.method, RESOURCE_DELETE);
	expect(world, &writes[0], 1);
	put(world, writes + 2, 1);
	expect(world, &writes[2], 0);
}

static void a_scope_decides_about_each_version(void **state) {
	struct world *world = *state;
	struct resource_version found;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 1), write_of(world, "Observation", "o", 1)};
	struct resource_scope_rule own = {.type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN},
				   observations = {.type = type_of("Observation"), .folders = RESOURCE_SCOPE_OPEN};
	const hash32 open[] = {hash_of(3), hash_of(2)};
	struct resource_scope of_own = {.rules = &own, .count = 1}, of_observations = {&observations, 1, open, 2},
			      of_closed = {&observations, 1, open, 1};
	writes[1].folder = hash_of(2);
	writes[1].record = hash_of(7);
	writes[1].is_foreign = true;
	put(world, writes, 2);
	assert_int_equal(get(world, &found, "Patient", "a", 0, &nothing), STATUS_NOTFOUND);
	assert_int_equal(get(world, &found, "Patient", "a", 0, &of_own), STATUS_OK);
	assert_int_equal(get(world, &found, "Observation", "o", 0, &of_own), STATUS_NOTFOUND);
	assert_int_equal(get(world, &found, "Observation", "o", 1, &of_own), STATUS_NOTFOUND);
	assert_int_equal(get(world, &found, "Observation", "o", 0, &of_observations), STATUS_OK);
	assert_int_equal(get(world, &found, "Observation", "o", 0, &of_closed), STATUS_NOTFOUND);
	assert_int_equal(get(world, &found, "Patient", "a", 0, &of_observations), STATUS_NOTFOUND);
	struct resource_page page;
	struct resource_history history = {.key = {FHIR_NONE, {NULL, 0}},
	    .since_ms = INT64_MIN,
	    .at_first_ms = INT64_MIN,
	    .at_last_ms = INT64_MAX,
	    .count = 10};
	assert_int_equal(
	    resources_history(world->resources, &page, &world->arena, &of_own, &history, &world->err), STATUS_OK);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.hits[0].version.key.type, type_of("Patient"));
}

/* --- histories --- */

/* "Patient/a/2 …" of all pages, each of `count`. */
static const char *history_of(struct world *world, struct resource_history history) {
	struct buf text;
	struct resource_page page;
	buf_init(&text, 10000);
	do {
		if (resources_history(world->resources, &page, &world->arena, &everything, &history, &world->err))
			fail_msg("%s", world->err.message);
		assert_true(page.count <= history.count);
		for (size_t i = 0; i < page.count; i++)
			buf_printf(&text, "%.*s/%u ", (int)page.hits[i].version.key.id.len,
			    (const char *)page.hits[i].version.key.id.data, page.hits[i].version.version);
		history.cursor = page.cursor;
	} while (page.cursor.len);
	const char *out = arena_strdup(&world->arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

static void histories_show_the_newest_first_page_by_page(void **state) {
	struct world *world = *state;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 1), write_of(world, "Patient", "b", 1),
	    write_of(world, "Observation", "o", 1), write_of(world, "Patient", "a", 2),
	    write_of(world, "Patient", "a", 3)};
	put(world, writes, 5);
	for (uint32_t count = 1; count <= 6; count++) {
		struct resource_history history = {.key = {type_of("Patient"), BYTES_LITERAL("a")},
		    .since_ms = INT64_MIN,
		    .at_first_ms = INT64_MIN,
		    .at_last_ms = INT64_MAX,
		    .count = count};
		assert_string_equal(history_of(world, history), "a/3 a/2 a/1 ");
		history.key.id.len = 0;
		assert_string_equal(history_of(world, history), "a/3 a/2 b/1 a/1 ");
		history.key.type = FHIR_NONE;
		assert_string_equal(history_of(world, history), "a/3 a/2 o/1 b/1 a/1 ");
		history.since_ms = 2000;
		assert_string_equal(history_of(world, history), "a/3 a/2 ");
		history.since_ms = INT64_MIN;
		history.at_first_ms = 1500;
		history.at_last_ms = 2500; /* a/1 until 2000, a/2 from then on */
		assert_string_equal(history_of(world, history), "a/2 o/1 b/1 a/1 ");
		history.at_first_ms = 2000;
		assert_string_equal(history_of(world, history), "a/2 o/1 b/1 ");
	}
}

static void a_cursor_is_of_one_asker_and_one_question(void **state) {
	struct world *world = *state;
	struct resource_page page, next;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 1), write_of(world, "Patient", "b", 1)};
	struct resource_history history = {.key = {type_of("Patient"), {NULL, 0}},
	    .since_ms = INT64_MIN,
	    .at_first_ms = INT64_MIN,
	    .at_last_ms = INT64_MAX,
	    .count = 1,
	    .asker = BYTES_LITERAL("ann")};
	put(world, writes, 2);
	assert_int_equal(
	    resources_history(world->resources, &page, &world->arena, &everything, &history, &world->err), STATUS_OK);
	history.cursor = page.cursor;
	assert_int_equal(
	    resources_history(world->resources, &next, &world->arena, &everything, &history, &world->err), STATUS_OK);
	assert_int_equal(next.count, 1);
	assert_int_equal(next.cursor.len, 0);
	struct resource_history others[] = {history, history, history, history};
	others[0].asker = BYTES_LITERAL("bob");
	others[1].since_ms = 5;
	others[2].key.type = FHIR_NONE;
	others[3].cursor.len--;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    resources_history(world->resources, &next, &world->arena, &everything, &others[i], &world->err),
		    STATUS_INVALID);
}

/* --- threads --- */

struct monitor {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
};

static struct monitor *new_monitor(void *context) {
	struct monitor *monitor = mem_zalloc(1, sizeof *monitor);
	(void)context;
	pthread_mutex_init(&monitor->mutex, NULL);
	pthread_cond_init(&monitor->condition, NULL);
	return monitor;
}

static void free_monitor(struct monitor *monitor) {
	pthread_mutex_destroy(&monitor->mutex);
	pthread_cond_destroy(&monitor->condition);
	mem_free(monitor);
}

static void lock(struct monitor *monitor) {
	pthread_mutex_lock(&monitor->mutex);
}

static void unlock(struct monitor *monitor) {
	pthread_mutex_unlock(&monitor->mutex);
}

static void wait_for(struct monitor *monitor, uint32_t timeout_ms) {
	(void)timeout_ms;
	pthread_cond_wait(&monitor->condition, &monitor->mutex);
}

static void wake_all(struct monitor *monitor) {
	pthread_cond_broadcast(&monitor->condition);
}

static const struct threads threads = {.monitor_new = new_monitor,
    .monitor_free = free_monitor,
    .lock = lock,
    .unlock = unlock,
    .wait = wait_for,
    .wake_all = wake_all};

#define THREADS 8u
#define ROUNDS 60u
struct worker {
	struct world world; /* a copy with an arena of its own */
	unsigned number;
	unsigned failed;
};

static void *write_and_read(void *context) {
	struct worker *worker = context;
	struct world *world = &worker->world;
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		char id[16];
		struct resource_version found;
		snprintf(id, sizeof id, "w%u", worker->number);
		struct resource_write write = write_of(world, "Patient", id, round);
		write.record = hash_of(1000 * worker->number + round);
		worker->failed += resources_put(world->resources, &write, 1, NULL) != STATUS_OK;
		worker->failed +=
		    get(world, &found, "Patient", id, 0, &everything) != STATUS_OK || found.version != round;
	}
	return NULL;
}

static void threads_share_transactions_and_read_what_they_wrote(void **state) {
	struct world *world = *state;
	struct worker workers[THREADS];
	pthread_t ids[THREADS];
	struct resource_counts counts;
	resources_close(world->resources);
	open_with(world, &threads);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.world = *world, .number = i};
		arena_init(&workers[i].world.arena);
		assert_int_equal(pthread_create(&ids[i], NULL, write_and_read, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(ids[i], NULL);
		arena_fini(&workers[i].world.arena);
		assert_int_equal(workers[i].failed, 0);
	}
	assert_int_equal(resources_count(world->resources, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.resources, THREADS);
	assert_int_equal(counts.versions, THREADS * ROUNDS);
}

/* --- files --- */

static void killed_at_any_moment_it_holds_whole_puts(void **state) {
	struct world *world = *state;
	resources_close(world->resources);
	for (unsigned round = 0; round < 12; round++) {
		pid_t child = fork();
		if (child == 0) {
			open_with(world, NULL);
			for (uint32_t version = 1;; version++) {
				struct resource_write both[] = {
				    write_of(world, "Patient", "a", version), write_of(world, "Patient", "b", version)};
				if (resources_put(world->resources, both, 2, NULL)) _exit(1);
			}
		}
		assert_true(child > 0);
		usleep(2000 + 3000 * round);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	open_with(world, NULL);
	struct resource_version a, b;
	assert_int_equal(get(world, &a, "Patient", "a", 0, &everything), STATUS_OK);
	assert_int_equal(get(world, &b, "Patient", "b", 0, &everything), STATUS_OK);
	assert_int_equal(a.version, b.version);
}

static void flip(struct world *world, off_t at) {
	char path[128];
	uint8_t byte;
	snprintf(path, sizeof path, "%s/" RESOURCE_FILE, world->directory);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void damage_is_found_and_the_next_start_begins_anew(void **state) {
	struct world *world = *state;
	struct resource_counts counts;
	struct resource_version found;
	struct resource_write write = write_of(world, "Patient", "a", 1);
	unsigned damaged = 0;
	for (off_t page = 1; page < 12; page += 3) { /* of the pages that a new file has */
		put(world, &write, 1);
		resources_close(world->resources);
		world->resources = NULL;
		flip(world, page * 4096 + 700);
		enum status status =
		    resources_open(&world->resources, &world->home, &(struct resource_settings){0}, &world->err);
		for (unsigned tries = 0; tries < 2 && status == STATUS_OK; tries++)
			status = tries ? resources_put(world->resources,
					     &(struct resource_write){
						 .key = write.key, .version = 2, .content = write.content},
					     1, &world->err)
				       : get(world, &found, "Patient", "a", 0, &everything);
		assert_true(status == STATUS_OK || status == STATUS_CORRUPT || status == STATUS_NOTFOUND);
		damaged += status != STATUS_OK;
		reopen(world);
		assert_int_equal(resources_count(world->resources, &counts, &world->err), STATUS_OK);
		if (status == STATUS_CORRUPT) assert_int_equal(counts.versions, 0);
		resources_close(world->resources);
		char path[128];
		snprintf(path, sizeof path, "%s/" RESOURCE_FILE, world->directory);
		db_remove(path);
		open_with(world, NULL);
	}
	assert_true(damaged > 0); /* some of them were read */
}

static void with_another_secret_it_begins_anew(void **state) {
	struct world *world = *state;
	struct resource_write write = write_of(world, "Patient", "a", 1);
	struct resource_counts counts;
	put(world, &write, 1);
	world->home.entropy[0] ^= 1;
	reopen(world);
	assert_int_equal(resources_count(world->resources, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.versions, 0);
	put(world, &write, 1);
	expect(world, &write, 0);
}

/* Of the type, in own folders, behind a place; deletions are none. */
static void changes_come_in_the_order_in_which_they_were_written(void **state) {
	struct world *world = *state;
	struct resource_changes found;
	struct resource_write writes[] = {write_of(world, "Patient", "a", 1), write_of(world, "Observation", "o", 1),
	    write_of(world, "Patient", "b", 1), write_of(world, "Patient", "a", 2), write_of(world, "Patient", "c", 3),
	    write_of(world, "Patient", "b", 4)};
	writes[4].folder = hash_of(9);
	writes[4].is_foreign = true;
	writes[5].method = RESOURCE_DELETE;
	for (size_t i = 0; i < 6; i++) put(world, &writes[i], 1);
	struct resource_changes_query query = {.type = type_of("Patient"), .max = 2};
	assert_int_equal(resources_changes(world->resources, &found, &world->arena, &query, &world->err), STATUS_OK);
	assert_int_equal(found.count, 2);
	assert_true(bytes_equal(found.list[0].version.content, writes[0].content));
	assert_true(bytes_equal(found.list[1].version.content, writes[2].content));
	assert_int_equal(found.newest, found.list[1].sequence);
	query.after = found.newest;
	assert_int_equal(resources_changes(world->resources, &found, &world->arena, &query, &world->err), STATUS_OK);
	assert_int_equal(found.count, 1);
	assert_true(bytes_equal(found.list[0].version.content, writes[3].content));
	assert_true(found.newest > found.list[0].sequence);
	query = (struct resource_changes_query){.type = type_of("Patient"), .after = found.newest, .max = 2};
	assert_int_equal(resources_changes(world->resources, &found, &world->arena, &query, &world->err), STATUS_OK);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.newest, query.after);
}

static void what_is_not_written_yet_is_found_as_if_it_were(void **state) {
	struct world *world = *state;
	static const struct {
		const char *search;
		bool is_found;
	} cases[] = {{"family=lin", true}, {"family=li", true}, {"family:exact=lin", false}, {"birthdate=1970", true},
	    {"birthdate=gt1970", false}, {"family=lin&birthdate=1971", false}, {"organization=Organization/1", true},
	    {"nonsense=1", false}, {"family=lin&_sort=name", false}, {"", false}};
	const struct json *tree;
	const char *text = "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"Lin\"}],\"birthDate\":\"1970-01-01\","
			   "\"managingOrganization\":{\"reference\":\"Organization/1\"}}";
	assert_int_equal(json_parse(&tree, &world->arena, bytes_text(text), NULL, &world->err), STATUS_OK);
	struct resource_write organization = write_of(world, "Organization", "1", 1);
	put(world, &organization, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool is_found = !cases[i].is_found;
		const struct resource_scope_rule rule = {
		    .type = type_of("Patient"), .search = bytes_text(cases[i].search)};
		assert_int_equal(
		    resources_would_find(world->resources, &is_found, &world->arena, &rule, NULL, tree, &world->err),
		    STATUS_OK);
		if (is_found != cases[i].is_found) fail_msg("%s", cases[i].search);
	}
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_is_got_byte_for_byte),
	    TEST(a_version_put_twice_is_there_once),
	    TEST(what_is_no_json_is_not_taken),
	    TEST(a_deleted_resource_says_so_and_keeps_its_versions),
	    TEST(a_scope_decides_about_each_version),
	    TEST(histories_show_the_newest_first_page_by_page),
	    TEST(a_cursor_is_of_one_asker_and_one_question),
	    TEST(threads_share_transactions_and_read_what_they_wrote),
	    TEST(killed_at_any_moment_it_holds_whole_puts),
	    TEST(damage_is_found_and_the_next_start_begins_anew),
	    TEST(with_another_secret_it_begins_anew),
	    TEST(changes_come_in_the_order_in_which_they_were_written),
	    TEST(what_is_not_written_yet_is_found_as_if_it_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
