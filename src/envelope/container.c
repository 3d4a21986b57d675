#include "envelope/container.h"

#include "crypto/merkle.h"

#define FRAME_HEAD 8u
static const uint8_t magic[4] = {'X', 'L', 'C', '1'};

static size_t part_length(const struct container *container, uint32_t index) {
	return load_be32(container->bytes.data + FRAME_HEAD + 4u * (size_t)index);
}

enum status container_decode(struct container *out, struct bytes bytes, struct err *err) {
	*out = (struct container){.bytes = bytes};
	if (bytes.len > CONTAINER_BYTES_MAX)
		return err_set(err, STATUS_LIMIT, "container is larger than %zu bytes", CONTAINER_BYTES_MAX);
	if (bytes.len < FRAME_HEAD || memcmp(bytes.data, magic, sizeof magic) != 0)
		return err_set(err, STATUS_INVALID, "not a container: it does not begin with \"XLC1\"");
	uint32_t count = load_be32(bytes.data + 4);
	if (count == 0 || count > CONTAINER_PARTS_MAX)
		return err_set(
		    err, STATUS_INVALID, "container of %u parts; 1 to %u are allowed", count, CONTAINER_PARTS_MAX);
	size_t parts_at = FRAME_HEAD + 4u * (size_t)count;
	if (parts_at > bytes.len) return err_set(err, STATUS_INVALID, "container ends within its table of parts");
	out->count = count;
	size_t total = parts_at;
	for (uint32_t i = 0; i < count; i++) {
		size_t length = part_length(out, i);
		if (length == 0 || length > CONTAINER_PART_MAX)
			return err_set(err, STATUS_INVALID, "part %u has %zu bytes; 1 to %zu are allowed", i, length,
			    CONTAINER_PART_MAX);
		total += length;
	}
	if (total != bytes.len)
		return err_set(err, STATUS_INVALID, "container has %zu bytes, its table says %zu", bytes.len, total);
	return STATUS_OK;
}

struct bytes container_part(const struct container *container, uint32_t index) {
	BUG_ON(index >= container->count);
	size_t at = FRAME_HEAD + 4u * (size_t)container->count;
	for (uint32_t i = 0; i < index; i++) at += part_length(container, i);
	return bytes_slice(container->bytes, at, part_length(container, index));
}

hash32 container_name(const struct container *container) {
	hash32 *leaves = mem_alloc(container->count * sizeof *leaves);
	size_t at = FRAME_HEAD + 4u * (size_t)container->count;
	for (uint32_t i = 0; i < container->count; i++) {
		size_t length = part_length(container, i);
		leaves[i] = merkle_leaf(bytes_slice(container->bytes, at, length));
		at += length;
	}
	hash32 name = merkle_root(leaves, container->count);
	mem_free(leaves);
	return name;
}

enum status container_encode(struct buf *out, const struct bytes *parts, size_t count, struct err *err) {
	if (count == 0 || count > CONTAINER_PARTS_MAX)
		return err_set(
		    err, STATUS_LIMIT, "a container holds 1 to %u parts, not %zu", CONTAINER_PARTS_MAX, count);
	size_t start = out->len;
	uint8_t word[4];
	buf_append(out, bytes_make(magic, sizeof magic));
	store_be32(word, (uint32_t)count);
	buf_append(out, bytes_make(word, 4));
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len == 0 || parts[i].len > CONTAINER_PART_MAX)
			return err_set(err, STATUS_LIMIT, "part %zu has %zu bytes; 1 to %zu are allowed", i,
			    parts[i].len, CONTAINER_PART_MAX);
		store_be32(word, (uint32_t)parts[i].len);
		buf_append(out, bytes_make(word, 4));
	}
	for (size_t i = 0; i < count; i++) buf_append(out, parts[i]);
	if (!out->overflow && out->len - start > CONTAINER_BYTES_MAX)
		return err_set(err, STATUS_LIMIT, "container is larger than %zu bytes", CONTAINER_BYTES_MAX);
	return buf_status(out, err);
}
