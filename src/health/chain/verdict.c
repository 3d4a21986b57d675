/* Why a call or a transaction failed: as a value, and in words. */
#include <stdio.h>

#include "health/chain/client_private.h"

static void put_reason(char *out, size_t size, const struct contract_refusal *refusal) {
	const enum contract_error error = refusal->error;
	if (error == CONTRACT_ERROR_TEXT)
		snprintf(out, size, "%.*s", (int)(refusal->text.len < size ? refusal->text.len : size),
		    (const char *)refusal->text.data);
	else if (error == CONTRACT_ERROR_PANIC)
		snprintf(out, size, "Panic(0x%02x)", (unsigned)refusal->panic_code);
	else if (error == CONTRACT_ERROR_UNKNOWN)
		snprintf(out, size, "reverted with error 0x%08x", refusal->selector);
	else if (error == CONTRACT_ERROR_REFUSED)
		snprintf(out, size, "%s", medicines_code_name(refusal->refused.code));
	else
		snprintf(out, size, "%s: %s", contract_error_name(error), contract_error_text(error));
}

void client_verdict_of_error(struct client_verdict *verdict, const struct client_error *error) {
	*verdict = (struct client_verdict){0};
	if (error->data.len < 4) {
		snprintf(verdict->reason, sizeof verdict->reason, "%.199s", error->message);
		return;
	}
	verdict->refusal = contract_refusal_read(error->data);
	put_reason(verdict->reason, sizeof verdict->reason, &verdict->refusal);
	if (verdict->refusal.error == CONTRACT_ERROR_TEXT) verdict->refusal.text = (struct bytes){0};
}
