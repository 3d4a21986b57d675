#include "health/gateway/fhir_catch_up.h"

#include <stdatomic.h>

#include "base/log.h"
#include "health/records/record.h"

struct fhir_catch_up {
	struct actor *actor;
	struct outbox *outbox;
	struct resources *resources;
	atomic_bool is_done;
	atomic_uint added; /* how often fhir_catch_up_add was called */
	bool was_told;     /* in the log, that it could not go on */
};

struct fhir_catch_up *fhir_catch_up_new(struct actor *actor, struct outbox *outbox, struct resources *resources) {
	struct fhir_catch_up *work = mem_zalloc(1, sizeof *work);
	work->actor = actor;
	work->outbox = outbox;
	work->resources = resources;
	return work;
}

void fhir_catch_up_free(struct fhir_catch_up *work) {
	mem_free(work);
}

bool fhir_catch_up_is_done(const struct fhir_catch_up *work) {
	return atomic_load(&work->is_done);
}

void fhir_catch_up_add(struct fhir_catch_up *work) {
	atomic_fetch_add(&work->added, 1);
	atomic_store(&work->is_done, false);
}

/* --- one record --- */

static enum status take_in(struct fhir_catch_up *work, const struct record_opened *record, struct err *err) {
	const size_t count = record->lead.count;
	struct resource_write *writes = mem_zalloc(count, sizeof *writes);
	size_t made = 0;
	for (size_t i = 0; i < count; i++) {
		const struct record_lead_resource *resource = &record->lead.resources[i];
		const uint16_t type = fhir_definitions_resource(&fhir_r4, resource->type);
		if (!resource->version.number || type == FHIR_NONE) continue;
		writes[made++] = (struct resource_write){.key = {type, resource->id},
		    .version = resource->version.number,
		    .method = (enum resource_method)resource->version.method,
		    .at_ms = (int64_t)record->lead.at_ms,
		    .folder = record->registration.folder,
		    .record = record->registration.record,
		    .part = (uint32_t)i + 1,
		    .content = record->resources[i]};
	}
	enum status status = made ? resources_put(work->resources, writes, made, err) : STATUS_OK;
	mem_free(writes);
	/* Trying again would change nothing, and every write waits for it. */
	if (status != STATUS_LIMIT && status != STATUS_INVALID) return status;
	log_error(
	    "gateway", "a record of this home cannot be taken into the index, and is passed over: %s", err->message);
	return STATUS_OK;
}

/* *waits: it is in no block yet, and may still come into one. */
static enum status catch_up_with(struct fhir_catch_up *work, struct actor_request *request,
    const struct record_copy *copy, bool *waits, struct err *err) {
	struct record_opened record;
	bool has_versions, is_forgotten;
	const bool is_in_outbox = outbox_has(work->outbox, &copy->record);
	enum status status = record_copy_has_versions(request, &has_versions, copy, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* it was refused, and its copy erased */
	TRY(status);
	if (!has_versions) return STATUS_OK;
	status = record_read_own_copy(request, &record, &copy->record, 0, err);
	if (status == STATUS_NOTFOUND) {
		*waits |= is_in_outbox;
		return STATUS_OK;
	}
	TRY(status);
	TRY(folder_is_closed(request, &is_forgotten, &record.registration.folder, err));
	if (is_forgotten || record.registration.state == RECORD_ERASED) return STATUS_OK;
	return take_in(work, &record, err);
}

/* A request of its own: what it read of one record is given back before the next. */
static enum status check_copy(
    struct fhir_catch_up *work, const struct record_copy *copy, bool *waits, struct err *err) {
	struct actor_request request = {0};
	struct arena arena;
	bool is_in;
	TRY(resources_has_record(work->resources, &is_in, &copy->record, err));
	if (is_in) return STATUS_OK;
	arena_init(&arena);
	enum status status = actor_request_begin(work->actor, &request, &arena, 0, err);
	if (status == STATUS_OK) status = catch_up_with(work, &request, copy, waits, err);
	actor_request_end(&request);
	arena_fini(&arena);
	return status;
}

/* --- a step --- */

static enum status catch_up(struct fhir_catch_up *work, struct actor_request *request, bool *waits, struct err *err) {
	struct resource_counts counts;
	struct record_copy *copies;
	size_t count;
	TRY(resources_count(work->resources, &counts, err));
	TRY(record_own_copies(request, &copies, &count, counts.records > 0, err));
	for (size_t i = 0; i < count; i++) TRY(check_copy(work, &copies[i], waits, err));
	return STATUS_OK;
}

void fhir_catch_up_step(struct fhir_catch_up *work) {
	struct actor_request request = {0};
	struct arena arena;
	struct err err = {0};
	bool waits = false;
	const unsigned added = atomic_load(&work->added);
	if (fhir_catch_up_is_done(work)) return;
	arena_init(&arena);
	enum status status = actor_request_begin(work->actor, &request, &arena, 0, &err);
	if (status == STATUS_OK) status = catch_up(work, &request, &waits, &err);
	actor_request_end(&request);
	arena_fini(&arena);
	/* What was added meanwhile is for the next step. */
	if (status == STATUS_OK && !waits && atomic_load(&work->added) == added) atomic_store(&work->is_done, true);
	if (status != STATUS_OK && !work->was_told)
		log_warn("gateway", "what was written is not in the index yet, and writes wait: %s", err.message);
	work->was_told = status != STATUS_OK;
}
