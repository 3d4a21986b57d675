#include "health/gateway/gateway_private.h"
#include "tests/unit.h"

static const size_t lengths[] = {0, 100000, 3, 0, 300000, 1, 0};
#define WHOLE_BYTES ((size_t)400004)

static uint8_t byte_at(size_t at) {
	return (uint8_t)(at * 7 % 251);
}

static struct record_pieces pieces_in(struct arena *arena) {
	struct record_pieces pieces = {
	    .list = arena_alloc(arena, sizeof lengths / sizeof *lengths * sizeof *pieces.list)};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint8_t *data = arena_alloc(arena, lengths[i]);
		for (size_t k = 0; k < lengths[i]; k++) data[k] = byte_at(pieces.len + k);
		pieces.list[pieces.count++] = bytes_make(data, lengths[i]);
		pieces.len += lengths[i];
	}
	assert_int_equal(pieces.len, WHOLE_BYTES);
	return pieces;
}

/* All that a source gives, in pieces of `size`, or what stands in the body. */
static void read_answer(struct buf *out, struct http_response *response, size_t size) {
	struct http_source *source = &response->source;
	uint8_t *piece = mem_alloc(size);
	size_t len;
	buf_append(out, buf_view(&response->body));
	while (source->read && source->read(source->context, &len, piece, size) == HTTP_SOURCE_MORE) {
		assert_in_range(len, 1, size);
		buf_append(out, bytes_make(piece, len));
	}
	mem_free(piece);
}

static void any_range_of_the_pieces_is_given(void **state) {
	(void)state;
	static const struct http_range ranges[] = {{HTTP_RANGE_WHOLE, 0, WHOLE_BYTES, WHOLE_BYTES},
	    {HTTP_RANGE_PART, 0, 1, WHOLE_BYTES}, {HTTP_RANGE_PART, WHOLE_BYTES - 1, 1, WHOLE_BYTES},
	    {HTTP_RANGE_PART, 99999, 5, WHOLE_BYTES}, {HTTP_RANGE_PART, 100003, 300000, WHOLE_BYTES},
	    {HTTP_RANGE_PART, 99999, 300005, WHOLE_BYTES}, {HTTP_RANGE_PART, 1, 262144, WHOLE_BYTES},
	    {HTTP_RANGE_PART, 1, 262143, WHOLE_BYTES}};
	static const size_t sizes[] = {7, 32768, 1 << 20};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		for (size_t k = 0; k < 3; k++) {
			struct arena arena;
			struct http_response response;
			struct buf got;
			arena_init(&arena);
			http_response_init(&response, WHOLE_BYTES);
			buf_init(&got, WHOLE_BYTES);
			const struct record_pieces pieces = pieces_in(&arena);
			gateway_answer_pieces(&response, &arena, &pieces, &ranges[i]);
			const bool is_source = ranges[i].len >= 262144; /* it has the arena then, */
			assert_int_equal(response.source.read != NULL, is_source);
			assert_int_equal(arena.chunks == NULL, is_source);
			arena_fini(&arena);
			read_answer(&got, &response, sizes[k]);
			assert_int_equal(got.len, ranges[i].len);
			for (size_t at = 0; at < got.len; at++)
				if (got.data[at] != byte_at(ranges[i].first + at)) fail_msg("byte %zu", at);
			if (is_source) assert_int_equal(response.source.length, ranges[i].len);
			if (is_source) assert_int_equal(response.source.held_bytes, WHOLE_BYTES);
			http_response_fini(&response); /* and frees it */
			buf_fini(&got);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_range_of_the_pieces_is_given)};
	return cmocka_run_group_tests_name("answer_pieces", tests, NULL, NULL);
}
