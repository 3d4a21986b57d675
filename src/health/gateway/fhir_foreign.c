#include "health/gateway/fhir_foreign.h"

#include "base/log.h"
#include "health/contracts/consent.h"
#include "health/gateway/fhir_foreign_private.h"
#include "health/records/folder.h"

#define WAITS_MAX 60u

static void lock(struct fhir_foreign *foreign) {
	foreign->options.threads->lock(foreign->monitor);
}

static void unlock(struct fhir_foreign *foreign) {
	foreign->options.threads->unlock(foreign->monitor);
}

/* By our clock, but never behind the last head. */
static uint64_t now_s(struct fhir_foreign *foreign) {
	struct heads *heads;
	/* Without heads nothing was ever opened. */
	return actor_heads(foreign->options.actor, &heads, NULL) == STATUS_OK ? heads_now_s(heads) : UINT64_MAX;
}

/* --- rooms; with the lock held --- */

static struct fhir_foreign_room *find_room(struct fhir_foreign *foreign, const hash32 *id) {
	struct fhir_foreign_room *room = foreign->rooms;
	while (room && !hash32_equal(&room->id, id)) room = room->next;
	return room;
}

static bool is_open(const struct fhir_foreign_room *room, uint64_t now) {
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (room->until_s[i] > now) return true;
	return false;
}

static void end_room(struct fhir_foreign_room *room) {
	room->is_over = true;
	memset(room->until_s, 0, sizeof room->until_s);
}

static void take_out(struct fhir_foreign *foreign, struct fhir_foreign_room *room) {
	struct fhir_foreign_room **place = &foreign->rooms;
	while (*place != room) place = &(*place)->next;
	*place = room->next;
	mem_free(room);
}

/* --- dropping --- */

/* Whoever marked it `is_filling` drops it. If the file is not free, the next step tries again. */
static bool drop_room(struct fhir_foreign *foreign, struct fhir_foreign_room *room) {
	struct err err = {0};
	const enum status status = resources_drop_folder(foreign->options.resources, &room->id, &err);
	if (status != STATUS_OK) log_warn("gateway", "what a closed window showed is not dropped yet: %s", err.message);
	lock(foreign);
	room->is_filling = false;
	if (status == STATUS_OK) take_out(foreign, room);
	foreign->options.threads->wake_all(foreign->monitor);
	unlock(foreign);
	return status == STATUS_OK;
}

/* One that is over, marked for dropping; NULL: there is none. */
static struct fhir_foreign_room *take_ended(struct fhir_foreign *foreign, uint64_t now) {
	lock(foreign);
	struct fhir_foreign_room *room = foreign->rooms;
	for (; room; room = room->next) {
		if (!is_open(room, now)) end_room(room);
		if (room->is_over && !room->is_filling) break;
	}
	if (room) room->is_filling = true;
	unlock(foreign);
	return room;
}

static void drop_ended(struct fhir_foreign *foreign, uint64_t now) {
	struct fhir_foreign_room *room;
	bool is_any = false;
	while ((room = take_ended(foreign, now)) != NULL && drop_room(foreign, room)) is_any = true;
	if (is_any && now != UINT64_MAX) fhir_foreign_keep(foreign);
}

/* --- opening --- */

static struct fhir_foreign_room *make_room(struct fhir_foreign *foreign, const struct fhir_foreign_room *asked) {
	struct fhir_foreign_room *room = mem_zalloc(1, sizeof *room);
	room->id = asked->id;
	room->folder = asked->folder;
	room->record = asked->record;
	room->opening = ++foreign->openings;
	room->next = foreign->rooms;
	foreign->rooms = room;
	return room;
}

/* Marks it as being taken in; whoever does that, or drops it, is waited for. NULL: for too long. */
static struct fhir_foreign_room *begin_filling(struct fhir_foreign *foreign, const struct fhir_foreign_room *asked) {
	unsigned waited = 0;
	lock(foreign);
	struct fhir_foreign_room *room;
	while ((room = find_room(foreign, &asked->id)) != NULL && (room->is_filling || room->is_over)) {
		if (++waited > WAITS_MAX) {
			unlock(foreign);
			return NULL;
		}
		foreign->options.threads->wait(foreign->monitor, FHIR_FOREIGN_WAIT_MS);
	}
	if (!room) room = make_room(foreign, asked);
	room->is_filling = true;
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (asked->until_s[i] > room->until_s[i]) room->until_s[i] = asked->until_s[i];
	unlock(foreign);
	return room;
}

