/* Words and lists that are proved, against a chain that can lie about each of them (tests/fake_chain.h). */
#include "health/chain/verified.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "tests/fake_home.h"

#define EVENTS 40u

static hash32 number_word(uint64_t number) {
	hash32 word = {{0}};
	store_be64(word.b + 24, number);
	return word;
}

struct reading {
	struct world *world;
	struct arena arena;
	struct verified verified;
	struct list_state list;
	hash32 list_slot;
	struct verified_list how;
	uint64_t seen[2 * EVENTS];
	size_t seen_count;
};

/* --- the list: an event's data are n, before and the entry --- */

static enum status entry_of(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	(void)context;
	*is_entry = log->log.topics[0].b[0] == 1;
	if (log->log.data.len != 64) return err_set(err, STATUS_DENIED, "an event of another length");
	out->n = load_be64(log->log.data.data);
	memcpy(out->before, log->log.data.data + 8, LIST_HEAD_BYTES);
	memcpy(out->entry.b, log->log.data.data + 32, 32);
	return STATUS_OK;
}

static enum status see(void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct reading *reading = context;
	(void)err;
	assert_int_equal(load_be64(entry->entry.b + 24), log->block_number);
	reading->seen[reading->seen_count++] = entry->n;
	return STATUS_OK;
}

/* An event in the block that comes next. */
static void append(struct reading *reading, uint64_t time_s) {
	struct fake_chain *chain = reading->world->chain;
	struct fake_event *event = &chain->events[chain->event_count++];
	const hash32 entry = number_word(chain->head + 1);
	uint8_t *data = arena_alloc(&reading->arena, 64);
	store_be64(data, reading->list.count + 1);
	memcpy(data + 8, reading->list.head, LIST_HEAD_BYTES);
	memcpy(data + 32, entry.b, 32);
	list_append(&reading->list, time_s, &entry);
	*event = (struct fake_event){.block = chain->head + 1};
	event->index = chain->event_count > 1 && event[-1].block == event->block ? event[-1].index + 1 : 0;
	event->log = (struct log){.address = chain->anchor.consent, .topics = {{{1}}}, .topic_count = 1};
	event->log.data = bytes_make(data, 64);
	const hash32 word = list_store(&reading->list);
	fake_set(chain, &chain->anchor.consent, &reading->list_slot, &word);
}

static void fill(struct reading *reading) {
	struct fake_chain *chain = reading->world->chain;
	for (unsigned i = 0; i < EVENTS; i += 2) {
		const uint64_t time_s = FAKE_START_S + 10 + i;
		append(reading, time_s);
		append(reading, time_s);
		fake_mine(chain, time_s);
	}
}

static int begin(void **state) {
	void *world;
	struct reading *reading = mem_zalloc(1, sizeof *reading);
	if (setup(&world) != 0) return -1;
	arena_init(&reading->arena);
	struct world *own = reading->world = world;
	reading->list_slot = number_word(77);
	const hash32 one = number_word(1), two = number_word(2), big = {{0xff, [31] = 1}};
	const struct deployment *anchor = &own->chain->anchor;
	fake_set(own->chain, &anchor->folders, &one, &big);
	fake_set(own->chain, &anchor->folders, &two, &one);
	fake_set(own->chain, &anchor->consent, &one, &two);
	fake_set(own->chain, &anchor->directory, &one, &one);
	fake_mine(own->chain, FAKE_START_S + 4);
	fill(reading);
	reading->how = (struct verified_list){.contract = &anchor->consent,
	    .slot = reading->list_slot,
	    .entry = entry_of,
	    .visit = see,
	    .context = reading};
	verified_begin(&reading->verified, own->heads, own->client, &reading->arena);
	*state = reading;
	return 0;
}

static int end(void **state) {
	struct reading *reading = *state;
	void *world = reading->world;
	arena_fini(&reading->arena);
	mem_free(reading);
	return teardown(&world);
}

static void take_head(struct reading *reading) {
	if (verified_head(&reading->verified, HEADS_FRESH, &reading->world->err) != STATUS_OK)
		fail_msg("%s", reading->world->err.message);
}

/* --- words --- */

