/* tests/vectors/statements.json, made by tests/statements/make-vectors: good statements with what they say, and bad
 * ones with the check that refuses them. */
#include "eth/sign.h"
#include "health/statements/call.h"
#include "health/statements/entry.h"
#include "health/statements/folder_statements.h"
#include "health/statements/tags_key.h"

// clang-format off
#include "tests/unit.h"
#include "tests/vectors.h"
// clang-format on

struct scene {
	struct arena *arena;
	struct deployment anchor;
	const struct json *bytes; /* long ones, which cases name by their index */
	const struct json *given; /* the case */
	struct err *err;
};

/* --- values of a case --- */

static struct bytes bytes_of(const struct scene *s, const struct json *value) {
	uint64_t index;
	if (json_u64(&index, value)) value = json_at(s->bytes, index);
	return vectors_hex(s->arena, json_string(value));
}

static void fixed_of(uint8_t *out, size_t len, const struct json *root, const char *name) {
	if (hex_fixed(out, len, json_string(json_get(root, name))) != STATUS_OK) {
		fail_msg("\"%s\" is missing or malformed", name);
	}
}

static hash32 hash_of(const struct json *root, const char *name) {
	hash32 hash;
	fixed_of(hash.b, sizeof hash.b, root, name);
	return hash;
}

static addr20 address_of(const struct json *root, const char *name) {
	addr20 address;
	fixed_of(address.b, sizeof address.b, root, name);
	return address;
}

static uint64_t number_of(const struct json *root, const char *name) {
	uint64_t value;
	if (!json_u64(&value, json_get(root, name))) fail_msg("\"%s\" is missing or no number", name);
	return value;
}

static const addr20 *addresses_of(const struct scene *s, size_t *count, const struct json *list) {
	addr20 *all = arena_zalloc(s->arena, list->count, sizeof *all);
	*count = 0;
	json_foreach (entry, list)
		if (hex_fixed(all[(*count)++].b, 20, json_string(entry)) != STATUS_OK) fail_msg("an address");
	return all;
}

static void same_hash(const struct json *expect, const char *name, const hash32 *have) {
	hash32 wanted = hash_of(expect, name);
	if (!hash32_equal(&wanted, have)) fail_msg("\"%s\" is another value", name);
}

static void same_address(const struct json *expect, const char *name, const addr20 *have) {
	addr20 wanted = address_of(expect, name);
	if (!addr20_equal(&wanted, have)) fail_msg("\"%s\" is another account", name);
}

static void same_number(const struct json *expect, const char *name, uint64_t have) {
	if (number_of(expect, name) != have) fail_msg("\"%s\" is another number", name);
}

static void same_key(const struct json *expect, const char *x, const char *y, const struct p256_public *key) {
	hash32 have_x = p256_public_x(key), have_y = p256_public_y(key);
	same_hash(expect, x, &have_x);
	same_hash(expect, y, &have_y);
}

static void same_addresses(
    const struct scene *s, const struct json *expect, const char *name, const addr20 *have, size_t have_count) {
	size_t count;
	const addr20 *wanted = addresses_of(s, &count, json_get(expect, name));
	assert_int_equal(count, have_count);
	for (size_t i = 0; i < count; i++) assert_true(addr20_equal(&wanted[i], &have[i]));
}

/* --- what a case stands on --- */

static enum status registrars_of(struct statement_registrars *out, const struct scene *s) {
	TRY(statement_registrars_begin(out, s->arena, &s->anchor, s->err));
	json_foreach (change, json_get(s->given, "changes"))
		TRY(statement_registrars_next(out, bytes_of(s, change), s->err));
	return STATUS_OK;
}

static enum status actor_of(
    struct statement_actor *out, struct statement_registrars *registrars, const struct scene *s) {
	TRY(registrars_of(registrars, s));
	TRY(statement_actor_read(out, registrars, (uint32_t)number_of(s->given, "version"),
	    bytes_of(s, json_get(s->given, "entry")), s->err));
	json_foreach (key, json_get(s->given, "keys")) TRY(statement_actor_next_key(out, bytes_of(s, key), s->err));
	return STATUS_OK;
}

