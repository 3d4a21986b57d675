/* The first byte says which statement, the rest is its calldata, read with the anchor of tests/vectors/statements.json.
 * What is believed holds sound values and a fact. Seeds: calldata of the vectors, so that signatures fit. */
#include "codec/hex.h"
#include "health/statements/call.h"
#include "health/statements/entry.h"
#include "health/statements/folder_statements.h"
#include "health/statements/tags_key.h"

#include "fuzz/target.h"

static struct deployment anchor = {.chain_id = 7697, .registrar_count = 3, .threshold = 2};
static hash32 folder_id;
static struct statement_controller patient;

static void take(uint8_t *out, size_t len, const char *hex) {
	BUG_ON(hex_fixed(out, len, bytes_text(hex)) != STATUS_OK);
}

static void make_anchor(void) {
	if (!addr20_is_zero(&anchor.directory)) return;
	take(anchor.genesis.b, 32, "0x11f1efd0825aa3c737ce7a3831438f918cc83545afbed69e69fddee7e6fd5811");
	take(anchor.directory.b, 20, "0xc0537c987b527a89a080cfa4f08a21230f39abe8");
	take(anchor.folders.b, 20, "0x8449fc7108d6472790532b58fa6eba5fdfea2ecf");
	take(anchor.records.b, 20, "0x53e5e15b2e889f6b30d5a93b5d61fe9df931a534");
	take(anchor.consent.b, 20, "0x7c04daf0f045faa3dc12a19ba9ca2efe04216ba3");
	take(anchor.products.b, 20, "0xf69cde8c97e29d5e8226bf4ca0bfe6cfce7c58ec");
	take(anchor.registrars[0].b, 20, "0x7cd888d24364a54d7d26c0c515bb93224e550453");
	take(anchor.registrars[1].b, 20, "0xae839f1318897b511cdfdce0700be82b3e0e7ff4");
	take(anchor.registrars[2].b, 20, "0xc45a78c03e00da89f8d2eea6cde2a8d24d8e19e9");
	take(folder_id.b, 32, "0x57b31d4d4e01c862aae5a3159d9a3ca2df5b9602d053d0fc34ed13cc9ef37d76");
	take(patient.address.b, 20, "0x7d96f8eab51fa732dec24fb92b5ad73729d6c9e9");
}

/* Of the vectors' folder, as it was opened. */
static struct statement_folder folder_in(struct arena *arena) {
	struct statement_folder folder = {
	    .anchor = &anchor, .arena = arena, .id = folder_id, .controller_count = 1, .controller_cap = 1};
	folder.controllers = arena_zalloc(arena, 1, sizeof *folder.controllers);
	folder.controllers[0] = patient;
	return folder;
}

static void check_epoch(const struct statement_epoch *epoch) {
	BUG_ON(!p256_public_is_valid(&epoch->key) || hash32_is_zero(&epoch->fact) || epoch->epoch == 0);
	BUG_ON(epoch->glass.trustees_count > 8 || epoch->glass.threshold > epoch->glass.trustees_count);
	BUG_ON(epoch->recipient_count > 64);
}

static void read_actor(struct arena *arena, unsigned which, struct bytes data) {
	struct statement_registrars all;
	struct statement_actor actor;
	struct statement_standing standing;
	BUG_ON(statement_registrars_begin(&all, arena, &anchor, NULL) != STATUS_OK);
	if (which == 0 && statement_registrars_next(&all, data, NULL) == STATUS_OK) {
		const struct statement_set *set = &all.sets[1];
		BUG_ON(2u * set->threshold <= set->member_count || set->member_count > STATEMENT_REGISTRARS_MAX);
	}
	if (which == 1 && statement_actor_read(&actor, &all, 1, data, NULL) == STATUS_OK) {
		BUG_ON(actor.name.len == 0 || actor.name.len > STATEMENT_NAME_BYTES_MAX);
		BUG_ON(!p256_public_is_valid(&actor.keys[0].key));
		/* no entry's calldata is a key's, whatever the entry */
		BUG_ON(statement_actor_next_key(&actor, data, NULL) == STATUS_OK);
	}
	if (which == 2 && statement_standing_read(&standing, &all, data, NULL) == STATUS_OK)
		BUG_ON(standing.status >= DIRECTORY_STATUS_COUNT);
}

