/* Sharing and taking back: what a folder's controller signs, or a delegate (IConsent.grant, IConsent.revoke). */
#include "health/consent/grants.h"

#include "codec/hex.h"
#include "envelope/jwe.h"
#include "health/consent/consent_private.h"
#include "health/consent/purpose.h"
#include "health/contracts/cause.h"
#include "health/records/lead_lock.h"
#include "health/records/record.h"
#include "health/records/signer.h"
#include "health/records/wrap.h"

#define UINT40_MAX (((uint64_t)1 << 40) - 1)
#define STATUS_OF_ACTOR_ACTIVE 1
#define OWN_GRANT_SECONDS (10u * 365u * 86400u)

/* What a grant goes to the chain with. */
struct grant {
	const struct grant_terms *sharing;
	hash32 wrap; /* zero without the read right */
	uint64_t wrap_bytes;
	uint64_t deadline;
};

/* The contract's rules, checked before anything is signed. */
static enum status check(const struct grant_terms *s, const struct folder *folder, uint64_t now, struct err *err) {
	if (folder->closed) return err_set(err, STATUS_DENIED, "the folder was forgotten: nothing of it can be shared");
	if (addr20_equal(&s->grantee, &folder->controller))
		return err_set(err, STATUS_INVALID, "a folder needs no grant for its own controller");
	if (s->rights == 0 || s->rights > 15 || s->purposes >> PURPOSE_COUNT)
		return err_set(err, STATUS_INVALID, "a grant needs at least one right and known purposes");
	if (s->rights & RIGHT_READ && s->purposes == 0)
		return err_set(err, STATUS_INVALID, "the right to read needs a purpose of use");
	if (s->until <= s->from || s->until <= now || s->until > UINT40_MAX)
		return err_set(err, STATUS_INVALID, "a grant ends after it begins, and in the future");
	if (!hash32_is_zero(&s->record) && s->rights & ~(RIGHT_READ | RIGHT_SHARE))
		return err_set(err, STATUS_INVALID, "one record can be shared for reading; writing needs the folder");
	return STATUS_OK;
}

static enum status check_grantee(
    struct actor_request *request, struct directory_listed *grantee, bool accept_changed_key, struct err *err) {
	if (grantee->status != STATUS_OF_ACTOR_ACTIVE)
		return err_set(err, STATUS_DENIED, "%s is suspended or withdrawn in the directory", grantee->name);
	if (!grantee->key_changed) return STATUS_OK;
	if (!accept_changed_key)
		return err_because(err, CAUSE_KEY_CHANGED,
		    err_set(err, STATUS_DENIED,
			"%s has another encryption key than this home has seen before: ask them whether they changed "
			"it%s",
			grantee->name, directory_key_origin(request->arena, grantee)));
	return directory_accept_key(request, grantee, err);
}

/* --- wraps --- */

static enum status wrap_folder(struct actor_request *request, struct buf *wrap, const struct folder *folder,
    const struct directory_listed *grantee, struct err *err) {
	struct p256_secret secret;
	TRY(folder_secret(request, &secret, &folder->id, folder->epoch, err));
	enum status status =
	    wrap_seal(wrap, WRAP_KEY, &grantee->key, &folder->id, folder->epoch, &secret, request->random, err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

static enum status lead_members(struct buf *out, const struct record_registration *registration, struct err *err) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "cty", "application/json");
	json_put_text(&writer, "typ", "xinglin-record");
	json_put_hex(&writer, "fld", BYTES_OF(registration->folder));
	json_put_u64(&writer, "epo", registration->epoch);
	json_put_hex(&writer, "rec", BYTES_OF(registration->record));
	json_object_end(&writer);
	return buf_status(out, err);
}

/* The lead's plaintext, checked to be this record's. */
static enum status lead_get(struct actor_request *request, struct buf *plaintext, const struct folder_signer *signer,
    const struct record_registration *registration, struct err *err) {
	struct blob_asker asker = request_asker(request);
	struct blob_verdict verdict;
	struct p256_secret secret;
	hash32 account;
	struct buf part, unlocked;
	const struct record_place place = {registration->folder, registration->epoch, registration->record};
	struct record_lead lead;
	TRY(folder_secret(request, &secret, &registration->folder, registration->epoch, err));
	buf_init(&part, CONTAINER_PART_MAX);
	buf_init(&unlocked, CONTAINER_PART_MAX);
	const struct own_folder own = {.controller_index = signer->controller_index};
	enum status status = STATUS_OK;
	if (!signer->is_delegate) status = consent_asker(request, &asker, &account, &own, err);
	if (status == STATUS_OK)
		status = blobs_get_part(
		    &asker, &part, &verdict, &request->home->deployment.records, &registration->record, 0, err);
	if (status == STATUS_OK && !verdict.ok)
		status = err_set(
		    err, STATUS_DENIED, "the node does not give the record: %s (%s)", verdict.detail, verdict.code);
	if (status == STATUS_OK)
		status = lead_lock_open(request, &unlocked, &asker, &registration->record, buf_view(&part), err);
	if (status == STATUS_OK)
		status = record_lead_open(&lead, request->arena, &place, &secret, buf_view(&unlocked), err);
	if (status == STATUS_OK) {
		mem_wipe(&lead, sizeof lead);
		status = jwe_ecdh_open(plaintext, NULL, request->arena, buf_view(&unlocked), &secret, err);
	}
	mem_wipe(&secret, sizeof secret);
	mem_wipe(&account, sizeof account);
	buf_fini(&unlocked);
	buf_fini(&part);
	return status;
}

