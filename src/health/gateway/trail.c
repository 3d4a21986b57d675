#include "health/gateway/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "codec/json.h"
#include "health/gateway/trail_private.h"

#define TEXT_MAX 600u /* of one text in an entry */

struct trail {
	struct trail_options options; /* its home: while the trail is opened */
	char *home;
	uint8_t root[32];
	struct monitor *lock; /* of all that follows */
	int fd;               /* -1: no file yet */
	struct trail_file file;
	uint8_t key[32];
	hash32 head;      /* after the newest entry */
	uint64_t count;   /* entries in all files */
	size_t used;      /* bytes of this file */
	bool is_unsynced; /* something was added since the last sync */
	bool is_full;     /* no room for another file; it is tried again */
	bool is_broken;   /* the disk refused what was written: until a restart */
	struct trail_counts counts;
	struct buf frame; /* room for one */
};

static void lock(struct trail *trail) {
	if (trail->lock) trail->options.threads->lock(trail->lock);
}

static void unlock(struct trail *trail) {
	if (trail->lock) trail->options.threads->unlock(trail->lock);
}

static void close_file(struct trail *trail) {
	if (trail->fd >= 0) close(trail->fd);
	mem_wipe(trail->key, sizeof trail->key);
	trail->fd = -1;
}

const char *trail_home(const struct trail *trail) {
	return trail->home;
}

const uint8_t *trail_root(const struct trail *trail) {
	return trail->root;
}

/* --- files --- */

/* Its room is taken from the disk at once, so that what is added later does not fail for want of it. */
static enum status make_file(int *fd, const char *path, const uint8_t header[TRAIL_HEADER_BYTES], struct err *err) {
	*fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0) return err_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
	int failed = posix_fallocate(*fd, 0, (off_t)TRAIL_FILE_BYTES);
	enum status status = failed ? err_set(err, STATUS_IO, "%s: %s", path, strerror(failed))
				    : files_write_fd(*fd, bytes_make(header, TRAIL_HEADER_BYTES), path, err);
	if (status == STATUS_OK && fdatasync(*fd) != 0)
		status = err_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
	if (status == STATUS_OK) status = files_sync_parent(path, err);
	if (status == STATUS_OK) return status;
	close(*fd);
	unlink(path);
	return status;
}

/* What the last file did not need goes back to the disk. */
static void finish_file(struct trail *trail) {
	if (trail->fd < 0) return;
	if (ftruncate(trail->fd, (off_t)trail->used) != 0 || fdatasync(trail->fd) != 0)
		log_warn("gateway", "the trail's last file could not be finished: %s", strerror(errno));
	close_file(trail);
}

static enum status begin_file(struct trail *trail, struct err *err) {
	uint8_t header[TRAIL_HEADER_BYTES], key[32];
	char path[FILES_PATH_BYTES];
	int fd;
	struct trail_file file = {.number = trail->file.number + 1, .before = trail->count, .head_before = trail->head};
	random_fill(trail->options.random, file.salt.b, 32);
	trail_header_write(header, &file);
	trail_path(path, trail->home, file.number);
	trail_file_key(key, trail->root, &file);
	enum status status = make_file(&fd, path, header, err);
	if (status == STATUS_OK) {
		finish_file(trail);
		trail->fd = fd;
		trail->file = file;
		trail->used = TRAIL_HEADER_BYTES;
		trail->head = trail_head_of_header(header);
		memcpy(trail->key, key, sizeof key);
	}
	mem_wipe(key, sizeof key);
	return status;
}

/* A file with room for the next entries; if the disk has none, the reserve of the last one is used up. */
static void make_room(struct trail *trail) {
	struct err err;
	if (trail->fd >= 0 && trail->used + TRAIL_RESERVE_BYTES <= TRAIL_FILE_BYTES) return;
	enum status status = begin_file(trail, &err);
	if (status != STATUS_OK && !trail->is_full) log_error("gateway", "the trail has no room: %s", err.message);
	trail->is_full = status != STATUS_OK;
}

/* --- opening --- */

/* Walks to the end of what was written. */
static void find_end(struct trail *trail, struct bytes text) {
	trail->head = trail_head_of_header(text.data);
	trail->used = TRAIL_HEADER_BYTES;
	trail->count = trail->file.before;
	while (true) {
		const struct bytes rest = bytes_slice(text, trail->used, text.len);
		const struct bytes frame = trail_frame_at(&trail->head, rest);
		if (!frame.len) return;
		trail->head = trail_head_next(&trail->head, frame);
		trail->used += frame.len + 32;
		trail->count++;
	}
}

/* A new file follows, whatever is behind the end of this one: a half entry, or room that was not used. */
static enum status take_last(struct trail *trail, uint32_t number, struct err *err) {
	struct buf text;
	char path[FILES_PATH_BYTES];
	trail_path(path, trail->home, number);
	buf_init(&text, TRAIL_FILE_BYTES);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) status = trail_header_read(&trail->file, buf_view(&text), err);
	if (status == STATUS_OK && trail->file.number != number)
		status = err_set(err, STATUS_CORRUPT, "it is file %u of the trail", trail->file.number);
	if (status == STATUS_OK) {
		find_end(trail, buf_view(&text));
		if (truncate(path, (off_t)trail->used) != 0) status = err_set(err, STATUS_IO, "%s", strerror(errno));
	}
	buf_fini(&text);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

static enum status open_trail(struct trail *trail, struct err *err) {
	struct arena arena;
	char path[FILES_PATH_BYTES];
	uint32_t *numbers;
	size_t count;
	snprintf(path, sizeof path, "%s/" TRAIL_FOLDER, trail->options.home->directory);
	TRY(files_make_folder(path, err));
	TRY(trail_root_key(trail->root, trail->options.home, err));
	arena_init(&arena);
	enum status status = trail_list(&numbers, &count, &arena, trail->options.home, err);
	if (status == STATUS_OK && count) status = take_last(trail, numbers[count - 1], err);
	arena_fini(&arena);
	return status;
}