/* `right`: NULL, or the case's grant, in `grant`. */
static enum status folder_of(struct statement_folder *out, struct statement_epoch *first,
    const struct statement_grant **right, struct statement_grant *grant, const struct scene *s) {
	hash32 id = hash_of(s->given, "folder");
	TRY(statement_folder_read(
	    out, first, s->arena, &s->anchor, &id, bytes_of(s, json_get(s->given, "open")), s->err));
	json_foreach (hand_over, json_get(s->given, "handOvers"))
		TRY(statement_folder_next_controller(out, bytes_of(s, hand_over), s->err));
	const struct json *shown = json_get(s->given, "right");
	*right = !shown || json_is(shown, JSON_NULL) ? NULL : grant;
	if (!*right) return STATUS_OK;
	enum status status = statement_grant_read(out, grant, NULL, bytes_of(s, shown), s->err);
	return status == STATUS_OK ? status : err_prefix(s->err, status, "the right");
}

/* --- the kinds --- */

static enum status run_registrars(const struct scene *s, const struct json *expect) {
	struct statement_registrars registrars;
	TRY(registrars_of(&registrars, s));
	const struct statement_set *newest = &registrars.sets[registrars.count - 1];
	hash32 wanted = hash_of(expect, "fact"), other = {{1}};
	uint32_t number = (uint32_t)number_of(expect, "number");
	same_addresses(s, expect, "members", newest->members, newest->member_count);
	same_number(expect, "threshold", newest->threshold);
	assert_int_equal(statement_registrars_are_proved(&registrars, number, &other, s->err), STATUS_DENIED);
	assert_int_equal(statement_registrars_are_proved(&registrars, number + 1, &wanted, s->err), STATUS_DENIED);
	return statement_registrars_are_proved(&registrars, number, &wanted, s->err);
}

