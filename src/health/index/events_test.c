/* The file of events: recorded once, found by every way of asking, in pages that stand still. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "health/index/events.h"
#include "tests/unit.h"

#define EVENTS 300

struct world {
	char directory[64];
	struct home home;
	struct events *events;
	struct arena arena;
};

static void assert_ok(enum status status, const struct err *err) {
	if (status != STATUS_OK) fail_msg("%s", err->message);
}

static int set_up(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	struct err err;
	snprintf(world->directory, sizeof world->directory, "/tmp/xinglin-events-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	world->home.directory = world->directory;
	arena_init(&world->arena);
	assert_ok(events_open(&world->events, &world->home, NULL, &err), &err);
	*state = world;
	return 0;
}

static int tear_down(void **state) {
	struct world *world = *state;
	char command[128];
	events_close(world->events);
	arena_fini(&world->arena);
	snprintf(command, sizeof command, "rm -rf '%s'", world->directory);
	assert_int_equal(system(command), 0);
	mem_free(world);
	return 0;
}

/* Event `i`: of three steps in turn, each with a pack of its own, and every hundredth has an error declared. */
static void make_entry(struct world *world, struct events_entry *out, unsigned i) {
	static const char *const steps[] = {"shipping", "receiving", "storing"};
	const struct json *event;
	struct err err;
	struct event_terms *terms = arena_zalloc(&world->arena, 1, sizeof *terms);
	const char *declared =
	    i % 100 == 7 ? ",\"errorDeclaration\":{\"declarationTime\":\"2026-01-01T00:00:00Z\"}" : "";
	const char *text = arena_printf(&world->arena,
	    "{\"type\":\"ObjectEvent\",\"eventID\":\"urn:event:%u\",\"eventTime\":\"2026-01-%02uT%02u:00:00Z\",\"action\":"
	    "\"OBSERVE\",\"bizStep\":\"%s\",\"epcList\":[\"urn:epc:id:sgtin:4012345.012345.%u\"],\"quantityList\":[{"
	    "\"epcClass\":\"urn:epc:class:lgtin:4012345.012345.L\",\"quantity\":%u}]%s}",
	    i, i % 28 + 1, i % 24, steps[i % 3], i, i, declared);
	assert_ok(json_parse(&event, &world->arena, bytes_text(text), NULL, &err), &err);
	event_terms_of(terms, &world->arena, NULL, event);
	event_terms_add_text(terms, &world->arena, "eventID", json_string(json_get(event, "eventID")));
	event_terms_add_text(terms, &world->arena, EVENTS_PARTY, i % 2 ? BYTES_LITERAL("odd") : BYTES_LITERAL("even"));
	double ms;
	assert_true(event_terms_time(&ms, json_string(json_get(event, "eventTime"))));
	*out = (struct events_entry){.event_id = json_string(json_get(event, "eventID")),
	    .happened_ms = (int64_t)ms,
	    .body = bytes_text(text),
	    .terms = terms,
	    .corrects = *declared};
}

static enum status record_some(struct world *world, unsigned from, unsigned count, bool *is_new, struct err *err) {
	struct events_entry *entries = arena_zalloc(&world->arena, count, sizeof *entries);
	const hash32 document = {{(uint8_t)from, (uint8_t)(from >> 8), (uint8_t)count}};
	int64_t recorded = 1000 + from;
	size_t at;
	for (unsigned i = 0; i < count; i++) make_entry(world, &entries[i], from + i);
	return events_record(world->events, &document, entries, count, &recorded, is_new, &at, err);
}

static void record_all(struct world *world) {
	struct err err;
	bool is_new;
	for (unsigned from = 0; from < EVENTS; from += 10) {
		assert_ok(record_some(world, from, 10, &is_new, &err), &err);
		assert_true(is_new);
	}
}

static void add(struct event_query *query, struct arena *arena, const char *name, const char *value) {
	enum epcis_exception exception;
	struct err err;
	const struct bytes values[] = {bytes_text(value)};
	assert_ok(event_query_add(query, arena, NULL, bytes_text(name), values, 1, &exception, &err), &err);
}

