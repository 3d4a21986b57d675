/* Asking the gate contracts: local calls on the state of the head, with nobody's signature and no fee. */
#include "eth/abi.h"
#include "ledger/blob/blob_room.h"

#define ASK_GAS 10000000u /* over what the calldata of the largest transaction costs (EIP-7623), in blobsOf */

bool blob_gate_is(const struct blob_room *room, const addr20 *gate) {
	for (size_t i = 0; i < room->gate_count; i++)
		if (addr20_equal(&room->gates[i], gate)) return true;
	return false;
}

/* What a contract lets end must end on a chain that rests, too: the gate sees the clock's time, if it is later than the
 * newest block's. */
static struct chain_question question_of(
    const struct blob_room *room, const addr20 *gate, struct bytes input, const addr20 *from) {
	return (struct chain_question){.to = *gate,
	    .from = *from,
	    .input = input,
	    .gas = ASK_GAS,
	    .now_s = clock_now_ms(room->options.clock) / 1000};
}

static enum status ask(struct blob_room *room, bool *succeeded, struct buf *answer,
    const struct chain_question *question, struct err *err) {
	pthread_mutex_lock(&room->ask_lock);
	const enum status status = chain_ask(room->asker, succeeded, answer, question, err);
	pthread_mutex_unlock(&room->ask_lock);
	return status;
}

static enum status ask_by_nobody(struct blob_room *room, bool *succeeded, struct buf *answer, const addr20 *gate,
    struct bytes input, struct err *err) {
	static const addr20 nobody;
	const struct chain_question question = question_of(room, gate, input, &nobody);
	return ask(room, succeeded, answer, &question, err);
}

