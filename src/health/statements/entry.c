#include "health/statements/entry.h"

#include "base/utf8.h"
#include "health/statements/private.h"
#include "health/statements/registrars_private.h"

static enum status refuse_entry(const addr20 *actor, const char *fault, struct err *err) {
	char text[STATEMENT_ADDRESS_BYTES];
	statement_address_text(text, actor);
	return err_set(err, STATUS_DENIED, "the entry of %s: %s", text, fault);
}

/* --- the entry --- */

static const char *entry_fault(
    const struct statement_registrars *registrars, const struct directory_list_args *args, const hash32 *digest) {
	const struct directory_entry *entry = &args->statement;
	struct registrar_signers signers;
	if (entry->roles == 0 || entry->name.len == 0 || entry->name.len > STATEMENT_NAME_BYTES_MAX ||
	    !utf8_is_valid(entry->name))
		return "it has no role, or no name of 1 to 128 bytes";
	if (!statement_is_point(&entry->key_x, &entry->key_y)) return "its key is not a point of P-256";
	if (!statement_is_signed_by(&entry->actor, args->actor_signature, digest))
		return "the actor itself did not sign it";
	if (entry->registrar_set >= registrars->count) return "it names a set of registrars that is not known";
	if (!registrar_signers_of(&signers, args->registrar_signatures, args->registrar_signatures_count, digest) ||
	    !registrar_signers_suffice(&signers, &registrars->sets[entry->registrar_set]))
		return "too few registrars of the set that it names signed it, or somebody else did";
	if (!statement_registrars_count(registrars, entry->registrar_set, &entry->actor))
		return "its registrars' keys were stolen, and nobody affirmed it since";
	return NULL;
}

static void append_key(struct statement_actor *actor, const struct statement_key *key) {
	if (actor->key_count == actor->key_cap) {
		size_t cap = actor->key_cap ? 2 * actor->key_cap : 4;
		struct statement_key *keys = arena_zalloc(actor->arena, cap, sizeof *keys);
		if (actor->key_count) memcpy(keys, actor->keys, actor->key_count * sizeof *keys);
		actor->keys = keys;
		actor->key_cap = cap;
	}
	actor->keys[actor->key_count++] = *key;
}

enum status statement_actor_read(struct statement_actor *out, const struct statement_registrars *registrars,
    uint32_t version, struct bytes calldata, struct err *err) {
	struct directory_list_args args;
	const struct deployment *anchor = registrars->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->directory);
	TRY(directory_list_call_read(&args, registrars->arena, calldata, err));
	const struct directory_entry *entry = &args.statement;
	hash32 digest = directory_entry_typed_digest(entry, &domain);
	const char *fault = entry_fault(registrars, &args, &digest);
	if (fault) return refuse_entry(&entry->actor, fault, err);
	*out = (struct statement_actor){.registrars = registrars,
	    .arena = registrars->arena,
	    .address = entry->actor,
	    .roles = entry->roles,
	    .name = entry->name,
	    .registrar_set = entry->registrar_set};
	const struct statement_key key = {.version = version,
	    .fact = directory_entry_typed_hash(entry),
	    .key = p256_public_of_words(&entry->key_x, &entry->key_y),
	    .facts_key = entry->facts_key,
	    .signers = STATEMENT_KEY_OF_ENTRY};
	append_key(out, &key);
	return STATUS_OK;
}

/* --- keys --- */

/* By the newest key; or, if registrars alone gave that one, by the key that was in force meanwhile. Which of them was,
 * the contract has checked. */
static bool key_before_signed(const struct statement_actor *actor, const uint8_t signature[64], const hash32 *digest) {
	for (size_t i = actor->key_count; i-- > 0;) {
		if (p256_verify(signature, &actor->keys[i].key, digest)) return true;
		if (actor->keys[i].signers != STATEMENT_KEY_BY_REGISTRARS) return false;
	}
	return false;
}

/* Who signed a key: the account's signature and the key's before it, or registrars for the one that is lost. */
static bool key_signers(enum statement_key_signers *out, const struct statement_actor *actor,
    const struct directory_change_key_args *args, const hash32 *digest) {
	bool by_account = args->actor_signature.len != 0, by_key = args->key_signature.len != 0;
	if (by_account && !statement_is_signed_by(&actor->address, args->actor_signature, digest)) return false;
	if (by_account && by_key) {
		*out = STATEMENT_KEY_BY_KEY;
		return args->key_signature.len == 64 && key_before_signed(actor, args->key_signature.data, digest);
	}
	*out = by_account ? STATEMENT_KEY_BY_ACCOUNT : STATEMENT_KEY_BY_REGISTRARS;
	return registrars_signed_for(
	    actor->registrars, &actor->address, args->registrar_signatures, args->registrar_signatures_count, digest);
}

