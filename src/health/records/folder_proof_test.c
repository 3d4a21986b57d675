/* Folders and records, against a node that can lie about them (tests/fake_chain.h). */
#include "health/records/folder.h"

#include "tests/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "eth/abi.h"
#include "health/contracts/cause.h"
#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/records/record.h"
#include "tests/fake_home.h"

enum who { CONTROLLER, DELEGATE, STRANGER, WHO };

struct scene {
	struct world *world;
	char directory[64];
	struct home home;
	struct arena arena;
	struct actor_request request;
	hash32 secrets[WHO];
	addr20 accounts[WHO];
	hash32 id, first; /* the folder, and the fact of its opening */
	struct folders_head head;
	uint64_t time_s;
};

/* --- what is told to the chain --- */

static struct bytes sign(struct scene *s, enum who who, const hash32 *digest) {
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, &s->secrets[who], digest), STATUS_OK);
	return arena_dup(&s->arena, BYTES_OF(signature));
}

static void point(hash32 *x, hash32 *y, uint8_t number) {
	const struct p256_secret secret = {{[31] = number}};
	struct p256_public key;
	assert_int_equal(p256_public_of(&key, &secret), STATUS_OK);
	*x = p256_public_x(&key);
	*y = p256_public_y(&key);
}

static struct fake_event *event(struct scene *s, const addr20 *contract, const hash32 *topics, size_t count) {
	struct fake_chain *chain = s->world->chain;
	struct fake_event *made = &chain->events[chain->event_count++];
	*made = (struct fake_event){.block = chain->head + 1};
	made->log = (struct log){.address = *contract, .topic_count = (uint8_t)count};
	memcpy(made->log.topics, topics, count * sizeof *topics);
	return made;
}

static void set_head(struct scene *s) {
	const addr20 *folders = &s->world->chain->anchor.folders;
	const struct folders_head *head = &s->head;
	const hash32 slot = folders_heads_slot(&s->id);
	hash32 words[FOLDERS_STORED_HEAD_SLOTS] = {{{0}}};
	memcpy(words[0].b + 12, head->controller.b, 20);
	store_be32(words[0].b + 8, head->epoch);
	store_be32(words[0].b + 4, head->hand_over);
	words[0].b[1] = head->closed;
	store_be64(words[1].b + 24, head->number);
	words[1].b[23] = (uint8_t)head->epoch_at;
	words[2] = head->hand_over_fact;
	for (size_t i = 0; i < FOLDERS_STORED_HEAD_SLOTS; i++) {
		const hash32 at = contract_slot_after(&slot, i);
		fake_set(s->world->chain, folders, &at, &words[i]);
	}
}

static void mine(struct scene *s) {
	fake_mine(s->world->chain, s->time_s++);
}

static void start_epoch(struct scene *s, uint32_t epoch, const hash32 *fact) {
	const hash32 slot = folders_epochs_slot(&s->id, epoch);
	fake_set(s->world->chain, &s->world->chain->anchor.folders, &slot, fact);
	s->head.epoch = epoch;
	s->head.epoch_at = s->world->chain->head + 1;
	set_head(s);
}

/* Signed by whom is said, with a key of this number. */
static struct bytes opening(struct scene *s, hash32 *fact, enum who controller, enum who signer, uint8_t key) {
	const struct deployment *anchor = &s->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->folders);
	struct folders_open said = {
	    .controller = s->accounts[controller], .salt = {{7}}, .wraps = {{1}}, .wraps_size = 1};
	point(&said.key_x, &said.key_y, key);
	point(&said.audit_x, &said.audit_y, 99);
	const hash32 digest = folders_open_typed_digest(&said, &domain);
	*fact = folders_open_typed_hash(&said);
	return folders_open_call(&s->arena, &said, sign(s, signer, &digest));
}

