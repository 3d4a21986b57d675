/* A listing request: signed by the actor, endorsed by registrars, sent by one of them. */
#include <stdlib.h>

#include "codec/hex.h"
#include "eth/sign.h"
#include "health/actors/certified.h"
#include "health/actors/directory.h"
#include "health/actors/possession.h"
#include "health/contracts/directory.h"

#define DEADLINE_AHEAD_S (7u * 24 * 3600)
#define NAME_BYTES_MAX 64u

struct listing {
	addr20 actor;
	uint32_t roles;
	struct bytes name;
	struct p256_public key;
	uint32_t registrar_set; /* whose registrars sign */
	uint64_t deadline_s;
	uint8_t possession[POSSESSION_BYTES];
	struct eth_signature actor_signature;
	struct endorsement {
		addr20 registrar;
		struct eth_signature signature;
	} endorsements[STATEMENT_REGISTRARS_MAX];
	size_t endorsement_count;
};

/* --- applicants --- */

enum status directory_applicant_of_home(struct directory_applicant *out, const struct home *home, struct err *err) {
	out->account_secret = home->account_secret;
	out->account = home->account;
	return home_encryption_key(home, &out->key_secret, &out->key, 1, err);
}

enum status directory_applicant_of_secret(struct directory_applicant *out, const hash32 *secret, struct err *err) {
	out->account_secret = *secret;
	if (address_of_secret(&out->account, secret) != STATUS_OK ||
	    p256_derive_key_pair(&out->key_secret, &out->key, BYTES_OF(*secret)) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "this secret is no account's");
	return STATUS_OK;
}

void directory_applicant_wipe(struct directory_applicant *applicant) {
	mem_wipe(applicant, sizeof *applicant);
}

/* --- what is signed --- */

static struct directory_entry entry_of(const struct listing *listing) {
	return (struct directory_entry){.actor = listing->actor,
	    .roles = listing->roles,
	    .name = listing->name,
	    .key_x = p256_public_x(&listing->key),
	    .key_y = p256_public_y(&listing->key),
	    .registrar_set = listing->registrar_set,
	    .deadline = listing->deadline_s};
}

static hash32 listing_digest(const struct actor_request *request, const struct listing *listing) {
	const struct deployment *deployment = &request->home->deployment;
	const struct directory_entry message = entry_of(listing);
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	return directory_entry_typed_digest(&message, &domain);
}

/* --- the file --- */

static enum status listing_write(
    struct buf *out, const struct actor_request *request, const struct listing *listing, struct err *err) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-listing");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", request->home->deployment.chain_id);
	json_put_hex(&writer, "directory", BYTES_OF(request->home->deployment.directory));
	json_put_hex(&writer, "actor", BYTES_OF(listing->actor));
	json_put_u64(&writer, "roles", listing->roles);
	json_put_string(&writer, "name", listing->name);
	json_put_hex(&writer, "keyX", bytes_make(listing->key.xy, 32));
	json_put_hex(&writer, "keyY", bytes_make(listing->key.xy + 32, 32));
	json_put_u64(&writer, "registrarSet", listing->registrar_set);
	json_put_u64(&writer, "deadline", listing->deadline_s);
	json_put_hex(&writer, "possession", bytes_make(listing->possession, 64));
	json_put_hex(&writer, "actorSignature", BYTES_OF(listing->actor_signature));
	json_array_begin(&writer, "registrarSignatures");
	for (size_t i = 0; i < listing->endorsement_count; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "registrar", BYTES_OF(listing->endorsements[i].registrar));
		json_put_hex(&writer, "signature", BYTES_OF(listing->endorsements[i].signature));
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	return buf_status(out, err);
}

static enum status bytes_member(uint8_t *out, size_t len, const struct json *root, const char *name, struct err *err) {
	if (hex_fixed(out, len, json_string(json_get(root, name))) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "listing: \"%s\" is missing or is no 0x and %zu digits", name, 2 * len);
}

static enum status read_endorsements(struct listing *out, const struct json *list, struct err *err) {
	if (!json_is(list, JSON_ARRAY) || list->count > STATEMENT_REGISTRARS_MAX)
		return err_set(err, STATUS_INVALID, "listing: \"registrarSignatures\" is no list of at most %u",
		    STATEMENT_REGISTRARS_MAX);
	json_foreach (entry, list) {
		struct endorsement *endorsement = &out->endorsements[out->endorsement_count++];
		TRY(bytes_member(endorsement->registrar.b, 20, entry, "registrar", err));
		TRY(bytes_member(endorsement->signature.b, 65, entry, "signature", err));
	}
	return STATUS_OK;
}

