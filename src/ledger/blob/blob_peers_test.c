/* Members are asked in turn, and one that did not answer is asked only if the others are not enough. For parts of a
 * lock several are asked at once, and nobody waits for one that hangs. */
#include <pthread.h>
#include <stdatomic.h>

#include "codec/hex.h"
#include "ledger/blob/blob_peers.h"

#include "tests/unit.h"

#include "tests/blob_world.h"

#define OTHERS 3u
#define PUTS 12u

/* Three other members, of the same power as this one. */
static struct ed25519_secret secrets[OTHERS];
static struct blob_place places[OTHERS];
static atomic_uint asked[OTHERS];
static bool is_silent[OTHERS];
static bool refuses[OTHERS]; /* a part */
static size_t hanging;       /* from this one on they hang, until they may go */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opens = PTHREAD_COND_INITIALIZER;
static bool may_go;
static atomic_uint limit_ms;
static const hash32 genesis = {{9}};
static const struct held_blob container = {.genesis = &genesis, .gate = {{[19] = 0xaa}}, .blob = {{1}}};

static enum status power_of(void *context, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err) {
	(void)context, (void)node, (void)err;
	*power = 10;
	*all = 10 * (OTHERS + 1);
	return STATUS_OK;
}

static void put_receipt(struct buf *out, const struct ed25519_secret *secret) {
	struct held_receipt receipt;
	assert_int_equal(held_sign(&receipt, &container, secret, BLOB_WORLD_NEWEST_S), STATUS_OK);
	buf_text(out, "{\"held\":[{\"key\":\"");
	hex_put(out, BYTES_OF(receipt.key), true);
	buf_printf(out, "\",\"time\":%llu,\"signature\":\"", (unsigned long long)receipt.time_s);
	hex_put(out, bytes_make(receipt.signature, sizeof receipt.signature), true);
	buf_text(out, "\"}]}");
}

