#include "health/consent/grant_list.h"

#include "health/chain/calldata.h"
#include "health/contracts/consent.h"

struct reading {
	struct verified *verified;
	struct grant_list *list;
};

static enum status make_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	struct reading *reading = context;
	struct consent_event event;
	(void)is_entry;
	TRY(consent_event_read(&event, reading->verified->arena, &log->log, err));
	if (event.kind == CONSENT_EVENT_GRANTED) {
		out->n = event.granted.n;
		out->entry = event.granted.fact;
		memcpy(out->before, event.granted.before, LIST_HEAD_BYTES);
		return STATUS_OK;
	}
	if (event.kind != CONSENT_EVENT_REVOKED)
		return err_set(err, STATUS_INTERNAL, "the node shows another event than was asked for");
	out->n = event.revoked.n;
	out->entry = event.revoked.fact;
	memcpy(out->before, event.revoked.before, LIST_HEAD_BYTES);
	return STATUS_OK;
}

/* The statement whose hash is the list's entry. What else the event says is the node's word, and is not used. */
static enum status read_statement(
    struct grant_list_entry *out, struct arena *arena, const hash32 *fact, struct err *err) {
	struct consent_grant_args grant;
	struct consent_revoke_args revoke;
	hash32 found;
	out->is_grant = consent_grant_call_read(&grant, arena, out->calldata, NULL) == STATUS_OK;
	if (out->is_grant) {
		found = consent_grant_typed_hash(&grant.statement);
		out->record = grant.statement.record;
		out->grantee = grant.statement.grantee;
		out->by = grant.statement.by;
	} else {
		TRY(consent_revoke_call_read(&revoke, arena, out->calldata, err));
		found = consent_revoke_typed_hash(&revoke.statement);
		out->record = revoke.statement.record;
		out->grantee = revoke.statement.grantee;
		out->by = revoke.statement.by;
	}
	return statement_is_proved(&found, fact, "a grant", err);
}

static struct grant_list_entry *next_entry(struct reading *reading) {
	struct grant_list *list = reading->list;
	if (list->count == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 16;
		struct grant_list_entry *more = arena_zalloc(reading->verified->arena, list->cap, sizeof *more);
		if (list->count) memcpy(more, list->entries, list->count * sizeof *more);
		list->entries = more;
	}
	return &list->entries[list->count++];
}

/* Whom the event names, for an entry that says nothing itself. */
static enum status note_fault(struct reading *reading, struct grant_list_entry *entry, const struct client_log *log,
    const char *why, struct err *err) {
	struct consent_event event;
	TRY(consent_event_read(&event, reading->verified->arena, &log->log, err));
	const bool is_grant = event.kind == CONSENT_EVENT_GRANTED;
	*entry = (struct grant_list_entry){.n = entry->n,
	    .fault = arena_strdup(reading->verified->arena, bytes_text(why)),
	    .record = is_grant ? event.granted.record : event.revoked.record,
	    .grantee = is_grant ? event.granted.grantee : event.revoked.grantee};
	reading->list->fault_count++;
	return STATUS_OK;
}

static enum status see(void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct reading *reading = context;
	struct grant_list_entry *made = next_entry(reading);
	struct err why = {0};
	made->n = entry->n;
	TRY(verified_input(reading->verified, &made->calldata, &log->tx_hash, log->block_number, err));
	if (read_statement(made, reading->verified->arena, &entry->entry, &why) == STATUS_OK) return STATUS_OK;
	return note_fault(reading, made, log, why.message, err);
}

enum status grant_list_read(struct verified *verified, struct grant_list *out, const hash32 *folder, struct err *err) {
	const hash32 events[] = {consent_granted_event_topic, consent_revoked_event_topic};
	struct reading reading = {verified, out};
	const struct verified_list list = {.contract = &heads_anchor(verified->heads)->consent,
	    .slot = consent_grant_lists_slot(folder),
	    .query = {.topics = {{events, 2}, {folder, 1}}},
	    .entry = make_entry,
	    .visit = see,
	    .context = &reading};
	*out = (struct grant_list){0};
	return verified_list(verified, &list, NULL, err);
}

/* The newest statement about them below number `below`. */
static const struct grant_list_entry *newest(
    const struct grant_list *list, uint64_t below, const hash32 *record, const addr20 *grantee) {
	for (size_t i = 0; i < list->count; i++) {
		const struct grant_list_entry *entry = &list->entries[i];
		if (!entry->fault && entry->n < below && hash32_equal(&entry->record, record) &&
		    addr20_equal(&entry->grantee, grantee))
			return entry;
	}
	return NULL;
}

enum status grant_list_find(const struct grant_list *list, struct statement_grant *out,
    const struct statement_folder *folder, const hash32 *record, const addr20 *grantee, struct err *err) {
	static const hash32 whole_folder;
	struct statement_grant right;
	const struct grant_list_entry *said = newest(list, UINT64_MAX, record, grantee);
	if (!said || !said->is_grant) return err_set(err, STATUS_NOTFOUND, "there is no such grant, or it was revoked");
	if (statement_grant_read(folder, out, NULL, said->calldata, err) == STATUS_OK) return STATUS_OK;
	/* Not a controller's: its signer then had the right to share, of a controller. */
	const struct grant_list_entry *given = newest(list, said->n, &whole_folder, &said->by);
	if (!given || !given->is_grant) return STATUS_DENIED;
	TRY(statement_grant_read(folder, &right, NULL, given->calldata, err));
	return statement_grant_read(folder, out, &right, said->calldata, err);
}
