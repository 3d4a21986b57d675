/* A file that several are to sign, with anything in it: what is taken is the same when it is written again. */
#include "fuzz/target.h"
#include "health/actors/joint.h"

static const struct deployment deployment = {.chain_id = 7697, .directory = {{0x11}}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, JOINT_FILE_MAX);
	struct joint_statement *joint = arena_alloc(&arena, sizeof *joint);
	struct joint_statement *again = arena_alloc(&arena, sizeof *again);
	if (joint_parse(joint, &arena, &deployment, bytes_make(data, size), NULL) == STATUS_OK) {
		BUG_ON(joint->count > JOINT_SIGNATURES_MAX);
		BUG_ON(joint->registrars.registrars_count > STATEMENT_REGISTRARS_MAX);
		BUG_ON(joint->kind == JOINT_TAG_HOLDERS && joint->tag_holders.holders_count > JOINT_HOLDERS_MAX);
		BUG_ON(joint_write(&text, joint, &deployment, NULL) != STATUS_OK);
		BUG_ON(joint_parse(again, &arena, &deployment, buf_view(&text), NULL) != STATUS_OK);
		BUG_ON(!hash32_equal(&again->digest, &joint->digest) || again->count != joint->count);
	}
	buf_fini(&text);
	arena_fini(&arena);
	return 0;
}
