/* Who is in the directory and with which key, against a chain that can lie (tests/fake_chain.h). */
#include "health/actors/certified.h"

#include "tests/unit.h"

#include <stdlib.h>

#include "eth/abi.h"
#include "eth/sign.h"
#include "health/actors/kept_statements.h"
#include "health/contracts/cause.h"
#include "tests/fake_home.h"

#define LISTED_S (FAKE_START_S + 10)
#define CHANGED_S (FAKE_START_S + 20)

static const hash32 registrar = {{1}}, hospital = {{2}}, stranger = {{3}};
static const struct p256_secret first_secret = {{4}}, second_secret = {{5}}, operators_secret = {{6}},
				third_secret = {{7}};

struct scene {
	struct world *world;
	struct arena arena;
	struct verified verified;
	const struct home *home; /* NULL: keeps nothing */
	struct directory_actor stored;
	struct list_state listed; /* everybody */
	addr20 actor;
	hash32 entry_secret; /* signs the entry */
	struct directory_entry entry;
	struct directory_key_change change;
};

static struct bytes signed_by(struct scene *s, const hash32 *secret, const hash32 *digest) {
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, secret, digest), STATUS_OK);
	return arena_dup(&s->arena, BYTES_OF(signature));
}

static struct eip712_domain domain_of(const struct scene *s) {
	const struct deployment *anchor = &s->world->chain->anchor;
	return deployment_domain(anchor, &anchor->directory);
}

static struct bytes entry_call(struct scene *s, const hash32 *registrars_secret) {
	const struct eip712_domain domain = domain_of(s);
	hash32 digest = directory_entry_typed_digest(&s->entry, &domain);
	struct bytes endorsement = signed_by(s, registrars_secret, &digest);
	const struct directory_list_args args = {.statement = s->entry,
	    .actor_signature = signed_by(s, &s->entry_secret, &digest),
	    .registrar_signatures = &endorsement,
	    .registrar_signatures_count = 1};
	return directory_list_call(&s->arena, &args);
}

/* By the account and a key, or by the registrar alone (NULL). */
static struct bytes change_call(struct scene *s, const struct p256_secret *before) {
	const struct eip712_domain domain = domain_of(s);
	uint8_t signature[64];
	hash32 digest = directory_key_change_typed_digest(&s->change, &domain);
	if (!before) {
		struct bytes alone = signed_by(s, &registrar, &digest);
		const struct directory_change_key_args args = {
		    .statement = s->change, .registrar_signatures = &alone, .registrar_signatures_count = 1};
		return directory_change_key_call(&s->arena, &args);
	}
	assert_int_equal(p256_sign(signature, before, &digest), STATUS_OK);
	const struct directory_change_key_args args = {.statement = s->change,
	    .actor_signature = signed_by(s, &hospital, &digest),
	    .key_signature = bytes_make(signature, sizeof signature)};
	return directory_change_key_call(&s->arena, &args);
}

static void set_key(hash32 *x, hash32 *y, const struct p256_secret *secret) {
	struct p256_public key;
	assert_int_equal(p256_public_of(&key, secret), STATUS_OK);
	*x = p256_public_x(&key);
	*y = p256_public_y(&key);
}

/* --- what the chain holds --- */

static void place(hash32 *word, size_t offset, size_t bytes, uint64_t value) {
	for (size_t i = 0; i < bytes; i++) word->b[31 - offset - i] = (uint8_t)(value >> 8 * i);
}

/* The actor's slots, in the order of IDirectory.Actor. */
static void store(struct scene *s) {
	struct fake_chain *chain = s->world->chain;
	const struct directory_actor *a = &s->stored;
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS] = {{{0}}}, slot = directory_actors_slot(&s->actor);
	const uint64_t first[][2] = {{4, a->roles}, {1, a->status}, {4, a->key_version}, {4, a->registrar_set},
	    {5, a->listed_at}, {5, a->emergency_from}, {5, a->key_from}};
	for (size_t i = 0, offset = 0; i < sizeof first / sizeof *first; offset += first[i++][0])
		place(&words[0], offset, first[i][0], first[i][1]);
	words[1] = a->entry;
	words[2] = a->key;
	place(&words[3], 0, 5, a->entry_at);
	place(&words[3], 5, 5, a->key_at);
	for (size_t i = 0; i < DIRECTORY_STORED_ACTOR_SLOTS; i++) {
		hash32 at = contract_slot_after(&slot, i);
		fake_set(chain, &chain->anchor.directory, &at, &words[i]);
	}
}