/* Four words of three contracts. */
static enum status ask(struct reading *reading, hash32 words[4]) {
	const struct deployment *anchor = &reading->world->chain->anchor;
	const struct verified_want wants[] = {{&anchor->folders, number_word(1)}, {&anchor->consent, number_word(1)},
	    {&anchor->folders, number_word(2)}, {&anchor->records, number_word(5)}};
	reading->world->err = (struct err){0};
	return verified_words(&reading->verified, words, wants, 4, &reading->world->err);
}

static void expect_refusal(struct reading *reading, const char *words) {
	hash32 found[4];
	take_head(reading);
	assert_int_equal(ask(reading, found), STATUS_DENIED);
	assert_int_equal(reading->world->err.cause, CAUSE_NOT_PROVED);
	if (!strstr(reading->world->err.message, words)) fail_msg("%s", reading->world->err.message);
}

static void words_of_several_contracts_are_proved_at_once(void **state) {
	struct reading *reading = *state;
	hash32 words[4], again[4];
	take_head(reading);
	reading->world->chain->exchanges = 0;
	if (ask(reading, words) != STATUS_OK) fail_msg("%s", reading->world->err.message);
	assert_int_equal(words[0].b[0], 0xff);
	assert_int_equal(words[0].b[31], 1);
	assert_int_equal(words[1].b[31], 2);
	assert_int_equal(words[2].b[31], 1);
	assert_true(hash32_is_zero(&words[3])); /* an empty trie has nothing */
	assert_int_equal(reading->world->chain->exchanges, 1);
	assert_int_equal(ask(reading, again), STATUS_OK);
	assert_memory_equal(words, again, sizeof words);
	assert_int_equal(reading->world->chain->exchanges, 1); /* proved already */
}

static void absence_is_zero_and_proved(void **state) {
	struct reading *reading = *state;
	hash32 words[3];
	take_head(reading);
	const hash32 slot = number_word(1);
	assert_int_equal(verified_struct(&reading->verified, words, &reading->world->chain->anchor.folders, &slot, 3,
			     &reading->world->err),
	    STATUS_OK);
	assert_int_equal(words[1].b[31], 1);
	assert_true(hash32_is_zero(&words[2]));
}

static void a_new_head_proves_anew(void **state) {
	struct reading *reading = *state;
	const struct deployment *anchor = &reading->world->chain->anchor;
	hash32 words[4];
	const hash32 one = number_word(1), nine = number_word(9);
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	fake_set(reading->world->chain, &anchor->consent, &one, &nine);
	fake_mine(reading->world->chain, FAKE_START_S + 90);
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[1].b[31], 2); /* all of one request is of one head */
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[1].b[31], 9);
}

/* At a new head the accounts are proved, and only of the one whose storage changed its words. */
static void words_stand_as_long_as_their_contracts_root(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	hash32 words[4], other[4];
	const hash32 one = number_word(1), nine = number_word(9);
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	fake_mine(chain, FAKE_START_S + 90);
	struct verified next; /* of another request of the same home */
	verified_begin(&next, reading->world->heads, reading->world->client, &reading->arena);
	reading->verified = next;
	take_head(reading);
	chain->exchanges = chain->proofs = chain->slots_proved = 0;
	assert_int_equal(ask(reading, other), STATUS_OK);
	assert_memory_equal(words, other, sizeof words);
	assert_int_equal(chain->exchanges, 1);
	assert_int_equal(chain->proofs, 3);
	assert_int_equal(chain->slots_proved, 0);
	fake_set(chain, &chain->anchor.folders, &one, &nine);
	fake_mine(chain, FAKE_START_S + 91);
	take_head(reading);
	chain->slots_proved = 0;
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[0].b[31], 9);
	assert_int_equal(words[1].b[31], 2);
	assert_int_equal(chain->slots_proved, 2); /* of the folders' contract */
	verified_begin(&reading->verified, reading->world->heads, reading->world->client, &reading->arena);
	take_head(reading);
	chain->exchanges = 0;
	assert_int_equal(ask(reading, other), STATUS_OK);
	assert_memory_equal(words, other, sizeof words);
	assert_int_equal(chain->exchanges, 0); /* at this head another request has proved all */
}