const struct statement_key *statement_actor_newest_key(const struct statement_actor *actor) {
	return &actor->keys[actor->key_count - 1];
}

enum status statement_actor_next_key(struct statement_actor *actor, struct bytes calldata, struct err *err) {
	struct directory_change_key_args args;
	const struct deployment *anchor = actor->registrars->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->directory);
	const struct statement_key *last = statement_actor_newest_key(actor);
	TRY(directory_change_key_call_read(&args, actor->arena, calldata, err));
	const struct directory_key_change *said = &args.statement;
	hash32 digest = directory_key_change_typed_digest(said, &domain);
	struct statement_key key = {.version = said->version,
	    .fact = directory_key_change_typed_hash(said),
	    .key = p256_public_of_words(&said->key_x, &said->key_y),
	    .facts_key = said->facts_key};
	const char *fault = NULL;
	if (!addr20_equal(&said->actor, &actor->address))
		fault = "it is of another actor";
	else if (said->version != last->version + 1 || !hash32_equal(&said->previous, &last->fact))
		fault = "it does not follow the key before";
	else if (!statement_is_point(&said->key_x, &said->key_y))
		fault = "it is not a point of P-256";
	else if (!key_signers(&key.signers, actor, &args, &digest))
		fault = "neither the account with the key before, nor enough registrars, signed it";
	if (fault) {
		char text[STATEMENT_ADDRESS_BYTES];
		statement_address_text(text, &actor->address);
		return err_set(err, STATUS_DENIED, "key %u of %s: %s", last->version + 1, text, fault);
	}
	actor->keys[actor->key_count - 1].is_stolen = said->stolen;
	append_key(actor, &key);
	return STATUS_OK;
}

/* --- which key is used --- */

/* Has the chain had it for 48 hours? Where registrars alone gave it, `in_force_s` is these 48 hours after it came. */
static bool is_old_enough(const struct statement_key *key, uint64_t now_s) {
	uint64_t wait_s = key->signers == STATEMENT_KEY_BY_REGISTRARS ? 0 : STATEMENT_KEY_WAIT_S;
	return key->in_force_s != 0 && now_s >= key->in_force_s && now_s - key->in_force_s >= wait_s;
}

/* A key whose time is 0 never came in force: the account, or another key, replaced it while it waited. */
enum status statement_actor_unattended_key(
    const struct statement_key **out, const struct statement_actor *actor, uint64_t now_s, struct err *err) {
	size_t i = actor->key_count - 1;
	while (i > 0 && !is_old_enough(&actor->keys[i], now_s)) i--;
	*out = &actor->keys[i];
	if (!actor->keys[i].is_stolen) return STATUS_OK;
	char text[STATEMENT_ADDRESS_BYTES];
	statement_address_text(text, &actor->address);
	return err_set(err, STATUS_DENIED,
	    "key %u of %s: it is told stolen, and the next one has not been on the chain for 48 hours",
	    actor->keys[i].version, text);
}

bool statement_actor_must_confirm(const struct statement_actor *actor, const hash32 *confirmed, uint64_t now_s) {
	const struct statement_key *newest = statement_actor_newest_key(actor);
	if (confirmed) return !hash32_equal(&newest->fact, confirmed);
	return newest->signers != STATEMENT_KEY_OF_ENTRY && !is_old_enough(newest, now_s);
}

/* --- standing --- */

enum status statement_standing_read(struct statement_standing *out, const struct statement_registrars *registrars,
    struct bytes calldata, struct err *err) {
	struct directory_set_standing_args args;
	const struct deployment *anchor = registrars->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->directory);
	TRY(directory_set_standing_call_read(&args, registrars->arena, calldata, err));
	const struct directory_standing *said = &args.statement;
	hash32 digest = directory_standing_typed_digest(said, &domain);
	*out = (struct statement_standing){.actor = said->actor,
	    .status = said->status,
	    .emergencies_a_day = said->emergencies_a_day,
	    .reason = said->reason,
	    .number = said->number};
	if (registrars_signed_for(
		registrars, &said->actor, args.registrar_signatures, args.registrar_signatures_count, &digest))
		return STATUS_OK;
	char text[STATEMENT_ADDRESS_BYTES];
	statement_address_text(text, &said->actor);
	return err_set(
	    err, STATUS_DENIED, "the standing of %s: too few registrars signed it, or somebody else did", text);
}
