#include "health/gateway/fhir_folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "health/consent/grants.h"
#include "health/records/folder.h"

#define FILE_NAME "fhir-folders"
#define LINE_BYTES 64u
#define FILE_MAX ((size_t)1 << 30)
#define FOLDER_LABEL "general"
#define WAIT_MS 1000u
#define SPARES_MAX 16u
#define SPARES_FEW 8u
#define REFILL_STEP 4u

struct entry {
	hash32 patient; /* its HMAC */
	hash32 folder;
	enum { ENTRY_FREE, ENTRY_OPENING, ENTRY_READY } state;
};

struct fhir_folders {
	const struct home *home;
	const struct threads *threads;
	struct monitor *monitor;
	uint8_t key[32]; /* of the HMAC */
	int file;
	struct entry *entries; /* by `patient`, open addressing */
	size_t count, capacity;
	hash32 spares[SPARES_MAX];
	size_t spare_count;
	bool is_refilling;
};

/* --- the table --- */

static struct entry *slot_of(struct entry *entries, size_t capacity, const hash32 *patient) {
	for (size_t i = load_be64(patient->b);; i++) {
		struct entry *entry = &entries[i & (capacity - 1)];
		if (entry->state == ENTRY_FREE || hash32_equal(&entry->patient, patient)) return entry;
	}
}

static void grow(struct fhir_folders *folders) {
	const size_t capacity = folders->capacity ? 2 * folders->capacity : 1024;
	struct entry *entries = mem_zalloc(capacity, sizeof *entries);
	for (size_t i = 0; i < folders->capacity; i++)
		if (folders->entries[i].state != ENTRY_FREE)
			*slot_of(entries, capacity, &folders->entries[i].patient) = folders->entries[i];
	mem_free(folders->entries);
	folders->entries = entries;
	folders->capacity = capacity;
}

/* One that is free is the caller's to fill. */
static struct entry *entry_of(struct fhir_folders *folders, const hash32 *patient) {
	if (2 * (folders->count + 1) > folders->capacity) grow(folders);
	struct entry *entry = slot_of(folders->entries, folders->capacity, patient);
	if (entry->state == ENTRY_FREE) {
		folders->count++;
		entry->patient = *patient;
	}
	return entry;
}

/* --- spares --- */

static void put_spare(struct fhir_folders *folders, const hash32 *folder) {
	if (folders->spare_count < SPARES_MAX) folders->spares[folders->spare_count++] = *folder;
}

static void drop_spare(struct fhir_folders *folders, const hash32 *folder) {
	for (size_t i = 0; i < folders->spare_count; i++)
		if (hash32_equal(&folders->spares[i], folder))
			folders->spares[i] = folders->spares[--folders->spare_count];
}

/* --- the file --- */

static void take_line(struct fhir_folders *folders, const uint8_t *line) {
	hash32 patient, folder;
	memcpy(patient.b, line, 32);
	memcpy(folder.b, line + 32, 32);
	if (hash32_is_zero(&patient)) {
		put_spare(folders, &folder);
		return;
	}
	struct entry *entry = entry_of(folders, &patient);
	entry->folder = folder;
	entry->state = ENTRY_READY;
	drop_spare(folders, &folder);
}

static enum status load(struct fhir_folders *folders, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, FILE_MAX);
	enum status status = files_exists(path) ? files_read(&text, path, err) : STATUS_OK;
	const size_t whole = text.len - text.len % LINE_BYTES; /* the end may be torn: its folder was not used */
	for (size_t at = 0; status == STATUS_OK && at < whole; at += LINE_BYTES) take_line(folders, text.data + at);
	if (status == STATUS_OK) folders->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (status == STATUS_OK &&
	    (folders->file < 0 || ftruncate(folders->file, (off_t)whole) != 0 || lseek(folders->file, 0, SEEK_END) < 0))
		status = err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
	buf_fini(&text);
	return status;
}

/* Under the lock: lines are written whole, or cut off. */
static enum status append(struct fhir_folders *folders, const hash32 *patient, const hash32 *folder, struct err *err) {
	uint8_t line[LINE_BYTES];
	const off_t before = lseek(folders->file, 0, SEEK_CUR);
	memcpy(line, patient->b, 32);
	memcpy(line + 32, folder->b, 32);
	enum status status = files_write_fd(folders->file, bytes_make(line, sizeof line), FILE_NAME, err);
	if (status == STATUS_OK && fdatasync(folders->file) != 0)
		status = err_set(err, STATUS_IO, "cannot sync %s: %s", FILE_NAME, strerror(errno));
	if (status != STATUS_OK && ftruncate(folders->file, before) == 0) (void)lseek(folders->file, before, SEEK_SET);
	return status;
}

enum status fhir_folders_open(
    struct fhir_folders **out, const struct home *home, const struct threads *threads, struct err *err) {
	static const char label[] = "xinglin/fhir-folders/1";
	struct fhir_folders *folders = mem_zalloc(1, sizeof *folders);
	char path[FILES_PATH_BYTES];
	folders->home = home;
	folders->threads = threads;
	folders->file = -1;
	folders->monitor = threads->monitor_new(threads->context);
	hkdf_sha256(folders->key, sizeof folders->key, (struct bytes){NULL, 0},
	    bytes_make(home->entropy, sizeof home->entropy), bytes_make(label, sizeof label - 1));
	snprintf(path, sizeof path, "%s/" FILE_NAME, home->directory);
	enum status status = load(folders, path, err);
	if (status != STATUS_OK) {
		fhir_folders_close(folders);
		return status;
	}
	*out = folders;
	return STATUS_OK;
}

