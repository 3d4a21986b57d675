/* A state as the source of another: what a block that nobody sealed leaves behind, for whoever looks on from there. */
#include "ledger/state/overlay.h"

/* The overlay reports its failures in its own err. */
static enum status passed_on(const struct state *state, enum status status, struct err *err) {
	if (status != STATUS_OK && err != state->err) *err = *state->err;
	return status;
}

static enum status read_account(
    void *context, struct account *account, bool *exists, const addr20 *address, struct err *err) {
	struct state *state = context;
	struct overlay_account *found;
	TRY(passed_on(state, overlay_account(state, &found, address), err));
	*account = found->before;
	account->nonce = found->now.nonce;
	account->balance_wei = found->now.balance_wei;
	account->code_hash = found->now.code_hash;
	*exists = found->now.exists;
	return STATUS_OK;
}

static enum status read_storage(void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	struct state *state = context;
	return passed_on(state, state_get_storage(state, value, address, slot), err);
}

static enum status read_has_storage(void *context, bool *has, const addr20 *address, struct err *err) {
	struct state *state = context;
	return passed_on(state, state_has_storage(state, has, address), err);
}

static enum status read_code(void *context, struct buf *code, const hash32 *code_hash, struct err *err) {
	struct state *state = context;
	uint32_t index = 0;
	TRY(passed_on(state, overlay_code_load(state, &index, code_hash), err));
	buf_append(code, state->codes[index].bytes);
	return STATUS_OK;
}

struct state_source state_as_source(struct state *state) {
	return (struct state_source){read_account, read_storage, read_has_storage, read_code, state};
}