static void store_registrars(struct scene *s, const struct directory_registrars *set) {
	struct fake_chain *chain = s->world->chain;
	hash32 fact = directory_registrars_typed_hash(set), word = {{0}}, slot = directory_registrars_slot();
	fake_set(chain, &chain->anchor.directory, &slot, &fact);
	place(&word, 0, 4, set->number);
	place(&word, 4, 1, set->threshold);
	slot = directory_number_slot();
	fake_set(chain, &chain->anchor.directory, &slot, &word);
}

static void emit(struct scene *s, const hash32 *topic, uint32_t index, struct bytes data, struct bytes input) {
	struct fake_chain *chain = s->world->chain;
	struct fake_event *event = &chain->events[chain->event_count++];
	*event = (struct fake_event){.block = chain->head + 1, .index = index, .input = input};
	event->log = (struct log){.address = chain->anchor.directory,
	    .topics = {*topic, abi_topic_of_address(&s->actor)},
	    .topic_count = 2,
	    .data = data};
}

static void emit_key(struct scene *s, uint32_t index, uint32_t version, struct bytes input) {
	struct buf data;
	buf_init(&data, 1024);
	abi_put_u64(&data, version);
	abi_put_hash32(&data, &s->entry.key_x);
	abi_put_hash32(&data, &s->entry.key_y);
	emit(s, &directory_key_published_event_topic, index, arena_dup(&s->arena, buf_view(&data)), input);
	buf_fini(&data);
}

static void append(struct scene *s, struct buf *data) {
	struct fake_chain *chain = s->world->chain;
	const hash32 slot = directory_listed_slot(), entry = abi_topic_of_address(&s->actor);
	hash32 before = {{0}};
	memcpy(before.b, s->listed.head, sizeof s->listed.head);
	list_append(&s->listed, LISTED_S, &entry);
	const hash32 word = list_store(&s->listed);
	fake_set(chain, &chain->anchor.directory, &slot, &word);
	abi_put_u64(data, s->listed.count);
	abi_put_hash32(data, &before);
}

static void list(struct scene *s, struct bytes call) {
	struct buf data;
	buf_init(&data, 1024);
	abi_put_u64(&data, s->entry.roles);
	abi_put_u64(&data, 128);
	append(s, &data);
	abi_put_bytes(&data, s->entry.name);
	emit(s, &directory_actor_listed_event_topic, 0, arena_dup(&s->arena, buf_view(&data)), call);
	buf_fini(&data);
	emit_key(s, 1, 1, call);
	s->stored = (struct directory_actor){.roles = s->entry.roles,
	    .status = DIRECTORY_STATUS_ACTIVE,
	    .key_version = 1,
	    .listed_at = LISTED_S,
	    .key_from = LISTED_S,
	    .entry = directory_entry_typed_hash(&s->entry),
	    .entry_at = s->world->chain->head + 1,
	    .key_at = s->world->chain->head + 1};
	s->stored.key = s->stored.entry;
	store(s);
	fake_mine(s->world->chain, LISTED_S);
}

static void set_key_time(struct scene *s, uint32_t version, uint64_t at_s) {
	struct fake_chain *chain = s->world->chain;
	const hash32 slot = directory_key_times_slot(&s->actor, version);
	hash32 word = {{0}};
	store_be64(word.b + 24, at_s);
	fake_set(chain, &chain->anchor.directory, &slot, &word);
}

/* The next key, in force `from_s`, signed by the account and `before`, or by the registrar alone (NULL). */
static void change_key_from(
    struct scene *s, const struct p256_secret *next, const struct p256_secret *before, uint64_t from_s, bool stolen) {
	const uint32_t version = s->stored.key_version + 1;
	s->change = (struct directory_key_change){
	    .actor = s->actor, .version = version, .previous = s->stored.key, .stolen = stolen};
	set_key(&s->change.key_x, &s->change.key_y, next);
	s->stored.key_version = version;
	s->stored.key_from = from_s;
	s->stored.key = directory_key_change_typed_hash(&s->change);
	s->stored.key_at = s->world->chain->head + 1;
	emit_key(s, 0, version, change_call(s, before));
	set_key_time(s, version, from_s);
	store(s);
	fake_mine(s->world->chain, CHANGED_S);
}

