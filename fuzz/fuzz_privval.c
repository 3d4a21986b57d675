/* Requests to a signer, each behind a length of two bytes: no two signatures at one height, round and step. */
#include "comet/privval.h"
#include "fuzz/target.h"

static enum status save(void *context, const struct privval_state *state, struct err *err) {
	const struct privval *signer = context;
	(void)err;
	BUG_ON(privval_compare(state, &signer->state) <= 0);
	return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct privval signer = {.save = save, .context = &signer};
	struct ed25519_secret secret = {{0}};
	struct buf out;
	BUG_ON(signing_key_of_ed25519(&signer.key, &secret) != STATUS_OK);
	buf_init(&out, 1 << 24);
	while (size >= 2) {
		const size_t len = (size_t)data[0] << 8 | data[1], has = size - 2 < len ? size - 2 : len;
		const enum status status = privval_answer(&signer, &out, bytes_make(data + 2, has), NULL);
		BUG_ON(status != STATUS_OK && status != STATUS_INVALID);
		data += 2 + has;
		size -= 2 + has;
	}
	buf_fini(&out);
	return 0;
}
