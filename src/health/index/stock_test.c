/* The index as a stock, beside documents in memory, over random documents. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "health/index/index_private.h"
#include "tests/unit.h"

#define DOCUMENTS 12u
#define BATCHES 4u
#define CONTAINERS 9u
#define UNITS 40u /* of a batch */

struct world {
	char directory[64];
	struct home home;
	struct index *index;
	struct arena arena;
	struct actor_request request;
	struct document documents[DOCUMENTS];
	struct stock_documents all;
	struct stock kept, twin;
	uint64_t random;
	struct err err;
};

static uint64_t below(struct world *world, uint64_t limit) {
	world->random ^= world->random << 13, world->random ^= world->random >> 7, world->random ^= world->random << 17;
	return world->random % limit;
}

static hash32 name_of(uint8_t kind, uint64_t number) {
	hash32 name = {{kind}};
	store_be64(name.b + 24, number);
	return name;
}

static const char *text(struct world *world, const char *format, unsigned long long number) {
	char out[32];
	snprintf(out, sizeof out, format, number);
	return arena_strdup(&world->arena, bytes_text(out));
}

static struct document_batch batch_of(struct world *world, uint64_t number) {
	return (struct document_batch){.gtin = number % 2 ? "04012345678901" : "04012345678918",
	    .lot = text(world, "L%llu", number / 2),
	    .expiry_s = 1900000000 + number,
	    .owner = {{0xa0, (uint8_t)number}},
	    .regulator = {{0xb0}},
	    .id = name_of(1, number)};
}

/* The same pack has the same serial, tag and path in every document. */
static struct document_unit unit_of(struct world *world, uint64_t batch, uint32_t place) {
	hash32 *path = arena_alloc(&world->arena, 6 * sizeof *path);
	for (uint64_t i = 0; i < 6; i++) path[i] = name_of(4, 1000 * batch + 10 * place + i);
	return (struct document_unit){.serial = text(world, "s%llu", place % 30 + 1000 * (batch / 2)),
	    .part = DOCUMENT_NO_PART,
	    .index = place,
	    .tag = name_of(3, 1000 * batch + place),
	    .container = DOCUMENT_NO_CONTAINER,
	    .path = path,
	    .path_len = place % 7};
}

static void fill(struct world *world, struct document *document, uint64_t number) {
	struct arena *arena = &world->arena;
	document->hash = name_of(5, number);
	for (uint64_t c = below(world, 4); c > 0; c--) {
		uint64_t container = below(world, CONTAINERS);
		document_add_container(document, arena,
		    &(struct document_container){.code = container % 3 ? text(world, "%018llu", container) : "",
			.opener = {{0xc0, (uint8_t)container}},
			.salt = name_of(6, container),
			.id = name_of(2, container)});
	}
	for (uint64_t u = below(world, 60); u > 0; u--) {
		uint64_t number_of_batch = below(world, BATCHES);
		struct document_batch batch = batch_of(world, number_of_batch);
		struct document_unit unit = unit_of(world, number_of_batch, (uint32_t)below(world, UNITS));
		unit.batch = document_add_batch(document, arena, &batch);
		unit.part = document_add_part(document, arena, &(struct document_part){unit.batch, 0, 0, UNITS, {{9}}});
		if (document->container_count && below(world, 3))
			unit.container = (uint32_t)below(world, document->container_count);
		document_add_unit(document, arena, &unit);
	}
}

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-stock-XXXXXX");
	if (!mkdtemp(world->directory)) return -1;
	world->home.directory = world->directory;
	world->random = 0x9e3779b97f4a7c15;
	arena_init(&world->arena);
	world->request = (struct actor_request){.home = &world->home, .arena = &world->arena};
	world->index = index_new(&world->home, NULL);
	if (index_stock(world->index, &world->kept, &world->request, &world->err) != STATUS_OK) return -1;
	for (uint64_t i = 0; i < DOCUMENTS; i++) {
		fill(world, &world->documents[i], i);
		for (unsigned again = 0; again < 2; again++)
			if (world->kept.source->take(world->kept.context, &world->documents[i], &world->err) !=
			    STATUS_OK)
				return -1;
	}
	world->all = (struct stock_documents){world->documents, DOCUMENTS};
	world->twin = (struct stock){&stock_documents_source, &world->all, &world->arena, NULL};
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	char path[128];
	index_free(world->index);
	snprintf(path, sizeof path, "%s/index.db", world->directory);
	db_remove(path);
	snprintf(path, sizeof path, "%s/documents", world->directory);
	rmdir(path);
	rmdir(world->directory);
	arena_fini(&world->arena);
	mem_free(world);
	return 0;
}

