/* Breaking the glass in an emergency, and the review that follows it. */
#include "health/consent/glass.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "eth/sign.h"
#include "health/consent/consent_private.h"
#include "health/consent/emergency_shares.h"
#include "health/consent/looks.h"
#include "health/contracts/cause.h"
#include "health/records/folder.h"
#include "health/records/items.h"

#define REASON_MAX ((size_t)64 << 10)
#define WAIT_STEP_MS 500u

/* --- the sealed reason --- */

/* {"v":1,"text":"…","salt":"…"}, and what stands on the chain for it. */
static enum status reason_plaintext(
    struct buf *out, hash32 *hash, struct bytes text, const struct random_source *random, struct err *err) {
	uint8_t salt[32];
	struct buf encoded;
	random_fill(random, salt, sizeof salt);
	struct bytes parts[] = {bytes_make(salt, sizeof salt), text};
	*hash = sha256_parts(parts, 2);
	buf_init(&encoded, 64);
	base64url_put(&encoded, parts[0]);
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_string(&writer, "text", text);
	json_put_string(&writer, "salt", buf_view(&encoded));
	json_object_end(&writer);
	buf_fini(&encoded);
	return buf_status(out, err);
}

static enum status reason_seal(struct actor_request *request, struct buf *out, hash32 *hash,
    const struct folder *folder, struct bytes text, struct err *err) {
	struct buf plaintext, members;
	buf_init(&plaintext, REASON_MAX);
	buf_init(&members, 1024);
	struct json_writer writer = json_writer(&members);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "cty", "application/json");
	json_put_text(&writer, "typ", "xinglin-reason");
	json_put_hex(&writer, "fld", BYTES_OF(folder->id));
	json_put_u64(&writer, "epo", folder->epoch);
	json_object_end(&writer);
	enum status status = reason_plaintext(&plaintext, hash, text, request->random, err);
	if (status == STATUS_OK)
		status =
		    jwe_ecdh_seal(out, &folder->key, buf_view(&members), buf_view(&plaintext), request->random, err);
	buf_wipe(&plaintext);
	buf_fini(&members);
	return status;
}

/* Opens a reason of this folder and compares it with what stands on the chain. */
static enum status reason_open(struct actor_request *request, const char **text, const hash32 *folder,
    const hash32 *hash, struct bytes part, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	const struct json *root;
	uint64_t epoch;
	uint8_t salt[32];
	struct buf plaintext, decoded;
	TRY(jwe_read_header(&header, request->arena, part, err));
	if (!json_string_is(json_get(header.members, "typ"), "xinglin-reason") ||
	    !json_u64(&epoch, json_get(header.members, "epo")) || epoch == 0 || epoch > UINT32_MAX)
		return err_set(err, STATUS_INVALID, "the blob does not hold a sealed reason");
	TRY(folder_secret(request, &secret, folder, (uint32_t)epoch, err));
	buf_init(&plaintext, REASON_MAX);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, part, &secret, err);
	mem_wipe(&secret, sizeof secret);
	struct bytes json = arena_dup(request->arena, buf_view(&plaintext));
	buf_wipe(&plaintext);
	TRY(status);
	TRY(json_parse(&root, request->arena, json, NULL, err));
	struct bytes said = json_string(json_get(root, "text")), encoded = json_string(json_get(root, "salt"));
	buf_init(&decoded, sizeof salt);
	bool sound = said.data && encoded.data && base64url_data(&decoded, encoded) == STATUS_OK &&
		     decoded.len == sizeof salt && !decoded.overflow;
	if (sound) memcpy(salt, decoded.data, sizeof salt);
	buf_fini(&decoded);
	hash32 found = sound ? sha256_parts((struct bytes[]){bytes_make(salt, sizeof salt), said}, 2) : (hash32){{0}};
	if (!sound || !hash32_equal(&found, hash))
		return err_set(err, STATUS_INVALID, "the sealed reason is not the one that stands on the chain");
	*text = arena_strdup(request->arena, said);
	return STATUS_OK;
}

/* --- breaking --- */

