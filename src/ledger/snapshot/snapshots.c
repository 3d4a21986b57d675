#include "ledger/snapshot/snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "ledger/snapshot/make.h"

#define MAKING "making" /* the folder's name before it is whole */

enum { MAKER_NICE = 10, PATH_BYTES = FILES_PATH_BYTES };

struct kept {
	struct arena arena;
	struct snapshot_info info;
	const hash32 *chunks;
};

struct snapshots {
	struct snapshots_options options;
	char *directory;
	pthread_t maker;
	bool has_maker;
	atomic_bool stop;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct kept *kept[SNAPSHOTS_KEPT_MAX + 1]; /* the newest first */
	size_t count;
	struct snapshot_source wanted; /* view NULL: none is to be made, and none is */
};

/* --- files --- */

static void path_of(char out[PATH_BYTES], const struct snapshots *snapshots, const char *name) {
	snprintf(out, PATH_BYTES, "%s/%s", snapshots->directory, name);
}

static void name_of(char out[24], uint64_t height) {
	snprintf(out, 24, "%llu", (unsigned long long)height);
}

/* A folder of files. */
static void remove_folder(const struct snapshots *snapshots, const char *name) {
	char path[PATH_BYTES];
	path_of(path, snapshots, name);
	DIR *folder = opendir(path);
	if (folder == NULL) return;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.') unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	if (rmdir(path) != 0) log_warn("snapshot", "cannot remove %s: %s", path, strerror(errno));
}

static void kept_free(struct kept *kept) {
	if (kept == NULL) return;
	arena_fini(&kept->arena);
	mem_free(kept);
}

static enum status read_manifest(struct kept *kept, const char *path, const struct chain *chain, struct err *err) {
	struct snapshot_manifest manifest;
	struct buf text;
	buf_init(&text, SNAPSHOT_MANIFEST_BYTES_MAX);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) {
		kept->info.manifest = arena_dup(&kept->arena, buf_view(&text));
		status = snapshot_manifest_decode(&manifest, &kept->arena, kept->info.manifest, err);
	}
	buf_fini(&text);
	TRY(status);
	if (!hash32_equal(&manifest.genesis, chain_genesis_hash(chain)))
		return err_set(err, STATUS_INVALID, "%s is of another chain", path);
	kept->chunks = manifest.chunks;
	kept->info.height = manifest.height;
	kept->info.number = manifest.header.number;
	kept->info.chunk_count = manifest.chunk_count;
	kept->info.hash = snapshot_hash(kept->info.manifest);
	return STATUS_OK;
}

/* --- the list; under the lock --- */

static void add(struct snapshots *snapshots, struct kept *kept) {
	size_t at = snapshots->count++;
	for (; at > 0 && snapshots->kept[at - 1]->info.height < kept->info.height; at--)
		snapshots->kept[at] = snapshots->kept[at - 1];
	snapshots->kept[at] = kept;
	while (snapshots->count > snapshots->options.keep) {
		struct kept *oldest = snapshots->kept[--snapshots->count];
		char name[24];
		name_of(name, oldest->info.height);
		remove_folder(snapshots, name);
		kept_free(oldest);
	}
}

static struct kept *find(struct snapshots *snapshots, uint64_t height) {
	for (size_t i = 0; i < snapshots->count; i++)
		if (snapshots->kept[i]->info.height == height) return snapshots->kept[i];
	return NULL;
}

/* A folder without a manifest is of a run that was interrupted. */
static void take_folder(struct snapshots *snapshots, const char *name) {
	char path[PATH_BYTES], expected[24];
	struct err err;
	struct kept *kept = mem_zalloc(1, sizeof *kept);
	arena_init(&kept->arena);
	snprintf(path, sizeof path, "%s/%s/manifest", snapshots->directory, name);
	enum status status = read_manifest(kept, path, snapshots->options.chain, &err);
	name_of(expected, kept->info.height);
	if (status == STATUS_OK && strcmp(expected, name) == 0) {
		add(snapshots, kept);
		return;
	}
	if (strcmp(name, MAKING) != 0)
		log_warn("snapshot", "%s/%s is no snapshot, and goes", snapshots->directory, name);
	kept_free(kept);
	remove_folder(snapshots, name);
}

