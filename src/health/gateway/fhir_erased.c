#include "health/gateway/fhir_erased.h"

#include "health/contracts/folders.h"
#include "health/contracts/records.h"
#include "health/records/record.h"

#define FILE_NAME "fhir-erased.json"

/* --- where it goes on --- */

static enum status load(
    struct fhir_erased *erased, const struct head_store *store, struct arena *arena, struct err *err) {
	struct buf text;
	const struct json *root;
	buf_init(&text, 4096);
	enum status status = store->get(store->context, &text, FILE_NAME, err);
	erased->next_block = 0;
	/* What cannot be read is asked for again from the beginning. */
	if (status == STATUS_OK && json_parse(&root, arena, buf_view(&text), NULL, NULL) == STATUS_OK)
		(void)json_u64(&erased->next_block, json_get(root, "next"));
	buf_fini(&text);
	erased->is_loaded = status == STATUS_OK || status == STATUS_NOTFOUND;
	return erased->is_loaded ? STATUS_OK : status;
}

static enum status put_next(void *context, struct buf *text, bool *changed, struct err *err) {
	const uint64_t *next = context;
	buf_clear(text);
	struct json_writer w = json_writer(text);
	json_object_begin(&w, NULL);
	json_put_u64(&w, "next", *next);
	json_object_end(&w);
	*changed = true;
	return buf_status(text, err);
}

/* --- records and folders --- */

static enum status see_record(
    struct fhir_erased *erased, struct actor_request *request, const struct client_log *log, struct err *err) {
	struct records_record_erased_event event;
	struct record_registration found;
	bool is_there;
	TRY(records_record_erased_event_read(&event, &log->log, err));
	TRY(resources_has_record(erased->resources, &is_there, &event.record, err));
	if (!is_there) return STATUS_OK;
	TRY(record_find(request, &found, &event.record, err));
	return found.state == RECORD_ERASED ? resources_drop_record(erased->resources, &event.record, err) : STATUS_OK;
}

static enum status see_folder(
    struct fhir_erased *erased, struct actor_request *request, const struct client_log *log, struct err *err) {
	struct folders_folder_forgotten_event event;
	bool is_there, closed;
	TRY(folders_folder_forgotten_event_read(&event, &log->log, err));
	TRY(resources_has_folder(erased->resources, &is_there, &event.folder, err));
	if (!is_there) return STATUS_OK;
	TRY(folder_is_closed(request, &closed, &event.folder, err));
	return closed ? resources_drop_folder(erased->resources, &event.folder, err) : STATUS_OK;
}

static enum status follow(struct fhir_erased *erased, struct actor_request *request, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	const struct contract_topics records = records_record_erased_event_topics(NULL, NULL);
	const struct contract_topics folders = folders_folder_forgotten_event_topics(NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &deployment->records, erased->next_block, &records, err));
	for (size_t i = 0; i < count; i++) TRY(see_record(erased, request, &logs[i], err));
	TRY(request_logs(request, &logs, &count, &deployment->folders, erased->next_block, &folders, err));
	for (size_t i = 0; i < count; i++) TRY(see_folder(erased, request, &logs[i], err));
	return STATUS_OK;
}

enum status fhir_erased_follow(struct fhir_erased *erased, struct actor_request *request, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	const struct head_store *store = heads_store(verified->heads);
	if (!erased->is_loaded) TRY(load(erased, store, request->arena, err));
	if (verified->head.number < erased->next_block) return STATUS_OK;
	TRY(follow(erased, request, err));
	uint64_t next = verified->head.number + 1;
	TRY(store->update(store->context, FILE_NAME, put_next, &next, err));
	erased->next_block = next;
	return STATUS_OK;
}
