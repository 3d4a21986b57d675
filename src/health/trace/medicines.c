/* Captures, transactions, refusals in words. What the contract holds is in medicines_state.c. */
#include "health/trace/medicines.h"

#include "health/contracts/cause.h"

static const char *const code_texts[MEDICINES_CODE_COUNT] = {
    [MEDICINES_CODE_OK] = "done",
    [MEDICINES_CODE_NOT_LISTED] = "the sender is not active in the directory",
    [MEDICINES_CODE_WRONG_ROLE] = "this needs another role in the directory",
    [MEDICINES_CODE_NOT_OWNER] = "only the product's owner may do this",
    [MEDICINES_CODE_NOT_CUSTODIAN] = "the sender does not hold it",
    [MEDICINES_CODE_NOT_RECEIVER] = "it was sent to somebody else",
    [MEDICINES_CODE_UNKNOWN_PRODUCT] = "this product was never registered",
    [MEDICINES_CODE_UNKNOWN_BATCH] = "this batch was never commissioned",
    [MEDICINES_CODE_UNKNOWN_UNIT] = "the batch has no such unit",
    [MEDICINES_CODE_UNKNOWN_CONTAINER] = "this container was never opened",
    [MEDICINES_CODE_EXISTS] = "it is there already",
    [MEDICINES_CODE_DUPLICATE_SERIAL] =
	"this serial of the product was commissioned before, in this lot or another, or looks like one that was",
    [MEDICINES_CODE_UNUSED_12] = "a reason that this version does not give",
    [MEDICINES_CODE_CLOSED] = "the lot takes no more units: a regulator moved its owner's stock",
    [MEDICINES_CODE_CROWDED] = "too many serials share this one's place in the product's table: take another serial",
    [MEDICINES_CODE_PENDING] = "it is on its way: a transfer is pending",
    [MEDICINES_CODE_NOT_PENDING] = "no transfer of it is pending",
    [MEDICINES_CODE_HAS_PARENT] = "it is inside another container and moves only with that",
    [MEDICINES_CODE_NOT_A_CHILD] = "it is not in this container",
    [MEDICINES_CODE_CYCLE] = "a container cannot be inside itself",
    [MEDICINES_CODE_TOO_DEEP] = "containers nest at most 8 deep",
    [MEDICINES_CODE_NOT_LOOSE] = "it is packed: unpack it first",
    [MEDICINES_CODE_ALREADY_DISPENSED] = "this pack was dispensed before: the code may be a copy",
    [MEDICINES_CODE_FINAL] = "its state is final",
    [MEDICINES_CODE_IS_HELD] = "it is held: suspect, or locked by a regulator",
    [MEDICINES_CODE_IS_RECALLED] = "it is recalled",
    [MEDICINES_CODE_IS_WITHDRAWN] = "the product is withdrawn from the market",
    [MEDICINES_CODE_IS_EXPIRED] = "it is expired",
    [MEDICINES_CODE_NOT_ALLOWED] = "its state does not allow this",
    [MEDICINES_CODE_UNDO_OTHER] = "only what this actor dispensed in that capture can be undone",
    [MEDICINES_CODE_UNDO_LATE] = "a dispense can be undone for 10 days",
    [MEDICINES_CODE_NOT_IN_CAPTURE] = "this is an operation of a capture",
    [MEDICINES_CODE_TOO_MANY] = "too many at once",
    [MEDICINES_CODE_BAD_ARGUMENT] = "an argument makes no sense",
    [MEDICINES_CODE_INACTIVE_PARTNER] = "the other side is not active in the directory in a role of the trade",
    [MEDICINES_CODE_IS_BARRED] =
	"it was opened, or its dispensing undone: it goes to the same patient or back, never on",
    [MEDICINES_CODE_NOT_ITS_ORIGIN] = "goods go back to whom they came from, to a regulator, or to whom one names",
    [MEDICINES_CODE_IS_ACTIVE] = "a regulator moves stock of a custodian that is not active any more only",
};

const char *medicines_code_text(enum medicines_code code) {
	return (unsigned)code < MEDICINES_CODE_COUNT ? code_texts[code]
						     : "the contract knows a reason that this program does not";
}

const char *medicines_purpose_word(unsigned purpose) {
	static const char *const words[MEDICINES_PURPOSE_COUNT] = {"trade", "return", "quarantine", "destruction"};
	return purpose < MEDICINES_PURPOSE_COUNT ? words[purpose] : "unknown";
}

struct bytes medicines_commission_tags(struct arena *arena, const hash32 *batch, const hash32 *root, const hash32 *tags,
    const uint8_t *depths, size_t count) {
	const struct bytes packs = serial_packs(arena, tags, depths, count);
	return medicines_commission_call(arena, batch, root, packs);
}

/* --- sending --- */

enum status medicines_send(
    struct actor_request *request, struct client_receipt *receipt, struct bytes data, struct err *err) {
	struct outbox_result result;
	const struct outbox_entry entry = {.to = &request->home->deployment.medicines, .data = data};
	TRY(request_send(request, &result, &entry, err));
	*receipt = result.receipt;
	if (result.end == OUTBOX_DONE) return STATUS_OK;
	return medicines_refusal(&result.verdict, err);
}

enum status medicines_refusal(const struct client_verdict *verdict, struct err *err) {
	if (verdict->refusal.error != CONTRACT_ERROR_REFUSED)
		return err_because(err, CAUSE_CONTRACT + verdict->refusal.error,
		    err_set(err, STATUS_DENIED, "refused: %s", verdict->reason));
	enum medicines_code code = verdict->refusal.refused.code;
	return err_because(err, CAUSE_MEDICINES + code,
	    err_set(err, STATUS_DENIED, "%s: %s", medicines_code_name(code), medicines_code_text(code)));
}
