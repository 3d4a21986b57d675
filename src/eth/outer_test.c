#include "eth/outer_dealing.h"

#include "tests/unit.h"

#include "eth/held.h"
#include "tests/scripted_random.h"

#define MEMBERS 5u

/* Five nodes of one chain; the first four found a key. */
struct grove {
	struct scripted_random script;
	struct random_source random;
	hash32 genesis;
	struct outer_member members[MEMBERS];
	struct outer_offer offers[MEMBERS];
	struct buf texts[MEMBERS];
	struct outer_dealing dealings[MEMBERS];
	struct outer_statement statement;
	struct vss_share shares[MEMBERS];
};

static void setup(struct grove *grove) {
	*grove = (struct grove){.script = {1}, .genesis = {{9}}};
	grove->random = scripted_random(&grove->script);
	for (size_t i = 0; i < MEMBERS; i++) {
		struct ed25519_secret node;
		random_fill(&grove->random, (uint8_t *)&node, sizeof node);
		assert_int_equal(outer_member_init(&grove->members[i], &grove->genesis, &node), STATUS_OK);
		grove->offers[i] = grove->members[i].offer;
		buf_init(&grove->texts[i], OUTER_DEALING_MAX);
	}
}

static void teardown(struct grove *grove) {
	for (size_t i = 0; i < MEMBERS; i++) buf_fini(&grove->texts[i]);
}

static void deal(
    struct grove *grove, size_t place, size_t dealer, uint64_t number, const struct p256_secret *secret, size_t count) {
	buf_clear(&grove->texts[place]);
	assert_int_equal(outer_deal(&grove->texts[place], &grove->members[dealer], number, secret, grove->offers, count,
			     &grove->random),
	    STATUS_OK);
	assert_int_equal(
	    outer_dealing_read(&grove->dealings[place], buf_view(&grove->texts[place]), &grove->genesis), STATUS_OK);
}

static void deal_four(struct grove *grove) {
	for (size_t i = 0; i < 4; i++) {
		const struct p256_secret secret = {{[30] = 7, [31] = (uint8_t)(1 + i)}};
		deal(grove, i, i, 1, &secret, 4);
	}
}

static void found(struct grove *grove) {
	setup(grove);
	deal_four(grove);
	for (size_t i = 0; i < 4; i++) {
		struct outer_statement said;
		assert_int_equal(
		    outer_gather(&said, &grove->shares[i], &grove->members[i], grove->dealings, 4, NULL, NULL),
		    STATUS_OK);
		if (i == 0) grove->statement = said;
		assert_memory_equal(&said, &grove->statement, sizeof said);
		assert_true(vss_share_is_valid(&grove->shares[i], &said.commitments));
	}
}

static const hash32 item = {{1, 2, 3}};
static const addr20 gate = {{4, 5}};

/* A lock under the grove's key, and what a reader wishes of it. */
struct asked {
	uint8_t label[OUTER_LABEL_BYTES];
	struct buf lock;
	struct outer_wish wish;
	struct p256_secret reader;
};

static void ask(struct asked *asked, struct grove *grove) {
	outer_label(asked->label, &grove->genesis, &gate, &item);
	buf_init(&asked->lock, 4096);
	assert_int_equal(tdh2_lock(&asked->lock, &grove->statement.commitments.points[0],
			     bytes_make(asked->label, sizeof asked->label), bytes_text("a lead"), &grove->random),
	    STATUS_OK);
	asked->reader = (struct p256_secret){{3}};
	asked->wish = (struct outer_wish){.number = grove->statement.number, .needed = 2};
	assert_int_equal(p256_public_of(&asked->wish.reader, &asked->reader), STATUS_OK);
	assert_int_equal(tdh2_head_of(&asked->wish.head, buf_view(&asked->lock)), STATUS_OK);
}

