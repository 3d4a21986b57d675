/*
 * Taking in a folder of others: all that its proved list has, verified as every read is. Fetching a record waits for
 * the node, and opening it takes a processor, so several hands take the records of one list: whoever asked, and workers
 * that are free. One that comes too late finds nothing to do.
 */
#include "base/log.h"
#include "health/contracts/records.h"
#include "health/fhir/foreign.h"
#include "health/gateway/fhir_foreign_private.h"

#define TOGETHER_MAX 512u /* versions of one transaction of the index */
#define HELPERS_MAX 3u    /* workers beside whoever asked: others want some too */
#define RECORDS_A_HAND 4u /* for fewer nobody is called */

/* One list. What changes is under the lock of `foreign`. */
struct filling {
	struct fhir_foreign *foreign;
	const struct fhir_foreign_room *room;
	const struct record_registration *list; /* the newest first */
	uint64_t deadline_ms;
	size_t left;        /* of the list, from its beginning: nobody has taken these */
	size_t at_work;     /* helpers that began */
	size_t holders;     /* that have the pointer: the last one frees it */
	enum status status; /* the first failure, which ends it for all */
	struct err err;
	size_t records;
};

/* One pair of hands. */
struct taking {
	struct filling *filling;
	struct resources *resources;
	struct actor_request *request;
	struct record_reader *reader;
	struct arena arena; /* of the versions that wait, and of what was read for them */
	struct resource_write writes[TOGETHER_MAX];
	size_t count, records;
	bool has_skipped;
};

enum status fhir_foreign_list_word(struct actor_request *request, hash32 *out, const hash32 *folder, struct err *err) {
	const struct verified_want want = {&request->home->deployment.records, records_lists_slot(folder)};
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return verified_words(verified, out, &want, 1, err);
}

/* --- versions --- */

static enum status flush(struct taking *t, struct err *err) {
	enum status status = STATUS_OK;
	if (t->count) status = resources_put(t->resources, t->writes, t->count, err);
	t->count = 0;
	arena_reset(&t->arena);
	return status;
}

/* What the lead says of a version, and its content, have to be of one resource. */
static enum status add_version(struct taking *t, const struct record_opened *record, size_t part, struct err *err) {
	const struct record_lead_resource *said = &record->lead.resources[part];
	const addr20 *author = &record->registration.author;
	const uint16_t type = fhir_definitions_resource(&fhir_r4, said->type);
	struct resource_write *write = &t->writes[t->count];
	const struct json *tree;
	if (!said->version.number || type == FHIR_NONE) return STATUS_OK;
	*write = (struct resource_write){.key = {type, fhir_foreign_id(&t->arena, author, said->type, said->id)},
	    .version = said->version.number,
	    .method = (enum resource_method)said->version.method,
	    .at_ms = (int64_t)record->lead.at_ms,
	    .folder = t->filling->room->id,
	    .record = record->registration.record,
	    .part = (uint32_t)part + 1,
	    .is_foreign = true};
	TRY(fhir_foreign_write(&write->content, &t->arena, &fhir_r4, author, record->resources[part], err));
	TRY(json_parse(&tree, &t->arena, write->content, NULL, err));
	write->tree = tree;
	if (!bytes_equal(json_string(json_get(tree, "id")), write->key.id) ||
	    !bytes_equal(json_string(json_get(tree, "resourceType")), said->type))
		return err_set(err, STATUS_INVALID, "its lead names another resource than it holds");
	t->count++;
	return STATUS_OK;
}

static enum status add_record(struct taking *t, const struct record_opened *record, struct err *err) {
	for (size_t i = 0; i < record->lead.count; i++) {
		if (t->count == TOGETHER_MAX) {
			/* What is read of this record lies in the arena: it is kept until the record ends. */
			TRY(resources_put(t->resources, t->writes, t->count, err));
			t->count = 0;
		}
		TRY(add_version(t, record, i, err));
	}
	t->records++;
	return STATUS_OK;
}

/* A node that fails ends it. A record that is wrong is its author's fault, or its node's, and the others are shown. */
static bool is_of_record(enum status status) {
	return status == STATUS_NOTFOUND || status == STATUS_CORRUPT || status == STATUS_INVALID ||
	       status == STATUS_DENIED || status == STATUS_LIMIT;
}

static enum status read_one(struct taking *t, const struct record_registration *registration, struct err *err) {
	struct record_opened record;
	struct arena *own = t->request->arena;
	const size_t before = t->count;
	t->request->arena = &t->arena;
	enum status status = record_reader_read(t->reader, &record, registration, err);
	t->request->arena = own;
	if (status == STATUS_OK) status = add_record(t, &record, err);
	if (status == STATUS_OK || !is_of_record(status)) return status;
	if (t->count > before) t->count = before;
	if (!t->has_skipped) log_warn("gateway", "a record that others granted is not shown: %s", err->message);
	t->has_skipped = true;
	return STATUS_OK;
}

/* --- the list --- */

