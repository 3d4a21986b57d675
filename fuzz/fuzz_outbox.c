/*
 * The outbox's journal with any records in it: the input is framed as records (a length byte before each), so that
 * their sums hold. What is read can be marked as restored, and then nothing that waits unsigned is left.
 */
#include "fuzz/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "health/chain/outbox_private.h"

static char path[64];

static void remove_file(void) {
	unlink(path);
}

static void write_journal(const uint8_t *data, size_t size) {
	struct buf records;
	buf_init(&records, BUF_MAX_DEFAULT);
	for (struct bytes rest = bytes_make(data, size); rest.len;) {
		const size_t len = rest.data[0];
		outbox_journal_put(&records, bytes_slice(rest, 1, len));
		rest = bytes_slice(rest, 1 + len, rest.len);
	}
	const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	BUG_ON(fd < 0 || write(fd, records.data, records.len) != (ssize_t)records.len || close(fd) != 0);
	buf_fini(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	size_t kept, dropped, kept_again, dropped_again;
	if (!path[0]) {
		snprintf(path, sizeof path, "/tmp/xinglin-fuzz-outbox-%d", (int)getpid());
		atexit(remove_file);
	}
	if (!size) return 0;
	write_journal(data, size);
	const enum status status = outbox_mark_restored(&kept, &dropped, path, NULL);
	BUG_ON(status != STATUS_OK && status != STATUS_CORRUPT);
	if (status != STATUS_OK) return 0;
	BUG_ON(outbox_mark_restored(&kept_again, &dropped_again, path, NULL) != STATUS_OK);
	BUG_ON(kept_again != kept || dropped_again != 0);
	return 0;
}