static void change_key(struct scene *s, bool stolen) {
	change_key_from(s, &second_secret, &first_secret, CHANGED_S, stolen);
}

/* The one registrar gives way to another. */
static void change_registrars(struct scene *s, const addr20 *next, const hash32 *next_secret) {
	struct fake_chain *chain = s->world->chain;
	const struct eip712_domain domain = domain_of(s);
	const struct directory_registrars first = {
	    .registrars = chain->anchor.registrars, .registrars_count = 1, .threshold = 1};
	const struct directory_registrars set = {.number = 1,
	    .previous = directory_registrars_typed_hash(&first),
	    .registrars = next,
	    .registrars_count = 1,
	    .threshold = 1};
	hash32 digest = directory_registrars_typed_digest(&set, &domain);
	struct bytes old = signed_by(s, &registrar, &digest), new = signed_by(s, next_secret, &digest);
	const struct directory_change_registrars_args args = {.statement = set,
	    .old_signatures = &old,
	    .old_signatures_count = 1,
	    .new_signatures = &new,
	    .new_signatures_count = 1};
	emit(s, &directory_registrars_changed_event_topic, 0, BYTES_OF(s->stored.entry),
	    directory_change_registrars_call(&s->arena, &args));
	chain->events[chain->event_count - 1].log.topics[1] = abi_topic_of_u64(1);
	store_registrars(s, &set);
	fake_mine(chain, LISTED_S - 1);
}

/* --- the tests --- */

static int begin(void **state) {
	void *world;
	struct scene *s = mem_zalloc(1, sizeof *s);
	if (setup(&world) != 0) return -1;
	s->world = world;
	arena_init(&s->arena);
	assert_int_equal(address_of_secret(&s->world->chain->anchor.registrars[0], &registrar), STATUS_OK);
	assert_int_equal(address_of_secret(&s->actor, &hospital), STATUS_OK);
	s->entry = (struct directory_entry){.actor = s->actor, .roles = 1, .name = BYTES_LITERAL("Northern Hospital")};
	s->entry_secret = hospital;
	set_key(&s->entry.key_x, &s->entry.key_y, &first_secret);
	const struct directory_registrars set = {
	    .registrars = s->world->chain->anchor.registrars, .registrars_count = 1, .threshold = 1};
	store_registrars(s, &set);
	*state = s;
	return 0;
}

static int end(void **state) {
	struct scene *s = *state;
	void *world = s->world;
	arena_fini(&s->arena);
	mem_free(s);
	return teardown(&world);
}

static enum status look(struct scene *s, struct certified_actor *out) {
	struct world *world = s->world;
	world->err = (struct err){0};
	verified_begin(&s->verified, world->heads, world->client, &s->arena);
	assert_int_equal(verified_head(&s->verified, HEADS_FRESH, &world->err), STATUS_OK);
	enum status status = certified_find(&s->verified, s->home, out, &s->actor, &world->err);
	if (status == STATUS_INTERNAL) fail_msg("%s", world->err.message);
	return status;
}

static void refuses(struct scene *s, const char *says) {
	struct certified_actor found;
	assert_int_equal(look(s, &found), STATUS_DENIED);
	if (!strstr(s->world->err.message, says)) fail_msg("%s", s->world->err.message);
}

static void what_a_node_leaves_out_is_not_proved(void **state) {
	struct scene *s = *state;
	list(s, entry_call(s, &registrar));
	for (size_t hidden = 1; hidden <= s->world->chain->event_count; hidden++) {
		struct certified_actor found;
		s->world->chain->hides_event = hidden;
		assert_int_equal(look(s, &found), STATUS_DENIED);
		assert_int_equal(s->world->err.cause, CAUSE_NOT_PROVED);
	}
}

static void an_actor_is_found_by_what_its_registrars_signed(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	list(s, entry_call(s, &registrar));
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_true(bytes_equal(found.said.name, s->entry.name));
	assert_int_equal(found.said.key_count, 1);
	assert_int_equal(found.said.keys[0].version, 1);
	assert_int_equal(found.words.status, DIRECTORY_STATUS_ACTIVE);
}

static void an_actor_that_is_not_listed_is_proved_absent(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	fake_mine(s->world->chain, LISTED_S);
	assert_int_equal(look(s, &found), STATUS_NOTFOUND);
}

