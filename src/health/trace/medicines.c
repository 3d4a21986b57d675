/* Operations as calldata, captures, transactions; refusals in words. Views are in medicines_views.c. */
#include "health/trace/medicines.h"

#include "eth/abi.h"

#define CALLDATA_MAX ((size_t)1 << 20)

const char *medicines_code_name(enum medicines_code code) {
	static const char *const names[] = {
#define CODE_NAME(name, text) #name,
	    MEDICINES_CODES(CODE_NAME)
#undef CODE_NAME
	};
	return (unsigned)code < MEDICINES_CODE_COUNT ? names[code] : "UNKNOWN";
}

const char *medicines_code_text(enum medicines_code code) {
	static const char *const texts[] = {
#define CODE_TEXT(name, text) text,
	    MEDICINES_CODES(CODE_TEXT)
#undef CODE_TEXT
	};
	return (unsigned)code < MEDICINES_CODE_COUNT ? texts[code]
						     : "the contract knows a reason that this program does not";
}

const char *medicines_state_name(unsigned state) {
	static const char *const names[UNIT_STATE_COUNT] = {"NONE", "ACTIVE", "HELD", "DISPENSED", "PARTIAL",
	    "DESTROYED", "STOLEN", "SAMPLED", "EXPORTED", "LOST", "CONSUMED", "RECALLED", "VOID",
	    "LOCKED", [UNIT_PACKED] = "PACKED", "IN_TRANSIT", "EXPIRED", "BATCH_RECALLED", "WITHDRAWN"};
	return state < UNIT_STATE_COUNT && names[state] ? names[state] : "UNKNOWN";
}

const char *medicines_purpose_name(unsigned purpose) {
	static const char *const names[] = {"trade", "return", "quarantine", "destruction"};
	return purpose < SHIPPING_PURPOSE_COUNT ? names[purpose] : "unknown";
}

/* --- operations --- */

static struct bytes finish(struct arena *arena, struct buf *out) {
	BUG_ON(out->overflow);
	struct bytes data = arena_dup(arena, buf_view(out));
	buf_fini(out);
	return data;
}

static struct buf begin(const char *signature) {
	struct buf out;
	buf_init(&out, CALLDATA_MAX);
	abi_put_selector(&out, signature);
	return out;
}

struct bytes op_open_batch(struct arena *arena, const hash32 *product, const hash32 *tag, uint64_t expiry_s,
    const hash32 *root, uint32_t count) {
	struct buf out = begin("openBatch(bytes32,bytes32,uint40,bytes32,uint32)");
	abi_put_hash32(&out, product);
	abi_put_hash32(&out, tag);
	abi_put_u64(&out, expiry_s);
	abi_put_hash32(&out, root);
	abi_put_u64(&out, count);
	return finish(arena, &out);
}

struct bytes op_commission(struct arena *arena, const hash32 *batch, const hash32 *tags, size_t count) {
	struct buf out = begin("commission(bytes32,bytes)");
	uint8_t *fragments = arena_alloc(arena, 8 * count);
	for (size_t i = 0; i < count; i++) memcpy(fragments + 8 * i, tags[i].b, 8);
	struct abi_row row = abi_row_begin(&out);
	abi_put_hash32(&out, batch);
	size_t head = abi_reserve(&out);
	abi_tail(&row, head);
	abi_put_bytes(&out, bytes_make(fragments, 8 * count));
	return finish(arena, &out);
}

/* signature(bytes32) and the like: one word. */
static struct bytes one_word(struct arena *arena, const char *signature, const hash32 *word) {
	struct buf out = begin(signature);
	abi_put_hash32(&out, word);
	return finish(arena, &out);
}

struct bytes op_open_container(struct arena *arena, const hash32 *tag) {
	return one_word(arena, "openContainer(bytes32)", tag);
}

struct bytes op_accept(struct arena *arena, const hash32 *container) {
	return one_word(arena, "accept(bytes32)", container);
}

struct bytes op_end_shipping(struct arena *arena, const hash32 *container) {
	return one_word(arena, "endShipping(bytes32)", container);
}

static void put_indexes(
    struct buf *out, const struct abi_row *row, size_t head, const uint32_t *indexes, size_t count) {
	abi_tail(row, head);
	abi_put_u64(out, count);
	for (size_t i = 0; i < count; i++) abi_put_u64(out, indexes[i]);
}