static void read_folder(struct arena *arena, unsigned which, struct bytes data) {
	struct statement_folder folder = folder_in(arena), opened;
	struct statement_epoch epoch;
	struct statement_grant grant;
	struct statement_revocation revocation;
	struct folders_hand_over_args asked;
	if (which == 4 && statement_hand_over_asked(&asked, arena, &anchor, data, NULL) == STATUS_OK)
		BUG_ON(addr20_is_zero(&asked.statement.controller) || asked.old_signature.len != 0);
	if (which == 3 && statement_folder_read(&opened, &epoch, arena, &anchor, &folder_id, data, NULL) == STATUS_OK)
		check_epoch(&epoch);
	if (which == 4 && statement_folder_next_controller(&folder, data, NULL) == STATUS_OK)
		BUG_ON(folder.controller_count != 2 || !p256_public_is_valid(&folder.audit_key));
	if (which == 5 && statement_epoch_read(&folder, &epoch, NULL, data, NULL) == STATUS_OK) check_epoch(&epoch);
	if (which == 6 && statement_grant_read(&folder, &grant, NULL, data, NULL) == STATUS_OK)
		BUG_ON(grant.rights == 0 || grant.rights > 15 || grant.until <= grant.from);
	if (which == 7 && statement_revocation_read(&folder, &revocation, NULL, data, NULL) == STATUS_OK)
		BUG_ON(!addr20_equal(&revocation.by, &patient.address));
}

static void read_product(struct arena *arena, unsigned which, struct bytes data) {
	static addr20 regulators[3];
	const struct statement_tag_holders vectors_holders = {
	    .number = 1, .holders = regulators, .holder_count = 3, .commitments = {.threshold = 2}};
	struct statement_registrars all;
	struct statement_tag_holders holders;
	struct statement_product product;
	take(regulators[0].b, 20, "0x1da0f5ef4801930afccf6cbf30b0bfbb39d8dec1");
	take(regulators[1].b, 20, "0x57502286c954b667a701e11a643cd6ca3851b6e8");
	take(regulators[2].b, 20, "0x881397e96150c97f4e64a17f2a17ad7ab4782610");
	BUG_ON(statement_registrars_begin(&all, arena, &anchor, NULL) != STATUS_OK);
	if (which == 10 && statement_tag_holders_read(&holders, &all, data, NULL) == STATUS_OK) {
		BUG_ON(holders.holder_count > STATEMENT_HOLDERS_MAX || hash32_is_zero(&holders.fact));
		BUG_ON(holders.commitments.threshold == 0 || holders.commitments.threshold > holders.holder_count);
		BUG_ON(!p256_public_is_valid(&holders.commitments.points[0]));
	}
	if (which == 11 && statement_product_read(&product, arena, &anchor, &vectors_holders, data, NULL) == STATUS_OK)
		BUG_ON(product.holders != 1 || hash32_is_zero(&product.fact));
}

static void read_call(struct arena *arena, struct bytes data) {
	const addr20 *const contracts[] = {&anchor.folders, &anchor.consent, &anchor.records, &anchor.directory};
	struct statement_call call;
	for (size_t i = 0; i < sizeof contracts / sizeof *contracts; i++) {
		if (statement_call_read(&call, arena, &anchor, contracts[i], data, NULL) != STATUS_OK) continue;
		BUG_ON(addr20_is_zero(&call.by) || !call.summary || contracts[i] == &anchor.directory);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_slice(bytes_make(data, size), 1, size);
	struct arena arena;
	struct statement_emergency emergency;
	unsigned which = size ? data[0] % 12 : 0;
	make_anchor();
	arena_init(&arena);
	if (which < 3) read_actor(&arena, which, input);
	if (which >= 3 && which < 8) read_folder(&arena, which, input);
	if (which == 8 && statement_emergency_read(&emergency, &arena, &anchor, input, NULL) == STATUS_OK)
		BUG_ON(addr20_is_zero(&emergency.actor) || hash32_is_zero(&emergency.fact));
	if (which == 9) read_call(&arena, input);
	if (which >= 10) read_product(&arena, which, input);
	arena_fini(&arena);
	return 0;
}
