/* The object store's side of a room: what it may answer, and what then is said, tried again, believed and deleted. */
#include "ledger/blob/blob_backend.h"
#include "ledger/blob/blob_room.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"
#include "tests/memory_s3.h"
#include "tests/scripted_random.h"

static const addr20 gate = {{[19] = 0xaa}};
static const hash32 item = {{0x77}};

static uint64_t clock_ms = 0x64000000ull * 1000;
static uint64_t now_ms(void *context) {
	(void)context;
	return clock_ms;
}
static const struct clock_source scripted_clock = {.now_ms = now_ms};

struct scene {
	struct ledger_world world;
	struct memory_s3 s3;
	struct scripted_random script;
	struct random_source random;
	struct blob_backend backend;
	struct err err;
};

static enum status open_backend(struct scene *scene) {
	scene->err = (struct err){0};
	return blob_s3_open(&scene->backend, scene->world.store, &scene->s3.options, &scene->random, &scene->err);
}

static void open_scene(struct scene *scene) {
	*scene = (struct scene){0};
	scene->random = scripted_random(&scene->script);
	ledger_open_by(&scene->world, (struct ledger_rules){.zero_base_fee = true});
	memory_s3_init(&scene->s3, &scripted_clock);
	assert_int_equal(open_backend(scene), STATUS_OK);
}

static void close_scene(struct scene *scene) {
	if (scene->backend.close) scene->backend.close(scene->backend.context);
	ledger_close(&scene->world);
	memory_s3_fini(&scene->s3);
}

static void end_run(struct scene *scene) {
	scene->backend.close(scene->backend.context);
	scene->backend = (struct blob_backend){0};
}

static struct bytes frame_of(struct scene *scene, const char *text, hash32 *blob) {
	struct buf frame;
	struct container container;
	const struct bytes part = bytes_text(text);
	buf_init(&frame, 4096);
	assert_int_equal(container_encode(&frame, &part, 1, NULL), STATUS_OK);
	const struct bytes kept = arena_dup(&scene->world.arena, buf_view(&frame));
	buf_fini(&frame);
	assert_int_equal(container_decode(&container, kept, NULL), STATUS_OK);
	*blob = container_name(&container);
	return kept;
}

static enum status put(struct scene *scene, struct blob_spot *spot, const char *text) {
	struct segments_label label = {{0}};
	*spot = (struct blob_spot){.gate = gate};
	const struct bytes frame = frame_of(scene, text, &spot->blob);
	memcpy(label.b, gate.b, 20);
	memcpy(label.b + 20, spot->blob.b, 32);
	return scene->backend.put(scene->backend.context, &spot->place, &label, frame, &scene->err);
}

static enum status read_back(struct scene *scene, const struct blob_spot *spot) {
	struct buf out;
	buf_init(&out, CONTAINER_BYTES_MAX);
	const enum status status = scene->backend.read(scene->backend.context, &out, spot, &scene->err);
	assert_int_equal(out.len, status == STATUS_OK ? spot->place.len : 0);
	buf_fini(&out);
	return status;
}

static enum status work(struct scene *scene) {
	bool more = true;
	enum status status = STATUS_OK;
	clock_ms += 60000; /* behind every rest */
	while (more && status == STATUS_OK) status = scene->backend.work(scene->backend.context, &more, &scene->err);
	return status;
}

static struct blob_store_state state_of(struct scene *scene) {
	struct blob_store_state state;
	scene->backend.state(scene->backend.context, &state);
	return state;
}

static size_t objects(const struct scene *scene) {
	size_t count = 0;
	for (size_t i = 0; i < scene->s3.count; i++) count += strcmp(scene->s3.objects[i].key, "owner") != 0;
	return count;
}

static void assert_says(const struct scene *scene, const char *words) {
	if (!strstr(scene->err.message, words)) fail_msg("%s: not in: %s", words, scene->err.message);
}

/* --- tests --- */