static enum status take_all(struct snapshots *snapshots, struct err *err) {
	DIR *folder = opendir(snapshots->directory);
	if (folder == NULL) return err_set(err, STATUS_IO, "cannot list %s: %s", snapshots->directory, strerror(errno));
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.') take_folder(snapshots, entry->d_name);
	closedir(folder);
	return STATUS_OK;
}

/* --- making --- */

static enum status make_one(struct snapshots *snapshots, const struct snapshot_source *source, struct err *err) {
	char making[PATH_BYTES], whole[PATH_BYTES], name[24];
	path_of(making, snapshots, MAKING);
	name_of(name, source->height);
	path_of(whole, snapshots, name);
	remove_folder(snapshots, MAKING);
	TRY(snapshot_make(source, making, err));
	if (rename(making, whole) != 0) return err_set(err, STATUS_IO, "cannot rename %s: %s", making, strerror(errno));
	TRY(files_sync_parent(whole, err));
	pthread_mutex_lock(&snapshots->lock);
	take_folder(snapshots, name);
	pthread_mutex_unlock(&snapshots->lock);
	return STATUS_OK;
}

static void make(struct snapshots *snapshots, const struct snapshot_source *source) {
	struct err err;
	const unsigned long long number = source->number, height = source->height;
	log_info("snapshot", "of block %llu (height %llu) begins", number, height);
	const enum status status = make_one(snapshots, source, &err);
	if (status == STATUS_OK)
		log_info("snapshot", "of block %llu (height %llu) is made", number, height);
	else if (status != STATUS_BUSY)
		log_warn("snapshot", "of block %llu (height %llu): %s", number, height, err.message);
	if (status != STATUS_OK) remove_folder(snapshots, MAKING);
}

static void *run(void *context) {
	struct snapshots *snapshots = context;
	/* Of this thread alone, on Linux: whoever serves goes first. */
	if (setpriority(PRIO_PROCESS, 0, MAKER_NICE) != 0) log_debug("snapshot", "the thread stays at its priority");
	pthread_mutex_lock(&snapshots->lock);
	while (!atomic_load(&snapshots->stop)) {
		if (snapshots->wanted.view == NULL) {
			pthread_cond_wait(&snapshots->changed, &snapshots->lock);
			continue;
		}
		const struct snapshot_source source = snapshots->wanted;
		pthread_mutex_unlock(&snapshots->lock);
		make(snapshots, &source);
		store_snapshot_free(snapshots->options.store, (struct store_snapshot *)source.view);
		pthread_mutex_lock(&snapshots->lock);
		snapshots->wanted.view = NULL;
	}
	pthread_mutex_unlock(&snapshots->lock);
	return NULL;
}

void snapshots_committed(struct snapshots *snapshots, uint64_t height, uint64_t number) {
	const uint64_t every = snapshots->options.every;
	if (every == 0 || number == 0 || number % every != 0) return;
	pthread_mutex_lock(&snapshots->lock);
	if (snapshots->wanted.view == NULL) {
		snapshots->wanted = (struct snapshot_source){.chain = snapshots->options.chain,
		    .store = snapshots->options.store,
		    .view = store_snapshot_new(snapshots->options.store),
		    .number = number,
		    .height = height,
		    .stop = &snapshots->stop};
		pthread_cond_signal(&snapshots->changed);
	} else {
		log_info("snapshot", "of block %llu is left out, since the one before it is still in the making",
		    (unsigned long long)number);
	}
	pthread_mutex_unlock(&snapshots->lock);
}

/* --- serving --- */

