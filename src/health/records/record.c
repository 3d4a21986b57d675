/* Registrations as the chain shows them, and erasing. Adding is in record_add.c, reading in record_read.c. */
#include "health/records/record.h"

#include "health/contracts/records.h"

enum status record_find(
    struct actor_request *request, struct record_registration *out, const hash32 *record, struct err *err) {
	struct bytes output;
	struct records_registration found;
	struct bytes call = records_registration_of_call(request->arena, record);
	TRY(request_call(request, &output, &request->home->deployment.records, call, err));
	TRY(records_registration_of_read(&found, output, err));
	if (found.state == 0) return err_set(err, STATUS_NOTFOUND, "no record of this id is registered");
	*out = (struct record_registration){.record = *record,
	    .root = found.root,
	    .folder = found.folder,
	    .author = found.author,
	    .epoch = found.epoch,
	    .state = found.state,
	    .added_at = found.added_at,
	    .blob = found.blob};
	return STATUS_OK;
}

enum status record_list(struct actor_request *request, struct record_registration **out, size_t *count,
    const hash32 *folder, struct err *err) {
	struct contract_topics topics = records_record_added_event_topics(folder, NULL, NULL);
	struct client_log *logs;
	TRY(request_logs(request, &logs, count, &request->home->deployment.records, 0, &topics, err));
	*out = arena_zalloc(request->arena, *count, sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		struct records_record_added_event event;
		TRY(records_record_added_event_read(&event, &logs[i].log, err));
		TRY(record_find(request, &(*out)[i], &event.record, err));
	}
	return STATUS_OK;
}

enum status record_erase_action(
    struct actor_request *request, struct action *action, const hash32 *record, struct err *err) {
	const addr20 *records = &request->home->deployment.records;
	struct record_registration registration;
	struct own_folder own;
	struct folder folder;
	struct records_erase message = {.record = *record};
	uint8_t signature[65];
	*action = (struct action){.to = *records};
	TRY(record_find(request, &registration, record, err));
	if (registration.state == 2) return err_set(err, STATUS_DENIED, "the record is erased already");
	TRY(own_folder_load(request, &own, &registration.folder, err));
	TRY(folder_find(request, &folder, &registration.folder, err));
	TRY(action_deadline(request, &message.deadline, err));
	TRY(own_folder_take_number(request, &message.number, &folder.id, folder.number, err));
	const struct eip712_domain domain = deployment_domain(&request->home->deployment, records);
	hash32 digest = records_erase_typed_digest(&message, &domain);
	TRY(folder_sign(request, signature, &own, &digest, err));
	action->data = records_erase_call(request->arena, &message, bytes_make(signature, sizeof signature));
	return STATUS_OK;
}

enum status record_erasure_confirmed(
    struct actor_request *request, addr20 **nodes, size_t *count, const hash32 *record, struct err *err) {
	struct contract_topics topics = records_erasure_confirmed_event_topics(record, NULL);
	struct client_log *logs;
	TRY(request_logs(request, &logs, count, &request->home->deployment.records, 0, &topics, err));
	*nodes = arena_zalloc(request->arena, *count, sizeof **nodes);
	for (size_t i = 0; i < *count; i++) {
		struct records_erasure_confirmed_event event;
		TRY(records_erasure_confirmed_event_read(&event, &logs[i].log, err));
		(*nodes)[i] = event.node;
	}
	return STATUS_OK;
}
