/* Handing a folder over: IFolders.handOver, which the new and the present controller sign. */
#include "envelope/container.h"
#include "eth/abi.h"
#include "health/contracts/folders.h"
#include "health/records/signer.h"
#include "health/records/wrap.h"

/* The asking's number leaves room for what the present controller signs until it answers. */
#define NUMBERS_BETWEEN 256u
#define NUMBERS_BETWEEN_MAX 65536u
#define CLOCKS_APART_S 3600u /* the asker's and this home's */

/* --- the new controller's half --- */

static enum status sign_half(struct actor_request *request, struct bytes *signature, uint32_t index,
    const struct folders_hand_over *said, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->folders);
	const hash32 digest = folders_hand_over_typed_digest(said, &domain);
	const struct folder_signer signer = {.controller_index = index};
	uint8_t *made = arena_alloc(request->arena, 65);
	*signature = bytes_make(made, 65);
	return folder_sign(request, made, &signer, &digest, err);
}

static enum status fill_keys(
    struct actor_request *request, struct folders_hand_over *said, uint32_t index, struct err *err) {
	struct p256_secret audit;
	struct p256_public key;
	hash32 secret;
	TRY(home_controller(request->home, &secret, &said->controller, index, err));
	mem_wipe(&secret, sizeof secret);
	TRY(home_audit_key(request->home, &audit, &key, index, err));
	mem_wipe(&audit, sizeof audit);
	said->audit_x = p256_public_x(&key);
	said->audit_y = p256_public_y(&key);
	return STATUS_OK;
}

/* A home that controlled it once and gets it back has a description; another index replaces the one there. */
static enum status describe(struct actor_request *request, const struct folder *folder, const char *label,
    uint64_t number, uint32_t index, struct err *err) {
	struct own_folder own = {.id = folder->id, .controller_index = index, .number = number};
	struct folders_open opening;
	TRY(folder_opening_find(request, folder, &opening, err));
	own.salt = opening.salt;
	memcpy(own.label, label, strlen(label) + 1);
	return own_folder_store(request, &own, err);
}

enum status folder_take_over_action(
    struct actor_request *request, struct action *action, const hash32 *id, const char *label, struct err *err) {
	struct folder folder;
	struct own_folder own;
	struct bytes signature;
	uint32_t index;
	bool is_own;
	*action = (struct action){.to = request->home->deployment.folders};
	if (strlen(label) < 1 || strlen(label) >= sizeof own.label)
		return err_set(err, STATUS_INVALID, "a folder's label has 1 to 63 bytes");
	TRY(folder_find(request, &folder, id, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten");
	TRY(folder_is_own(request, &own, &is_own, &folder, err));
	if (is_own) return err_set(err, STATUS_INVALID, "this home controls the folder already");
	const struct statement_controller *last = statement_folder_controller(&folder.said);
	struct folders_hand_over said = {.folder = *id,
	    .hand_over = (uint32_t)folder.said.controller_count,
	    .previous = last->fact,
	    .number = folder.number + NUMBERS_BETWEEN};
	TRY(own_folder_take_index(request, &index, err));
	TRY(fill_keys(request, &said, index, err));
	TRY(action_deadline(request, &said.deadline, err));
	TRY(sign_half(request, &signature, index, &said, err));
	TRY(describe(request, &folder, label, said.number, index, err));
	action->data = folders_hand_over_call(request->arena, &said, (struct bytes){0}, signature);
	return STATUS_OK;
}

/* --- the present controller's half --- */

static enum status read_asking(
    struct actor_request *request, struct folders_hand_over_args *args, const struct action *asking, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	enum status status = STATUS_INVALID;
	if (addr20_equal(&asking->to, &deployment->folders))
		status = statement_hand_over_asked(args, request->arena, deployment, asking->data, err);
	if (status != STATUS_INVALID) return status;
	return err_set(err, status, "the file asks for no folder: folder take-over makes one that does");
}

enum status folder_asking_read(
    struct actor_request *request, struct folder_asking *out, const struct action *asking, struct err *err) {
	struct folders_hand_over_args args;
	TRY(read_asking(request, &args, asking, err));
	*out = (struct folder_asking){args.statement.folder, args.statement.controller, args.statement.deadline};
	return STATUS_OK;
}

static enum status check_asking(const struct folders_hand_over *said, const struct folder *folder,
    const struct folder_signer *signer, uint64_t now_s, struct err *err) {
	const struct statement_controller *last = statement_folder_controller(&folder->said);
	const uint64_t used = signer->signed_number > signer->number ? signer->signed_number : signer->number;
	if (said->hand_over != folder->said.controller_count || !hash32_equal(&said->previous, &last->fact))
		return err_set(err, STATUS_DENIED, "the folder was handed over since it was asked for: ask again");
	if (said->deadline <= now_s) return err_set(err, STATUS_DENIED, "the asking is too old: ask again");
	if (said->deadline - now_s > ACTION_LIFE_SECONDS + CLOCKS_APART_S)
		return err_set(err, STATUS_DENIED, "the asking would stand for longer than a day: ask again");
	if (said->number <= used || said->number > used + NUMBERS_BETWEEN_MAX)
		return err_set(err, STATUS_DENIED, "the asking's number does not follow this home's: ask again");
	if (addr20_equal(&said->controller, &signer->address))
		return err_set(err, STATUS_INVALID, "the folder has this controller already");
	return STATUS_OK;
}

/* The folder's present key, for the new controller alone. */
static enum status seal_key(struct actor_request *request, struct bytes *out, const struct folder *folder,
    const struct folders_hand_over *said, struct err *err) {
	const struct p256_public audit = p256_public_of_words(&said->audit_x, &said->audit_y);
	struct p256_secret secret;
	struct buf wrap;
	TRY(folder_secret(request, &secret, &folder->id, folder->epoch, err));
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status =
	    wrap_seal(&wrap, WRAP_KEY, &audit, &folder->id, folder->epoch, &secret, request->random, err);
	mem_wipe(&secret, sizeof secret);
	if (status == STATUS_OK) *out = arena_dup(request->arena, buf_view(&wrap));
	buf_fini(&wrap);
	return status;
}

enum status folder_hand_over_action(
    struct actor_request *request, struct action *action, const struct action *asking, struct err *err) {
	struct folders_hand_over_args args;
	struct folder folder;
	struct folder_signer signer;
	struct bytes signature;
	uint64_t number;
	*action = (struct action){.to = request->home->deployment.folders};
	TRY(read_asking(request, &args, asking, err));
	const struct folders_hand_over *said = &args.statement;
	TRY(folder_find(request, &folder, &said->folder, err));
	if (folder.closed) return err_set(err, STATUS_DENIED, "the folder is forgotten");
	TRY(folder_signer_find(request, &signer, &folder, 0, err));
	TRY(check_asking(said, &folder, &signer, verified_now_s(&request->verified), err));
	TRY(seal_key(request, &action->key, &folder, said, err));
	signer.number = said->number - 1; /* so the next one is the asking's */
	TRY(folder_signer_take_number(request, &number, &signer, err));
	if (number != said->number)
		return err_set(err, STATUS_DENIED, "another program of this home signed meanwhile: ask again");
	TRY(sign_half(request, &signature, signer.controller_index, said, err));
	action->data = folders_hand_over_call(request->arena, said, signature, args.new_signature);
	return STATUS_OK;
}
