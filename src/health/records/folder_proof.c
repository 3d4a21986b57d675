/*
 * A folder as proofs and statements show it: its head is a proved struct; who controls it follows from the opening, to
 * which its id commits, and from each hand-over; the key of an epoch stands in its signed statement, whose fact is one
 * proved word.
 */
#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/actors/kept_statements.h"
#include "health/contracts/folders.h"
#include "health/records/folder.h"

static const hash32 whole_folder;

/* What is looked for. */
struct finding {
	struct actor_request *request;
	const struct deployment *anchor;
	struct statement_folder *said;
	hash32 fact; /* the proved one */
	const char *what;
	uint32_t number; /* of the epoch */
	struct statement_epoch *epoch;
	struct statement_grant *grant;
	/* What `input`, a delegate's, says if this right is shown. */
	enum status (*read)(const struct finding *finding, const struct statement_grant *right, struct err *err);
	struct bytes input;
	struct folders_open *opening; /* what a folder's first controller stated */
};

static enum status words_of(
    const struct finding *finding, hash32 *words, const hash32 *slots, size_t count, struct err *err) {
	struct verified_want wants[FOLDERS_STORED_HEAD_SLOTS + 1];
	for (size_t i = 0; i < count; i++) wants[i] = (struct verified_want){&finding->anchor->folders, slots[i]};
	return verified_words(&finding->request->verified, words, wants, count, err);
}

/* --- what a delegate acts on --- */

static enum status read_rotation_by(
    const struct finding *finding, const struct statement_grant *right, struct err *err) {
	return statement_epoch_read(finding->said, finding->epoch, right, finding->input, err);
}

static enum status read_grant_by(const struct finding *finding, const struct statement_grant *right, struct err *err) {
	return statement_grant_read(finding->said, finding->grant, right, finding->input, err);
}

/* Not each grant that the account was ever given suffices. */
static enum status read_right(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	struct statement_grant right;
	TRY(statement_grant_read(finding->said, &right, NULL, input, err));
	return finding->read(finding, &right, err);
}

/* A statement of the controller's own; else one by a grant with which its signer once could act for the controller.
 * That this held then, the contract saw to. A former controller may be a delegate too. */
static enum status read_by_right(struct finding *finding, const addr20 *by, struct err *err) {
	const struct contract_topics topics = consent_granted_event_topics(&finding->said->id, &whole_folder, by);
	const struct calldata_wish wish = {.query = calldata_query(&finding->anchor->consent, &topics),
	    .block = CALLDATA_ANY_BLOCK,
	    .what = "the right of who signed it",
	    .read = read_right,
	    .context = finding};
	enum status status = finding->read(finding, NULL, err);
	if (status == STATUS_OK || addr20_equal(by, &statement_folder_controller(finding->said)->address))
		return status;
	return verified_statement(&finding->request->verified, &wish, err);
}

/* --- the opening and hand-overs --- */

static enum status read_opening(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	hash32 id = finding->said->id;
	TRY(statement_folder_read(
	    finding->said, finding->epoch, finding->request->arena, finding->anchor, &id, input, err));
	return statement_is_proved(&finding->epoch->fact, &finding->fact, finding->what, err);
}

/* One hand-over after the other, until the one whose fact is proved. */
static enum status read_hand_over(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	TRY(statement_folder_next_controller(finding->said, input, err));
	const struct statement_controller *last = statement_folder_controller(finding->said);
	return statement_is_proved(&last->fact, &finding->fact, finding->what, err);
}

static enum status read_hand_overs(struct finding *finding, const struct folders_head *head, struct err *err) {
	const struct contract_topics topics = folders_folder_handed_over_event_topics(&finding->said->id, NULL);
	const struct calldata_wish wish = {.query = calldata_query(&finding->anchor->folders, &topics),
	    .block = CALLDATA_ANY_BLOCK,
	    .oldest_first = true,
	    .what = finding->what = "the folder's controller",
	    .read = read_hand_over,
	    .context = finding};
	finding->fact = head->hand_over_fact;
	if (head->hand_over) TRY(verified_statement(&finding->request->verified, &wish, err));
	const struct statement_controller *last = statement_folder_controller(finding->said);
	TRY(statement_is_proved(&last->fact, &head->hand_over_fact, finding->what, err));
	if (finding->said->controller_count == (size_t)head->hand_over + 1 &&
	    addr20_equal(&last->address, &head->controller))
		return STATUS_OK;
	return err_set(err, STATUS_DENIED, "not proved: the folder's controller is another one than was stated");
}

