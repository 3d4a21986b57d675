/* Answers from memory that lies in pieces: large records are not copied together for each reader. */
#include "health/gateway/gateway_private.h"

/* From here on the memory saved is worth a source. */
#define LARGE_BYTES ((size_t)256 << 10)

struct pieces_left {
	struct arena arena; /* of the pieces, and of this */
	struct bytes *at;
	uint64_t len; /* bytes to come */
};

/* The first bytes of what is left, at most `size`, as they lie. */
static struct bytes next_piece(struct pieces_left *left, size_t size) {
	while (left->len > 0 && left->at->len == 0) left->at++;
	if (left->len < size) size = (size_t)left->len;
	return left->len > 0 ? bytes_slice(*left->at, 0, size) : (struct bytes){NULL, 0};
}

static void pass(struct pieces_left *left, size_t len) {
	*left->at = bytes_slice(*left->at, len, left->at->len);
	left->len -= len;
}

static enum http_source_state read_pieces(void *context, size_t *len, uint8_t *out, size_t size) {
	struct pieces_left *left = context;
	*len = 0;
	while (*len < size && left->len > 0) {
		const struct bytes piece = next_piece(left, size - *len);
		memcpy(out + *len, piece.data, piece.len);
		*len += piece.len;
		pass(left, piece.len);
	}
	return *len > 0 ? HTTP_SOURCE_MORE : HTTP_SOURCE_END;
}

static void close_pieces(void *context) {
	struct arena arena = ((struct pieces_left *)context)->arena;
	arena_fini(&arena);
}

void gateway_answer_pieces(struct http_response *response, struct arena *arena, const struct record_pieces *pieces,
    const struct http_range *range) {
	struct pieces_left *left = arena_zalloc(arena, 1, sizeof *left);
	left->at = arena_alloc(arena, pieces->count * sizeof *left->at);
	memcpy(left->at, pieces->list, pieces->count * sizeof *left->at);
	left->len = range->first + range->len;
	while (left->len > range->len) pass(left, next_piece(left, (size_t)(left->len - range->len)).len);
	if (range->len < LARGE_BYTES) {
		size_t len;
		uint8_t *out = buf_extend(&response->body, (size_t)range->len);
		if (out) (void)read_pieces(left, &len, out, (size_t)range->len);
		return;
	}
	left->arena = *arena;
	arena_init(arena);
	response->source = (struct http_source){read_pieces, close_pieces, left, range->len, pieces->len};
}
