#include "health/actors/joint.h"

#include <stdlib.h>

#include "health/actors/certified.h"

#define CLOCKS_APART_S 3600u /* those of the signers' machines */

/* --- who has to sign --- */

static bool is_registrar(const struct statement_set *set, const addr20 *who) {
	return statement_has_address(set->members, set->member_count, who);
}

/* In the next set and not in the present one. */
static bool is_newcomer(const struct joint_statement *joint, const struct statement_set *set, const addr20 *who) {
	return joint->kind == JOINT_REGISTRARS && !is_registrar(set, who) &&
	       statement_has_address(joint->registrars.registrars, joint->registrars.registrars_count, who);
}

/* Whose new key it is, though registrars can give it alone. */
static bool is_account(const struct joint_statement *joint, const addr20 *who) {
	return joint->kind == JOINT_KEY && addr20_equal(who, &joint->key.actor);
}

static void count_signers(struct joint_statement *joint, const struct statement_set *set) {
	joint->registrars_needed = set->threshold;
	joint->registrars_signed = joint->newcomers_signed = joint->newcomers_needed = 0;
	joint->account_signed = false;
	for (size_t i = 0; i < joint->count; i++) {
		joint->registrars_signed += is_registrar(set, &joint->signatures[i].signer);
		joint->newcomers_signed += is_newcomer(joint, set, &joint->signatures[i].signer);
		joint->account_signed |= is_account(joint, &joint->signatures[i].signer);
	}
	if (joint->kind != JOINT_REGISTRARS) return;
	for (size_t i = 0; i < joint->registrars.registrars_count; i++)
		joint->newcomers_needed += !is_registrar(set, &joint->registrars.registrars[i]);
}

/* --- what the chain holds --- */

struct present {
	struct verified *verified;
	const struct statement_set *set;
	uint32_t number; /* of the set */
	uint64_t now_s;
};

static enum status read_present(struct actor_request *request, struct present *out, struct err *err) {
	struct statement_registrars *sets;
	TRY(request_verified(request, &out->verified, HEADS_FRESH, err));
	TRY(certified_registrars(out->verified, request->home, &sets, err));
	out->number = (uint32_t)(sets->count - 1);
	out->set = &sets->sets[out->number];
	out->now_s = verified_now_s(out->verified);
	return STATUS_OK;
}

static enum status read_actor(
    const struct present *present, struct directory_actor *out, const addr20 *address, struct err *err) {
	const addr20 *directory = &heads_anchor(present->verified->heads)->directory;
	const hash32 slot = directory_actors_slot(address);
	hash32 words[DIRECTORY_STORED_ACTOR_SLOTS];
	TRY(verified_struct(present->verified, words, directory, &slot, DIRECTORY_STORED_ACTOR_SLOTS, err));
	TRY(directory_stored_actor_load(out, words, err));
	if (out->status == DIRECTORY_STATUS_NONE)
		return err_set(err, STATUS_NOTFOUND, "the actor is not in the directory");
	if (out->status == DIRECTORY_STATUS_WITHDRAWN)
		return err_set(err, STATUS_DENIED, "the actor is withdrawn, and that is final");
	return STATUS_OK;
}

static enum status check_set(const struct directory_registrars *set, struct err *err) {
	if (set->registrars_count == 0 || set->registrars_count > STATEMENT_REGISTRARS_MAX)
		return err_set(err, STATUS_INVALID, "there are 1 to %u registrars", STATEMENT_REGISTRARS_MAX);
	if (set->threshold > set->registrars_count || 2 * (size_t)set->threshold <= set->registrars_count)
		return err_set(err, STATUS_INVALID,
		    "the threshold is more than half of the %zu registrars, and at most all", set->registrars_count);
	for (size_t i = 1; i < set->registrars_count; i++)
		if (addr20_equal(&set->registrars[i - 1], &set->registrars[i]))
			return err_set(err, STATUS_INVALID, "a registrar is named twice");
	if (!set->theft && set->affirmed_count)
		return err_set(err, STATUS_INVALID, "entries are affirmed after a theft only");
	return STATUS_OK;
}

uint64_t joint_deadline(const struct joint_statement *joint) {
	switch (joint->kind) {
	case JOINT_REGISTRARS: return joint->registrars.deadline;
	case JOINT_STANDING: return joint->standing.deadline;
	case JOINT_KEY: return joint->key.deadline;
	case JOINT_TAG_HOLDERS: return joint->tag_holders.deadline;
	case JOINT_KINDS: break;
	}
	BUG_ON(true);
}