static void what_was_put_is_read_in_later_runs_too(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot one, again;
	open_scene(&scene);
	assert_int_equal(put(&scene, &one, "one"), STATUS_OK);
	assert_int_equal(put(&scene, &again, "one"), STATUS_OK); /* an object of its own */
	assert_int_equal(objects(&scene), 2);
	end_run(&scene);
	assert_int_equal(open_backend(&scene), STATUS_OK);
	assert_int_equal(read_back(&scene, &one), STATUS_OK);
	assert_int_equal(read_back(&scene, &again), STATUS_OK);
	const struct segments_place end = scene.backend.end(scene.backend.context);
	assert_true(end.at > again.place.at);
	close_scene(&scene);
}

static void an_erasure_is_owed_until_the_store_has_deleted(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot one;
	bool owes;
	open_scene(&scene);
	assert_int_equal(put(&scene, &one, "one"), STATUS_OK);
	scene.s3.is_down = true;
	const size_t requests = scene.s3.requests;
	assert_int_equal(scene.backend.erase(scene.backend.context, &one, &item, &scene.err), STATUS_OK);
	assert_int_equal(scene.s3.requests, requests); /* the committing thread waits for nobody */
	assert_int_equal(read_back(&scene, &one), STATUS_NOTFOUND);
	assert_int_equal(work(&scene), STATUS_IO);
	end_run(&scene);
	assert_int_equal(open_backend(&scene), STATUS_OK); /* it starts without its store */
	assert_false(state_of(&scene).is_usable);
	assert_int_equal(scene.backend.owes(scene.backend.context, &owes, &gate, &item, &scene.err), STATUS_OK);
	assert_true(owes);
	assert_int_equal(objects(&scene), 1);
	scene.s3.is_down = false;
	assert_int_equal(work(&scene), STATUS_OK);
	assert_int_equal(scene.backend.owes(scene.backend.context, &owes, &gate, &item, &scene.err), STATUS_OK);
	assert_false(owes);
	assert_int_equal(objects(&scene), 0);
	assert_true(state_of(&scene).is_usable);
	assert_int_equal(state_of(&scene).owed, 0);
	close_scene(&scene);
}

static void what_passes_by_itself_is_tried_again(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot spot;
	static const struct {
		int failure;
		const char *code;
		bool cuts;
	} rows[] = {{503, "SlowDown", false}, {500, "InternalError", false}, {429, "TooManyRequests", false},
	    {400, "RequestTimeout", false}, {0, NULL, true}};
	open_scene(&scene);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		scene.s3.fails = 3;
		scene.s3.failure = rows[i].failure;
		scene.s3.code = rows[i].code;
		scene.s3.cuts = rows[i].cuts;
		assert_int_equal(put(&scene, &spot, "tried again"), STATUS_OK);
		assert_int_equal(read_back(&scene, &spot), STATUS_OK);
	}
	assert_true(scene.s3.slept_ms > 0);
	close_scene(&scene);
}

/* And whoever comes next does not wait either, until a moment has passed. What may have been written is deleted. */
static void a_put_that_fails_for_good_leaves_nothing(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot spot;
	open_scene(&scene);
	scene.s3.is_down = true;
	assert_int_equal(put(&scene, &spot, "lost"), STATUS_IO);
	const size_t requests = scene.s3.requests;
	assert_int_equal(put(&scene, &spot, "lost, too"), STATUS_IO);
	assert_int_equal(scene.s3.requests, requests);
	assert_int_equal(state_of(&scene).owed, 2);
	scene.s3.is_down = false;
	assert_int_equal(work(&scene), STATUS_OK);
	assert_int_equal(state_of(&scene).owed, 0);
	assert_int_equal(objects(&scene), 0);
	close_scene(&scene);
}

static void a_refusal_is_said_in_words_and_not_tried_again(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot spot;
	static const struct {
		int failure;
		const char *code, *words;
	} rows[] = {{403, "SignatureDoesNotMatch", "is the secret key the one"},
	    {403, "RequestTimeTooSkewed", "this machine's clock differs"},
	    {403, "InvalidAccessKeyId", "does not know the access key"}, {403, "AccessDenied", "may not do this"},
	    {404, "NoSuchBucket", "no such bucket"}, {301, "PermanentRedirect", "another endpoint"},
	    {400, "AuthorizationHeaderMalformed", "another region"}, {418, "Teapot", "HTTP status 418 Teapot"}};
	open_scene(&scene);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const size_t requests = scene.s3.requests;
		scene.s3.fails = 1;
		scene.s3.failure = rows[i].failure;
		scene.s3.code = rows[i].code;
		assert_int_equal(put(&scene, &spot, "refused"), STATUS_IO);
		assert_int_equal(scene.s3.requests, requests + 1);
		assert_says(&scene, rows[i].words);
		assert_false(state_of(&scene).is_usable);
	}
	end_run(&scene);
	scene.s3.fails = 1;
	assert_int_equal(open_backend(&scene), STATUS_DENIED); /* and whoever starts the node is told */
	close_scene(&scene);
}