/* At a new head, by another request: one word of this contract. */
static enum status ask_one(struct reading *reading, const addr20 *contract) {
	const struct verified_want want = {contract, number_word(1)};
	hash32 word;
	verified_begin(&reading->verified, reading->world->heads, reading->world->client, &reading->arena);
	take_head(reading);
	reading->world->chain->exchanges = 0;
	return verified_words(&reading->verified, &word, &want, 1, &reading->world->err);
}

static void contracts_that_were_asked_for_before_are_proved_with_the_first_one(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	hash32 words[4], other[4];
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	fake_mine(chain, FAKE_START_S + 90);
	assert_int_equal(ask_one(reading, &chain->anchor.folders), STATUS_OK);
	assert_int_equal(ask(reading, other), STATUS_OK);
	assert_memory_equal(words, other, sizeof words);
	assert_int_equal(chain->exchanges, 1);
}

/* Who did not ask for it hears nothing of it, and who does is refused. */
static void a_lie_about_a_contract_that_was_only_foreseen_is_not_used(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	hash32 words[4];
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	fake_mine(chain, FAKE_START_S + 90);
	chain->swaps_contracts = true;
	assert_int_equal(ask_one(reading, &chain->anchor.directory), STATUS_OK);
	expect_refusal(reading, "not proved: the account");
	chain->swaps_contracts = false;
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[1].b[31], 2);
}

static void a_root_that_the_node_invents_makes_no_word_stand(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	hash32 words[4];
	const hash32 one = number_word(1), nine = number_word(9);
	take_head(reading);
	assert_int_equal(ask(reading, words), STATUS_OK);
	const uint64_t before = chain->head;
	fake_set(chain, &chain->anchor.consent, &one, &nine);
	fake_mine(chain, FAKE_START_S + 90);
	chain->proves_at = before; /* the state before the change */
	expect_refusal(reading, "not proved: the account");
	chain->proves_at = 0;
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[1].b[31], 9);
}

static void a_memo_is_found_by_its_key_alone(void **state) {
	struct reading *reading = *state;
	const hash32 one = number_word(1), two = number_word(2);
	uint32_t value = 7, found = 0;
	uint64_t longer;
	verified_memo_put(&reading->verified, &value, sizeof value, &one);
	assert_true(verified_memo_get(&reading->verified, &found, sizeof found, &one));
	assert_int_equal(found, 7);
	assert_false(verified_memo_get(&reading->verified, &found, sizeof found, &two));
	assert_false(verified_memo_get(&reading->verified, &longer, sizeof longer, &one));
}

static void answers_of_a_batch_may_come_in_any_order(void **state) {
	struct reading *reading = *state;
	hash32 words[4];
	take_head(reading);
	reading->world->chain->reverses_batch = true;
	assert_int_equal(ask(reading, words), STATUS_OK);
	assert_int_equal(words[1].b[31], 2);
}

static void a_state_of_another_block_is_refused(void **state) {
	struct reading *reading = *state;
	reading->world->chain->proves_at = 3;
	expect_refusal(reading, "not proved: the account");
}

static void another_slots_proof_is_refused(void **state) {
	struct reading *reading = *state;
	reading->world->chain->swaps_slots = true;
	expect_refusal(reading, "not proved: the storage");
}

static void another_contracts_proof_is_refused(void **state) {
	struct reading *reading = *state;
	reading->world->chain->swaps_contracts = true;
	expect_refusal(reading, "not proved: the account");
}

static void other_code_is_refused(void **state) {
	struct reading *reading = *state;
	struct deployment *anchor = &reading->world->chain->anchor;
	struct deployment other = *anchor;
	other.code.consent.b[5] ^= 1;
	reading->world->options.anchor = &other;
	reopen(reading->world);
	verified_begin(&reading->verified, reading->world->heads, reading->world->client, &reading->arena);
	expect_refusal(reading, "not the code that this home's deployment names");
}

static void a_contract_that_the_anchor_does_not_name_is_refused(void **state) {
	struct reading *reading = *state;
	const addr20 history = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b,
	    0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
	const struct verified_want want = {&history, number_word(1)};
	hash32 word;
	take_head(reading);
	assert_int_equal(verified_words(&reading->verified, &word, &want, 1, &reading->world->err), STATUS_DENIED);
	assert_non_null(strstr(reading->world->err.message, "not the code"));
}

