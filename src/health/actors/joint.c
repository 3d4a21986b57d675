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

static void count_signers(struct joint_statement *joint, const struct statement_set *set) {
	joint->registrars_needed = set->threshold;
	joint->registrars_signed = joint->newcomers_signed = joint->newcomers_needed = 0;
	for (size_t i = 0; i < joint->count; i++) {
		joint->registrars_signed += is_registrar(set, &joint->signatures[i].signer);
		joint->newcomers_signed += is_newcomer(joint, set, &joint->signatures[i].signer);
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

static enum status check_follows(const struct joint_statement *joint, const struct present *present, struct err *err) {
	const bool of_set = joint->kind == JOINT_REGISTRARS;
	const uint64_t deadline_s = of_set ? joint->registrars.deadline : joint->standing.deadline;
	struct directory_actor actor;
	if (deadline_s < present->now_s)
		return err_set(err, STATUS_DENIED, "the statement's time is over: make a new one");
	if (deadline_s - present->now_s > JOINT_LIFE_SECONDS + CLOCKS_APART_S)
		return err_set(err, STATUS_DENIED, "the statement would stand for longer than a week: make a new one");
	if (of_set) {
		const struct directory_registrars *said = &joint->registrars;
		if (said->number == present->number + 1 && hash32_equal(&said->previous, &present->set->fact))
			return STATUS_OK;
		return err_set(err, STATUS_DENIED,
		    "the statement makes set %u of registrars, and the chain holds set %u", said->number,
		    present->number);
	}
	TRY(read_actor(present, &actor, &joint->standing.actor, err));
	/* A number far ahead would void whatever registrars say of this actor later. */
	if (joint->standing.number - 1 == actor.number) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "the statement has number %llu, and the chain holds number %llu of this actor",
	    (unsigned long long)joint->standing.number, (unsigned long long)actor.number);
}

static enum status check(struct joint_statement *joint, const struct present *present, struct err *err) {
	if (joint->kind == JOINT_REGISTRARS) TRY(check_set(&joint->registrars, err));
	TRY(check_follows(joint, present, err));
	for (size_t i = 0; i < joint->count; i++) {
		const addr20 *signer = &joint->signatures[i].signer;
		char text[43];
		if (is_registrar(present->set, signer) || is_newcomer(joint, present->set, signer)) continue;
		address_checksum(text, signer);
		return err_set(err, STATUS_DENIED, "%s, who signed, is no registrar%s, or signed something else", text,
		    joint->kind == JOINT_REGISTRARS ? " and none of the new ones" : "");
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

static bool may_sign(
    const struct actor_request *request, const struct joint_statement *joint, const struct present *present) {
	const addr20 *own = &request->home->account;
	return is_registrar(present->set, own) || is_newcomer(joint, present->set, own);
}

static enum status sign_if_may(
    struct actor_request *request, struct joint_statement *joint, const struct present *present, struct err *err) {
	if (may_sign(request, joint, present)) TRY(add_signature(request, joint, err));
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
	if (may_sign(request, joint, &present)) return sign_if_may(request, joint, &present, err);
	return err_set(err, STATUS_DENIED, "this home's account is no registrar%s: its signature would not count",
	    joint->kind == JOINT_REGISTRARS ? " and none of the new ones" : "");
}

/* The contract wants the newcomers in the new set's order, which is the signers' own. */
static struct bytes call_of(struct arena *arena, const struct joint_statement *joint, const struct statement_set *set) {
	struct bytes *old = arena_zalloc(arena, joint->count + 1, sizeof *old);
	struct bytes *new = arena_zalloc(arena, joint->count + 1, sizeof *new);
	size_t old_count = 0, new_count = 0;
	for (size_t i = 0; i < joint->count; i++) {
		const struct bytes signature = BYTES_OF(joint->signatures[i].signature);
		if (is_registrar(set, &joint->signatures[i].signer))
			old[old_count++] = signature;
		else
			new[new_count++] = signature;
	}
	if (joint->kind == JOINT_STANDING) return directory_set_standing_call(arena, &joint->standing, old, old_count);
	const struct directory_change_registrars_args args = {.statement = joint->registrars,
	    .old_signatures = old,
	    .old_signatures_count = old_count,
	    .new_signatures = new,
	    .new_signatures_count = new_count};
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
	const struct bytes call = call_of(request->arena, joint, present.set);
	return request_transact(request, receipt, &request->home->deployment.directory, call, err);
}