static enum status open_with(
    struct asked *asked, struct grove *grove, struct buf *out, const struct vss_share *shares, size_t count) {
	struct voprf_part parts[MEMBERS];
	struct p256_public opened;
	uint64_t false_parts;
	for (size_t i = 0; i < count; i++) {
		uint8_t part[OUTER_PART_BYTES];
		TRY(outer_part_make(part, &asked->wish, asked->label, &shares[i], &grove->random));
		TRY(outer_part_open(&parts[i], bytes_make(part, sizeof part), asked->label, &asked->reader));
	}
	TRY(voprf_combine(&opened, &false_parts, parts, count, &grove->statement.commitments, &asked->wish.head.u));
	return tdh2_open(out, buf_view(&asked->lock), bytes_make(asked->label, sizeof asked->label), &opened);
}

static void assert_opens(
    struct asked *asked, struct grove *grove, const struct vss_share *shares, size_t count, enum status wanted) {
	struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(open_with(asked, grove, &out, shares, count), wanted);
	if (wanted == STATUS_OK) assert_true(bytes_equal(buf_view(&out), bytes_text("a lead")));
	buf_fini(&out);
}

static void two_of_four_founders_open_a_lock(void **state) {
	struct grove grove;
	struct asked asked;
	(void)state;
	found(&grove);
	ask(&asked, &grove);
	assert_opens(&asked, &grove, grove.shares, 2, STATUS_OK);
	assert_opens(&asked, &grove, grove.shares + 2, 2, STATUS_OK);
	assert_opens(&asked, &grove, grove.shares + 1, 1, STATUS_DENIED);
	buf_fini(&asked.lock);
	teardown(&grove);
}

static void a_key_that_is_dealt_again_opens_what_was_locked_before(void **state) {
	struct grove grove;
	struct asked asked;
	(void)state;
	found(&grove);
	ask(&asked, &grove);
	const struct outer_statement old = grove.statement;
	const struct vss_share removed = grove.shares[0];
	deal(&grove, 0, 1, 2, &grove.shares[1].value, MEMBERS);
	deal(&grove, 1, 3, 2, &grove.shares[3].value, MEMBERS);
	/* shares[i] is of the offer i, whose place among the holders is another one */
	for (size_t i = 0; i < MEMBERS; i++)
		assert_int_equal(
		    outer_gather(&grove.statement, &grove.shares[i], &grove.members[i], grove.dealings, 2, &old, NULL),
		    STATUS_OK);
	assert_memory_equal(&old.commitments.points[0], &grove.statement.commitments.points[0], 64);
	assert_int_equal(grove.statement.number, 2);
	assert_opens(&asked, &grove, grove.shares + 3, 2, STATUS_OK);
	const struct vss_share mixed[] = {removed, grove.shares[4]};
	assert_opens(&asked, &grove, mixed, 2, STATUS_DENIED);
	buf_fini(&asked.lock);
	teardown(&grove);
}

static void a_dealing_of_what_is_no_share_is_named(void **state) {
	struct grove grove;
	struct vss_share share;
	struct err err = {0};
	(void)state;
	found(&grove);
	const struct outer_statement old = grove.statement;
	const struct p256_secret other = {{8}};
	deal(&grove, 0, 1, 2, &grove.shares[1].value, MEMBERS);
	deal(&grove, 1, 3, 2, &other, MEMBERS);
	assert_int_equal(
	    outer_gather(&grove.statement, &share, &grove.members[0], grove.dealings, 2, &old, &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "dealing 2"));
	/* and of somebody who holds none */
	deal(&grove, 1, 4, 2, &grove.shares[3].value, MEMBERS);
	assert_int_equal(
	    outer_gather(&grove.statement, &share, &grove.members[0], grove.dealings, 2, &old, &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "dealing 2"));
	teardown(&grove);
}

static void too_few_dealings_give_nothing(void **state) {
	struct grove grove;
	struct outer_statement said;
	struct vss_share share;
	struct err err = {0};
	(void)state;
	found(&grove);
	const struct outer_statement old = grove.statement;
	deal_four(&grove);
	assert_int_equal(outer_gather(&said, &share, &grove.members[0], grove.dealings, 3, NULL, &err), STATUS_INVALID);
	assert_int_equal(outer_gather(&said, &share, &grove.members[0], grove.dealings, 4, &old, &err), STATUS_INVALID);
	assert_int_equal(outer_gather(&said, &share, &grove.members[4], grove.dealings, 4, NULL, &err), STATUS_DENIED);
	deal(&grove, 0, 1, 2, &grove.shares[1].value, MEMBERS);
	assert_int_equal(outer_gather(&said, &share, &grove.members[0], grove.dealings, 1, &old, &err), STATUS_INVALID);
	assert_int_equal(outer_gather(&said, &share, &grove.members[0], grove.dealings, 0, &old, &err), STATUS_INVALID);
	teardown(&grove);
}

