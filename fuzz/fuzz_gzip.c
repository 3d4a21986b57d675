/*
 * A compressed body, whatever it is and however it is cut (the first byte says how): the same text comes out as in one
 * piece, never more than the bound allows; and what is compressed here inflates to itself.
 */
#include "fuzz/target.h"
#include "net/http_gzip.h"

struct outcome {
	enum gunzip_result result;
	bool is_whole;
	struct buf text;
};

static bool keep(void *context, struct bytes plain) {
	struct outcome *outcome = context;
	BUG_ON(plain.len == 0);
	buf_append(&outcome->text, plain);
	return !outcome->text.overflow;
}

static void inflate_in(struct outcome *out, struct bytes coded, size_t step) {
	struct gunzip *gunzip = gunzip_new();
	out->result = GUNZIP_OK;
	buf_init(&out->text, (size_t)8 << 20);
	for (size_t at = 0; at < coded.len && out->result == GUNZIP_OK; at += step)
		out->result = gunzip_put(gunzip, bytes_slice(coded, at, step), keep, out);
	out->is_whole = gunzip_is_whole(gunzip);
	gunzip_free(gunzip);
	BUG_ON(out->text.len > GUNZIP_FREE_BYTES && out->text.len / GUNZIP_RATIO_MAX > coded.len);
}

static void check_cuts(struct bytes coded, size_t step) {
	struct outcome whole, cut;
	inflate_in(&whole, coded, coded.len + 1);
	inflate_in(&cut, coded, step);
	if (whole.result == GUNZIP_OK) {
		BUG_ON(cut.result != GUNZIP_OK && cut.result != GUNZIP_TOO_FAR);
		BUG_ON(cut.result == GUNZIP_OK && whole.is_whole != cut.is_whole);
		BUG_ON(cut.result == GUNZIP_OK && !bytes_equal(buf_view(&whole.text), buf_view(&cut.text)));
	}
	BUG_ON(whole.result == GUNZIP_MALFORMED && cut.result == GUNZIP_OK);
	buf_fini(&whole.text);
	buf_fini(&cut.text);
}

static void check_round(struct bytes plain) {
	struct buf coded;
	struct outcome again;
	buf_init(&coded, (size_t)8 << 20);
	gzip_bytes(&coded, plain);
	inflate_in(&again, buf_view(&coded), coded.len);
	BUG_ON(again.result != GUNZIP_OK || !again.is_whole || !bytes_equal(buf_view(&again.text), plain));
	buf_fini(&coded);
	buf_fini(&again.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	check_cuts(bytes_make(data + 1, size - 1), (size_t)data[0] + 1);
	check_round(bytes_make(data + 1, size - 1));
	return 0;
}