static enum status check_deadline(uint64_t deadline_s, const struct present *present, struct err *err) {
	if (deadline_s < present->now_s)
		return err_set(err, STATUS_DENIED, "the statement's time is over: make a new one");
	if (deadline_s - present->now_s > JOINT_LIFE_SECONDS + CLOCKS_APART_S)
		return err_set(err, STATUS_DENIED, "the statement would stand for longer than a week: make a new one");
	return STATUS_OK;
}

static enum status check_next_set(
    const struct directory_registrars *said, const struct present *present, struct err *err) {
	TRY(check_set(said, err));
	if (said->number == present->number + 1 && hash32_equal(&said->previous, &present->set->fact)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the statement makes set %u of registrars, and the chain holds set %u",
	    said->number, present->number);
}

static enum status check_next_standing(
    const struct directory_standing *said, const struct present *present, struct err *err) {
	struct directory_actor actor;
	TRY(read_actor(present, &actor, &said->actor, err));
	/* A number far ahead would void whatever registrars say of this actor later. */
	if (said->number - 1 == actor.number) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "the statement has number %llu, and the chain holds number %llu of this actor",
	    (unsigned long long)said->number, (unsigned long long)actor.number);
}

/* --- a key --- */

static enum status read_active(
    const struct present *present, struct directory_actor *out, const addr20 *address, struct err *err) {
	TRY(read_actor(present, out, address, err));
	if (out->status == DIRECTORY_STATUS_ACTIVE) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the actor is not active, and gets no new key");
}

/* Else whoever signs gives the actor a key that nobody has. */
static enum status check_possession(
    const struct joint_statement *joint, const struct deployment *deployment, struct err *err) {
	const struct directory_key_change *said = &joint->key;
	const struct p256_public key = p256_public_of_words(&said->key_x, &said->key_y);
	const hash32 digest = possession_digest(deployment, &said->actor, said->version, &key);
	if (p256_verify(joint->possession, &key, &digest)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the new key is not proved to be in the hands of its owner");
}

static enum status check_next_key(const struct joint_statement *joint, const struct present *present, struct err *err) {
	const struct directory_key_change *said = &joint->key;
	struct directory_actor actor;
	TRY(read_active(present, &actor, &said->actor, err));
	if (said->version != actor.key_version + 1 || !hash32_equal(&said->previous, &actor.key))
		return err_set(err, STATUS_DENIED,
		    "the statement makes key %u of the actor, and the chain holds key %u", said->version,
		    actor.key_version);
	return check_possession(joint, heads_anchor(present->verified->heads), err);
}

/* --- holders of the tags' key --- */

static enum status check_next_holders(
    const struct products_tag_holders *said, const struct present *present, struct err *err) {
	const addr20 *products = &heads_anchor(present->verified->heads)->products;
	const hash32 slot = products_newest_slot();
	hash32 words[PRODUCTS_STORED_HOLDERS_SLOTS];
	struct products_holders stored;
	TRY(verified_struct(present->verified, words, products, &slot, PRODUCTS_STORED_HOLDERS_SLOTS, err));
	TRY(products_stored_holders_load(&stored, words, err));
	if (said->number == stored.number + 1 && hash32_equal(&said->previous, &stored.statement)) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "the statement makes holders %u of the tags' key, and the chain has holders %u", said->number,
	    stored.number);
}

/* --- all of it --- */

static enum status check_follows(const struct joint_statement *joint, const struct present *present, struct err *err) {
	TRY(check_deadline(joint_deadline(joint), present, err));
	switch (joint->kind) {
	case JOINT_REGISTRARS: return check_next_set(&joint->registrars, present, err);
	case JOINT_STANDING: return check_next_standing(&joint->standing, present, err);
	case JOINT_KEY: return check_next_key(joint, present, err);
	case JOINT_TAG_HOLDERS: return check_next_holders(&joint->tag_holders, present, err);
	case JOINT_KINDS: break;
	}
	BUG_ON(true);
}

static bool counts(const struct joint_statement *joint, const struct present *present, const addr20 *signer) {
	return is_registrar(present->set, signer) || is_newcomer(joint, present->set, signer) ||
	       is_account(joint, signer);
}

static const char *const nor_others[JOINT_KINDS] = {[JOINT_REGISTRARS] = " and none of the new ones",
    [JOINT_STANDING] = "",
    [JOINT_KEY] = " and not the actor itself",
    [JOINT_TAG_HOLDERS] = ""};

static enum status check(struct joint_statement *joint, const struct present *present, struct err *err) {
	TRY(check_follows(joint, present, err));
	for (size_t i = 0; i < joint->count; i++) {
		const addr20 *signer = &joint->signatures[i].signer;
		char text[43];
		if (counts(joint, present, signer)) continue;
		address_checksum(text, signer);
		return err_set(err, STATUS_DENIED, "%s, who signed, is no registrar%s, or signed something else", text,
		    nor_others[joint->kind]);
	}
	count_signers(joint, present->set);
	return STATUS_OK;
}