static enum status listing_parse(
    struct listing *out, struct actor_request *request, struct bytes json, struct err *err) {
	const struct json *root;
	uint64_t chain_id = 0, roles = 0, set = 0;
	addr20 directory;
	*out = (struct listing){0};
	TRY(json_parse(&root, request->arena, json, NULL, err));
	if (!json_string_is(json_get(root, "type"), "xinglin-listing"))
		return err_set(err, STATUS_INVALID, "this is no listing request: its type is not \"xinglin-listing\"");
	if (!json_u64(&chain_id, json_get(root, "chainId")) || chain_id != request->home->deployment.chain_id)
		return err_set(err, STATUS_INVALID, "the listing is for another chain");
	TRY(bytes_member(directory.b, 20, root, "directory", err));
	if (!addr20_equal(&directory, &request->home->deployment.directory))
		return err_set(err, STATUS_INVALID, "the listing is for another directory");
	TRY(bytes_member(out->actor.b, 20, root, "actor", err));
	TRY(bytes_member(out->key.xy, 32, root, "keyX", err));
	TRY(bytes_member(out->key.xy + 32, 32, root, "keyY", err));
	TRY(bytes_member(out->possession, 64, root, "possession", err));
	TRY(bytes_member(out->actor_signature.b, 65, root, "actorSignature", err));
	out->name = json_string(json_get(root, "name"));
	if (!json_u64(&roles, json_get(root, "roles")) || roles > UINT32_MAX || !out->name.data ||
	    !json_u64(&set, json_get(root, "registrarSet")) || set > UINT32_MAX ||
	    !json_u64(&out->deadline_s, json_get(root, "deadline")))
		return err_set(err, STATUS_INVALID,
		    "listing: \"roles\", \"name\", \"registrarSet\" or \"deadline\" is missing or malformed");
	out->roles = (uint32_t)roles;
	out->registrar_set = (uint32_t)set;
	return read_endorsements(out, json_get(root, "registrarSignatures"), err);
}

/* --- asking, endorsing, sending --- */

static enum status proved_word(struct actor_request *request, hash32 *word, hash32 slot, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return verified_struct(verified, word, &request->home->deployment.directory, &slot, 1, err);
}

static enum status present_registrars(struct actor_request *request, uint32_t *set, struct err *err) {
	hash32 word;
	TRY(proved_word(request, &word, directory_number_slot(), err));
	return directory_number_load(set, &word, err);
}

enum status directory_request(struct actor_request *request, struct buf *out,
    const struct directory_applicant *applicant, struct bytes name, uint32_t roles, struct err *err) {
	if (name.len == 0 || name.len > NAME_BYTES_MAX)
		return err_set(err, STATUS_INVALID, "a name has 1 to %u bytes", NAME_BYTES_MAX);
	struct listing listing = {.actor = applicant->account, .roles = roles, .name = name, .key = applicant->key};
	TRY(present_registrars(request, &listing.registrar_set, err));
	listing.deadline_s = clock_now_ms(request->clock) / 1000 + DEADLINE_AHEAD_S;
	hash32 possession = possession_digest(&request->home->deployment, &listing.actor, 1, &listing.key);
	hash32 digest = listing_digest(request, &listing);
	TRY(p256_sign(listing.possession, &applicant->key_secret, &possession));
	TRY(eth_sign_digest(&listing.actor_signature, &applicant->account_secret, &digest));
	return listing_write(out, request, &listing, err);
}

static int compare_endorsements(const void *a, const void *b) {
	return memcmp(((const struct endorsement *)a)->registrar.b, ((const struct endorsement *)b)->registrar.b, 20);
}

/* The contract wants ascending addresses. A registrar's earlier signature is replaced. */
static enum status endorse(struct actor_request *request, struct listing *listing, struct err *err) {
	hash32 digest = listing_digest(request, listing);
	struct endorsement mine = {.registrar = request->home->account};
	addr20 signer;
	if (eth_signer(&signer, &listing->actor_signature, &digest) != STATUS_OK ||
	    !addr20_equal(&signer, &listing->actor))
		return err_set(
		    err, STATUS_DENIED, "the actor's own signature does not fit this listing: do not endorse it");
	TRY(eth_sign_digest(&mine.signature, &request->home->account_secret, &digest));
	size_t at = 0;
	while (at < listing->endorsement_count && !addr20_equal(&listing->endorsements[at].registrar, &mine.registrar))
		at++;
	if (at == STATEMENT_REGISTRARS_MAX)
		return err_set(err, STATUS_LIMIT, "more than %u registrars signed", STATEMENT_REGISTRARS_MAX);
	listing->endorsements[at] = mine;
	if (at == listing->endorsement_count) listing->endorsement_count++;
	qsort(listing->endorsements, listing->endorsement_count, sizeof *listing->endorsements, compare_endorsements);
	return STATUS_OK;
}