/* The folder's controllers, and its first epoch. */
static enum status read_controllers(
    struct finding *finding, const struct folders_head *head, uint64_t opened_at, struct err *err) {
	const struct contract_topics topics = folders_folder_opened_event_topics(&finding->said->id, NULL);
	const struct calldata_wish wish = {.query = calldata_query(&finding->anchor->folders, &topics),
	    .block = opened_at,
	    .what = finding->what = "the opening of the folder",
	    .read = read_opening,
	    .context = finding};
	finding->number = 1;
	TRY(kept_statement(finding->request, &finding->fact, &wish, err));
	return read_hand_overs(finding, head, err);
}

static enum status read_own_opening(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	struct folders_open_args args;
	TRY(folders_open_call_read(&args, finding->request->arena, input, err));
	*finding->opening = args.statement;
	const hash32 fact = folders_open_typed_hash(finding->opening);
	return statement_is_proved(&fact, &finding->fact, finding->what, err);
}

enum status folder_opening_find(
    struct actor_request *request, const struct folder *folder, struct folders_open *out, struct err *err) {
	const struct contract_topics topics = folders_folder_opened_event_topics(&folder->id, NULL);
	struct finding finding = {.request = request,
	    .anchor = &request->home->deployment,
	    .fact = folder->first.fact,
	    .what = "the opening of the folder",
	    .opening = out};
	const struct calldata_wish wish = {.query = calldata_query(&finding.anchor->folders, &topics),
	    .block = CALLDATA_ANY_BLOCK,
	    .what = finding.what,
	    .read = read_own_opening,
	    .context = &finding};
	return kept_statement(request, &finding.fact, &wish, err);
}

/* --- epochs --- */

static enum status read_rotation(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	struct folders_rotate_args args;
	TRY(folders_rotate_call_read(&args, finding->request->arena, input, err));
	finding->input = input;
	finding->read = read_rotation_by;
	TRY(read_by_right(finding, &args.statement.by, err));
	if (finding->epoch->epoch != finding->number)
		return err_set(err, STATUS_DENIED, "it is another epoch's statement");
	return statement_is_proved(&finding->epoch->fact, &finding->fact, finding->what, err);
}

static enum status read_epoch(struct finding *finding, uint32_t epoch, uint64_t block, struct err *err) {
	const struct contract_topics topics = folders_epoch_started_event_topics(&finding->said->id, &epoch);
	const struct calldata_wish wish = {.query = calldata_query(&finding->anchor->folders, &topics),
	    .block = block,
	    .what = finding->what = arena_printf(finding->request->arena, "the folder's epoch %u", epoch),
	    .read = read_rotation,
	    .context = finding};
	finding->number = epoch;
	return kept_statement(finding->request, &finding->fact, &wish, err);
}

enum status folder_epoch_find(struct actor_request *request, const struct folder *folder, struct statement_epoch *out,
    uint32_t epoch, struct err *err) {
	struct statement_folder said = folder->said;
	struct finding finding = {
	    .request = request, .anchor = &request->home->deployment, .said = &said, .epoch = out};
	if (epoch < 1 || epoch > folder->epoch)
		return err_set(err, STATUS_NOTFOUND, "the folder has no epoch %u", epoch);
	*out = epoch == folder->epoch ? folder->newest : folder->first;
	if (epoch == folder->epoch || epoch == 1) return STATUS_OK;
	const hash32 slot = folders_epochs_slot(&folder->id, epoch);
	TRY(words_of(&finding, &finding.fact, &slot, 1, err));
	return read_epoch(&finding, epoch, CALLDATA_ANY_BLOCK, err);
}

/* --- all of it --- */

/* `*words_hash` (may be NULL): of all that was proved. */
static enum status prove_head(const struct finding *finding, struct folders_head *head, hash32 facts[2],
    hash32 *words_hash, const hash32 *id, struct err *err) {
	hash32 slots[FOLDERS_STORED_HEAD_SLOTS + 1], words[FOLDERS_STORED_HEAD_SLOTS + 1];
	slots[0] = folders_heads_slot(id);
	for (size_t i = 1; i < FOLDERS_STORED_HEAD_SLOTS; i++) slots[i] = contract_slot_after(&slots[0], i);
	slots[FOLDERS_STORED_HEAD_SLOTS] = folders_epochs_slot(id, 1);
	TRY(words_of(finding, words, slots, FOLDERS_STORED_HEAD_SLOTS + 1, err));
	TRY(folders_stored_head_load(head, words, err));
	if (addr20_is_zero(&head->controller))
		return err_set(err, STATUS_NOTFOUND, "no folder of this id is open on the chain");
	facts[0] = facts[1] = words[FOLDERS_STORED_HEAD_SLOTS];
	const hash32 newest = folders_epochs_slot(id, head->epoch);
	if (head->epoch > 1) TRY(words_of(finding, &facts[1], &newest, 1, err));
	const struct bytes all[] = {BYTES_OF(*id), bytes_make(words, sizeof words), BYTES_OF(facts[1])};
	if (words_hash) *words_hash = sha256_parts(all, 3);
	return STATUS_OK;
}

