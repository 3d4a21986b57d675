/* Codes by their hash, ready to run: zeros behind the end, and where a jump may go (Yellow Paper §9.4.3). */
#include "ledger/state/overlay.h"

#define CODE_PADDING 33 /* a PUSH32 at the end reads no further */

struct code_wanted {
	const struct state *state;
	const hash32 *hash;
};

static bool code_equal(const void *context, uint32_t item) {
	const struct code_wanted *wanted = context;
	return hash32_equal(&wanted->state->codes[item].hash, wanted->hash);
}

static const uint64_t *find_jumpdests(struct arena *arena, struct bytes code) {
	enum { JUMPDEST = 0x5b, PUSH1 = 0x60, PUSH32 = 0x7f };
	if (code.len == 0) return NULL;
	uint64_t *bits = arena_zalloc(arena, (code.len + 63) / 64, sizeof *bits);
	for (size_t pc = 0; pc < code.len; pc++) {
		uint8_t op = code.data[pc];
		if (op == JUMPDEST)
			bits[pc / 64] |= (uint64_t)1 << pc % 64;
		else if (op >= PUSH1 && op <= PUSH32)
			pc += op - PUSH1 + 1u;
	}
	return bits;
}

uint32_t overlay_code_add(struct state *state, const hash32 *hash, struct bytes code) {
	struct code_wanted wanted = {state, hash};
	uint32_t next = (uint32_t)state->code_count;
	uint32_t found = index_find(&state->code_table, load_be64(hash->b), code_equal, &wanted, next);
	if (found != next) return found;
	uint8_t *copy = arena_zalloc(&state->code_arena, code.len + CODE_PADDING, 1);
	memcpy(copy, code.data, code.len);
	OVERLAY_GROW(state->codes, state->code_count, state->code_cap);
	struct overlay_code *entry = &state->codes[state->code_count++];
	entry->hash = *hash;
	entry->bytes = bytes_make(copy, code.len);
	entry->jumpdests = find_jumpdests(&state->code_arena, entry->bytes);
	state->code_bytes += code.len + CODE_PADDING + code.len / 8;
	return found;
}

enum status overlay_code_load(struct state *state, uint32_t *out, const hash32 *hash) {
	struct code_wanted wanted = {state, hash};
	*out = index_get(&state->code_table, load_be64(hash->b), code_equal, &wanted);
	if (*out != INDEX_NONE) return STATUS_OK;
	BUG_ON(!state->has_source);
	buf_clear(&state->code_read);
	TRY(state->source.code(state->source.context, &state->code_read, hash, state->err));
	TRY(buf_status(&state->code_read, state->err));
	*out = overlay_code_add(state, hash, buf_view(&state->code_read));
	return STATUS_OK;
}