/* One word that says yes; a revert or anything else says no. */
static enum status ask_bool(
    struct blob_room *room, bool *yes, const addr20 *gate, struct bytes input, struct err *err) {
	struct buf answer;
	buf_init(&answer, 4096);
	bool succeeded;
	enum status status = ask_by_nobody(room, &succeeded, &answer, gate, input, err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	bool said = abi_bool(&reader);
	*yes = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK && said;
	buf_fini(&answer);
	return status;
}

static enum status ask_about_item(struct blob_room *room, bool *may, const char *signature, const addr20 *gate,
    const addr20 *who, const hash32 *item, struct err *err) {
	struct buf input;
	buf_init(&input, 256);
	abi_put_selector(&input, signature);
	abi_put_address(&input, who);
	abi_put_hash32(&input, item);
	enum status status = ask_bool(room, may, gate, buf_view(&input), err);
	buf_fini(&input);
	return status;
}

enum status blob_gate_may_get(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err) {
	return ask_about_item(room, may, "mayGet(address,bytes32)", gate, who, item, err);
}

enum status blob_gate_may_audit(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *list, struct err *err) {
	return ask_about_item(room, may, "mayAudit(address,bytes32)", gate, who, list, err);
}

enum status blob_gate_may_put_late(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err) {
	return ask_about_item(room, may, "mayPutLate(address,bytes32)", gate, who, item, err);
}

static enum status ask_may_put(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, uint64_t size, struct err *err) {
	struct buf input;
	buf_init(&input, 256);
	abi_put_selector(&input, "mayPut(address,uint256)");
	abi_put_address(&input, who);
	abi_put_u64(&input, size);
	enum status status = ask_bool(room, may, gate, buf_view(&input), err);
	buf_fini(&input);
	return status;
}

/* The place of an answer of this moment. */
static struct blob_may_put *kept_answer(struct blob_room *room, const addr20 *gate, const addr20 *who) {
	return &room->may_put[(who->b[19] ^ gate->b[19]) % BLOB_MAY_PUT_KEPT];
}

/* Whoever may put so much may put less, at this head and in this second. */
static bool is_kept(struct blob_room *room, const struct blob_may_put *wanted) {
	pthread_mutex_lock(&room->lock);
	const struct blob_may_put *kept = kept_answer(room, &wanted->gate, &wanted->who);
	const bool is = kept->size_bytes >= wanted->size_bytes && kept->head == wanted->head &&
			kept->second == wanted->second && addr20_equal(&kept->gate, &wanted->gate) &&
			addr20_equal(&kept->who, &wanted->who);
	pthread_mutex_unlock(&room->lock);
	return is;
}

static void keep(struct blob_room *room, const struct blob_may_put *answer) {
	pthread_mutex_lock(&room->lock);
	*kept_answer(room, &answer->gate, &answer->who) = *answer;
	pthread_mutex_unlock(&room->lock);
}

/* Asked for more than is needed, so that the next ones need no call of the contract. */
enum status blob_gate_may_put(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, uint64_t size, struct err *err) {
	struct chain_head *head = chain_head(room->chain);
	struct blob_may_put answer = {.gate = *gate,
	    .who = *who,
	    .head = head->header.number,
	    .second = clock_now_ms(room->options.clock) / 1000,
	    .size_bytes = size};
	chain_head_release(head);
	*may = size > 0 && is_kept(room, &answer);
	if (*may) return STATUS_OK;
	if (size > 0 && size < BLOB_MAY_PUT_BYTES) {
		TRY(ask_may_put(room, may, gate, who, BLOB_MAY_PUT_BYTES, err));
		answer.size_bytes = BLOB_MAY_PUT_BYTES;
		if (*may) keep(room, &answer);
		if (*may) return STATUS_OK;
	}
	return ask_may_put(room, may, gate, who, size, err);
}

enum status blob_gate_audit_of(
    struct blob_room *room, struct blob_gate_audit *out, const addr20 *gate, const hash32 *item, struct err *err) {
	struct buf input, answer;
	buf_init(&input, 256);
	buf_init(&answer, 4096);
	abi_put_selector(&input, "auditOf(bytes32)");
	abi_put_hash32(&input, item);
	bool succeeded;
	enum status status = ask_by_nobody(room, &succeeded, &answer, gate, buf_view(&input), err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	*out = (struct blob_gate_audit){.list = abi_hash32(&reader)};
	const hash32 x = abi_hash32(&reader), y = abi_hash32(&reader);
	memcpy(out->xy, x.b, 32);
	memcpy(out->xy + 32, y.b, 32);
	out->is_wanted = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK &&
			 !(hash32_is_zero(&x) && hash32_is_zero(&y));
	buf_fini(&input);
	buf_fini(&answer);
	return status;
}

static enum status ask_anchor(
    struct blob_room *room, bool *has, struct blob_anchor *out, const addr20 *gate, struct err *err) {
	struct buf input, answer;
	buf_init(&input, 256);
	buf_init(&answer, 4096);
	abi_put_selector(&input, "anchorOf(address)");
	abi_put_address(&input, &room->options.node);
	bool succeeded;
	const enum status status = ask_by_nobody(room, &succeeded, &answer, gate, buf_view(&input), err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	*out = (struct blob_anchor){.root = abi_hash32(&reader)};
	out->count = abi_u64(&reader);
	(void)abi_u64(&reader); /* when */
	*has = status == STATUS_OK && succeeded && abi_finish(&reader, NULL) == STATUS_OK;
	buf_fini(&input);
	buf_fini(&answer);
	return status;
}

enum status blob_gate_anchor(struct blob_room *room, const addr20 **gate, struct blob_anchor *out, struct err *err) {
	bool has = false;
	*gate = NULL;
	for (size_t i = 0; i < room->gate_count && !has; i++) {
		TRY(ask_anchor(room, &has, out, &room->gates[i], err));
		if (has) *gate = &room->gates[i];
	}
	if (!has) *out = (struct blob_anchor){.count = 0};
	return STATUS_OK;
}

enum status blob_gate_blobs_of(struct blob_room *room, hash32 blobs[BLOB_NAMES_MAX], size_t *count, const addr20 *gate,
    struct bytes input, struct err *err) {
	struct buf call, answer;
	buf_init(&call, input.len + 256);
	buf_init(&answer, 4096);
	abi_put_selector(&call, "blobsOf(bytes)");
	struct abi_row row = abi_row_begin(&call);
	size_t head = abi_reserve(&call);
	abi_tail(&row, head);
	abi_put_bytes(&call, input);
	bool succeeded;
	enum status status = ask_by_nobody(room, &succeeded, &answer, gate, buf_view(&call), err);
	struct abi_reader reader = abi_reader(buf_view(&answer));
	struct abi_reader names = abi_array(&reader, count);
	for (size_t i = 0; i < *count && i < BLOB_NAMES_MAX; i++) blobs[i] = abi_hash32(&names);
	if (!succeeded || abi_finish(&reader, NULL) != STATUS_OK) *count = 0;
	buf_fini(&call);
	buf_fini(&answer);
	return status;
}

enum status blob_gate_would_succeed(
    struct blob_room *room, bool *would, const addr20 *gate, struct bytes data, struct err *err) {
	const struct chain_question question = question_of(room, gate, data, &room->options.node);
	return ask(room, would, NULL, &question, err);
}

/* A put of nothing is within every quota. */
enum status blob_gate_knows(
    struct blob_room *room, bool *knows, const addr20 *gate, const addr20 *who, struct err *err) {
	return blob_gate_may_put(room, knows, gate, who, 0, err);
}

/* --- what a transaction would name --- */

struct claims {
	struct blob_room *room;
	struct blob_claim *out;
	size_t count;
};

static void note_claim(void *context, const struct log *log) {
	struct claims *claims = context;
	const hash32 named = abi_topic("BlobNamed(bytes32,bytes32,uint256)");
	if (log->topic_count != 3 || !hash32_equal(&log->topics[0], &named)) return;
	if (!blob_gate_is(claims->room, &log->address) || claims->count == BLOB_NAMES_MAX) return;
	struct abi_reader reader = abi_reader(log->data);
	struct blob_claim *claim = &claims->out[claims->count++];
	*claim = (struct blob_claim){.gate = log->address, .blob = log->topics[2], .size_bytes = abi_u64(&reader)};
	if (abi_finish(&reader, NULL) != STATUS_OK) claim->size_bytes = UINT64_MAX; /* larger than any blob */
}

enum status blob_gate_claims_of(struct blob_room *room, struct blob_claim claims[BLOB_NAMES_MAX], size_t *count,
    const struct transaction *tx, const addr20 *sender, struct err *err) {
	struct claims noted = {.room = room, .out = claims};
	struct chain_question question = question_of(room, &tx->to, tx->data, sender);
	bool succeeded;
	question.value_wei = tx->value_wei;
	question.gas = tx->gas_limit;
	question.event = note_claim;
	question.context = &noted;
	const enum status status = ask(room, &succeeded, NULL, &question, err);
	*count = noted.count;
	return status;
}

void blob_gate_confirm_erased_data(struct buf *out, const hash32 *item) {
	abi_put_selector(out, "confirmErased(bytes32)");
	abi_put_hash32(out, item);
}

void blob_gate_anchor_audit_data(struct buf *out, const struct blob_anchor *anchor) {
	abi_put_selector(out, "anchorAudit(bytes32,uint64)");
	abi_put_hash32(out, &anchor->root);
	abi_put_u64(out, anchor->count);
}