static void a_changed_or_lost_object_is_named(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot one, two;
	bool has;
	open_scene(&scene);
	assert_int_equal(put(&scene, &one, "one"), STATUS_OK);
	assert_int_equal(put(&scene, &two, "two"), STATUS_OK);
	scene.s3.flips = true;
	assert_int_equal(read_back(&scene, &one), STATUS_CORRUPT);
	assert_says(&scene, "other bytes");
	scene.s3.flips = false;
	assert_int_equal(read_back(&scene, &one), STATUS_OK);
	for (size_t i = 0; i < scene.s3.count; i++) /* another blob's bytes, of the same length */
		if (strncmp(scene.s3.objects[i].key, "owner", 5) != 0)
			memory_s3_put(&scene.s3, scene.s3.objects[i].key, frame_of(&scene, "xyz", &(hash32){{0}}));
	assert_int_equal(read_back(&scene, &two), STATUS_CORRUPT);
	for (size_t i = scene.s3.count; i-- > 0;)
		if (strncmp(scene.s3.objects[i].key, "owner", 5) != 0)
			memory_s3_remove(&scene.s3, scene.s3.objects[i].key);
	assert_int_equal(read_back(&scene, &one), STATUS_NOTFOUND);
	assert_int_equal(scene.backend.has(scene.backend.context, &has, &one, &scene.err), STATUS_OK);
	assert_false(has);
	close_scene(&scene);
}

/* A store that is down, or another's, says nothing of what was kept: it would all be fetched again. */
static void nothing_is_lost_as_long_as_the_mark_is_not_seen(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot one;
	bool has;
	open_scene(&scene);
	assert_int_equal(put(&scene, &one, "one"), STATUS_OK);
	scene.s3.is_down = true;
	assert_int_equal(read_back(&scene, &one), STATUS_IO);
	assert_int_equal(scene.backend.has(scene.backend.context, &has, &one, &scene.err), STATUS_IO);
	scene.s3.is_down = false;
	clock_ms += 60000;
	while (scene.s3.count > 0) memory_s3_remove(&scene.s3, scene.s3.objects[0].key);
	assert_int_equal(read_back(&scene, &one), STATUS_IO);
	assert_says(&scene, "mark");
	assert_int_equal(scene.backend.has(scene.backend.context, &has, &one, &scene.err), STATUS_IO);
	end_run(&scene);
	assert_int_equal(open_backend(&scene), STATUS_DENIED);
	assert_says(&scene, "--blob-s3-anew");
	scene.s3.options.begins_anew = true;
	assert_int_equal(open_backend(&scene), STATUS_OK);
	assert_int_equal(read_back(&scene, &one), STATUS_NOTFOUND);
	close_scene(&scene);
}

static void a_bucket_with_versions_and_anothers_prefix_are_refused(void **state) {
	(void)state;
	struct scene scene;
	open_scene(&scene);
	end_run(&scene);
	scene.s3.keeps_versions = true;
	assert_int_equal(open_backend(&scene), STATUS_DENIED);
	assert_says(&scene, "versions");
	scene.s3.keeps_versions = false;
	memory_s3_put(&scene.s3, "owner", BYTES_LITERAL("another node's mark"));
	assert_int_equal(open_backend(&scene), STATUS_DENIED);
	assert_says(&scene, "another node");
	close_scene(&scene);
}

