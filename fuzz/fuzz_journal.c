/* The pool's journal as a crash may leave it: whole records at the beginning are told, what follows is cut off, and
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
	struct buf *told = context;
	journal_put(told, envelope);
}

/* What a start tells, as records again. */
static void start(struct buf *told, struct journal *journal) {
	struct err err;
	buf_clear(told);
	BUG_ON(journal_open(journal, path, count, told, &err) != STATUS_OK);
	BUG_ON(journal->size_bytes != told->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct journal journal;
	struct buf told;
	struct err err;
	if (!path[0]) {
		snprintf(path, sizeof path, "/tmp/xinglin-fuzz-journal-%d", (int)getpid());
		atexit(remove_file);
	}
	const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0);
	buf_init(&told, BUF_MAX_DEFAULT);
	start(&told, &journal);
	BUG_ON(told.len > size || memcmp(told.data ? told.data : data, data, told.len) != 0);
	const size_t whole = told.len;
	const struct bytes more = BYTES_LITERAL("one more");
	BUG_ON(journal_append(&journal, more, &err) != STATUS_OK);
	journal_close(&journal);
	start(&told, &journal);
	BUG_ON(told.len != whole + JOURNAL_HEADER_BYTES + more.len);
	journal_close(&journal);
	buf_fini(&told);
	return 0;
}
