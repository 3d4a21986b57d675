/* Breaking the glass in an emergency, and the review that follows it. */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "eth/abi.h"
#include "health/consent/consent_private.h"

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
		return err_set(err, STATUS_INVALID, "the blob of the reason is none");
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

static void put_break_glass(
    struct buf *data, const hash32 *folder, const hash32 *reason_hash, const hash32 *blob, uint64_t blob_bytes) {
	abi_put_selector(data, "breakGlass(bytes32,bytes32,bytes32,uint32)");
	abi_put_hash32(data, folder);
	abi_put_hash32(data, reason_hash);
	abi_put_hash32(data, blob);
	abi_put_u64(data, blob_bytes);
}

static bool glass_event_read(struct broken_glass *out, const struct log *log) {
	hash32 topic = abi_topic(GLASS_BROKEN_EVENT);
	if (log->topic_count != 4 || !hash32_equal(&log->topics[0], &topic)) return false;
	struct abi_reader reader = abi_reader(log->data);
	out->folder = log->topics[1];
	out->actor = abi_address_of_topic(&log->topics[2]);
	out->review = abi_u64_of_topic(&log->topics[3]);
	out->reason_hash = abi_hash32(&reader);
	out->until = abi_u64(&reader);
	return abi_finish(&reader, NULL) == STATUS_OK;
}

static enum status glass_of_receipt(
    struct actor_request *request, struct broken_glass *out, const struct client_receipt *receipt, struct err *err) {
	bool decided = false;
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		if (!addr20_equal(&log->address, &request->home->deployment.consent)) continue;
		if (glass_event_read(out, log)) continue;
		decided = access_event_read(&out->decision, log) || decided;
	}
	if (!decided || out->decision.permitted != (out->review != 0))
		return err_set(err, STATUS_INTERNAL, "the transaction holds no decision that makes sense");
	out->open = out->review != 0;
	out->block_number = out->decision.block_number = receipt->block_number;
	out->tx_hash = out->decision.tx_hash = receipt->tx_hash;
	return STATUS_OK;
}

enum status glass_break(struct actor_request *request, struct broken_glass *out, const hash32 *folder_id,
    struct bytes reason_text, struct err *err) {
	struct folder folder;
	struct action action = {.to = request->home->deployment.consent};
	struct client_receipt receipt;
	hash32 blob;
	struct buf sealed, data;
	*out = (struct broken_glass){.folder = *folder_id};
	if (reason_text.len == 0 || reason_text.len > GLASS_REASON_MAX)
		return err_set(err, STATUS_INVALID, "a reason takes 1 to %u bytes", GLASS_REASON_MAX);
	TRY(folder_find(request, &folder, folder_id, err));
	buf_init(&sealed, REASON_MAX);
	buf_init(&data, CALLDATA_MAX);
	enum status status = reason_seal(request, &sealed, &out->reason_hash, &folder, reason_text, err);
	if (status == STATUS_OK) status = consent_carry(request, &action, &blob, &sealed, 1, err);
	if (status == STATUS_OK) {
		put_break_glass(&data, folder_id, &out->reason_hash, &blob, action.blobs[0].container.len);
		action.data = buf_view(&data);
		status = action_relay(request, &receipt, &action, err);
	}
	buf_fini(&sealed);
	buf_fini(&data);
	TRY(status);
	return glass_of_receipt(request, out, &receipt, err);
}

enum status glass_wait(
    struct actor_request *request, const struct broken_glass *glass, uint64_t seconds, struct err *err) {
	const struct client_options *options = client_options_of(request->client);
	uint64_t begin = clock_monotonic_ns(request->clock);
	hash32 review = abi_topic_of_u64(glass->review);
	for (;;) {
		struct client_log *logs;
		size_t count;
		struct arena_mark mark = arena_mark(request->arena);
		enum status status = consent_logs(request, &logs, &count, glass->block_number, SHARE_RELEASED_EVENT,
		    (const hash32 *const[3]){&review}, err);
		arena_rewind(request->arena, mark);
		TRY(status);
		if (count) return STATUS_OK;
		if ((clock_monotonic_ns(request->clock) - begin) / 1000000000 >= seconds) break;
		options->sleep_ms(options->sleep_context, WAIT_STEP_MS);
	}
	return err_set(err, STATUS_TIMEOUT,
	    "the window is open, but no trustee has released the folder's key yet: ask the folder's trustees to run "
	    "`xinglin trustee serve`, then read");
}