static struct bytes named_units(struct arena *arena, const char *signature, const hash32 *container,
    const hash32 *batch, const uint32_t *indexes, size_t count) {
	struct buf out = begin(signature);
	struct abi_row row = abi_row_begin(&out);
	abi_put_hash32(&out, container);
	abi_put_hash32(&out, batch);
	size_t head = abi_reserve(&out);
	put_indexes(&out, &row, head, indexes, count);
	return finish(arena, &out);
}

struct bytes op_pack_units(
    struct arena *arena, const hash32 *container, const hash32 *batch, const uint32_t *indexes, size_t count) {
	return named_units(arena, "packUnits(bytes32,bytes32,uint32[])", container, batch, indexes, count);
}

struct bytes op_unpack_units(
    struct arena *arena, const hash32 *container, const hash32 *batch, const uint32_t *indexes, size_t count) {
	return named_units(arena, "unpackUnits(bytes32,bytes32,uint32[])", container, batch, indexes, count);
}

static struct bytes named_containers(
    struct arena *arena, const char *signature, const hash32 *parent, const hash32 *children, size_t count) {
	struct buf out = begin(signature);
	struct abi_row row = abi_row_begin(&out);
	abi_put_hash32(&out, parent);
	size_t head = abi_reserve(&out);
	abi_tail(&row, head);
	abi_put_u64(&out, count);
	for (size_t i = 0; i < count; i++) abi_put_hash32(&out, &children[i]);
	return finish(arena, &out);
}

struct bytes op_pack_containers(struct arena *arena, const hash32 *parent, const hash32 *children, size_t count) {
	return named_containers(arena, "packContainers(bytes32,bytes32[])", parent, children, count);
}

struct bytes op_unpack_containers(struct arena *arena, const hash32 *parent, const hash32 *children, size_t count) {
	return named_containers(arena, "unpackContainers(bytes32,bytes32[])", parent, children, count);
}

struct bytes op_ship(struct arena *arena, const hash32 *container, const addr20 *to, enum medicines_purpose purpose) {
	struct buf out = begin("ship(bytes32,address,uint8)");
	abi_put_hash32(&out, container);
	abi_put_address(&out, to);
	abi_put_u64(&out, purpose);
	return finish(arena, &out);
}

struct bytes op_dispense(struct arena *arena, const struct unit_ref *units, size_t count) {
	struct buf out = begin("dispense((bytes32,uint32)[])");
	struct abi_row row = abi_row_begin(&out);
	size_t head = abi_reserve(&out);
	abi_tail(&row, head);
	abi_put_u64(&out, count);
	for (size_t i = 0; i < count; i++) {
		abi_put_hash32(&out, &units[i].batch);
		abi_put_u64(&out, units[i].index);
	}
	return finish(arena, &out);
}

struct bytes op_change_units(
    struct arena *arena, const hash32 *batch, const uint32_t *indexes, size_t count, enum medicines_state to) {
	struct buf out = begin("changeUnits(bytes32,uint32[],uint8)");
	struct abi_row row = abi_row_begin(&out);
	abi_put_hash32(&out, batch);
	size_t head = abi_reserve(&out);
	abi_put_u64(&out, to);
	put_indexes(&out, &row, head, indexes, count);
	return finish(arena, &out);
}

struct bytes op_recall_batch(struct arena *arena, const hash32 *batch, const hash32 *reason) {
	struct buf out = begin("recallBatch(bytes32,bytes32)");
	abi_put_hash32(&out, batch);
	abi_put_hash32(&out, reason);
	return finish(arena, &out);
}

/* --- sending --- */

static enum status refusal(const struct client_verdict *verdict, struct err *err) {
	if (!abi_selects(verdict->revert_data, "Refused(uint8,bytes32)"))
		return err_set(err, STATUS_DENIED, "refused: %s", verdict->reason);
	struct abi_reader reader = abi_reader(bytes_slice(verdict->revert_data, 4, verdict->revert_data.len));
	enum medicines_code code = (enum medicines_code)abi_u64(&reader);
	return err_set(err, STATUS_DENIED, "%s: %s", medicines_code_name(code), medicines_code_text(code));
}

enum status medicines_send(
    struct actor_request *request, struct client_receipt *receipt, struct bytes data, struct err *err) {
	struct outbox_result result;
	const struct outbox_entry entry = {.to = &request->home->deployment.medicines, .data = data};
	TRY(request_send(request, &result, &entry, err));
	*receipt = result.receipt;
	return result.end == OUTBOX_DONE ? STATUS_OK : refusal(&result.verdict, err);
}

enum status capture_add(struct capture *capture, struct bytes operation, struct err *err) {
	if (capture->count == CAPTURE_OPERATIONS_MAX)
		return err_set(
		    err, STATUS_LIMIT, "this document needs more than %u operations: split it", CAPTURE_OPERATIONS_MAX);
	capture->operations[capture->count++] = operation;
	return STATUS_OK;
}