static void truncated_padded_and_changed_proofs_are_refused(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	chain->cuts_nodes = 1;
	expect_refusal(reading, "proof ends too early");
	chain->cuts_nodes = 60;
	expect_refusal(reading, "proof ends too early");
	chain->cuts_nodes = 0;
	chain->adds_node = true;
	expect_refusal(reading, "nodes too many");
	chain->adds_node = false;
	chain->changes_bit = true;
	expect_refusal(reading, "does not have the hash");
}

static void a_batch_with_an_answer_missing_is_refused(void **state) {
	struct reading *reading = *state;
	hash32 words[4];
	take_head(reading);
	reading->world->chain->misses_answer = true;
	assert_int_equal(ask(reading, words), STATUS_INTERNAL);
	assert_non_null(strstr(reading->world->err.message, "answers 2 of 3 calls"));
	reading->world->chain->misses_answer = false;
	reading->world->chain->repeats_answer = true;
	assert_int_equal(ask(reading, words), STATUS_INTERNAL);
	assert_non_null(strstr(reading->world->err.message, "answers one call twice"));
}

static void a_nodes_words_move_no_terminal(void **state) {
	struct reading *reading = *state;
	reading->world->chain->refuses_proofs = "done\x1b[2J\r\n$ send your key\x7f";
	expect_refusal(reading, "done [2J  $ send your key ");
}

/* --- lists --- */

static enum status read_list(struct reading *reading, struct list_state *remembered) {
	reading->seen_count = 0;
	reading->world->err = (struct err){0};
	return verified_list(&reading->verified, &reading->how, remembered, &reading->world->err);
}

static void expect_list(struct reading *reading, struct list_state *remembered, uint64_t from, uint64_t to) {
	if (read_list(reading, remembered) != STATUS_OK) fail_msg("%s", reading->world->err.message);
	assert_int_equal(reading->seen_count, from - to);
	for (size_t i = 0; i < reading->seen_count; i++) assert_int_equal(reading->seen[i], from - i);
}

static void expect_no_list(struct reading *reading, const char *words) {
	struct list_state remembered = {0};
	take_head(reading);
	assert_int_equal(read_list(reading, &remembered), STATUS_DENIED);
	assert_int_equal(reading->world->err.cause, CAUSE_NOT_PROVED);
	if (!strstr(reading->world->err.message, words)) fail_msg("%s", reading->world->err.message);
	assert_int_equal(remembered.count, 0);
}

static void a_list_is_read_newest_first_and_whole(void **state) {
	struct reading *reading = *state;
	take_head(reading);
	expect_list(reading, NULL, EVENTS, 0);
	reading->world->chain->logs_blocks_max = 3;
	expect_list(reading, NULL, EVENTS, 0);
	reading->world->chain->hides_times = true; /* then the block's header says it */
	expect_list(reading, NULL, EVENTS, 0);
	reading->how.max = 7;
	expect_list(reading, NULL, EVENTS, EVENTS - 7);
}

static void only_what_is_new_is_read_again(void **state) {
	struct reading *reading = *state;
	struct list_state remembered = {0};
	take_head(reading);
	expect_list(reading, &remembered, EVENTS, 0);
	assert_int_equal(remembered.count, EVENTS);
	expect_list(reading, &remembered, EVENTS, EVENTS);
	append(reading, FAKE_START_S + 70);
	fake_mine(reading->world->chain, FAKE_START_S + 70);
	take_head(reading);
	expect_list(reading, &remembered, EVENTS + 1, EVENTS);
	reading->how.max = 0;
	remembered.head[0] ^= 1;
	assert_int_equal(read_list(reading, &remembered), STATUS_DENIED);
	remembered.count = EVENTS + 9;
	assert_int_equal(read_list(reading, &remembered), STATUS_DENIED);
	assert_non_null(strstr(reading->world->err.message, "and had 49 before"));
}

