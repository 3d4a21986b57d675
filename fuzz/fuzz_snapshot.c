/* A snapshot's manifest and its chunks are read or refused; what is read lies within the input, and is written again as
 * it was. */
#include "fuzz/target.h"
#include "ledger/snapshot/format.h"

static void check_within(struct bytes part, struct bytes whole) {
	if (part.len == 0) return;
	BUG_ON(part.data < whole.data || part.data + part.len > whole.data + whole.len);
}

static void read_manifest(struct bytes input) {
	struct snapshot_manifest manifest;
	struct arena arena;
	struct buf again;
	arena_init(&arena);
	buf_init(&again, BUF_MAX_DEFAULT);
	if (snapshot_manifest_decode(&manifest, &arena, input, NULL) == STATUS_OK) {
		BUG_ON(manifest.chunk_count == 0 || manifest.chunk_count > SNAPSHOT_CHUNKS_MAX);
		snapshot_manifest_encode(&again, &manifest);
		BUG_ON(!bytes_equal(buf_view(&again), input));
	}
	buf_fini(&again);
	arena_fini(&arena);
}

static void read_chunk(struct bytes input) {
	struct snapshot_item item;
	struct buf again;
	buf_init(&again, BUF_MAX_DEFAULT);
	for (struct bytes rest = input; rest.len > 0;) {
		const struct bytes before = rest;
		if (snapshot_item_take(&item, &rest, NULL) != STATUS_OK) break;
		check_within(item.value, input);
		check_within(item.more, input);
		buf_clear(&again);
		snapshot_item_put(&again, &item);
		BUG_ON(!bytes_equal(buf_view(&again), bytes_slice(before, 0, before.len - rest.len)));
	}
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	read_manifest(bytes_make(data, size));
	read_chunk(bytes_make(data, size));
	return 0;
}
