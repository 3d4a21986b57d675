/* Asking for a window, and the log of all who asked. */
#include "health/consent/access.h"

#include "health/consent/consent_private.h"
#include "health/consent/emergency.h"
#include "health/consent/looks.h"
#include "health/contracts/cause.h"
#include "health/records/record.h"

void access_event_of(struct access_event *out, const struct consent_access_event *event) {
	*out = (struct access_event){.n = event->n,
	    .folder = event->folder,
	    .record = event->record,
	    .actor = event->actor,
	    .purpose = event->purpose,
	    .permitted = event->permitted,
	    .reason = (uint8_t)event->reason,
	    .until = event->until,
	    .review = event->review};
}

/* --- the decision of a transaction that was sent --- */

struct search {
	const struct access_asked *asked;
	const addr20 *account;
	struct access_event *out;
	bool found;
};

static enum status see_new(void *context, const struct access_event *event, struct err *err) {
	struct search *search = context;
	const struct access_asked *asked = search->asked;
	(void)err;
	if (search->found || !addr20_equal(&event->actor, search->account) || event->purpose != asked->purpose ||
	    !hash32_equal(&event->record, &asked->record))
		return STATUS_OK;
	*search->out = *event;
	search->found = true;
	return STATUS_OK;
}

enum status access_decision(
    struct actor_request *request, struct access_event *out, const struct access_asked *asked, struct err *err) {
	struct search search = {asked, &request->home->account, out, false};
	const struct looks looks = {.folder = asked->folder, .visit = see_new, .context = &search};
	TRY(verified_head(&request->verified, HEADS_FRESH, err));
	TRY(looks_read_since(&request->verified, &looks, &asked->before, err));
	return search.found ? STATUS_OK : STATUS_NOTFOUND;
}

enum status access_was_refused(
    struct actor_request *request, const struct access_asked *asked, enum status refused, struct err *err) {
	struct access_event event;
	if (err && err->cause == CAUSE_NOT_PROVED_SENT) return refused; /* it goes on */
	if (refused != STATUS_DENIED || access_decision(request, &event, asked, NULL) != STATUS_OK) return refused;
	err_set(err, STATUS_DENIED,
	    "not proved: the node says that the transaction failed, and the chain holds its decision (%s)",
	    access_reason_name(event.reason));
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

/* --- a look inside a window that is open already is no entry: the window is the answer --- */

/* 32 bits a purpose, from the low end. */
static uint64_t end_in(const hash32 *word, unsigned purpose) {
	return load_be32(word->b + 28 - 4 * purpose);
}

enum status access_windows(struct actor_request *request, uint64_t until_s[PURPOSE_COUNT], const hash32 *folder,
    const hash32 *record, struct err *err) {
	const hash32 key = consent_key(folder, record, &request->home->account), slot = consent_windows_slot(&key);
	const struct verified_want want = {&request->home->deployment.consent, slot};
	struct verified *verified;
	hash32 word;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_words(verified, &word, &want, 1, err));
	for (unsigned i = 0; i < PURPOSE_COUNT; i++) until_s[i] = end_in(&word, i);
	return STATUS_OK;
}

static enum status window_of(
    struct verified *verified, struct access_event *out, const hash32 *record, struct err *err) {
	const hash32 key = consent_key(&out->folder, record, &out->actor), slot = consent_windows_slot(&key);
	const struct verified_want want = {&heads_anchor(verified->heads)->consent, slot};
	hash32 word;
	TRY(verified_words(verified, &word, &want, 1, err));
	const uint64_t until = end_in(&word, out->purpose);
	if (until <= verified_now_s(verified)) return STATUS_OK;
	out->permitted = true;
	out->reason = CONSENT_REASON_PERMITTED;
	out->until = until;
	return STATUS_OK;
}

static enum status emergency_of(struct verified *verified, struct access_event *out, struct err *err) {
	static const hash32 whole_folder;
	const hash32 key = consent_key(&out->folder, &whole_folder, &out->actor);
	const struct verified_want want = {&heads_anchor(verified->heads)->consent, consent_glass_slot(&key)};
	struct consent_review review;
	hash32 word;
	uint64_t number;
	TRY(verified_words(verified, &word, &want, 1, err));
	TRY(consent_glass_load(&number, &word, err));
	if (number == 0) return STATUS_OK;
	TRY(emergency_review(verified, &review, number, err));
	if (!emergency_is_open(verified, &review)) return STATUS_OK;
	out->permitted = true;
	out->reason = CONSENT_REASON_EMERGENCY;
	out->until = review.until;
	out->review = number;
	return STATUS_OK;
}

/* The author's own window says so; the contract asks for it before it asks for a grant. */
static enum status say_author(struct actor_request *request, struct access_event *out, struct err *err) {
	struct record_registration registration;
	if (hash32_is_zero(&out->record)) return STATUS_OK;
	TRY(record_find(request, &registration, &out->record, err));
	if (addr20_equal(&registration.author, &out->actor)) out->reason = CONSENT_REASON_AUTHOR;
	return STATUS_OK;
}

static enum status open_window(struct actor_request *request, struct access_event *out, struct err *err) {
	static const hash32 whole_folder;
	struct verified *verified = &request->verified;
	if (out->purpose == PURPOSE_ETREAT) TRY(emergency_of(verified, out, err));
	if (!out->permitted) {
		TRY(window_of(verified, out, &out->record, err));
		if (out->permitted) TRY(say_author(request, out, err));
	}
	if (!out->permitted) TRY(window_of(verified, out, &whole_folder, err));
	if (out->permitted) return STATUS_OK;
	err_set(err, STATUS_DENIED,
	    "not proved: the node says that the contract has decided, and the chain holds no decision");
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err) {
	struct access_asked asked = {.folder = *folder, .record = *record, .purpose = (uint8_t)purpose};
	struct client_receipt receipt;
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(looks_state(verified, &asked.before, folder, err));
	struct bytes call = consent_access_call(request->arena, folder, record, asked.purpose);
	enum status status = request_transact(request, &receipt, &request->home->deployment.consent, call, err);
	if (status != STATUS_OK) return access_was_refused(request, &asked, status, err);
	status = access_decision(request, out, &asked, err);
	if (status != STATUS_NOTFOUND) return status;
	*out = (struct access_event){.folder = *folder,
	    .record = *record,
	    .actor = request->home->account,
	    .purpose = asked.purpose,
	    .block_number = receipt.block_number,
	    .tx_hash = receipt.tx_hash};
	return open_window(request, out, err);
}

/* --- the log --- */

struct page {
	struct actor_request *request;
	struct access_event *events;
	size_t count, cap;
};

static enum status keep(void *context, const struct access_event *event, struct err *err) {
	struct page *page = context;
	(void)err;
	if (page->count == page->cap) {
		const size_t cap = page->cap ? 2 * page->cap : 64;
		struct access_event *more = arena_zalloc(page->request->arena, cap, sizeof *more);
		if (page->count) memcpy(more, page->events, page->count * sizeof *more);
		page->events = more;
		page->cap = cap;
	}
	page->events[page->count++] = *event;
	return STATUS_OK;
}

enum status access_log(struct actor_request *request, struct access_event **out, size_t *count, const hash32 *folder,
    const struct access_page *wanted, struct err *err) {
	struct page page = {.request = request};
	const struct looks looks = {*folder, wanted->before, wanted->max, keep, &page};
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(looks_read(verified, &looks, err));
	*out = page.events;
	*count = page.count;
	return STATUS_OK;
}