static struct fake_event *open_folder(struct scene *s) {
	const struct deployment *anchor = &s->world->chain->anchor;
	const hash32 salt = {{7}};
	s->id = statement_folder_id(anchor, &s->accounts[CONTROLLER], &salt);
	s->head = (struct folders_head){.controller = s->accounts[CONTROLLER], .number = 1};
	const hash32 topics[3] = {
	    folders_folder_opened_event_topic, s->id, abi_topic_of_address(&s->accounts[CONTROLLER])};
	struct fake_event *made = event(s, &anchor->folders, topics, 3);
	made->input = opening(s, &s->first, CONTROLLER, CONTROLLER, 1);
	start_epoch(s, 1, &s->first);
	mine(s);
	return made;
}

static struct bytes rotation(struct scene *s, hash32 *fact, uint32_t epoch, enum who by, enum who signer) {
	const struct deployment *anchor = &s->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->folders);
	struct folders_rotate said = {
	    .folder = s->id, .epoch = epoch, .wraps = {{1}}, .wraps_size = 1, .by = s->accounts[by], .number = epoch};
	point(&said.key_x, &said.key_y, (uint8_t)epoch);
	const hash32 digest = folders_rotate_typed_digest(&said, &domain);
	*fact = folders_rotate_typed_hash(&said);
	return folders_rotate_call(&s->arena, &said, sign(s, signer, &digest));
}

static struct fake_event *rotate(struct scene *s, uint32_t epoch, enum who by, enum who signer) {
	const hash32 topics[3] = {folders_epoch_started_event_topic, s->id, abi_topic_of_u64(epoch)};
	struct fake_event *made = event(s, &s->world->chain->anchor.folders, topics, 3);
	hash32 fact;
	made->input = rotation(s, &fact, epoch, by, signer);
	start_epoch(s, epoch, &fact);
	mine(s);
	return made;
}

static struct fake_event *grant_by(struct scene *s, enum who by, enum who to, uint8_t rights, uint64_t number) {
	const struct deployment *anchor = &s->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->consent);
	const hash32 topics[4] = {consent_granted_event_topic, s->id, {{0}}, abi_topic_of_address(&s->accounts[to])};
	struct fake_event *made = event(s, &anchor->consent, topics, 4);
	const struct consent_grant said = {.folder = s->id,
	    .grantee = s->accounts[to],
	    .rights = rights,
	    .purposes = 1,
	    .until = UINT32_MAX,
	    .wrap = {{rights & STATEMENT_RIGHT_READ}},
	    .by = s->accounts[by],
	    .number = number};
	const hash32 digest = consent_grant_typed_digest(&said, &domain);
	made->input = consent_grant_call(&s->arena, &said, sign(s, by, &digest));
	mine(s);
	return made;
}

static struct fake_event *grant(struct scene *s, uint8_t rights) {
	return grant_by(s, CONTROLLER, DELEGATE, rights, 5);
}

/* The next one; from whoever has it. */
static void hand_over_at(struct scene *s, enum who from, enum who to, uint64_t number) {
	const struct deployment *anchor = &s->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->folders);
	struct folders_hand_over said = {.folder = s->id,
	    .hand_over = s->head.hand_over + 1,
	    .previous = s->head.hand_over_fact,
	    .controller = s->accounts[to],
	    .number = s->head.number = number};
	const hash32 topics[3] = {
	    folders_folder_handed_over_event_topic, s->id, abi_topic_of_address(&s->accounts[to])};
	struct fake_event *made = event(s, &anchor->folders, topics, 3);
	point(&said.audit_x, &said.audit_y, 98);
	const hash32 digest = folders_hand_over_typed_digest(&said, &domain);
	made->input = folders_hand_over_call(&s->arena, &said, sign(s, from, &digest), sign(s, to, &digest));
	s->head.controller = s->accounts[to];
	s->head.hand_over = said.hand_over;
	s->head.hand_over_fact = folders_hand_over_typed_hash(&said);
	set_head(s);
	mine(s);
}

static void hand_over(struct scene *s, enum who to) {
	hand_over_at(s, CONTROLLER, to, 10);
}

/* --- asking --- */

/* As a program that begins. */
static void begin_request(struct scene *s) {
	struct world *world = s->world;
	s->request = (struct actor_request){
	    .home = &s->home, .client = world->client, .clock = &world->clock, .arena = &s->arena};
	verified_begin(&s->request.verified, world->heads, world->client, &s->arena);
	world->err = (struct err){0};
}

