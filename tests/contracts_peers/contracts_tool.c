/* Answers lines "NAME HEX" with lines of hex, or "refused". Without input for a name it is a mistake of the test. */
#include "tests/contracts_peers/contracts_tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"

uint64_t take_u64(struct tool_input *in) {
	uint8_t be[8];
	take_fixed(in, be, sizeof be);
	return load_be64(be);
}

u256 take_u256(struct tool_input *in) {
	uint8_t be[32];
	take_fixed(in, be, sizeof be);
	return u256_load_be(be);
}

void take_fixed(struct tool_input *in, uint8_t *out, size_t len) {
	BUG_ON(in->rest.len < len);
	memcpy(out, in->rest.data, len);
	in->rest = bytes_slice(in->rest, len, in->rest.len);
}

struct bytes take_bytes(struct tool_input *in) {
	uint64_t len = take_u64(in);
	BUG_ON(in->rest.len < len);
	struct bytes taken = bytes_slice(in->rest, 0, len);
	in->rest = bytes_slice(in->rest, len, in->rest.len);
	return taken;
}

struct log take_log(struct tool_input *in) {
	struct log log = {.topic_count = (uint8_t)take_u64(in)};
	BUG_ON(log.topic_count > 4);
	for (size_t i = 0; i < log.topic_count; i++) take_fixed(in, log.topics[i].b, sizeof log.topics[i].b);
	log.data = in->rest;
	return log;
}

const hash32 *take_words(struct tool_input *in, size_t count) {
	hash32 *words = arena_zalloc(in->arena, count, sizeof *words);
	take_fixed(in, words->b, count * sizeof *words);
	return words;
}

void give_u64(struct buf *out, uint64_t value) {
	uint8_t be[8];
	store_be64(be, value);
	give_fixed(out, be, sizeof be);
}

void give_u256(struct buf *out, const u256 *value) {
	uint8_t be[32];
	u256_store_be(be, value);
	give_fixed(out, be, sizeof be);
}

void give_fixed(struct buf *out, const uint8_t *data, size_t len) {
	buf_append(out, bytes_make(data, len));
}

void give_bytes(struct buf *out, struct bytes value) {
	give_u64(out, value.len);
	buf_append(out, value);
}

static void answer(const struct tool_binding *binding, struct bytes hex) {
	struct arena arena;
	struct buf input, output, text;
	arena_init(&arena);
	buf_init(&input, BUF_MAX_DEFAULT);
	buf_init(&output, BUF_MAX_DEFAULT);
	buf_init(&text, BUF_MAX_DEFAULT);
	BUG_ON(hex_data(&input, hex) != STATUS_OK);
	struct tool_input in = {.rest = buf_view(&input), .arena = &arena};
	if (binding->run(&output, &in) == STATUS_OK) {
		hex_put(&text, buf_view(&output), true);
		puts(buf_cstr(&text));
	} else {
		puts("refused");
	}
	buf_fini(&text);
	buf_fini(&output);
	buf_fini(&input);
	arena_fini(&arena);
}

int main(void) {
	setvbuf(stdout, NULL, _IOLBF, 0);
	char *line = NULL;
	size_t cap = 0;
	for (ssize_t len; (len = getline(&line, &cap, stdin)) > 0;) {
		line[len - 1] = 0;
		char *space = strchr(line, ' ');
		BUG_ON(!space);
		*space = 0;
		size_t i = 0;
		while (i < tool_binding_count && strcmp(tool_bindings[i].name, line) != 0) i++;
		if (i == tool_binding_count) {
			fprintf(stderr, "no binding has the name %s\n", line);
			return 1;
		}
		answer(&tool_bindings[i], bytes_text(space + 1));
	}
	free(line);
	return 0;
}
