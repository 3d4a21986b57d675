/* Taking in a folder of others: all that its proved list has, verified as every read is. */
#include "base/log.h"
#include "health/contracts/records.h"
#include "health/fhir/foreign.h"
#include "health/gateway/fhir_foreign_private.h"

#define TOGETHER_MAX 512u /* versions of one transaction of the index */

struct filling {
	struct fhir_foreign *foreign;
	struct actor_request *request;
	const struct fhir_foreign_room *room;
	struct record_reader *reader;
	struct arena arena; /* of the versions that wait, and of what was read for them */
	struct resource_write writes[TOGETHER_MAX];
	size_t count, records, skipped;
};

enum status fhir_foreign_list_word(struct actor_request *request, hash32 *out, const hash32 *folder, struct err *err) {
	const struct verified_want want = {&request->home->deployment.records, records_lists_slot(folder)};
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	return verified_words(verified, out, &want, 1, err);
}

/* --- versions --- */

static enum status flush(struct filling *f, struct err *err) {
	enum status status = STATUS_OK;
	if (f->count) status = resources_put(f->foreign->options.resources, f->writes, f->count, err);
	f->count = 0;
	arena_reset(&f->arena);
	return status;
}

/* What the lead says of a version, and its content, have to be of one resource. */
static enum status add_version(struct filling *f, const struct record_opened *record, size_t part, struct err *err) {
	const struct record_lead_resource *said = &record->lead.resources[part];
	const addr20 *author = &record->registration.author;
	const uint16_t type = fhir_definitions_resource(&fhir_r4, said->type);
	struct resource_write *write = &f->writes[f->count];
	const struct json *tree;
	if (!said->version.number || type == FHIR_NONE) return STATUS_OK;
	*write = (struct resource_write){.key = {type, fhir_foreign_id(&f->arena, author, said->type, said->id)},
	    .version = said->version.number,
	    .method = (enum resource_method)said->version.method,
	    .at_ms = (int64_t)record->lead.at_ms,
	    .folder = f->room->id,
	    .record = record->registration.record,
	    .part = (uint32_t)part + 1,
	    .is_foreign = true};
	TRY(fhir_foreign_write(&write->content, &f->arena, &fhir_r4, author, record->resources[part], err));
	TRY(json_parse(&tree, &f->arena, write->content, NULL, err));
	write->tree = tree;
	if (!bytes_equal(json_string(json_get(tree, "id")), write->key.id) ||
	    !bytes_equal(json_string(json_get(tree, "resourceType")), said->type))
		return err_set(err, STATUS_INVALID, "its lead names another resource than it holds");
	f->count++;
	return STATUS_OK;
}

static enum status add_record(struct filling *f, const struct record_opened *record, struct err *err) {
	for (size_t i = 0; i < record->lead.count; i++) {
		if (f->count == TOGETHER_MAX) {
			/* What is read of this record lies in the arena: it is kept until the record ends. */
			TRY(resources_put(f->foreign->options.resources, f->writes, f->count, err));
			f->count = 0;
		}
		TRY(add_version(f, record, i, err));
	}
	f->records++;
	return STATUS_OK;
}

/* A node that fails ends it. A record that is wrong is its author's fault, or its node's, and the others are shown. */
static bool is_of_record(enum status status) {
	return status == STATUS_NOTFOUND || status == STATUS_CORRUPT || status == STATUS_INVALID ||
	       status == STATUS_DENIED || status == STATUS_LIMIT;
}

static enum status read_one(struct filling *f, const struct record_registration *registration, struct err *err) {
	struct record_opened record;
	struct arena *own = f->request->arena;
	const size_t before = f->count;
	f->request->arena = &f->arena;
	enum status status = record_reader_read(f->reader, &record, registration, err);
	f->request->arena = own;
	if (status == STATUS_OK) status = add_record(f, &record, err);
	if (status == STATUS_OK || !is_of_record(status)) return status;
	if (f->count > before) f->count = before;
	if (!f->skipped++) log_warn("gateway", "a record that others granted is not shown: %s", err->message);
	return STATUS_OK;
}

/* --- the list --- */

static enum status take(struct filling *f, const struct record_registration *registration, struct err *err) {
	struct resources *resources = f->foreign->options.resources;
	bool is_there;
	/* What this home wrote there stands in its own index as its own. */
	if (addr20_equal(&registration->author, &f->request->home->account)) return STATUS_OK;
	TRY(resources_has_record(resources, &is_there, &registration->record, err));
	if (registration->state == RECORD_ERASED && is_there)
		return resources_drop_record(resources, &registration->record, err);
	if (registration->state != RECORD_REGISTERED || is_there) return STATUS_OK;
	if (f->count >= TOGETHER_MAX / 2) TRY(flush(f, err));
	return read_one(f, registration, err);
}

static enum status take_all(struct filling *f, struct err *err) {
	struct record_registration *list, one;
	size_t count = 1;
	if (hash32_is_zero(&f->room->record)) {
		TRY(record_list(f->request, &list, &count, &f->room->folder, err));
	} else {
		TRY(record_find(f->request, &one, &f->room->record, err));
		if (!hash32_equal(&one.folder, &f->room->folder)) return STATUS_OK;
		list = &one;
	}
	for (size_t i = count; i > 0; i--) TRY(take(f, &list[i - 1], err)); /* the oldest first */
	return flush(f, err);
}

enum status fhir_foreign_fill(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *room, size_t *taken, struct err *err) {
	struct filling *f = mem_zalloc(1, sizeof *f);
	f->foreign = foreign;
	f->request = request;
	f->room = room;
	arena_init(&f->arena);
	enum status status = record_reader_open(&f->reader, request, &room->folder, err);
	if (status == STATUS_OK) status = take_all(f, err);
	record_reader_close(f->reader);
	arena_fini(&f->arena);
	*taken = f->records;
	mem_wipe(f, sizeof *f);
	mem_free(f);
	return status;
}
