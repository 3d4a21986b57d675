/* What the vectors do not say: our own form of a block, and the way over blocks between. */
#include "comet/light.h"

#include "tests/unit.h"

#include "codec/protobuf.h"
#include "tests/light_blocks.h"

#define CHAIN "xinglin-test"
#define HEIGHTS 64u

static const hash32 app = {{7}};
static const struct light_members first = {0, 4};

static struct comet_rules rules_at(uint64_t height) {
	return (struct comet_rules){.chain_id = BYTES_LITERAL(CHAIN),
	    .now = {LIGHT_START_S + (int64_t)height * 60, 10},
	    .trust_s = 86400,
	    .ahead_s = 60};
}

static struct bytes encoded(struct buf *out, const struct comet_light_block *block) {
	buf_init(out, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(out, block);
	assert_false(out->overflow);
	return buf_view(out);
}

/* --- form --- */

static void what_is_encoded_is_decoded(void **state) {
	static const unsigned counts[] = {1, 4, 7, 20, COMET_VALIDATORS_MAX};
	(void)state;
	struct light_made *made = mem_alloc(sizeof *made);
	struct comet_light_block *block = mem_alloc(sizeof *block);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		const struct light_members members = {0, counts[i]};
		struct buf text, again;
		struct err err = {0};
		light_make(made, CHAIN, 9, members, members, &app);
		const struct bytes bytes = encoded(&text, &made->block);
		if (comet_light_block_decode(block, bytes, &err) != STATUS_OK) fail_msg("%s", err.message);
		assert_memory_equal(block->header.hash.b, made->block.header.hash.b, 32);
		assert_true(bytes_equal(encoded(&again, block), bytes));
		print_message("%u validators: %zu bytes\n", counts[i], bytes.len);
		buf_fini(&again);
		buf_fini(&text);
	}
	mem_free(block);
	mem_free(made);
}

/* Whatever bit is changed: what is still believed says the same. */
static void no_changed_bit_is_believed(void **state) {
	(void)state;
	struct light_made made;
	struct comet_light_block block;
	struct buf text;
	unsigned believed = 0;
	const struct comet_rules rules = rules_at(9);
	light_make(&made, CHAIN, 5, first, first, &app);
	const struct comet_trusted trusted = comet_trusted_of(&made.block);
	light_make(&made, CHAIN, 9, first, first, &app);
	light_sign(&made, 3); /* as few as must be */
	(void)encoded(&text, &made.block);
	for (size_t i = 0; i < text.len * 8; i++) {
		text.data[i / 8] ^= (uint8_t)(1u << i % 8);
		if (comet_light_block_decode(&block, buf_view(&text), NULL) == STATUS_OK &&
		    comet_light_verify(&trusted, &block, &rules, NULL) == COMET_BELIEVED) {
			assert_memory_equal(block.header.hash.b, made.block.header.hash.b, 32);
			believed++;
		}
		text.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_true(believed < 16); /* numbers of fields that nobody knows are skipped */
	for (size_t len = 0; len < text.len; len++)
		assert_int_not_equal(comet_light_block_decode(&block, bytes_make(text.data, len), NULL), STATUS_OK);
	buf_fini(&text);
}

static void sets_of_validators_have_one_form(void **state) {
	(void)state;
	struct comet_validators set;
	unsigned who[COMET_VALIDATORS_MAX];
	light_set(&set, who, (struct light_members){0, 5});
	const struct comet_validators good = set;
	set.list[1] = good.list[2];
	set.list[2] = good.list[1];
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set.list[0].power = 2; /* and two of one key, in order */
	set.list[1] = set.list[0];
	set.list[1].power = 1;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set = good;
	set.list[4].power = 0;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set.list[4].power = 1;
	set.list[0].power = COMET_POWER_MAX - 4;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_OK);
	set.list[0].power = COMET_POWER_MAX - 3;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set.list[0].power = UINT64_MAX;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set.count = 0;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
	set.count = COMET_VALIDATORS_MAX + 1;
	assert_int_equal(comet_validators_make(&set, NULL), STATUS_INVALID);
}

static void a_second_part_is_refused(void **state) {
	(void)state;
	struct light_made made;
	struct comet_light_block block;
	struct buf text;
	light_make(&made, CHAIN, 9, first, first, &app);
	const struct bytes bytes = encoded(&text, &made.block);
	const size_t len = bytes.len;
	const struct bytes copy = bytes_make(mem_alloc(len), len);
	memcpy((uint8_t *)copy.data, bytes.data, len);
	buf_append(&text, copy);
	assert_int_equal(comet_light_block_decode(&block, buf_view(&text), NULL), STATUS_INVALID);
	buf_clear(&text);
	buf_append(&text, copy);
	protobuf_put_bytes(&text, 99, BYTES_LITERAL("what a later version adds"));
	assert_int_equal(comet_light_block_decode(&block, buf_view(&text), NULL), STATUS_OK);
	while (text.len <= COMET_LIGHT_BLOCK_MAX) {
		text.max = 2 * COMET_LIGHT_BLOCK_MAX;
		protobuf_put_bytes(&text, 99, copy);
	}
	assert_int_equal(comet_light_block_decode(&block, buf_view(&text), NULL), STATUS_INVALID);
	mem_free((void *)copy.data);
	buf_fini(&text);
}

