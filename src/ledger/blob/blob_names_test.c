/* A node that began with a snapshot learns what was named before it by the word of so many members that one of them is
 * honest: nobody alone can add a name, or keep one from it. */
#include "envelope/container.h"
#include "ledger/blob/blob_fetch.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_wire.h"

#include "tests/unit.h"

#include "tests/blob_world.h"

#define OTHERS 3u
#define ITEMS 7000u
#define SNAPSHOT 9u

/* Three other members, of the same power as this one, and what each of them says. */
static struct other {
	bool has[ITEMS]; /* item i, in the order of their keys */
	uint8_t blob[ITEMS];
	uint64_t followed;
	bool is_silent;
	int status;
} others[OTHERS];
static addr20 self;

static enum status power_of(void *context, uint64_t *power, uint64_t *all, const addr20 *node, struct err *err) {
	(void)context;
	(void)err;
	const bool is_other = node->b[0] == 0 && node->b[19] >= 1 && node->b[19] <= OTHERS;
	*power = is_other || addr20_equal(node, &self) ? 10 : 0;
	*all = 10 * (OTHERS + 1);
	return STATUS_OK;
}

static struct blob_name name_of(size_t item, uint8_t blob) {
	return (struct blob_name){.gate = blob_world_gate,
	    .item = {{(uint8_t)(item >> 8), (uint8_t)item, 1}},
	    .blob = {{blob}},
	    .size_bytes = 100};
}

static void answer(const struct other *other, struct buf *out, const struct blob_name *after) {
	struct blob_page *page = mem_zalloc(1, sizeof *page);
	page->followed = other->followed;
	page->is_last = true;
	for (size_t i = 0; i < ITEMS; i++) {
		const struct blob_name name = name_of(i, other->blob[i]);
		if (!other->has[i] || blob_name_compare(after, &name) >= 0) continue;
		page->is_last = page->count < BLOB_PAGE_NAMES;
		if (!page->is_last) break;
		page->names[page->count++] = name;
	}
	blob_page_encode(out, page);
	mem_free(page);
}

static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	(void)context;
	(void)headers;
	struct blob_name after;
	const struct other *other = &others[url[strlen("http://")] - '1'];
	assert_int_equal(method, HTTP_POST);
	assert_int_equal(blob_page_asked(&after, body, NULL), STATUS_OK);
	if (other->is_silent) return err_set(err, STATUS_IO, "nobody there");
	response->status = other->status;
	buf_clear(&response->body);
	if (other->status == 200) answer(other, &response->body, &after);
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

/* All three have every third item but for the first ones, and this node has followed as much as they. */
static void open_world(struct blob_world *world, struct blob_members *members) {
	*members = (struct blob_members){.places = places,
	    .count = OTHERS,
	    .secret = {{7}},
	    .power = power_of,
	    .open = open_client,
	    .close = close_client};
	blob_world_open_among(world, members);
	self = blob_peers_self(world->room);
	for (size_t k = 0; k < OTHERS; k++) {
		others[k] = (struct other){.followed = SNAPSHOT + 1, .status = 200};
		for (size_t i = 3; i < ITEMS; i += 3) others[k].has[i] = true;
		for (size_t i = 0; i < ITEMS; i++) others[k].blob[i] = (uint8_t)i;
	}
	struct store_batch *batch = store_batch_new();
	blob_names_owe(world->room, batch, SNAPSHOT);
	assert_done(world, store_commit(world->store, batch, true, &world->err));
	store_batch_free(batch);
	world->room->followed = SNAPSHOT + 1;
}

/* Does it know all after so many seconds? */
static bool is_settled_after(struct blob_world *world, unsigned seconds) {
	for (unsigned i = 0; i <= seconds && blob_names_are_due(world->room); i++) {
		for (bool more = true; more;) {
			more = false;
			assert_done(world, blob_names_learn(world->room, &more, &world->err));
		}
		assert_false(blob_peers_is_current(world->room)); /* that it has followed is another condition */
		world->now_s++;
	}
	return !blob_names_are_due(world->room);
}

/* What this node has of an item: the first byte of its blob; -1: it does not know the item, or it was erased. */
static int known(struct blob_world *world, size_t item) {
	struct blob_item found;
	const struct blob_name name = name_of(item, 0);
	const enum status status = blob_index_find(world->room, &found, &name.gate, &name.item, &world->err);
	return status == STATUS_OK && found.state == BLOB_MISSING ? found.blob.b[0] : -1;
}

static void assert_known(struct blob_world *world) {
	for (size_t i = 0; i < ITEMS; i++) assert_int_equal(known(world, i), i > 0 && i % 3 == 0 ? (uint8_t)i : -1);
}

static uint64_t lies_of(struct blob_world *world, size_t member) {
	struct blob_peer_counts counts;
	assert_true(blob_peer_counts(world->room, member, &counts));
	return counts.forged;
}

static void what_all_name_is_known_page_by_page(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	assert_true(is_settled_after(&world, 0));
	assert_known(&world);
	blob_world_close(&world);
}

static void what_one_alone_names_is_a_lie_and_its_teller_is_named(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	for (size_t lie = 0; lie < ITEMS; lie += 2333) { /* at the begin, within, and at the end */
		open_world(&world, &members);
		others[1].has[lie] = true;
		others[1].blob[lie] = 0xee;
		assert_true(is_settled_after(&world, 0));
		assert_known(&world);
		assert_true(lies_of(&world, 0) == 0 && lies_of(&world, 1) == 1 && lies_of(&world, 2) == 0);
		blob_world_close(&world);
	}
}