static enum status wrap_record(struct actor_request *request, struct buf *wrap, const struct folder_signer *signer,
    const hash32 *record, const struct directory_listed *grantee, struct err *err) {
	struct record_registration registration;
	TRY(record_find(request, &registration, record, err));
	if (!hash32_equal(&registration.folder, &signer->folder))
		return err_set(err, STATUS_NOTFOUND, "the record is not in this folder");
	if (registration.state != RECORD_REGISTERED) return err_set(err, STATUS_DENIED, "the record was erased");
	struct buf plaintext, members, sealed;
	buf_init(&sealed, CONTAINER_PART_MAX);
	buf_init(&plaintext, CONTAINER_PART_MAX);
	buf_init(&members, 1024);
	enum status status = lead_get(request, &plaintext, signer, &registration, err);
	if (status == STATUS_OK) status = lead_members(&members, &registration, err);
	if (status == STATUS_OK)
		status = jwe_ecdh_seal(
		    &sealed, &grantee->key, buf_view(&members), buf_view(&plaintext), request->random, err);
	if (status == STATUS_OK)
		status =
		    lead_lock_put(wrap, &request->home->deployment, record, buf_view(&sealed), request->random, err);
	buf_fini(&sealed);
	buf_wipe(&plaintext);
	buf_fini(&members);
	return status;
}

static enum status make_wrap(struct actor_request *request, struct action *action, struct grant *grant,
    const struct folder_signer *signer, const struct folder *folder, const struct directory_listed *grantee,
    struct err *err) {
	struct buf wrap;
	buf_init(&wrap, CONTAINER_PART_MAX);
	enum status status = hash32_is_zero(&grant->sharing->record)
				 ? wrap_folder(request, &wrap, folder, grantee, err)
				 : wrap_record(request, &wrap, signer, &grant->sharing->record, grantee, err);
	if (status == STATUS_OK) status = consent_carry(request, action, &grant->wrap, &wrap, 1, err);
	if (status == STATUS_OK) grant->wrap_bytes = action->blobs[0].container.len;
	buf_fini(&wrap);
	return status;
}

/* --- signing --- */

