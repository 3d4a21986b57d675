/* Opening a folder: IFolders.open. */
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "eth/abi.h"
#include "health/contracts/directory.h"
#include "health/contracts/folders.h"
#include "health/records/epoch.h"
#include "health/records/signer.h"

#define LABEL_BYTES_MAX 512u /* sealed, as Folders has it */

/* keccak256(abi.encode(chainid, Folders, controller, salt)) */
static hash32 id_of(const struct deployment *deployment, const addr20 *controller, const hash32 *salt) {
	struct buf encoded;
	buf_init(&encoded, 128);
	abi_put_u64(&encoded, deployment->chain_id);
	abi_put_address(&encoded, &deployment->folders);
	abi_put_address(&encoded, controller);
	abi_put_hash32(&encoded, salt);
	BUG_ON(encoded.overflow);
	hash32 id = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return id;
}

static enum status find_trustees(
    struct actor_request *request, struct epoch_recipient *out, const struct folder_opening *opening, struct err *err) {
	for (size_t i = 0; i < opening->trustee_count; i++) {
		struct directory_listed actor;
		char text[43];
		address_checksum(text, &opening->trustees[i]);
		TRY(directory_find(request, &actor, &opening->trustees[i], err));
		if (actor.status != DIRECTORY_STATUS_ACTIVE || !(actor.roles & ROLE_TRUSTEE))
			return err_set(err, STATUS_DENIED, "%s is not listed as an active trustee", text);
		TRY(directory_refuse_changed_key(request->arena, &actor, err));
		for (size_t j = 0; j < i; j++)
			if (addr20_equal(&opening->trustees[i], &opening->trustees[j]))
				return err_set(err, STATUS_INVALID, "%s is named twice", text);
		out[i] = (struct epoch_recipient){actor.address, actor.key};
	}
	return STATUS_OK;
}

uint8_t folder_threshold_default(size_t trustee_count) {
	return trustee_count ? (uint8_t)(trustee_count / 2 + 1) : 0;
}

enum status folder_threshold_check(uint8_t threshold, size_t trustee_count, struct err *err) {
	if (threshold <= trustee_count) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "%u of %zu trustees is no threshold: take 1 to %zu", threshold,
	    trustee_count, trustee_count);
}

static enum status check_opening(const struct folder_opening *opening, struct err *err) {
	size_t label_len = strlen(opening->label);
	if (label_len < 1 || label_len >= sizeof((struct own_folder *)NULL)->label)
		return err_set(err, STATUS_INVALID, "a folder's label has 1 to 63 bytes");
	if (opening->trustee_count > FOLDER_TRUSTEES_MAX)
		return err_set(err, STATUS_LIMIT, "a folder has at most %u trustees", FOLDER_TRUSTEES_MAX);
	TRY(folder_threshold_check(opening->threshold, opening->trustee_count, err));
	if (opening->glass_minutes && !opening->trustee_count)
		return err_set(err, STATUS_INVALID,
		    "breaking the glass needs at least one trustee, who releases a share of the key then: name one, or take 0 "
		    "minutes");
	return STATUS_OK;
}

/* Signs the opening, and makes the call of it. */
static enum status sign_opening(struct actor_request *request, struct action *action, const struct own_folder *own,
    const struct folders_open *message, struct err *err) {
	uint8_t signature[65];
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->folders);
	const struct folder_signer signer = {.controller_index = own->controller_index};
	hash32 digest = folders_open_typed_digest(message, &domain);
	TRY(folder_sign(request, signature, &signer, &digest, err));
	action->data = folders_open_call(request->arena, message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

/* The label, filled to always the same length and sealed to the controller's own key: the phrase alone finds it
 * again. */
static enum status seal_label(
    struct actor_request *request, struct bytes *out, const struct own_folder *own, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf sealed;
	uint8_t padded[sizeof own->label] = {0};
	TRY(home_controller_key(request->home, &secret, &key, own->controller_index, err));
	mem_wipe(&secret, sizeof secret);
	memcpy(padded, own->label, strlen(own->label));
	buf_init(&sealed, LABEL_BYTES_MAX);
	enum status status = jwe_ecdh_seal(&sealed, &key, BYTES_LITERAL("{\"typ\":\"xinglin-label\"}"),
	    bytes_make(padded, sizeof padded), request->random, err);
	if (status == STATUS_OK) *out = arena_dup(request->arena, buf_view(&sealed));
	buf_fini(&sealed);
	return status;
}

/* What the controller alone can read: the label, and the key that nodes seal their notes of reads to. */
static enum status put_own_keys(
    struct actor_request *request, struct folders_open *message, const struct own_folder *own, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	TRY(home_audit_key(request->home, &secret, &key, own->controller_index, err));
	mem_wipe(&secret, sizeof secret);
	message->audit_x = p256_public_x(&key);
	message->audit_y = p256_public_y(&key);
	return seal_label(request, &message->label, own, err);
}

static enum status controller_key(
    struct actor_request *request, struct p256_public *key, uint32_t index, struct err *err) {
	struct p256_secret secret;
	enum status status = home_controller_key(request->home, &secret, key, index, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

enum status folder_open_action(struct actor_request *request, struct action *action, hash32 *id,
    const struct folder_opening *opening, struct err *err) {
	struct epoch_recipient recipients[FOLDER_TRUSTEES_MAX];
	struct own_folder own = {.number = 1};
	struct epoch_draft epoch = {.folder = id, .epoch = 1, .recipients = recipients};
	struct folders_open message = {.salt = {{0}}};
	hash32 secret;
	*action = (struct action){.to = request->home->deployment.folders};
	TRY(check_opening(opening, err));
	TRY(find_trustees(request, recipients, opening, err));
	TRY(own_folder_take_index(request, &own.controller_index, err));
	TRY(home_controller(request->home, &secret, &message.controller, own.controller_index, err));
	mem_wipe(&secret, sizeof secret);
	random_fill(request->random, own.salt.b, sizeof own.salt.b);
	memcpy(own.label, opening->label, strlen(opening->label) + 1);
	own.id = *id = id_of(&request->home->deployment, &message.controller, &own.salt);
	TRY(controller_key(request, &epoch.controller_key, own.controller_index, err));
	epoch.recipient_count = epoch.trustee_count = opening->trustee_count;
	epoch.threshold = opening->threshold ? opening->threshold : folder_threshold_default(opening->trustee_count);
	TRY(epoch_make(request, action, &epoch, err));
	message.salt = own.salt;
	message.key_x = p256_public_x(&epoch.key);
	message.key_y = p256_public_y(&epoch.key);
	message.wraps = epoch.wraps;
	message.wraps_size = (uint32_t)epoch.wraps_bytes;
	message.glass = epoch_glass(request->arena, &epoch, opening->glass_minutes);
	TRY(put_own_keys(request, &message, &own, err));
	TRY(action_deadline(request, &message.deadline, err));
	TRY(sign_opening(request, action, &own, &message, err));
	return own_folder_store(request, &own, err);
}