static void what_one_withholds_is_known_by_the_others(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	for (size_t kept = 0; kept <= 2000; kept += 500) {
		open_world(&world, &members);
		for (size_t i = 3 * kept; i < ITEMS; i++) others[2].has[i] = false;
		assert_true(is_settled_after(&world, 0));
		assert_known(&world);
		blob_world_close(&world);
	}
}

static void one_of_four_says_nothing_that_counts(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[0].is_silent = others[1].is_silent = true;
	assert_false(is_settled_after(&world, 300));
	for (size_t i = 0; i < ITEMS; i++) assert_int_equal(known(&world, i), -1);
	blob_world_close(&world);
}

static void two_that_differ_wait_for_the_third(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[0].is_silent = true;
	others[1].has[1] = true;
	assert_false(is_settled_after(&world, 300));
	assert_known(&world); /* what both say counts already */
	assert_int_equal(lies_of(&world, 1), 0);
	others[0].is_silent = false;
	assert_true(is_settled_after(&world, 120));
	assert_known(&world);
	assert_int_equal(lies_of(&world, 1), 1);
	blob_world_close(&world);
}

static void what_was_named_since_is_nobodys_lie_and_the_nodes_own_to_follow(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[1].followed = SNAPSHOT + 2;
	others[1].has[1] = true;
	assert_true(is_settled_after(&world, 0));
	assert_known(&world);
	assert_int_equal(lies_of(&world, 1), 0);
	blob_world_close(&world);
}

static void whoever_says_to_be_far_ahead_keeps_nobody_waiting(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[1].followed = UINT64_MAX;
	for (size_t i = 0; i < ITEMS; i++) others[1].has[i] = true;
	assert_true(is_settled_after(&world, 0));
	assert_known(&world);
	blob_world_close(&world);
}

static void a_list_of_lies_without_an_end_keeps_nobody_else_unheard(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[0].is_silent = true;
	for (size_t i = 0; i < ITEMS; i++) others[1].has[i] = true;
	assert_false(is_settled_after(&world, 60));
	assert_int_equal(lies_of(&world, 1), 0);
	others[0].is_silent = false;
	assert_true(is_settled_after(&world, 120));
	assert_known(&world);
	assert_int_equal(lies_of(&world, 1), 1);
	blob_world_close(&world);
}

static void two_that_agree_are_enough(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[2].is_silent = true;
	assert_true(is_settled_after(&world, 0));
	assert_known(&world);
	blob_world_close(&world);
}

static void whoever_is_behind_the_snapshot_or_learns_itself_is_not_heard(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[0].followed = SNAPSHOT - 1;
	others[1].status = 503;
	assert_false(is_settled_after(&world, 100));
	others[1].status = 200;
	assert_true(is_settled_after(&world, 20)); /* it answered, and so did not rest */
	assert_known(&world);
	blob_world_close(&world);
}

static void what_was_erased_since_the_snapshot_stays_away(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	const struct blob_name name = name_of(6, 6);
	const struct blob_item erased = {.gate = name.gate, .item = name.item, .state = BLOB_ERASED};
	assert_done(&world, blob_index_learn(world.room, &erased, 1, &world.err));
	assert_true(is_settled_after(&world, 0));
	assert_int_equal(known(&world, 6), -1);
	assert_int_equal(known(&world, 9), 9);
	blob_world_close(&world);
}

static void nobody_is_accused_while_this_node_is_behind(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	others[1].has[1] = true; /* erased at the others, which have followed more */
	others[0].followed = others[2].followed = SNAPSHOT + 5;
	assert_false(is_settled_after(&world, 30));
	assert_int_equal(lies_of(&world, 1), 0);
	world.room->followed = others[1].followed = SNAPSHOT + 5;
	others[1].has[1] = false;
	assert_true(is_settled_after(&world, 30));
	assert_known(&world);
	assert_int_equal(lies_of(&world, 1), 0);
	blob_world_close(&world);
}

static void a_restart_forgets_nothing(void **state) {
	(void)state;
	struct blob_world world;
	struct blob_members members;
	open_world(&world, &members);
	blob_world_end(&world);
	blob_world_start(&world);
	assert_true(blob_names_are_due(world.room));
	world.room->followed = SNAPSHOT + 1;
	assert_true(is_settled_after(&world, 0));
	blob_world_end(&world);
	blob_world_start(&world);
	assert_false(blob_names_are_due(world.room));
	assert_known(&world);
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_all_name_is_known_page_by_page),
	    cmocka_unit_test(what_one_alone_names_is_a_lie_and_its_teller_is_named),
	    cmocka_unit_test(what_one_withholds_is_known_by_the_others),
	    cmocka_unit_test(one_of_four_says_nothing_that_counts),
	    cmocka_unit_test(two_that_differ_wait_for_the_third), cmocka_unit_test(two_that_agree_are_enough),
	    cmocka_unit_test(what_was_named_since_is_nobodys_lie_and_the_nodes_own_to_follow),
	    cmocka_unit_test(whoever_says_to_be_far_ahead_keeps_nobody_waiting),
	    cmocka_unit_test(a_list_of_lies_without_an_end_keeps_nobody_else_unheard),
	    cmocka_unit_test(whoever_is_behind_the_snapshot_or_learns_itself_is_not_heard),
	    cmocka_unit_test(what_was_erased_since_the_snapshot_stays_away),
	    cmocka_unit_test(nobody_is_accused_while_this_node_is_behind), cmocka_unit_test(a_restart_forgets_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