static void same_batch(const struct document_batch *a, const struct document_batch *b) {
	assert_string_equal(a->gtin, b->gtin);
	assert_string_equal(a->lot, b->lot);
	assert_int_equal(a->expiry_s, b->expiry_s);
	assert_true(addr20_equal(&a->owner, &b->owner) && addr20_equal(&a->regulator, &b->regulator));
	assert_true(hash32_equal(&a->id, &b->id));
}

static void same_unit(const struct stock_unit *a, const struct stock_unit *b) {
	assert_string_equal(a->unit.serial, b->unit.serial);
	assert_int_equal(a->unit.index, b->unit.index);
	assert_int_equal(a->unit.path_len, b->unit.path_len);
	assert_memory_equal(a->unit.path, b->unit.path, a->unit.path_len * sizeof(hash32));
	assert_true(hash32_equal(&a->unit.tag, &b->unit.tag));
	assert_int_equal(a->unit.container, DOCUMENT_NO_CONTAINER);
	assert_int_equal(a->part.number, b->part.number);
	assert_int_equal(a->part.count, b->part.count);
	assert_true(hash32_equal(&a->part.root, &b->part.root));
	same_batch(&a->batch, &b->batch);
}

static void packs_are_found_by_serial_and_by_place(void **state) {
	struct world *world = *state;
	struct stock_unit a, b;
	bool found[2];
	unsigned known = 0, rivals = 0;
	for (uint64_t batch = 0; batch < BATCHES; batch++)
		for (uint32_t place = 0; place < UNITS; place++) {
			struct medicines_unit at = {name_of(1, batch), place};
			assert_int_equal(stock_unit_at(&world->kept, &a, &found[0], &at, &world->err), STATUS_OK);
			assert_int_equal(stock_unit_at(&world->twin, &b, &found[1], &at, &world->err), STATUS_OK);
			assert_int_equal(found[0], found[1]);
			if (found[0]) same_unit(&a, &b);
			known += found[0];
		}
	assert_true(known > 50 && known < BATCHES * UNITS);
	for (unsigned long long number = 0; number < 1040; number++)
		for (unsigned i = 0; i < 2; i++) {
			const char *gtin = i ? "04012345678901" : "04012345678918",
				   *serial = text(world, "s%llu", number);
			assert_int_equal(stock_unit(&world->kept, &a, &found[0], gtin, serial, &world->err), STATUS_OK);
			assert_int_equal(stock_unit(&world->twin, &b, &found[1], gtin, serial, &world->err), STATUS_OK);
			assert_int_equal(found[0], found[1]);
			if (!found[0]) continue;
			same_unit(&a, &b);
			assert_int_equal(!a.rival, !b.rival);
			if (a.rival) same_batch(a.rival, b.rival);
			rivals += a.rival != NULL;
		}
	assert_true(rivals > 0); /* places 0 to 9 and 30 to 39 of a lot have the same serials */
}

static void same_container(const struct document_container *a, const struct document_container *b) {
	assert_string_equal(a->code, b->code);
	assert_memory_equal(a->opener.b, b->opener.b, sizeof a->opener.b);
	assert_memory_equal(a->salt.b, b->salt.b, sizeof a->salt.b);
	assert_memory_equal(a->id.b, b->id.b, sizeof a->id.b);
}