/* One that is shown now, marked as being taken in; NULL: there is none by now, or somebody else has it. */
static struct fhir_foreign_room *begin_again(struct fhir_foreign *foreign, const struct fhir_foreign_room *seen) {
	lock(foreign);
	struct fhir_foreign_room *room = find_room(foreign, &seen->id);
	if (room && (room->is_filling || room->is_over || room->opening != seen->opening)) room = NULL;
	if (room) room->is_filling = true;
	unlock(foreign);
	return room;
}

/* What ended while it was taken in goes at once. */
static void end_filling(struct fhir_foreign *foreign, struct fhir_foreign_room *room, bool is_in, const hash32 *list) {
	lock(foreign);
	room->is_ready = room->is_ready || is_in;
	if (is_in) room->list = *list;
	if (!room->is_ready) end_room(room);
	const bool is_over = room->is_over;
	if (!is_over) room->is_filling = false;
	foreign->options.threads->wake_all(foreign->monitor);
	unlock(foreign);
	if (is_over) (void)drop_room(foreign, room);
}

static enum status take_in(struct fhir_foreign *foreign, struct actor_request *request, struct fhir_foreign_room *room,
    const struct fhir_foreign_room *asked, size_t *taken, struct err *err) {
	hash32 list = {{0}};
	enum status status = fhir_foreign_list_word(request, &list, &room->folder, err);
	if (status == STATUS_OK && (!room->is_ready || !hash32_equal(&list, &room->list)))
		status = fhir_foreign_fill(foreign, request, asked, taken, err);
	const bool is_new = !room->is_ready;
	end_filling(foreign, room, status == STATUS_OK, &list);
	if (is_new && status == STATUS_OK) fhir_foreign_keep(foreign);
	return status;
}

enum status fhir_foreign_show(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *asked, size_t *taken, struct err *err) {
	struct fhir_foreign_room *room = begin_filling(foreign, asked);
	*taken = 0;
	if (!room) return err_set(err, STATUS_BUSY, "the folder is being taken in, or dropped");
	return take_in(foreign, request, room, asked, taken, err);
}

enum status fhir_foreign_show_again(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *seen, struct err *err) {
	struct fhir_foreign_room *room = begin_again(foreign, seen);
	size_t taken = 0;
	return room ? take_in(foreign, request, room, seen, &taken, err) : STATUS_OK;
}

void fhir_foreign_set_ends(struct fhir_foreign *foreign, const struct fhir_foreign_room *seen,
    const uint64_t until_s[PURPOSE_COUNT], uint64_t now_s) {
	lock(foreign);
	struct fhir_foreign_room *room = find_room(foreign, &seen->id);
	if (room && room->opening != seen->opening) room = NULL;
	for (size_t i = 0; room && !room->is_over && i < PURPOSE_COUNT; i++)
		if (seen->until_s[i]) room->until_s[i] = until_s[i];
	if (room && !is_open(room, now_s)) end_room(room);
	unlock(foreign);
}

size_t fhir_foreign_rooms(struct fhir_foreign *foreign, struct arena *arena, struct fhir_foreign_room **out) {
	size_t count = 0;
	lock(foreign);
	for (struct fhir_foreign_room *room = foreign->rooms; room; room = room->next) count++;
	*out = arena_zalloc(arena, count + 1, sizeof **out);
	count = 0;
	for (struct fhir_foreign_room *room = foreign->rooms; room; room = room->next)
		if (!room->is_over) (*out)[count++] = *room;
	unlock(foreign);
	return count;
}

void fhir_foreign_admit(
    struct fhir_foreign *foreign, struct resource_scope *scope, struct arena *arena, const char *purpose) {
	struct fhir_foreign_room *rooms;
	enum purpose number;
	if (purpose_parse(&number, bytes_text(purpose), NULL) != STATUS_OK) return;
	const size_t count = fhir_foreign_rooms(foreign, arena, &rooms);
	if (!count) return;
	const uint64_t now = now_s(foreign);
	hash32 *open = arena_zalloc(arena, count, sizeof *open);
	for (size_t i = 0; i < count; i++)
		if (rooms[i].is_ready && rooms[i].until_s[number] > now) open[scope->open_count++] = rooms[i].id;
	scope->open = open;
}

bool fhir_foreign_end(struct fhir_foreign *foreign, const hash32 *folder) {
	bool was_open = false;
	lock(foreign);
	for (struct fhir_foreign_room *room = foreign->rooms; room; room = room->next) {
		if (!hash32_equal(&room->folder, folder) || room->is_over) continue;
		was_open = true;
		end_room(room);
	}
	unlock(foreign);
	drop_ended(foreign, now_s(foreign));
	return was_open;
}

