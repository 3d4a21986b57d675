/* What the contract of medicines answers. */
#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/trace/medicines.h"

#define PAGE_ROWS 500u

/* signature(bytes32 first, uint… rest): what all of these views take. */
static enum status view(struct actor_request *request, struct bytes *output, const char *signature, const hash32 *first,
    const uint64_t *rest, size_t rest_count, struct err *err) {
	struct buf data;
	buf_init(&data, 256);
	abi_put_selector(&data, signature);
	abi_put_hash32(&data, first);
	for (size_t i = 0; i < rest_count; i++) abi_put_u64(&data, rest[i]);
	enum status status = request_call(request, output, &request->home->deployment.medicines, buf_view(&data), err);
	buf_fini(&data);
	return status;
}

enum status medicines_product(
    struct actor_request *request, struct product_view *out, const hash32 *product, struct err *err) {
	struct bytes output;
	TRY(view(request, &output, "productOf(bytes32)", product, NULL, 0, err));
	struct abi_reader reader = abi_reader(output);
	out->owner = abi_address(&reader);
	out->key_commitment = abi_hash32(&reader);
	out->withdrawn = abi_bool(&reader);
	out->generations = (uint32_t)abi_u64(&reader);
	out->units = abi_u64(&reader);
	out->room = abi_u64(&reader);
	return abi_finish(&reader, err);
}

enum status medicines_batch(
    struct actor_request *request, struct batch_view *out, const hash32 *batch, struct err *err) {
	struct bytes output;
	TRY(view(request, &output, "batchOf(bytes32)", batch, NULL, 0, err));
	struct abi_reader reader = abi_reader(output);
	out->product = abi_hash32(&reader);
	out->root = abi_hash32(&reader);
	out->expiry_s = abi_u64(&reader);
	out->count = (uint32_t)abi_u64(&reader);
	out->commissioned = (uint32_t)abi_u64(&reader);
	out->ended = (uint32_t)abi_u64(&reader);
	out->recalled = abi_bool(&reader);
	return abi_finish(&reader, err);
}

enum status medicines_container(
    struct actor_request *request, struct container_view *out, bool *found, const hash32 *container, struct err *err) {
	struct buf data;
	struct bytes output;
	struct client_verdict verdict;
	*out = (struct container_view){.held = false};
	buf_init(&data, 64);
	abi_put_selector(&data, "containerOf(bytes32)");
	abi_put_hash32(&data, container);
	enum status status = client_call(request->client, &output, &verdict, request->arena, &request->home->account,
	    &request->home->deployment.medicines, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	*found = verdict.ok;
	if (!verdict.ok && abi_selects(verdict.revert_data, "Refused(uint8,bytes32)")) return STATUS_OK;
	if (!verdict.ok) return err_set(err, STATUS_DENIED, "refused: %s", verdict.reason);
	struct abi_reader reader = abi_reader(output);
	out->parent = abi_hash32(&reader);
	out->custodian = abi_address(&reader);
	out->receiver = abi_address(&reader);
	out->purpose = (enum medicines_purpose)abi_u64(&reader);
	out->held = abi_bool(&reader);
	out->blemishes = (uint32_t)abi_u64(&reader);
	out->contents = (uint32_t)abi_u64(&reader);
	return abi_finish(&reader, err);
}

enum status medicines_unit(
    struct actor_request *request, struct unit_view *out, const struct unit_ref *unit, struct err *err) {
	struct bytes output;
	uint64_t index = unit->index;
	TRY(view(request, &output, "unitState(bytes32,uint32)", &unit->batch, &index, 1, err));
	struct abi_reader reader = abi_reader(output);
	out->stored = (unsigned)abi_u64(&reader);
	out->effective = (unsigned)abi_u64(&reader);
	out->expiry_s = abi_u64(&reader);
	out->recalled = abi_bool(&reader);
	out->withdrawn = abi_bool(&reader);
	out->expired = abi_bool(&reader);
	out->packed = abi_bool(&reader);
	out->in_transit = abi_bool(&reader);
	return abi_finish(&reader, err);
}

static void read_holding(struct holding *out, struct abi_reader *reader) {
	out->custodian = abi_address(reader);
	out->receiver = abi_address(reader);
	out->container = abi_hash32(reader);
	out->count = (uint32_t)abi_u64(reader);
}

enum status medicines_holder(
    struct actor_request *request, struct holding *out, const struct unit_ref *unit, struct err *err) {
	struct bytes output;
	uint64_t index = unit->index;
	TRY(view(request, &output, "holderOf(bytes32,uint32)", &unit->batch, &index, 1, err));
	struct abi_reader reader = abi_reader(output);
	read_holding(out, &reader);
	return abi_finish(&reader, err);
}

enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err) {
	struct buf data;
	struct bytes output;
	buf_init(&data, 128);
	abi_put_selector(&data, "isCommissioned(bytes32,bytes8)");
	abi_put_hash32(&data, product);
	abi_put_fixed(&data, bytes_make(unit_tag->b, 8));
	enum status status = request_call(request, &output, &request->home->deployment.medicines, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	struct abi_reader reader = abi_reader(output);
	*out = abi_bool(&reader);
	return abi_finish(&reader, err);
}

enum status medicines_holders(
    struct actor_request *request, struct holding **rows, size_t *count, const hash32 *batch, struct err *err) {
	uint64_t page[2] = {0, PAGE_ROWS};
	*rows = NULL;
	*count = 0;
	do {
		struct bytes output;
		size_t n;
		TRY(view(request, &output, "holdersOf(bytes32,uint32,uint32)", batch, page, 2, err));
		struct abi_reader reader = abi_reader(output), list = abi_array(&reader, &n);
		page[0] = abi_u64(&reader);
		TRY(abi_finish(&reader, err));
		struct holding *larger = arena_zalloc(request->arena, *count + n + 1, sizeof *larger);
		if (*count) memcpy(larger, *rows, *count * sizeof *larger);
		for (size_t i = 0; i < n; i++) read_holding(&larger[*count + i], &list);
		TRY(abi_finish(&reader, err));
		*rows = larger;
		*count += n;
	} while (page[0] != 0);
	return STATUS_OK;
}

enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err) {
	uint8_t words[96] = {0};
	struct bytes output;
	memcpy(words + 12, sender->b, 20);
	memcpy(words + 32, document->b, 32);
	store_be32(words + 92, part);
	hash32 id = keccak256(bytes_make(words, sizeof words));
	TRY(view(request, &output, "captureOf(bytes32)", &id, NULL, 0, err));
	struct abi_reader reader = abi_reader(output);
	*seconds = abi_u64(&reader);
	return abi_finish(&reader, err);
}

enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const addr20 *actor, struct err *err) {
	struct client_log_filter filter = {.address = &request->home->deployment.medicines, .has_topic = {true}};
	struct client_log *logs;
	size_t n;
	filter.topics[0] = abi_topic("Alert(bytes32,uint32,uint8,address,address)");
	TRY(client_logs(request->client, &logs, &n, request->arena, &filter, err));
	*alerts = arena_zalloc(request->arena, n + 1, sizeof **alerts);
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		struct medicines_alert *alert = &(*alerts)[*count];
		if (!medicines_read_alert(alert, &logs[i].log)) continue;
		if (actor && !addr20_equal(actor, &alert->by) && !addr20_equal(actor, &alert->other)) continue;
		alert->block_number = logs[i].block_number;
		alert->timestamp = logs[i].timestamp;
		alert->tx_hash = logs[i].tx_hash;
		++*count;
	}
	return STATUS_OK;
}