/* All ids of a query in pages of `count`, and how many pages there were. */
static size_t find_all(
    struct world *world, struct event_query *query, uint32_t count, int64_t ids[EVENTS], size_t *pages) {
	struct events_wish wish = {.query = query, .count = count, .asker = BYTES_LITERAL("me"), .now_ms = 5};
	struct events_page page;
	struct err err;
	size_t found = 0;
	*pages = 0;
	do {
		assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
		assert_true(page.count <= count && found + page.count <= EVENTS);
		for (size_t i = 0; i < page.count; i++) ids[found++] = page.list[i].id;
		wish.cursor = page.cursor;
		(*pages)++;
	} while (page.cursor.len);
	return found;
}

/* Which events (from 0) a plain walk over all of them finds. */
static size_t expect(struct world *world, const struct event_query *query, bool out[EVENTS]) {
	size_t count = 0;
	for (unsigned i = 0; i < EVENTS; i++) {
		struct events_entry entry;
		make_entry(world, &entry, i);
		struct event_terms terms = *entry.terms;
		event_terms_add_number(&terms, &world->arena, "recordTime", 1000 + (double)(i / 10 * 10));
		out[i] = event_query_meets(query, &terms);
		count += out[i];
	}
	return count;
}

static const char *const asked[][4] = {
    {"EQ_bizStep", "shipping"},
    {"EQ_bizStep", "shipping", "EQ_action", "ADD"},
    {"EQ_bizStep", "receiving", "GE_eventTime", "2026-01-10T00:00:00Z"},
    {"LT_eventTime", "2026-01-03T00:00:00Z"},
    {"GE_recordTime", "1970-01-01T00:00:01.200Z"},
    {"MATCH_epc", "https://id.gs1.org/01/04012345123456/21/17"},
    {"MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*", "EQ_bizStep", "storing"},
    {"MATCH_epc", "urn:epc:id:sgtin:4012345.012345.44"},
    {"GT_quantity", "280"},
    {"EQ_quantity", "12"},
    {"EXISTS_errorDeclaration", "true"},
    {"EXISTS_errorDeclaration", "false", "EQ_bizStep", "receiving"},
    {"EQ_eventID", "urn:event:250"},
    {"eventType", "ObjectEvent"},
};

static void every_way_of_asking_finds_what_a_plain_walk_finds(void **state) {
	struct world *world = *state;
	record_all(world);
	for (size_t i = 0; i < 2 * sizeof asked / sizeof *asked; i++) {
		struct event_query query = {0};
		bool expected[EVENTS];
		int64_t ids[EVENTS];
		size_t pages;
		for (size_t k = 0; k < 4 && asked[i / 2][k]; k += 2)
			add(&query, &world->arena, asked[i / 2][k], asked[i / 2][k + 1]);
		if (i % 2) {
			add(&query, &world->arena, "orderBy", "eventTime");
			add(&query, &world->arena, "orderDirection", "ASC");
		}
		const size_t count = expect(world, &query, expected);
		const size_t found = find_all(world, &query, 7, ids, &pages);
		if (found != count) fail_msg("%s: %zu and not %zu", asked[i / 2][0], found, count);
		assert_int_equal(pages, count ? (count + 6) / 7 : 1); /* nothing stands behind the last page */
		for (size_t k = 0; k < found; k++) {
			assert_true(expected[ids[k] - 1]);
			expected[ids[k] - 1] = false;
			if (!(i % 2) && k) assert_true(ids[k] < ids[k - 1]);
		}
	}
}

static void a_page_does_not_see_what_was_recorded_after_the_first(void **state) {
	struct world *world = *state;
	struct event_query query = {0};
	struct events_page page;
	struct err err;
	bool is_new;
	assert_ok(record_some(world, 0, 10, &is_new, &err), &err);
	add(&query, &world->arena, "orderBy", "eventTime");
	add(&query, &world->arena, "orderDirection", "ASC");
	struct events_wish wish = {.query = &query, .count = 6, .asker = BYTES_LITERAL("me")};
	assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
	assert_ok(record_some(world, 10, 10, &is_new, &err), &err);
	wish.cursor = page.cursor;
	assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
	assert_int_equal(page.count, 4);
	assert_int_equal(page.cursor.len, 0);
}