enum status folder_look(
    struct actor_request *request, struct folder *out, const hash32 *id, uint32_t max_age_s, struct err *err) {
	struct verified *verified;
	struct folders_head head;
	hash32 facts[2]; /* of the first and the newest epoch */
	struct finding finding = {.request = request, .anchor = &request->home->deployment, .said = &out->said};
	TRY(request_verified(request, &verified, max_age_s, err));
	TRY(prove_head(&finding, &head, facts, NULL, id, err));
	*out = (struct folder){.id = *id,
	    .controller = head.controller,
	    .epoch = head.epoch,
	    .closed = head.closed,
	    .rotation_owed = head.rotation_owed,
	    .shares_refused = head.shares_refused,
	    .epoch_at = head.epoch_at,
	    .hand_over_at = head.hand_over_at,
	    .glass_minutes = head.glass_minutes,
	    .number = head.number,
	    .said = {.id = *id}};
	finding.epoch = &out->first;
	finding.fact = facts[0];
	TRY(read_controllers(&finding, &head, head.epoch == 1 ? head.epoch_at : CALLDATA_ANY_BLOCK, err));
	out->newest = out->first;
	finding.epoch = &out->newest;
	finding.fact = facts[1];
	if (head.epoch > 1) TRY(read_epoch(&finding, head.epoch, head.epoch_at, err));
	out->key = out->newest.key;
	return STATUS_OK;
}

enum status folder_find(struct actor_request *request, struct folder *out, const hash32 *id, struct err *err) {
	return folder_look(request, out, id, HEADS_FRESH, err);
}

enum status folder_target_find(
    struct actor_request *request, struct folder_target *out, const hash32 *id, struct err *err) {
	struct verified *verified;
	struct folders_head head;
	struct folder folder;
	hash32 facts[2], words;
	const struct finding finding = {.request = request, .anchor = &request->home->deployment};
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(prove_head(&finding, &head, facts, &words, id, err));
	const struct bytes parts[] = {BYTES_LITERAL("folder's target"), BYTES_OF(words)};
	const hash32 memo = sha256_parts(parts, 2);
	if (verified_memo_get(verified, out, sizeof *out, &memo)) return STATUS_OK;
	TRY(folder_find(request, &folder, id, err));
	memset(out, 0, sizeof *out); /* with what is between its members */
	out->controller = folder.controller;
	out->epoch = folder.epoch;
	out->closed = folder.closed;
	out->key = folder.key;
	verified_memo_put(verified, out, sizeof *out, &memo);
	return STATUS_OK;
}

/* --- grants --- */

enum status folder_grant_find(struct actor_request *request, struct consent_grant_state *out, const hash32 *folder,
    const hash32 *record, const addr20 *grantee, struct err *err) {
	const hash32 parts[3] = {*folder, record ? *record : whole_folder, abi_topic_of_address(grantee)};
	const hash32 key = keccak256(bytes_make(parts, sizeof parts)), slot = consent_grants_slot(&key);
	hash32 words[CONSENT_STORED_GRANT_STATE_SLOTS];
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(
	    verified, words, &request->home->deployment.consent, &slot, CONSENT_STORED_GRANT_STATE_SLOTS, err));
	return consent_stored_grant_state_load(out, words, err);
}

static enum status read_grant(void *context, struct bytes input, struct err *err) {
	struct finding *finding = context;
	struct consent_grant_args args;
	TRY(consent_grant_call_read(&args, finding->request->arena, input, err));
	finding->input = input;
	finding->read = read_grant_by;
	TRY(read_by_right(finding, &args.statement.by, err));
	return statement_is_proved(&finding->grant->fact, &finding->fact, finding->what, err);
}

enum status folder_grant_statement(struct actor_request *request, const struct folder *folder,
    struct statement_grant *out, const struct consent_grant_state *state, const hash32 *record, const addr20 *grantee,
    struct err *err) {
	struct statement_folder said = folder->said;
	const struct contract_topics topics =
	    consent_granted_event_topics(&folder->id, record ? record : &whole_folder, grantee);
	struct finding finding = {.request = request,
	    .anchor = &request->home->deployment,
	    .said = &said,
	    .fact = state->fact,
	    .what = "the grant",
	    .grant = out};
	const struct calldata_wish wish = {.query = calldata_query(&finding.anchor->consent, &topics),
	    .block = state->stated_at,
	    .what = "the grant",
	    .read = read_grant,
	    .context = &finding};
	return kept_statement(request, &state->fact, &wish, err);
}