static enum status take(struct taking *t, const struct record_registration *registration, struct err *err) {
	bool is_there;
	/* What this home wrote there stands in its own index as its own. */
	if (addr20_equal(&registration->author, &t->request->home->account)) return STATUS_OK;
	TRY(resources_has_record(t->resources, &is_there, &registration->record, err));
	if (registration->state == RECORD_ERASED && is_there)
		return resources_drop_record(t->resources, &registration->record, err);
	if (registration->state != RECORD_REGISTERED || is_there) return STATUS_OK;
	if (t->count >= TOGETHER_MAX / 2) TRY(flush(t, err));
	return read_one(t, registration, err);
}

static void lock(struct filling *f) {
	f->foreign->options.threads->lock(f->foreign->monitor);
}

static void unlock(struct filling *f) {
	f->foreign->options.threads->unlock(f->foreign->monitor);
}

/* The oldest one that nobody has taken; NULL: there is none, or somebody failed. */
static const struct record_registration *next_of(struct filling *f) {
	const struct record_registration *next = NULL;
	lock(f);
	if (f->status == STATUS_OK && f->left > 0) next = &f->list[--f->left];
	unlock(f);
	return next;
}

static enum status take_all(struct taking *t, struct err *err) {
	const struct record_registration *next;
	TRY(record_reader_open(&t->reader, t->request, &t->filling->room->folder, err));
	while ((next = next_of(t->filling)) != NULL) TRY(take(t, next, err));
	return flush(t, err);
}

/* Whatever comes of it is noted. */
static void take_with(struct filling *f, struct actor_request *request) {
	struct taking *t = mem_zalloc(1, sizeof *t);
	struct err err = {0};
	t->filling = f;
	t->resources = f->foreign->options.resources;
	t->request = request;
	arena_init(&t->arena);
	const enum status status = take_all(t, &err);
	record_reader_close(t->reader);
	arena_fini(&t->arena);
	lock(f);
	f->records += t->records;
	if (status != STATUS_OK && f->status == STATUS_OK) {
		f->status = status;
		f->err = err;
	}
	unlock(f);
	mem_wipe(t, sizeof *t);
	mem_free(t);
}

/* --- helpers --- */

static void let_go(struct filling *f) {
	lock(f);
	const bool is_last = --f->holders == 0;
	unlock(f);
	if (is_last) mem_free(f);
}

/* A request of its own, since a client serves one at a time. Without one the others do it. Its head is taken before
 * the first record, so that what is proved does not lie in the arena of records. */
static void help_with(struct filling *f) {
	struct actor_request request = {0};
	struct arena arena;
	struct verified *verified;
	struct err unheard;
	arena_init(&arena);
	enum status status = actor_request_begin(f->foreign->options.actor, &request, &arena, f->deadline_ms, &unheard);
	if (status == STATUS_OK) status = request_verified(&request, &verified, REQUEST_SHOWN_AGE_S, &unheard);
	if (status == STATUS_OK) take_with(f, &request);
	actor_request_end(&request);
	arena_fini(&arena);
}

/* On a worker. If it comes after the end, the list and the room are gone. */
static void help(void *context) {
	struct filling *f = context;
	lock(f);
	const bool is_wanted = f->left > 0;
	if (is_wanted) f->at_work++;
	unlock(f);
	if (is_wanted) {
		help_with(f);
		lock(f);
		f->at_work--;
		f->foreign->options.threads->wake_all(f->foreign->monitor);
		unlock(f);
	}
	let_go(f);
}

static void call_helpers(struct filling *f, size_t count) {
	for (size_t i = 0; i < HELPERS_MAX && (i + 1) * RECORDS_A_HAND < count; i++) {
		lock(f);
		f->holders++;
		unlock(f);
		if (workers_give(f->foreign->options.workers, help, f)) continue;
		return let_go(f);
	}
}

/* Nobody who comes now finds anything, and whoever is at work ends. */
static void end_helping(struct filling *f) {
	lock(f);
	f->left = 0;
	while (f->at_work > 0) f->foreign->options.threads->wait(f->foreign->monitor, FHIR_FOREIGN_WAIT_MS);
	unlock(f);
}

static enum status fill_from(struct filling *f, struct actor_request *request, size_t *taken, struct err *err) {
	call_helpers(f, f->left);
	take_with(f, request);
	end_helping(f);
	*taken = f->records;
	if (f->status != STATUS_OK && err) *err = f->err;
	return f->status;
}

static enum status list_records(struct actor_request *request, const struct record_registration **out, size_t *count,
    const struct fhir_foreign_room *room, struct err *err) {
	struct record_registration *list;
	if (hash32_is_zero(&room->record)) {
		TRY(record_list(request, &list, count, &room->folder, err));
	} else {
		list = arena_zalloc(request->arena, 1, sizeof *list);
		TRY(record_find(request, list, &room->record, err));
		*count = hash32_equal(&list->folder, &room->folder) ? 1 : 0;
	}
	*out = list;
	return STATUS_OK;
}

enum status fhir_foreign_fill(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *room, size_t *taken, struct err *err) {
	const struct record_registration *list;
	size_t count;
	TRY(list_records(request, &list, &count, room, err));
	struct filling *f = mem_zalloc(1, sizeof *f);
	*f = (struct filling){.foreign = foreign,
	    .room = room,
	    .list = list,
	    .left = count,
	    .deadline_ms = request->deadline_ms,
	    .holders = 1};
	const enum status status = fill_from(f, request, taken, err);
	let_go(f);
	return status;
}