static void a_cursor_is_taken_from_its_asker_for_its_question_and_its_time(void **state) {
	struct world *world = *state;
	struct event_query query = {0};
	struct events_page page, other;
	struct err err;
	record_all(world);
	struct events_wish wish = {
	    .query = &query, .count = 6, .asker = BYTES_LITERAL("me"), .question = BYTES_LITERAL("q"), .now_ms = 10};
	assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
	wish.cursor = page.cursor;
	struct events_wish stranger = wish, elsewhere = wish, late = wish;
	stranger.asker = BYTES_LITERAL("you");
	elsewhere.question = BYTES_LITERAL("r");
	late.now_ms = 11 + EVENTS_CURSOR_MS;
	assert_int_equal(events_find(world->events, &other, &world->arena, &stranger, &err), STATUS_INVALID);
	assert_int_equal(events_find(world->events, &other, &world->arena, &elsewhere, &err), STATUS_INVALID);
	assert_int_equal(events_find(world->events, &other, &world->arena, &late, &err), STATUS_INVALID);
	assert_ok(events_find(world->events, &other, &world->arena, &wish, &err), &err);
}

static void limits_hold_over_pages(void **state) {
	struct world *world = *state;
	struct event_query few = {0}, many = {0};
	struct events_page page;
	int64_t ids[EVENTS];
	size_t pages;
	struct err err;
	record_all(world);
	add(&few, &world->arena, "orderBy", "recordTime");
	add(&few, &world->arena, "eventCountLimit", "13");
	assert_int_equal(find_all(world, &few, 5, ids, &pages), 13);
	assert_int_equal(pages, 3);
	add(&many, &world->arena, "EQ_bizStep", "shipping");
	add(&many, &world->arena, "maxEventCount", "99");
	struct events_wish wish = {.query = &many, .count = 5, .asker = BYTES_LITERAL("me")};
	assert_int_equal(events_find(world->events, &page, &world->arena, &wish, &err), STATUS_LIMIT);
	many.max = 100;
	assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
}

static void an_id_is_given_once_and_once_more_to_a_correction(void **state) {
	struct world *world = *state;
	struct events_entry entry, again;
	struct err err;
	int64_t recorded = 1;
	bool is_new;
	size_t at;
	const hash32 first = {{1}}, second = {{2}}, third = {{3}}, fourth = {{4}};
	make_entry(world, &entry, 1);
	again = entry;
	again.corrects = true;
	struct event_terms corrected = *entry.terms;
	event_terms_add_text(&corrected, &world->arena, "errorDeclaration", BYTES_LITERAL("true"));
	again.terms = &corrected;
	assert_ok(events_record(world->events, &first, &entry, 1, &recorded, &is_new, &at, &err), &err);
	assert_int_equal(
	    events_record(world->events, &second, &entry, 1, &recorded, &is_new, &at, &err), STATUS_EXISTS);
	assert_ok(events_record(world->events, &third, &again, 1, &recorded, &is_new, &at, &err), &err);
	assert_int_equal(
	    events_record(world->events, &fourth, &again, 1, &recorded, &is_new, &at, &err), STATUS_EXISTS);
	/* the same document again is nothing new, and nothing wrong */
	assert_ok(events_record(world->events, &first, &entry, 1, &recorded, &is_new, &at, &err), &err);
	assert_false(is_new);
}

static void nothing_of_a_document_stays_if_one_event_is_refused(void **state) {
	struct world *world = *state;
	struct events_entry entries[3];
	struct event_query query = {0};
	int64_t ids[EVENTS], recorded = 1;
	size_t pages, at;
	struct err err;
	bool is_new;
	const hash32 document = {{9}};
	for (unsigned i = 0; i < 3; i++) make_entry(world, &entries[i], i == 2 ? 0 : i);
	assert_int_equal(
	    events_record(world->events, &document, entries, 3, &recorded, &is_new, &at, &err), STATUS_EXISTS);
	assert_int_equal(at, 2);
	assert_int_equal(find_all(world, &query, 10, ids, &pages), 0);
}

