#include "fuzz/differ/writer.h"

void writer_init(struct writer *writer, struct random *random, const struct program_world *world, int depth) {
	*writer = (struct writer){.random = random, .world = world, .depth = depth};
	buf_init(&writer->code, BUF_MAX_DEFAULT);
	buf_init(&writer->data, BUF_MAX_DEFAULT);
}

void writer_finish(struct writer *writer, struct buf *out) {
	for (size_t i = 0; i < writer->place_count; i++) {
		const size_t offset = writer->code.len + writer->places[i].data;
		uint8_t *operand = writer->code.data + writer->places[i].at;
		operand[0] = (uint8_t)(offset >> 8);
		operand[1] = (uint8_t)offset;
	}
	buf_append(out, buf_view(&writer->code));
	buf_append(out, buf_view(&writer->data));
	buf_fini(&writer->code);
	buf_fini(&writer->data);
}

void put_op(struct writer *writer, unsigned opcode) {
	buf_byte(&writer->code, (uint8_t)opcode);
	writer->height += opcode_table[opcode].pushes - opcode_table[opcode].pops;
}

void put_push(struct writer *writer, const u256 *value) {
	uint8_t word[32];
	unsigned len = u256_byte_length(value);
	if (chance(writer, 20)) len += (unsigned)pick(writer, 33 - len);
	if (len == 0 && !has_op(writer, OP_PUSH0)) len = 1;
	u256_store_be(word, value);
	put_op(writer, OP_PUSH0 + len);
	buf_append(&writer->code, bytes_make(word + 32 - len, len));
}

void put_number(struct writer *writer, uint64_t value) {
	const u256 word = u256_from(value);
	put_push(writer, &word);
}

void put_address(struct writer *writer, const addr20 *address) {
	put_op(writer, OP_PUSH20);
	buf_append(&writer->code, BYTES_OF(*address));
}

size_t put_forward(struct writer *writer) {
	put_op(writer, OP_PUSH2);
	const size_t at = writer->code.len;
	memset(buf_extend(&writer->code, 2), 0, 2);
	return at;
}

void put_target(struct writer *writer, size_t forward) {
	writer->code.data[forward] = (uint8_t)(writer->code.len >> 8);
	writer->code.data[forward + 1] = (uint8_t)writer->code.len;
	put_op(writer, OP_JUMPDEST);
}

bool put_data_offset(struct writer *writer, struct bytes data) {
	if (writer->place_count == WRITER_DATA_MAX) return false;
	const size_t at = put_forward(writer);
	writer->places[writer->place_count].at = at;
	writer->places[writer->place_count++].data = writer->data.len;
	buf_append(&writer->data, data);
	return true;
}

void put_pops(struct writer *writer, int height) {
	while (writer->height > height) put_op(writer, OP_POP);
}