/* --- the log --- */

enum status review_find(struct actor_request *request, struct review *out, uint64_t number, struct err *err) {
	struct buf data;
	struct abi_reader answer = {0};
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "reviewOf(uint64)");
	abi_put_u64(&data, number);
	enum status status = consent_call(request, &answer, &data, err);
	buf_fini(&data);
	TRY(status);
	out->folder = abi_hash32(&answer);
	out->actor = abi_address(&answer);
	out->until = abi_u64(&answer);
	out->open = abi_bool(&answer);
	TRY(abi_finish(&answer, err));
	if (!addr20_is_zero(&out->actor)) return STATUS_OK;
	return err_set(err, STATUS_NOTFOUND, "there is no review %llu", (unsigned long long)number);
}

/* For the controller. A reason that the node does not give or that is damaged stays NULL: the log is still of use. */
static void fetch_reason(struct actor_request *request, struct broken_glass *glass, const struct own_folder *own) {
	struct blob_asker asker;
	struct blob_verdict verdict;
	hash32 account, item = item_of_reason(glass->review);
	struct buf part;
	buf_init(&part, REASON_MAX);
	if (controller_asker(request, &asker, &account, own, NULL) == STATUS_OK &&
	    blobs_get_part(&asker, &part, &verdict, &request->home->deployment.consent, &item, 0, NULL) == STATUS_OK &&
	    verdict.ok &&
	    reason_open(request, &glass->reason, &glass->folder, &glass->reason_hash, buf_view(&part), NULL) !=
		STATUS_OK)
		glass->reason = NULL;
	mem_wipe(&account, sizeof account);
	buf_fini(&part);
}

/* How it went on: releases, and how it was closed. */
static enum status fill_review(struct actor_request *request, struct broken_glass *glass, struct err *err) {
	struct review review;
	struct client_log *logs;
	size_t count;
	hash32 number = abi_topic_of_u64(glass->review);
	TRY(review_find(request, &review, glass->review, err));
	glass->open = review.open;
	TRY(consent_logs(request, &logs, &glass->releases, glass->block_number, SHARE_RELEASED_EVENT,
	    (const hash32 *const[3]){&number}, err));
	TRY(consent_logs(
	    request, &logs, &count, glass->block_number, REVIEW_CLOSED_EVENT, (const hash32 *const[3]){&number}, err));
	if (count == 0) return STATUS_OK;
	struct abi_reader reader = abi_reader(logs[0].log.data);
	glass->justified = abi_bool(&reader);
	if (logs[0].log.topic_count == 3) glass->closed_by = abi_address_of_topic(&logs[0].log.topics[2]);
	return abi_finish(&reader, err);
}

enum status glass_log(
    struct actor_request *request, struct broken_glass **out, size_t *count, const hash32 *folder, struct err *err) {
	struct client_log *logs;
	struct own_folder own;
	bool controls = own_folder_load(request, &own, folder, NULL) == STATUS_OK;
	TRY(consent_logs(request, &logs, count, 0, GLASS_BROKEN_EVENT, (const hash32 *const[3]){folder}, err));
	*out = arena_zalloc(request->arena, *count, sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		struct broken_glass *glass = &(*out)[i];
		if (!glass_event_read(glass, &logs[i].log))
			return err_set(err, STATUS_INTERNAL, "the node shows an event that makes no sense");
		glass->block_number = logs[i].block_number;
		glass->timestamp = logs[i].timestamp;
		glass->tx_hash = logs[i].tx_hash;
		TRY(fill_review(request, glass, err));
		if (controls) fetch_reason(request, glass, &own);
	}
	return STATUS_OK;
}