/* All values of a list in pages of `room`. */
static size_t list_all(
    struct world *world, const char *const *keys, struct bytes party, size_t room, struct bytes values[2 * EVENTS]) {
	struct bytes place = {NULL, 0};
	struct err err;
	size_t all = 0, count;
	do {
		assert_ok(
		    events_values(world->events, values + all, &count, room, &place, &world->arena, keys, party, &err),
		    &err);
		assert_true(count <= room);
		all += count;
	} while (place.len);
	for (size_t i = 1; i < all; i++) assert_true(bytes_compare(values[i - 1], values[i]) < 0);
	return all;
}

static void values_are_listed_once_each_and_by_party(void **state) {
	struct world *world = *state;
	static const char *const steps[] = {"bizStep", NULL}, *const epcs[] = {"epc", "childEPC", NULL},
				 *const both[] = {"bizStep", "epc", NULL};
	const struct bytes nobody = {NULL, 0}, odd = BYTES_LITERAL("odd"), other = BYTES_LITERAL("other");
	struct bytes values[2 * EVENTS];
	record_all(world);
	for (size_t room = 1; room <= 1000; room *= 10) {
		assert_int_equal(list_all(world, steps, nobody, room, values), 3);
		assert_true(bytes_equal(values[0], BYTES_LITERAL("receiving")));
		assert_int_equal(list_all(world, epcs, nobody, room, values), EVENTS);
		assert_int_equal(list_all(world, both, nobody, room, values), EVENTS + 3);
		assert_int_equal(list_all(world, epcs, odd, room, values), EVENTS / 2);
		assert_int_equal(list_all(world, steps, odd, room, values), 3);
		assert_int_equal(list_all(world, both, other, room, values), 0);
	}
}

/* More events of others than one list looks at stand before the one value that a party may see. */
static void a_partys_list_goes_on_behind_much_that_is_not_its(void **state) {
	struct world *world = *state;
	static const char *const keys[] = {"bizStep", NULL};
	struct bytes values[2 * EVENTS];
	struct events_entry *entries = arena_zalloc(&world->arena, 5001, sizeof *entries);
	const hash32 document = {{7}};
	int64_t recorded = 1;
	struct err err;
	bool is_new;
	size_t at;
	for (unsigned i = 0; i <= 5000; i++) {
		struct event_terms *terms = arena_zalloc(&world->arena, 1, sizeof *terms);
		const struct bytes id = bytes_text(arena_printf(&world->arena, "urn:many:%u", i));
		event_terms_add_text(terms, &world->arena, "eventID", id);
		event_terms_add_text(terms, &world->arena, "bizStep", BYTES_LITERAL("shipping"));
		event_terms_add_text(
		    terms, &world->arena, EVENTS_PARTY, i == 5000 ? BYTES_LITERAL("last") : BYTES_LITERAL("others"));
		entries[i] = (struct events_entry){.event_id = id, .body = BYTES_LITERAL("{}"), .terms = terms};
	}
	assert_ok(events_record(world->events, &document, entries, 5001, &recorded, &is_new, &at, &err), &err);
	struct bytes place = {NULL, 0};
	size_t count;
	assert_ok(
	    events_values(world->events, values, &count, 10, &place, &world->arena, keys, BYTES_LITERAL("last"), &err),
	    &err);
	assert_true(count == 0 && place.len); /* so much is not looked at in one go */
	assert_int_equal(list_all(world, keys, BYTES_LITERAL("last"), 10, values), 1);
	assert_int_equal(list_all(world, keys, (struct bytes){NULL, 0}, 10, values), 1);
	/* and a query that more events meet than are gathered walks past them, in pages, each once */
	struct event_query *query = arena_zalloc(&world->arena, 1, sizeof *query);
	struct events_wish wish = {.query = query, .count = 1000, .asker = BYTES_LITERAL("me")};
	struct events_page page;
	size_t found = 0;
	add(query, &world->arena, "EQ_bizStep", "shipping");
	do {
		assert_ok(events_find(world->events, &page, &world->arena, &wish, &err), &err);
		for (size_t i = 0; i < page.count; i++, found++)
			assert_int_equal(page.list[i].id, 5001 - (int64_t)found);
		wish.cursor = page.cursor;
	} while (page.cursor.len);
	assert_int_equal(found, 5001);
	/* values that are too long to be listed are passed over */
	const hash32 another = {{8}};
	char *texts[] = {mem_zalloc(1, 3001), mem_zalloc(1, 3001)};
	for (unsigned i = 0; i < 2; i++) {
		struct event_terms *terms = (struct event_terms *)entries[i].terms;
		*terms = (struct event_terms){0};
		memset(texts[i], 'a', 3000);
		texts[i][2999] = (char)('b' + i);
		entries[i].event_id = bytes_text(i ? "urn:long:1" : "urn:long:0");
		event_terms_add_text(terms, &world->arena, "eventID", entries[i].event_id);
		event_terms_add_text(terms, &world->arena, "bizStep", bytes_text(texts[i]));
	}
	assert_ok(events_record(world->events, &another, entries, 2, &recorded, &is_new, &at, &err), &err);
	for (size_t room = 1; room <= 10; room++)
		assert_int_equal(list_all(world, keys, (struct bytes){NULL, 0}, room, values), 1);
	for (unsigned i = 0; i < 2; i++) mem_free(texts[i]);
}

