/* A message's fields, written again, are read as the same fields; and after a fault there are no more. */
#include "codec/protobuf.h"
#include "fuzz/target.h"

static void copy(struct buf *out, const struct protobuf_field *field) {
	switch (field->type) {
	case PROTOBUF_VARINT: protobuf_put_u64(out, field->number, field->value); return;
	case PROTOBUF_FIXED64: protobuf_put_fixed64(out, field->number, field->value); return;
	case PROTOBUF_BYTES: {
		const size_t mark = protobuf_begin(out, field->number);
		buf_append(out, field->bytes);
		protobuf_end(out, mark);
		return;
	}
	case PROTOBUF_FIXED32: return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct protobuf_cursor cursor = protobuf_cursor(bytes_make(data, size)), again;
	struct protobuf_field field, same;
	struct buf out;
	buf_init(&out, 1 << 24);
	while (protobuf_next(&cursor, &field)) copy(&out, &field);
	BUG_ON(cursor.fault && protobuf_next(&cursor, &field));
	again = protobuf_cursor(buf_view(&out));
	cursor = protobuf_cursor(bytes_make(data, size));
	while (protobuf_next(&cursor, &field)) {
		if (field.type == PROTOBUF_FIXED32 || (field.type != PROTOBUF_BYTES && field.value == 0)) continue;
		BUG_ON(!protobuf_next(&again, &same) || same.number != field.number || same.type != field.type);
		BUG_ON(same.value != field.value || !bytes_equal(same.bytes, field.bytes));
	}
	BUG_ON(protobuf_finish(&again, NULL) != STATUS_OK);
	buf_fini(&out);
	return 0;
}