size_t snapshots_list(struct snapshots *snapshots, struct snapshot_info out[SNAPSHOTS_KEPT_MAX], struct arena *arena,
    uint64_t height_max) {
	size_t count = 0;
	pthread_mutex_lock(&snapshots->lock);
	for (size_t i = 0; i < snapshots->count; i++) {
		const struct snapshot_info *info = &snapshots->kept[i]->info;
		if (info->height > height_max) continue;
		out[count] = *info;
		out[count++].manifest = arena_dup(arena, info->manifest);
	}
	pthread_mutex_unlock(&snapshots->lock);
	return count;
}

enum status snapshots_read(
    struct snapshots *snapshots, struct buf *out, uint64_t height, size_t index, struct err *err) {
	char path[PATH_BYTES];
	hash32 expected;
	pthread_mutex_lock(&snapshots->lock);
	const struct kept *kept = find(snapshots, height);
	const bool is_there = kept != NULL && index < kept->info.chunk_count;
	if (is_there) expected = kept->chunks[index];
	pthread_mutex_unlock(&snapshots->lock);
	if (!is_there)
		return err_set(err, STATUS_NOTFOUND, "no chunk %zu of a snapshot of height %llu", index,
		    (unsigned long long)height);
	snprintf(path, sizeof path, "%s/%llu/%zu", snapshots->directory, (unsigned long long)height, index);
	TRY(files_read(out, path, err));
	const hash32 hash = sha256(buf_view(out));
	return hash32_equal(&hash, &expected) ? STATUS_OK
					      : err_set(err, STATUS_CORRUPT, "%s differs from what was written", path);
}

uint64_t snapshots_oldest(struct snapshots *snapshots) {
	pthread_mutex_lock(&snapshots->lock);
	const uint64_t height = snapshots->count > 0 ? snapshots->kept[snapshots->count - 1]->info.height : 0;
	pthread_mutex_unlock(&snapshots->lock);
	return height;
}

bool snapshots_are_made(const struct snapshots *snapshots) {
	return snapshots->options.every > 0;
}

/* --- life --- */

enum status snapshots_open(struct snapshots **out, const struct snapshots_options *options, struct err *err) {
	if (options->keep == 0 || options->keep > SNAPSHOTS_KEPT_MAX)
		return err_set(err, STATUS_INVALID, "1 to %d snapshots are kept", SNAPSHOTS_KEPT_MAX);
	if (strlen(options->directory) + 64 > PATH_BYTES)
		return err_set(err, STATUS_INVALID, "the path %s is too long", options->directory);
	struct snapshots *snapshots = mem_zalloc(1, sizeof *snapshots);
	snapshots->options = *options;
	snapshots->directory = mem_strdup(options->directory);
	pthread_mutex_init(&snapshots->lock, NULL);
	pthread_cond_init(&snapshots->changed, NULL);
	enum status status = files_make_folder(snapshots->directory, err);
	if (status == STATUS_OK) status = take_all(snapshots, err);
	if (status == STATUS_OK && options->every > 0) {
		snapshots->has_maker = pthread_create(&snapshots->maker, NULL, run, snapshots) == 0;
		if (!snapshots->has_maker)
			status = err_set(err, STATUS_INTERNAL, "cannot start the thread that makes snapshots");
	}
	if (status != STATUS_OK) {
		snapshots_close(snapshots);
		return status;
	}
	*out = snapshots;
	return STATUS_OK;
}

void snapshots_close(struct snapshots *snapshots) {
	if (snapshots == NULL) return;
	atomic_store(&snapshots->stop, true);
	pthread_mutex_lock(&snapshots->lock);
	pthread_cond_signal(&snapshots->changed);
	pthread_mutex_unlock(&snapshots->lock);
	if (snapshots->has_maker) pthread_join(snapshots->maker, NULL);
	store_snapshot_free(snapshots->options.store, (struct store_snapshot *)snapshots->wanted.view);
	for (size_t i = 0; i < snapshots->count; i++) kept_free(snapshots->kept[i]);
	pthread_cond_destroy(&snapshots->changed);
	pthread_mutex_destroy(&snapshots->lock);
	mem_free(snapshots->directory);
	mem_free(snapshots);
}
