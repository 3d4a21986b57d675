#include "health/consent/looks.h"

#include "crypto/hash.h"
#include "health/consent/consent_private.h"
#include "health/contracts/cause.h"

struct reading {
	const struct looks *looks;
	struct list_state seen; /* by this home, at an earlier time; zeros: nothing */
	bool reached_seen;
};

/* keccak256(abi.encode(record, actor, purpose, permitted, reason, until, review)) */
static hash32 entry_of(const struct consent_access_event *event) {
	uint8_t words[7][32] = {{0}};
	memcpy(words[0], event->record.b, 32);
	memcpy(words[1] + 12, event->actor.b, 20);
	words[2][31] = event->purpose;
	words[3][31] = event->permitted;
	words[4][31] = (uint8_t)event->reason;
	store_be64(words[5] + 24, event->until);
	store_be64(words[6] + 24, event->review);
	return keccak256(bytes_make(*words, sizeof words));
}

static enum status make_entry(
    void *context, struct list_entry *out, bool *is_entry, const struct client_log *log, struct err *err) {
	struct consent_access_event event;
	(void)context, (void)is_entry;
	TRY(consent_access_event_read(&event, &log->log, err));
	out->n = event.n;
	memcpy(out->before, event.before, LIST_HEAD_BYTES);
	out->entry = entry_of(&event);
	return STATUS_OK;
}

static enum status rewritten(struct err *err) {
	err_set(err, STATUS_DENIED, "not proved: the folder's looks are not those that this home was shown before");
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

static enum status see(void *context, const struct list_entry *entry, const struct client_log *log, struct err *err) {
	struct reading *reading = context;
	const struct looks *looks = reading->looks;
	struct consent_access_event said;
	struct access_event event;
	if (entry->n == reading->seen.count + 1) {
		reading->reached_seen = true;
		if (memcmp(entry->before, reading->seen.head, LIST_HEAD_BYTES) != 0) return rewritten(err);
	}
	if (looks->before && entry->n >= looks->before) return STATUS_OK;
	TRY(consent_access_event_read(&said, &log->log, err));
	access_event_of(&event, &said);
	event.timestamp = entry->time_s;
	event.block_number = log->block_number;
	event.tx_hash = log->tx_hash;
	return looks->visit(looks->context, &event, err);
}

static enum status fold(
    struct verified *verified, struct reading *reading, struct list_state *until, uint64_t max, struct err *err) {
	const addr20 *consent = &heads_anchor(verified->heads)->consent;
	const hash32 *folder = &reading->looks->folder;
	const struct contract_topics topics = consent_access_event_topics(folder, NULL, NULL);
	struct verified_list list = {.contract = consent,
	    .slot = consent_look_lists_slot(folder),
	    .max = max,
	    .entry = make_entry,
	    .visit = see,
	    .context = reading};
	for (size_t i = 0; i < 4; i++)
		list.query.topics[i] = (struct logs_topic){&topics.topics[i], topics.has_topic[i]};
	return verified_list(verified, &list, until, err);
}

enum status looks_state(struct verified *verified, struct list_state *out, const hash32 *folder, struct err *err) {
	const struct verified_want want = {&heads_anchor(verified->heads)->consent, consent_look_lists_slot(folder)};
	hash32 word;
	TRY(verified_words(verified, &word, &want, 1, err));
	*out = list_load(&word);
	return STATUS_OK;
}

enum status looks_read_since(
    struct verified *verified, const struct looks *looks, const struct list_state *since, struct err *err) {
	const struct looks whole = {looks->folder, 0, 0, looks->visit, looks->context};
	struct reading reading = {.looks = &whole, .seen = *since};
	struct list_state until = *since;
	return fold(verified, &reading, &until, 0, err);
}

enum status looks_read(struct verified *verified, const struct looks *looks, struct err *err) {
	const addr20 *consent = &heads_anchor(verified->heads)->consent;
	const hash32 slot = consent_look_lists_slot(&looks->folder);
	struct reading reading = {.looks = looks};
	struct list_state state;
	TRY(looks_state(verified, &state, &looks->folder, err));
	TRY(verified_remembered(verified->heads, &reading.seen, consent, &slot, err));
	const bool is_same = memcmp(state.head, reading.seen.head, LIST_HEAD_BYTES) == 0;
	if (state.count < reading.seen.count || (state.count == reading.seen.count && !is_same)) return rewritten(err);
	const uint64_t above = looks->before && looks->before <= state.count ? state.count - looks->before + 1 : 0;
	const uint64_t max = looks->max && looks->max < state.count ? above + looks->max : 0;
	TRY(fold(verified, &reading, NULL, max, err));
	if (!reading.reached_seen) return STATUS_OK; /* nothing is new, or not all of it was shown */
	return verified_remember(verified->heads, &state, consent, &slot, err);
}