static void what_was_changed_or_is_of_another_chain_is_refused(void **state) {
	struct grove grove;
	struct outer_dealing dealing;
	struct outer_offer offer;
	uint8_t offered[OUTER_OFFER_BYTES];
	const hash32 other = {{10}};
	(void)state;
	setup(&grove);
	deal_four(&grove);
	struct buf *text = &grove.texts[0];
	assert_int_equal(outer_dealing_read(&dealing, buf_view(text), &other), STATUS_DENIED);
	for (size_t i = 0; i < text->len; i++) {
		text->data[i] ^= 1;
		assert_int_not_equal(outer_dealing_read(&dealing, buf_view(text), &grove.genesis), STATUS_OK);
		text->data[i] ^= 1;
	}
	for (size_t len = 0; len < text->len; len++)
		assert_int_equal(
		    outer_dealing_read(&dealing, bytes_make(text->data, len), &grove.genesis), STATUS_INVALID);
	assert_int_equal(outer_offer_write(offered, &grove.members[0]), STATUS_OK);
	assert_int_equal(outer_offer_read(&offer, bytes_make(offered, sizeof offered), &other), STATUS_DENIED);
	assert_int_equal(outer_offer_read(&offer, bytes_make(offered, sizeof offered), &grove.genesis), STATUS_OK);
	for (size_t i = 0; i < sizeof offered; i++) {
		offered[i] ^= 1;
		assert_int_not_equal(
		    outer_offer_read(&offer, bytes_make(offered, sizeof offered), &grove.genesis), STATUS_OK);
		offered[i] ^= 1;
	}
	teardown(&grove);
}

static void a_node_takes_one_share(void **state) {
	struct grove grove;
	const struct p256_secret secret = {{5}};
	(void)state;
	setup(&grove);
	grove.offers[2] = grove.offers[0];
	assert_int_equal(
	    outer_deal(&grove.texts[0], &grove.members[0], 1, &secret, grove.offers, 4, &grove.random), STATUS_INVALID);
	assert_int_equal(
	    outer_deal(&grove.texts[0], &grove.members[0], 1, &secret, grove.offers, 0, &grove.random), STATUS_INVALID);
	teardown(&grove);
}

static void a_statement_has_one_encoding(void **state) {
	struct grove grove;
	struct outer_statement read;
	struct buf text;
	(void)state;
	found(&grove);
	buf_init(&text, OUTER_STATEMENT_MAX);
	outer_statement_write(&text, &grove.statement);
	assert_int_equal(outer_statement_read(&read, buf_view(&text)), STATUS_OK);
	assert_memory_equal(&read, &grove.statement, sizeof read);
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(outer_statement_read(&read, bytes_make(text.data, len)), STATUS_INVALID);
	text.data[24]++; /* the threshold */
	assert_int_equal(outer_statement_read(&read, buf_view(&text)), STATUS_INVALID);
	text.data[24]--;
	memmove(text.data + OUTER_HEAD_BYTES, text.data + OUTER_HEAD_BYTES + 20, 20); /* a holder twice */
	assert_int_equal(outer_statement_read(&read, buf_view(&text)), STATUS_INVALID);
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(outer_index(&grove.statement, &grove.statement.holders[i]), i + 1);
	assert_int_equal(outer_index(&grove.statement, &gate), 0);
	buf_fini(&text);
	teardown(&grove);
}

static void so_many_open_it_as_one_more_than_may_lie(void **state) {
	static const uint8_t thresholds[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4};
	(void)state;
	for (size_t i = 0; i < sizeof thresholds; i++) assert_int_equal(outer_threshold(i + 1), thresholds[i]);
	assert_int_equal(outer_threshold(OUTER_HOLDERS_MAX), VSS_THRESHOLD_MAX);
}