static void a_hidden_entry_is_named(void **state) {
	struct reading *reading = *state;
	reading->world->chain->hides_event = 5;
	expect_no_list(reading, "entries 5 to 5 of the list were not served");
	reading->world->chain->hides_event = EVENTS;
	expect_no_list(reading, "entries 40 to 40 of the list were not served");
	reading->world->chain->hides_event = 1;
	expect_no_list(reading, "entries 1 to 1 of the list were not served");
	reading->world->chain->event_count = 0;
	reading->world->chain->hides_event = 0;
	expect_no_list(reading, "entries 1 to 40 of the list were not served");
}

static void swapped_repeated_and_invented_entries_are_refused(void **state) {
	struct reading *reading = *state;
	struct fake_chain *chain = reading->world->chain;
	chain->swaps_events = true;
	expect_no_list(reading, "of the list were not served");
	chain->swaps_events = false;
	struct fake_event *event = &chain->events[20];
	((uint8_t *)event->log.data.data)[40] ^= 1;
	expect_no_list(reading, "is not the one that the list has");
	((uint8_t *)event->log.data.data)[40] ^= 1;
	chain->events[chain->event_count++] = chain->events[EVENTS - 1];
	chain->events[EVENTS].index = 5;
	expect_no_list(reading, "served twice");
}

static void a_time_that_is_not_the_blocks_is_refused(void **state) {
	struct reading *reading = *state;
	take_head(reading);
	reading->world->chain->blocks[reading->world->chain->events[9].block].time_s++;
	assert_int_equal(read_list(reading, NULL), STATUS_DENIED);
	assert_non_null(strstr(reading->world->err.message, "entry 10 is not the one"));
}

static void a_home_remembers_lists_between_programs(void **state) {
	struct reading *reading = *state;
	struct list_state found = {0};
	const addr20 *contract = reading->how.contract;
	struct world *world = reading->world;
	assert_int_equal(
	    verified_remembered(world->heads, &found, contract, &reading->list_slot, &world->err), STATUS_OK);
	assert_int_equal(found.count, 0);
	take_head(reading);
	expect_list(reading, &found, EVENTS, 0);
	assert_int_equal(
	    verified_remember(world->heads, &found, contract, &reading->list_slot, &world->err), STATUS_OK);
	struct list_state fewer = {.count = 3}, again;
	assert_int_equal(
	    verified_remember(world->heads, &fewer, contract, &reading->list_slot, &world->err), STATUS_OK);
	reopen(world);
	assert_int_equal(
	    verified_remembered(world->heads, &again, contract, &reading->list_slot, &world->err), STATUS_OK);
	assert_memory_equal(&again, &found, sizeof again);
	const hash32 other = number_word(78);
	assert_int_equal(verified_remembered(world->heads, &again, contract, &other, &world->err), STATUS_OK);
	assert_int_equal(again.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(words_of_several_contracts_are_proved_at_once),
	    TEST(absence_is_zero_and_proved),
	    TEST(a_new_head_proves_anew),
	    TEST(words_stand_as_long_as_their_contracts_root),
	    TEST(contracts_that_were_asked_for_before_are_proved_with_the_first_one),
	    TEST(a_lie_about_a_contract_that_was_only_foreseen_is_not_used),
	    TEST(a_root_that_the_node_invents_makes_no_word_stand),
	    TEST(a_memo_is_found_by_its_key_alone),
	    TEST(answers_of_a_batch_may_come_in_any_order),
	    TEST(a_state_of_another_block_is_refused),
	    TEST(another_slots_proof_is_refused),
	    TEST(another_contracts_proof_is_refused),
	    TEST(other_code_is_refused),
	    TEST(a_contract_that_the_anchor_does_not_name_is_refused),
	    TEST(truncated_padded_and_changed_proofs_are_refused),
	    TEST(a_batch_with_an_answer_missing_is_refused),
	    TEST(a_nodes_words_move_no_terminal),
	    TEST(a_list_is_read_newest_first_and_whole),
	    TEST(only_what_is_new_is_read_again),
	    TEST(a_hidden_entry_is_named),
	    TEST(swapped_repeated_and_invented_entries_are_refused),
	    TEST(a_time_that_is_not_the_blocks_is_refused),
	    TEST(a_home_remembers_lists_between_programs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