static void what_was_recorded_is_there_after_a_start(void **state) {
	struct world *world = *state;
	struct event_query query = {0};
	int64_t ids[EVENTS];
	size_t pages;
	struct err err;
	bool is_new;
	assert_ok(record_some(world, 0, 20, &is_new, &err), &err);
	events_close(world->events);
	assert_ok(events_open(&world->events, &world->home, NULL, &err), &err);
	assert_int_equal(find_all(world, &query, 50, ids, &pages), 20);
	const hash32 other = {{0, 0, 21}}, same = {{0, 0, 20}};
	struct bytes problem;
	bool is_there;
	assert_ok(events_has_document(world->events, &is_there, &problem, &world->arena, &other, &err), &err);
	assert_false(is_there);
	assert_ok(events_has_document(world->events, &is_there, &problem, &world->arena, &same, &err), &err);
	assert_true(is_there && problem.len == 0);
	assert_ok(events_answer(world->events, &other, BYTES_LITERAL("no"), &err), &err);
	assert_ok(events_has_document(world->events, &is_there, &problem, &world->arena, &other, &err), &err);
	assert_true(is_there && bytes_equal(problem, BYTES_LITERAL("no")));
}

static void a_damaged_file_is_made_anew(void **state) {
	struct world *world = *state;
	struct event_query query = {0};
	int64_t ids[EVENTS];
	size_t pages;
	char path[96];
	struct err err;
	bool is_new;
	assert_ok(record_some(world, 0, 20, &is_new, &err), &err);
	events_close(world->events);
	snprintf(path, sizeof path, "%s/events.db", world->directory);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	for (int i = 0; i < 4096; i++) assert_int_equal(fputc('x', file), 'x');
	assert_int_equal(fclose(file), 0);
	assert_ok(events_open(&world->events, &world->home, NULL, &err), &err);
	assert_int_equal(find_all(world, &query, 50, ids, &pages), 0);
	assert_ok(record_some(world, 0, 20, &is_new, &err), &err);
	assert_true(is_new);
	/* and so is that of another home */
	events_close(world->events);
	world->home.entropy[0] ^= 1;
	assert_ok(events_open(&world->events, &world->home, NULL, &err), &err);
	assert_int_equal(find_all(world, &query, 50, ids, &pages), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(every_way_of_asking_finds_what_a_plain_walk_finds),
	    TEST(a_page_does_not_see_what_was_recorded_after_the_first),
	    TEST(a_cursor_is_taken_from_its_asker_for_its_question_and_its_time), TEST(limits_hold_over_pages),
	    TEST(an_id_is_given_once_and_once_more_to_a_correction),
	    TEST(nothing_of_a_document_stays_if_one_event_is_refused), TEST(values_are_listed_once_each_and_by_party),
	    TEST(a_partys_list_goes_on_behind_much_that_is_not_its), TEST(what_was_recorded_is_there_after_a_start),
	    TEST(a_damaged_file_is_made_anew)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