static enum status ask(struct scene *s, struct folder *out) {
	begin_request(s);
	return folder_find(&s->request, out, &s->id, &s->world->err);
}

static void expect(struct scene *s, uint8_t key) {
	struct folder folder;
	hash32 x, y;
	point(&x, &y, key);
	const struct p256_public wanted = p256_public_of_words(&x, &y);
	if (ask(s, &folder) != STATUS_OK) fail_msg("%s", s->world->err.message);
	assert_memory_equal(folder.key.xy, wanted.xy, sizeof wanted.xy);
}

static void expect_refusal(struct scene *s, const char *words) {
	struct folder folder;
	assert_int_equal(ask(s, &folder), STATUS_DENIED);
	if (!strstr(s->world->err.message, words)) fail_msg("%s", s->world->err.message);
}

static void remove_files(const char *directory) {
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char path[512];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (unlink(path) != 0) remove_files(path);
	}
	if (folder) closedir(folder);
	rmdir(directory);
}

static int scene_init(void **state) {
	void *world;
	struct scene *s = mem_zalloc(1, sizeof *s);
	if (setup(&world) != 0) return -1;
	s->world = world;
	s->time_s = FAKE_START_S + 10;
	arena_init(&s->arena);
	snprintf(s->directory, sizeof s->directory, "/tmp/folder-proof-XXXXXX");
	if (!mkdtemp(s->directory) || home_make_folders(s->directory, NULL) != STATUS_OK) return -1;
	s->home = (struct home){.directory = s->directory, .deployment = s->world->chain->anchor};
	for (size_t i = 0; i < WHO; i++) {
		s->secrets[i].b[31] = (uint8_t)(20 + i);
		if (address_of_secret(&s->accounts[i], &s->secrets[i]) != STATUS_OK) return -1;
	}
	*state = s;
	return 0;
}

static int scene_fini(void **state) {
	struct scene *s = *state;
	void *world = s->world;
	remove_files(s->directory);
	arena_fini(&s->arena);
	mem_free(s);
	return teardown(&world);
}

/* --- folders --- */

static void a_folders_key_is_what_its_controller_signed(void **state) {
	struct scene *s = *state;
	struct folder folder;
	open_folder(s);
	expect(s, 1);
	rotate(s, 2, CONTROLLER, CONTROLLER);
	rotate(s, 3, CONTROLLER, CONTROLLER);
	expect(s, 3);
	struct statement_epoch second;
	assert_int_equal(ask(s, &folder), STATUS_OK);
	assert_int_equal(folder_epoch_find(&s->request, &folder, &second, 2, &s->world->err), STATUS_OK);
	assert_int_equal(second.epoch, 2);
	assert_int_equal(folder_epoch_find(&s->request, &folder, &second, 4, NULL), STATUS_NOTFOUND);
}

static void what_was_verified_once_is_not_asked_for_again(void **state) {
	struct scene *s = *state;
	open_folder(s);
	rotate(s, 2, CONTROLLER, CONTROLLER);
	expect(s, 2);
	s->world->chain->event_count = 0;
	expect(s, 2);
	char **names;
	size_t count;
	assert_int_equal(home_list(&s->home, &names, &count, &s->arena, "statements", NULL), STATUS_OK);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		const char *path = arena_printf(&s->arena, "statements/%s", names[i]);
		assert_int_equal(home_write(&s->home, path, BYTES_LITERAL("damaged"), NULL), STATUS_OK);
	}
	expect_refusal(s, "the node serves no event");
}

static void a_key_of_another_signer_is_refused(void **state) {
	struct scene *s = *state;
	struct fake_event *made = open_folder(s);
	hash32 fact;
	made->input = opening(s, &fact, CONTROLLER, STRANGER, 1);
	expect_refusal(s, "its controller did not sign it");
	made->input = opening(s, &fact, STRANGER, STRANGER, 1);
	expect_refusal(s, "the id is of another controller or salt");
	made->input = opening(s, &fact, CONTROLLER, CONTROLLER, 2);
	expect_refusal(s, "the chain holds another statement than this one");
	made->input = BYTES_LITERAL("no calldata");
	expect_refusal(s, "the opening of the folder");
}