/* --- signing --- */

static int compare_signers(const void *a, const void *b) {
	return memcmp(((const struct joint_signature *)a)->signer.b, ((const struct joint_signature *)b)->signer.b, 20);
}

static enum status add_signature(struct actor_request *request, struct joint_statement *joint, struct err *err) {
	struct joint_signature mine = {.signer = request->home->account};
	for (size_t i = 0; i < joint->count; i++)
		if (addr20_equal(&joint->signatures[i].signer, &mine.signer)) return STATUS_OK;
	if (joint->count == JOINT_SIGNATURES_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u have signed", JOINT_SIGNATURES_MAX);
	TRY(eth_sign_digest(&mine.signature, &request->home->account_secret, &joint->digest));
	joint->signatures[joint->count++] = mine;
	qsort(joint->signatures, joint->count, sizeof *joint->signatures, compare_signers);
	return STATUS_OK;
}

static enum status sign_if_may(
    struct actor_request *request, struct joint_statement *joint, const struct present *present, struct err *err) {
	if (counts(joint, present, &request->home->account)) TRY(add_signature(request, joint, err));
	count_signers(joint, present->set);
	return STATUS_OK;
}

/* --- making --- */

static int compare_addresses(const void *a, const void *b) {
	return memcmp(a, b, sizeof(addr20));
}

static const addr20 *in_order(struct arena *arena, const addr20 *all, size_t count) {
	addr20 *sorted = arena_alloc(arena, (count + 1) * sizeof *sorted);
	if (count) memcpy(sorted, all, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_addresses);
	return sorted;
}

enum status joint_of_registrars(struct actor_request *request, struct joint_statement *out,
    const struct directory_registrars *said, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	struct present present;
	*out = (struct joint_statement){.kind = JOINT_REGISTRARS, .registrars = *said};
	out->registrars.registrars = in_order(request->arena, said->registrars, said->registrars_count);
	TRY(check_set(&out->registrars, err));
	TRY(read_present(request, &present, err));
	out->registrars.number = present.number + 1;
	out->registrars.previous = present.set->fact;
	out->registrars.deadline = present.now_s + JOINT_LIFE_SECONDS;
	out->digest = directory_registrars_typed_digest(&out->registrars, &domain);
	return sign_if_may(request, out, &present, err);
}

enum status joint_of_standing(struct actor_request *request, struct joint_statement *out,
    const struct directory_standing *said, bool keeps_emergencies, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	struct present present;
	struct directory_actor actor;
	*out = (struct joint_statement){.kind = JOINT_STANDING, .standing = *said};
	TRY(read_present(request, &present, err));
	TRY(read_actor(&present, &actor, &said->actor, err));
	if (said->status == DIRECTORY_STATUS_NONE) out->standing.status = actor.status;
	if (keeps_emergencies) out->standing.emergencies_a_day = actor.emergencies_a_day;
	out->standing.number = actor.number + 1;
	out->standing.deadline = present.now_s + JOINT_LIFE_SECONDS;
	out->digest = directory_standing_typed_digest(&out->standing, &domain);
	return sign_if_may(request, out, &present, err);
}

static enum status prove_possession(
    struct joint_statement *out, const struct deployment *deployment, const struct p256_secret *secret) {
	const struct p256_public key = p256_public_of_words(&out->key.key_x, &out->key.key_y);
	const hash32 proof = possession_digest(deployment, &out->key.actor, out->key.version, &key);
	return p256_sign(out->possession, secret, &proof);
}

enum status joint_of_key(struct actor_request *request, struct joint_statement *out, const addr20 *actor,
    bool before_is_stolen, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	struct present present;
	struct directory_actor words;
	struct p256_secret secret;
	struct p256_public key;
	*out = (struct joint_statement){.kind = JOINT_KEY};
	TRY(read_present(request, &present, err));
	TRY(read_active(&present, &words, actor, err));
	TRY(home_encryption_key(request->home, &secret, &key, words.key_version + 1, err));
	out->key = (struct directory_key_change){.actor = *actor,
	    .version = words.key_version + 1,
	    .previous = words.key,
	    .key_x = p256_public_x(&key),
	    .key_y = p256_public_y(&key),
	    .stolen = before_is_stolen,
	    .deadline = present.now_s + JOINT_LIFE_SECONDS};
	enum status status = prove_possession(out, deployment, &secret);
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	out->digest = directory_key_change_typed_digest(&out->key, &domain);
	return sign_if_may(request, out, &present, err);
}

enum status joint_of_tag_holders(struct actor_request *request, struct joint_statement *out,
    const struct products_tag_holders *said, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->products);
	struct present present;
	*out = (struct joint_statement){.kind = JOINT_TAG_HOLDERS, .tag_holders = *said};
	out->digest = products_tag_holders_typed_digest(said, &domain);
	TRY(read_present(request, &present, err));
	TRY(check_follows(out, &present, err));
	return sign_if_may(request, out, &present, err);
}