void fhir_folders_close(struct fhir_folders *folders) {
	if (!folders) return;
	if (folders->file >= 0) close(folders->file);
	folders->threads->monitor_free(folders->monitor);
	mem_wipe(folders->key, sizeof folders->key);
	mem_free(folders->entries);
	mem_free(folders);
}

/* --- opening --- */

/* True: the caller opens it. False: it is there, in `out`. */
static bool claim(struct fhir_folders *folders, hash32 *out, const hash32 *patient) {
	const struct threads *threads = folders->threads;
	threads->lock(folders->monitor);
	struct entry *entry = entry_of(folders, patient);
	while (entry->state == ENTRY_OPENING) {
		threads->wait(folders->monitor, WAIT_MS);
		entry = entry_of(folders, patient); /* the table may have grown */
	}
	const bool is_mine = entry->state == ENTRY_FREE;
	if (is_mine)
		entry->state = ENTRY_OPENING;
	else
		*out = entry->folder;
	threads->unlock(folders->monitor);
	return is_mine;
}

/* Takes an entry out again: what stands behind it in its run moves up. */
static void take_out(struct fhir_folders *folders, struct entry *entry) {
	const size_t mask = folders->capacity - 1;
	size_t hole = (size_t)(entry - folders->entries);
	folders->entries[hole].state = ENTRY_FREE;
	folders->count--;
	for (size_t i = (hole + 1) & mask; folders->entries[i].state != ENTRY_FREE; i = (i + 1) & mask) {
		const struct entry moved = folders->entries[i];
		folders->entries[i].state = ENTRY_FREE;
		*slot_of(folders->entries, folders->capacity, &moved.patient) = moved;
	}
}

static enum status settle(
    struct fhir_folders *folders, const hash32 *patient, const hash32 *folder, enum status status, struct err *err) {
	const struct threads *threads = folders->threads;
	threads->lock(folders->monitor);
	if (status == STATUS_OK) status = append(folders, patient, folder, err);
	struct entry *entry = entry_of(folders, patient);
	entry->folder = *folder;
	entry->state = ENTRY_READY;
	if (status != STATUS_OK) take_out(folders, entry);
	threads->wake_all(folders->monitor);
	threads->unlock(folders->monitor);
	return status;
}

static bool take_spare(struct fhir_folders *folders, hash32 *out) {
	folders->threads->lock(folders->monitor);
	const bool is_there = folders->spare_count > 0;
	if (is_there) *out = folders->spares[--folders->spare_count];
	folders->threads->unlock(folders->monitor);
	return is_there;
}

enum status fhir_folders_find(
    struct fhir_folders *folders, struct actor_request *request, hash32 *out, struct bytes patient, struct err *err) {
	const hash32 name = hmac_sha256(bytes_make(folders->key, sizeof folders->key), patient);
	if (!claim(folders, out, &name)) return STATUS_OK;
	enum status status =
	    take_spare(folders, out) ? STATUS_OK : grant_folder_to_self(request, out, FOLDER_LABEL, err);
	return settle(folders, &name, out, status, err);
}

/* --- refilling --- */

/* With the lock held. */
static bool are_few(const struct fhir_folders *folders) {
	return folders->count > 1 && folders->spare_count < SPARES_FEW && !folders->is_refilling;
}

bool fhir_folders_are_few(struct fhir_folders *folders) {
	folders->threads->lock(folders->monitor);
	const bool few = are_few(folders);
	folders->threads->unlock(folders->monitor);
	return few;
}

static bool begin_refill(struct fhir_folders *folders) {
	folders->threads->lock(folders->monitor);
	const bool begins = are_few(folders);
	if (begins) folders->is_refilling = true;
	folders->threads->unlock(folders->monitor);
	return begins;
}

static enum status add_spare(struct fhir_folders *folders, struct actor_request *request, struct err *err) {
	static const hash32 nobody;
	hash32 folder;
	TRY(grant_folder_to_self(request, &folder, FOLDER_LABEL, err));
	folders->threads->lock(folders->monitor);
	enum status status = append(folders, &nobody, &folder, err);
	if (status == STATUS_OK) put_spare(folders, &folder);
	folders->threads->unlock(folders->monitor);
	return status;
}

void fhir_folders_refill(struct fhir_folders *folders, struct actor_request *request) {
	struct err err = {0};
	enum status status = STATUS_OK;
	if (!begin_refill(folders)) return;
	for (size_t i = 0; i < REFILL_STEP && status == STATUS_OK; i++) status = add_spare(folders, request, &err);
	if (status != STATUS_OK) log_warn("gateway", "a folder for patients to come: %s", err.message);
	folders->threads->lock(folders->monitor);
	folders->is_refilling = false;
	folders->threads->unlock(folders->monitor);
}