static void lots_and_containers_are_found(void **state) {
	struct world *world = *state;
	for (unsigned long long number = 0; number < 12; number++) {
		struct document_batch a, b;
		struct document_container containers[2][STOCK_CONTAINERS_MAX], at[2];
		size_t count[2];
		const hash32 name = name_of(2, number);
		const char *lot = text(world, "L%llu", number), *code = text(world, "%018llu", number);
		bool found[2];
		assert_int_equal(stock_lot(&world->kept, &a, &found[0], "04012345678901", lot, &world->err), STATUS_OK);
		assert_int_equal(stock_lot(&world->twin, &b, &found[1], "04012345678901", lot, &world->err), STATUS_OK);
		assert_int_equal(found[0], found[1]);
		if (found[0]) same_batch(&a, &b);
		assert_int_equal(
		    stock_containers(&world->kept, containers[0], &count[0], code, &world->err), STATUS_OK);
		assert_int_equal(
		    stock_containers(&world->twin, containers[1], &count[1], code, &world->err), STATUS_OK);
		assert_int_equal(count[0], count[1]);
		for (size_t i = 0; i < count[0]; i++) same_container(&containers[0][i], &containers[1][i]);
		assert_int_equal(stock_container_at(&world->kept, &at[0], &found[0], &name, &world->err), STATUS_OK);
		assert_int_equal(stock_container_at(&world->twin, &at[1], &found[1], &name, &world->err), STATUS_OK);
		assert_int_equal(found[0], found[1]);
		if (found[0]) same_container(&at[0], &at[1]);
	}
}

static void every_lot_is_listed_once_and_packs_are_counted(void **state) {
	struct world *world = *state;
	hash32 *a, *b;
	size_t count[2];
	assert_int_equal(stock_lots(&world->kept, &a, &count[0], &world->err), STATUS_OK);
	assert_int_equal(stock_lots(&world->twin, &b, &count[1], &world->err), STATUS_OK);
	assert_int_equal(count[0], count[1]);
	assert_true(count[0] > 1);
	for (unsigned i = 0; i < 2; i++) {
		size_t packs[2];
		const char *gtin = i ? "04012345678901" : "04012345678918";
		assert_int_equal(stock_count(&world->kept, &packs[0], gtin, &world->err), STATUS_OK);
		assert_int_equal(stock_count(&world->twin, &packs[1], gtin, &world->err), STATUS_OK);
		assert_int_equal(packs[0], packs[1]);
	}
	for (size_t i = 0; i < count[0]; i++) {
		size_t times = 0;
		for (size_t n = 0; n < count[1]; n++) times += hash32_equal(&a[i], &b[n]);
		assert_int_equal(times, 1);
	}
}

static bool among(const struct stock_unit *units, size_t count, const struct stock_unit *unit) {
	for (size_t i = 0; i < count; i++)
		if (units[i].unit.index == unit->unit.index && hash32_equal(&units[i].batch.id, &unit->batch.id)) {
			same_unit(&units[i], unit);
			return true;
		}
	return false;
}

static void what_documents_put_into_a_container_is_listed(void **state) {
	struct world *world = *state;
	size_t listed = 0;
	for (uint64_t number = 0; number <= CONTAINERS; number++) {
		struct stock_unit *a, *b;
		size_t count[2];
		hash32 id = name_of(2, number);
		assert_int_equal(stock_units_in(&world->kept, &a, &count[0], &id, &world->err), STATUS_OK);
		assert_int_equal(stock_units_in(&world->twin, &b, &count[1], &id, &world->err), STATUS_OK);
		assert_int_equal(count[0], count[1]);
		for (size_t i = 0; i < count[0]; i++) {
			struct medicines_unit place = {a[i].batch.id, a[i].unit.index};
			hash32 *containers;
			size_t n, at = 0;
			assert_true(among(b, count[1], &a[i]));
			assert_int_equal(
			    stock_containers_of(&world->kept, &containers, &n, &place, &world->err), STATUS_OK);
			while (at < n && !hash32_equal(&containers[at], &id)) at++;
			assert_true(at < n);
			size_t twin_count;
			assert_int_equal(
			    stock_containers_of(&world->twin, &containers, &twin_count, &place, &world->err),
			    STATUS_OK);
			assert_int_equal(n, twin_count);
		}
		listed += count[0];
	}
	assert_true(listed > 50);
}