static void even_the_sealer_makes_no_key(void **state) {
	struct scene *s = *state;
	struct fake_event *made = open_folder(s);
	hash32 fact;
	made->input = opening(s, &fact, CONTROLLER, STRANGER, 1);
	start_epoch(s, 1, &fact); /* the state says so */
	s->head.epoch_at--;
	set_head(s);
	mine(s);
	expect_refusal(s, "its controller did not sign it");
}

static void an_older_epoch_is_not_the_newest(void **state) {
	struct scene *s = *state;
	open_folder(s);
	struct fake_event *second = rotate(s, 2, CONTROLLER, CONTROLLER);
	struct fake_event *third = rotate(s, 3, CONTROLLER, CONTROLLER);
	third->input = second->input;
	expect_refusal(s, "it is another epoch's statement");
	hash32 fact;
	third->input = rotation(s, &fact, 3, CONTROLLER, STRANGER);
	expect_refusal(s, "the account that it names did not sign it");
}

static void a_delegate_rotates_by_its_right_alone(void **state) {
	struct scene *s = *state;
	open_folder(s);
	grant(s, STATEMENT_RIGHT_ROTATE);
	struct fake_event *made = rotate(s, 2, DELEGATE, DELEGATE);
	const struct bytes stated = made->input;
	hash32 fact;
	made->input = rotation(s, &fact, 2, STRANGER, STRANGER);
	expect_refusal(s, "the node serves no event");
	made->input = stated;
	s->world->chain->hides_event = 2; /* the grant's */
	expect_refusal(s, "the node serves no event");
	s->world->chain->hides_event = 0;
	expect(s, 2);
}

static void a_right_to_share_is_none_to_rotate(void **state) {
	struct scene *s = *state;
	open_folder(s);
	grant(s, STATEMENT_RIGHT_SHARE);
	rotate(s, 2, DELEGATE, DELEGATE);
	expect_refusal(s, "its signer has no right to make it");
}

static void a_right_that_was_given_later_counts(void **state) {
	struct scene *s = *state;
	open_folder(s);
	grant(s, STATEMENT_RIGHT_SHARE);
	grant(s, STATEMENT_RIGHT_SHARE | STATEMENT_RIGHT_ROTATE);
	rotate(s, 2, DELEGATE, DELEGATE);
	expect(s, 2);
}

static void a_former_controller_may_be_a_delegate(void **state) {
	struct scene *s = *state;
	open_folder(s);
	hand_over(s, STRANGER); /* its number is 10 */
	rotate(s, 11, CONTROLLER, CONTROLLER);
	expect_refusal(s, "the node serves no event");
	grant_by(s, STRANGER, CONTROLLER, STATEMENT_RIGHT_ROTATE, 12);
	expect(s, 11);
}

static void a_former_controller_is_none(void **state) {
	struct scene *s = *state;
	struct folder folder;
	open_folder(s);
	hand_over(s, STRANGER);
	if (ask(s, &folder) != STATUS_OK) fail_msg("%s", s->world->err.message);
	assert_true(addr20_equal(&folder.controller, &s->accounts[STRANGER]));
	s->world->chain->hides_event = 2; /* the hand-over's */
	expect_refusal(s, "the node serves no event");
	s->world->chain->hides_event = 0;
	s->head.controller = s->accounts[CONTROLLER]; /* the sealer shows the one before */
	set_head(s);
	mine(s);
	expect_refusal(s, "the folder's controller is another one than was stated");
	s->head.hand_over = 0;
	s->head.hand_over_fact = (hash32){{0}};
	set_head(s);
	mine(s);
	expect(s, 1); /* without a hand-over it is the first controller's: what the chain says, it is believed of */
}