/* What came of it, proved: the look that it added, and its review. */
static enum status find_decision(struct actor_request *request, struct glass_event *out,
    const struct access_asked *asked, const hash32 *fact, struct err *err) {
	struct consent_review review;
	enum status status = access_decision(request, &out->decision, asked, err);
	if (status == STATUS_NOTFOUND) {
		err_set(err, STATUS_DENIED,
		    "not proved: the node says that the contract has decided, and the chain holds no decision");
		return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
	}
	TRY(status);
	out->review = out->decision.review;
	if (!out->decision.permitted) return STATUS_OK;
	TRY(emergency_review(&request->verified, &review, out->review, err));
	TRY(statement_is_proved(fact, &review.fact, "the emergency", err));
	out->actor = review.actor;
	out->until = review.until;
	out->open = review.open;
	return STATUS_OK;
}

/* The emergency actor's statement, signed by its account. */
static enum status sign_emergency(
    struct actor_request *request, struct action *action, struct consent_emergency *message, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	struct eth_signature signature;
	TRY(action_deadline(request, &message->deadline, err));
	hash32 digest = consent_emergency_typed_digest(message, &domain);
	TRY(eth_sign_digest(&signature, &request->home->account_secret, &digest));
	action->data = consent_break_glass_call(request->arena, message, BYTES_OF(signature));
	return STATUS_OK;
}

/* Seals the reason to the folder, and signs the emergency. */
static enum status make_emergency(struct actor_request *request, struct action *action,
    struct consent_emergency *message, const struct folder *folder, struct bytes reason_text, struct err *err) {
	struct buf sealed;
	buf_init(&sealed, REASON_MAX);
	enum status status = reason_seal(request, &sealed, &message->reason_hash, folder, reason_text, err);
	if (status == STATUS_OK) status = consent_carry(request, action, &message->reason, &sealed, 1, err);
	buf_fini(&sealed);
	TRY(status);
	message->reason_size = (uint32_t)action->blobs[0].container.len;
	return sign_emergency(request, action, message, err);
}

enum status glass_break(struct actor_request *request, struct glass_event *out, const hash32 *folder_id,
    struct bytes reason_text, struct err *err) {
	struct folder folder;
	struct action action = {.to = request->home->deployment.consent};
	struct client_receipt receipt;
	struct consent_emergency message = {.folder = *folder_id, .actor = request->home->account};
	struct access_asked asked = {.folder = *folder_id, .purpose = PURPOSE_ETREAT};
	struct verified *verified;
	*out = (struct glass_event){.folder = *folder_id};
	if (reason_text.len == 0 || reason_text.len > GLASS_REASON_MAX)
		return err_set(err, STATUS_INVALID, "a reason takes 1 to %u bytes", GLASS_REASON_MAX);
	TRY(folder_find(request, &folder, folder_id, err));
	TRY(make_emergency(request, &action, &message, &folder, reason_text, err));
	out->reason_hash = message.reason_hash;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(looks_state(verified, &asked.before, folder_id, err));
	enum status status = action_send(request, &receipt, &action, err);
	if (status != STATUS_OK) return access_was_refused(request, &asked, status, err);
	const hash32 fact = consent_emergency_typed_hash(&message);
	TRY(find_decision(request, out, &asked, &fact, err));
	out->block_number = out->decision.block_number = receipt.block_number;
	out->tx_hash = out->decision.tx_hash = receipt.tx_hash;
	return STATUS_OK;
}

/* Do the trustees' releases open the folder's newest epoch? Each is checked once enough of them are proved. */
static enum status is_released(
    struct actor_request *request, bool *out, const struct glass_event *glass, struct err *err) {
	struct verified *verified;
	struct folder folder;
	struct consent_review review;
	struct emergency_shares shares;
	*out = false;
	TRY(folder_find(request, &folder, &glass->folder, err));
	TRY(emergency_shares_released(request, &shares, glass->review, &folder.newest, err));
	if (!shares.needed || shares.released < shares.needed) return STATUS_OK;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(emergency_review(verified, &review, glass->review, err));
	enum status status = emergency_shares_read(request, &shares, glass->review, &review, &folder.newest, err);
	*out = status == STATUS_OK && shares.count >= shares.needed;
	mem_wipe(&shares, sizeof shares);
	return status;
}

