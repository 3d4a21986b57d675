#include "health/records/signer.h"

#include "eth/sign.h"
#include "health/contracts/cause.h"
#include "health/contracts/folders.h"

#define FILE_MAX ((size_t)1 << 10)

/* --- whose it is --- */

static enum status address_of(
    struct actor_request *request, addr20 *address, const struct own_folder *own, struct err *err) {
	hash32 secret;
	enum status status = home_controller(request->home, &secret, address, own->controller_index, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

enum status folder_is_own(
    struct actor_request *request, struct own_folder *own, bool *is_own, const struct folder *folder, struct err *err) {
	addr20 address;
	*is_own = false;
	enum status status = own_folder_load(request, own, &folder->id, NULL);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(own_folder_load(request, own, &folder->id, err));
	TRY(address_of(request, &address, own, err));
	*is_own = addr20_equal(&address, &folder->controller);
	return STATUS_OK;
}

/* Why a home that knows the folder does not control it. */
static enum status refuse_other_controller(
    struct actor_request *request, const struct folder *folder, const struct own_folder *own, struct err *err) {
	addr20 address;
	char controller[43];
	bool had_it = false;
	TRY(address_of(request, &address, own, err));
	address_checksum(controller, &folder->controller);
	for (size_t i = 0; i < folder->said.controller_count; i++)
		if (addr20_equal(&folder->said.controllers[i].address, &address)) had_it = true;
	return err_set(err, STATUS_NOTFOUND, "%s: its controller is %s",
	    had_it ? "this home has handed the folder over" : "the folder is not handed over to this home yet",
	    controller);
}

static enum status refuse(struct actor_request *request, const struct folder *folder, uint8_t right, struct err *err) {
	struct own_folder own;
	enum status status = own_folder_load(request, &own, &folder->id, NULL);
	if (status == STATUS_OK)
		status = refuse_other_controller(request, folder, &own, err);
	else if (right)
		status = err_set(err, STATUS_NOTFOUND,
		    "this home is not the folder's controller, and its account does not hold the right to %s there now",
		    right == STATEMENT_RIGHT_SHARE ? "share" : "rotate");
	else
		status = err_set(err, STATUS_NOTFOUND, "this home is not the folder's controller");
	return err_because(err, CAUSE_NOT_CONTROLLER, status);
}

/* --- a delegate --- */

/* {"v":1,"number":N}: the last one that was signed; 0 without the file. */
static enum status read_number(struct actor_request *request, uint64_t *number, const char *path, struct err *err) {
	struct buf text;
	const struct json *root;
	uint64_t version;
	*number = 0;
	buf_init(&text, FILE_MAX);
	enum status status = home_read(request->home, &text, path, err);
	if (status == STATUS_OK)
		status = json_parse(&root, request->arena, arena_dup(request->arena, buf_view(&text)), NULL, err);
	buf_fini(&text);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	if (status == STATUS_OK &&
	    (!json_u64(&version, json_get(root, "v")) || version != 1 || !json_u64(number, json_get(root, "number"))))
		status = err_set(err, STATUS_CORRUPT, "%s/%s makes no sense", request->home->directory, path);
	return status;
}

static enum status find_delegate(struct actor_request *request, struct folder_signer *out, bool *found,
    const struct folder *folder, uint8_t right, struct err *err) {
	struct consent_grant_state state;
	hash32 word;
	const addr20 *account = &request->home->account;
	const struct verified_want want = {
	    &request->home->deployment.folders, folders_numbers_slot(&folder->id, account)};
	TRY(folder_grant_find(request, &state, &folder->id, NULL, account, err));
	const uint64_t now_s = verified_now_s(&request->verified);
	*found = (state.rights & right) && !state.revoked && state.from <= now_s && now_s < state.until;
	if (!*found) return STATUS_OK;
	out->is_delegate = true;
	out->address = *account;
	TRY(folder_grant_statement(request, folder, &out->right, &state, NULL, account, err));
	TRY(verified_words(&request->verified, &word, &want, 1, err));
	TRY(folders_numbers_load(&out->number, &word, err));
	return read_number(request, &out->signed_number, own_folder_path(request, &folder->id, ".delegate"), err);
}

enum status folder_signer_find(struct actor_request *request, struct folder_signer *out, const struct folder *folder,
    uint8_t right, struct err *err) {
	struct own_folder own;
	bool found;
	*out = (struct folder_signer){.address = folder->controller, .folder = folder->id, .number = folder->number};
	TRY(folder_is_own(request, &own, &found, folder, err));
	if (found) {
		out->controller_index = own.controller_index;
		out->signed_number = own.number;
		return STATUS_OK;
	}
	if (right) TRY(find_delegate(request, out, &found, folder, right, err));
	return found ? STATUS_OK : refuse(request, folder, right, err);
}

/* --- signing --- */

static enum status take_number(
    struct actor_request *request, uint64_t *number, const struct folder_signer *signer, struct err *err) {
	const char *path = own_folder_path(request, &signer->folder, ".delegate");
	TRY(read_number(request, number, path, err));
	if (*number < signer->number) *number = signer->number;
	++*number;
	const char *text = arena_printf(request->arena, "{\"v\":1,\"number\":%llu}\n", (unsigned long long)*number);
	return home_put(request->home, path, bytes_text(text), err);
}

enum status folder_signer_take_number(
    struct actor_request *request, uint64_t *number, const struct folder_signer *signer, struct err *err) {
	int lock;
	if (!signer->is_delegate) return own_folder_take_number(request, number, &signer->folder, signer->number, err);
	TRY(home_change_begin(request->home, &lock, err));
	enum status status = take_number(request, number, signer, err);
	home_change_end(lock);
	return status;
}

enum status folder_sign(struct actor_request *request, uint8_t signature[65], const struct folder_signer *signer,
    const hash32 *digest, struct err *err) {
	struct eth_signature signed_digest;
	hash32 secret = request->home->account_secret;
	addr20 address = request->home->account;
	if (!signer->is_delegate) TRY(home_controller(request->home, &secret, &address, signer->controller_index, err));
	enum status status = eth_sign_digest(&signed_digest, &secret, digest);
	mem_wipe(&secret, sizeof secret);
	if (status != STATUS_OK) return err_set(err, status, "the key of the folder's signer does not sign");
	memcpy(signature, signed_digest.b, sizeof signed_digest.b);
	return STATUS_OK;
}