static void a_delegate_that_was_granted_seventy_times_rotates(void **state) {
	struct scene *s = *state;
	open_folder(s);
	grant(s, STATEMENT_RIGHT_ROTATE);
	for (unsigned i = 1; i < 70; i++) grant(s, STATEMENT_RIGHT_SHARE);
	rotate(s, 2, DELEGATE, DELEGATE);
	expect(s, 2); /* by the oldest one */
	grant(s, STATEMENT_RIGHT_ROTATE);
	expect(s, 2);
}

static void seventy_hand_overs_are_followed(void **state) {
	struct scene *s = *state;
	struct folder folder;
	open_folder(s);
	for (unsigned i = 0; i < 70; i += 2) {
		hand_over_at(s, CONTROLLER, STRANGER, 10 + i);
		hand_over_at(s, STRANGER, CONTROLLER, 11 + i);
	}
	if (ask(s, &folder) != STATUS_OK) fail_msg("%s", s->world->err.message);
	assert_int_equal(folder.said.controller_count, 71);
	assert_true(addr20_equal(&folder.controller, &s->accounts[CONTROLLER]));
	s->world->chain->hides_event = 40;
	expect_refusal(s, "the folder's controller: the hand-over of folder");
	s->world->chain->hides_event = 71; /* the newest */
	expect_refusal(s, "the folder's controller: the chain holds another statement than this one");
}

static void a_folder_that_is_not_open_is_absent(void **state) {
	struct scene *s = *state;
	struct folder folder;
	s->id.b[0] = 1;
	mine(s);
	assert_int_equal(ask(s, &folder), STATUS_NOTFOUND);
	open_folder(s);
	s->world->chain->cuts_nodes = 1;
	expect_refusal(s, "");
	assert_int_equal(s->world->err.cause, CAUSE_NOT_PROVED);
}

/* --- grants --- */

static void put_grant(struct scene *s, const hash32 *fact, uint64_t block) {
	const addr20 *consent = &s->world->chain->anchor.consent;
	const hash32 parts[3] = {s->id, {{0}}, abi_topic_of_address(&s->accounts[DELEGATE])};
	const hash32 key = keccak256(bytes_make(parts, sizeof parts)), slot = consent_grants_slot(&key);
	const hash32 second = contract_slot_after(&slot, 1);
	hash32 word = {{0}};
	word.b[31] = STATEMENT_RIGHT_ROTATE;
	word.b[6] = (uint8_t)block;
	fake_set(s->world->chain, consent, &slot, &word);
	fake_set(s->world->chain, consent, &second, fact);
	mine(s);
}

static void a_grant_is_what_was_stated(void **state) {
	struct scene *s = *state;
	struct consent_grant_state state_of = {0};
	struct statement_grant stated;
	struct folder folder;
	struct consent_grant_args args;
	open_folder(s);
	struct fake_event *made = grant(s, STATEMENT_RIGHT_ROTATE);
	const struct bytes input = made->input;
	assert_int_equal(consent_grant_call_read(&args, &s->arena, input, &s->world->err), STATUS_OK);
	const hash32 fact = consent_grant_typed_hash(&args.statement);
	put_grant(s, &fact, made->block);
	assert_int_equal(ask(s, &folder), STATUS_OK);
	assert_int_equal(
	    folder_grant_find(&s->request, &state_of, &s->id, NULL, &s->accounts[DELEGATE], &s->world->err), STATUS_OK);
	assert_int_equal(state_of.rights, STATEMENT_RIGHT_ROTATE);
	assert_true(hash32_equal(&state_of.fact, &fact));
	state_of.stated_at = made->block;
	state_of.fact.b[0] ^= 1;
	assert_int_equal(folder_grant_statement(
			     &s->request, &folder, &stated, &state_of, NULL, &s->accounts[DELEGATE], &s->world->err),
	    STATUS_DENIED);
	state_of.fact = fact;
	if (folder_grant_statement(
		&s->request, &folder, &stated, &state_of, NULL, &s->accounts[DELEGATE], &s->world->err) != STATUS_OK)
		fail_msg("%s", s->world->err.message);
	assert_int_equal(stated.rights, STATEMENT_RIGHT_ROTATE);
}

/* --- records --- */