/* --- checking, signing, sending --- */

enum status joint_check(struct actor_request *request, struct joint_statement *joint, struct err *err) {
	struct present present;
	TRY(read_present(request, &present, err));
	return check(joint, &present, err);
}

enum status joint_sign(struct actor_request *request, struct joint_statement *joint, struct err *err) {
	struct present present;
	TRY(read_present(request, &present, err));
	TRY(check(joint, &present, err));
	if (counts(joint, &present, &request->home->account)) return sign_if_may(request, joint, &present, err);
	return err_set(err, STATUS_DENIED, "this home's account is no registrar%s: its signature would not count",
	    nor_others[joint->kind]);
}

/* The signatures of a set's registrars, and the others', each in the signers' order. */
struct sorted {
	struct bytes *registrars, *others;
	size_t registrar_count, other_count;
};

static struct sorted sort_signatures(
    struct arena *arena, const struct joint_statement *joint, const struct statement_set *set) {
	struct sorted out = {.registrars = arena_zalloc(arena, joint->count + 1, sizeof *out.registrars),
	    .others = arena_zalloc(arena, joint->count + 1, sizeof *out.others)};
	for (size_t i = 0; i < joint->count; i++) {
		const struct bytes signature = BYTES_OF(joint->signatures[i].signature);
		if (is_registrar(set, &joint->signatures[i].signer))
			out.registrars[out.registrar_count++] = signature;
		else
			out.others[out.other_count++] = signature;
	}
	return out;
}

static struct bytes key_call(struct arena *arena, const struct joint_statement *joint, const struct sorted *signed_by) {
	struct directory_change_key_args args = {.statement = joint->key,
	    .possession = bytes_make(joint->possession, POSSESSION_BYTES),
	    .registrar_signatures = signed_by->registrars,
	    .registrar_signatures_count = signed_by->registrar_count};
	for (size_t i = 0; i < joint->count; i++)
		if (is_account(joint, &joint->signatures[i].signer))
			args.actor_signature = BYTES_OF(joint->signatures[i].signature);
	return directory_change_key_call(arena, &args);
}

/* The contract wants the newcomers in the new set's order, which is the signers' own. */
static struct bytes call_of(struct arena *arena, const struct joint_statement *joint, const struct statement_set *set) {
	const struct sorted signed_by = sort_signatures(arena, joint, set);
	if (joint->kind == JOINT_KEY) return key_call(arena, joint, &signed_by);
	if (joint->kind == JOINT_STANDING)
		return directory_set_standing_call(
		    arena, &joint->standing, signed_by.registrars, signed_by.registrar_count);
	if (joint->kind == JOINT_TAG_HOLDERS)
		return products_set_tag_holders_call(
		    arena, &joint->tag_holders, signed_by.registrars, signed_by.registrar_count);
	const struct directory_change_registrars_args args = {.statement = joint->registrars,
	    .old_signatures = signed_by.registrars,
	    .old_signatures_count = signed_by.registrar_count,
	    .new_signatures = signed_by.others,
	    .new_signatures_count = signed_by.other_count};
	return directory_change_registrars_call(arena, &args);
}

enum status joint_send(
    struct actor_request *request, struct client_receipt *receipt, struct joint_statement *joint, struct err *err) {
	struct present present;
	TRY(read_present(request, &present, err));
	TRY(check(joint, &present, err));
	TRY(sign_if_may(request, joint, &present, err));
	if (joint->registrars_signed < joint->registrars_needed)
		return err_set(err, STATUS_DENIED, "%zu registrars have to sign, and %zu have",
		    joint->registrars_needed, joint->registrars_signed);
	if (joint->newcomers_signed < joint->newcomers_needed)
		return err_set(err, STATUS_DENIED, "each new registrar has to sign: %zu of %zu have",
		    joint->newcomers_signed, joint->newcomers_needed);
	const struct deployment *deployment = &request->home->deployment;
	const addr20 *to = joint->kind == JOINT_TAG_HOLDERS ? &deployment->products : &deployment->directory;
	return request_transact(request, receipt, to, call_of(request->arena, joint, present.set), err);
}
