/* Asking for a head, and who signed it. */
#include "codec/hex.h"
#include "health/chain/heads_private.h"
#include "health/contracts/cause.h"

#define WITNESS_TRIES 30u
#define WITNESS_WAIT_MS 100u /* a witness executes a block after the sealer */

bool head_is_young(const struct head *head, uint64_t asked_ms, uint32_t max_age_s) {
	const uint64_t time_ms = head->time_s < UINT64_MAX / 1000 ? head->time_s * 1000 : UINT64_MAX;
	const uint64_t newest_ms = head->known_ms > time_ms || max_age_s == HEADS_FRESH ? head->known_ms : time_ms;
	const uint64_t age_ms = (uint64_t)max_age_s * 1000;
	return newest_ms != 0 && newest_ms + age_ms >= asked_ms;
}

static enum status deny(struct err *err, const char *what) {
	err_set(err, STATUS_DENIED, "the node's head is not believed: %s", what);
	return heads_not_proved(err);
}

static enum status read_header(struct head *out, struct arena *arena, const struct json *header, struct err *err) {
	struct bytes rlp;
	TRY(client_answer_data(&rlp, arena, header, "header", err));
	return head_decode(out, rlp, NULL) == STATUS_OK ? STATUS_OK : deny(err, "its header is not one");
}

/* --- what the node shows --- */

/* With our challenge. *answer NULL: the node signs none. */
static enum status ask_challenged(struct head *out, const struct json **answer, const struct head_question *q,
    const hash32 *challenge, struct err *err) {
	enum status status =
	    client_rpc(q->client, answer, NULL, q->arena, "xinglin_head", client_hash_param(q->arena, challenge), err);
	if (status == STATUS_DENIED) *answer = NULL;
	if (status != STATUS_OK) return status == STATUS_DENIED ? STATUS_OK : status;
	TRY(read_header(out, q->arena, json_get(*answer, "header"), err));
	out->known_ms = q->asked_ms;
	if (q->options->authority) return STATUS_OK;
	out->challenge = *challenge;
	return client_answer_fixed(
	    out->signature.b, sizeof out->signature.b, json_get(*answer, "signature"), "head's signature", err);
}

static enum status ask_header(struct head *out, const struct head_question *q, struct bytes params, struct err *err) {
	const struct json *header;
	TRY(client_rpc(q->client, &header, NULL, q->arena, "debug_getRawHeader", params, err));
	return read_header(out, q->arena, header, err);
}

/* The newest header and its seal; an older one than a challenge would have shown may be hidden so. */
static enum status ask_sealed(struct head *out, const struct head_question *q, struct err *err) {
	const struct json *seal;
	TRY(ask_header(out, q, BYTES_LITERAL("[\"latest\"]"), err));
	enum status status = client_rpc(
	    q->client, &seal, NULL, q->arena, "xinglin_sealOf", client_hash_param(q->arena, &out->hash), err);
	if (status == STATUS_DENIED || (status == STATUS_OK && json_is(seal, JSON_NULL)))
		return deny(err, "nobody sealed it");
	TRY(status);
	return client_answer_fixed(out->signature.b, sizeof out->signature.b, json_get(seal, "signature"), "seal", err);
}

/* --- who signed it --- */

static struct head_statement statement_of(const struct head *head, const hash32 *challenge) {
	return (struct head_statement){head->number, head->hash, head->time_s, *challenge};
}

static enum status check_sealer(const struct head *head, const struct head_question *q, struct err *err) {
	const struct head_statement statement = statement_of(head, &head->challenge);
	const hash32 digest = hash32_is_zero(&head->challenge) ? seal_digest(q->domain, head->number, &head->hash)
							       : head_digest(q->domain, &statement);
	addr20 signer;
	if (eth_signer(&signer, &head->signature, &digest) == STATUS_OK &&
	    addr20_equal(&signer, &q->options->anchor->sealer))
		return STATUS_OK;
	return deny(err, "the sealer of this home's deployment did not sign it");
}

static enum status check_authority(
    struct head *head, const struct json *answer, const struct head_question *q, struct err *err) {
	const struct head_authority *authority = q->options->authority;
	const struct head_shown shown = {q->client, q->arena, answer};
	if (!authority) return check_sealer(head, q, err);
	enum status status = authority->check(authority->context, head, &shown, err);
	if (head->known_ms > q->asked_ms) head->known_ms = q->asked_ms; /* its maker's clock may be in front of ours */
	return status == STATUS_DENIED && !(err && err->cause) ? heads_not_proved(err) : status;
}

/* --- witnesses --- */

/* "challenge", "hash": this block, if it has executed it and it is its newest, or was shortly before. */
static struct bytes witness_params(struct arena *arena, const struct head_statement *statement) {
	struct buf text;
	buf_init(&text, 256);
	struct json_writer writer = json_writer(&text);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(statement->challenge));
	json_put_hex(&writer, NULL, BYTES_OF(statement->hash));
	json_array_end(&writer);
	struct bytes params = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return params;
}

