/* Controllers and epochs of a folder. */
#include "health/statements/folder_statements.h"

#include "eth/abi.h"
#include "health/statements/folder_statements_private.h"
#include "health/statements/private.h"

#define FOLDER_TRUSTEES_MAX 8u
#define EPOCH_RECIPIENTS_MAX 64u

hash32 statement_folder_id(const struct deployment *anchor, const addr20 *controller, const hash32 *salt) {
	hash32 words[4] = {abi_topic_of_u64(anchor->chain_id), abi_topic_of_address(&anchor->folders),
	    abi_topic_of_address(controller), *salt};
	return keccak256(bytes_make(words, sizeof words));
}

enum status statement_refuse_folder(
    const struct statement_folder *folder, const char *what, const char *fault, struct err *err) {
	char id[STATEMENT_ID_BYTES];
	statement_id_text(id, &folder->id);
	return err_set(err, STATUS_DENIED, "%s of folder %s: %s", what, id, fault);
}

/* --- who may sign --- */

static bool is_controller(const struct statement_folder *folder, const addr20 *by, uint64_t number) {
	size_t i = folder->controller_count - 1;
	while (i > 0 && number <= folder->controllers[i].after) i--;
	return addr20_equal(&folder->controllers[i].address, by);
}

/* A grant of such a right is a controller's own: delegates cannot pass it on (folder_grants.c). */
const char *statement_authority_fault(const struct statement_folder *folder, const struct statement_authority *said) {
	const struct statement_grant *right = said->right;
	if (is_controller(folder, said->by, said->number)) return NULL;
	if (!right) return "its signer does not control the folder";
	if (!hash32_equal(&right->folder, &folder->id) || !hash32_is_zero(&right->record) ||
	    !addr20_equal(&right->grantee, said->by) || !(right->rights & said->needed))
		return "its signer has no right to make it";
	return NULL;
}

/* --- soundness --- */

static const char *glass_fault(const struct folders_glass *glass) {
	size_t count = glass->trustees_count;
	if (count > FOLDER_TRUSTEES_MAX || glass->threshold > count || (glass->threshold == 0) != (count == 0))
		return "its threshold does not fit its trustees";
	if (glass->commitments_count != (count ? 2 * ((size_t)glass->threshold - 1) : 0))
		return "its commitments do not fit its threshold";
	for (size_t i = 0; i < glass->commitments_count; i += 2)
		if (!statement_is_point(&glass->commitments[i], &glass->commitments[i + 1]))
			return "a commitment is not a point of P-256";
	for (size_t i = 0; i < count; i++)
		if (addr20_is_zero(&glass->trustees[i]) ||
		    statement_has_address(glass->trustees, i, &glass->trustees[i]))
			return "a trustee stands twice";
	return NULL;
}

/* --- open --- */

static void append_controller(
    struct statement_folder *folder, const addr20 *address, uint64_t after, const hash32 *fact) {
	if (folder->controller_count == folder->controller_cap) {
		size_t cap = folder->controller_cap ? 2 * folder->controller_cap : 2;
		struct statement_controller *all = arena_zalloc(folder->arena, cap, sizeof *all);
		if (folder->controller_count) memcpy(all, folder->controllers, folder->controller_count * sizeof *all);
		folder->controllers = all;
		folder->controller_cap = cap;
	}
	folder->controllers[folder->controller_count++] = (struct statement_controller){*address, after, *fact};
}

static const char *open_fault(
    const struct statement_folder *folder, const struct folders_open_args *args, const hash32 *digest) {
	const struct folders_open *said = &args->statement;
	hash32 id = statement_folder_id(folder->anchor, &said->controller, &said->salt);
	if (!hash32_equal(&id, &folder->id)) return "the id is of another controller or salt";
	if (!statement_is_point(&said->key_x, &said->key_y)) return "its key is not a point of P-256";
	if (!statement_is_point(&said->audit_x, &said->audit_y)) return "its audit key is not a point of P-256";
	if (!statement_is_signed_by(&said->controller, args->signature, digest))
		return "its controller did not sign it";
	return glass_fault(&said->glass);
}

enum status statement_folder_read(struct statement_folder *out, struct statement_epoch *first, struct arena *arena,
    const struct deployment *anchor, const hash32 *id, struct bytes calldata, struct err *err) {
	struct folders_open_args args;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->folders);
	static const hash32 none;
	TRY(folders_open_call_read(&args, arena, calldata, err));
	const struct folders_open *said = &args.statement;
	*out = (struct statement_folder){.anchor = anchor,
	    .arena = arena,
	    .id = *id,
	    .audit_key = p256_public_of_words(&said->audit_x, &said->audit_y)};
	hash32 digest = folders_open_typed_digest(said, &domain);
	const char *fault = open_fault(out, &args, &digest);
	if (fault) return statement_refuse_folder(out, "the opening", fault, err);
	append_controller(out, &said->controller, 0, &none);
	*first = (struct statement_epoch){.epoch = 1,
	    .fact = folders_open_typed_hash(said),
	    .key = p256_public_of_words(&said->key_x, &said->key_y),
	    .wraps = said->wraps,
	    .wraps_bytes = said->wraps_size,
	    .glass = said->glass,
	    .by = said->controller,
	    .number = 1};
	return STATUS_OK;
}