static void a_document_beside_comes_first_and_is_not_kept(void **state) {
	struct world *world = *state;
	struct document beside = {.unit_count = 0};
	struct document_batch batch = batch_of(world, 77);
	struct document_unit unit = unit_of(world, 77, 1);
	struct stock_unit found_unit;
	bool found;
	unit.batch = document_add_batch(&beside, &world->arena, &batch);
	document_add_unit(&beside, &world->arena, &unit);
	world->kept.beside = &beside;
	assert_int_equal(
	    stock_unit(&world->kept, &found_unit, &found, batch.gtin, unit.serial, &world->err), STATUS_OK);
	assert_true(found && hash32_equal(&found_unit.batch.id, &batch.id));
	world->kept.beside = NULL;
	assert_int_equal(
	    stock_unit(&world->kept, &found_unit, &found, batch.gtin, unit.serial, &world->err), STATUS_OK);
	assert_false(found);
}

static void two_packs_of_one_code_are_rivals(void **state) {
	struct world *world = *state;
	struct document beside = {.unit_count = 0};
	struct document_batch batch = batch_of(world, 77);
	struct stock_unit first, again;
	bool found;
	assert_int_equal(
	    stock_unit_at(&world->kept, &first, &found, &(struct medicines_unit){name_of(1, 1), 20}, &world->err),
	    STATUS_OK);
	assert_true(found && !first.rival);
	struct document_unit unit = first.unit;
	unit.part = DOCUMENT_NO_PART;
	unit.batch = document_add_batch(&beside, &world->arena, &first.batch);
	document_add_unit(&beside, &world->arena, &unit);
	world->kept.beside = &beside;
	const char *gtin = first.batch.gtin, *serial = first.unit.serial;
	assert_int_equal(stock_unit(&world->kept, &again, &found, gtin, serial, &world->err), STATUS_OK);
	assert_true(found && !again.rival); /* the same pack, named once more */
	batch.gtin = gtin;
	beside = (struct document){.unit_count = 0};
	unit.batch = document_add_batch(&beside, &world->arena, &batch);
	document_add_unit(&beside, &world->arena, &unit);
	assert_int_equal(stock_unit(&world->kept, &again, &found, gtin, serial, &world->err), STATUS_OK);
	assert_true(found && hash32_equal(&again.batch.id, &batch.id));
	assert_non_null(again.rival);
	assert_true(hash32_equal(&again.rival->id, &first.batch.id));
	world->kept.beside = NULL;
}

static void a_serial_that_is_almost_right_is_explained(void **state) {
	struct world *world = *state;
	struct scan scan = {.gtin = "04012345678901"};
	char advice[256];
	struct stock_unit unit;
	bool found = false;
	for (unsigned i = 0; i < 30 && !found; i++) {
		snprintf(scan.serial, sizeof scan.serial, "s%u", i);
		assert_int_equal(
		    stock_unit(&world->kept, &unit, &found, scan.gtin, scan.serial, &world->err), STATUS_OK);
	}
	assert_true(found);
	scan.serial[0] = 'S';
	assert_int_equal(stock_diagnose(&world->kept, advice, &scan, &world->err), STATUS_OK);
	assert_non_null(strstr(advice, "caps lock"));
	scan.serial[0] = 's';
	strcat(scan.serial, "17280630");
	assert_int_equal(stock_diagnose(&world->kept, advice, &scan, &world->err), STATUS_OK);
	assert_non_null(strstr(advice, "separator"));
	strcpy(scan.serial, "nothing");
	assert_int_equal(stock_diagnose(&world->kept, advice, &scan, &world->err), STATUS_OK);
	assert_string_equal(advice, "");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(packs_are_found_by_serial_and_by_place),
	    TEST(lots_and_containers_are_found),
	    TEST(every_lot_is_listed_once_and_packs_are_counted),
	    TEST(what_documents_put_into_a_container_is_listed),
	    TEST(a_document_beside_comes_first_and_is_not_kept),
	    TEST(two_packs_of_one_code_are_rivals),
	    TEST(a_serial_that_is_almost_right_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
