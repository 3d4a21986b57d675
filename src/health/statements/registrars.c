#include "health/statements/registrars.h"

#include "health/contracts/directory.h"
#include "health/statements/private.h"
#include "health/statements/registrars_private.h"

#include <stdio.h>

static bool is_ascending(const addr20 *all, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (i && memcmp(all[i - 1].b, all[i].b, sizeof all[i].b) >= 0) return false;
	return true;
}

static bool is_sound(const addr20 *members, size_t count, uint8_t threshold) {
	return count <= STATEMENT_REGISTRARS_MAX && threshold <= count && 2 * (size_t)threshold > count &&
	       is_ascending(members, count);
}

/* --- signatures --- */

bool registrar_signers_of(
    struct registrar_signers *out, const struct bytes *signatures, size_t count, const hash32 *digest) {
	out->count = count;
	if (count > STATEMENT_REGISTRARS_MAX) return false;
	for (size_t i = 0; i < count; i++)
		if (!statement_signer(&out->all[i], signatures[i], digest)) return false;
	return is_ascending(out->all, count);
}

bool registrar_signers_suffice(const struct registrar_signers *signers, const struct statement_set *set) {
	if (signers->count < set->threshold) return false;
	for (size_t i = 0; i < signers->count; i++)
		if (!statement_has_address(set->members, set->member_count, &signers->all[i])) return false;
	return true;
}

bool registrars_signed_for(const struct statement_registrars *registrars, const addr20 *actor,
    const struct bytes *signatures, size_t count, const hash32 *digest) {
	struct registrar_signers signers;
	if (!registrar_signers_of(&signers, signatures, count, digest)) return false;
	for (size_t number = registrars->count; number-- > 0;) {
		if (!statement_registrars_count(registrars, (uint32_t)number, actor)) continue;
		if (registrar_signers_suffice(&signers, &registrars->sets[number])) return true;
	}
	return false;
}

bool statement_registrars_count(const struct statement_registrars *registrars, uint32_t number, const addr20 *actor) {
	if (number >= registrars->count) return false;
	for (size_t i = (size_t)number + 1; i < registrars->count; i++) {
		const struct statement_set *set = &registrars->sets[i];
		if (set->theft && !statement_has_address(set->affirmed, set->affirmed_count, actor)) return false;
	}
	return true;
}

/* --- the chain of sets --- */

static void append(struct statement_registrars *registrars, const struct directory_registrars *said) {
	if (registrars->count == registrars->cap) {
		size_t cap = registrars->cap ? 2 * registrars->cap : 4;
		struct statement_set *sets = arena_zalloc(registrars->arena, cap, sizeof *sets);
		if (registrars->count) memcpy(sets, registrars->sets, registrars->count * sizeof *sets);
		registrars->sets = sets;
		registrars->cap = cap;
	}
	registrars->sets[registrars->count++] = (struct statement_set){.fact = directory_registrars_typed_hash(said),
	    .members = said->registrars,
	    .member_count = said->registrars_count,
	    .threshold = said->threshold,
	    .theft = said->theft,
	    .affirmed = said->affirmed,
	    .affirmed_count = said->affirmed_count};
}

enum status statement_registrars_begin(
    struct statement_registrars *out, struct arena *arena, const struct deployment *anchor, struct err *err) {
	*out = (struct statement_registrars){.anchor = anchor, .arena = arena};
	if (!is_sound(anchor->registrars, anchor->registrar_count, anchor->threshold))
		return err_set(err, STATUS_INVALID,
		    "the anchor's registrars: there are 1 to %u, in ascending order, and the threshold is more than half",
		    STATEMENT_REGISTRARS_MAX);
	const struct directory_registrars first = {.registrars = anchor->registrars,
	    .registrars_count = anchor->registrar_count,
	    .threshold = anchor->threshold};
	append(out, &first);
	return STATUS_OK;
}

/* Each who was not in the set before signs, in the new set's order, and nobody else. */
static bool newcomers_signed(
    const struct statement_set *before, const struct directory_change_registrars_args *args, const hash32 *digest) {
	size_t next = 0;
	for (size_t i = 0; i < args->statement.registrars_count; i++) {
		const addr20 *member = &args->statement.registrars[i];
		if (statement_has_address(before->members, before->member_count, member)) continue;
		if (next == args->new_signatures_count) return false;
		if (!statement_is_signed_by(member, args->new_signatures[next++], digest)) return false;
	}
	return next == args->new_signatures_count;
}

enum status statement_registrars_next(struct statement_registrars *registrars, struct bytes calldata, struct err *err) {
	struct directory_change_registrars_args args;
	struct registrar_signers signers;
	const struct deployment *anchor = registrars->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->directory);
	const struct statement_set *before = &registrars->sets[registrars->count - 1];
	TRY(directory_change_registrars_call_read(&args, registrars->arena, calldata, err));
	const struct directory_registrars *said = &args.statement;
	hash32 digest = directory_registrars_typed_digest(said, &domain);
	const char *fault = NULL;
	if (said->number != registrars->count || !hash32_equal(&said->previous, &before->fact))
		fault = "it does not follow the set before";
	else if (!is_sound(said->registrars, said->registrars_count, said->threshold))
		fault = "they are not in ascending order, or the threshold is half of them or less";
	else if (!said->theft && said->affirmed_count)
		fault = "it affirms entries and says nothing of a theft";
	else if (!registrar_signers_of(&signers, args.old_signatures, args.old_signatures_count, &digest) ||
		 !registrar_signers_suffice(&signers, before))
		fault = "too few registrars of the set before signed it, or somebody else did";
	else if (!newcomers_signed(before, &args, &digest))
		fault = "a newcomer did not sign it";
	if (fault) return err_set(err, STATUS_DENIED, "registrars, set %zu: %s", registrars->count, fault);
	append(registrars, said);
	return STATUS_OK;
}

enum status statement_registrars_are_proved(
    const struct statement_registrars *registrars, uint32_t number, const hash32 *proved, struct err *err) {
	size_t newest = registrars->count - 1;
	if (number != newest)
		return err_set(err, STATUS_DENIED, "registrars, set %zu: the chain holds set %u", newest, number);
	char what[64];
	snprintf(what, sizeof what, "registrars, set %zu", newest);
	return statement_is_proved(&registrars->sets[newest].fact, proved, what, err);
}