void fhir_foreign_step(struct fhir_foreign *foreign) {
	drop_ended(foreign, now_s(foreign));
	if (atomic_exchange(&foreign->is_asking, true)) return;
	if (!workers_give(foreign->options.workers, fhir_foreign_watch, foreign))
		atomic_store(&foreign->is_asking, false);
}

/* --- asking --- */

static enum status ask_one(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_grant *grant, enum purpose purpose, struct fhir_foreign_opened *out, struct err *err) {
	struct fhir_foreign_room room = {.folder = grant->folder, .record = grant->record};
	struct access_event event = {.permitted = true};
	size_t taken;
	room.id = hash32_is_zero(&grant->record) ? grant->folder : grant->record;
	TRY(access_windows(request, room.until_s, &grant->folder, &grant->record, err));
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (i != (size_t)purpose) room.until_s[i] = 0;
	if (room.until_s[purpose] <= verified_now_s(&request->verified)) {
		TRY(access_ask(request, &event, &grant->folder, &grant->record, purpose, err));
		room.until_s[purpose] = event.until;
	}
	out->reason = event.reason;
	if (!event.permitted) return STATUS_OK;
	TRY(fhir_foreign_show(foreign, request, &room, &taken, err));
	out->records += taken;
	out->permitted = true;
	if (!out->until_s || room.until_s[purpose] < out->until_s) out->until_s = room.until_s[purpose];
	return STATUS_OK;
}

/* A version stands in one room: those of single records make place for the whole folder's. */
static void end_records(struct fhir_foreign *foreign, const hash32 *folder) {
	lock(foreign);
	for (struct fhir_foreign_room *room = foreign->rooms; room; room = room->next)
		if (hash32_equal(&room->folder, folder) && !hash32_is_zero(&room->record)) end_room(room);
	unlock(foreign);
	drop_ended(foreign, now_s(foreign));
}

/* The grant of the whole folder, if one is for this purpose; else those of single records. */
static enum status ask_all(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_grant *grants, size_t count, enum purpose purpose, struct fhir_foreign_opened *out,
    struct err *err) {
	for (size_t i = 0; i < count; i++)
		if (hash32_is_zero(&grants[i].record) && (grants[i].purposes >> purpose & 1)) {
			end_records(foreign, &grants[i].folder);
			return ask_one(foreign, request, &grants[i], purpose, out, err);
		}
	for (size_t i = 0; i < count; i++)
		if (grants[i].purposes >> purpose & 1) TRY(ask_one(foreign, request, &grants[i], purpose, out, err));
	return STATUS_OK;
}

enum status fhir_foreign_ask(struct fhir_foreign *foreign, struct actor_request *request, const hash32 *folder,
    enum purpose purpose, struct fhir_foreign_opened *out, struct err *err) {
	struct own_folder own;
	struct fhir_foreign_grant *grants;
	size_t count;
	*out = (struct fhir_foreign_opened){.reason = CONSENT_REASON_NO_GRANT};
	if (own_folder_load(request, &own, folder, NULL) == STATUS_OK)
		return err_set(err, STATUS_EXISTS, "the folder is this organisation's own, and open always");
	TRY(fhir_foreign_granted(foreign, request, &grants, &count, folder, err));
	for (size_t i = 0; i < count; i++)
		if (!(grants[i].purposes >> purpose & 1)) out->reason = CONSENT_REASON_WRONG_PURPOSE;
	return ask_all(foreign, request, grants, count, purpose, out, err);
}

/* --- its life --- */

/* A file of the run before may hold what is others', and nobody knows yet whether it still may. */
static enum status drop_all(struct resources *resources, struct err *err) {
	struct arena arena;
	hash32 *folders;
	size_t count = 0;
	arena_init(&arena);
	enum status status = resources_foreign_folders(resources, &arena, &folders, &count, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = resources_drop_folder(resources, &folders[i], err);
	arena_fini(&arena);
	return status;
}

enum status fhir_foreign_open(struct fhir_foreign **out, const struct fhir_foreign_options *options, struct err *err) {
	TRY(drop_all(options->resources, err));
	struct fhir_foreign *foreign = mem_zalloc(1, sizeof *foreign);
	foreign->options = *options;
	foreign->erased.resources = options->resources;
	foreign->monitor = options->threads->monitor_new(options->threads->context);
	*out = foreign;
	return STATUS_OK;
}

void fhir_foreign_close(struct fhir_foreign *foreign) {
	if (!foreign) return;
	drop_ended(foreign, UINT64_MAX); /* the actor may be closed by now, and nobody asks any more */
	while (foreign->rooms) take_out(foreign, foreign->rooms); /* what could not be dropped goes at the next start */
	foreign->options.threads->monitor_free(foreign->monitor);
	mem_free(foreign);
}