/* Even if the state itself holds it: a sealer cannot make an entry. */
static void an_entry_that_no_registrar_signed_is_refused(void **state) {
	struct scene *s = *state;
	set_key(&s->entry.key_x, &s->entry.key_y, &operators_secret);
	list(s, entry_call(s, &stranger));
	refuses(s, "too few registrars");
}

static void another_entry_than_the_chain_holds_is_refused(void **state) {
	struct scene *s = *state;
	list(s, entry_call(s, &registrar));
	s->entry.roles = 255;
	struct bytes other = entry_call(s, &registrar);
	for (size_t i = 0; i < s->world->chain->event_count; i++) s->world->chain->events[i].input = other;
	refuses(s, "the chain holds another statement");
}

/* A sealer could show one actor under the address of another. */
static void the_entry_of_another_actor_is_refused(void **state) {
	struct scene *s = *state;
	s->entry_secret = stranger;
	assert_int_equal(address_of_secret(&s->entry.actor, &stranger), STATUS_OK);
	list(s, entry_call(s, &registrar));
	refuses(s, "it is of another actor");
}

static void registrars_that_came_later_are_believed_for_those_before_them(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	addr20 next;
	assert_int_equal(address_of_secret(&next, &stranger), STATUS_OK);
	change_registrars(s, &next, &stranger);
	s->entry.registrar_set = 1;
	list(s, entry_call(s, &stranger));
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_int_equal(found.said.registrar_set, 1);
	s->world->chain->hides_event = 1;
	refuses(s, "the node does not serve set 1 of registrars");
}

static void registrars_that_nobody_before_them_signed_are_refused(void **state) {
	struct scene *s = *state;
	addr20 next;
	assert_int_equal(address_of_secret(&next, &stranger), STATUS_OK);
	change_registrars(s, &next, &hospital);
	s->entry.registrar_set = 1;
	list(s, entry_call(s, &stranger));
	refuses(s, "a newcomer did not sign it");
}

static void an_entry_that_is_not_served_is_refused(void **state) {
	struct scene *s = *state;
	list(s, entry_call(s, &registrar));
	s->world->chain->hides_event = 1;
	refuses(s, "not proved");
	s->world->chain->hides_event = 0;
	s->world->chain->hides_transactions = true;
	refuses(s, "not proved");
}

static void a_new_key_waits_48_hours_for_programs(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	const struct statement_key *key;
	list(s, entry_call(s, &registrar));
	change_key(s, false);
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_int_equal(statement_actor_newest_key(&found.said)->version, 2);
	const uint64_t then = CHANGED_S + STATEMENT_KEY_WAIT_S;
	assert_int_equal(statement_actor_unattended_key(&key, &found.said, then - 1, NULL), STATUS_OK);
	assert_int_equal(key->version, 1);
	assert_int_equal(statement_actor_unattended_key(&key, &found.said, then, NULL), STATUS_OK);
	assert_int_equal(key->version, 2);
}

static void a_new_key_cannot_be_hidden_or_invented(void **state) {
	struct scene *s = *state;
	list(s, entry_call(s, &registrar));
	change_key(s, true);
	s->world->chain->hides_event = s->world->chain->event_count;
	refuses(s, "leaves out keys");
	s->world->chain->hides_event = 0;
	s->world->chain->events[s->world->chain->event_count - 1].input = change_call(s, &operators_secret);
	refuses(s, "nor enough registrars, signed it");
}

static uint32_t used_by_programs(const struct certified_actor *actor, uint64_t now_s) {
	const struct statement_key *key;
	assert_int_equal(statement_actor_unattended_key(&key, &actor->said, now_s, NULL), STATUS_OK);
	return key->version;
}

/* Also if the first one is told stolen: it is long out of use. */
static void an_ordinary_new_key_makes_programs_use_the_one_before_it_and_none_older(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	const uint64_t day_s = 86400, third_s = CHANGED_S + 30 * day_s;
	list(s, entry_call(s, &registrar));
	change_key(s, true);
	change_key_from(s, &third_secret, &second_secret, third_s, false);
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_int_equal(found.said.keys[1].in_force_s, CHANGED_S);
	assert_int_equal(used_by_programs(&found, third_s + 1), 2);
	assert_int_equal(used_by_programs(&found, third_s + 2 * day_s), 3);
}