/* Does this witness sign the block? Waits a little for one that has not executed it yet. */
static bool has_witnessed(
    const struct deployment_witness *witness, const struct head_statement *statement, const struct head_question *q) {
	const hash32 digest = head_digest(q->domain, statement);
	const struct bytes params = witness_params(q->arena, statement);
	for (unsigned i = 0; i < WITNESS_TRIES; i++) {
		struct client_question question = {.method = "xinglin_head", .params = params};
		struct eth_signature signature;
		addr20 signer;
		enum status status = client_ask_at(q->client, witness->url, &question, q->arena, NULL);
		const struct json *text = json_get(question.result, "signature");
		if (status == STATUS_OK)
			return hex_fixed(signature.b, sizeof signature.b, json_string(text)) == STATUS_OK &&
			       eth_signer(&signer, &signature, &digest) == STATUS_OK &&
			       addr20_equal(&signer, &witness->account);
		if (status != STATUS_DENIED || !q->options->sleep_ms) return false;
		q->options->sleep_ms(q->options->sleep_context, WITNESS_WAIT_MS);
	}
	return false;
}

static enum status check_witnesses(
    const struct head *head, const hash32 *challenge, const struct head_question *q, struct err *err) {
	const struct deployment *anchor = q->options->anchor;
	const struct head_statement statement = statement_of(head, challenge);
	unsigned signatures = 0;
	for (size_t i = 0; i < anchor->witness_count && signatures < anchor->witness_threshold; i++)
		signatures += has_witnessed(&anchor->witnesses[i], &statement, q);
	if (signatures >= anchor->witness_threshold) return STATUS_OK;
	err_set(err, STATUS_DENIED,
	    "the head, block %llu, is not believed: %u of %zu witnesses signed it, and the deployment asks for %u",
	    (unsigned long long)head->number, signatures, anchor->witness_count, anchor->witness_threshold);
	return heads_not_proved(err);
}

/* --- time --- */

static enum status check_time(const struct head *head, const struct head_question *q, struct err *err) {
	const uint64_t now_s = clock_now_ms(q->options->clock) / 1000;
	if (head->time_s > now_s + HEADS_AHEAD_S)
		err_set(err, STATUS_DENIED,
		    "the head is not believed: this computer's clock is %llu seconds behind the time of block %llu; "
		    "%u are allowed",
		    (unsigned long long)(head->time_s - now_s), (unsigned long long)head->number, HEADS_AHEAD_S);
	else if (!head_is_young(head, q->asked_ms, q->max_age_s))
		err_set(err, STATUS_DENIED,
		    "the head is too old: block %llu was made %llu seconds ago, and at most %u are allowed",
		    (unsigned long long)head->number,
		    (unsigned long long)(now_s > head->time_s ? now_s - head->time_s : 0), q->max_age_s);
	else
		return STATUS_OK;
	return err_because(err, CAUSE_OLD_HEAD, STATUS_DENIED);
}

/* Somebody else's chain, whose heads nobody signs: witnesses alone say which block is the newest. */
static enum status ask_witnessed(
    struct head *out, const struct head_question *q, const hash32 *challenge, struct err *err) {
	TRY(ask_header(out, q, BYTES_LITERAL("[\"finalized\"]"), err));
	TRY(check_witnesses(out, challenge, q, err));
	out->known_ms = q->asked_ms;
	return STATUS_OK;
}

static enum status ask_signed(
    struct head *out, const struct head_question *q, const hash32 *challenge, struct err *err) {
	const bool has_authority = q->options->authority != NULL;
	const struct json *answer;
	TRY(ask_challenged(out, &answer, q, challenge, err));
	if (!answer && (q->max_age_s == HEADS_FRESH || has_authority)) {
		err_prefix(err, STATUS_DENIED, "the node proves no head for this request");
		return heads_not_proved(err);
	}
	if (!answer) TRY(ask_sealed(out, q, err));
	TRY(check_authority(out, answer, q, err));
	return check_witnesses(out, challenge, q, err);
}

enum status head_ask(struct head *out, const struct head_question *q, struct err *err) {
	struct head_question timed = *q;
	hash32 challenge;
	random_fill(q->options->random, challenge.b, sizeof challenge.b);
	if (addr20_is_zero(&q->options->anchor->sealer) && !q->options->authority)
		TRY(ask_witnessed(out, q, &challenge, err));
	else
		TRY(ask_signed(out, q, &challenge, err));
	if (q->options->authority && q->max_age_s == HEADS_FRESH) timed.max_age_s = HEADS_QUIET_S;
	return check_time(out, &timed, err);
}
