/* A folder's grants, against a chain that hides, changes and invents them (tests/fake_chain.h). */
#include "health/consent/grant_list.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "health/contracts/consent.h"
#include "tests/fake_home.h"

enum who { PATIENT = 1, CLINIC, LAB, STRANGER, EVERYBODY };

struct scene {
	struct world *world;
	struct arena arena;
	struct verified verified;
	struct list_state list;
	struct statement_controller controller;
	struct statement_folder folder;
	hash32 slot, secrets[EVERYBODY];
	addr20 accounts[EVERYBODY];
	uint64_t number;
};

static struct fake_event *append(struct scene *scene, const hash32 *fact, struct bytes calldata) {
	struct fake_chain *chain = scene->world->chain;
	const uint64_t time_s = FAKE_START_S + 10 + scene->list.count;
	struct fake_event *event = &chain->events[chain->event_count++];
	*event = (struct fake_event){.block = chain->head + 1, .input = calldata};
	event->log = (struct log){.address = chain->anchor.consent, .topic_count = 4};
	list_append(&scene->list, time_s, fact);
	const hash32 word = list_store(&scene->list);
	fake_set(chain, &chain->anchor.consent, &scene->slot, &word);
	fake_mine(chain, time_s);
	return event;
}

/* The data of both events end with fact, n and before. */
static void set_log(struct scene *scene, struct log *log, const struct contract_topics *topics, size_t words,
    const struct list_state *before, const hash32 *fact) {
	uint8_t *data = arena_zalloc(&scene->arena, words, 32);
	memcpy(data + 32 * (words - 3), fact->b, 32);
	store_be64(data + 32 * (words - 2) + 24, before->count + 1);
	memcpy(data + 32 * (words - 1), before->head, LIST_HEAD_BYTES);
	log->data = bytes_make(data, 32 * words);
	memcpy(log->topics, topics->topics, sizeof log->topics);
}

static struct eth_signature sign(struct scene *scene, enum who signer, const hash32 *digest) {
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, &scene->secrets[signer], digest), STATUS_OK);
	return signature;
}

/* `by` says that it grants; `signer` signs. */
static struct fake_event *grant(struct scene *scene, enum who grantee, uint8_t rights, enum who by, enum who signer) {
	const struct deployment *anchor = &scene->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->consent);
	const struct list_state before = scene->list;
	const bool reads = rights & STATEMENT_RIGHT_READ;
	const struct consent_grant said = {.folder = scene->folder.id,
	    .grantee = scene->accounts[grantee],
	    .rights = rights,
	    .purposes = 1,
	    .from = 1,
	    .until = FAKE_START_S + 1000,
	    .epoch = 1,
	    .wrap = {{reads}},
	    .wrap_size = reads,
	    .by = scene->accounts[by],
	    .number = ++scene->number};
	const hash32 fact = consent_grant_typed_hash(&said), digest = consent_grant_typed_digest(&said, &domain);
	const struct eth_signature signature = sign(scene, signer, &digest);
	const hash32 whole_folder = {{0}};
	const struct contract_topics topics = consent_granted_event_topics(&said.folder, &whole_folder, &said.grantee);
	struct fake_event *event = append(scene, &fact, consent_grant_call(&scene->arena, &said, BYTES_OF(signature)));
	set_log(scene, &event->log, &topics, 9, &before, &fact);
	return event;
}

static void revoke(struct scene *scene, enum who grantee) {
	const struct deployment *anchor = &scene->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->consent);
	const struct list_state before = scene->list;
	const struct consent_revoke said = {.folder = scene->folder.id,
	    .grantee = scene->accounts[grantee],
	    .by = scene->accounts[PATIENT],
	    .number = ++scene->number};
	const hash32 fact = consent_revoke_typed_hash(&said), digest = consent_revoke_typed_digest(&said, &domain);
	const struct eth_signature signature = sign(scene, PATIENT, &digest);
	const hash32 whole_folder = {{0}};
	const struct contract_topics topics = consent_revoked_event_topics(&said.folder, &whole_folder, &said.grantee);
	struct fake_event *event = append(scene, &fact, consent_revoke_call(&scene->arena, &said, BYTES_OF(signature)));
	set_log(scene, &event->log, &topics, 3, &before, &fact);
}

