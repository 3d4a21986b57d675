/* Registrations as the chain shows them, and erasing. Adding is in record_add.c, reading in record_read.c. */
#include "health/records/record.h"
#include "eth/abi.h"

#include "health/records/private.h"

enum status record_find(
    struct actor_request *request, struct registration *out, const hash32 *record, struct err *err) {
	struct abi_reader answer;
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "registrationOf(bytes32)");
	abi_put_hash32(&data, record);
	TRY(view_call(request, &answer, &request->home->deployment.records, &data, err));
	*out = (struct registration){.record = *record};
	out->root = abi_hash32(&answer);
	out->folder = abi_hash32(&answer);
	out->author = abi_address(&answer);
	out->epoch = (uint32_t)abi_u64(&answer);
	out->state = (uint8_t)abi_u64(&answer);
	out->added_at = abi_u64(&answer);
	out->blob = abi_hash32(&answer);
	(void)abi_hash32(&answer); /* facts */
	TRY(abi_finish(&answer, err));
	if (out->state == 0) return err_set(err, STATUS_NOTFOUND, "no record of this id is registered");
	return STATUS_OK;
}

enum status record_list(
    struct actor_request *request, struct registration **out, size_t *count, const hash32 *folder, struct err *err) {
	const hash32 *topics[3] = {folder, NULL, NULL};
	struct client_log *logs;
	TRY(event_logs(request, &logs, count, &request->home->deployment.records, RECORD_ADDED_EVENT, topics, err));
	*out = arena_zalloc(request->arena, *count, sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		TRY(log_is(&logs[i], 4, err));
		TRY(record_find(request, &(*out)[i], &logs[i].log.topics[2], err));
	}
	return STATUS_OK;
}

enum status record_erase_action(
    struct actor_request *request, struct action *action, const hash32 *record, struct err *err) {
	const addr20 *records = &request->home->deployment.records;
	struct registration registration;
	struct own_folder own;
	struct folder folder;
	uint64_t deadline;
	uint8_t signature[65];
	struct buf data;
	*action = (struct action){.to = *records, .summary = "erase a record: nodes delete its content"};
	TRY(record_find(request, &registration, record, err));
	if (registration.state == 2) return err_set(err, STATUS_DENIED, "the record is erased already");
	TRY(own_folder_load(request, &own, &registration.folder, err));
	TRY(folder_find(request, &folder, &registration.folder, err));
	TRY(now_seconds(request, &deadline, err));
	deadline += ACTION_LIFE_SECONDS;
	struct eip712_struct fields = eip712_begin("Erase(bytes32 record,uint64 nonce,uint64 deadline)");
	eip712_put_hash32(&fields, record);
	eip712_put_u64(&fields, folder.nonce);
	eip712_put_u64(&fields, deadline);
	TRY(folder_sign_struct(request, signature, &own, "xinglin records", records, &fields, err));
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "erase(bytes32,uint64,bytes)");
	struct abi_row row = abi_row_begin(&data);
	abi_put_hash32(&data, record);
	abi_put_u64(&data, deadline);
	size_t head = abi_reserve(&data);
	abi_tail(&row, head);
	abi_put_bytes(&data, bytes_make(signature, sizeof signature));
	return action_take_data(request, action, &data, err);
}

enum status record_erasure_confirmed(
    struct actor_request *request, addr20 **nodes, size_t *count, const hash32 *record, struct err *err) {
	const hash32 *topics[3] = {record, NULL, NULL};
	struct client_log *logs;
	TRY(event_logs(
	    request, &logs, count, &request->home->deployment.records, ERASURE_CONFIRMED_EVENT, topics, err));
	*nodes = arena_zalloc(request->arena, *count, sizeof **nodes);
	for (size_t i = 0; i < *count; i++) {
		TRY(log_is(&logs[i], 3, err));
		(*nodes)[i] = abi_address_of_topic(&logs[i].log.topics[2]);
	}
	return STATUS_OK;
}