static enum status run_entry(const struct scene *s, const struct json *expect) {
	struct statement_registrars registrars;
	struct statement_actor actor;
	TRY(registrars_of(&registrars, s));
	TRY(statement_actor_read(&actor, &registrars, 1, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_address(expect, "actor", &actor.address);
	same_number(expect, "roles", actor.roles);
	assert_true(bytes_equal(json_string(json_get(expect, "name")), actor.name));
	same_number(expect, "registrarSet", actor.registrar_set);
	same_key(expect, "keyX", "keyY", &actor.keys[0].key);
	same_hash(expect, "factsKey", &actor.keys[0].facts_key);
	same_hash(expect, "fact", &actor.keys[0].fact);
	return STATUS_OK;
}

static enum status run_key(const struct scene *s, const struct json *expect) {
	static const char *const signers[] = {"entry", "key", "account", "registrars"};
	struct statement_registrars registrars;
	struct statement_actor actor;
	TRY(actor_of(&actor, &registrars, s));
	TRY(statement_actor_next_key(&actor, bytes_of(s, json_get(s->given, "calldata")), s->err));
	const struct statement_key *key = statement_actor_newest_key(&actor);
	same_number(expect, "version", key->version);
	same_hash(expect, "fact", &key->fact);
	same_key(expect, "keyX", "keyY", &key->key);
	same_hash(expect, "factsKey", &key->facts_key);
	assert_true(json_string_is(json_get(expect, "signers"), signers[key->signers]));
	return STATUS_OK;
}

static enum status run_use(const struct scene *s, const struct json *expect) {
	struct statement_registrars registrars;
	struct statement_actor actor;
	const struct statement_key *key;
	size_t i = 0;
	TRY(actor_of(&actor, &registrars, s));
	json_foreach (at, json_get(s->given, "inForce")) assert_true(json_u64(&actor.keys[i++].in_force_s, at));
	uint64_t now = number_of(s->given, "now");
	const struct json *must = json_get(s->given, "mustConfirm"), *confirmed = json_get(s->given, "confirmed");
	if (must) {
		hash32 fact = json_is(confirmed, JSON_STRING) ? hash_of(s->given, "confirmed") : (hash32){{0}};
		const hash32 *seen = json_is(confirmed, JSON_STRING) ? &fact : NULL;
		assert_int_equal(statement_actor_must_confirm(&actor, seen, now), json_is(must, JSON_TRUE));
	}
	TRY(statement_actor_unattended_key(&key, &actor, now, s->err));
	same_number(expect, "version", key->version);
	return STATUS_OK;
}

static enum status run_standing(const struct scene *s, const struct json *expect) {
	struct statement_registrars registrars;
	struct statement_standing standing;
	TRY(registrars_of(&registrars, s));
	TRY(statement_standing_read(&standing, &registrars, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_address(expect, "actor", &standing.actor);
	same_number(expect, "status", standing.status);
	same_number(expect, "emergenciesADay", standing.emergencies_a_day);
	same_number(expect, "number", standing.number);
	return STATUS_OK;
}

static void same_epoch(const struct scene *s, const struct json *expect, const struct statement_epoch *epoch) {
	const struct json *glass = json_get(expect, "glass");
	same_number(expect, "epoch", epoch->epoch);
	same_hash(expect, "fact", &epoch->fact);
	same_key(expect, "keyX", "keyY", &epoch->key);
	same_hash(expect, "wraps", &epoch->wraps);
	same_number(expect, "wrapsSize", epoch->wraps_bytes);
	same_number(glass, "minutes", epoch->glass.minutes);
	same_number(glass, "threshold", epoch->glass.threshold);
	same_addresses(s, glass, "trustees", epoch->glass.trustees, epoch->glass.trustees_count);
	same_addresses(s, expect, "recipients", epoch->recipients, epoch->recipient_count);
	same_address(expect, "by", &epoch->by);
	same_number(expect, "number", epoch->number);
}

static enum status run_folder(const struct scene *s, const struct json *expect) {
	struct statement_folder folder;
	struct statement_epoch first;
	hash32 id = hash_of(s->given, "folder");
	TRY(statement_folder_read(
	    &folder, &first, s->arena, &s->anchor, &id, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_epoch(s, expect, &first);
	same_key(expect, "auditX", "auditY", &folder.audit_key);
	same_address(expect, "by", &statement_folder_controller(&folder)->address);
	return STATUS_OK;
}

static enum status run_hand_over(const struct scene *s, const struct json *expect) {
	struct statement_folder folder;
	struct statement_epoch first;
	struct statement_grant grant;
	const struct statement_grant *right;
	TRY(folder_of(&folder, &first, &right, &grant, s));
	TRY(statement_folder_next_controller(&folder, bytes_of(s, json_get(s->given, "calldata")), s->err));
	const struct statement_controller *controller = statement_folder_controller(&folder);
	same_address(expect, "controller", &controller->address);
	same_hash(expect, "fact", &controller->fact);
	same_number(expect, "number", controller->after);
	same_key(expect, "auditX", "auditY", &folder.audit_key);
	return STATUS_OK;
}

static enum status run_epoch(const struct scene *s, const struct json *expect) {
	struct statement_folder folder;
	struct statement_epoch first, epoch;
	struct statement_grant grant;
	const struct statement_grant *right;
	TRY(folder_of(&folder, &first, &right, &grant, s));
	TRY(statement_epoch_read(&folder, &epoch, right, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_epoch(s, expect, &epoch);
	same_hash(expect, "previous", &epoch.previous);
	if (!right) return STATUS_OK;
	grant.folder.b[0]++; /* a right in another folder */
	assert_int_equal(
	    statement_epoch_read(&folder, &epoch, right, bytes_of(s, json_get(s->given, "calldata")), s->err),
	    STATUS_DENIED);
	return STATUS_OK;
}

static enum status run_grant(const struct scene *s, const struct json *expect) {
	struct statement_folder folder;
	struct statement_epoch first;
	struct statement_grant shown, grant;
	const struct statement_grant *right;
	TRY(folder_of(&folder, &first, &right, &shown, s));
	TRY(statement_grant_read(&folder, &grant, right, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_hash(expect, "record", &grant.record);
	same_address(expect, "grantee", &grant.grantee);
	same_number(expect, "keyVersion", grant.key_version);
	same_number(expect, "rights", grant.rights);
	same_number(expect, "purposes", grant.purposes);
	same_number(expect, "from", grant.from);
	same_number(expect, "until", grant.until);
	same_number(expect, "epoch", grant.epoch);
	same_hash(expect, "wrap", &grant.wrap);
	same_number(expect, "wrapSize", grant.wrap_bytes);
	same_address(expect, "by", &grant.by);
	same_number(expect, "number", grant.number);
	same_hash(expect, "fact", &grant.fact);
	return STATUS_OK;
}

static enum status run_revocation(const struct scene *s, const struct json *expect) {
	struct statement_folder folder;
	struct statement_epoch first;
	struct statement_grant shown;
	struct statement_revocation revocation;
	const struct statement_grant *right;
	TRY(folder_of(&folder, &first, &right, &shown, s));
	TRY(statement_revocation_read(
	    &folder, &revocation, right, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_hash(expect, "record", &revocation.record);
	same_address(expect, "grantee", &revocation.grantee);
	same_address(expect, "by", &revocation.by);
	same_number(expect, "number", revocation.number);
	same_hash(expect, "fact", &revocation.fact);
	return STATUS_OK;
}

static enum status run_record(const struct scene *s, const struct json *expect) {
	const struct json *said = json_get(s->given, "record");
	const struct statement_record record = {.record = hash_of(said, "record"),
	    .folder = hash_of(said, "folder"),
	    .epoch = (uint32_t)number_of(said, "epoch"),
	    .root = hash_of(said, "root"),
	    .facts = hash_of(said, "facts")};
	addr20 author = address_of(s->given, "author");
	TRY(statement_record_check(&s->anchor, &record, &author, bytes_of(s, json_get(s->given, "signature")), s->err));
	hash32 digest = statement_record_digest(&s->anchor, &record);
	same_hash(expect, "digest", &digest);
	return STATUS_OK;
}

static enum status run_emergency(const struct scene *s, const struct json *expect) {
	struct statement_emergency emergency;
	TRY(statement_emergency_read(
	    &emergency, s->arena, &s->anchor, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_hash(expect, "folder", &emergency.folder);
	same_address(expect, "actor", &emergency.actor);
	same_hash(expect, "reasonHash", &emergency.reason_hash);
	same_hash(expect, "reason", &emergency.reason);
	same_number(expect, "reasonSize", emergency.reason_bytes);
	same_hash(expect, "fact", &emergency.fact);
	return STATUS_OK;
}

static enum status tag_holders_of(struct statement_tag_holders *out, const struct scene *s, const char *member) {
	struct statement_registrars registrars;
	TRY(registrars_of(&registrars, s));
	return statement_tag_holders_read(out, &registrars, bytes_of(s, json_get(s->given, member)), s->err);
}

static enum status run_tag_holders(const struct scene *s, const struct json *expect) {
	struct statement_tag_holders holders;
	TRY(tag_holders_of(&holders, s, "calldata"));
	same_number(expect, "number", holders.number);
	same_hash(expect, "previous", &holders.previous);
	same_hash(expect, "fact", &holders.fact);
	same_addresses(s, expect, "holders", holders.holders, holders.holder_count);
	same_number(expect, "threshold", holders.commitments.threshold);
	same_key(expect, "keyX", "keyY", &holders.commitments.points[0]);
	for (size_t i = 0; i < holders.holder_count; i++)
		assert_int_equal(statement_tag_holder_index(&holders, &holders.holders[i]), i + 1);
	assert_int_equal(statement_tag_holder_index(&holders, &s->anchor.directory), 0);
	return STATUS_OK;
}

static enum status run_product(const struct scene *s, const struct json *expect) {
	struct statement_tag_holders holders;
	struct statement_product product;
	assert_int_equal(tag_holders_of(&holders, s, "tagHolders"), STATUS_OK);
	TRY(statement_product_read(
	    &product, s->arena, &s->anchor, &holders, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_hash(expect, "product", &product.product);
	same_address(expect, "owner", &product.owner);
	same_hash(expect, "keyCommitment", &product.key_commitment);
	same_number(expect, "holders", product.holders);
	same_hash(expect, "fact", &product.fact);
	return STATUS_OK;
}

/* What a person who relays is shown: not part of the format, so it stands here. */
#define FOLDER "0x57b31d4d4e01c862aae5a3159d9a3ca2df5b9602d053d0fc34ed13cc9ef37d76"
#define CLINIC "0xb57df2585abef08894ee211a7341995faeda11a5"
#define RECORD "0xbe95dc3dc464c3e16e47c379993b869b853c777a241ee7fb9755e2a09f32dadb"
static const struct {
	const char *name, *says;
} summaries[] = {
    {"a relay carries Open",
	"open a folder of 0x7d96f8eab51fa732dec24fb92b5ad73729d6c9e9; emergency access for 90 minutes by 2 of 3 trustees"},
    {"a relay carries an Open without trustees",
	"open a folder of 0x7d96f8eab51fa732dec24fb92b5ad73729d6c9e9; no emergency access"},
    {"a relay carries an Open for no minutes",
	"open a folder of 0x7d96f8eab51fa732dec24fb92b5ad73729d6c9e9; no emergency access"},
    {"a relay carries Rotate",
	"give the folder " FOLDER
	" its key number 2, which 1 other accounts get too; emergency access for 90 minutes by 2 of 3 trustees"},
    {"a relay carries HandOver", "hand the folder " FOLDER " over to 0x648b73cb55387248dab391933d9c879d163c0e8a"},
    {"a relay carries Forget", "forget the folder " FOLDER " for good: all that is in it is erased"},
    {"a relay carries Grant", "share the folder " FOLDER " with " CLINIC " until 1970-01-01T02:30:00Z; rights: read"},
    {"a relay carries a Grant of a record", "share the record " RECORD " of the folder " FOLDER " with " CLINIC
					    " until 1970-01-01T02:30:00Z; rights: read, share"},
    {"a relay carries Revoke", "take the folder " FOLDER " back from " CLINIC},
    {"a relay carries CloseReview", "close the review 9 of an emergency as not justified"},
    {"a relay carries Erase", "erase the record " RECORD ": nodes delete what is in it"}};

static enum status run_call(const struct scene *s, const struct json *expect) {
	struct statement_call call;
	addr20 to = address_of(s->given, "to");
	TRY(statement_call_read(&call, s->arena, &s->anchor, &to, bytes_of(s, json_get(s->given, "calldata")), s->err));
	same_address(expect, "by", &call.by);
	same_address(expect, "relay", &call.relay);
	same_number(expect, "number", call.number);
	same_number(expect, "deadline", call.deadline_s);
	same_hash(expect, "blob", &call.blob);
	same_number(expect, "blobSize", call.blob_bytes);
	for (size_t i = 0; i < sizeof summaries / sizeof *summaries; i++)
		if (json_string_is(json_get(s->given, "name"), summaries[i].name))
			assert_string_equal(call.summary, summaries[i].says);
	return STATUS_OK;
}

static const struct {
	const char *kind;
	enum status (*run)(const struct scene *s, const struct json *expect);
} kinds[] = {{"registrars", run_registrars}, {"entry", run_entry}, {"key", run_key}, {"use", run_use},
    {"standing", run_standing}, {"folder", run_folder}, {"handOver", run_hand_over}, {"epoch", run_epoch},
    {"grant", run_grant}, {"revocation", run_revocation}, {"record", run_record}, {"emergency", run_emergency},
    {"call", run_call}, {"tagHolders", run_tag_holders}, {"product", run_product}};

/* --- refusals: what the message says of each check --- */

static const struct {
	const char *why, *says;
} refusals[] = {{"calldata", "the calldata of"}, {"signature", "did not sign it"}, {"signature", "signature"},
    {"registrar signatures", "too few registrars"}, {"key signatures", "nor enough registrars, signed it"},
    {"registrar set", "a set of registrars that is not known"}, {"newcomer", "a newcomer did not sign it"},
    {"order", "does not follow"}, {"order", "not above 1"}, {"number", "its number is not above the last one"},
    {"theft", "nobody affirmed it since"}, {"stolen", "it is told stolen"}, {"point", "not a point of P-256"},
    {"folder id", "another controller or salt"}, {"folder id", "of another folder"},
    {"actor", "it is of another actor"}, {"glass", "does not fit its trustees"}, {"glass", "do not fit its threshold"},
    {"glass", "a commitment is not a point"}, {"glass", "a trustee stands twice"},
    {"authority", "does not control the folder"}, {"authority", "has no right to make it"}, {"right", "the right: "},
    {"width", "wider or longer"}, {"carried", "this call is none of those"}, {"soundness", "not in ascending order"},
    {"soundness", "says nothing of a theft"}, {"soundness", "no role, or no name"},
    {"soundness", "the controller that it has"}, {"soundness", "more than 64 recipients"},
    {"soundness", "its grantee makes no sense"}, {"soundness", "are not known"},
    {"soundness", "shared for reading only"}, {"soundness", "ends before it begins"}, {"soundness", "it has a wrap"},
    {"soundness", "no fewer than the threshold"}, {"commitments", "not as many as the threshold"},
    {"holder signatures", "too few holders"}, {"holders", "other holders registered it"}};

static bool is_refused_for(const struct json *why, const char *message) {
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (json_string_is(why, refusals[i].why) && strstr(message, refusals[i].says)) return true;
	return false;
}

static bool run(struct scene *s) {
	struct err err = {0};
	s->err = &err;
	size_t i = 0, count = sizeof kinds / sizeof *kinds;
	while (i < count && !json_string_is(json_get(s->given, "kind"), kinds[i].kind)) i++;
	assert_true(i < count);
	const struct json *expect = json_get(s->given, "expect"), *why = json_get(s->given, "refused");
	enum status status = kinds[i].run(s, expect);
	bool is_right = expect ? status == STATUS_OK : status != STATUS_OK && is_refused_for(why, err.message);
	if (!is_right) printf("%s: %s\n", status_text(status), err.message);
	return is_right;
}

static void statements_are_believed_or_refused_as_another_implementation_says(void **state) {
	(void)state;
	static const char path[] = SOURCE_ROOT "/tests/vectors/statements.json";
	struct vectors vectors = {.name = "statements"};
	struct arena arena;
	arena_init(&arena);
	const struct json *root = vectors_parse(&arena, path), *anchor = json_get(root, "anchor");
	struct scene scene = {.arena = &arena,
	    .bytes = json_get(root, "bytes"),
	    .anchor = {.chain_id = number_of(anchor, "chainId"),
		.genesis = hash_of(anchor, "genesis"),
		.directory = address_of(anchor, "directory"),
		.folders = address_of(anchor, "folders"),
		.records = address_of(anchor, "records"),
		.consent = address_of(anchor, "consent"),
		.products = address_of(anchor, "products"),
		.threshold = (uint8_t)number_of(anchor, "threshold")}};
	const struct json *registrars = json_get(anchor, "registrars");
	const addr20 *all = addresses_of(&scene, &scene.anchor.registrar_count, registrars);
	memcpy(scene.anchor.registrars, all, scene.anchor.registrar_count * sizeof *all);
	json_foreach (one, json_get(root, "cases")) {
		scene.given = one;
		vectors_count(&vectors, run(&scene), path, json_string(json_get(one, "name")));
	}
	vectors_report(&vectors);
	arena_fini(&arena);
}

static struct bytes sign(struct arena *arena, const hash32 *secret, const hash32 *digest) {
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, secret, digest), STATUS_OK);
	return arena_dup(arena, BYTES_OF(signature));
}

static enum status read_entry_with_name(struct arena *arena, struct bytes name, struct err *err) {
	static const hash32 registrar = {{1}}, hospital = {{2}};
	static const struct p256_secret secret = {{3}};
	struct deployment anchor = {.registrar_count = 1, .threshold = 1};
	struct statement_registrars registrars;
	struct statement_actor actor;
	struct p256_public key;
	assert_int_equal(p256_public_of(&key, &secret), STATUS_OK);
	struct directory_entry entry = {
	    .roles = 1, .name = name, .key_x = p256_public_x(&key), .key_y = p256_public_y(&key)};
	assert_int_equal(address_of_secret(&anchor.registrars[0], &registrar), STATUS_OK);
	assert_int_equal(address_of_secret(&entry.actor, &hospital), STATUS_OK);
	const struct eip712_domain domain = deployment_domain(&anchor, &anchor.directory);
	hash32 digest = directory_entry_typed_digest(&entry, &domain);
	struct bytes endorsement = sign(arena, &registrar, &digest);
	const struct directory_list_args args = {.statement = entry,
	    .actor_signature = sign(arena, &hospital, &digest),
	    .registrar_signatures = &endorsement,
	    .registrar_signatures_count = 1};
	assert_int_equal(statement_registrars_begin(&registrars, arena, &anchor, err), STATUS_OK);
	return statement_actor_read(&actor, &registrars, 1, directory_list_call(arena, &args), err);
}

static void a_name_that_is_not_utf_8_is_refused(void **state) {
	(void)state;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	assert_int_equal(read_entry_with_name(&arena, BYTES_LITERAL("Hospital"), &err), STATUS_OK);
	assert_int_equal(read_entry_with_name(&arena, BYTES_LITERAL("Hospital\xff"), &err), STATUS_DENIED);
	assert_non_null(strstr(err.message, "no name of 1 to 128 bytes"));
	arena_fini(&arena);
}

static void an_anchor_without_a_majority_is_refused(void **state) {
	(void)state;
	struct deployment anchor = {.registrars = {{{1}}, {{2}}}, .registrar_count = 2, .threshold = 2};
	struct statement_registrars registrars;
	struct arena arena;
	arena_init(&arena);
	assert_int_equal(statement_registrars_begin(&registrars, &arena, &anchor, NULL), STATUS_OK);
	assert_true(statement_registrars_count(&registrars, 0, &anchor.registrars[0]));
	assert_false(statement_registrars_count(&registrars, 1, &anchor.registrars[0]));
	anchor.threshold = 1;
	assert_int_equal(statement_registrars_begin(&registrars, &arena, &anchor, NULL), STATUS_INVALID);
	anchor.threshold = 2;
	anchor.registrars[0].b[0] = 3;
	assert_int_equal(statement_registrars_begin(&registrars, &arena, &anchor, NULL), STATUS_INVALID);
	anchor.registrar_count = 0;
	assert_int_equal(statement_registrars_begin(&registrars, &arena, &anchor, NULL), STATUS_INVALID);
	arena_fini(&arena);
}

static void an_entry_is_believed_only_if_the_chain_holds_it(void **state) {
	(void)state;
	struct err err;
	const hash32 fact = {{1}}, other = {{2}};
	assert_int_equal(statement_is_proved(&fact, &fact, "the entry of 0x…", &err), STATUS_OK);
	assert_int_equal(statement_is_proved(&fact, &other, "the entry of 0x…", &err), STATUS_DENIED);
	assert_string_equal(err.message, "the entry of 0x…: the chain holds another statement than this one");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(statements_are_believed_or_refused_as_another_implementation_says),
	    cmocka_unit_test(a_name_that_is_not_utf_8_is_refused),
	    cmocka_unit_test(an_anchor_without_a_majority_is_refused),
	    cmocka_unit_test(an_entry_is_believed_only_if_the_chain_holds_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
