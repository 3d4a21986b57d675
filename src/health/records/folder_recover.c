/*
 * The wallet's words find its folders again. Each folder has a controller of its own, at an index; a controller's
 * folders are a complete list on the chain; the salt, and the label that only the controller opens, stand in the
 * opening.
 */
#include "envelope/jwe.h"
#include "eth/abi.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"

#define GAP 20u /* indexes in a row without a folder: there are no more */

struct recovery {
	struct actor_request *request;
	uint32_t index;
	addr20 controller;
	hash32 *ids; /* of this controller */
	size_t count, cap;
	size_t *found;
};

/* --- a controller's list --- */

static enum status read_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	const struct recovery *recovery = context;
	struct folders_event event;
	TRY(folders_event_read(&event, recovery->request->arena, &log->log, err));
	*is_entry = true;
	if (event.kind == FOLDERS_EVENT_FOLDER_OPENED) {
		out->n = event.folder_opened.n;
		memcpy(out->before, event.folder_opened.before, sizeof out->before);
		out->entry = event.folder_opened.folder;
	} else if (event.kind == FOLDERS_EVENT_FOLDER_HANDED_OVER) {
		out->n = event.folder_handed_over.n;
		memcpy(out->before, event.folder_handed_over.before, sizeof out->before);
		out->entry = event.folder_handed_over.folder;
	} else {
		*is_entry = false;
	}
	return STATUS_OK;
}

static enum status note_folder(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct recovery *recovery = context;
	(void)log;
	(void)err;
	if (recovery->count == recovery->cap) {
		const size_t cap = recovery->cap ? 2 * recovery->cap : 4;
		hash32 *all = arena_zalloc(recovery->request->arena, cap, sizeof *all);
		if (recovery->count) memcpy(all, recovery->ids, recovery->count * sizeof *all);
		recovery->ids = all;
		recovery->cap = cap;
	}
	recovery->ids[recovery->count++] = entry->entry;
	return STATUS_OK;
}

/* `recovery` is the first member of what `visit` knows. */
static enum status list_folders(struct recovery *recovery,
    enum status (*visit)(void *context, const struct list_entry *entry, const struct client_log *log, struct err *err),
    struct err *err) {
	const addr20 *folders = &recovery->request->home->deployment.folders;
	const hash32 kinds[2] = {folders_folder_opened_event_topic, folders_folder_handed_over_event_topic};
	const hash32 controller = abi_topic_of_address(&recovery->controller);
	struct verified *verified;
	TRY(request_verified(recovery->request, &verified, HEADS_FRESH, err));
	const struct verified_list list = {.contract = folders,
	    .slot = folders_opened_slot(&recovery->controller),
	    .query = {.address = folders, .topics = {{kinds, 2}, {NULL, 0}, {&controller, 1}}},
	    .entry = read_entry,
	    .visit = visit,
	    .context = recovery};
	return verified_list(verified, &list, NULL, err);
}

/* --- one folder --- */

/* A label that was sealed to another controller, or that makes no sense, is left out. */
static void open_label(struct recovery *recovery, struct own_folder *own, struct bytes sealed) {
	struct p256_secret secret;
	struct p256_public key;
	struct jwe_header header;
	struct buf label;
	struct actor_request *request = recovery->request;
	buf_init(&label, sizeof own->label);
	bool fits = home_controller_key(request->home, &secret, &key, recovery->index, NULL) == STATUS_OK &&
		    jwe_ecdh_open(&label, &header, request->arena, sealed, &secret, NULL) == STATUS_OK &&
		    json_string_is(json_get(header.members, "typ"), "xinglin-label") &&
		    label.len == sizeof own->label && label.data[0] && !label.data[label.len - 1];
	memcpy(own->label, fits ? (const char *)label.data : "recovered", fits ? label.len : sizeof "recovered");
	mem_wipe(&secret, sizeof secret);
	buf_wipe(&label);
}

static enum status recover_one(struct recovery *recovery, const hash32 *id, struct err *err) {
	struct actor_request *request = recovery->request;
	struct own_folder own;
	struct folder folder;
	struct folders_open opening;
	enum status status = own_folder_load(request, &own, id, err);
	if (status != STATUS_NOTFOUND) return status;
	TRY(folder_find(request, &folder, id, err));
	if (!addr20_equal(&folder.controller, &recovery->controller)) return STATUS_OK; /* it was handed over since */
	TRY(folder_opening_find(request, &folder, &opening, err));
	own = (struct own_folder){
	    .id = *id, .controller_index = recovery->index, .salt = opening.salt, .number = folder.number};
	open_label(recovery, &own, opening.label);
	++*recovery->found;
	TRY(own_folder_pass_index(request, recovery->index, err));
	return own_folder_store(request, &own, err);
}

/* --- since when it is a controller's --- */

/* The newest hand-over of one folder to the controller. */
struct taking {
	struct recovery recovery;
	const hash32 *id;
	uint64_t at_s;
};

static enum status note_taking(
    void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct taking *taking = context;
	(void)log;
	(void)err;
	if (!taking->at_s && hash32_equal(&entry->entry, taking->id)) taking->at_s = entry->time_s;
	return STATUS_OK;
}

enum status folder_handed_over_at(
    struct actor_request *request, const struct folder *folder, uint64_t *at_s, struct err *err) {
	struct taking taking = {.recovery = {.request = request, .controller = folder->controller}, .id = &folder->id};
	*at_s = 0;
	if (folder->said.controller_count == 1) return STATUS_OK;
	TRY(list_folders(&taking.recovery, note_taking, err));
	*at_s = taking.at_s;
	return STATUS_OK;
}

enum status folder_recover(struct actor_request *request, size_t *found, struct err *err) {
	struct recovery recovery = {.request = request, .found = found};
	*found = 0;
	for (uint32_t unused = 0; unused < GAP; recovery.index++) {
		hash32 secret;
		recovery.count = 0;
		TRY(home_controller(request->home, &secret, &recovery.controller, recovery.index, err));
		mem_wipe(&secret, sizeof secret);
		TRY(list_folders(&recovery, note_folder, err));
		unused = recovery.count ? 0 : unused + 1;
		for (size_t i = 0; i < recovery.count; i++) TRY(recover_one(&recovery, &recovery.ids[i], err));
	}
	return STATUS_OK;
}