static void no_part_is_given_of_a_lock_that_stands_under_another_item(void **state) {
	struct grove grove;
	struct asked asked;
	uint8_t part[OUTER_PART_BYTES], label[OUTER_LABEL_BYTES];
	const hash32 other = {{6}};
	(void)state;
	found(&grove);
	ask(&asked, &grove);
	outer_label(label, &grove.genesis, &gate, &other);
	assert_int_equal(outer_part_make(part, &asked.wish, label, &grove.shares[0], &grove.random), STATUS_DENIED);
	outer_label(label, &other, &gate, &item);
	assert_int_equal(outer_part_make(part, &asked.wish, label, &grove.shares[0], &grove.random), STATUS_DENIED);
	outer_label(label, &grove.genesis, &(addr20){{7}}, &item);
	assert_int_equal(outer_part_make(part, &asked.wish, label, &grove.shares[0], &grove.random), STATUS_DENIED);
	buf_fini(&asked.lock);
	teardown(&grove);
}

static void a_part_is_opened_by_its_reader_alone(void **state) {
	struct grove grove;
	struct asked asked;
	struct voprf_part opened;
	uint8_t part[OUTER_PART_BYTES];
	const struct p256_secret other = {{4}};
	(void)state;
	found(&grove);
	ask(&asked, &grove);
	assert_int_equal(outer_part_make(part, &asked.wish, asked.label, &grove.shares[0], &grove.random), STATUS_OK);
	assert_int_equal(outer_part_open(&opened, bytes_make(part, sizeof part), asked.label, &other), STATUS_DENIED);
	assert_int_equal(
	    outer_part_open(&opened, bytes_make(part, sizeof part), asked.label, &asked.reader), STATUS_OK);
	part[sizeof part - 1] ^= 1;
	assert_int_equal(
	    outer_part_open(&opened, bytes_make(part, sizeof part), asked.label, &asked.reader), STATUS_DENIED);
	assert_int_equal(
	    outer_part_open(&opened, bytes_make(part, sizeof part - 1), asked.label, &asked.reader), STATUS_INVALID);
	buf_fini(&asked.lock);
	teardown(&grove);
}

static void what_is_signed_for_a_wish_is_the_whole_wish(void **state) {
	struct grove grove;
	struct asked asked;
	struct outer_wish read;
	uint8_t bytes[OUTER_WISH_BYTES];
	char first[OUTER_ACTION_BYTES], other[OUTER_ACTION_BYTES];
	(void)state;
	found(&grove);
	ask(&asked, &grove);
	outer_wish_write(bytes, &asked.wish);
	assert_int_equal(outer_wish_read(&read, bytes_make(bytes, sizeof bytes)), STATUS_OK);
	assert_memory_equal(&read, &asked.wish, sizeof read);
	outer_action(first, bytes_make(bytes, sizeof bytes));
	assert_int_equal(strlen(first), OUTER_ACTION_BYTES - 1);
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] ^= 1;
		outer_action(other, bytes_make(bytes, sizeof bytes));
		assert_string_not_equal(first, other);
		bytes[i] ^= 1;
	}
	assert_int_equal(outer_wish_read(&read, bytes_make(bytes, sizeof bytes - 1)), STATUS_INVALID);
	buf_fini(&asked.lock);
	teardown(&grove);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(two_of_four_founders_open_a_lock),
	    cmocka_unit_test(a_key_that_is_dealt_again_opens_what_was_locked_before),
	    cmocka_unit_test(a_dealing_of_what_is_no_share_is_named),
	    cmocka_unit_test(too_few_dealings_give_nothing),
	    cmocka_unit_test(what_was_changed_or_is_of_another_chain_is_refused),
	    cmocka_unit_test(a_node_takes_one_share),
	    cmocka_unit_test(a_statement_has_one_encoding),
	    cmocka_unit_test(so_many_open_it_as_one_more_than_may_lie),
	    cmocka_unit_test(no_part_is_given_of_a_lock_that_stands_under_another_item),
	    cmocka_unit_test(a_part_is_opened_by_its_reader_alone),
	    cmocka_unit_test(what_is_signed_for_a_wish_is_the_whole_wish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