enum status glass_wait(
    struct actor_request *request, const struct glass_event *glass, uint64_t seconds, struct err *err) {
	const struct client_options *options = client_options_of(request->client);
	uint64_t begin = clock_monotonic_ns(request->clock);
	for (;;) {
		const struct arena_mark mark = arena_mark(request->arena);
		bool released;
		request->verified = (struct verified){0}; /* each look at a head of its own, which it forgets */
		enum status looked = is_released(request, &released, glass, err);
		request->verified = (struct verified){0};
		arena_rewind(request->arena, mark);
		TRY(looked);
		if (released) return STATUS_OK;
		if ((clock_monotonic_ns(request->clock) - begin) / 1000000000 >= seconds) break;
		options->sleep_ms(options->sleep_context, WAIT_STEP_MS);
	}
	enum status status = err_set(err, STATUS_TIMEOUT,
	    "the window is open, but too few trustees have released their shares of the "
	    "folder's key yet");
	return err_because(err, CAUSE_NO_RELEASE, status);
}

/* --- the log --- */

/* For the controller. A reason that the node does not give or that is damaged stays NULL: the log is still of use. */
static void fetch_reason(struct actor_request *request, struct glass_event *glass, const struct own_folder *own) {
	struct blob_asker asker;
	struct blob_verdict verdict;
	hash32 account, item = item_of_reason(glass->review);
	struct buf part;
	buf_init(&part, REASON_MAX);
	if (consent_asker(request, &asker, &account, own, NULL) == STATUS_OK &&
	    blobs_get_part(&asker, &part, &verdict, &request->home->deployment.consent, &item, 0, NULL) == STATUS_OK &&
	    verdict.ok &&
	    reason_open(request, &glass->reason, &glass->folder, &glass->reason_hash, buf_view(&part), NULL) !=
		STATUS_OK)
		glass->reason = NULL;
	mem_wipe(&account, sizeof account);
	buf_fini(&part);
}

/* Of the trustees whom the node names, those whose release is proved: it may leave some out, and invents none. */
static enum status count_releases(
    struct actor_request *request, struct glass_event *glass, const struct consent_review *review, struct err *err) {
	const struct contract_topics topics = consent_share_released_event_topics(&glass->review, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.consent, review->stated_at, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct consent_share_released_event event;
		struct consent_stored_item item;
		TRY(consent_share_released_event_read(&event, &logs[i].log, err));
		TRY(emergency_release(&request->verified, &item, glass->review, &event.trustee, event.epoch, err));
		glass->releases += item.kind == CONSENT_ITEM_KIND_RELEASE;
		glass->false_releases += item.refused;
	}
	return STATUS_OK;
}

/* Its review, what its actor signed, and how it went on. */
static enum status fill_review(struct actor_request *request, struct glass_event *glass, struct err *err) {
	struct consent_review review;
	struct statement_emergency said;
	TRY(emergency_review(&request->verified, &review, glass->review, err));
	TRY(emergency_statement(&request->verified, &said, glass->review, &review, err));
	glass->open = review.open;
	glass->until = review.until;
	glass->justified = review.justified;
	glass->closed_by = review.closed_by;
	glass->reason_hash = said.reason_hash;
	return count_releases(request, glass, &review, err);
}

/* Emergencies among the looks, newest first. */
struct emergencies {
	struct arena *arena;
	struct glass_event *events;
	size_t count, cap;
};

static enum status keep_emergency(void *context, const struct access_event *event, struct err *err) {
	struct emergencies *found = context;
	(void)err;
	if (event->review == 0) return STATUS_OK;
	if (found->count == found->cap) {
		const size_t cap = found->cap ? 2 * found->cap : 16;
		struct glass_event *more = arena_zalloc(found->arena, cap, sizeof *more);
		if (found->count) memcpy(more, found->events, found->count * sizeof *more);
		found->events = more;
		found->cap = cap;
	}
	found->events[found->count++] = (struct glass_event){.review = event->review,
	    .folder = event->folder,
	    .actor = event->actor,
	    .decision = *event,
	    .timestamp = event->timestamp,
	    .block_number = event->block_number,
	    .tx_hash = event->tx_hash};
	return STATUS_OK;
}

enum status glass_log(
    struct actor_request *request, struct glass_event **out, size_t *count, const hash32 *folder, struct err *err) {
	struct own_folder own;
	struct verified *verified;
	struct emergencies found = {.arena = request->arena};
	const struct looks looks = {.folder = *folder, .visit = keep_emergency, .context = &found};
	bool controls = own_folder_load(request, &own, folder, NULL) == STATUS_OK;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(looks_read(verified, &looks, err));
	for (size_t i = 0; i < found.count; i++) {
		TRY(fill_review(request, &found.events[i], err));
		if (controls) fetch_reason(request, &found.events[i], &own);
	}
	*out = found.events;
	*count = found.count;
	return STATUS_OK;
}