static void hang(void) {
	pthread_mutex_lock(&gate_lock);
	while (!may_go) pthread_cond_wait(&gate_opens, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

static void let_go(void) {
	pthread_mutex_lock(&gate_lock);
	may_go = true;
	pthread_cond_broadcast(&gate_opens);
	pthread_mutex_unlock(&gate_lock);
}

static enum status put_part(struct http_response *response, size_t other) {
	uint8_t answer[OUTER_PARTS_HEAD_BYTES + OUTER_PART_BYTES] = {[7] = 1, [8] = 1, [9] = (uint8_t)(other + 1)};
	if (other >= hanging) hang();
	response->status = refuses[other] ? 403 : 200;
	buf_append(&response->body, bytes_make(answer, sizeof answer));
	return STATUS_OK;
}

static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	(void)context, (void)method, (void)headers, (void)body;
	const size_t other = (size_t)(url[strlen("http://")] - '1');
	asked[other]++;
	if (is_silent[other]) return err_set(err, STATUS_TIMEOUT, "it does not answer");
	if (strstr(url, "/release/")) return put_part(response, other);
	response->status = 201;
	buf_clear(&response->body);
	put_receipt(&response->body, &secrets[other]);
	return STATUS_OK;
}

static void limit(void *context, uint32_t within_ms) {
	(void)context;
	limit_ms = within_ms;
}

static enum status open_client(void *context, struct http_client *out, struct err *err) {
	(void)context, (void)err;
	*out = (struct http_client){.exchange = exchange, .limit = limit};
	return STATUS_OK;
}

static void close_client(void *context, struct http_client *client) {
	(void)context, (void)client;
}

static void open_world(struct blob_world *world, struct blob_members *members) {
	static const char *const urls[OTHERS] = {"http://1", "http://2", "http://3"};
	for (size_t i = 0; i < OTHERS; i++) {
		hash32 key;
		memset(&secrets[i], (int)i + 1, sizeof secrets[i]);
		assert_int_equal(ed25519_public_of(&key, &secrets[i]), STATUS_OK);
		places[i] = (struct blob_place){held_node_of(&key), urls[i]};
		asked[i] = 0;
		is_silent[i] = refuses[i] = false;
	}
	hanging = OTHERS;
	may_go = false;
	*members = (struct blob_members){.places = places,
	    .count = OTHERS,
	    .secret = {{7}},
	    .power = power_of,
	    .open = open_client,
	    .close = close_client};
	blob_world_open_among(world, members);
}

/* How many members hold a container that is put now. */
static size_t put_bytes(struct blob_world *world, struct bytes content) {
	struct blob_held *held = mem_zalloc(1, sizeof *held);
	held->blob = container;
	assert_done(world, blob_held_begin(world->room, held, &world->err));
	blob_held_spread(world->room, held, bytes_text("Xinglin x"), content);
	const size_t count = held->count;
	mem_free(held);
	world->now_s += 100; /* nobody rests so long */
	return count;
}

static size_t put(struct blob_world *world) {
	return put_bytes(world, bytes_text("content"));
}

static void all_are_asked_alike(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	for (unsigned i = 0; i < PUTS; i++) assert_int_equal(put(&world), 2);
	for (size_t i = 0; i < OTHERS; i++) assert_int_equal(asked[i], PUTS / OTHERS);
	blob_world_close(&world);
}

static void one_that_did_not_answer_costs_its_time_once(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	is_silent[1] = true;
	for (unsigned i = 0; i < PUTS; i++) assert_int_equal(put(&world), 2);
	assert_int_equal(asked[1], 1);
	assert_int_equal(asked[0] + asked[2], PUTS);
	blob_world_close(&world);
}

static void it_is_asked_again_when_the_others_are_not_enough(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	is_silent[1] = true;
	for (unsigned i = 0; i < PUTS; i++) assert_int_equal(put(&world), 2);
	is_silent[0] = is_silent[2] = true;
	is_silent[1] = false;
	assert_int_equal(put(&world), 2);
	asked[1] = 0;
	for (unsigned i = 0; i < PUTS; i++) assert_int_equal(put(&world), 2);
	assert_int_equal(asked[1], PUTS); /* it is the one that answers by now */
	blob_world_close(&world);
}

/* Whoever puts waits for a minute, and with seven members two may hang, one after the other. */
static void a_putter_outlasts_two_that_hang(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	const size_t most = (size_t)64 << 20;
	uint8_t *content = mem_zalloc(1, most);
	open_world(&world, &members);
	assert_int_equal(put(&world), 2);
	assert_in_range(limit_ms, 1000, 5000);
	assert_int_equal(put_bytes(&world, bytes_make(content, most)), 2);
	assert_in_range(limit_ms, 20000, 29999);
	mem_free(content);
	blob_world_close(&world);
}

/* A bit for each other member that gave a part. */
static unsigned parts_of(struct blob_world *world, uint8_t wanted, uint8_t count) {
	static const struct blob_parts_wish wish = {"/release/here", "Authorization: x", {(const uint8_t *)"w", 1}, 1};
	uint8_t parts[OTHERS][OUTER_PART_BYTES] = {{0}};
	unsigned who = 0;
	assert_int_equal(blob_parts_ask(world->room, parts, wanted, &wish), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(who >> parts[i][0] & 1, 0);
		who |= 1u << parts[i][0];
	}
	return who >> 1;
}

static void as_many_are_asked_for_parts_as_are_wanted(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	assert_int_equal(parts_of(&world, 0, 0), 0);
	assert_int_equal(asked[0] + asked[1] + asked[2], 0);
	assert_int_equal(__builtin_popcount(parts_of(&world, 1, 1)), 1);
	assert_int_equal(parts_of(&world, OTHERS, OTHERS), 7);
	blob_world_close(&world);
}

static void who_refuses_a_part_or_is_silent_is_passed_over(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	refuses[0] = is_silent[1] = true;
	assert_int_equal(parts_of(&world, 1, 1), 4);
	assert_int_equal(parts_of(&world, 2, 1), 4);
	refuses[2] = true;
	assert_int_equal(parts_of(&world, 1, 0), 0);
	blob_world_close(&world);
}

/* The answer comes while they hang still. */
static void nobody_waits_for_members_that_hang(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	hanging = 1;
	for (unsigned i = 0; i < OTHERS; i++) assert_int_equal(parts_of(&world, 1, 1), 1);
	let_go();
	blob_world_close(&world);
}

static void a_member_that_moved_is_asked_where_it_is_and_who_is_named_no_more_is_not(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	is_silent[0] = is_silent[1] = is_silent[2] = true;
	assert_int_equal(parts_of(&world, 1, 0), 0); /* they rest now */
	is_silent[0] = false;
	const struct blob_place moved[] = {{places[1].node, "http://1"}}; /* to where the first one was */
	assert_done(&world, blob_members_move(world.room, moved, 1, &world.err));
	for (size_t i = 0; i < OTHERS; i++) asked[i] = 0;
	assert_int_equal(parts_of(&world, OTHERS, 1), 1);
	assert_int_equal(asked[0], 1);
	assert_int_equal(asked[1] + asked[2], 0);
	world.now_s += 100;
	assert_done(&world, blob_members_move(world.room, places, OTHERS, &world.err));
	assert_int_equal(parts_of(&world, OTHERS, 1), 1);
	assert_int_equal(asked[0], 2);
	blob_world_close(&world);
}

static void more_members_than_there_is_room_for_are_refused(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	struct blob_place many[BLOB_PEERS_MAX + 1];
	open_world(&world, &members);
	for (size_t i = 0; i < BLOB_PEERS_MAX + 1; i++) many[i] = (struct blob_place){{{(uint8_t)i, 1}}, "http://1"};
	assert_int_equal(blob_members_move(world.room, many, BLOB_PEERS_MAX - OTHERS, &world.err), STATUS_OK);
	assert_int_equal(blob_members_move(world.room, many, BLOB_PEERS_MAX + 1, &world.err), STATUS_LIMIT);
	assert_int_equal(blob_peers_count(world.room), BLOB_PEERS_MAX);
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_are_asked_alike),
	    cmocka_unit_test(one_that_did_not_answer_costs_its_time_once),
	    cmocka_unit_test(it_is_asked_again_when_the_others_are_not_enough),
	    cmocka_unit_test(a_putter_outlasts_two_that_hang),
	    cmocka_unit_test(as_many_are_asked_for_parts_as_are_wanted),
	    cmocka_unit_test(who_refuses_a_part_or_is_silent_is_passed_over),
	    cmocka_unit_test(nobody_waits_for_members_that_hang),
	    cmocka_unit_test(a_member_that_moved_is_asked_where_it_is_and_who_is_named_no_more_is_not),
	    cmocka_unit_test(more_members_than_there_is_room_for_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