static void a_key_that_registrars_alone_gave_is_replaced_with_the_one_in_force(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	const uint64_t wait_s = STATEMENT_KEY_WAIT_S;
	list(s, entry_call(s, &registrar));
	change_key_from(s, &operators_secret, NULL, CHANGED_S + wait_s, false);
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_int_equal(found.said.keys[1].signers, STATEMENT_KEY_BY_REGISTRARS);
	change_key_from(s, &third_secret, &first_secret, CHANGED_S + 1, false);
	set_key_time(s, 2, 0);
	fake_mine(s->world->chain, CHANGED_S);
	assert_int_equal(look(s, &found), STATUS_OK);
	assert_int_equal(statement_actor_newest_key(&found.said)->signers, STATEMENT_KEY_BY_KEY);
	assert_int_equal(used_by_programs(&found, CHANGED_S + 1 + wait_s - 1), 1);
	assert_int_equal(used_by_programs(&found, CHANGED_S + 1 + wait_s), 3);
	/* An older one than that signs nothing: version 3 was signed by the account. */
	change_key_from(s, &second_secret, &first_secret, CHANGED_S + 2, false);
	refuses(s, "nor enough registrars, signed it");
}

/* --- what the home keeps --- */

struct kept_home {
	char path[64];
	struct home home;
};

static void make_home(struct scene *s, struct kept_home *kept) {
	snprintf(kept->path, sizeof kept->path, "/tmp/xinglin-certified-XXXXXX");
	assert_non_null(mkdtemp(kept->path));
	assert_int_equal(home_make_folders(kept->path, NULL), STATUS_OK);
	kept->home = (struct home){.directory = kept->path};
	s->home = &kept->home;
}

static void remove_home(struct kept_home *kept) {
	char command[96];
	snprintf(command, sizeof command, "rm -r '%s'", kept->path);
	assert_int_equal(system(command), 0);
}

/* Of somebody who changed the key, under registrars that changed. */
static void what_was_verified_once_is_not_asked_for_again(void **state) {
	struct scene *s = *state;
	struct certified_actor first, again;
	struct kept_home kept;
	addr20 next;
	assert_int_equal(address_of_secret(&next, &stranger), STATUS_OK);
	make_home(s, &kept);
	change_registrars(s, &next, &stranger);
	s->entry.registrar_set = 1;
	list(s, entry_call(s, &stranger));
	change_key(s, false);
	assert_int_equal(look(s, &first), STATUS_OK);
	s->world->chain->event_count = 0;
	s->world->chain->hides_transactions = true;
	assert_int_equal(look(s, &again), STATUS_OK);
	assert_true(bytes_equal(again.said.name, first.said.name));
	assert_int_equal(again.said.key_count, 2);
	assert_int_equal(again.said.keys[0].version, 1);
	assert_memory_equal(again.said.keys[1].key.xy, first.said.keys[1].key.xy, 64);
	s->home = NULL;
	refuses(s, "not proved");
	remove_home(&kept);
}

static void what_is_kept_and_was_changed_is_asked_for_again(void **state) {
	struct scene *s = *state;
	struct certified_actor found;
	struct kept_home kept;
	struct bytes input;
	make_home(s, &kept);
	list(s, entry_call(s, &registrar));
	change_key(s, false);
	assert_int_equal(look(s, &found), STATUS_OK);
	const hash32 facts[2] = {found.words.entry, found.words.key};
	for (size_t i = 0; i < 2; i++) {
		assert_true(kept_statement_get(s->home, &input, &s->arena, &facts[i]));
		((uint8_t *)input.data)[input.len - 40] ^= 1; /* in a signature */
		kept_statement_put(s->home, &s->arena, &facts[i], input);
		assert_int_equal(look(s, &found), STATUS_OK);
		assert_int_equal(found.said.key_count, 2);
	}
	s->world->chain->hides_transactions = true;
	assert_int_equal(look(s, &found), STATUS_OK);
	/* And another's statement in its place is not taken for it. */
	struct bytes other;
	assert_true(kept_statement_get(s->home, &other, &s->arena, &facts[0]));
	kept_statement_put(s->home, &s->arena, &facts[1], other);
	refuses(s, "not proved");
	remove_home(&kept);
}

/* --- everybody --- */

static void list_another(struct scene *s, const hash32 *secret, uint32_t roles) {
	s->entry_secret = *secret;
	assert_int_equal(address_of_secret(&s->actor, secret), STATUS_OK);
	s->entry.actor = s->actor;
	s->entry.roles = roles;
	list(s, entry_call(s, &registrar));
}