static enum status sign_grant(struct actor_request *request, struct action *action, const struct folder_signer *signer,
    struct consent_grant *message, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	uint8_t signature[65];
	TRY(folder_signer_take_number(request, &message->number, signer, err));
	hash32 digest = consent_grant_typed_digest(message, &domain);
	TRY(folder_sign(request, signature, signer, &digest, err));
	action->to = deployment->consent;
	action->data = consent_grant_call(request->arena, message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

/* Nobody whom somebody else granted something is touched by a delegate, nor does it give more than it has. */
static enum status check_delegate(struct actor_request *request, const struct folder_signer *signer,
    const hash32 *record, const addr20 *grantee, struct err *err) {
	struct consent_grant_state state;
	if (!signer->is_delegate) return STATUS_OK;
	TRY(folder_grant_find(request, &state, &signer->folder, record, grantee, err));
	if (hash32_is_zero(&state.fact) || addr20_equal(&state.delegate, &signer->address)) return STATUS_OK;
	return err_set(err, STATUS_DENIED,
	    "somebody else than this home's account has decided what that account may do here: only the folder's "
	    "controller changes it");
}

static enum status check_within(const struct folder_signer *signer, const struct grant_terms *s, struct err *err) {
	const struct statement_grant *own = &signer->right;
	if (!signer->is_delegate) return STATUS_OK;
	if (addr20_equal(&s->grantee, &signer->address))
		return err_set(err, STATUS_INVALID, "a delegate grants itself nothing");
	if (s->rights & (RIGHT_SHARE | RIGHT_ROTATE))
		return err_set(
		    err, STATUS_DENIED, "only the folder's controller grants the rights to share and to rotate");
	if (s->rights & ~own->rights)
		return err_set(
		    err, STATUS_DENIED, "this home's account does not hold all the rights that it would grant");
	if (s->purposes & ~own->purposes)
		return err_set(err, STATUS_DENIED,
		    "this home's account does not hold the folder for all the purposes that it would grant");
	if (s->until > own->until)
		return err_set(err, STATUS_DENIED,
		    "the grant would outlast this home's own, which ends at second %llu: take fewer days",
		    (unsigned long long)own->until);
	return STATUS_OK;
}

enum status grant_action(
    struct actor_request *request, struct action *action, const struct grant_terms *sharing, struct err *err) {
	struct folder_signer signer;
	struct folder folder;
	struct directory_listed grantee;
	struct grant grant = {.sharing = sharing};
	*action = (struct action){0};
	TRY(folder_find(request, &folder, &sharing->folder, err));
	TRY(folder_signer_find(request, &signer, &folder, RIGHT_SHARE, err));
	TRY(action_deadline(request, &grant.deadline, err));
	TRY(check(sharing, &folder, grant.deadline - ACTION_LIFE_SECONDS, err));
	TRY(check_within(&signer, sharing, err));
	TRY(check_delegate(request, &signer, &sharing->record, &sharing->grantee, err));
	TRY(directory_find(request, &grantee, &sharing->grantee, err));
	TRY(check_grantee(request, &grantee, sharing->accept_changed_key, err));
	if (sharing->rights & RIGHT_READ) TRY(make_wrap(request, action, &grant, &signer, &folder, &grantee, err));
	struct consent_grant message = {.folder = sharing->folder,
	    .record = sharing->record,
	    .grantee = sharing->grantee,
	    .key_version = grantee.key_version,
	    .rights = sharing->rights,
	    .purposes = sharing->purposes,
	    .from = sharing->from,
	    .until = sharing->until,
	    .epoch = folder.epoch,
	    .wrap = grant.wrap,
	    .wrap_size = (uint32_t)grant.wrap_bytes,
	    .by = signer.address,
	    .deadline = grant.deadline};
	return sign_grant(request, action, &signer, &message, err);
}

/* --- revoking --- */

static enum status require_grant(
    struct actor_request *request, const hash32 *folder, const hash32 *record, const addr20 *grantee, struct err *err) {
	struct consent_grant_state grant;
	TRY(folder_grant_find(request, &grant, folder, record, grantee, err));
	if (grant.rights && !grant.revoked) return STATUS_OK;
	return err_set(err, STATUS_NOTFOUND, "there is no grant to this account here that could be revoked%s",
	    grant.revoked ? ": it was revoked before" : "");
}

enum status grant_revoke_action(struct actor_request *request, struct action *action, const hash32 *folder_id,
    const hash32 *record, const addr20 *grantee, struct err *err) {
	struct folder_signer signer;
	struct folder folder;
	struct consent_revoke message = {.folder = *folder_id, .record = *record, .grantee = *grantee};
	const struct deployment *deployment = &request->home->deployment;
	uint8_t signature[65];
	*action = (struct action){.to = deployment->consent};
	TRY(folder_find(request, &folder, folder_id, err));
	TRY(folder_signer_find(request, &signer, &folder, RIGHT_SHARE, err));
	TRY(check_delegate(request, &signer, record, grantee, err));
	/* What was signed and is not on the chain yet may be a grant that somebody holds back: this voids it. */
	if (signer.signed_number <= signer.number) TRY(require_grant(request, folder_id, record, grantee, err));
	TRY(action_deadline(request, &message.deadline, err));
	message.by = signer.address;
	TRY(folder_signer_take_number(request, &message.number, &signer, err));
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	hash32 digest = consent_revoke_typed_digest(&message, &domain);
	TRY(folder_sign(request, signature, &signer, &digest, err));
	action->data = consent_revoke_call(request->arena, &message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

enum status grant_folder_to_self(struct actor_request *request, hash32 *folder, const char *label, struct err *err) {
	const struct folder_opening opening = {.label = label};
	struct action action;
	struct client_receipt receipt;
	struct verified *verified;
	TRY(folder_open_action(request, &action, folder, &opening, err));
	TRY(action_send(request, &receipt, &action, err));
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	const uint64_t now_s = verified->head.time_s;
	struct grant_terms terms = {.folder = *folder,
	    .grantee = request->home->account,
	    .rights = RIGHT_READ | RIGHT_WRITE,
	    .from = now_s,
	    .until = now_s + OWN_GRANT_SECONDS};
	TRY(purposes_parse(&terms.purposes, BYTES_LITERAL("TREAT"), err));
	TRY(grant_action(request, &action, &terms, err));
	return action_send(request, &receipt, &action, err);
}