static struct bytes capture_data(struct arena *arena, const struct capture *capture) {
	struct buf out = begin("capture(bytes32,bytes32,uint32,bytes[])");
	struct abi_row row = abi_row_begin(&out);
	abi_put_hash32(&out, &capture->document);
	abi_put_hash32(&out, &capture->events_root);
	abi_put_u64(&out, capture->part);
	size_t list = abi_reserve(&out), heads[CAPTURE_OPERATIONS_MAX];
	abi_tail(&row, list);
	abi_put_u64(&out, capture->count);
	struct abi_row inner = abi_row_begin(&out);
	for (size_t i = 0; i < capture->count; i++) heads[i] = abi_reserve(&out);
	for (size_t i = 0; i < capture->count; i++) {
		abi_tail(&inner, heads[i]);
		abi_put_bytes(&out, capture->operations[i]);
	}
	return finish(arena, &out);
}

bool medicines_read_alert(struct medicines_alert *out, const struct log *log) {
	hash32 topic = abi_topic("Alert(bytes32,uint32,uint8,address,address)");
	if (log->topic_count != 4 || !hash32_equal(&log->topics[0], &topic)) return false;
	struct abi_reader reader = abi_reader(log->data);
	*out = (struct medicines_alert){.batch = log->topics[1]};
	memcpy(out->by.b, log->topics[2].b + 12, 20);
	memcpy(out->other.b, log->topics[3].b + 12, 20);
	out->index = (uint32_t)abi_u64(&reader);
	out->code = (enum medicines_code)abi_u64(&reader);
	return abi_finish(&reader, NULL) == STATUS_OK;
}

static void read_result(struct actor_request *request, struct capture_result *out) {
	hash32 captured = abi_topic("Captured(bytes32,address,bytes32,bytes32,uint32,uint8)");
	hash32 repeated = abi_topic("CaptureRepeated(bytes32)");
	out->alerts = arena_zalloc(request->arena, out->receipt.log_count + 1, sizeof *out->alerts);
	for (size_t i = 0; i < out->receipt.log_count; i++) {
		const struct log *log = &out->receipt.logs[i];
		if (!addr20_equal(&log->address, &request->home->deployment.medicines) || log->topic_count < 2)
			continue;
		if (hash32_equal(&log->topics[0], &captured)) {
			struct abi_reader reader = abi_reader(log->data);
			out->id = log->topics[1];
			(void)abi_hash32(&reader);
			(void)abi_u64(&reader);
			out->code = (enum medicines_code)abi_u64(&reader);
		} else if (hash32_equal(&log->topics[0], &repeated)) {
			out->id = log->topics[1];
			out->repeated = true;
		} else if (medicines_read_alert(&out->alerts[out->alert_count], log)) {
			out->alerts[out->alert_count].block_number = out->receipt.block_number;
			out->alerts[out->alert_count++].tx_hash = out->receipt.tx_hash;
		}
	}
}

enum status capture_send(
    struct actor_request *request, struct capture_result *out, const struct capture *capture, struct err *err) {
	*out = (struct capture_result){.code = MEDICINES_OK};
	TRY(medicines_send(request, &out->receipt, capture_data(request->arena, capture), err));
	read_result(request, out);
	return STATUS_OK;
}

enum status medicines_register(struct actor_request *request, struct client_receipt *receipt, const hash32 *product,
    const addr20 *owner, const hash32 *commitment, uint32_t capacity, struct err *err) {
	struct buf out = begin("registerProduct(bytes32,address,bytes32,uint32)");
	abi_put_hash32(&out, product);
	abi_put_address(&out, owner);
	abi_put_hash32(&out, commitment);
	abi_put_u64(&out, capacity);
	return medicines_send(request, receipt, finish(request->arena, &out), err);
}

enum status medicines_withdraw(struct actor_request *request, struct client_receipt *receipt, const hash32 *product,
    bool withdrawn, struct err *err) {
	struct buf out = begin("withdrawProduct(bytes32,bool)");
	abi_put_hash32(&out, product);
	abi_put_bool(&out, withdrawn);
	return medicines_send(request, receipt, finish(request->arena, &out), err);
}

enum status medicines_acknowledge(
    struct actor_request *request, struct client_receipt *receipt, const hash32 *batch, struct err *err) {
	return medicines_send(request, receipt, one_word(request->arena, "acknowledgeRecall(bytes32)", batch), err);
}
