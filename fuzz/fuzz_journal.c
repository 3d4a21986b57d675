/* The pool's journal as a crash may leave it: whole records at the beginning are read, what follows is cut off, and
 * what is appended then is found after them. */
#include "fuzz/target.h"
#include "ledger/pool/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static void remove_file(void) {
	unlink(path);
}

static void count(void *context, struct bytes envelope) {
	struct buf *reported = context;
	journal_put(reported, envelope);
}

/* What a start reads, as records again. */
static void start(struct buf *reported, struct journal *journal) {
	struct err err;
	buf_clear(reported);
	BUG_ON(journal_open(journal, path, count, reported, &err) != STATUS_OK);
	BUG_ON(journal->size_bytes != reported->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct journal journal;
	struct buf reported;
	struct err err;
	if (!path[0]) {
		snprintf(path, sizeof path, "/tmp/xinglin-fuzz-journal-%d", (int)getpid());
		atexit(remove_file);
	}
	const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0);
	buf_init(&reported, BUF_MAX_DEFAULT);
	start(&reported, &journal);
	BUG_ON(reported.len > size || memcmp(reported.data ? reported.data : data, data, reported.len) != 0);
	const size_t whole = reported.len;
	const struct bytes more = BYTES_LITERAL("one more");
	BUG_ON(journal_append(&journal, more, &err) != STATUS_OK);
	journal_close(&journal);
	start(&reported, &journal);
	BUG_ON(reported.len != whole + JOURNAL_HEADER_BYTES + more.len);
	journal_close(&journal);
	buf_fini(&reported);
	return 0;
}