static int begin(void **state) {
	void *world;
	struct scene *scene = mem_zalloc(1, sizeof *scene);
	if (setup(&world) != 0) return -1;
	scene->world = world;
	arena_init(&scene->arena);
	for (unsigned who = PATIENT; who < EVERYBODY; who++) {
		scene->secrets[who].b[31] = (uint8_t)(100 + who);
		assert_int_equal(address_of_secret(&scene->accounts[who], &scene->secrets[who]), STATUS_OK);
	}
	scene->controller.address = scene->accounts[PATIENT];
	scene->folder = (struct statement_folder){.anchor = &scene->world->chain->anchor,
	    .arena = &scene->arena,
	    .id = {{0xf0}},
	    .controllers = &scene->controller,
	    .controller_count = 1};
	scene->slot = consent_grant_lists_slot(&scene->folder.id);
	verified_begin(&scene->verified, scene->world->heads, scene->world->client, &scene->arena);
	*state = scene;
	return 0;
}

static int end(void **state) {
	struct scene *scene = *state;
	void *world = scene->world;
	arena_fini(&scene->arena);
	mem_free(scene);
	return teardown(&world);
}

static enum status read_grants(struct scene *scene, struct grant_list *list) {
	scene->world->err = (struct err){0};
	if (verified_head(&scene->verified, HEADS_FRESH, &scene->world->err)) fail_msg("%s", scene->world->err.message);
	return grant_list_read(&scene->verified, list, &scene->folder.id, &scene->world->err);
}

static enum status find_grant(struct scene *scene, enum who grantee, struct statement_grant *out) {
	static const hash32 whole_folder;
	struct grant_list list;
	if (read_grants(scene, &list)) fail_msg("%s", scene->world->err.message);
	return grant_list_find(
	    &list, out, &scene->folder, &whole_folder, &scene->accounts[grantee], &scene->world->err);
}

static void the_newest_statement_counts(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	grant(scene, CLINIC, STATEMENT_RIGHT_READ, PATIENT, PATIENT);
	grant(scene, LAB, STATEMENT_RIGHT_WRITE, PATIENT, PATIENT);
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
	assert_int_equal(found.rights, STATEMENT_RIGHT_READ);
	revoke(scene, CLINIC);
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_NOTFOUND);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_OK);
	grant(scene, CLINIC, STATEMENT_RIGHT_READ | STATEMENT_RIGHT_WRITE, PATIENT, PATIENT);
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
	assert_int_equal(found.rights, STATEMENT_RIGHT_READ | STATEMENT_RIGHT_WRITE);
	assert_int_equal(find_grant(scene, STRANGER, &found), STATUS_NOTFOUND);
}

static void expect_refusal(struct scene *scene, const char *words) {
	struct grant_list list;
	assert_int_equal(read_grants(scene, &list), STATUS_DENIED);
	if (!strstr(scene->world->err.message, words)) fail_msg("%s", scene->world->err.message);
}

static void a_hidden_revocation_is_named(void **state) {
	struct scene *scene = *state;
	grant(scene, CLINIC, STATEMENT_RIGHT_READ, PATIENT, PATIENT);
	revoke(scene, CLINIC);
	scene->world->chain->hides_event = 2;
	expect_refusal(scene, "entries 2 to 2 of the list were not served");
	scene->world->chain->hides_event = 1;
	expect_refusal(scene, "entries 1 to 1 of the list were not served");
}

/* The list holds the statement's hash; who it is about, the event alone would say. */
static void an_event_that_names_another_grantee_changes_nothing(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	struct fake_event *event = grant(scene, CLINIC, STATEMENT_RIGHT_READ, PATIENT, PATIENT);
	memcpy(event->log.topics[3].b + 12, scene->accounts[STRANGER].b, 20);
	assert_int_equal(find_grant(scene, STRANGER, &found), STATUS_NOTFOUND);
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
}

