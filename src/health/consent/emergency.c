#include "health/consent/emergency.h"

#include <stdio.h>

#include "health/chain/calldata.h"
#include "health/consent/consent_private.h"
#include "health/records/items.h"

static const struct deployment *anchor_of(const struct verified *verified) {
	return heads_anchor(verified->heads);
}

enum status emergency_newest(struct verified *verified, uint64_t *number, struct err *err) {
	const struct verified_want want = {&anchor_of(verified)->consent, consent_last_review_slot()};
	hash32 word;
	TRY(verified_words(verified, &word, &want, 1, err));
	return consent_last_review_load(number, &word, err);
}

enum status emergency_reviews(
    struct verified *verified, struct consent_review *out, uint64_t first, size_t count, struct err *err) {
	struct verified_want wants[EMERGENCY_PAGE * CONSENT_STORED_REVIEW_SLOTS] = {0};
	hash32 words[EMERGENCY_PAGE * CONSENT_STORED_REVIEW_SLOTS];
	size_t all = 0;
	BUG_ON(count > EMERGENCY_PAGE);
	for (size_t i = 0; i < count; i++) {
		const hash32 slot = consent_reviews_slot(first + i);
		for (uint64_t n = 0; n < CONSENT_STORED_REVIEW_SLOTS; n++)
			wants[all++] =
			    (struct verified_want){&anchor_of(verified)->consent, contract_slot_after(&slot, n)};
	}
	TRY(verified_words(verified, words, wants, all, err));
	for (size_t i = 0; i < count; i++)
		TRY(consent_stored_review_load(&out[i], words + i * CONSENT_STORED_REVIEW_SLOTS, err));
	return STATUS_OK;
}

enum status emergency_review(struct verified *verified, struct consent_review *out, uint64_t number, struct err *err) {
	TRY(emergency_reviews(verified, out, number, 1, err));
	if (!addr20_is_zero(&out->actor)) return STATUS_OK;
	return err_set(err, STATUS_NOTFOUND, "there is no review %llu", (unsigned long long)number);
}

bool emergency_is_open(const struct verified *verified, const struct consent_review *review) {
	return review->open && verified_now_s(verified) < review->until;
}

struct wanted {
	struct verified *verified;
	struct statement_emergency *out;
	const struct consent_review *review;
};

static enum status read_statement(void *context, struct bytes input, struct err *err) {
	const struct wanted *wanted = context;
	const struct consent_review *review = wanted->review;
	struct statement_emergency *out = wanted->out;
	TRY(statement_emergency_read(out, wanted->verified->arena, anchor_of(wanted->verified), input, err));
	TRY(statement_is_proved(&out->fact, &review->fact, "the emergency", err));
	if (addr20_equal(&out->actor, &review->actor) && hash32_equal(&out->folder, &review->folder)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the emergency: it is of another actor or folder than the review");
}

enum status emergency_statement(struct verified *verified, struct statement_emergency *out, uint64_t number,
    const struct consent_review *review, struct err *err) {
	const struct contract_topics topics =
	    consent_glass_broken_event_topics(&review->folder, &review->actor, &number);
	char what[64];
	snprintf(what, sizeof what, "the emergency of review %llu", (unsigned long long)number);
	struct wanted wanted = {verified, out, review};
	struct calldata_wish wish = {.query = {.address = &anchor_of(verified)->consent},
	    .block = review->stated_at,
	    .what = what,
	    .read = read_statement,
	    .context = &wanted};
	for (size_t i = 0; i < 4; i++)
		wish.query.topics[i] = (struct logs_topic){&topics.topics[i], topics.has_topic[i]};
	return verified_statement(verified, &wish, err);
}

enum status emergency_release(struct verified *verified, struct consent_stored_item *out, uint64_t number,
    const addr20 *trustee, uint32_t epoch, struct err *err) {
	const hash32 item = item_of_release(number, trustee, epoch), slot = consent_items_slot(&item);
	hash32 words[CONSENT_STORED_ITEM_SLOTS];
	TRY(verified_struct(verified, words, &anchor_of(verified)->consent, &slot, CONSENT_STORED_ITEM_SLOTS, err));
	return consent_stored_item_load(out, words, err);
}

enum status emergency_newest_of(
    struct verified *verified, uint64_t *number, const hash32 *folder, const addr20 *actor, struct err *err) {
	static const hash32 whole_folder;
	const hash32 key = consent_key(folder, &whole_folder, actor);
	const struct verified_want want = {&anchor_of(verified)->consent, consent_glass_slot(&key)};
	hash32 word;
	TRY(verified_words(verified, &word, &want, 1, err));
	return consent_glass_load(number, &word, err);
}