enum status trail_open(struct trail **out, const struct trail_options *options, struct err *err) {
	struct trail *trail = mem_zalloc(1, sizeof *trail);
	trail->options = *options;
	trail->home = mem_strdup(options->home->directory);
	trail->fd = -1;
	if (options->threads) trail->lock = options->threads->monitor_new(options->threads->context);
	buf_init(&trail->frame, TRAIL_FRAME_HEAD + TRAIL_ENTRY_MAX + TRAIL_FRAME_TAIL);
	enum status status = open_trail(trail, err);
	if (status == STATUS_OK)
		*out = trail;
	else
		trail_close(trail);
	return status;
}

void trail_close(struct trail *trail) {
	if (!trail) return;
	finish_file(trail);
	mem_wipe(trail->root, sizeof trail->root);
	mem_free(trail->home);
	buf_wipe(&trail->frame);
	if (trail->lock) trail->options.threads->monitor_free(trail->lock);
	mem_free(trail);
}

/* --- adding --- */

static void put_text(struct json_writer *writer, const char *name, struct bytes text) {
	if (text.len) json_put_string(writer, name, bytes_slice(text, 0, TEXT_MAX));
}

static void write_entry(struct buf *out, const struct trail_entry *entry) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "at", entry->at_ms);
	put_text(&writer, "who", bytes_text(entry->asker->name));
	put_text(&writer, "person", bytes_text(entry->asker->subject));
	put_text(&writer, "organisation", bytes_text(entry->asker->organisation));
	put_text(&writer, "purpose", bytes_text(entry->asker->purpose));
	put_text(&writer, "patient", entry->asker->patient);
	put_text(&writer, "request", entry->request);
	put_text(&writer, "method", bytes_text(entry->method));
	put_text(&writer, "what", entry->what);
	put_text(&writer, "made", entry->made);
	json_put_u64(&writer, "status", (uint64_t)entry->status);
	if (entry->folder_count) {
		json_array_begin(&writer, "folders");
		for (size_t i = 0; i < entry->folder_count; i++)
			json_put_hex(&writer, NULL, BYTES_OF(entry->folders[i]));
		json_array_end(&writer);
		if (entry->names_first) json_put_bool(&writer, "names", true);
	}
	json_object_end(&writer);
}

/* Controls in a path grow when they are written: then it is the path that is left out. */
static void write_entry_that_fits(struct buf *out, const struct trail_entry *entry) {
	struct trail_entry shorter = *entry;
	write_entry(out, entry);
	if (!out->overflow) return;
	buf_clear(out);
	shorter.what = BYTES_LITERAL("(too long)");
	shorter.made = (struct bytes){NULL, 0};
	write_entry(out, &shorter);
}

static bool write_frame(struct trail *trail, struct bytes plaintext) {
	uint8_t iv[12];
	random_fill(trail->options.random, iv, sizeof iv);
	buf_clear(&trail->frame);
	trail_frame_seal(&trail->frame, trail->key, &trail->file, trail->count + 1, iv, plaintext);
	const hash32 head = trail_head_next(&trail->head, buf_view(&trail->frame));
	buf_append(&trail->frame, BYTES_OF(head));
	const struct bytes whole = buf_view(&trail->frame);
	if (trail->used + whole.len > TRAIL_FILE_BYTES) return false;
	if (pwrite(trail->fd, whole.data, whole.len, (off_t)trail->used) != (ssize_t)whole.len) {
		log_error("gateway", "the disk does not take the trail: %s", strerror(errno));
		trail->is_broken = true;
		return false;
	}
	trail->head = head;
	trail->used += whole.len;
	trail->count++;
	trail->is_unsynced = true;
	return true;
}

void trail_add(struct trail *trail, const struct trail_entry *entry) {
	struct buf plaintext;
	buf_init(&plaintext, TRAIL_ENTRY_MAX);
	write_entry_that_fits(&plaintext, entry);
	lock(trail);
	if (!trail->is_broken && !trail->is_full) make_room(trail);
	bool is_added =
	    !plaintext.overflow && !trail->is_broken && trail->fd >= 0 && write_frame(trail, buf_view(&plaintext));
	if (is_added)
		trail->counts.added++;
	else
		trail->counts.lost++;
	unlock(trail);
	buf_wipe(&plaintext);
}

/* --- keeping --- */

bool trail_is_ready(struct trail *trail) {
	lock(trail);
	bool is_ready = !trail->is_broken && !trail->is_full;
	unlock(trail);
	return is_ready;
}

/* The sync runs without the lock, on the file as it was. */
void trail_sync(struct trail *trail) {
	lock(trail);
	if (trail->is_full) make_room(trail);
	int fd = trail->is_unsynced && trail->fd >= 0 ? dup(trail->fd) : -1;
	trail->is_unsynced = trail->is_unsynced && fd < 0;
	unlock(trail);
	if (fd < 0) return;
	if (fdatasync(fd) != 0) {
		log_error("gateway", "the trail could not be synced, which needs a restart: %s", strerror(errno));
		lock(trail);
		trail->is_broken = true;
		unlock(trail);
	}
	close(fd);
}

struct trail_counts trail_counts(struct trail *trail) {
	lock(trail);
	const struct trail_counts counts = trail->counts;
	unlock(trail);
	return counts;
}

uint64_t trail_count(struct trail *trail) {
	lock(trail);
	const uint64_t count = trail->count;
	unlock(trail);
	return count;
}
