/* Reading a trail: its chain and its seals, from the oldest file that is there. */
#include "base/files.h"
#include "health/gateway/trail_private.h"

struct reading {
	const struct home *home;
	uint8_t root[32];
	struct trail_found *found;
	trail_visit *visit;
	void *context;
	bool is_ended; /* the visitor has seen enough */
	uint64_t n;    /* of the entry before */
};

static enum status read_frames(
    struct reading *reading, const struct trail_file *file, const uint8_t key[32], struct bytes text, struct err *err) {
	struct buf entry;
	size_t at = TRAIL_HEADER_BYTES;
	hash32 *head = &reading->found->head;
	enum status status = STATUS_OK;
	buf_init(&entry, TRAIL_ENTRY_MAX);
	*head = trail_head_of_header(text.data);
	while (status == STATUS_OK && !reading->is_ended) {
		const struct bytes frame = trail_frame_at(head, bytes_slice(text, at, text.len));
		if (!frame.len) break;
		*head = trail_head_next(head, frame);
		at += frame.len + 32;
		reading->n++;
		reading->found->count++;
		if (trail_frame_open(&entry, key, file, reading->n, frame) != STATUS_OK)
			status = err_set(err, STATUS_CORRUPT, "entry %llu was not sealed by this home",
			    (unsigned long long)reading->n);
		else
			reading->is_ended =
			    !reading->visit(reading->context, file->number, reading->n, buf_view(&entry));
	}
	/* Behind the end are zeros that were not used yet, or nothing. */
	for (; status == STATUS_OK && !reading->is_ended && at < text.len; at++)
		if (text.data[at])
			status = err_set(err, STATUS_CORRUPT, "the chain does not hold after entry %llu",
			    (unsigned long long)reading->n);
	buf_wipe(&entry);
	return status;
}

static enum status check_header(
    struct reading *reading, const struct trail_file *file, uint32_t number, bool is_first, struct err *err) {
	if (file->number != number) return err_set(err, STATUS_CORRUPT, "it is file %u of the trail", file->number);
	if (is_first) {
		reading->n = file->before;
		reading->found->first_file = number;
		return STATUS_OK;
	}
	if (number != reading->found->last_file + 1)
		return err_set(err, STATUS_CORRUPT, "the file before it is not there");
	if (file->before != reading->n || !hash32_equal(&file->head_before, &reading->found->head))
		return err_set(err, STATUS_CORRUPT, "it does not follow from the file before it");
	return STATUS_OK;
}

static enum status read_file(struct reading *reading, uint32_t number, bool is_first, struct err *err) {
	struct trail_file file = {0};
	struct buf text;
	uint8_t key[32];
	char path[FILES_PATH_BYTES];
	trail_path(path, reading->home->directory, number);
	buf_init(&text, TRAIL_FILE_BYTES);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) status = trail_header_read(&file, buf_view(&text), err);
	if (status == STATUS_OK) status = check_header(reading, &file, number, is_first, err);
	reading->found->last_file = number;
	if (status == STATUS_OK) {
		trail_file_key(key, reading->root, &file);
		status = read_frames(reading, &file, key, buf_view(&text), err);
		mem_wipe(key, sizeof key);
	}
	buf_fini(&text);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

enum status trail_read(
    const struct home *home, struct trail_found *found, trail_visit *visit, void *context, struct err *err) {
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	struct reading reading = {.home = home, .found = found, .visit = visit, .context = context};
	*found = (struct trail_found){0};
	arena_init(&arena);
	enum status status = trail_list(&numbers, &count, &arena, home, err);
	if (status == STATUS_OK) status = trail_root_key(reading.root, home, err);
	for (size_t i = 0; status == STATUS_OK && i < count && !reading.is_ended; i++)
		status = read_file(&reading, numbers[i], i == 0, err);
	mem_wipe(reading.root, sizeof reading.root);
	arena_fini(&arena);
	return status;
}
