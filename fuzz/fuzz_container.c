/* A container that decodes encodes to the same bytes. */
#include "envelope/container.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct container container;
	struct err err;
	if (container_decode(&container, bytes_make(data, size), &err) != STATUS_OK) return 0;
	struct bytes parts[CONTAINER_PARTS_MAX];
	for (uint32_t i = 0; i < container.count; i++) parts[i] = container_part(&container, i);
	struct buf again;
	buf_init(&again, CONTAINER_BYTES_MAX);
	BUG_ON(container_encode(&again, parts, container.count, &err) != STATUS_OK);
	BUG_ON(!bytes_equal(buf_view(&again), bytes_make(data, size)));
	(void)container_name(&container);
	buf_fini(&again);
	return 0;
}