static void a_chains_name_follows_from_its_genesis(void **state) {
	(void)state;
	const hash32 genesis = {{0xab, 0xcd, [19] = 0xef, [20] = 0x55}};
	char name[COMET_CHAIN_ID_SIZE];
	comet_chain_id(name, &genesis);
	assert_string_equal(name, "xinglin-abcd0000000000000000000000000000000000ef");
	assert_true(strlen(name) <= COMET_CHAIN_ID_MAX);
}

/* --- the way over blocks between --- */

/* Blocks of all heights; who decides them changes by one each `every` heights. */
struct chain {
	unsigned every;
	unsigned asked;
	uint64_t shows; /* this height in place of each that is asked for */
	uint64_t fails; /* at this height */
	struct light_made made;
};

static struct light_members members_at(const struct chain *chain, uint64_t height) {
	return (struct light_members){(unsigned)(height / chain->every), 4};
}

static void make_at(struct chain *chain, uint64_t height) {
	light_make(&chain->made, CHAIN, height, members_at(chain, height), members_at(chain, height + 1), &app);
}

static enum status get(void *context, struct comet_light_block *out, uint64_t height, struct err *err) {
	struct chain *chain = context;
	chain->asked++;
	if (height == chain->fails) return err_set(err, STATUS_IO, "no answer");
	make_at(chain, chain->shows ? chain->shows : height);
	*out = chain->made.block;
	return STATUS_OK;
}

static enum status follow(
    struct chain *chain, struct comet_trusted *trusted, uint64_t from, uint64_t to, struct err *err) {
	const struct comet_source source = {get, chain};
	const struct comet_rules rules = rules_at(to);
	struct light_made *last = mem_alloc(sizeof *last);
	make_at(chain, from);
	*trusted = comet_trusted_of(&chain->made.block);
	light_make(last, CHAIN, to, members_at(chain, to), members_at(chain, to + 1), &app);
	const enum status status = comet_light_follow(trusted, &last->block, &rules, &source, err);
	mem_free(last);
	return status;
}

static void a_far_block_is_reached_in_steps(void **state) {
	(void)state;
	struct chain chain = {.every = 4};
	struct comet_trusted trusted;
	struct err err = {0};
	if (follow(&chain, &trusted, 1, HEIGHTS, &err) != STATUS_OK) fail_msg("%s", err.message);
	assert_in_range(chain.asked, 5, 40);
	assert_in_range(trusted.height, HEIGHTS - 12, HEIGHTS - 1); /* shares two of four with the last one */
	chain = (struct chain){.every = 1000};
	assert_int_equal(follow(&chain, &trusted, 1, HEIGHTS, &err), STATUS_OK);
	assert_int_equal(chain.asked, 0);
	assert_int_equal(trusted.height, 1); /* as it was */
	chain = (struct chain){.every = 1};  /* all of them change in four heights */
	assert_int_equal(follow(&chain, &trusted, 5, 37, &err), STATUS_OK);
}

static void a_way_that_does_not_lead_there_changes_nothing(void **state) {
	(void)state;
	struct chain chain = {.every = 4, .fails = 32};
	struct comet_trusted trusted;
	struct err err = {0};
	assert_int_equal(follow(&chain, &trusted, 1, HEIGHTS, &err), STATUS_IO);
	assert_int_equal(trusted.height, 1);
	chain = (struct chain){.every = 4, .shows = 3};
	assert_int_equal(follow(&chain, &trusted, 1, HEIGHTS, &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "another height"));
	assert_int_equal(trusted.height, 1);
	chain = (struct chain){.every = 1};
	assert_int_equal(follow(&chain, &trusted, 1, 2 * COMET_STEPS_MAX, &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "more than 200 blocks"));
	assert_int_equal(trusted.height, 1);
}

/* A set that decides the next height, as an anchor gives it. */
static void an_anchor_needs_no_header(void **state) {
	(void)state;
	struct light_made made;
	struct comet_trusted trusted = {.height = 0, .time = {LIGHT_START_S, 0}};
	struct comet_rules rules = rules_at(1);
	struct err err = {0};
	unsigned who[COMET_VALIDATORS_MAX];
	light_set(&trusted.validators, who, first);
	trusted.next_validators = trusted.validators.hash;
	for (uint64_t height = 1; height < 9; height += 7) {
		light_make(&made, CHAIN, height, first, first, &app);
		rules = rules_at(height);
		assert_int_equal(comet_light_verify(&trusted, &made.block, &rules, &err), COMET_BELIEVED);
		light_make(&made, CHAIN, height, (struct light_members){50, 4}, first, &app);
		assert_int_not_equal(comet_light_verify(&trusted, &made.block, &rules, &err), COMET_BELIEVED);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_encoded_is_decoded),
	    cmocka_unit_test(no_changed_bit_is_believed),
	    cmocka_unit_test(sets_of_validators_have_one_form),
	    cmocka_unit_test(a_second_part_is_refused),
	    cmocka_unit_test(a_chains_name_follows_from_its_genesis),
	    cmocka_unit_test(a_far_block_is_reached_in_steps),
	    cmocka_unit_test(a_way_that_does_not_lead_there_changes_nothing),
	    cmocka_unit_test(an_anchor_needs_no_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