/* --- hand over --- */

const struct statement_controller *statement_folder_controller(const struct statement_folder *folder) {
	return &folder->controllers[folder->controller_count - 1];
}

static const char *hand_over_fault(
    const struct statement_folder *folder, const struct folders_hand_over_args *args, const hash32 *digest) {
	const struct folders_hand_over *said = &args->statement;
	const struct statement_controller *last = statement_folder_controller(folder);
	if (!hash32_equal(&said->folder, &folder->id)) return "it is of another folder";
	if (said->hand_over != folder->controller_count || !hash32_equal(&said->previous, &last->fact))
		return "it does not follow the hand-over before";
	if (said->number <= (last->after ? last->after : 1)) return "its number is not above the last one";
	if (addr20_equal(&said->controller, &last->address)) return "it names the controller that it has";
	if (!statement_is_point(&said->audit_x, &said->audit_y)) return "its audit key is not a point of P-256";
	if (!statement_is_signed_by(&last->address, args->old_signature, digest))
		return "the controller before did not sign it";
	if (!statement_is_signed_by(&said->controller, args->new_signature, digest))
		return "the new controller did not sign it";
	return NULL;
}

enum status statement_folder_next_controller(struct statement_folder *folder, struct bytes calldata, struct err *err) {
	struct folders_hand_over_args args;
	const struct eip712_domain domain = deployment_domain(folder->anchor, &folder->anchor->folders);
	TRY(folders_hand_over_call_read(&args, folder->arena, calldata, err));
	const struct folders_hand_over *said = &args.statement;
	hash32 digest = folders_hand_over_typed_digest(said, &domain), fact = folders_hand_over_typed_hash(said);
	const char *fault = hand_over_fault(folder, &args, &digest);
	if (fault) return statement_refuse_folder(folder, "the hand-over", fault, err);
	append_controller(folder, &said->controller, said->number, &fact);
	folder->audit_key = p256_public_of_words(&said->audit_x, &said->audit_y);
	return STATUS_OK;
}

enum status statement_hand_over_asked(struct folders_hand_over_args *out, struct arena *arena,
    const struct deployment *anchor, struct bytes calldata, struct err *err) {
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->folders);
	TRY(folders_hand_over_call_read(out, arena, calldata, err));
	const struct folders_hand_over *said = &out->statement;
	const hash32 digest = folders_hand_over_typed_digest(said, &domain);
	if (!statement_is_point(&said->audit_x, &said->audit_y))
		return err_set(err, STATUS_DENIED, "its audit key is not a point of P-256");
	if (out->old_signature.len == 0 && statement_is_signed_by(&said->controller, out->new_signature, &digest))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the account that asks for the folder did not sign the asking, alone");
}

/* --- rotate --- */

static const char *rotate_fault(const struct statement_folder *folder, const struct folders_rotate_args *args,
    const struct statement_grant *right, const hash32 *digest) {
	const struct folders_rotate *said = &args->statement;
	const struct statement_authority authority = {&said->by, said->number, STATEMENT_RIGHT_ROTATE, right};
	if (!hash32_equal(&said->folder, &folder->id)) return "it is of another folder";
	if (said->epoch < 2) return "its number is not above 1";
	if (!statement_is_point(&said->key_x, &said->key_y)) return "its key is not a point of P-256";
	if (said->glass.trustees_count + said->recipients_count > EPOCH_RECIPIENTS_MAX)
		return "it has more than 64 recipients";
	if (!statement_is_signed_by(&said->by, args->signature, digest))
		return "the account that it names did not sign it";
	const char *fault = statement_authority_fault(folder, &authority);
	return fault ? fault : glass_fault(&said->glass);
}

enum status statement_epoch_read(const struct statement_folder *folder, struct statement_epoch *out,
    const struct statement_grant *right, struct bytes calldata, struct err *err) {
	struct folders_rotate_args args;
	const struct eip712_domain domain = deployment_domain(folder->anchor, &folder->anchor->folders);
	TRY(folders_rotate_call_read(&args, folder->arena, calldata, err));
	const struct folders_rotate *said = &args.statement;
	hash32 digest = folders_rotate_typed_digest(said, &domain);
	const char *fault = rotate_fault(folder, &args, right, &digest);
	if (fault) return statement_refuse_folder(folder, "an epoch", fault, err);
	*out = (struct statement_epoch){.epoch = said->epoch,
	    .fact = folders_rotate_typed_hash(said),
	    .previous = said->previous,
	    .key = p256_public_of_words(&said->key_x, &said->key_y),
	    .wraps = said->wraps,
	    .wraps_bytes = said->wraps_size,
	    .glass = said->glass,
	    .recipients = said->recipients,
	    .recipient_count = said->recipients_count,
	    .by = said->by,
	    .number = said->number};
	return STATUS_OK;
}