static void put_record(struct scene *s, struct list_state *list, uint8_t number, bool erased) {
	struct fake_chain *chain = s->world->chain;
	const addr20 *records = &chain->anchor.records;
	const hash32 record = {{number}}, slot = records_registrations_slot(&record),
		     list_slot = records_lists_slot(&s->id);
	const hash32 topics[4] = {erased ? records_record_erased_event_topic : records_record_added_event_topic, s->id,
	    record, abi_topic_of_address(&s->accounts[CONTROLLER])};
	const hash32 added[8] = {
	    {{[31] = 1}}, record, topics[3], {{[31] = 1}}, {{number, 1}}, {{number, 2}}, {{[31] = 9}}};
	const hash32 gone[8] = {{{[31] = 2}}, record};
	const hash32 entry = keccak256(bytes_make(erased ? gone : added, sizeof added));
	struct fake_event *made = event(s, records, topics, erased ? 3 : 4);
	hash32 data[7] = {added[3], added[4], added[5], added[6], {{0}}, {{0}}, {{0}}};
	store_be64(data[5].b + 24, list->count + 1);
	memcpy(data[6].b, list->head, sizeof list->head);
	made->log.data = arena_dup(&s->arena, erased ? bytes_make(&data[5], 64) : bytes_make(data, sizeof data));
	list_append(list, s->time_s, &entry);
	hash32 words[3] = {added[4], s->id, {{0}}};
	memcpy(words[2].b + 12, s->accounts[CONTROLLER].b, 20);
	words[2].b[11] = 1;
	words[2].b[7] = erased ? 2 : 1;
	const hash32 state_of_list = list_store(list);
	for (size_t i = 0; i < 3; i++) {
		const hash32 at = contract_slot_after(&slot, i);
		fake_set(chain, records, &at, &words[i]);
	}
	fake_set(chain, records, &list_slot, &state_of_list);
	mine(s);
}

static void a_folders_records_are_all_or_refused(void **state) {
	struct scene *s = *state;
	struct list_state list = {{0}, 0};
	struct record_registration *found, one;
	size_t count;
	open_folder(s);
	put_record(s, &list, 1, false);
	put_record(s, &list, 2, false);
	put_record(s, &list, 1, true);
	begin_request(s);
	if (record_list(&s->request, &found, &count, &s->id, &s->world->err) != STATUS_OK)
		fail_msg("%s", s->world->err.message);
	assert_int_equal(count, 2);
	assert_int_equal(found[0].record.b[0], 2);
	assert_int_equal(found[0].state, 1);
	assert_int_equal(found[1].record.b[0], 1);
	assert_int_equal(found[1].state, 2);
	assert_true(addr20_equal(&found[0].author, &s->accounts[CONTROLLER]));
	const hash32 absent = {{9}};
	assert_int_equal(record_find(&s->request, &one, &absent, NULL), STATUS_NOTFOUND);
	for (size_t hidden = 2; hidden <= 4; hidden++) { /* event 1 is the opening */
		s->world->chain->hides_event = hidden;
		begin_request(s);
		assert_int_equal(record_list(&s->request, &found, &count, &s->id, &s->world->err), STATUS_DENIED);
		assert_int_equal(s->world->err.cause, CAUSE_NOT_PROVED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_init, scene_fini)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(a_folders_key_is_what_its_controller_signed),
	    TEST(what_was_verified_once_is_not_asked_for_again),
	    TEST(a_key_of_another_signer_is_refused),
	    TEST(even_the_sealer_makes_no_key),
	    TEST(an_older_epoch_is_not_the_newest),
	    TEST(a_delegate_rotates_by_its_right_alone),
	    TEST(a_right_that_was_given_later_counts),
	    TEST(a_former_controller_may_be_a_delegate),
	    TEST(a_right_to_share_is_none_to_rotate),
	    TEST(a_former_controller_is_none),
	    TEST(a_delegate_that_was_granted_seventy_times_rotates),
	    TEST(seventy_hand_overs_are_followed),
	    TEST(a_folder_that_is_not_open_is_absent),
	    TEST(a_grant_is_what_was_stated),
	    TEST(a_folders_records_are_all_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