/* It stops nothing; whom it is about, the node alone says. */
static void an_entry_that_cannot_be_read_stands_with_its_fault(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	struct grant_list list;
	struct fake_event *first = grant(scene, CLINIC, STATEMENT_RIGHT_READ, PATIENT, PATIENT);
	struct fake_event *second = grant(scene, LAB, STATEMENT_RIGHT_READ, PATIENT, PATIENT);
	const struct bytes stated = first->input;
	first->input = second->input;
	assert_int_equal(read_grants(scene, &list), STATUS_OK);
	assert_int_equal(list.fault_count, 1);
	assert_non_null(strstr(list.entries[1].fault, "the chain holds another statement than this one"));
	assert_true(addr20_equal(&list.entries[1].grantee, &scene->accounts[CLINIC]));
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_NOTFOUND);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_OK);
	first->input = BYTES_LITERAL("no calldata of a grant");
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_NOTFOUND);
	first->input = stated;
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
	scene->world->chain->hides_transactions = true;
	expect_refusal(scene, "does not serve a transaction");
}

/* Numbers rise over all hand-overs: the grants of a controller before stand. */
static void what_a_former_controller_granted_stands(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	grant(scene, CLINIC, STATEMENT_RIGHT_READ | STATEMENT_RIGHT_SHARE, PATIENT, PATIENT);
	grant(scene, LAB, STATEMENT_RIGHT_READ, CLINIC, CLINIC);
	const struct statement_controller both[] = {
	    scene->controller, {.address = scene->accounts[STRANGER], .after = scene->number = 10}};
	scene->folder.controllers = (struct statement_controller *)both;
	scene->folder.controller_count = 2;
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_OK);
	grant(scene, CLINIC, STATEMENT_RIGHT_READ, PATIENT, PATIENT); /* it controls nothing any more */
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_DENIED);
	grant(scene, CLINIC, STATEMENT_RIGHT_READ, STRANGER, STRANGER);
	assert_int_equal(find_grant(scene, CLINIC, &found), STATUS_OK);
}

/* Whoever decides blocks can sign a state that no transaction made, and cannot make a grant. */
static void a_grant_that_the_controller_did_not_sign_is_refused(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	grant(scene, STRANGER, STATEMENT_RIGHT_READ, PATIENT, STRANGER);
	assert_int_equal(find_grant(scene, STRANGER, &found), STATUS_DENIED);
	grant(scene, LAB, STATEMENT_RIGHT_READ, STRANGER, STRANGER);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_DENIED);
}

static void who_may_share_grants_until_it_is_revoked(void **state) {
	struct scene *scene = *state;
	struct statement_grant found;
	grant(scene, LAB, STATEMENT_RIGHT_READ, CLINIC, CLINIC); /* before it had the right */
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_DENIED);
	grant(scene, CLINIC, STATEMENT_RIGHT_READ | STATEMENT_RIGHT_SHARE, PATIENT, PATIENT);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_DENIED);
	grant(scene, LAB, STATEMENT_RIGHT_READ, CLINIC, CLINIC);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_OK);
	grant(scene, STRANGER, STATEMENT_RIGHT_WRITE, CLINIC, CLINIC); /* wider than its own */
	assert_int_equal(find_grant(scene, STRANGER, &found), STATUS_DENIED);
	revoke(scene, CLINIC);
	grant(scene, STRANGER, STATEMENT_RIGHT_READ, CLINIC, CLINIC);
	assert_int_equal(find_grant(scene, STRANGER, &found), STATUS_DENIED);
	assert_int_equal(find_grant(scene, LAB, &found), STATUS_OK); /* what it gave while it had the right */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(the_newest_statement_counts),
	    TEST(a_hidden_revocation_is_named),
	    TEST(an_event_that_names_another_grantee_changes_nothing),
	    TEST(an_entry_that_cannot_be_read_stands_with_its_fault),
	    TEST(what_a_former_controller_granted_stands),
	    TEST(a_grant_that_the_controller_did_not_sign_is_refused),
	    TEST(who_may_share_grants_until_it_is_revoked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