static enum status look_at_all(struct scene *s, struct certified_actor **all, size_t *count, uint32_t roles) {
	struct world *world = s->world;
	world->err = (struct err){0};
	verified_begin(&s->verified, world->heads, world->client, &s->arena);
	assert_int_equal(verified_head(&s->verified, HEADS_FRESH, &world->err), STATUS_OK);
	return certified_find_all(&s->verified, s->home, all, count, roles, &world->err);
}

static void everybody_who_holds_the_roles_is_found_in_the_order_of_listing(void **state) {
	struct scene *s = *state;
	struct certified_actor *all;
	size_t count;
	list_another(s, &hospital, 1);
	list_another(s, &stranger, 3);
	list_another(s, &registrar, 4);
	assert_int_equal(look_at_all(s, &all, &count, 0), STATUS_OK);
	assert_int_equal(count, 3);
	assert_int_equal(all[0].said.roles, 1);
	assert_int_equal(all[2].said.roles, 4);
	assert_int_equal(look_at_all(s, &all, &count, 1), STATUS_OK);
	assert_int_equal(count, 2);
	assert_int_equal(all[1].said.roles, 3);
	assert_int_equal(look_at_all(s, &all, &count, 8), STATUS_OK);
	assert_int_equal(count, 0);
}

static void nobody_can_be_left_out_of_the_directory(void **state) {
	struct scene *s = *state;
	struct certified_actor *all;
	size_t count;
	list_another(s, &hospital, 1);
	list_another(s, &stranger, 1);
	for (size_t i = 1; i <= s->world->chain->event_count; i++) {
		s->world->chain->hides_event = i;
		assert_int_equal(look_at_all(s, &all, &count, 1), STATUS_DENIED);
	}
	s->world->chain->hides_event = 0;
	assert_int_equal(look_at_all(s, &all, &count, 1), STATUS_OK);
	assert_int_equal(count, 2);
}

static void nobody_in_the_directory_can_be_exchanged(void **state) {
	struct scene *s = *state;
	struct certified_actor *all;
	size_t count;
	list_another(s, &hospital, 1);
	addr20 other;
	assert_int_equal(address_of_secret(&other, &stranger), STATUS_OK);
	s->world->chain->events[0].log.topics[1] = abi_topic_of_address(&other);
	assert_int_equal(look_at_all(s, &all, &count, 1), STATUS_DENIED);
}

/* It is in the list twice. */
static void who_is_listed_anew_is_found_once(void **state) {
	struct scene *s = *state;
	struct certified_actor *all;
	size_t count;
	list_another(s, &hospital, 1);
	struct buf data;
	buf_init(&data, 1024);
	abi_put_u64(&data, 1);
	abi_put_u64(&data, 128);
	append(s, &data);
	abi_put_bytes(&data, s->entry.name);
	emit(s, &directory_actor_listed_event_topic, 0, arena_dup(&s->arena, buf_view(&data)), BYTES_OF(s->actor));
	buf_fini(&data);
	fake_mine(s->world->chain, LISTED_S);
	assert_int_equal(look_at_all(s, &all, &count, 0), STATUS_OK);
	assert_int_equal(count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(an_actor_is_found_by_what_its_registrars_signed),
	    TEST(an_actor_that_is_not_listed_is_proved_absent),
	    TEST(an_entry_that_no_registrar_signed_is_refused),
	    TEST(another_entry_than_the_chain_holds_is_refused),
	    TEST(the_entry_of_another_actor_is_refused),
	    TEST(registrars_that_came_later_are_believed_for_those_before_them),
	    TEST(registrars_that_nobody_before_them_signed_are_refused),
	    TEST(an_entry_that_is_not_served_is_refused),
	    TEST(what_a_node_leaves_out_is_not_proved),
	    TEST(a_new_key_waits_48_hours_for_programs),
	    TEST(a_new_key_cannot_be_hidden_or_invented),
	    TEST(an_ordinary_new_key_makes_programs_use_the_one_before_it_and_none_older),
	    TEST(a_key_that_registrars_alone_gave_is_replaced_with_the_one_in_force),
	    TEST(what_was_verified_once_is_not_asked_for_again),
	    TEST(what_is_kept_and_was_changed_is_asked_for_again),
	    TEST(everybody_who_holds_the_roles_is_found_in_the_order_of_listing),
	    TEST(nobody_can_be_left_out_of_the_directory),
	    TEST(nobody_in_the_directory_can_be_exchanged),
	    TEST(who_is_listed_anew_is_found_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