/* From an older copy of the bucket, or of a put that came after its node had given it up; page by page. */
static void what_should_not_be_there_is_deleted(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot kept[3];
	char key[160];
	open_scene(&scene);
	scene.s3.page = 4;
	for (size_t i = 0; i < 3; i++) assert_int_equal(put(&scene, &kept[i], "kept"), STATUS_OK);
	for (unsigned i = 0; i < 15; i++) {
		snprintf(key, sizeof key, "%016x-%064x", i + 1, i);
		memory_s3_put(&scene.s3, key, BYTES_LITERAL("stray"));
	}
	memory_s3_put(&scene.s3, "somebody's own notes", BYTES_LITERAL("not ours"));
	end_run(&scene);
	assert_int_equal(open_backend(&scene), STATUS_OK);
	assert_int_equal(work(&scene), STATUS_OK);
	assert_int_equal(work(&scene), STATUS_OK);
	assert_int_equal(objects(&scene), 4);
	assert_int_equal(state_of(&scene).strays, 15);
	assert_int_equal(state_of(&scene).objects, 3);
	for (size_t i = 0; i < 3; i++) assert_int_equal(read_back(&scene, &kept[i]), STATUS_OK);
	close_scene(&scene);
}

/* Two processes on one prefix: the older one deletes nothing that it does not know. */
static void nothing_is_deleted_behind_another_run(void **state) {
	(void)state;
	struct scene scene;
	struct scripted_random other_script = {.counter = 1000};
	const struct random_source other = scripted_random(&other_script);
	struct blob_backend newer;
	struct blob_spot spot;
	open_scene(&scene);
	assert_int_equal(blob_s3_open(&newer, scene.world.store, &scene.s3.options, &other, &scene.err), STATUS_OK);
	memory_s3_put(&scene.s3, "0000000000000001-0000000000000000000000000000000000000000000000000000000000000001",
	    BYTES_LITERAL("put by the other"));
	assert_int_equal(work(&scene), STATUS_DENIED);
	assert_says(&scene, "must not share");
	assert_int_equal(objects(&scene), 1);
	assert_int_equal(put(&scene, &spot, "no more"), STATUS_IO);
	newer.close(newer.context);
	close_scene(&scene);
}

/* A crash between the row and its object's answer: it was never acknowledged. */
static void a_put_that_was_not_finished_is_deleted_by_the_next_run(void **state) {
	(void)state;
	struct scene scene;
	struct blob_spot spot;
	uint8_t key[9] = {'o'};
	open_scene(&scene);
	assert_int_equal(put(&scene, &spot, "half done"), STATUS_OK);
	store_be64(key + 1, spot.place.at);
	struct store_value value;
	uint8_t row[85];
	assert_int_equal(
	    store_get(scene.world.store, NULL, TABLE_BLOB, &value, bytes_make(key, sizeof key), NULL), STATUS_OK);
	assert_int_equal(value.view.len, sizeof row);
	memcpy(row, value.view.data, sizeof row);
	store_value_release(&value);
	row[0] = 1;
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, scene.world.store, TABLE_BLOB, bytes_make(key, sizeof key), bytes_make(row, sizeof row));
	assert_int_equal(store_commit(scene.world.store, batch, true, NULL), STATUS_OK);
	store_batch_free(batch);
	end_run(&scene);
	assert_int_equal(open_backend(&scene), STATUS_OK);
	assert_int_equal(scene.backend.is_whole(scene.backend.context, &spot.place, NULL), STATUS_NOTFOUND);
	assert_int_equal(work(&scene), STATUS_OK);
	assert_int_equal(objects(&scene), 0);
	close_scene(&scene);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_put_is_read_in_later_runs_too),
	    cmocka_unit_test(an_erasure_is_owed_until_the_store_has_deleted),
	    cmocka_unit_test(what_passes_by_itself_is_tried_again),
	    cmocka_unit_test(a_put_that_fails_for_good_leaves_nothing),
	    cmocka_unit_test(a_refusal_is_said_in_words_and_not_tried_again),
	    cmocka_unit_test(a_changed_or_lost_object_is_named),
	    cmocka_unit_test(nothing_is_lost_as_long_as_the_mark_is_not_seen),
	    cmocka_unit_test(a_bucket_with_versions_and_anothers_prefix_are_refused),
	    cmocka_unit_test(what_should_not_be_there_is_deleted),
	    cmocka_unit_test(nothing_is_deleted_behind_another_run),
	    cmocka_unit_test(a_put_that_was_not_finished_is_deleted_by_the_next_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
