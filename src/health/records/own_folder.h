/*
 * What a controller keeps in its home of a folder of its own: folders/<id>.json, without keys.
 * Ownership: lists live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_OWN_FOLDER_H
#define HEALTH_RECORDS_OWN_FOLDER_H

#include "health/actors/request.h"

struct own_folder {
	hash32 id;
	uint32_t controller_index;
	hash32 salt;
	char label[64];  /* "general"; leaves the home only sealed to the controller */
	uint64_t number; /* of the last statement that this home has signed for the folder */
};
MUST_USE enum status own_folder_load(
    struct actor_request *request, struct own_folder *out, const hash32 *id, struct err *err);
/* The number of the next statement: above the last one on the chain and the last one signed, and written down before
 * it is used, so that none is signed twice. */
MUST_USE enum status own_folder_take_number(
    struct actor_request *request, uint64_t *number, const hash32 *id, uint64_t on_chain, struct err *err);
MUST_USE enum status own_folders(
    struct actor_request *request, struct own_folder **out, size_t *count, struct err *err);

/* Inside health/records: "folders/<id>" and an ending, in the arena. */
const char *own_folder_path(struct actor_request *request, const hash32 *id, const char *ending);
/* For a folder that is being opened. */
MUST_USE enum status own_folder_store(struct actor_request *request, const struct own_folder *folder, struct err *err);
/* An index that no other folder gets: it is written down before it is used. A restored home asks the chain first. */
MUST_USE enum status own_folder_take_index(struct actor_request *request, uint32_t *index, struct err *err);
/* Before a folder is stored whose index was found on the chain: no other gets it from now on. */
MUST_USE enum status own_folder_pass_index(struct actor_request *request, uint32_t index, struct err *err);

#endif