enum status directory_endorse(struct actor_request *request, struct buf *out, struct bytes json, struct err *err) {
	struct listing listing;
	TRY(listing_parse(&listing, request, json, err));
	TRY(endorse(request, &listing, err));
	return listing_write(out, request, &listing, err);
}

static enum status is_registrar(struct actor_request *request, bool *is, struct err *err) {
	uint32_t set;
	hash32 word;
	TRY(present_registrars(request, &set, err));
	TRY(proved_word(request, &word, directory_members_slot(set, &request->home->account), err));
	return directory_members_load(is, &word, err);
}

static struct bytes list_call(struct arena *arena, const struct listing *listing) {
	struct bytes signatures[STATEMENT_REGISTRARS_MAX];
	for (size_t i = 0; i < listing->endorsement_count; i++)
		signatures[i] = BYTES_OF(listing->endorsements[i].signature);
	const struct directory_list_args args = {.statement = entry_of(listing),
	    .possession = bytes_make(listing->possession, 64),
	    .actor_signature = BYTES_OF(listing->actor_signature),
	    .registrar_signatures = signatures,
	    .registrar_signatures_count = listing->endorsement_count};
	return directory_list_call(arena, &args);
}

enum status directory_list(
    struct actor_request *request, struct client_receipt *receipt, struct bytes json, struct err *err) {
	struct listing listing;
	bool registrar;
	TRY(listing_parse(&listing, request, json, err));
	TRY(is_registrar(request, &registrar, err));
	if (registrar) TRY(endorse(request, &listing, err));
	struct bytes call = list_call(request->arena, &listing);
	return request_transact(request, receipt, &request->home->deployment.directory, call, err);
}

/* --- a new encryption key --- */

/* While a key waits that registrars alone gave, an earlier one is in force: with it the account replaces that one. */
static enum status key_in_force(
    struct actor_request *request, struct p256_secret *secret, const struct certified_actor *self, struct err *err) {
	struct p256_public own;
	const struct statement_key *key = statement_actor_newest_key(&self->said);
	while (key > self->said.keys && (key->in_force_s == 0 || key->in_force_s > self->now_s)) key--;
	TRY(home_encryption_key(request->home, secret, &own, key->version, err));
	if (memcmp(own.xy, key->key.xy, sizeof own.xy) == 0) return STATUS_OK;
	mem_wipe(secret, sizeof *secret);
	return err_set(err, STATUS_DENIED,
	    "the key in force, version %u, is not of this home: only registrars can give its account another one",
	    key->version);
}

/* The new key proves that it is this home's; the account and the key in force sign the change. */
static enum status sign_change(struct actor_request *request, struct directory_change_key_args *args,
    uint8_t signatures[2][65], const struct p256_secret *key, const struct certified_actor *self, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct directory_key_change *change = &args->statement;
	const struct p256_public public_key = p256_public_of_words(&change->key_x, &change->key_y);
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->directory);
	struct p256_secret old;
	struct eth_signature account;
	uint8_t *possession = arena_alloc(request->arena, POSSESSION_BYTES);
	hash32 proof = possession_digest(deployment, &change->actor, change->version, &public_key);
	hash32 digest = directory_key_change_typed_digest(change, &domain);
	TRY(p256_sign(possession, key, &proof));
	TRY(eth_sign_digest(&account, &request->home->account_secret, &digest));
	memcpy(signatures[0], account.b, sizeof account.b);
	TRY(key_in_force(request, &old, self, err));
	enum status status = p256_sign(signatures[1], &old, &digest);
	mem_wipe(&old, sizeof old);
	args->possession = bytes_make(possession, POSSESSION_BYTES);
	args->actor_signature = bytes_make(signatures[0], 65);
	args->key_signature = bytes_make(signatures[1], 64);
	return status;
}

enum status directory_publish_key(
    struct actor_request *request, struct client_receipt *receipt, bool before_is_stolen, struct err *err) {
	const addr20 *directory = &request->home->deployment.directory;
	struct verified *verified;
	struct certified_actor self;
	struct p256_secret secret;
	struct p256_public key;
	uint8_t signatures[2][65];
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(certified_find(verified, request->home, &self, &request->home->account, err));
	const uint32_t version = self.words.key_version + 1;
	TRY(home_encryption_key(request->home, &secret, &key, version, err));
	struct directory_change_key_args args = {.statement = {.actor = request->home->account,
						     .version = version,
						     .previous = self.words.key,
						     .key_x = p256_public_x(&key),
						     .key_y = p256_public_y(&key),
						     .stolen = before_is_stolen,
						     .deadline = clock_now_ms(request->clock) / 1000 + 3600}};
	enum status status = sign_change(request, &args, signatures, &secret, &self, err);
	mem_wipe(&secret, sizeof secret);
	TRY(status);
	return request_transact(request, receipt, directory, directory_change_key_call(request->arena, &args), err);
}
