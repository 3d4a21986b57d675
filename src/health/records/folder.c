/* Folders as the chain shows them, and the controller's signature. The actions are in folder_open.c and
 * folder_rotate.c. */
#include "health/records/folder.h"

#include "eth/sign.h"
#include "health/records/private.h"

enum status folder_find(struct actor_request *request, struct folder *out, const hash32 *id, struct err *err) {
	struct abi_reader answer;
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "folderOf(bytes32)");
	abi_put_hash32(&data, id);
	TRY(view_call(request, &answer, &request->home->deployment.folders, &data, err));
	*out = (struct folder){.id = *id};
	out->controller = abi_address(&answer);
	out->epoch = (uint32_t)abi_u64(&answer);
	out->closed = abi_bool(&answer);
	out->rotation_owed = abi_bool(&answer);
	out->glass_minutes = (uint16_t)abi_u64(&answer);
	out->nonce = abi_u64(&answer);
	hash32 x = abi_hash32(&answer), y = abi_hash32(&answer);
	memcpy(out->key.xy, x.b, 32);
	memcpy(out->key.xy + 32, y.b, 32);
	TRY(abi_finish(&answer, err));
	if (addr20_is_zero(&out->controller))
		return err_set(err, STATUS_NOTFOUND, "no folder of this id is open on the chain");
	return STATUS_OK;
}

enum status folder_sign(struct actor_request *request, uint8_t signature[65], const struct own_folder *folder,
    const hash32 *digest, struct err *err) {
	struct eth_signature signed_digest;
	hash32 secret;
	addr20 controller;
	TRY(home_controller(request->home, &secret, &controller, folder->controller_index, err));
	enum status status = eth_sign_digest(&signed_digest, &secret, digest);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK) return err_set(err, status, "the folder's controller key does not sign");
	memcpy(signature, signed_digest.b, sizeof signed_digest.b);
	return STATUS_OK;
}

enum status folder_sign_struct(struct actor_request *request, uint8_t signature[65], const struct own_folder *folder,
    const char *name, const addr20 *contract, struct eip712_struct *fields, struct err *err) {
	u256 chain_id = u256_from(request->home->deployment.chain_id);
	hash32 domain = eip712_domain(name, "1", &chain_id, contract);
	hash32 struct_hash = eip712_end(fields), digest = eip712_digest(&domain, &struct_hash);
	return folder_sign(request, signature, folder, &digest, err);
}

enum status action_take_data(struct actor_request *request, struct action *action, struct buf *data, struct err *err) {
	enum status status = buf_status(data, err);
	action->data = arena_dup(request->arena, buf_view(data));
	buf_fini(data);
	return status;
}

enum status folder_forget_action(
    struct actor_request *request, struct action *action, const hash32 *id, struct err *err) {
	const addr20 *folders = &request->home->deployment.folders;
	struct own_folder own;
	struct folder folder;
	uint64_t deadline;
	uint8_t signature[65];
	struct buf data;
	*action =
	    (struct action){.to = *folders, .summary = "forget a folder: its keys are erased everywhere, for good"};
	TRY(own_folder_load(request, &own, id, err));
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten already");
	TRY(now_seconds(request, &deadline, err));
	deadline += ACTION_LIFE_SECONDS;
	struct eip712_struct fields = eip712_begin("Forget(bytes32 folder,uint64 nonce,uint64 deadline)");
	eip712_put_hash32(&fields, id);
	eip712_put_u64(&fields, folder.nonce);
	eip712_put_u64(&fields, deadline);
	TRY(folder_sign_struct(request, signature, &own, "xinglin folders", folders, &fields, err));
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "forget(bytes32,uint64,bytes)");
	struct abi_row row = abi_row_begin(&data);
	abi_put_hash32(&data, id);
	abi_put_u64(&data, deadline);
	size_t head = abi_reserve(&data);
	abi_tail(&row, head);
	abi_put_bytes(&data, bytes_make(signature, sizeof signature));
	return action_take_data(request, action, &data, err);
}
