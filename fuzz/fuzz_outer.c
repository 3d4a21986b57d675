/*
 * What members and readers say to each other about the outer seal: what is read is written back as it was. The first
 * byte chooses.
 */
#include "eth/outer_dealing.h"
#include "fuzz/target.h"

static void check_statement(struct bytes data) {
	struct outer_statement statement;
	struct buf written;
	if (outer_statement_read(&statement, data) != STATUS_OK) return;
	buf_init(&written, OUTER_STATEMENT_MAX);
	outer_statement_write(&written, &statement);
	BUG_ON(!bytes_equal(buf_view(&written), data));
	buf_fini(&written);
}

static void check_wish(struct bytes data) {
	struct outer_wish wish;
	uint8_t written[OUTER_WISH_BYTES];
	if (outer_wish_read(&wish, data) != STATUS_OK) return;
	outer_wish_write(written, &wish);
	BUG_ON(!bytes_equal(bytes_make(written, sizeof written), data));
}

static void check_part(struct bytes data) {
	static const uint8_t label[OUTER_LABEL_BYTES];
	static const struct p256_secret reader = {{3}};
	struct voprf_part part;
	BUG_ON(outer_part_open(&part, data, label, &reader) == STATUS_OK);
}

/* Nobody finds a signature by chance. */
static void check_files(struct bytes data) {
	static const hash32 genesis;
	struct outer_dealing dealing;
	struct outer_offer offer;
	BUG_ON(outer_dealing_read(&dealing, data, &genesis) == STATUS_OK);
	BUG_ON(outer_offer_read(&offer, data, &genesis) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	const struct bytes rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0: check_statement(rest); break;
	case 1: check_wish(rest); break;
	case 2: check_part(rest); break;
	case 3: check_files(rest); break;
	}
	return 0;
}
