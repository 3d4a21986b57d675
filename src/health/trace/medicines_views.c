/* What the contract of medicines answers. */
#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/trace/medicines.h"

#define PAGE_ROWS 500u

static enum status ask(struct actor_request *request, struct bytes *output, struct bytes call, struct err *err) {
	return request_call(request, output, &request->home->deployment.medicines, call, err);
}

enum status medicines_batch(
    struct actor_request *request, struct medicines_batch_view *out, const hash32 *batch, struct err *err) {
	struct bytes output;
	TRY(ask(request, &output, medicines_batch_of_call(request->arena, batch), err));
	return medicines_batch_of_read(out, output, err);
}

enum status medicines_container(struct actor_request *request, struct medicines_container_view *out, bool *found,
    const hash32 *container, struct err *err) {
	struct bytes output;
	struct client_verdict verdict;
	*out = (struct medicines_container_view){.held = false};
	TRY(client_call(request->client, &output, &verdict, request->arena, &request->home->account,
	    &request->home->deployment.medicines, medicines_container_of_call(request->arena, container), err));
	*found = verdict.ok;
	if (verdict.ok) return medicines_container_of_read(out, output, err);
	if (verdict.refusal.error == CONTRACT_ERROR_REFUSED &&
	    verdict.refusal.refused.code == MEDICINES_CODE_UNKNOWN_CONTAINER)
		return STATUS_OK;
	return medicines_refusal(&verdict, err);
}

enum status medicines_unit(struct actor_request *request, struct medicines_unit_view *out,
    const struct medicines_unit *unit, struct err *err) {
	struct bytes output;
	TRY(ask(request, &output, medicines_unit_state_call(request->arena, &unit->batch, unit->index), err));
	return medicines_unit_state_read(out, output, err);
}

enum status medicines_holder(
    struct actor_request *request, struct medicines_holding *out, const struct medicines_unit *unit, struct err *err) {
	struct bytes output;
	TRY(ask(request, &output, medicines_holder_of_call(request->arena, &unit->batch, unit->index), err));
	return medicines_holder_of_read(out, output, err);
}

enum status medicines_is_commissioned(
    struct actor_request *request, bool *out, const hash32 *product, const hash32 *unit_tag, struct err *err) {
	struct bytes output;
	TRY(ask(request, &output, medicines_is_commissioned_call(request->arena, product, unit_tag->b), err));
	return medicines_is_commissioned_read(out, output, err);
}

enum status medicines_holders(struct actor_request *request, const struct medicines_holding **rows, size_t *count,
    const hash32 *batch, struct err *err) {
	struct medicines_holders_of_result page = {.next = 0};
	struct medicines_holding *all = NULL;
	*count = 0;
	do {
		struct bytes output;
		struct bytes call = medicines_holders_of_call(request->arena, batch, page.next, PAGE_ROWS);
		TRY(ask(request, &output, call, err));
		TRY(medicines_holders_of_read(&page, request->arena, output, err));
		struct medicines_holding *larger =
		    arena_zalloc(request->arena, *count + page.rows_count + 1, sizeof *all);
		if (*count) memcpy(larger, all, *count * sizeof *all);
		if (page.rows_count) memcpy(larger + *count, page.rows, page.rows_count * sizeof *all);
		all = larger;
		*count += page.rows_count;
	} while (page.next != 0);
	*rows = all;
	return STATUS_OK;
}

enum status medicines_captured_at(struct actor_request *request, uint64_t *seconds, const addr20 *sender,
    const hash32 *document, uint32_t part, struct err *err) {
	struct bytes output;
	struct medicines_capture_view view;
	hash32 words[3] = {abi_topic_of_address(sender), *document, abi_topic_of_u64(part)};
	hash32 id = keccak256(bytes_make(words, sizeof words));
	TRY(ask(request, &output, medicines_capture_of_call(request->arena, &id), err));
	TRY(medicines_capture_of_read(&view, output, err));
	*seconds = view.captured_at;
	return STATUS_OK;
}
