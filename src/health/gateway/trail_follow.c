/* Following a trail while it grows: from a place to the end of what is written, file by file. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "health/gateway/trail_private.h"

#define CHUNK ((size_t)256 << 10)
#define FRAME_MAX (TRAIL_FRAME_HEAD + TRAIL_ENTRY_MAX + TRAIL_FRAME_TAIL)

struct following {
	struct trail *trail;
	struct look_lists_place *place;
	size_t left;
	void (*visit)(void *context, const struct trail_seen *seen);
	void *context;
	struct trail_file file;
	uint8_t key[32];
	struct buf entry;
};

/* Up to a chunk from the place on. */
static enum status read_chunk(struct buf *out, int fd, uint64_t offset, struct err *err) {
	buf_clear(out);
	uint8_t *room = buf_extend(out, CHUNK);
	BUG_ON(!room);
	const ssize_t len = pread(fd, room, CHUNK, (off_t)offset);
	if (len < 0) return err_set(err, STATUS_IO, "the trail cannot be read: %s", strerror(errno));
	out->len = (size_t)len;
	return STATUS_OK;
}

/* STATUS_NOTFOUND: there is no such file. */
static enum status open_file(struct following *f, int *fd, uint32_t number, struct err *err) {
	uint8_t header[TRAIL_HEADER_BYTES];
	char path[FILES_PATH_BYTES];
	trail_path(path, trail_home(f->trail), number);
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? STATUS_NOTFOUND : err_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
	enum status status = STATUS_CORRUPT;
	if (pread(*fd, header, sizeof header, 0) == (ssize_t)sizeof header)
		status = trail_header_read(&f->file, bytes_make(header, sizeof header), err);
	if (status == STATUS_OK && f->file.number != number) status = err_set(err, STATUS_CORRUPT, "another's number");
	if (status == STATUS_OK && f->place->file != number) { /* it begins */
		if (f->file.before != f->place->count || !hash32_equal(&f->file.head_before, &f->place->head)) {
			status = err_set(err, STATUS_CORRUPT, "it does not follow from the file before it");
		} else {
			f->place->file = number;
			f->place->offset = TRAIL_HEADER_BYTES;
			f->place->head = trail_head_of_header(header);
		}
	}
	if (status == STATUS_OK) trail_file_key(f->key, trail_root(f->trail), &f->file);
	if (status == STATUS_OK) return status;
	close(*fd);
	return err_prefix(err, status, "%s", path);
}

static enum status see_frame(struct following *f, struct bytes frame, struct err *err) {
	struct look_lists_place *place = f->place;
	const struct trail_seen seen = {.n = place->count + 1, .key = f->key};
	if (trail_frame_open(&f->entry, f->key, &f->file, seen.n, frame) != STATUS_OK)
		return err_set(err, STATUS_CORRUPT, "entry %llu of the trail was not sealed by this home",
		    (unsigned long long)seen.n);
	place->head = trail_head_next(&place->head, frame);
	place->offset += frame.len + 32;
	place->count++;
	f->left--;
	f->visit(f->context, &(struct trail_seen){seen.n, buf_view(&f->entry), f->key});
	return STATUS_OK;
}

/* To the file's end, or to what is being written: a frame that is not whole yet is for the next time. */
static enum status follow_file(struct following *f, int fd, struct err *err) {
	struct buf chunk;
	bool moved = true;
	enum status status = STATUS_OK;
	buf_init(&chunk, CHUNK);
	while (status == STATUS_OK && moved && f->left) {
		moved = false;
		status = read_chunk(&chunk, fd, f->place->offset, err);
		size_t at = 0;
		while (status == STATUS_OK && f->left) {
			const struct bytes frame =
			    trail_frame_at(&f->place->head, bytes_slice(buf_view(&chunk), at, chunk.len));
			if (!frame.len) break;
			status = see_frame(f, frame, err);
			at += frame.len + 32;
			moved = true;
		}
	}
	buf_fini(&chunk);
	return status;
}

static bool has_file(const struct following *f, uint32_t number) {
	char path[FILES_PATH_BYTES];
	trail_path(path, trail_home(f->trail), number);
	return files_exists(path);
}

/* A file that has a successor gets no entry any more: so that is asked first. */
enum status trail_follow(struct trail *trail, struct look_lists_place *place, size_t max,
    void (*visit)(void *context, const struct trail_seen *seen), void *context, struct err *err) {
	struct following f = {.trail = trail, .place = place, .left = max, .visit = visit, .context = context};
	enum status status = STATUS_OK;
	bool is_last = false;
	_Static_assert(FRAME_MAX < CHUNK, "a frame fits a chunk");
	buf_init(&f.entry, TRAIL_ENTRY_MAX);
	while (status == STATUS_OK && !is_last && f.left) {
		int fd;
		const uint32_t number = place->file ? place->file : 1;
		is_last = !has_file(&f, number + 1);
		status = open_file(&f, &fd, number, err);
		if (status != STATUS_OK) break;
		status = follow_file(&f, fd, err);
		close(fd);
		if (status != STATUS_OK || !f.left || is_last) break;
		status = open_file(&f, &fd, number + 1, err);
		if (status == STATUS_OK) close(fd);
	}
	mem_wipe(f.key, sizeof f.key);
	buf_wipe(&f.entry);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}
