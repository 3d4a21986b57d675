/* A node that comes back serves nothing before it has followed the others; whoever lies about how far they are keeps it
 * waiting for a while at most, and never makes it serve too early. */
#include "ledger/blob/blob_peers.h"

#include "tests/unit.h"

#include "tests/blob_world.h"

#define OTHERS 3u
#define SILENT UINT64_MAX

/* Three other members, of the same power as this one, and the block that each of them names. */
static uint64_t numbers[OTHERS];
static addr20 self;

static enum status power_of(void *context, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err) {
	(void)context;
	(void)err;
	const bool is_other = node->b[0] == 0 && node->b[19] >= 1 && node->b[19] <= OTHERS;
	*power = is_other || addr20_equal(node, &self) ? 10 : 0;
	*all = 10 * (OTHERS + 1);
	return STATUS_OK;
}

static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	(void)context;
	(void)headers;
	(void)body;
	assert_int_equal(method, HTTP_GET);
	const uint64_t number = numbers[url[strlen("http://")] - '1'];
	if (number == SILENT) return err_set(err, STATUS_IO, "nobody there");
	response->status = 200;
	buf_clear(&response->body);
	buf_printf(&response->body, "{\"number\":%llu}", (unsigned long long)number);
	return STATUS_OK;
}

static enum status open_client(void *context, struct http_client *out, struct err *err) {
	(void)context;
	(void)err;
	*out = (struct http_client){.exchange = exchange};
	return STATUS_OK;
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	(void)client;
}

static const struct blob_place places[OTHERS] = {
    {{.b = {[19] = 1}}, "http://1"}, {{.b = {[19] = 2}}, "http://2"}, {{.b = {[19] = 3}}, "http://3"}};

static void open_world(struct blob_world *world, struct blob_members *members) {
	*members = (struct blob_members){.places = places,
	    .count = OTHERS,
	    .secret = {{7}},
	    .power = power_of,
	    .open = open_client,
	    .close = close_client};
	blob_world_open_among(world, members);
	self = blob_peers_self(world->room);
}

static void name(uint64_t first, uint64_t second, uint64_t third) {
	numbers[0] = first;
	numbers[1] = second;
	numbers[2] = third;
}

/* Is it current after so many seconds more, looking each of them? */
static bool is_current_after(struct blob_world *world, unsigned seconds) {
	for (unsigned i = 0; i <= seconds; i++) {
		assert_done(world, blob_current_look(world->room, &world->err));
		if (blob_peers_is_current(world->room)) return true;
		world->now_s++;
	}
	return false;
}

static void it_serves_once_the_others_name_no_later_block(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	name(5, 5, 5);
	assert_false(is_current_after(&world, 1));
	world.room->followed = 4;
	assert_false(is_current_after(&world, 1));
	world.room->followed = 5;
	assert_true(is_current_after(&world, 0));
	blob_world_close(&world);
}

static void too_few_answers_say_nothing(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	name(0, SILENT, SILENT);
	assert_false(is_current_after(&world, 200));
	name(0, 0, SILENT);
	assert_true(is_current_after(&world, 70)); /* the second one rests for a while */
	blob_world_close(&world);
}

static void one_that_lies_keeps_it_waiting_for_half_a_minute(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	name(0, 0, 1000000);
	assert_false(is_current_after(&world, 28));
	world.room->followed = 1; /* it still comes forward */
	assert_false(is_current_after(&world, 28));
	assert_true(is_current_after(&world, 5));
	blob_world_close(&world);
}

static void two_of_four_are_believed_however_long_it_takes(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	name(0, 7, 9);
	assert_false(is_current_after(&world, 200));
	blob_world_close(&world);
}

static void a_room_without_members_serves_at_once(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	assert_true(blob_peers_is_current(world.room));
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(it_serves_once_the_others_name_no_later_block),
	    cmocka_unit_test(too_few_answers_say_nothing),
	    cmocka_unit_test(one_that_lies_keeps_it_waiting_for_half_a_minute),
	    cmocka_unit_test(two_of_four_are_believed_however_long_it_takes),
	    cmocka_unit_test(a_room_without_members_serves_at_once)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
