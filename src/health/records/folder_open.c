/* Opening a folder: IFolders.open. */
#include "crypto/hash.h"
#include "health/records/private.h"

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
		struct listed_actor actor;
		char text[43];
		address_checksum(text, &opening->trustees[i]);
		TRY(directory_find(request, &actor, &opening->trustees[i], err));
		if (actor.status != 1 || !(actor.roles & ROLE_TRUSTEE))
			return err_set(err, STATUS_DENIED, "%s is not listed as an active trustee", text);
		TRY(directory_refuse_changed_key(&actor, err));
		for (size_t j = 0; j < i; j++)
			if (addr20_equal(&opening->trustees[i], &opening->trustees[j]))
				return err_set(err, STATUS_INVALID, "%s is named twice", text);
		out[i] = (struct epoch_recipient){actor.address, actor.key};
	}
	return STATUS_OK;
}

static enum status check_opening(const struct folder_opening *opening, struct err *err) {
	size_t label_len = strlen(opening->label);
	if (label_len < 1 || label_len >= sizeof((struct own_folder *)NULL)->label)
		return err_set(err, STATUS_INVALID, "a folder's label has 1 to 63 bytes");
	if (opening->trustee_count > TRUSTEES_MAX)
		return err_set(err, STATUS_LIMIT, "a folder has at most %u trustees", TRUSTEES_MAX);
	if (opening->glass_minutes && !opening->trustee_count)
		return err_set(err, STATUS_INVALID,
		    "breaking the glass needs at least one trustee, who gives out the key then: name one, or take 0 "
		    "minutes");
	return STATUS_OK;
}

struct opening_fields {
	const struct own_folder *own;
	const struct folder_opening *opening;
	const struct new_epoch *epoch;
	addr20 controller;
	uint64_t deadline;
};

static enum status sign_opening(
    struct actor_request *request, uint8_t signature[65], const struct opening_fields *f, struct err *err) {
	hash32 trustees = epoch_recipients_hash(f->epoch);
	struct eip712_struct fields = eip712_begin(
	    "Open(address controller,bytes32 salt,bytes32 keyX,bytes32 keyY,bytes32 wraps,uint32 wrapsSize,"
	    "uint16 glassMinutes,address[] trustees,uint64 deadline)");
	eip712_put_address(&fields, &f->controller);
	eip712_put_hash32(&fields, &f->own->salt);
	epoch_put_signed(&fields, f->epoch);
	eip712_put_u64(&fields, f->opening->glass_minutes);
	eip712_put_hash32(&fields, &trustees);
	eip712_put_u64(&fields, f->deadline);
	return folder_sign_struct(
	    request, signature, f->own, "xinglin folders", &request->home->deployment.folders, &fields, err);
}

static void put_opening(struct buf *data, const struct opening_fields *f, const uint8_t signature[65]) {
	abi_put_selector(data, "open(address,bytes32,bytes32,bytes32,bytes32,uint32,uint16,address[],uint64,bytes)");
	struct abi_row row = abi_row_begin(data);
	abi_put_address(data, &f->controller);
	abi_put_hash32(data, &f->own->salt);
	epoch_put(data, f->epoch);
	abi_put_u64(data, f->opening->glass_minutes);
	size_t trustees = abi_reserve(data);
	abi_put_u64(data, f->deadline);
	size_t tail = abi_reserve(data);
	abi_tail(&row, trustees);
	epoch_put_recipients(data, f->epoch);
	abi_tail(&row, tail);
	abi_put_bytes(data, bytes_make(signature, 65));
}

enum status folder_open_action(struct actor_request *request, struct action *action, hash32 *id,
    const struct folder_opening *opening, struct err *err) {
	struct epoch_recipient recipients[TRUSTEES_MAX];
	struct own_folder own = {{{0}}, 0, {{0}}, ""};
	struct new_epoch epoch = {.folder = id, .epoch = 1, .recipients = recipients};
	struct opening_fields fields = {.own = &own, .opening = opening, .epoch = &epoch};
	uint8_t signature[65];
	hash32 secret;
	struct buf data;
	*action = (struct action){.to = request->home->deployment.folders, .summary = "open a folder"};
	TRY(check_opening(opening, err));
	TRY(find_trustees(request, recipients, opening, err));
	TRY(own_folder_take_index(request, &own.controller_index, err));
	TRY(home_controller(request->home, &secret, &fields.controller, own.controller_index, err));
	mem_wipe(&secret, sizeof secret);
	random_fill(request->random, own.salt.b, sizeof own.salt.b);
	memcpy(own.label, opening->label, strlen(opening->label) + 1);
	own.id = *id = id_of(&request->home->deployment, &fields.controller, &own.salt);
	epoch.controller_index = own.controller_index;
	epoch.recipient_count = opening->trustee_count;
	TRY(epoch_make(request, action, &epoch, err));
	TRY(now_seconds(request, &fields.deadline, err));
	fields.deadline += ACTION_LIFE_SECONDS;
	TRY(sign_opening(request, signature, &fields, err));
	buf_init(&data, CALLDATA_MAX);
	put_opening(&data, &fields, signature);
	TRY(action_take_data(request, action, &data, err));
	return own_folder_store(request, &own, err);
}
